//! Whether everybody got the one e-mail: what alone makes a benchmark fail.

use crate::team::Person;
use atlas_sim::Simulator;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ops::Add;

/// What the simulated people found in their mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery {
    /// People with one e-mail.
    pub(crate) delivered: usize,
    /// People with none.
    pub(crate) undelivered: usize,
    /// People with more than one.
    pub(crate) mailed_twice: usize,
}

impl Delivery {
    /// Of these people.
    pub(crate) fn of(simulator: &Simulator, people: &[Person]) -> Self {
        let mut mails: HashMap<(String, String), usize> = HashMap::new();
        for mail in simulator.outbox() {
            *mails.entry((mail.project, mail.to)).or_default() += 1;
        }
        people.iter().fold(Self::default(), |sum, person| {
            let address = (person.project.clone(), person.username.to_lowercase());
            sum + match mails.get(&address).copied().unwrap_or_default() {
                0 => Self { undelivered: 1, ..Self::default() },
                1 => Self { delivered: 1, ..Self::default() },
                _ => Self { mailed_twice: 1, ..Self::default() },
            }
        })
    }

    /// Whether nobody was left out and nobody was mailed twice.
    pub(crate) fn is_right(self) -> bool {
        self.undelivered == 0 && self.mailed_twice == 0
    }
}

impl Add for Delivery {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            delivered: self.delivered + other.delivered,
            undelivered: self.undelivered + other.undelivered,
            mailed_twice: self.mailed_twice + other.mailed_twice,
        }
    }
}
