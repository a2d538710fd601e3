//! How long nobody leads: from the end of the leader until another replica holds the Lease, with the times of production.

use crate::operator::Ready;
use crate::stage::{OPERATOR_NAMESPACE, Stage};
use anyhow::{Result, ensure};
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::Api;
use rustix::process::Signal;
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};

const TAKEN_WITHIN: Duration = Duration::from_secs(120);

/// Ends so many leaders in each way and prints how long it took until another led.
pub(crate) async fn measure(binary: &Path, count: usize) -> Result<()> {
    let stage = Stage::start(binary).await?;
    let leases: Api<Lease> = Api::namespaced(stage.client.clone(), OPERATOR_NAMESPACE);
    let mut leader = stage.operator(&[])?;
    leader.until(Ready::Leads).await?;
    for (name, signal) in [("SIGTERM", Signal::TERM), ("SIGKILL", Signal::KILL)] {
        let mut took = Vec::with_capacity(count);
        for number in 0..count {
            let mut next = stage.operator(&[])?;
            next.until(Ready::StandsBy).await?;
            // Not always at the same moment between two renewals.
            tokio::time::sleep(Duration::from_millis(137) * u32::try_from(number)?).await;
            let from = holder(&leases).await?;
            leader.signal(signal)?;
            took.push(until_taken(&leases, &from).await?);
            next.until(Ready::Leads).await?;
            leader = next;
        }
        took.sort_unstable();
        let milliseconds: Vec<_> = took.iter().map(Duration::as_millis).collect();
        let median = milliseconds.get(milliseconds.len() / 2);
        println!(
            "{}",
            json!({ "leader": name, "times": count, "milliseconds": milliseconds, "medianMs": median, "maxMs": milliseconds.last() })
        );
    }
    drop(leader);
    stage.stop().await
}

async fn holder(leases: &Api<Lease>) -> Result<String> {
    let lease = leases.get("invitation-operator").await?;
    Ok(lease.spec.and_then(|spec| spec.holder_identity).unwrap_or_default())
}

/// Until somebody else holds the Lease.
async fn until_taken(leases: &Api<Lease>, from: &str) -> Result<Duration> {
    let begun = Instant::now();
    loop {
        let now_is = holder(leases).await?;
        if !now_is.is_empty() && now_is != from {
            return Ok(begun.elapsed());
        }
        ensure!(begun.elapsed() < TAKEN_WITHIN, "nobody takes the Lease");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
