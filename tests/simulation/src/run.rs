//! One run: a case, a fresh world, and the judgement over it.
//!
//! Must never keep anything from one run to the next.

use crate::action::Action;
use crate::cloud::Reception;
use crate::effect::{Effect, Fault};
use crate::oracle::judge;
use crate::plan::Plan;
use crate::process::Setup;
use crate::stage::Stage;
use crate::world::World;
use invitation_operator::api::OnUnknown;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Nothing may change for so long before everything counts as settled: members are read at every sixth interval of five
/// minutes, and whoever left is missed by two reads.
const REST: Duration = Duration::from_secs(2700);
/// The operator has so long to notice that an invitation has expired.
const FRESH: Duration = Duration::from_secs(1000);
/// And that must come about within so long after the last thing that anybody did.
const LONGEST: Duration = Duration::from_secs(8 * 3600);

/// Everything that makes a run.
#[derive(Clone)]
pub struct Case {
    /// All choices.
    pub plan: Plan,
    /// How many processes.
    pub processes: usize,
    /// How they run.
    pub setup: Setup,
    /// What people do, and when.
    pub script: Vec<(Duration, Action)>,
    /// How long new invitations are missing from lists.
    pub list_lag: Duration,
    /// How long invitations live.
    pub life: Duration,
    /// What becomes of calls that send.
    pub reception: Reception,
    /// Whether to write the story and the boundaries down.
    pub tell: bool,
}

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What is wrong.
    pub violations: Vec<String>,
    /// Boundaries met.
    pub boundaries: u64,
    /// The boundaries themselves, if asked for.
    pub met: Vec<Effect>,
    /// Faults that struck.
    pub struck: Vec<(Effect, Fault)>,
    /// Of everything that happened.
    pub fingerprint: u64,
    /// What happened, if asked for.
    pub story: String,
    /// E-mails sent.
    pub mails: usize,
    /// The world's time at the end.
    pub took: Duration,
}

/// A clock that stands still while anything can happen.
///
/// # Panics
/// When the machine gives no thread its timer.
#[must_use]
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}

/// Runs a case to its end.
#[must_use]
pub fn run(runtime: &Runtime, case: Case) -> Outcome {
    runtime.block_on(live(case))
}

async fn live(case: Case) -> Outcome {
    let Case { plan, processes, setup, script, list_lag, life, reception, tell } = case;
    let world = World::new(plan, processes);
    {
        let mut state = world.state();
        state.cloud.list_lag = list_lag;
        state.cloud.life = life;
        state.cloud.reception = reception;
        state.may_cancel_foreign = true;
        state.holds = setup.inviters.iter().any(|inviter| inviter.on_unknown == OnUnknown::Hold);
        if tell {
            state.story = Some(format!(
                "{processes} processes, list lag {list_lag:?}, life {life:?}, {reception:?}, holds {}\n",
                state.holds
            ));
            state.met = Some(Vec::new());
        }
    }
    let last = script.iter().map(|(at, _)| *at).max().unwrap_or_default();
    let cap = setup.cap;
    let mut stage = Stage::new(Arc::clone(&world), setup, script);
    let quiet = |world: &World, at: Duration| {
        let state = world.state();
        let expired = state.cloud.expired_within(FRESH, at);
        at > last && state.late.is_empty() && !expired && at.saturating_sub(state.changed.max(last)) > REST
    };
    let ended = stage.run(last + LONGEST, quiet).await;
    let at = world.at();
    let mut state = world.state();
    let mut violations = judge(&state, at, cap);
    if !ended || at >= last + LONGEST {
        violations.push("nothing comes to rest".to_owned());
    }
    Outcome {
        violations,
        boundaries: state.plan.boundaries(),
        met: state.met.take().unwrap_or_default(),
        struck: std::mem::take(&mut state.struck),
        fingerprint: state.fingerprint,
        story: state.story.take().unwrap_or_default(),
        mails: state.cloud.outbox().len(),
        took: at,
    }
}
