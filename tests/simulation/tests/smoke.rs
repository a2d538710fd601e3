//! A small part of the simulation, for every `cargo test`: `make simulate`, `make enumerate` and `make bugs` run all of it.

use simulation::bugs::{Bug, Wiring};
use simulation::enumerate::explore;
use simulation::many::tally;
use simulation::run::{run, runtime};
use simulation::seeds::draw;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn seeds_violate_nothing() {
    let tally = tally(0, 300, Wiring::default(), 1);
    assert!(tally.failing.is_empty(), "{:?}", tally.failing);
    assert_eq!(tally.runs, 300);
    assert!(tally.mails > 100 && tally.faults > 100, "{} e-mails, {} faults", tally.mails, tally.faults);
}

#[test]
fn a_seed_is_the_same_run_each_time() {
    for seed in 0..40 {
        let fingerprints = [0, 1].map(|_| run(&runtime(), draw(seed, Wiring::default())).fingerprint);
        assert_eq!(fingerprints[0], fingerprints[1], "seed {seed}");
    }
}

#[test]
fn every_fault_of_one_scenario_violates_nothing() {
    let report = explore(1, Some("invite"), Wiring::default(), 1);
    assert!(report.failing.is_empty(), "{:?}", report.failing);
    assert!(report.missed.is_empty(), "{:?}", report.missed);
    assert!(report.schedules > 100, "{}", report.schedules);
}

#[test]
fn a_retry_layer_is_caught() {
    let report = explore(1, Some("invite"), Wiring { bug: Some(Bug::RetryLayer) }, 1);
    assert!(!report.failing.is_empty());
}

/// `make bugs` builds and catches them; a change that they no longer fit is told here.
#[test]
fn every_mistake_in_the_sources_can_still_be_made() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let files = fs::read_dir(root.join("tests/simulation/patches")).unwrap().map(|file| file.unwrap().path());
    let patches: Vec<_> = files.filter(|file| file.extension().is_some_and(|extension| extension == "patch")).collect();
    assert!(patches.len() >= 9, "{patches:?}");
    let fits = |patch: &PathBuf| {
        Command::new("git").args(["apply", "--check"]).arg(patch).current_dir(&root).status().unwrap().success()
    };
    let misfits: Vec<_> = patches.iter().filter(|patch| !fits(patch)).collect();
    assert!(misfits.is_empty(), "to be made anew: {misfits:?}");
}
