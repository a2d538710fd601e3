//! What may be asked of a roster, and why there may be none.
//!
//! Must never look.

use crate::domain::failure::{Failure, FailureKind};
use crate::domain::roster::Roster;
use std::time::Duration;
use tokio::sync::futures::Notified;

/// How old a roster may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// The invitations at most so old. The members are as they were unless somebody is invited no more, and at most
    /// [`MEMBERS_EVERY`] times so old.
    Within(Duration),
    /// Both lists at most so old.
    Complete(Duration),
    /// Both lists begun at or after this moment of monotonic time.
    Since(Duration),
}

impl Freshness {
    pub(super) fn suits(self, roster: &Roster, now: Duration) -> bool {
        let within = |begun: Duration, age: Duration| now.saturating_sub(begun) <= age;
        match self {
            Self::Within(age) => within(roster.started, age),
            Self::Complete(age) => within(roster.complete, age),
            Self::Since(moment) => roster.complete >= moment,
        }
    }
}

/// Members are read every so many intervals: who leaves a project is noticed by that.
pub(super) const MEMBERS_EVERY: u32 = 6;

/// Why a roster is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// An object needs it.
    Usual,
    /// A human asks for it: also what waits for a human is tried.
    Requested,
    /// It is to be kept current for objects at rest.
    Upkeep,
}

/// Whether the API was asked for a roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Just now, by this look.
    Now,
    /// By an earlier look, whose failure is remembered.
    Before,
    /// By a look that is still waiting for its answer: nothing is known.
    Busy,
}

/// Nobody holds a place in the queue longer than this for a project that does not answer.
const LONGEST_QUEUE: Duration = Duration::from_secs(1);
/// When to ask again for the answer that another look is waiting for.
const RETRY_SILENT: Duration = Duration::from_secs(4);

fn silent_project() -> Failure {
    let message = "another look at the project is still waiting for its answer";
    Failure { kind: FailureKind::Unavailable { retry_after: None }, message: message.to_owned() }
}

/// Why there is no roster, and when to try again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What failed.
    pub failure: Failure,
    /// When to try again, from now.
    pub retry_in: Duration,
    /// Whether the API was asked just now.
    pub asked: Asked,
}

/// Waits for the end of a look that is under way, as long as one may take.
pub(super) async fn patiently(ended: Notified<'_>) -> Result<(), Trouble> {
    let waited = tokio::time::timeout(LONGEST_QUEUE, ended).await;
    waited.map_err(|_| Trouble { failure: silent_project(), retry_in: RETRY_SILENT, asked: Asked::Busy })
}
