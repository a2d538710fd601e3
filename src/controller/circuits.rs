//! Circuits: calls that would only repeat what all of an inviter's objects in a project have been told.
//!
//! Who may look at a project may still be forbidden to invite there. The first object that is told so tells it to the others:
//! until the failure has rested, or the inviter changes, nobody else asks; then one asks for all. What a look is told,
//! `roster` remembers; what the inviter is told stops at the inviter. Must never hold back a look.

use super::clock::Clock;
use super::connection::Connection;
use super::roster::{Asked, Trouble};
use crate::domain::failure::{Cure, Failure, FailureKind, Scope};
use crate::domain::remote::ObjectId;
use crate::domain::schedule::failure_backoff;
use crate::domain::timings::Timings;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Nobody has come to close a circuit for so long after it could be: nobody uses it.
const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);

/// All circuits that are open.
pub struct Circuits {
    open: Mutex<HashMap<(String, ObjectId), Open>>,
    clock: Arc<dyn Clock>,
    timings: Timings,
}

struct Open {
    revision: String,
    failure: Failure,
    until: Duration,
    times: u32,
}

impl Circuits {
    /// None open.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, timings: Timings) -> Self {
        Self { open: Mutex::default(), clock, timings }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<(String, ObjectId), Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a call would be told, and for how long; `None` if it may be made. When the failure has rested one caller is let
    /// through, and the others wait for what it is told. `asked` by a human passes where a human has to act.
    pub fn held(&self, connection: &Connection, project: &ObjectId, asked: bool) -> Option<Trouble> {
        let key = (connection.facts.recorded.uid.clone(), project.clone());
        let now = self.clock.monotonic();
        let mut open = self.open();
        let circuit = open.get_mut(&key)?;
        if circuit.revision != connection.facts.revision {
            open.remove(&key);
            return None;
        }
        if now >= circuit.until {
            // Longer than the call that is let through can take.
            circuit.until = now + self.timings.post_deadline * 3;
            return None;
        }
        if asked && circuit.failure.kind.cure() == Cure::Human {
            return None;
        }
        let retry_in = circuit.until.saturating_sub(now);
        Some(Trouble { failure: circuit.failure.clone(), retry_in, asked: Asked::Before })
    }

    /// A call that acts has ended so.
    pub fn ended(&self, connection: &Connection, project: &ObjectId, failure: Option<&Failure>) {
        let key = (connection.facts.recorded.uid.clone(), project.clone());
        match failure {
            Some(failure) if opens(failure.kind) => {
                let now = self.clock.monotonic();
                let mut open = self.open();
                let before = open.get(&key).filter(|before| before.revision == connection.facts.revision);
                let times = before.map_or(0, |before| before.times).saturating_add(1);
                let until = now + failure_backoff(failure.kind, times, &self.timings);
                let revision = connection.facts.revision.clone();
                open.retain(|_, other| now < other.until + FORGOTTEN);
                open.insert(key, Open { revision, failure: failure.clone(), until, times });
            }
            // Whatever became of it: the project was not what was wrong.
            Some(failure) if failure.kind.scope() == Scope::Object => drop(self.open().remove(&key)),
            Some(_) => {}
            None => drop(self.open().remove(&key)),
        }
    }
}

/// Limits have buckets of their own.
fn opens(kind: FailureKind) -> bool {
    let limits = matches!(kind, FailureKind::RateLimited { .. } | FailureKind::HeldBack { .. });
    kind.scope() == Scope::Project && !limits
}
