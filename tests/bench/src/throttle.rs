//! Thirty people at once under MongoDB's throttle of ten invitations a minute.

use crate::calls::Calls;
use crate::delivery::Delivery;
use crate::operator::Ready;
use crate::stage::Stage;
use crate::statistics::Times;
use crate::team::{Credentials, Team, apply_all};
use crate::witness::Witness;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;

const PEOPLE: usize = 30;
const PER_MINUTE: u32 = 10;
const MINUTE: Duration = Duration::from_secs(60);
const LATENCY: Duration = Duration::from_millis(50);
const LIMIT: Duration = Duration::from_secs(600);

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThrottleRun {
    pub(crate) people: usize,
    pub(crate) per_minute: u32,
    /// All times were divided by it; 1 is none.
    pub(crate) factor: u32,
    /// From the first e-mail to the last one.
    pub(crate) took_s: f64,
    /// What the throttle allows: the last ten two minutes after the first ten.
    pub(crate) allowed_s: f64,
    /// How much later than that, as a share of it.
    pub(crate) late: f64,
    pub(crate) times: Times,
    pub(crate) calls: Calls,
    pub(crate) delivery: Delivery,
}

/// Invites thirty people of three namespaces.
pub(crate) async fn run(binary: &Path, factor: u32) -> Result<ThrottleRun> {
    let stage = Stage::start(binary).await?;
    stage.set_latency(LATENCY);
    stage.simulator.configure(|behaviour| {
        behaviour.invitation_throttle = Some(PER_MINUTE);
        behaviour.invitation_throttle_window = (MINUTE / factor).into();
    });
    let timings = format!("--unsafe-timings={factor}");
    let flags = if factor == 1 { vec![] } else { vec![timings.as_str(), "--leader-elect=false"] };
    let mut operator = stage.operator(&flags)?;
    operator.until(Ready::Leads).await?;
    let mut people = Vec::new();
    for name in ["one", "two", "three"] {
        let team = Team::form(&stage, name, PEOPLE, Credentials::ServiceAccount).await?;
        team.ready(&stage).await?;
        people.extend((0..PEOPLE / 3).map(|number| team.person(number)));
    }
    let witness = Witness::watch(&stage.client);
    stage.simulator.clear_requests();
    let applied = apply_all(&stage, &people).await?;
    witness.until_all(&people, "Invited", LIMIT).await;
    let seen: Vec<_> = people.iter().map(|person| witness.when(person, "Invited")).collect();
    let times: Vec<_> =
        applied.iter().zip(&seen).filter_map(|(applied, seen)| Some(seen.as_ref()?.duration_since(*applied))).collect();
    let (first, last) = (seen.iter().flatten().min(), seen.iter().flatten().max());
    let took_s = first.zip(last).map_or(0.0, |(first, last)| last.duration_since(*first).as_secs_f64());
    let windows = u32::try_from(PEOPLE)?.div_ceil(PER_MINUTE) - 1;
    let allowed_s = (MINUTE / factor * windows).as_secs_f64();
    let delivery = Delivery::of(&stage.simulator, &people);
    let calls = Calls::so_far(&stage.simulator);
    operator.terminate().await?;
    stage.stop().await?;
    Ok(ThrottleRun {
        people: PEOPLE,
        per_minute: PER_MINUTE,
        factor,
        took_s,
        allowed_s,
        late: took_s / allowed_s - 1.0,
        times: Times::of(&times),
        calls,
        delivery,
    })
}
