//! Every seeded bug must be caught, by a schedule of the enumerator or by a seed.

use crate::bugs::{Bug, Wiring};
use crate::enumerate::explore;
use crate::many::tally;

/// So many seeds are tried for each bug.
const SEEDS: u64 = 20_000;

/// What caught a bug.
pub struct Catch {
    /// The bug.
    pub bug: Bug,
    /// A schedule, and what it violated.
    pub schedule: Option<(String, String)>,
    /// A seed, how many were tried, and what it violated.
    pub seed: Option<(u64, u64, String)>,
}

/// Tries to catch a bug.
#[must_use]
pub fn one(bug: Bug) -> Catch {
    let wiring = Wiring { bug: Some(bug) };
    let schedule = explore(1, None, wiring, 1).failing.into_iter().next();
    let mut tally = tally(0, SEEDS, wiring, 1);
    tally.failing.sort();
    let seed = tally.failing.into_iter().next();
    Catch {
        bug,
        schedule: schedule.map(|(name, wrong)| (name, wrong.join("; "))),
        seed: seed.map(|(seed, wrong)| (seed, tally.runs, wrong.join("; "))),
    }
}

/// Tries all, and prints what caught them.
#[must_use]
pub fn all() -> bool {
    let mut well = true;
    for bug in Bug::ALL {
        let Catch { bug, schedule, seed } = one(bug);
        let caught = schedule.is_some() || seed.is_some();
        well &= caught;
        println!("{} {bug:?}", if caught { "caught " } else { "MISSED " });
        if let Some((name, wrong)) = schedule {
            println!("        by the schedule {name}: {wrong}");
        }
        if let Some((seed, _, wrong)) = seed {
            println!("        by the seed {seed}: {wrong}");
        }
    }
    well
}
