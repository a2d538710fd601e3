//! One project through one inviter's credentials: what is known of it, and whose turn it is to look.
//!
//! One look at a time; all who wait are told together when it ends. Own writes are entered at once, and once more into
//! what the look brings that was under way meanwhile: it may have read before the write. A look that began after it
//! supersedes it. Must never make a call, and never be held while one is made.

use super::asking::{Ask, Asked, Freshness, Trouble};
use crate::domain::failure::{Cure, Failure};
use crate::domain::remote::{Invitation, ObjectId, Username};
use crate::domain::roster::Roster;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Between glances a project of many people has some rest: each costs MongoDB and us by its rows, and while many are invited
/// there is always somebody who waits for the next.
const REST_PER_ROW: Duration = Duration::from_micros(500);
/// So many rows cost next to nothing.
const FEW_ROWS: u32 = 50;
/// No rest is longer.
const LONGEST_REST: Duration = Duration::from_millis(250);

/// A project as one inviter's credentials see it.
#[derive(Default)]
pub(super) struct Lookout {
    known: Mutex<Known>,
    ended: Notify,
}

/// What looks have shown.
#[derive(Default)]
pub(super) struct Known {
    /// Of the inviter by which it was seen.
    pub(super) revision: String,
    pub(super) roster: Option<Arc<Roster>>,
    /// The last roster by another revision: what was concluded from it may still stand.
    outdated: Option<Arc<Roster>>,
    pub(super) trouble: Option<Remembered>,
    glance: Option<Glance>,
    /// Before then no other glance begins.
    glances_rest_until: Duration,
    looking: bool,
    /// Somebody waits for a roster: the next look is no glance.
    roster_wanted: bool,
    /// Own writes since the look began that is under way.
    written: Vec<Written>,
}

/// Both lists, read at the same time: who accepted meanwhile may be in neither. It never leaves this file, and answers one
/// question: whether nobody by a name is there, for somebody whom the roster of a moment ago does not show either.
struct Glance(Roster);

/// A failed look.
pub(super) struct Remembered {
    pub(super) failure: Failure,
    pub(super) at: Duration,
    pub(super) until: Duration,
    pub(super) times: u32,
}

/// An own write: the person's invitation as it then was, or `None` for one that was gone.
struct Written {
    person: Username,
    id: ObjectId,
    now_is: Option<Invitation>,
}

/// What a glance says of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Glanced {
    /// Nobody by that name is there.
    Nobody,
    /// Nobody has looked since then.
    Unseen,
    /// Only a roster can tell.
    Unfit,
}

/// The turn to look: ends when it is dropped.
#[must_use = "a turn that is dropped is over"]
pub(super) struct Turn<'a>(&'a Lookout);

impl Lookout {
    /// Must be let go before anything is waited for, and before a turn is dropped.
    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The end of a look that is under way. To be asked for before it is looked what is known.
    pub(super) fn ended(&self) -> Notified<'_> {
        self.ended.notified()
    }

    /// The turn to look by this revision, unless somebody is looking.
    pub(super) fn turn(&self, known: &mut Known, revision: &str) -> Option<Turn<'_>> {
        if known.looking {
            return None;
        }
        if known.revision != revision {
            let outdated = known.roster.take().or(known.outdated.take());
            *known = Known { revision: revision.to_owned(), outdated, ..Known::default() };
        }
        known.looking = true;
        Some(Turn(self))
    }

    /// Enters an own write.
    pub(super) fn note(&self, person: &Username, id: &ObjectId, now_is: Option<&Invitation>) {
        let known = &mut *self.known();
        if let Some(roster) = &mut known.roster {
            Arc::make_mut(roster).note(person, id, now_is);
        }
        if let Some(Glance(seen)) = &mut known.glance {
            seen.note(person, id, now_is);
        }
        if known.looking {
            known.written.push(Written { person: person.clone(), id: id.clone(), now_is: now_is.cloned() });
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        {
            let known = &mut *self.0.known();
            known.looking = false;
            known.written.clear();
        }
        self.0.ended.notify_waiters();
    }
}

impl Known {
    /// Whether somebody is looking.
    pub(super) fn is_looking(&self) -> bool {
        self.looking
    }

    /// The next look is to be a roster's, until one begins.
    pub(super) fn want_roster(&mut self, wanted: bool) {
        self.roster_wanted = wanted;
    }

    /// The roster that suits, or the trouble of a recent look that is not to be repeated yet. `came` is when it was first
    /// asked for.
    pub(super) fn answer(
        &self,
        revision: &str,
        freshness: Freshness,
        ask: Ask,
        came: Duration,
        now: Duration,
    ) -> Option<Result<Arc<Roster>, Trouble>> {
        if self.revision != revision {
            return None;
        }
        if let Some(roster) = self.roster.as_ref().filter(|roster| freshness.suits(roster, now)) {
            return Some(Ok(Arc::clone(roster)));
        }
        let trouble = self.trouble.as_ref()?;
        // Whoever waited for the failed look does not ask again.
        let answered_meanwhile = trouble.at >= came;
        let waits_for_human = trouble.failure.kind.cure() == Cure::Human;
        let stands = now < trouble.until && (answered_meanwhile || !(ask == Ask::Requested && waits_for_human));
        stands.then(|| {
            let (failure, retry_in) = (trouble.failure.clone(), trouble.until.saturating_sub(now));
            Err(Trouble { failure, retry_in, asked: Asked::Before })
        })
    }

    /// Whether a glance begun at or after `since` shows nobody by this name; fit for whom a roster not older than `recent`
    /// does not show.
    pub(super) fn glanced(
        &self,
        revision: &str,
        person: &Username,
        since: Duration,
        recent: Duration,
        now: Duration,
    ) -> Glanced {
        let before = self.roster.as_ref().filter(|_| self.revision == revision && self.trouble.is_none());
        let misses = |roster: &&Arc<Roster>| now.saturating_sub(roster.started) <= recent && !roster.shows(person);
        let Some(before) = before.filter(misses) else { return Glanced::Unfit };
        match self.glance.as_ref().filter(|Glance(seen)| seen.started >= since) {
            Some(Glance(seen)) if seen.shows(person) => Glanced::Unfit,
            Some(_) => Glanced::Nobody,
            // What others wait for serves as well.
            None if before.complete >= since || self.roster_wanted => Glanced::Unfit,
            None => Glanced::Unseen,
        }
    }

    /// A roster was read in this turn; tells whom it shows otherwise than the one before.
    pub(super) fn saw(&mut self, mut roster: Roster) -> (Arc<Roster>, HashSet<Username>) {
        self.enter_writes(&mut roster);
        let before = self.roster.take().or(self.outdated.take());
        let changed = before.map(|before| before.changed(&roster)).unwrap_or_default();
        let roster = Arc::new(roster);
        self.roster = Some(Arc::clone(&roster));
        (self.trouble, self.glance) = (None, None);
        (roster, changed)
    }

    /// Both lists were read at the same time in this turn, which ends `now`.
    pub(super) fn glanced_at(&mut self, mut seen: Roster, now: Duration) {
        self.enter_writes(&mut seen);
        let rows = u32::try_from(seen.rows()).unwrap_or(u32::MAX);
        let rest = REST_PER_ROW.saturating_mul(rows.saturating_sub(FEW_ROWS)).min(LONGEST_REST);
        self.glances_rest_until = now.saturating_add(rest);
        self.glance = Some(Glance(seen));
    }

    /// How long the next glance waits for more who share it.
    pub(super) fn glance_rests(&self, now: Duration) -> Duration {
        self.glances_rest_until.saturating_sub(now)
    }

    fn enter_writes(&self, roster: &mut Roster) {
        for Written { person, id, now_is } in &self.written {
            roster.note(person, id, now_is.as_ref());
        }
    }
}
