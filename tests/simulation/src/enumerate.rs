//! The enumerator: every fault at every boundary of every scenario, and what that covers.
//!
//! A schedule is named by scenario, mode and faults, and runs the same each time. Must never skip a boundary and call it
//! covered: what struck is counted where it struck.

use crate::bugs::Wiring;
use crate::effect::{Effect, Fault};
use crate::plan::Plan;
use crate::run::{Outcome, run, runtime};
use crate::scenario::{Mode, Scenario, all as scenarios};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::Runtime;

/// Faults by the number of their boundary.
type Faults = Vec<(u64, Fault)>;

/// What the enumerator came to.
#[derive(Default)]
pub struct Report {
    /// Schedules run.
    pub schedules: u64,
    /// Boundaries in the scenarios without faults.
    pub boundaries: u64,
    /// Boundaries met in all schedules.
    pub met: u64,
    /// How often each fault struck at each boundary.
    pub struck: BTreeMap<(Effect, Fault), u64>,
    /// Boundary and fault that ought to have met, and did not.
    pub missed: BTreeSet<String>,
    /// Failing schedules with what was wrong.
    pub failing: Vec<(String, Vec<String>)>,
}

/// One scenario in one mode.
struct Ground {
    scenario: Scenario,
    mode: Mode,
}

impl Ground {
    fn name(&self, faults: &Faults) -> String {
        let faults: Vec<_> = faults.iter().map(|(at, fault)| format!("{at}:{fault}")).collect();
        format!("{}/{}/{}", self.scenario.name, self.mode.name(), faults.join("+"))
    }

    fn live(&self, clock: &Runtime, faults: &Faults, wiring: Wiring) -> Outcome {
        let mut case = self.scenario.case(self.mode, Plan::listed(faults.clone()), wiring);
        case.tell = true;
        let mut outcome = run(clock, case);
        if faults.is_empty() && outcome.mails != self.scenario.mails {
            let (sent, planned) = (outcome.mails, self.scenario.mails);
            outcome.violations.push(format!("{sent} e-mails instead of {planned}, and nothing went wrong"));
        }
        outcome
    }

    /// Whether the fault makes sense here: a frozen process needs another one to take over.
    fn admits(&self, effect: Effect, fault: Fault) -> bool {
        effect.admits(fault) && (fault != Fault::Frozen || self.mode == Mode::Pair)
    }
}

impl Report {
    fn add(&mut self, ground: &Ground, faults: &Faults, outcome: &Outcome) {
        self.schedules += 1;
        self.met += outcome.boundaries;
        for struck in &outcome.struck {
            *self.struck.entry(*struck).or_default() += 1;
        }
        if outcome.struck.len() != faults.len() {
            self.missed.insert(ground.name(faults));
        }
        if !outcome.violations.is_empty() {
            self.failing.push((ground.name(faults), outcome.violations.clone()));
        }
    }

    fn join(&mut self, other: Self) {
        self.schedules += other.schedules;
        self.boundaries += other.boundaries;
        self.met += other.met;
        for (place, times) in other.struck {
            *self.struck.entry(place).or_default() += times;
        }
        self.missed.extend(other.missed);
        self.failing.extend(other.failing);
    }

    /// Boundary and fault that no schedule brought together.
    #[must_use]
    pub fn uncovered(&self) -> Vec<(Effect, Fault)> {
        let all = Effect::ALL.into_iter().flat_map(|effect| Fault::ALL.map(|fault| (effect, fault)));
        all.filter(|(effect, fault)| effect.admits(*fault) && !self.struck.contains_key(&(*effect, *fault))).collect()
    }
}

/// All schedules with up to so many faults, of the scenarios that are asked for; ends early after so many failures.
#[must_use]
pub fn explore(depth: u32, only: Option<&str>, wiring: Wiring, enough: usize) -> Report {
    let grounds: Vec<_> = scenarios()
        .into_iter()
        .filter(|scenario| only.is_none_or(|only| scenario.name.contains(only)))
        .flat_map(|scenario| [Mode::Alone, Mode::Pair].map(|mode| Ground { scenario: scenario.clone(), mode }))
        .collect();
    let total = Mutex::new(Report::default());
    // First each scenario as it is; then a job for each first fault.
    let jobs = Mutex::new(Vec::new());
    each(grounds.len(), |clock, index| {
        let ground = &grounds[index];
        let outcome = ground.live(clock, &Vec::new(), wiring);
        let mut total = total.lock().expect("no run panics");
        total.add(ground, &Vec::new(), &outcome);
        total.boundaries += outcome.boundaries;
        let mut jobs = jobs.lock().expect("no run panics");
        for (at, effect) in (0..).zip(&outcome.met) {
            for fault in Fault::ALL.into_iter().filter(|fault| ground.admits(*effect, *fault)) {
                jobs.push((index, at, fault));
            }
        }
    });
    let mut jobs = jobs.into_inner().expect("no run panics");
    jobs.sort();
    each(jobs.len(), |clock, job| {
        if total.lock().expect("no run panics").failing.len() >= enough {
            return;
        }
        let (index, at, fault) = jobs[job];
        let ground = &grounds[index];
        let mut report = Report::default();
        let first = vec![(at, fault)];
        let outcome = ground.live(clock, &first, wiring);
        report.add(ground, &first, &outcome);
        if depth > 1 {
            let later = (0..).zip(&outcome.met).filter(|(second, _)| *second > at);
            for (second, effect) in later {
                for fault in Fault::ALL.into_iter().filter(|fault| ground.admits(*effect, *fault)) {
                    let both = vec![first[0], (second, fault)];
                    let outcome = ground.live(clock, &both, wiring);
                    report.add(ground, &both, &outcome);
                }
            }
        }
        total.lock().expect("no run panics").join(report);
    });
    let mut report = total.into_inner().expect("no run panics");
    report.failing.sort();
    report
}

/// Does numbered work on all processors.
fn each(count: usize, work: impl Fn(&Runtime, usize) + Sync) {
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let mut clock = runtime();
                loop {
                    let job = next.fetch_add(1, Ordering::Relaxed);
                    if job >= count {
                        return;
                    }
                    if job.is_multiple_of(256) {
                        clock = runtime();
                    }
                    work(&clock, job);
                }
            });
        }
    });
}

/// Runs the enumerator, prints its table, and tells whether all is covered and nothing violated.
#[must_use]
pub fn all(depth: u32, only: Option<&str>) -> bool {
    let began = tokio::time::Instant::now();
    let report = explore(depth, only, Wiring::default(), 200);
    print(&report);
    for (name, violations) in report.failing.iter().take(40) {
        println!("{name}: {}", violations.join("; "));
    }
    for missed in report.missed.iter().take(10) {
        println!("did not strike: {missed}");
    }
    let uncovered = report.uncovered();
    let kinds = Effect::ALL.iter().map(|effect| Fault::ALL.iter().filter(|fault| effect.admits(**fault)).count());
    let kinds: usize = kinds.sum();
    println!(
        "depth {depth}: {} scenarios in two modes, {} boundaries; {} of {kinds} kinds of boundary and fault covered; \
         {} schedules, {} boundaries lived through, {} violations, {:.1} s",
        scenarios().len(),
        report.boundaries,
        kinds - uncovered.len(),
        report.schedules,
        report.met,
        report.failing.len(),
        began.elapsed().as_secs_f64()
    );
    for (effect, fault) in &uncovered {
        println!("not covered: {effect}, {fault}");
    }
    if let Some((name, _)) = report.failing.first() {
        println!("again: make enumerate SCHEDULE='{name}'");
    }
    report.failing.is_empty() && report.missed.is_empty() && (uncovered.is_empty() || only.is_some())
}

fn print(report: &Report) {
    print!("{:<18}", "schedules in which");
    for fault in Fault::ALL {
        print!(" {fault:>13}");
    }
    println!();
    for effect in Effect::ALL {
        print!("{effect:<18}");
        for fault in Fault::ALL {
            let times = report.struck.get(&(effect, fault));
            match (effect.admits(fault), times) {
                (_, Some(times)) => print!(" {times:>13}"),
                (true, None) => print!(" {:>13}", "NONE"),
                (false, None) => print!(" {:>13}", "-"),
            }
        }
        println!();
    }
}

/// Runs one schedule again, and tells its story.
#[must_use]
pub fn replay(name: &str) -> bool {
    let mut parts = name.splitn(3, '/');
    let (Some(scenario), Some(mode), Some(faults)) = (parts.next(), parts.next(), parts.next()) else {
        println!("a schedule is scenario/mode/boundary:fault+boundary:fault");
        return false;
    };
    let scenario = scenarios().into_iter().find(|one| one.name == scenario);
    let mode = [Mode::Alone, Mode::Pair].into_iter().find(|one| one.name() == mode);
    let (Some(scenario), Some(mode)) = (scenario, mode) else {
        println!("no such scenario or mode");
        return false;
    };
    let mut listed = Vec::new();
    for one in faults.split('+').filter(|one| !one.is_empty()) {
        let parsed = one.split_once(':').and_then(|(at, fault)| {
            let fault = Fault::ALL.into_iter().find(|one| one.to_string() == fault)?;
            Some((at.parse().ok()?, fault))
        });
        let Some(parsed) = parsed else {
            println!("no such fault: {one}");
            return false;
        };
        listed.push(parsed);
    }
    let outcome = Ground { scenario, mode }.live(&runtime(), &listed, Wiring::default());
    println!("{}", outcome.story);
    for violation in &outcome.violations {
        println!("VIOLATION {violation}");
    }
    outcome.violations.is_empty()
}
