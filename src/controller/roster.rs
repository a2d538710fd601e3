//! Rosters: who is invited to and who is a member of a project, as one inviter's credentials see it.
//!
//! One list of invitations, then the members, for all objects of (inviter, project): looking costs by projects and not by
//! people. Who is shown otherwise than by the roster before is woken, whoever looked: nobody else needs to look for a change.
//! Invitations are read before members, so that somebody who accepts in between is not missed. Who is still invited
//! is no member, so members are read again when somebody is invited no more, when a reader needs both lists, and now and then
//! for those who leave. What one inviter's credentials saw is never served to another's objects. A failed look concludes
//! nothing.
//!
//! Nobody is e-mailed on members that were read before the live read of the object, though that would save a call: who was
//! invited by hand and accepted since then would get an invitation to what they have.
//!
//! A newcomer, for whom nothing is recorded, may be invited on a *glance*: both lists begun after the live read of the object,
//! but read at the same time. Somebody who accepts between the two is in neither. So it serves only for whom a roster not
//! older than the interval does not show: who was not pending then and accepts between the lists was invited by somebody
//! else since. That window is left (docs/exactly-once.md, W10). For everybody else a glance is no evidence of anything: it
//! stays inside, wakes nobody, and nobody is missed by it.

pub use super::asking::{Ask, Asked, Freshness, Trouble};
use super::asking::{MEMBERS_EVERY, patiently};
use super::chance::Chance;
use super::clock::Clock;
use super::connection::Connection;
use super::lookout::{Glanced, Lookout, Remembered, Turn};
use super::wakes::Wakes;
use crate::api::RecordedInviter;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::remote::{Invitation, ObjectId, Username};
use crate::domain::roster::Invitations;
pub use crate::domain::roster::Roster;
use crate::domain::schedule::{LONGEST_WAIT, failure_backoff};
use crate::domain::timings::Timings;
use futures::future::try_join;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The inviter's uid, and the project.
type Place = (String, ObjectId);

/// A roster, and when it is to be looked at again.
struct Entry {
    lookout: Arc<Lookout>,
    inviter: RecordedInviter,
    /// When an object last needed it.
    needed: Duration,
    due: Duration,
}

/// So long after an e-mail the project is looked at more often: who accepts at once is seen soon.
const YOUNG: Duration = Duration::from_secs(600);
/// So many times as often.
const YOUNG_PACE: u32 = 5;
/// Objects at rest come back within [`LONGEST_WAIT`]: a roster that none of them needed for longer is needed no more.
const NEEDED_FOR: Duration = LONGEST_WAIT.saturating_mul(2);

/// All rosters of this process.
pub struct Rosters {
    entries: Mutex<BTreeMap<Place, Entry>>,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    wakes: Arc<Wakes>,
    timings: Timings,
}

impl Rosters {
    /// None yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, chance: Arc<dyn Chance>, wakes: Arc<Wakes>, timings: Timings) -> Self {
        Self { entries: Mutex::default(), clock, chance, wakes, timings }
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<Place, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lookout(&self, connection: &Connection, project: &ObjectId, ask: Ask) -> Arc<Lookout> {
        let (inviter, now) = (&connection.facts.recorded, self.clock.monotonic());
        let mut entries = self.entries();
        let entry = entries.entry((inviter.uid.clone(), project.clone())).or_insert_with(|| Entry {
            lookout: Arc::default(),
            inviter: inviter.clone(),
            needed: now,
            due: now + self.interval(connection),
        });
        if ask != Ask::Upkeep {
            entry.needed = now;
        }
        Arc::clone(&entry.lookout)
    }

    fn interval(&self, connection: &Connection) -> Duration {
        self.timings.scaled(connection.facts.check_interval)
    }

    /// Spread, so that projects are not looked at together for ever.
    fn spread(&self, wait: Duration) -> Duration {
        wait + wait.mul_f64(self.chance.fraction() / 10.0)
    }

    fn with_due(&self, connection: &Connection, project: &ObjectId, change: impl FnOnce(Duration) -> Duration) {
        if let Some(entry) = self.entries().get_mut(&(connection.facts.recorded.uid.clone(), project.clone())) {
            entry.due = change(entry.due);
        }
    }

    /// The next look is due so long after `from`.
    fn is_due(&self, connection: &Connection, project: &ObjectId, from: Duration, wait: Duration) {
        let due = from + self.spread(wait);
        self.with_due(connection, project, |_| due);
    }

    fn is_young(&self, sent: Option<Timestamp>) -> bool {
        let age = sent.and_then(|sent| Duration::try_from(self.clock.now().duration_since(sent)).ok());
        age.is_some_and(|age| age < self.timings.scaled(YOUNG))
    }

    fn pace(&self, connection: &Connection, roster: &Roster) -> Duration {
        let interval = self.interval(connection);
        if self.is_young(roster.youngest()) { interval / YOUNG_PACE } else { interval }
    }

    /// What is to be looked at now, no more than so many places. Each is due again after `retry` if nothing comes of it.
    pub(super) fn due(&self, now: Duration, most: usize, retry: Duration) -> Vec<(RecordedInviter, ObjectId)> {
        let mut entries = self.entries();
        // Whoever looks at it holds its lookout.
        entries
            .retain(|_, entry| now.saturating_sub(entry.needed) <= NEEDED_FOR || Arc::strong_count(&entry.lookout) > 1);
        let due = entries.iter_mut().filter(|(_, entry)| entry.due <= now).take(most);
        due.map(|((_, project), entry)| {
            entry.due = now + retry;
            (entry.inviter.clone(), project.clone())
        })
        .collect()
    }

    /// When the next look is due.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.entries().values().map(|entry| entry.due).min()
    }

    /// Nobody needs it any more.
    pub(super) fn drop_place(&self, inviter: &RecordedInviter, project: &ObjectId) {
        let mut entries = self.entries();
        let place = (inviter.uid.clone(), project.clone());
        if entries.get(&place).is_some_and(|entry| Arc::strong_count(&entry.lookout) == 1) {
            entries.remove(&place);
        }
    }

    /// Whether a look so fresh needs no call of its own: there is a roster, or somebody is reading it.
    #[must_use]
    pub fn has(&self, connection: &Connection, project: &ObjectId, freshness: Freshness) -> bool {
        let lookout = self.lookout(connection, project, Ask::Usual);
        let (known, now) = (lookout.known(), self.clock.monotonic());
        known.is_looking()
            || known.revision == connection.facts.revision
                && known.roster.as_ref().is_some_and(|roster| freshness.suits(roster, now))
    }

    /// A roster that is fresh enough. Readers that come while one is being read wait, and share what it finds if that was
    /// begun late enough for them.
    ///
    /// # Errors
    /// The failure of this look, or of a recent one that is not to be repeated yet.
    pub async fn look(
        &self,
        connection: &Connection,
        project: &ObjectId,
        freshness: Freshness,
        ask: Ask,
    ) -> Result<Arc<Roster>, Trouble> {
        let came = self.clock.monotonic();
        let lookout = self.lookout(connection, project, ask);
        self.roster(&lookout, connection, project, freshness, (ask, came)).await
    }

    /// Looks for a newcomer, with lists begun at or after `since`: `None` when nobody by that name is there, as far as a
    /// glance tells; the roster where a glance would not do.
    ///
    /// # Errors
    /// As for [`Rosters::look`].
    pub async fn look_for(
        &self,
        connection: &Connection,
        project: &ObjectId,
        newcomer: &Username,
        since: Duration,
        ask: Ask,
    ) -> Result<Option<Arc<Roster>>, Trouble> {
        let came = self.clock.monotonic();
        let lookout = self.lookout(connection, project, ask);
        if self.is_nobody(&lookout, connection, project, newcomer, since).await? {
            return Ok(None);
        }
        self.roster(&lookout, connection, project, Freshness::Since(since), (ask, came)).await.map(Some)
    }

    async fn roster(
        &self,
        lookout: &Lookout,
        connection: &Connection,
        project: &ObjectId,
        freshness: Freshness,
        (ask, came): (Ask, Duration),
    ) -> Result<Arc<Roster>, Trouble> {
        let revision = &connection.facts.revision;
        let (turn, before, started) = loop {
            let ended = lookout.ended();
            {
                let (mut known, now) = (lookout.known(), self.clock.monotonic());
                if let Some(answer) = known.answer(revision, freshness, ask, came, now) {
                    return answer;
                }
                let turn = lookout.turn(&mut known, revision);
                known.want_roster(turn.is_none());
                if let Some(turn) = turn {
                    break (turn, known.roster.clone(), now);
                }
            }
            patiently(ended).await?;
        };
        let members_for = self.interval(connection) * MEMBERS_EVERY;
        match read(connection, project, before.as_deref(), freshness, members_for, started).await {
            Ok(roster) => {
                drop(before);
                let (roster, changed) = lookout.known().saw(roster);
                if !changed.is_empty() {
                    self.wakes.shown_otherwise(&connection.facts.recorded, project, &changed);
                }
                self.is_due(connection, project, started, self.pace(connection, &roster));
                drop(turn);
                Ok(roster)
            }
            Err(failure) => Err(self.failed(lookout, connection, project, failure, turn)),
        }
    }

    /// Whether a glance shows nobody by this name; `false` where only a roster can tell.
    async fn is_nobody(
        &self,
        lookout: &Lookout,
        connection: &Connection,
        project: &ObjectId,
        newcomer: &Username,
        since: Duration,
    ) -> Result<bool, Trouble> {
        let (revision, recent) = (&connection.facts.revision, self.interval(connection));
        loop {
            let ended = lookout.ended();
            let begun = {
                let (mut known, now) = (lookout.known(), self.clock.monotonic());
                match known.glanced(revision, newcomer, since, recent, now) {
                    Glanced::Nobody => return Ok(true),
                    Glanced::Unfit => return Ok(false),
                    Glanced::Unseen => {
                        let rest = known.glance_rests(now);
                        lookout.turn(&mut known, revision).map(|turn| (turn, rest))
                    }
                }
            };
            let Some((turn, rest)) = begun else {
                patiently(ended).await?;
                continue;
            };
            if !rest.is_zero() {
                tokio::time::sleep(rest).await;
            }
            let started = self.clock.monotonic();
            // In this order: where the first is held back, the second is not asked for.
            match try_join(connection.api.list(project, None), connection.api.members(project)).await {
                Ok((invitations, members)) => {
                    let seen = Roster::new(started, started, invitations, Arc::new(members.into()));
                    lookout.known().glanced_at(seen, self.clock.monotonic());
                }
                Err(failure) => return Err(self.failed(lookout, connection, project, failure, turn)),
            }
        }
    }

    /// The look failed: those who wait for it hear of it, and nobody asks again too soon.
    fn failed(
        &self,
        lookout: &Lookout,
        connection: &Connection,
        project: &ObjectId,
        failure: Failure,
        turn: Turn<'_>,
    ) -> Trouble {
        let held_back = matches!(failure.kind, FailureKind::HeldBack { .. });
        let retry_in = {
            let known = &mut *lookout.known();
            let before = known.trouble.as_ref().map_or(0, |before| before.times);
            let times = before.saturating_add(u32::from(!held_back));
            let (at, retry_in) = (self.clock.monotonic(), failure_backoff(failure.kind, times, &self.timings));
            known.trouble = Some(Remembered { failure: failure.clone(), at, until: at + retry_in, times });
            self.is_due(connection, project, at, retry_in);
            retry_in
        };
        drop(turn);
        Trouble { failure, retry_in, asked: Asked::Now }
    }

    /// Makes an own write visible at once: the person's invitation as it now is, or `None` for one that is gone.
    pub fn note(
        &self,
        connection: &Connection,
        project: &ObjectId,
        person: &Username,
        id: &ObjectId,
        now_is: Option<&Invitation>,
    ) {
        self.lookout(connection, project, Ask::Usual).note(person, id, now_is);
        if now_is.is_some_and(|invitation| self.is_young(invitation.created_at)) {
            let soon = self.clock.monotonic() + self.spread(self.interval(connection) / YOUNG_PACE);
            self.with_due(connection, project, |due| soon.min(due));
        }
    }
}

/// Reads the invitations, and then the members unless those of the roster before will do.
async fn read(
    connection: &Connection,
    project: &ObjectId,
    before: Option<&Roster>,
    freshness: Freshness,
    members_for: Duration,
    started: Duration,
) -> Result<Roster, Failure> {
    // While the members are read they need little.
    let invitations = Invitations::from(connection.api.list(project, None).await?);
    let known = before.filter(|before| match freshness {
        Freshness::Within(_) => before.all_in(&invitations) && started.saturating_sub(before.complete) < members_for,
        Freshness::Complete(_) | Freshness::Since(_) => false,
    });
    let (complete, members) = match known {
        Some(known) => (known.complete, known.members()),
        None => (started, Arc::new(connection.api.members(project).await?.into())),
    };
    Ok(Roster::new(started, complete, invitations, members))
}

#[cfg(test)]
#[path = "roster_tests.rs"]
mod tests;
