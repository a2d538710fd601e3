//! The way of a pass to its slot, and what an object shows that waits for one.
//!
//! Must never hold a place in the queue of passes while waiting.

use super::observer::PassOutcome;
use super::pass::{PassReport, Passes};
use super::show::Shown;
use super::slots::Slot;
use crate::api::ProjectInvitation;
use crate::domain::facts::{Facts, Ownership};
use crate::domain::finding::waiting_finding;
use crate::domain::schedule::Wake;
use crate::domain::step::Decision;
use kube::runtime::reflector::ObjectRef;
use std::time::Duration;

/// The next pass, which comes at once, still has it.
pub(super) fn keep(slot: Option<Slot>) {
    if let Some(slot) = slot {
        slot.keep();
    }
}

impl Passes {
    /// The slot that the decision needs, if it needs one; one that it does not need goes back.
    ///
    /// # Errors
    /// How long to expect for one.
    pub(super) fn slot(
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
