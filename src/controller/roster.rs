//! Rosters: who is invited to and who is a member of a project, as one inviter's credentials see it.
//!
//! One list of invitations, then the members, for all objects of (inviter, project): looking costs by projects and not by
//! people. Invitations are read before members, so that somebody who accepts in between is not missed. Who is still invited
//! is no member, so members are read again when somebody is invited no more, when a reader needs both lists, and now and then
//! for those who leave. What one inviter's credentials saw is never served to another's objects. A failed look concludes
//! nothing.
//!
//! Nobody is e-mailed on members that were read before the live read of the object, though that would save a call: who was
//! invited by hand and accepted since then would get an invitation to what they have.

use super::clock::Clock;
use super::connection::Connection;
use crate::domain::facts::Sight;
use crate::domain::failure::{Cure, Failure, FailureKind};
use crate::domain::remote::{Invitation, Member, ObjectId, Username};
use crate::domain::schedule::failure_backoff;
use crate::domain::timings::Timings;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex as AsyncMutex;

/// One view of a project.
#[derive(Clone, Debug)]
pub struct Roster {
    /// When it was begun, in this process's monotonic time.
    pub started: Duration,
    /// When the last one was begun that read the members as well: what it shows of nobody counts as seen then.
    pub complete: Duration,
    invitations: Vec<Invitation>,
    members: Arc<[Member]>,
}

impl Roster {
    /// What it shows of one person.
    #[must_use]
    pub fn find(&self, person: &Username, absence_settled: bool, fresh: bool) -> Sight {
        Sight {
            member: self.members.iter().find(|member| member.is(person)).cloned(),
            pending: self.invitations.iter().filter(|seen| seen.username == *person).cloned().collect(),
            absence_settled,
            fresh,
        }
    }

    /// Everybody who is invited.
    #[must_use]
    pub fn invitations(&self) -> &[Invitation] {
        &self.invitations
    }

    /// Whether everybody whom it shows as invited still is.
    fn all_in(&self, invitations: &[Invitation]) -> bool {
        let ids: HashSet<_> = invitations.iter().map(|seen| &seen.id).collect();
        self.invitations.iter().all(|seen| ids.contains(&seen.id))
    }

    fn is_fresh(&self, freshness: Freshness, now: Duration) -> bool {
        let within = |begun: Duration, age: Duration| now.saturating_sub(begun) <= age;
        match freshness {
            Freshness::Within(age) => within(self.started, age),
            Freshness::Complete(age) => within(self.complete, age),
            Freshness::Since(moment) => self.complete >= moment,
        }
    }

    /// Whether it shows the person at all.
    #[must_use]
    pub fn shows(&self, person: &Username) -> bool {
        self.members.iter().any(|member| member.is(person))
            || self.invitations.iter().any(|seen| seen.username == *person)
    }
}

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

/// Members are read every so many intervals: who leaves a project is noticed by that.
const MEMBERS_EVERY: u32 = 6;

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

#[derive(Default)]
struct Cell {
    revision: String,
    roster: Option<Arc<Roster>>,
    trouble: Option<Remembered>,
}

struct Remembered {
    failure: Failure,
    at: Duration,
    until: Duration,
    times: u32,
}

type CellKey = (String, ObjectId);

/// All rosters of this process.
pub struct Rosters {
    cells: Mutex<HashMap<CellKey, Arc<AsyncMutex<Cell>>>>,
    clock: Arc<dyn Clock>,
    timings: Timings,
}

impl Rosters {
    /// None yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, timings: Timings) -> Self {
        Self { cells: Mutex::default(), clock, timings }
    }

    fn cell(&self, connection: &Connection, project: &ObjectId) -> Arc<AsyncMutex<Cell>> {
        let key = (connection.facts.recorded.uid.clone(), project.clone());
        Arc::clone(self.cells.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default())
    }

    /// Whether a look so fresh needs no call of its own: there is a roster, or somebody is reading it.
    #[must_use]
    pub fn has(&self, connection: &Connection, project: &ObjectId, freshness: Freshness) -> bool {
        let cell = self.cell(connection, project);
        let Ok(cell) = cell.try_lock() else { return true };
        let now = self.clock.monotonic();
        cell.revision == connection.facts.revision
            && cell.roster.as_ref().is_some_and(|roster| roster.is_fresh(freshness, now))
    }

    /// A roster that is fresh enough. Readers that come while one is being read wait, and share what it finds if that was
    /// begun late enough for them.
    ///
    /// # Errors
    /// The failure of this look, or of a recent one that is not to be repeated yet; `asked` repeats one that waits for a
    /// human.
    pub async fn look(
        &self,
        connection: &Connection,
        project: &ObjectId,
        freshness: Freshness,
        asked: bool,
    ) -> Result<Arc<Roster>, Trouble> {
        let cell = self.cell(connection, project);
        let came = self.clock.monotonic();
        let Ok(mut cell) = tokio::time::timeout(LONGEST_QUEUE, cell.lock()).await else {
            return Err(Trouble { failure: silent_project(), retry_in: RETRY_SILENT, asked: Asked::Busy });
        };
        if cell.revision != connection.facts.revision {
            *cell = Cell { revision: connection.facts.revision.clone(), ..Cell::default() };
        }
        let now = self.clock.monotonic();
        if let Some(roster) = cell.roster.as_ref().filter(|roster| roster.is_fresh(freshness, now)) {
            return Ok(Arc::clone(roster));
        }
        if let Some(trouble) = &cell.trouble {
            // Whoever waited for the failed look does not ask again.
            let answered_meanwhile = trouble.at >= came;
            let waits_for_human = trouble.failure.kind.cure() == Cure::Human;
            if now < trouble.until && (answered_meanwhile || !(asked && waits_for_human)) {
                return Err(Trouble {
                    failure: trouble.failure.clone(),
                    retry_in: trouble.until.saturating_sub(now),
                    asked: Asked::Before,
                });
            }
        }
        match read(connection, project, cell.roster.as_deref(), freshness, now).await {
            Ok(roster) => {
                let roster = Arc::new(roster);
                cell.roster = Some(Arc::clone(&roster));
                cell.trouble = None;
                Ok(roster)
            }
            Err(failure) => {
                let held_back = matches!(failure.kind, FailureKind::HeldBack { .. });
                let before = cell.trouble.as_ref().map_or(0, |before| before.times);
                let times = before.saturating_add(u32::from(!held_back));
                let retry_in = failure_backoff(failure.kind, times, &self.timings);
                let at = self.clock.monotonic();
                cell.trouble = Some(Remembered { failure: failure.clone(), at, until: at + retry_in, times });
                Err(Trouble { failure, retry_in, asked: Asked::Now })
            }
        }
    }

    /// Makes an own write visible at once: the invitation as it now is, or `None` for one that is gone.
    pub async fn note(&self, connection: &Connection, project: &ObjectId, id: &ObjectId, now_is: Option<&Invitation>) {
        let cell = self.cell(connection, project);
        let mut cell = cell.lock().await;
        let Some(roster) = &cell.roster else { return };
        let mut next = Roster::clone(roster);
        next.invitations.retain(|seen| seen.id != *id);
        next.invitations.extend(now_is.cloned());
        cell.roster = Some(Arc::new(next));
    }
}

/// Reads the invitations, and then the members unless those of the roster before will do.
async fn read(
    connection: &Connection,
    project: &ObjectId,
    before: Option<&Roster>,
    freshness: Freshness,
    started: Duration,
) -> Result<Roster, Failure> {
    let invitations = connection.api.list(project, None).await?;
    let known = before.filter(|before| match freshness {
        Freshness::Within(age) => {
            before.all_in(&invitations) && started.saturating_sub(before.complete) < age * MEMBERS_EVERY
        }
        Freshness::Complete(_) | Freshness::Since(_) => false,
    });
    let (complete, members) = match known {
        Some(known) => (known.complete, Arc::clone(&known.members)),
        None => (started, connection.api.members(project).await?.into()),
    };
    Ok(Roster { started, complete, invitations, members })
}

#[cfg(test)]
#[path = "roster_tests.rs"]
mod tests;
