//! `mode: Observe`: the call that would be made is named instead.
//!
//! Must never let a step through that changes something, except the record of an attempt that was made before.

use super::facts::Facts;
use super::finding::Finding;
use super::schedule::Wake;
use super::step::{Decision, Step};
use crate::api::{Mode, Plan, Reason};

/// Under `mode: Observe` nothing is sent, taken over or recorded anew; only an attempt made before is still resolved.
pub(super) fn hold_back(facts: &Facts, decision: Decision) -> Decision {
    if facts.inviter.mode == Mode::Enforce {
        return Decision { plan: None, ..decision };
    }
    let plan = decision.plan.unwrap_or(Plan::None);
    let observed = |message: &str| Decision {
        step: Step::Rest,
        finding: Finding::new(Reason::ObserveOnly, message),
        wake: Wake::NextLook,
        plan: Some(plan),
    };
    let resolving = facts.claim.as_ref().is_some_and(|claim| claim.attempt.is_some());
    match decision.step {
        Step::Record(_) if resolving => Decision { plan: Some(Plan::None), ..decision },
        Step::LookAgain => Decision { plan: None, ..decision },
        Step::Rest
        | Step::Record(_)
        | Step::Invite(_)
        | Step::UpdateRoles(..)
        | Step::Cancel(..)
        | Step::HandOver(_)
        | Step::LetGo(_) => {
            match plan {
                Plan::Invite => observed("the inviter only observes; it would send an invitation"),
                Plan::Adopt => observed("the inviter only observes; it would take over a pending invitation"),
                Plan::UpdateRoles => observed("the inviter only observes; it would change the roles of the invitation"),
                Plan::Cancel => observed("the inviter only observes; it would cancel the invitation"),
                // What stops the wish also under Enforce is worth more than the plan.
                Plan::None if stops_under_enforce(decision.finding.reason) => Decision { plan: Some(plan), ..decision },
                Plan::None => observed("the inviter only observes; there is nothing to do"),
            }
        }
    }
}

fn stops_under_enforce(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::PolicyDenied
            | Reason::DuplicateInvitee
            | Reason::InvitationExists
            | Reason::InviterMoved
            | Reason::ClaimMissing
            | Reason::Suspended
    )
}
