//! Every seeded bug must be caught, by a schedule of the enumerator or by a seed.

use crate::bugs::{Bug, Wiring};
use crate::enumerate::explore;
use crate::many::tally;

/// So many seeds are tried for a bug that no schedule has caught.
const SEEDS: u64 = 20_000;
/// And so many for one that is caught already.
const MORE_SEEDS: u64 = 2_000;

/// What caught a bug.
pub struct Catch {
    /// A schedule, and what it violated.
    pub schedule: Option<(String, String)>,
    /// A seed, how many were tried, and what it violated.
    pub seed: Option<(u64, u64, String)>,
}

/// Tries to catch what is wrong.
#[must_use]
pub fn one(wiring: Wiring) -> Catch {
    let schedule = explore(1, None, wiring, 1).failing.into_iter().next();
    let seeds = if schedule.is_some() { MORE_SEEDS } else { SEEDS };
    let mut tally = tally(0, seeds, wiring, 1);
    tally.failing.sort();
    let seed = tally.failing.into_iter().next();
    Catch {
        schedule: schedule.map(|(name, wrong)| (name, wrong.join("; "))),
        seed: seed.map(|(seed, wrong)| (seed, tally.runs, wrong.join("; "))),
    }
}

/// Tries all, and prints what caught them.
#[must_use]
pub fn all() -> bool {
    let began = tokio::time::Instant::now();
    println!("{:<22} {:<44} {:>6}  violation", "seeded bug", "caught by the schedule", "seed");
    let mut caught = 0;
    for bug in Bug::ALL {
        let Catch { schedule, seed } = one(Wiring { bug: Some(bug) });
        let by_schedule = schedule.as_ref().map_or("-", |(name, _)| name.as_str());
        let by_seed = seed.as_ref().map_or("-".to_owned(), |(seed, _, _)| seed.to_string());
        let wrong = schedule.as_ref().map(|(_, wrong)| wrong).or(seed.as_ref().map(|(_, _, wrong)| wrong));
        let wrong = wrong.and_then(|wrong| wrong.split("; ").next()).unwrap_or("NOT CAUGHT");
        println!("{:<22} {by_schedule:<44} {by_seed:>6}  {wrong}", format!("{bug:?}"));
        caught += usize::from(schedule.is_some() || seed.is_some());
    }
    println!("{caught} of {} seeded bugs caught, {:.1} s", Bug::ALL.len(), began.elapsed().as_secs_f64());
    caught == Bug::ALL.len()
}

/// Tries to catch a mistake in the operator's own code, and says by what.
#[must_use]
pub fn hunt() -> bool {
    let Catch { schedule, seed } = one(Wiring::default());
    let first = |wrong: &str| wrong.split("; ").next().unwrap_or_default().to_owned();
    if let Some((name, wrong)) = &schedule {
        println!("  caught by the schedule {name}: {}", first(wrong));
    }
    if let Some((seed, _, wrong)) = &seed {
        println!("  caught by the seed {seed}: {}", first(wrong));
    }
    let caught = schedule.is_some() || seed.is_some();
    if !caught {
        println!("  NOT CAUGHT");
    }
    caught
}
