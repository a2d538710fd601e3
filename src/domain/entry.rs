//! How the result of a call enters a claim that may have changed since the call began.
//!
//! Whoever looks after the claim meanwhile wins: another leader may have found the invitation, or another one, or closed the
//! attempt; the owner may have let go. Must never lose an invitation that was made: it is recorded, or it is noted as
//! surplus and cancelled. Must never lead to another e-mail.

use super::ledger;
use crate::api::{Debt, InvitationClaimSpec, RecordedInvitation, VerdictKind};
use jiff::Timestamp;

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Nothing: the claim says it already, or the result means nothing to it any more.
    Nothing,
    /// The claim in place of what is there.
    Replace(Box<InvitationClaimSpec>),
    /// A claim where there is none.
    Create(Box<InvitationClaimSpec>),
}

/// How a result enters the ledger: `before` is the claim as it was acknowledged when the call was made, `after` what the
/// result makes of that, `present` the claim as a live read shows it.
#[must_use]
pub fn enter(
    before: &InvitationClaimSpec,
    after: &InvitationClaimSpec,
    present: Option<&InvitationClaimSpec>,
    now: Timestamp,
) -> Entry {
    let Some(present) = present else { return made_anew(before, after) };
    if present == after || before == after {
        return Entry::Nothing;
    }
    if present == before {
        return Entry::Replace(Box::new(after.clone()));
    }
    let cancelled = before.surplus.iter().filter(|id| !after.surplus.contains(id));
    let fewer = cancelled.fold(present.clone(), |claim, id| ledger::without_surplus(claim, id));
    if before.surplus != after.surplus {
        return if fewer == *present { Entry::Nothing } else { Entry::Replace(Box::new(fewer)) };
    }
    let next = match (&before.attempt, &after.attempt, &after.invitation) {
        (Some(_), None, Some(made)) => made_meanwhile(before, present, made, now),
        (Some(_), None, None) => refused(before, after, present),
        (Some(_), Some(_), _) => same_attempt(before, present).then(|| ledger::attempt_answered(present.clone())),
        (None, _, None) => gone(before, present),
        (None, _, Some(_)) => roles_refused(before, after, present),
    };
    match next {
        Some(next) if next != *present => Entry::Replace(Box::new(next)),
        Some(_) | None => Entry::Nothing,
    }
}

/// The claim was deleted by hand. What was sent is not forgotten: if its owner is gone too, the claim is finished off.
fn made_anew(before: &InvitationClaimSpec, after: &InvitationClaimSpec) -> Entry {
    let mailed = before.attempt.is_some() && (after.attempt.is_some() || after.invitation.is_some());
    if mailed { Entry::Create(Box::new(after.clone())) } else { Entry::Nothing }
}

fn same_attempt(before: &InvitationClaimSpec, present: &InvitationClaimSpec) -> bool {
    let nonce = |claim: &InvitationClaimSpec| claim.attempt.as_ref().map(|attempt| attempt.nonce.clone());
    nonce(before).is_some() && nonce(before) == nonce(present)
}

/// The attempt made an invitation, and the claim is no longer what it was.
fn made_meanwhile(
    before: &InvitationClaimSpec,
    present: &InvitationClaimSpec,
    made: &RecordedInvitation,
    now: Timestamp,
) -> Option<InvitationClaimSpec> {
    let ours_is_open = same_attempt(before, present);
    let other_attempt = present.attempt.is_some() && !ours_is_open;
    let verdict = present.verdict.as_ref().map(|verdict| verdict.kind);
    let known = present.invitation.as_ref().map(|recorded| recorded.id.as_str());
    if known == Some(made.id.as_str()) && !ours_is_open {
        return None;
    }
    let other_stands = verdict != Some(VerdictKind::Withdrawn) && known.is_some_and(|known| known != made.id.as_str());
    if other_attempt || other_stands || verdict == Some(VerdictKind::Accepted) {
        // Resolved to something else: there must not be two.
        let mut next = ledger::with_surplus(present.clone(), &made.id);
        if ours_is_open {
            next.attempt = None;
        }
        return Some(next);
    }
    let mut next = ledger::holding(present.clone(), made.clone());
    if next.owner.is_none() && next.kept.is_none() && next.debt.is_none() {
        next.debt = Some(Debt {
            since: ledger::whole_second(now),
            reason: "the invitation was made after its object had been let go".to_owned(),
        });
    }
    Some(next)
}

/// The attempt certainly changed nothing. Whoever closed it meanwhile could not know that, and its e-mail stays counted.
fn refused(
    before: &InvitationClaimSpec,
    after: &InvitationClaimSpec,
    present: &InvitationClaimSpec,
) -> Option<InvitationClaimSpec> {
    same_attempt(before, present).then(|| {
        let same_owner = present.owner == before.owner;
        ledger::attempt_refused(present.clone(), after.refusal.clone().filter(|_| same_owner))
    })
}

/// The invitation was cancelled.
fn gone(before: &InvitationClaimSpec, present: &InvitationClaimSpec) -> Option<InvitationClaimSpec> {
    let id = |claim: &InvitationClaimSpec| claim.invitation.as_ref().map(|recorded| recorded.id.clone());
    let same = before.invitation.is_some() && id(before) == id(present) && present.verdict.is_none();
    (same || before.invitation.is_none() && present.invitation.is_none()).then(|| ledger::cancelled(present.clone()))
}

/// A change of roles was refused.
fn roles_refused(
    before: &InvitationClaimSpec,
    after: &InvitationClaimSpec,
    present: &InvitationClaimSpec,
) -> Option<InvitationClaimSpec> {
    let same = present.owner == before.owner && present.invitation == before.invitation;
    same.then(|| InvitationClaimSpec { refusal: after.refusal.clone(), ..present.clone() })
}
