//! Steps: what a decision asks the pass to do.
//!
//! Values only. At most one step of a pass changes something at MongoDB.

use super::finding::Finding;
use super::ledger::Farewell;
use super::remote::{ObjectId, Roles};
use super::schedule::Wake;
use crate::api::{InvitationClaimSpec, Plan, Reason};

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
