//! Random runs: a seed is a whole story, drawn once and the same each time.
//!
//! Each seed has its own mixture of what may go wrong, so that rare things also happen alone and together. Must never look
//! at what a run did.

use crate::action::{Action, Place};
use crate::bugs::Wiring;
use crate::cloud::Reception;
use crate::effect::Fault;
use crate::plan::{Plan, Rates};
use crate::run::Case;
use crate::stage::setup;
use invitation_operator::api::{DeletionPolicy, OnUnknown};
use invitation_operator::domain::pacer::Rate;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::num::NonZeroU32;
use std::time::Duration;

/// Objects that users may apply.
const PLACES: [Place; 4] = [("a", "x"), ("a", "yy"), ("b", "x"), ("b", "yy")];

/// The case of a seed.
#[must_use]
pub fn draw(seed: u64, wiring: Wiring) -> Case {
    let mut dice = SmallRng::seed_from_u64(seed);
    let elected = dice.random_range(0..5) < 3;
    let hold = dice.random_range(0..10) == 0;
    let processes = if elected { 2 } else { 1 };
    let on_unknown = if hold { OnUnknown::Hold } else { OnUnknown::Retry };
    let mut setup = setup(wiring, on_unknown, elected);
    let rates = rates(&mut dice, elected);
    let script = script(&mut dice, processes, elected);
    let list_lag = if dice.random_bool(0.4) { dice.random_range(0..=60) } else { 0 };
    let short = dice.random_range(0..6) == 0;
    let life = if short { dice.random_range(200..9000) } else { 30 * 24 * 3600 };
    let reception = if dice.random_range(0..25) == 0 { Reception::Granted } else { Reception::Ordinary };
    let plan = Plan::random(dice.random(), rates);
    if let Some(rate) = NonZeroU32::new(dice.random_range(0..20)).filter(|rate| rate.get() < 4) {
        setup.rate = Rate::PerMinute(rate);
    }
    Case {
        plan,
        processes,
        setup,
        script,
        list_lag: Duration::from_secs(list_lag),
        life: Duration::from_secs(life),
        reception,
        tell: false,
    }
}

fn rates(dice: &mut SmallRng, elected: bool) -> Rates {
    let mut faults = Vec::new();
    for fault in Fault::ALL {
        let possible = fault != Fault::Frozen || elected;
        if possible && dice.random_bool(0.45) {
            let share = match fault {
                Fault::CrashBefore | Fault::CrashAfter | Fault::Frozen => dice.random_range(2..20),
                _ => dice.random_range(2..60),
            };
            faults.push((fault, share));
        }
    }
    let latency_ms = [5, 50, 800, 6000][dice.random_range(0..4)];
    let lag_ms = [2, 100, 3000, 20_000][dice.random_range(0..4)];
    Rates { faults, latency_ms, lag_ms }
}

fn script(dice: &mut SmallRng, processes: usize, elected: bool) -> Vec<(Duration, Action)> {
    let people = dice.random_range(1..=2);
    let places = dice.random_range(1..=PLACES.len());
    let steps = dice.random_range(2..14);
    // Some stories are hasty, some take their time.
    let longest = [3_000, 30_000, 200_000, 600_000][dice.random_range(0..4)];
    let mut at = Duration::from_millis(dice.random_range(0..2_000));
    let mut script = Vec::new();
    let mut token = 0;
    for step in 0..steps {
        let place = PLACES[dice.random_range(0..places)];
        let person = dice.random_range(0..people);
        let apply = Action::Apply {
            at: place,
            person,
            roles: dice.random_range(1..=2),
            deletion: if dice.random_range(0..6) == 0 { DeletionPolicy::Keep } else { DeletionPolicy::Cancel },
        };
        token += 1;
        let process = dice.random_range(0..processes);
        let some_time = Duration::from_secs(dice.random_range(1..400));
        let roll = dice.random_range(0..40);
        let action = match if step == 0 { 0 } else { roll } {
            14..20 => Action::Delete(place),
            20 => Action::DeleteSlowly(place),
            21 => Action::ForceAway(place),
            22..24 => Action::Resend(place, token),
            24..26 => Action::Request(place, token),
            26 => Action::Suspend(place, dice.random()),
            27 => Action::Release(place),
            28 => Action::Accept(person),
            29 => Action::Decline(person),
            30 => Action::Leave(person),
            31 => Action::InviteByHand(person),
            32 => Action::LoseSecret,
            33 => Action::RestoreSecret,
            34 => Action::RevokeKey(dice.random()),
            35 => Action::Crash(process, some_time / 20),
            36 if elected => Action::Freeze(process, some_time),
            37 => Action::CutOff(process, some_time),
            38 => Action::GoStale(process, some_time / 4),
            39 => Action::StepClock(process, dice.random_range(-1000..1000)),
            _ => apply,
        };
        script.push((at, action));
        at += Duration::from_millis(dice.random_range(0..longest));
    }
    script.push((at + Duration::from_millis(dice.random_range(0..longest)), Action::Calm));
    script
}
