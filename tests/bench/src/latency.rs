//! From `apply` to `status.id`, and what it costs: HTTP calls and Kubernetes writes per invitation, counted on the wire.

use crate::stage::{NAMESPACE, Stage, Way};
use anyhow::{Context, Result};
use futures::StreamExt;
use invitation_operator::api::ProjectInvitation;
use kube::api::{Api, PostParams, WatchEvent, WatchParams};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// Invites so many people one after another and prints the spread.
pub(crate) async fn measure(operator: &Path, count: usize, latency_ms: u64, digest: bool) -> Result<()> {
    let stage = Stage::start(operator, digest, Way::Direct).await?;
    let latency = Duration::from_millis(latency_ms).into();
    stage.simulator.configure(|behaviour| behaviour.latency = latency);
    let objects: Api<ProjectInvitation> = Api::namespaced(stage.client.clone(), NAMESPACE);
    let mut took = Vec::with_capacity(count);
    // One before the measure: the first look at a project reads what later ones share.
    invite(&objects, &stage.project, "warm-up").await?;
    stage.simulator.clear_requests();
    let writes_before = operator_writes(&stage)?;
    for number in 0..count {
        took.push(invite(&objects, &stage.project, &format!("person-{number}")).await?);
    }
    let requests = stage.simulator.requests();
    let mut calls: BTreeMap<String, usize> = BTreeMap::new();
    for request in &requests {
        *calls.entry(format!("{} {:?}", request.method, request.endpoint)).or_default() += 1;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let writes = operator_writes(&stage)?;
    took.sort_unstable();
    let at = |percent: usize| took.get((took.len() * percent / 100).min(took.len().saturating_sub(1)));
    println!(
        "{}",
        json!({
            "authentication": if digest { "digest" } else { "oauth" },
            "invitations": count,
            "latencyMs": latency_ms,
            "p50Ms": at(50).map(Duration::as_secs_f64).map(|seconds| seconds * 1000.0),
            "p99Ms": at(99).map(Duration::as_secs_f64).map(|seconds| seconds * 1000.0),
            "maxMs": took.last().map(Duration::as_secs_f64).map(|seconds| seconds * 1000.0),
            "mails": stage.simulator.outbox().len() - 1,
            "httpRequests": calls,
            "kubernetesWrites": difference(&writes_before, &writes),
        })
    );
    stage.stop().await
}

/// Creates an invitation and waits until its status has an id.
async fn invite(objects: &Api<ProjectInvitation>, project: &str, name: &str) -> Result<Duration> {
    let object: ProjectInvitation = serde_json::from_value(json!({
        "apiVersion": "invitation-operator.io/v1alpha1", "kind": "ProjectInvitation",
        "metadata": { "name": name },
        "spec": {
            "projectId": project,
            "username": format!("{name}@example.com"),
            "roles": ["GROUP_READ_ONLY"],
            "inviterRef": { "name": "atlas" },
        },
    }))?;
    let began = Instant::now();
    let created = objects.create(&PostParams::default(), &object).await?;
    let version = created.metadata.resource_version.unwrap_or_default();
    let params = WatchParams::default().fields(&format!("metadata.name={name}")).timeout(60);
    let mut events = objects.watch(&params, &version).await?.boxed();
    while let Some(event) = events.next().await {
        let (WatchEvent::Added(seen) | WatchEvent::Modified(seen)) = event? else { continue };
        if seen.status.is_some_and(|status| status.id.is_some()) {
            return Ok(began.elapsed());
        }
    }
    anyhow::bail!("{name} was not invited within a minute")
}

type Writes = BTreeMap<String, i64>;

/// The operator's writes so far, by verb and resource, from the API server's audit log.
fn operator_writes(stage: &Stage) -> Result<Writes> {
    let log = std::fs::read_to_string(stage.plane.audit_log().context("no audit log")?)?;
    let mut writes = Writes::new();
    for line in log.lines() {
        let entry: Value = serde_json::from_str(line)?;
        let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let verb = text("/verb");
        let resource = text("/objectRef/resource");
        // The bench calls through the same kind of client, and only creates; the operator creates claims, events, its lease.
        let created_here = verb == "create" && !matches!(resource, "invitationclaims" | "events" | "leases");
        let ours = text("/userAgent").starts_with("invitation-operator") && !created_here;
        if ours && matches!(verb, "create" | "update" | "patch" | "delete") {
            let part = text("/objectRef/subresource");
            let name = if part.is_empty() { format!("{verb} {resource}") } else { format!("{verb} {resource}/{part}") };
            *writes.entry(name).or_default() += 1;
        }
    }
    Ok(writes)
}

fn difference(before: &Writes, after: &Writes) -> Writes {
    after.iter().map(|(name, count)| (name.clone(), count - before.get(name).unwrap_or(&0))).collect()
}
