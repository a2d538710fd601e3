//! What a pass does for an object that is being deleted.
//!
//! A finalizer only makes `kubectl delete` wait; whatever cannot be done in time stays in the claim as a debt. Must never
//! keep an object for ever, and never cancel what this object does not own.

use super::desired::Life;
use super::facts::{Facts, Ownership, Successor};
use super::finding::Finding;
use super::ledger::{self, Farewell};
use super::remote::ObjectId;
use super::resolve::resolve_attempt;
use super::schedule::Wake;
use super::step::{Decision, LookNeed, Step, let_go, record, rest};
use crate::api::{
    Adoption, DeletionPolicy, InvitationClaimSpec, Mode, Origin, Plan, Reason, RecordedInvitation, VerdictKind,
};
use std::time::Duration;

/// What there is to do for the object, as far as its claim tells.
enum Estate<'a> {
    /// Nothing was ever sent or found, or it is over.
    Nothing,
    /// An attempt has no answer yet.
    OpenAttempt,
    /// The person is a member: the membership stays.
    Member,
    /// An invitation that may still be pending.
    Pending(&'a InvitationClaimSpec, &'a RecordedInvitation),
}

fn estate(facts: &Facts) -> Estate<'_> {
    let Some(claim) = facts.claim.as_ref().filter(|_| facts.ownership == Ownership::Mine) else {
        return Estate::Nothing;
    };
    if claim.attempt.is_some() {
        return Estate::OpenAttempt;
    }
    match (claim.verdict.as_ref().map(|verdict| verdict.kind), &claim.invitation) {
        (Some(VerdictKind::Accepted), _) => Estate::Member,
        (Some(VerdictKind::Withdrawn), _) | (None, None) => Estate::Nothing,
        (None, Some(invitation)) => Estate::Pending(claim, invitation),
    }
}

/// An invitation of ours beside the one that stands is cancelled first: it was made by an attempt that somebody else had
/// resolved to another one.
pub(super) fn surplus(facts: &Facts) -> Option<Decision> {
    let acts = facts.ownership == Ownership::Mine && facts.inviter.mode == Mode::Enforce;
    let claim = facts.claim.as_ref().filter(|_| acts)?;
    let id = claim.surplus.first()?;
    let finding = Finding::new(Reason::Cancelling, "cancelling an invitation that was made beside the one that stands");
    let Some(id) = ObjectId::parse(id) else {
        return Some(record(ledger::without_surplus(claim.clone(), id), finding, Wake::Now));
    };
    let claim = Box::new(claim.clone());
    Some(Decision { step: Step::Cancel(id, claim), finding, wake: Wake::Now, plan: Some(Plan::Cancel) })
}

/// The release annotation: let go without a call. What was to be kept is kept; all else is owed, a call without an answer
/// too.
pub(super) fn released(facts: &Facts) -> Decision {
    let finding = Finding::new(Reason::Released, "let go without calling the API, as the release annotation asks");
    let owed = || Farewell::Owed("released by annotation".to_owned());
    let farewell = match estate(facts) {
        Estate::Nothing | Estate::Member => Farewell::Settled,
        Estate::OpenAttempt if facts.desired.deletion == DeletionPolicy::Keep => Farewell::Kept,
        Estate::OpenAttempt => owed(),
        Estate::Pending(_, invitation) => keeps(facts, invitation).map_or_else(owed, |_| Farewell::Kept),
    };
    let_go(farewell, finding)
}

/// How an owner lets go whose claim cannot be looked after now.
#[must_use]
pub fn parting(claim: &InvitationClaimSpec, wish: DeletionPolicy, why: &str) -> Farewell {
    let pending = claim.attempt.is_some() || (claim.invitation.is_some() && claim.verdict.is_none());
    match (pending, wish) {
        (false, _) => Farewell::Settled,
        (true, DeletionPolicy::Keep) => Farewell::Kept,
        (true, DeletionPolicy::Cancel) => Farewell::Owed(why.to_owned()),
    }
}

/// How much the decision needs to see.
#[must_use]
pub(super) fn look_need(facts: &Facts) -> LookNeed {
    match estate(facts) {
        Estate::Nothing | Estate::Member => LookNeed::None,
        Estate::OpenAttempt => LookNeed::Fresh,
        Estate::Pending(..) if facts.successor.is_some() || waits_for_successor(facts).is_some() => LookNeed::None,
        Estate::Pending(_, invitation) => match keeps(facts, invitation) {
            Some(_) => LookNeed::None,
            None => LookNeed::Fresh,
        },
    }
}

/// Why the invitation is left as it is, if it is.
fn keeps(facts: &Facts, invitation: &RecordedInvitation) -> Option<&'static str> {
    let suspended = matches!(facts.life, Life::Deleting { suspended: true, .. });
    if suspended {
        return Some("the object was suspended: its invitation is left as it is");
    }
    if facts.desired.deletion == DeletionPolicy::Keep {
        return Some("deletion.invitation is Keep: the invitation is left as it is");
    }
    if facts.inviter.mode == Mode::Observe {
        return Some("the inviter only observes: the invitation is left as it is");
    }
    if invitation.origin == Origin::Adopted && facts.inviter.adoption != Adoption::Any {
        return Some(
            "the invitation was sent by somebody else and is cancelled only under adoption: Any: it is left as it is",
        );
    }
    None
}

/// Decides the step for an object that is being deleted.
#[must_use]
pub(super) fn decide(facts: &Facts) -> Decision {
    if let Some(cancel) = surplus(facts) {
        return cancel;
    }
    match estate(facts) {
        Estate::Nothing => let_go(Farewell::Settled, Finding::new(Reason::Cancelled, "there is nothing to cancel")),
        Estate::Member => left_behind(),
        Estate::OpenAttempt => resolve_attempt(facts),
        Estate::Pending(claim, invitation) => {
            if let Some(successor) = &facts.successor {
                return hand_over(claim, successor);
            }
            if let Some(why) = keeps(facts, invitation) {
                return let_go(Farewell::Kept, Finding::new(Reason::InvitationKept, why));
            }
            match waits_for_successor(facts) {
                Some(left) => rest(Reason::Cancelling, "about to cancel the pending invitation", Wake::After(left)),
                None => pending(facts, claim, invitation),
            }
        }
    }
}

/// How long to wait for another object that may want the same person.
fn waits_for_successor(facts: &Facts) -> Option<Duration> {
    let Life::Deleting { since, .. } = facts.life else { return None };
    // A deletion time has whole seconds, and may lie a little ahead of this clock.
    let waited = Duration::try_from(facts.now.duration_since(since)).unwrap_or_default();
    facts.timings.handover_grace.checked_sub(waited).filter(|left| !left.is_zero())
}

/// A rename, or a move to another namespace: the invitation stays as it is.
fn hand_over(claim: &InvitationClaimSpec, successor: &Successor) -> Decision {
    Decision {
        step: Step::HandOver(Box::new(ledger::handed_over(claim.clone(), successor))),
        finding: Finding::new(
            Reason::HandedOver,
            "another ProjectInvitation for the same person and project has taken the invitation over: nothing was cancelled",
        ),
        wake: Wake::OnEvent,
        plan: None,
    }
}

fn pending(facts: &Facts, claim: &InvitationClaimSpec, invitation: &RecordedInvitation) -> Decision {
    let cancelling = Finding::new(Reason::Cancelling, "cancelling the pending invitation");
    let Some(sight) = &facts.sight else { return rest(Reason::Cancelling, cancelling.message, Wake::Soon) };
    if sight.member.is_some() {
        return left_behind();
    }
    match ObjectId::parse(&invitation.id) {
        Some(id) => Decision {
            step: Step::Cancel(id, Box::new(ledger::cancelling(claim.clone()))),
            finding: cancelling,
            wake: Wake::Soon,
            plan: None,
        },
        // An id that cannot stand in a URL was never MongoDB's.
        None => let_go(Farewell::Settled, Finding::new(Reason::Cancelled, "there is nothing to cancel")),
    }
}

fn left_behind() -> Decision {
    let_go(
        Farewell::Settled,
        Finding::new(
            Reason::AccessLeftBehind,
            "the person is a member of the project and stays one: remove the member at MongoDB if that is not wanted",
        ),
    )
}
