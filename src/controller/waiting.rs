//! The way of a pass to its leave to act, and what an object shows that waits for its slot.
//!
//! All of it comes before an attempt is opened: the circuit of the project closed, a slot for the e-mail, room for the call.
//! Must never hold a place in the queue of passes while waiting.

use super::connection::Connection;
use super::observer::PassOutcome;
use super::pass::{PassReport, Passes};
use super::roster::{Asked, Trouble};
use super::show::Shown;
use super::slots::Slot;
use crate::api::ProjectInvitation;
use crate::cloud::Room;
use crate::domain::facts::{Facts, Ownership};
use crate::domain::finding::waiting_finding;
use crate::domain::schedule::{Wake, failure_backoff};
use crate::domain::step::{Decision, Step};
use kube::runtime::reflector::ObjectRef;
use std::time::Duration;

/// What a step needs before it begins.
pub(super) struct Leave {
    /// To send one invitation to the host.
    pub slot: Option<Slot>,
    /// To make the call that sends it, under the limits of the project.
    pub room: Option<Room>,
}

/// Why a step may not begin.
pub(super) enum Denied {
    /// It waits for its slot, about so long.
    ForSlot(Duration),
    /// The call would fail, or there is no room for it.
    Because(Trouble),
}

/// The next pass, which comes at once, still has it.
pub(super) fn keep(slot: Option<Slot>) {
    if let Some(slot) = slot {
        slot.keep();
    }
}

impl Passes {
    /// What the decision needs before its step begins.
    ///
    /// # Errors
    /// What is not to be had.
    pub(super) async fn leave(
        &self,
        object: &ProjectInvitation,
        facts: &Facts,
        decision: &Decision,
        connection: &Connection,
        turn: Option<Slot>,
    ) -> Result<Leave, Denied> {
        let project = &facts.desired.project;
        let calls = matches!(decision.step, Step::Invite(_) | Step::UpdateRoles(..) | Step::Cancel(..));
        let held = if calls { self.circuits.held(&facts.inviter, project, facts.asked) } else { None };
        if let Some(trouble) = held {
            self.slots.leave(&ObjectRef::from_obj(object));
            return Err(Denied::Because(self.followed(facts, trouble)));
        }
        let slot = self.slot(object, facts, decision, turn).map_err(Denied::ForSlot)?;
        let room = match decision.step {
            Step::Invite(_) => match connection.api.room(project).await {
                Ok(room) => Some(room),
                Err(failure) => {
                    let retry_in = failure_backoff(failure.kind, 1, &self.settings.timings);
                    let trouble = Trouble { failure, retry_in, asked: Asked::Now };
                    return Err(Denied::Because(self.followed(facts, trouble)));
                }
            },
            Step::Rest
            | Step::LookAgain
            | Step::Record(_)
            | Step::UpdateRoles(..)
            | Step::Cancel(..)
            | Step::HandOver(_)
            | Step::LetGo(_) => None,
        };
        Ok(Leave { slot, room })
    }

    /// An invitation that is there is followed meanwhile: what a look shows wakes the object, and so does its end.
    fn followed(&self, facts: &Facts, trouble: Trouble) -> Trouble {
        let expires = facts.claim.as_ref().and_then(|claim| claim.invitation.as_ref()?.expires_at.as_ref());
        let left = expires.and_then(|at| Duration::try_from(at.0.duration_since(self.clock.now())).ok());
        let ends = left.filter(|left| !left.is_zero()).map(|left| left + Duration::from_secs(1));
        Trouble { retry_in: ends.map_or(trouble.retry_in, |ends| ends.min(trouble.retry_in)), ..trouble }
    }

    /// The slot that the decision needs, if it needs one; one that it does not need goes back.
    ///
    /// # Errors
    /// How long to expect for one.
    fn slot(
        &self,
        object: &ProjectInvitation,
        facts: &Facts,
        decision: &Decision,
        turn: Option<Slot>,
    ) -> Result<Option<Slot>, Duration> {
        let reference = ObjectRef::from_obj(object);
        match (decision.needs_slot(facts), turn) {
            (true, Some(turn)) => Ok(Some(turn)),
            (true, None) => self.slots.ask(&facts.inviter.host, &reference).map(Some),
            (false, _) => {
                self.slots.leave(&reference);
                Ok(None)
            }
        }
    }

    /// Shows that the object waits for its turn: once, because what is left of the wait would change all the time.
    pub(super) async fn wait_for_slot(
        &self,
        object: &ProjectInvitation,
        facts: &Facts,
        expected: Duration,
    ) -> PassReport {
        let claim = facts.claim.as_ref().filter(|_| facts.ownership == Ownership::Mine);
        // Its turn wakes it. Who is to be invited again is followed meanwhile.
        let wake = if claim.is_some_and(|claim| claim.invitation.is_some()) { Wake::NextLook } else { Wake::OnEvent };
        let expires = claim.and_then(|claim| claim.invitation.as_ref()?.expires_at.as_ref().map(|at| at.0));
        let again_in = self.wait(wake, facts.inviter.check_interval, expires);
        let shown = Shown {
            desired: Some(&facts.desired),
            claim,
            sight: facts.sight.as_ref(),
            finding: waiting_finding(object.status.as_ref(), expected),
            extra: None,
            plan: None,
            overdue: false,
        };
        match self.show(object, shown).await {
            Ok(wrote) => {
                PassReport::again(if wrote { PassOutcome::Recorded } else { PassOutcome::Unchanged }, again_in)
            }
            Err(error) => self.cluster_trouble(object, &error),
        }
    }
}
