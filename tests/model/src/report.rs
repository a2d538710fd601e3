//! Explores, and prints what came of it: one line a world, one line a fault.

use crate::action::Action;
use crate::check::Small;
use crate::config::{Config, Fault};
use crate::graph::{Reach, Watched, shortest};
use crate::runs::{Caught, FAULTS};
use stateright::{Checker, Model};
use std::num::NonZeroUsize;
use std::time::Instant;

/// Explores these worlds whole. Returns what is wrong, in words; prints the table.
#[must_use]
pub fn worlds(configs: &[&Config]) -> Vec<String> {
    println!(
        "{:38} {:>7} {:>10} {:>6} {:>10} {:>7} {:>8} {:>7}",
        "world", "leaders", "states", "depth", "duplicates", "stuck", "held", "seconds"
    );
    let mut wrong = Vec::new();
    let (mut states, began) = (0, Instant::now());
    for config in configs {
        let (reach, violations) = world(config);
        states += reach.states;
        for (name, way) in &violations {
            wrong.push(format!("{}: not so: {name}\n{}", config.name, told(way)));
        }
        if let Some(way) = &reach.way {
            wrong.push(format!("{}: stuck\n{}", config.name, told(way)));
        }
    }
    println!(
        "{:38} {:>7} {states:>10} {:>6} {:>10} {:>7} {:>8} {:>7.1}",
        "all",
        "",
        "",
        "",
        "",
        "",
        began.elapsed().as_secs_f64()
    );
    wrong
}

fn world(config: &Config) -> (Reach, Vec<(&'static str, Vec<Action>)>) {
    let began = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let checker = Watched::new(Small::new(*config)).checker().threads(threads).spawn_bfs().join();
    let found: Vec<_> = checker.discoveries().into_iter().map(|(name, path)| (name, path.into_actions())).collect();
    let reach = checker.model().reach();
    assert_eq!(reach.states, checker.unique_state_count(), "the graph has every state that was explored");
    println!(
        "{:38} {:>7} {:>10} {:>6} {:>10} {:>7} {:>8} {:>7.1}",
        config.name,
        config.leaders,
        reach.states,
        checker.max_depth(),
        found.len(),
        reach.stuck,
        reach.held,
        began.elapsed().as_secs_f64(),
    );
    (reach, found)
}

/// Breaks one thing after another. Returns the faults that were not found; prints how the others were.
#[must_use]
pub fn faults() -> Vec<String> {
    println!("\n{:16} {:>12} {:>9} {:>6} {:>7}", "broken", "found", "states", "steps", "seconds");
    FAULTS.iter().filter_map(|(fault, expected, config)| broken(*fault, *expected, *config)).collect()
}

fn broken(fault: Fault, expected: Caught, config: Config) -> Option<String> {
    let began = Instant::now();
    let small = Small::new(Config { fault, ..config });
    let (way, states) = match expected {
        Caught::SecondMail => shortest(&small),
        Caught::Stuck => {
            let checker = Watched::new(small).checker().spawn_bfs().join();
            (checker.model().reach().way, checker.unique_state_count())
        }
    };
    let name = format!("{fault:?}");
    let Some(way) = way else { return Some(format!("{name} was not found in {states} states")) };
    let found = match expected {
        Caught::SecondMail => "second mail",
        Caught::Stuck => "stuck",
    };
    println!("{name:16} {found:>12} {states:>9} {:>6} {:>7.1}", way.len(), began.elapsed().as_secs_f64());
    println!("{}", told(&way));
    None
}

fn told(way: &[Action]) -> String {
    let steps: Vec<_> = way.iter().map(|action| format!("{action:?}")).collect();
    format!("    {}", steps.join(" · "))
}
