//! What N synced objects cost while nothing happens, and how soon an acceptance is noticed: with all times of the operator
//! divided by a factor, so that an hour passes within minutes.
//!
//! Calls and passes come as often as in that longer time; what each costs is not scaled.

use crate::audit::{self, Requests, sum};
use crate::calls::Calls;
use crate::operator::{Operator, Ready};
use crate::scale::{all_passed, passes};
use crate::stage::{Stage, UNPACED};
use crate::statistics::{Times, number};
use crate::team::Person;
use crate::witness::Witness;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// All times are divided by so much.
const FACTOR: u32 = 30;
/// The interval of looking that inviters have where nothing else is said.
const CHECK_INTERVAL: Duration = Duration::from_secs(300);
/// So many people accept at most.
const ACCEPTING: usize = 200;
const HOUR: f64 = 3600.0;

/// Nothing happening.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Idle {
    /// All times were divided by it.
    pub(crate) factor: u32,
    /// The time that passed for the operator, in hours.
    pub(crate) hours: f64,
    pub(crate) calls: Calls,
    pub(crate) calls_per_pair_and_hour: f64,
    pub(crate) passes: f64,
    pub(crate) passes_per_s: f64,
    /// No Lease is held while times are divided: these are all writes.
    pub(crate) writes: u64,
    pub(crate) kubernetes: Requests,
    pub(crate) cpu_s: f64,
    /// Processor time for each hour of the operator's, as a share of one core.
    pub(crate) cpu_share: f64,
}

/// People who accepted at the same moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Accepted {
    /// All times were divided by it, and so are these.
    pub(crate) factor: u32,
    pub(crate) check_interval_ms: f64,
    pub(crate) times: Times,
    pub(crate) missed: usize,
    pub(crate) calls: Calls,
    pub(crate) writes_per_acceptance: f64,
    pub(crate) kubernetes: Requests,
}

/// Runs an operator with divided times over objects that are synced.
pub(crate) async fn measure(
    stage: &Stage,
    people: &[Person],
    pairs: usize,
    length: Duration,
) -> Result<(Idle, Accepted)> {
    let interval = CHECK_INTERVAL / FACTOR;
    // Tokens live an hour of the operator's time.
    stage.simulator.configure(|behaviour| behaviour.token_life = (Duration::from_secs(3600) / FACTOR).into());
    let timings = format!("--unsafe-timings={FACTOR}");
    let mut operator = stage.operator(&[UNPACED, &timings, "--leader-elect=false"])?;
    operator.until(Ready::Leads).await?;
    all_passed(&operator, people.len()).await?;
    tokio::time::sleep(interval + interval / 5).await;
    let idle = nothing_happens(stage, &operator, pairs, length).await?;
    let accepted = some_accept(stage, people, interval).await?;
    operator.terminate().await?;
    Ok((idle, accepted))
}

async fn nothing_happens(stage: &Stage, operator: &Operator, pairs: usize, length: Duration) -> Result<Idle> {
    stage.simulator.clear_requests();
    let mut audit = stage.audit()?;
    let (cpu_before, passes_before, began) = (operator.usage()?.cpu_s, passes(operator).await?, Instant::now());
    tokio::time::sleep(length).await;
    let (cpu_s, passed) = (operator.usage()?.cpu_s - cpu_before, passes(operator).await? - passes_before);
    let (calls, kubernetes, took) = (Calls::so_far(&stage.simulator), audit.since()?, began.elapsed().as_secs_f64());
    let hours = took * f64::from(FACTOR) / HOUR;
    Ok(Idle {
        factor: FACTOR,
        hours,
        calls_per_pair_and_hour: f64::from(u32::try_from(calls.total)?) / number(pairs) / hours,
        calls,
        passes: passed,
        passes_per_s: passed / took,
        writes: sum(&audit::writes(&kubernetes)),
        kubernetes,
        cpu_s,
        cpu_share: cpu_s / (hours * HOUR),
    })
}

async fn some_accept(stage: &Stage, people: &[Person], interval: Duration) -> Result<Accepted> {
    let witness = Witness::watch(&stage.client);
    witness.until_all(people, "Invited", interval * 3).await;
    stage.simulator.clear_requests();
    let mut audit = stage.audit()?;
    // Evenly over all projects.
    let step = people.len().div_ceil(ACCEPTING).max(1);
    let accepting: Vec<_> = people.iter().step_by(step).cloned().collect();
    let began = Instant::now();
    for person in &accepting {
        stage.simulator.accept(&person.project, &person.username);
    }
    let missed = witness.until_all(&accepting, "Accepted", interval * 5).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let seen = accepting.iter().filter_map(|person| witness.when(person, "Accepted"));
    let times: Vec<_> = seen.map(|seen| seen.saturating_duration_since(began)).collect();
    let kubernetes = audit.since()?;
    let writes = f64::from(u32::try_from(sum(&audit::writes(&kubernetes)))?);
    Ok(Accepted {
        factor: FACTOR,
        check_interval_ms: interval.as_secs_f64() * 1000.0,
        times: Times::of(&times),
        missed,
        calls: Calls::so_far(&stage.simulator),
        writes_per_acceptance: writes / number(accepting.len()),
        kubernetes,
    })
}
