//! From `apply` to `status.id` on an idle control plane, one person at a time, and what it costs in calls and writes.

use crate::audit::{self, Requests, sum};
use crate::calls::Calls;
use crate::delivery::Delivery;
use crate::limits::{self, Rates};
use crate::operator::Ready;
use crate::stage::{Stage, UNPACED};
use crate::statistics::{Times, number};
use crate::team::{Credentials, Team};
use crate::witness::Witness;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;

/// For the limits.
const RAW_WRITES: usize = 200;
const LIMIT: Duration = Duration::from_secs(60);

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LatencyRun {
    /// `oauth` or `digest`.
    pub(crate) authentication: String,
    pub(crate) latency_ms: f64,
    pub(crate) rates: Vec<Rates>,
    pub(crate) times: Times,
    pub(crate) calls: Calls,
    pub(crate) kubernetes: Requests,
    pub(crate) writes_per_invitation: f64,
    pub(crate) delivery: Delivery,
}

/// Invites so many people one after another.
pub(crate) async fn run(
    binary: &Path,
    count: usize,
    latency: Duration,
    credentials: Credentials,
) -> Result<LatencyRun> {
    let stage = Stage::start(binary).await?;
    stage.set_latency(latency);
    let rates = limits::measure(&stage, RAW_WRITES, &[1]).await?;
    let mut operator = stage.operator(&[UNPACED])?;
    operator.until(Ready::Leads).await?;
    let team = Team::form(&stage, "alone", count + 1, credentials).await?;
    team.ready(&stage).await?;
    let witness = Witness::watch(&stage.client);
    // One before the measure: the first look at a project reads what later ones share.
    team.person(count).apply(&stage).await?;
    witness.until(&team.person(count), "Invited", LIMIT).await?;
    stage.simulator.clear_requests();
    let mut audit = stage.audit()?;
    let mut times = Vec::with_capacity(count);
    for number in 0..count {
        let person = team.person(number);
        let applied = person.apply(&stage).await?;
        times.push(witness.until(&person, "Invited", LIMIT).await?.duration_since(applied));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (calls, kubernetes) = (Calls::so_far(&stage.simulator), audit.since()?);
    let people: Vec<_> = (0..=count).map(|number| team.person(number)).collect();
    let delivery = Delivery::of(&stage.simulator, &people);
    operator.terminate().await?;
    stage.stop().await?;
    let authentication = match credentials {
        Credentials::ServiceAccount => "oauth",
        Credentials::ApiKey => "digest",
    };
    Ok(LatencyRun {
        authentication: authentication.to_owned(),
        latency_ms: latency.as_secs_f64() * 1000.0,
        rates,
        times: Times::of(&times),
        writes_per_invitation: f64::from(u32::try_from(sum(&audit::writes(&kubernetes)))?) / number(count),
        calls,
        kubernetes,
        delivery,
    })
}
