//! Many seeds on all processors, and one seed again.

use crate::bugs::{Bug, Wiring};
use crate::run::{Outcome, run, runtime};
use crate::seeds::draw;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// What many runs came to.
#[derive(Default)]
pub struct Tally {
    /// Runs made.
    pub runs: u64,
    /// Boundaries met in them.
    pub boundaries: u64,
    /// Faults that struck.
    pub faults: u64,
    /// E-mails sent.
    pub mails: u64,
    /// The world's time in all.
    pub lived: Duration,
    /// Failing seeds with what was wrong.
    pub failing: Vec<(u64, Vec<String>)>,
}

impl Tally {
    fn add(&mut self, seed: u64, outcome: Outcome) {
        self.runs += 1;
        self.boundaries += outcome.boundaries;
        self.faults += outcome.struck.len() as u64;
        self.mails += outcome.mails as u64;
        self.lived += outcome.took;
        if !outcome.violations.is_empty() {
            self.failing.push((seed, outcome.violations));
        }
    }

    fn join(mut self, other: Self) -> Self {
        self.runs += other.runs;
        self.boundaries += other.boundaries;
        self.faults += other.faults;
        self.mails += other.mails;
        self.lived += other.lived;
        self.failing.extend(other.failing);
        self
    }
}

/// Runs seeds on all processors; ends early after so many failures.
#[must_use]
pub fn tally(from: u64, count: u64, wiring: Wiring, enough: usize) -> Tally {
    let next = AtomicU64::new(from);
    let stop = AtomicBool::new(false);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let mut tally = Tally::default();
        let mut clock = runtime();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= from + count || stop.load(Ordering::Relaxed) {
                return tally;
            }
            progress(seed, from);
            if seed.is_multiple_of(4096) {
                clock = runtime();
            }
            tally.add(seed, run(&clock, draw(seed, wiring)));
            if tally.failing.len() >= enough {
                stop.store(true, Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a run does not panic"))
            .fold(Tally::default(), Tally::join)
    })
}

/// Prints how far a long run is, now and then.
fn progress(seed: u64, from: u64) {
    let done = seed - from;
    if done > 0 && done.is_multiple_of(50_000) {
        println!("… {done} seeds begun");
    }
}

/// Runs seeds, prints what they came to, and how to run a failing one again.
#[must_use]
pub fn seeds(from: u64, count: u64) -> bool {
    let began = tokio::time::Instant::now();
    let mut tally = tally(from, count, Wiring::default(), 20);
    tally.failing.sort();
    for (seed, violations) in &tally.failing {
        println!("seed {seed}: {}", violations.join("; "));
    }
    println!(
        "{} seeds: {} boundaries, {} faults, {} e-mails, {} h of the world's time, {} violations, {:.1} s",
        tally.runs,
        tally.boundaries,
        tally.faults,
        tally.mails,
        tally.lived.as_secs() / 3600,
        tally.failing.len(),
        began.elapsed().as_secs_f64()
    );
    if let Some((seed, _)) = tally.failing.first() {
        println!("again: make simulate SEED={seed}");
    }
    tally.failing.is_empty()
}

/// Runs one seed twice, and tells its story.
#[must_use]
pub fn replay(seed: u64, bug: Option<&str>) -> bool {
    let bug = bug.and_then(|name| Bug::ALL.into_iter().find(|bug| format!("{bug:?}") == name));
    let mut case = draw(seed, Wiring { bug });
    case.tell = true;
    let outcome = run(&runtime(), case.clone());
    println!("{}", outcome.story);
    for violation in &outcome.violations {
        println!("VIOLATION {violation}");
    }
    case.tell = false;
    let again = run(&runtime(), case);
    println!("seed {seed}: fingerprint {:016x}, again {:016x}", outcome.fingerprint, again.fingerprint);
    outcome.violations.is_empty() && outcome.fingerprint == again.fingerprint
}
