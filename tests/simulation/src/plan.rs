//! The schedule: what happens at each boundary, and how long everything takes.
//!
//! Owns all choices of a run, so that a run is its plan: the same plan makes the same run. Must never look at the world to
//! choose.

use crate::effect::{Effect, Fault};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::time::Duration;

/// What happens at one boundary.
#[derive(Clone, Copy, Debug)]
pub struct Fate {
    /// Time before the call takes effect.
    pub before: Duration,
    /// Time between the effect and the answer.
    pub after: Duration,
    /// What goes wrong.
    pub fault: Option<Fault>,
}

/// How often what goes wrong, per mille of all boundaries.
#[derive(Clone, Debug, Default)]
pub struct Rates {
    /// Each kind's share.
    pub faults: Vec<(Fault, u32)>,
    /// Longest time of a call's way, in milliseconds.
    pub latency_ms: u64,
    /// Longest time until a watch tells, in milliseconds.
    pub lag_ms: u64,
}

/// Who chooses.
#[derive(Clone, Debug)]
enum Choice {
    /// These faults at these boundaries, nothing else.
    Listed(Vec<(u64, Fault)>),
    /// Dice.
    Random(Rates),
}

/// All choices of a run.
#[derive(Clone, Debug)]
pub struct Plan {
    choice: Choice,
    random: SmallRng,
    boundaries: u64,
}

impl Plan {
    /// Nothing but the faults listed, by number of the boundary.
    #[must_use]
    pub fn listed(faults: Vec<(u64, Fault)>) -> Self {
        Self { choice: Choice::Listed(faults), random: SmallRng::seed_from_u64(1), boundaries: 0 }
    }

    /// All by dice.
    #[must_use]
    pub fn random(seed: u64, rates: Rates) -> Self {
        Self { choice: Choice::Random(rates), random: SmallRng::seed_from_u64(seed), boundaries: 0 }
    }

    /// One more fault.
    pub fn strike(&mut self, boundary: u64, fault: Fault) {
        match &mut self.choice {
            Choice::Listed(faults) => faults.push((boundary, fault)),
            Choice::Random(_) => {}
        }
    }

    /// From now on nothing goes wrong.
    pub fn calm(&mut self) {
        self.choice = Choice::Listed(Vec::new());
    }

    /// How many boundaries have been met.
    #[must_use]
    pub fn boundaries(&self) -> u64 {
        self.boundaries
    }

    /// What happens at the next boundary.
    pub fn fate(&mut self, effect: Effect) -> Fate {
        let number = self.boundaries;
        self.boundaries += 1;
        match &self.choice {
            Choice::Listed(faults) => {
                let struck = faults.iter().find(|(at, fault)| *at == number && effect.admits(*fault));
                let way = Duration::from_millis(1);
                Fate { before: way, after: way, fault: struck.map(|(_, fault)| *fault) }
            }
            Choice::Random(rates) => {
                let mut dice = self.random.random_range(0..1000);
                let mut fault = None;
                for (kind, share) in &rates.faults {
                    if dice < *share {
                        fault = Some(*kind).filter(|kind| effect.admits(*kind));
                        break;
                    }
                    dice -= share;
                }
                let longest = rates.latency_ms;
                // Mostly quick, seldom slow.
                let slow = self.random.random_range(0..8) == 0;
                let mut way = || Duration::from_millis(self.random.random_range(0..=if slow { longest } else { 2 }));
                Fate { before: way(), after: way(), fault }
            }
        }
    }

    /// How long a watch takes to tell of the next change.
    pub fn lag(&mut self) -> Duration {
        match &self.choice {
            Choice::Listed(_) => Duration::from_millis(2),
            Choice::Random(rates) => {
                let longest = if self.random.random_range(0..6) == 0 { rates.lag_ms } else { 3 };
                Duration::from_millis(self.random.random_range(0..=longest.max(1)))
            }
        }
    }

    /// How much of a process's first list is missing: changes that a lagging API server has not seen.
    pub fn behind(&mut self) -> usize {
        match &self.choice {
            Choice::Listed(_) => 0,
            Choice::Random(_) => {
                if self.random.random_range(0..3) == 0 {
                    self.random.random_range(0..6)
                } else {
                    0
                }
            }
        }
    }

    /// When a request that its caller gave up on takes effect after that: the server acts within its delay or never.
    pub fn late(&mut self, longest: Duration) -> Duration {
        match &self.choice {
            Choice::Listed(_) => longest,
            Choice::Random(_) => longest.mul_f64(self.random.random()),
        }
    }

    /// Evenly from 0 to 1.
    pub fn fraction(&mut self) -> f64 {
        self.random.random()
    }

    /// A number.
    pub fn unique(&mut self) -> u128 {
        self.random.random()
    }

    /// Up to, and not including.
    pub fn below(&mut self, end: u64) -> u64 {
        self.random.random_range(0..end.max(1))
    }
}
