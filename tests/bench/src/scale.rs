//! From nothing to N synced objects, and what they cost then: one run on a control plane of its own.
//!
//! Owns the order: empty start, N creations, rest, restart, an idle hour, acceptances.

use crate::audit::{self, Requests, sum};
use crate::calls::Calls;
use crate::delivery::Delivery;
use crate::idle::{self, Accepted, Idle};
use crate::limits::{self, Rates};
use crate::operator::{Operator, Ready};
use crate::process::{Follower, Moment, Usage, fine_cpu_seconds};
use crate::stage::{Stage, UNPACED};
use crate::statistics::{Times, number};
use crate::team::{Credentials, PEOPLE_PER_PROJECT, Person, Team, apply_all};
use crate::witness::Witness;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::{Duration, Instant};

/// Nobody is waited for longer; who is not invited then counts as not delivered.
const LIMIT: Duration = Duration::from_secs(600);
/// After the last object, for events and writes that come behind.
const TRAILING: Duration = Duration::from_secs(2);
const MOMENTS_EVERY: Duration = Duration::from_millis(250);

/// What is to be measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) people: usize,
    pub(crate) latency: Duration,
    /// How long memory rests before it is looked at.
    pub(crate) rest: Duration,
    /// So many raw writes for the limits.
    pub(crate) raw_writes: usize,
    /// Real time of the idle part; none leaves it out, and the acceptances.
    pub(crate) idle: Option<Duration>,
}

/// A start of the operator.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Start {
    /// Until `/readyz` answers 200.
    pub(crate) ready_ms: f64,
    /// Until the process leads.
    pub(crate) leads_ms: f64,
    /// After a rest.
    pub(crate) usage: Usage,
}

/// All people invited.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Invited {
    /// Until the last object was created.
    pub(crate) creating_s: f64,
    /// From the first creation to the last status.
    pub(crate) total_s: f64,
    pub(crate) times: Times,
    pub(crate) calls: Calls,
    pub(crate) kubernetes: Requests,
    pub(crate) writes_per_invitation: f64,
    pub(crate) calls_per_invitation: f64,
    pub(crate) cpu_s: f64,
    /// After a rest.
    pub(crate) usage: Usage,
    /// Memory and processor time from the first creation on.
    pub(crate) moments: Vec<Moment>,
}

/// A start with everything synced.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Restart {
    pub(crate) start: Start,
    /// Until every object had a pass.
    pub(crate) passed_s: f64,
    pub(crate) passes: f64,
    pub(crate) calls: Calls,
    pub(crate) kubernetes: Requests,
    /// Writes but the Lease's.
    pub(crate) writes: u64,
    /// Processor time at rest, with no pass due: share of one core.
    pub(crate) cpu_at_rest: f64,
}

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScaleRun {
    pub(crate) people: usize,
    pub(crate) projects: usize,
    pub(crate) latency_ms: f64,
    pub(crate) rates: Vec<Rates>,
    pub(crate) empty: Start,
    pub(crate) invited: Invited,
    pub(crate) restart: Restart,
    pub(crate) idle: Option<Idle>,
    pub(crate) accepted: Option<Accepted>,
    pub(crate) delivery: Delivery,
}

/// Makes one run.
pub(crate) async fn run(binary: &Path, plan: Plan) -> Result<ScaleRun> {
    let stage = Stage::start(binary).await?;
    stage.set_latency(plan.latency);
    let rates =
        if plan.raw_writes == 0 { Vec::new() } else { limits::measure(&stage, plan.raw_writes, &[8, 32]).await? };

    let mut operator = stage.operator(&[UNPACED])?;
    let empty = begun(&mut operator, plan.rest.min(TRAILING)).await?;
    let (teams, people) = form(&stage, plan.people).await?;
    let invited = invited(&stage, &operator, &people, plan).await?;
    operator.terminate().await?;

    let (operator, restart) = restarted(&stage, plan).await?;
    operator.terminate().await?;

    let (idle, accepted) = match plan.idle {
        None => (None, None),
        Some(length) => {
            let (idle, accepted) = idle::measure(&stage, &people, teams.len(), length).await?;
            (Some(idle), Some(accepted))
        }
    };
    let delivery = Delivery::of(&stage.simulator, &people);
    stage.stop().await?;
    Ok(ScaleRun {
        people: plan.people,
        projects: teams.len(),
        latency_ms: plan.latency.as_secs_f64() * 1000.0,
        rates,
        empty,
        invited,
        restart,
        idle,
        accepted,
        delivery,
    })
}

/// A team for every 500 people, each with one project, and all its people. An operator must be running.
pub(crate) async fn form(stage: &Stage, people: usize) -> Result<(Vec<Team>, Vec<Person>)> {
    let mut teams = Vec::new();
    let mut all = Vec::new();
    for number in 0..people.div_ceil(PEOPLE_PER_PROJECT) {
        let size = PEOPLE_PER_PROJECT.min(people - number * PEOPLE_PER_PROJECT);
        let team = Team::form(stage, &format!("team-{number}"), size, Credentials::ServiceAccount).await?;
        all.extend((0..size).map(|person| team.person(person)));
        teams.push(team);
    }
    for team in &teams {
        team.ready(stage).await?;
    }
    Ok((teams, all))
}

async fn begun(operator: &mut Operator, rest: Duration) -> Result<Start> {
    let ready = operator.until(Ready::Any).await?;
    let leads = operator.until(Ready::Leads).await?;
    tokio::time::sleep(rest).await;
    Ok(Start {
        ready_ms: ready.as_secs_f64() * 1000.0,
        leads_ms: leads.as_secs_f64() * 1000.0,
        usage: operator.usage()?,
    })
}

async fn invited(stage: &Stage, operator: &Operator, people: &[Person], plan: Plan) -> Result<Invited> {
    let witness = Witness::watch(&stage.client);
    stage.simulator.clear_requests();
    let mut audit = stage.audit()?;
    let cpu_before = operator.usage()?.cpu_s;
    let follower = Follower::of(operator.pid()?, MOMENTS_EVERY);
    let began = Instant::now();
    let applied = apply_all(stage, people).await?;
    let creating_s = began.elapsed().as_secs_f64();
    witness.until_all(people, "Invited", LIMIT).await;
    tokio::time::sleep(TRAILING).await;
    let cpu_s = operator.usage()?.cpu_s - cpu_before;
    let seen: Vec<_> = people.iter().map(|person| witness.when(person, "Invited")).collect();
    let times: Vec<_> =
        applied.iter().zip(&seen).filter_map(|(applied, seen)| Some(seen.as_ref()?.duration_since(*applied))).collect();
    let last = seen.iter().flatten().max().copied().unwrap_or(began);
    let (calls, kubernetes) = (Calls::so_far(&stage.simulator), audit.since()?);
    tokio::time::sleep(plan.rest).await;
    let (each, all_calls) = (number(people.len()), u32::try_from(calls.total)?);
    Ok(Invited {
        creating_s,
        total_s: last.duration_since(began).as_secs_f64(),
        times: Times::of(&times),
        writes_per_invitation: f64::from(u32::try_from(sum(&audit::writes(&kubernetes)))?) / each,
        calls_per_invitation: f64::from(all_calls) / each,
        calls,
        kubernetes,
        cpu_s,
        usage: operator.usage()?,
        moments: follower.end(),
    })
}

/// Starts an operator with everything there, and waits until each object had a pass.
pub(crate) async fn restarted(stage: &Stage, plan: Plan) -> Result<(Operator, Restart)> {
    stage.simulator.clear_requests();
    let mut audit = stage.audit()?;
    let began = Instant::now();
    let mut operator = stage.operator(&[UNPACED])?;
    let ready = operator.until(Ready::Any).await?;
    let leads = operator.until(Ready::Leads).await?;
    all_passed(&operator, plan.people).await?;
    let passed_s = began.elapsed().as_secs_f64();
    tokio::time::sleep(TRAILING).await;
    let (rests, cpu_before) = (Instant::now(), fine_cpu_seconds(operator.pid()?)?);
    tokio::time::sleep(plan.rest).await;
    let cpu_at_rest = (fine_cpu_seconds(operator.pid()?)? - cpu_before) / rests.elapsed().as_secs_f64();
    let usage = operator.usage()?;
    let (kubernetes, calls) = (audit.since()?, Calls::so_far(&stage.simulator));
    let restart = Restart {
        start: Start { ready_ms: ready.as_secs_f64() * 1000.0, leads_ms: leads.as_secs_f64() * 1000.0, usage },
        passed_s,
        passes: passes(&operator).await?,
        writes: sum(&audit::writes(&kubernetes)),
        kubernetes,
        calls,
        cpu_at_rest,
    };
    Ok((operator, restart))
}

/// Passes since the operator's start.
pub(crate) async fn passes(operator: &Operator) -> Result<f64> {
    operator.metric("invitation_operator_passes_total", "").await
}

/// Waits until there were as many passes as there are people: each object has had its own, but for those that had two.
pub(crate) async fn all_passed(operator: &Operator, people: usize) -> Result<()> {
    let looking = async {
        loop {
            if passes(operator).await.is_ok_and(|passes| passes >= number(people)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // Who is slower than that is shown as such.
    let _ = tokio::time::timeout(LIMIT, looking).await;
    Ok(())
}
