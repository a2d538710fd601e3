//! What the outcome of a step means: the claim, how the object stands, events and the next wake-up.
//!
//! Failures are values that enter here, so that what an error does is decided in the same place as success. Must never
//! be left out: every effect that was tried ends here, or in the ledger's quarantine.

use super::desired::Life;
use super::facts::Facts;
use super::failure::{Cure, Failure, FailureKind};
use super::finding::{Finding, invited_finding, listed};
use super::ledger;
use super::refusal::request_name;
use super::remote::Invitation;
use super::schedule::{Wake, api_backoff, failure_backoff};
use super::step::{Decision, Step};
use crate::api::{InvitationClaimSpec, Origin, Reason, Refusal};
use std::time::Duration;

/// What came of the step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There was nothing to do, or the claim is written.
    Done,
    /// The API created the invitation.
    Created(Box<Invitation>),
    /// The API said success without an id.
    CreatedWithoutId,
    /// The API replaced the roles.
    Updated(Box<Invitation>),
    /// The invitation is cancelled, or was gone already.
    Cancelled {
        /// It was gone before.
        already_gone: bool,
    },
    /// The id is another person's or another project's invitation: nothing was cancelled.
    NotOurs,
    /// The call failed.
    Failed(Failure),
}

/// What follows from a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusion {
    /// The claim to write now, if it changes.
    pub claim: Option<InvitationClaimSpec>,
    /// How the object stands.
    pub finding: Finding,
    /// An event beside the one for a changed reason.
    pub notice: Option<Finding>,
    /// When to come back.
    pub wake: Wake,
}

/// Concludes a pass. `claim` is the claim as it stands after the step's own write; `failures` counts failed passes in a
/// row of this object, this one included.
#[must_use]
pub fn conclude(
    decision: &Decision,
    outcome: Outcome,
    claim: Option<&InvitationClaimSpec>,
    facts: &Facts,
    failures: u32,
) -> Conclusion {
    let finding = decision.finding.clone();
    match outcome {
        Outcome::Done => Conclusion { claim: None, finding, notice: None, wake: decision.wake },
        Outcome::Created(invitation) => Conclusion {
            claim: claim.map(|claim| ledger::recorded(claim.clone(), &invitation, Origin::Created)),
            finding: invited_finding(&invitation),
            notice: None,
            wake: Wake::NextLook,
        },
        Outcome::CreatedWithoutId => Conclusion {
            claim: claim.map(|claim| ledger::attempt_answered(claim.clone())),
            finding: looking(
                "the API reported success without an invitation: looking whether the person was added at once",
            ),
            notice: None,
            wake: Wake::Soon,
        },
        Outcome::Updated(invitation) => Conclusion {
            claim: None,
            finding: invited_finding(&invitation),
            notice: Some(Finding::new(
                Reason::RolesUpdated,
                format!("the pending invitation now carries {}; nobody was e-mailed", listed(&invitation.roles)),
            )),
            wake: Wake::NextLook,
        },
        Outcome::Cancelled { already_gone } => match surplus(decision, claim) {
            Some((claim, id)) => surplus_cancelled(claim, id, already_gone, finding),
            None => cancelled(claim, already_gone),
        },
        Outcome::NotOurs => match surplus(decision, claim) {
            Some((claim, id)) => surplus_cancelled(claim, id, true, finding),
            None => Conclusion {
                claim: claim.map(|claim| ledger::cancelled(claim.clone())),
                finding: Finding::new(
                    Reason::Cancelled,
                    "the recorded id names another person's invitation: nothing was cancelled",
                ),
                notice: None,
                wake: Wake::Now,
            },
        },
        Outcome::Failed(failure) => failed(decision, &failure, claim, facts, failures),
    }
}

/// The invitation that was to be cancelled, if it is one beside the one that stands.
fn surplus<'a>(
    decision: &'a Decision,
    claim: Option<&'a InvitationClaimSpec>,
) -> Option<(&'a InvitationClaimSpec, &'a str)> {
    let Step::Cancel(id, _) = &decision.step else { return None };
    let claim = claim?;
    claim.surplus.iter().any(|known| known == id.as_str()).then_some((claim, id.as_str()))
}

/// It is struck off when a read shows that it is gone, and not before.
fn surplus_cancelled(claim: &InvitationClaimSpec, id: &str, gone: bool, finding: Finding) -> Conclusion {
    Conclusion {
        claim: gone.then(|| ledger::without_surplus(claim.clone(), id)),
        finding,
        notice: None,
        wake: Wake::Now,
    }
}

fn cancelled(claim: Option<&InvitationClaimSpec>, already_gone: bool) -> Conclusion {
    let message = if already_gone { "the invitation was gone already" } else { "the pending invitation was cancelled" };
    let finding = Finding::new(Reason::Cancelled, message);
    Conclusion {
        claim: claim.map(|claim| ledger::cancelled(claim.clone())),
        notice: Some(finding.clone()),
        finding,
        wake: Wake::Now,
    }
}

fn failed(
    decision: &Decision,
    failure: &Failure,
    claim: Option<&InvitationClaimSpec>,
    facts: &Facts,
    failures: u32,
) -> Conclusion {
    match &decision.step {
        Step::Invite(_) => invite_failed(failure, claim, facts, failures),
        Step::UpdateRoles(..) => match failure.kind.cure() {
            Cure::Human => {
                let refusal = refusal(failure, claim, facts);
                Conclusion {
                    claim: claim.map(|claim| InvitationClaimSpec { refusal: Some(refusal.clone()), ..claim.clone() }),
                    ..setback(failure, failures, facts, Some(&refusal))
                }
            }
            Cure::Time => setback(failure, failures, facts, None),
        },
        Step::Cancel(..) if matches!(facts.life, Life::Live | Life::Suspended) => {
            setback(failure, failures, facts, None)
        }
        Step::Cancel(..) => Conclusion {
            finding: Finding::new(Reason::CancelBlocked, blocked_message(&failure.message)),
            ..setback(failure, failures, facts, None)
        },
        Step::Rest | Step::LookAgain | Step::Record(_) | Step::HandOver(_) | Step::LetGo(_) => {
            setback(failure, failures, facts, None)
        }
    }
}

fn invite_failed(failure: &Failure, claim: Option<&InvitationClaimSpec>, facts: &Facts, failures: u32) -> Conclusion {
    if !failure.kind.is_definite_no() {
        // A person who is there already shows in the lists at once.
        let wake = if failure.kind == FailureKind::AlreadyThere {
            Wake::Soon
        } else {
            Wake::attempt_look(Duration::ZERO, facts.timings.quarantine())
        };
        return Conclusion {
            claim: None,
            finding: looking(&format!(
                "the answer to the invitation is unclear ({}): looking whether it arrived before anything else is sent",
                failure.message
            )),
            notice: None,
            wake,
        };
    }
    let refusal = match failure.kind.cure() {
        Cure::Human => Some(refusal(failure, claim, facts)),
        Cure::Time => None,
    };
    Conclusion {
        claim: claim.map(|claim| ledger::attempt_refused(claim.clone(), refusal.clone())),
        ..setback(failure, failures, facts, refusal.as_ref())
    }
}

fn refusal(failure: &Failure, claim: Option<&InvitationClaimSpec>, facts: &Facts) -> Refusal {
    let request = request_name(facts);
    // The refusal of the request before this one: an opened attempt has cleared it from the claim itself.
    let before = facts.claim.as_ref().or(claim).and_then(|claim| claim.refusal.as_ref());
    let times = before.filter(|before| before.request == request).map_or(1, |before| before.times.saturating_add(1));
    Refusal {
        reason: failure.kind.reason().as_str().to_owned(),
        message: failure.message.clone(),
        at: ledger::whole_second(facts.now),
        times,
        request,
    }
}

fn setback(failure: &Failure, failures: u32, facts: &Facts, refusal: Option<&Refusal>) -> Conclusion {
    // This answer never says how long: it counts over a minute.
    let throttled = failure.kind == FailureKind::InvitationThrottled;
    let wake = match refusal {
        Some(refusal) => Wake::Refusal { at: refusal.at.0, times: refusal.times },
        None if throttled => Wake::After(api_backoff(failures, Some(facts.timings.invitation_window), &facts.timings)),
        None if matches!(failure.kind, FailureKind::HeldBack { .. }) => {
            Wake::After(failure_backoff(failure.kind, failures, &facts.timings))
        }
        None => Wake::After(api_backoff(failures, failure.kind.retry_after(), &facts.timings)),
    };
    Conclusion {
        claim: None,
        finding: Finding::new(failure.kind.reason(), failure.message.clone()),
        notice: None,
        wake,
    }
}

fn looking(message: &str) -> Finding {
    Finding::new(Reason::Looking, message)
}

/// What an object that cannot be let go says, way out included.
#[must_use]
pub fn blocked_message(why: &str) -> String {
    format!(
        "the invitation cannot be cancelled now ({why}); to let the object go without waiting, annotate it with \
         invitation-operator.io/release=true: the operator then owes the cancellation, and makes it when it can"
    )
}
