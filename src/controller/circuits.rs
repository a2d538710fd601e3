//! Circuits: calls that would only repeat what all of an inviter's objects in a project have been told.
//!
//! Who may look at a project may still be forbidden to invite there. The first object that is told so tells it to the others:
//! until the failure has rested, or the inviter changes, nobody else asks; then one asks for all. What a look is told,
//! `roster` remembers; what the inviter is told stops at the inviter. Must never hold back a look.

use super::clock::Clock;
use super::roster::{Asked, Trouble};
use crate::domain::facts::InviterFacts;
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
    pub fn held(&self, inviter: &InviterFacts, project: &ObjectId, asked: bool) -> Option<Trouble> {
        let key = (inviter.recorded.uid.clone(), project.clone());
        let now = self.clock.monotonic();
        let mut open = self.open();
        let circuit = open.get_mut(&key)?;
        if circuit.revision != inviter.revision {
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
    pub fn ended(&self, inviter: &InviterFacts, project: &ObjectId, failure: Option<&Failure>) {
        let key = (inviter.recorded.uid.clone(), project.clone());
        match failure {
            Some(failure) if opens(failure.kind) => {
                let now = self.clock.monotonic();
                let mut open = self.open();
                let before = open.get(&key).filter(|before| before.revision == inviter.revision);
                let times = before.map_or(0, |before| before.times).saturating_add(1);
                let until = now + failure_backoff(failure.kind, times, &self.timings);
                let revision = inviter.revision.clone();
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::testing;
    use jiff::Timestamp;

    /// Shows the time that it is told.
    struct Told(Mutex<Duration>);

    impl Clock for Told {
        fn now(&self) -> Timestamp {
            testing::now()
        }
        fn monotonic(&self) -> Duration {
            *self.0.lock().unwrap()
        }
    }

    const HOUR: Duration = Duration::from_secs(3600);

    fn stage() -> (Circuits, Arc<Told>, InviterFacts, ObjectId) {
        let clock = Arc::new(Told(Mutex::new(HOUR)));
        let facts = testing::facts();
        let circuits = Circuits::new(Arc::<Told>::clone(&clock), Timings::default());
        (circuits, clock, facts.inviter, facts.desired.project)
    }

    fn failure(kind: FailureKind) -> Failure {
        Failure { kind, message: "no".to_owned() }
    }

    #[test]
    fn what_concerns_a_project_holds_back_that_inviter_there_and_nobody_else() {
        let (circuits, _, inviter, project) = stage();
        circuits.ended(&inviter, &project, Some(&failure(FailureKind::PermissionMissing)));
        let trouble = circuits.held(&inviter, &project, false).unwrap();
        assert_eq!((trouble.failure.kind, trouble.retry_in), (FailureKind::PermissionMissing, HOUR));
        assert_eq!(circuits.held(&inviter, &project, true), None, "a human asks");
        let elsewhere = ObjectId::parse("5f1d7c8e9a3b2c4d5e6f7a8c").unwrap();
        assert_eq!(circuits.held(&inviter, &elsewhere, false), None);
        let mut another = inviter.clone();
        another.recorded.uid = "another".to_owned();
        assert_eq!(circuits.held(&another, &project, false), None);
        let changed = InviterFacts { revision: "changed".to_owned(), ..inviter.clone() };
        assert_eq!(circuits.held(&changed, &project, false), None);
        assert_eq!(circuits.held(&inviter, &project, false), None, "forgotten with the old revision");
    }

    #[test]
    fn after_the_rest_one_asks_for_all_and_each_refusal_doubles_it() {
        let (circuits, clock, inviter, project) = stage();
        let no = failure(FailureKind::ProjectNotFound);
        circuits.ended(&inviter, &project, Some(&no));
        *clock.0.lock().unwrap() += HOUR;
        assert_eq!(circuits.held(&inviter, &project, false), None, "one goes");
        assert!(circuits.held(&inviter, &project, false).is_some(), "the others wait for what it is told");
        circuits.ended(&inviter, &project, Some(&no));
        assert_eq!(circuits.held(&inviter, &project, false).unwrap().retry_in, HOUR * 2);
        *clock.0.lock().unwrap() += HOUR * 2;
        assert_eq!(circuits.held(&inviter, &project, false), None);
        circuits.ended(&inviter, &project, None);
        assert_eq!(circuits.held(&inviter, &project, false), None, "closed by a success");
    }

    #[test]
    fn what_concerns_an_object_a_limit_or_the_inviter_opens_nothing() {
        let (circuits, _, inviter, project) = stage();
        for kind in [
            FailureKind::Refused,
            FailureKind::Doubtful,
            FailureKind::Unavailable { retry_after: None },
            FailureKind::RateLimited { retry_after: None },
            FailureKind::HeldBack { retry_after: HOUR },
            FailureKind::InvitationThrottled,
            FailureKind::CredentialsRejected,
            FailureKind::NotOnAccessList,
        ] {
            circuits.ended(&inviter, &project, Some(&failure(kind)));
            assert_eq!(circuits.held(&inviter, &project, false), None, "{kind:?}");
        }
    }
}
