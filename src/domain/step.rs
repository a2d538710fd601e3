//! Steps: what a decision asks the pass to do.
//!
//! Values only. At most one step of a pass changes something at MongoDB.

use super::desired::Life;
use super::facts::Facts;
use super::finding::Finding;
use super::ledger::Farewell;
use super::remote::{ObjectId, Roles};
use super::schedule::Wake;
use crate::api::{InvitationClaimSpec, Mode, Plan, Reason};

/// What the pass does, and how the object then stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The one step.
    pub step: Step,
    /// How the object stands, unless the step's outcome changes that.
    pub finding: Finding,
    /// When to come back, unless the step's outcome changes that.
    pub wake: Wake,
    /// Under `mode: Observe`: the call that was held back.
    pub plan: Option<Plan>,
}

impl Decision {
    /// Whether it sends an e-mail or is on its way to one: only for that a slot is needed.
    #[must_use]
    pub fn needs_slot(&self, facts: &Facts) -> bool {
        let on_the_way = match &self.step {
            Step::Invite(_) => true,
            Step::LookAgain => self.finding.reason == Reason::Inviting,
            // Nobody's invitation is cancelled for another one that cannot be sent yet; a surplus one is, at once.
            Step::Record(claim) | Step::Cancel(_, claim) => {
                claim.verdict.is_none()
                    && claim.resend.as_ref().is_some_and(|resend| resend.pending.is_some())
                    && facts.claim.as_ref().is_none_or(|before| before.surplus.is_empty())
            }
            Step::Rest | Step::UpdateRoles(..) | Step::HandOver(_) | Step::LetGo(_) => false,
        };
        on_the_way && facts.life == Life::Live && facts.inviter.mode == Mode::Enforce
    }
}

/// One step of a pass. At most one of them changes something at MongoDB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Rest,
    /// Come back at once with a roster that was begun after the live read.
    LookAgain,
    /// Write the claim.
    Record(Box<InvitationClaimSpec>),
    /// Write the claim with its open attempt, then send the invitation.
    Invite(Box<InvitationClaimSpec>),
    /// Replace the roles of the pending invitation.
    UpdateRoles(ObjectId, Roles),
    /// Write the claim as cancelling, then cancel the invitation.
    Cancel(ObjectId, Box<InvitationClaimSpec>),
    /// Write the claim with its next owner, then drop the finalizer.
    HandOver(Box<InvitationClaimSpec>),
    /// Write the claim without its owner, then drop the finalizer.
    LetGo(Farewell),
}

/// How much a decision needs to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookNeed {
    /// No call is made.
    None,
    /// A roster no older than the inviter's `checkInterval`.
    Recent,
    /// With a slot in hand a fresh one. Without, a recent one will do: only a decision to invite needs more, and who is
    /// there already need not wait.
    FreshWithSlot,
    /// A roster begun after the live read of the object.
    Fresh,
}

pub(super) fn rest(reason: Reason, message: impl Into<String>, wake: Wake) -> Decision {
    Decision { step: Step::Rest, finding: Finding::new(reason, message), wake, plan: None }
}

/// Waits for a human; what the human does wakes the object.
pub(super) fn stop(reason: Reason, message: impl Into<String>) -> Decision {
    rest(reason, message, Wake::NextLook)
}

pub(super) fn again(reason: Reason, message: &str) -> Decision {
    Decision { step: Step::LookAgain, finding: Finding::new(reason, message), wake: Wake::Now, plan: None }
}

pub(super) fn record(claim: InvitationClaimSpec, finding: Finding, wake: Wake) -> Decision {
    Decision { step: Step::Record(Box::new(claim)), finding, wake, plan: None }
}

pub(super) fn let_go(farewell: Farewell, finding: Finding) -> Decision {
    Decision { step: Step::LetGo(farewell), finding, wake: Wake::OnEvent, plan: None }
}
