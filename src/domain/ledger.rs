//! How the content of a claim changes: one function a transition.
//!
//! Everything here takes a claim and gives the claim that the pass then writes by compare-and-swap. Must never decide
//! *whether* a transition happens: that is `decide` and `conclude`.

use super::facts::{Facts, Successor};
use super::key::claim_key;
use super::remote::Invitation;
use crate::api::{
    Attempt, Debt, InvitationClaimSpec, Kept, Origin, RecordedInvitation, Refusal, Resend, Verdict, VerdictKind,
};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// No more than so many e-mail times are kept; the newest count.
const MAILS_KEPT: usize = 50;

/// Times are kept in whole seconds, as Kubernetes writes them.
#[must_use]
pub fn whole_second(at: Timestamp) -> Time {
    Time(Timestamp::from_second(at.as_second()).unwrap_or(at))
}

/// The claim of this wish, made the object's own: a new one, or the present one with a new owner.
///
/// A taken-over claim keeps its attempt, its invitation and its e-mails; what its former owner had come to is no verdict
/// on the new owner's wish.
#[must_use]
pub fn owned(facts: &Facts) -> InvitationClaimSpec {
    let owner = facts.desired.object.clone();
    let key = claim_key(facts.inviter.product, &facts.inviter.host, &facts.desired.project, &facts.desired.username);
    match &facts.claim {
        None => InvitationClaimSpec {
            key,
            inviter_ref: facts.inviter.recorded.clone(),
            owner: Some(owner),
            deletion: facts.desired.deletion,
            attempt: None,
            lost_attempts: 0,
            invitation: None,
            surplus: Vec::new(),
            verdict: None,
            accepted_at: None,
            refusal: None,
            resend: facts.desired.resend.clone().map(|token| Resend { handled: Some(token), pending: None }),
            mails: Vec::new(),
            kept: None,
            cancelling: false,
            debt: None,
        },
        Some(claim) => {
            let mut claim = claim.clone();
            if claim.owner.as_ref().is_none_or(|present| present.uid != owner.uid) {
                claim.verdict = None;
                claim.accepted_at = None;
                claim.refusal = None;
                claim.resend = facts.desired.resend.clone().map(|token| Resend { handled: Some(token), pending: None });
            }
            claim.inviter_ref = facts.inviter.recorded.clone();
            claim.owner = Some(owner);
            claim.deletion = facts.desired.deletion;
            claim.kept = None;
            claim.debt = None;
            claim
        }
    }
}

/// The claim with an open attempt: from here on an e-mail may have been sent, and it counts.
#[must_use]
pub fn attempt_opened(mut claim: InvitationClaimSpec, facts: &Facts) -> InvitationClaimSpec {
    let deadline = SignedDuration::try_from(facts.timings.post_deadline).unwrap_or(SignedDuration::ZERO);
    claim.attempt = Some(Attempt {
        nonce: facts.nonce.clone(),
        started_at: whole_second(facts.now),
        // Rounded up: a deadline cut to the second would end short attempts before they begin.
        deadline: whole_second(facts.now + deadline + SignedDuration::from_millis(999)),
        answered: false,
    });
    // What was to be cancelled is gone, also when nobody heard of it: what is sent now must not be taken for it.
    claim.cancelling = false;
    claim.invitation = None;
    claim.verdict = None;
    claim.accepted_at = None;
    claim.refusal = None;
    let token = claim.resend.take().and_then(|resend| resend.pending.or(resend.handled));
    claim.resend = token.map(|token| Resend { handled: Some(token), pending: None });
    claim.mails.push(whole_second(facts.now));
    let surplus = claim.mails.len().saturating_sub(MAILS_KEPT);
    claim.mails.drain(..surplus);
    claim
}

/// The API said success without an id: never sent again, only looked for.
#[must_use]
pub fn attempt_answered(mut claim: InvitationClaimSpec) -> InvitationClaimSpec {
    if let Some(attempt) = &mut claim.attempt {
        attempt.answered = true;
    }
    claim
}

/// The attempt certainly changed nothing: its e-mail does not count.
#[must_use]
pub fn attempt_refused(mut claim: InvitationClaimSpec, refusal: Option<Refusal>) -> InvitationClaimSpec {
    if claim.attempt.take().is_some() {
        claim.mails.pop();
    }
    claim.refusal = refusal;
    claim
}

/// The attempt was neither answered nor found: its e-mail counts.
#[must_use]
pub fn attempt_lost(mut claim: InvitationClaimSpec) -> InvitationClaimSpec {
    claim.attempt = None;
    claim.lost_attempts = claim.lost_attempts.saturating_add(1);
    claim
}

/// The claim with an invitation.
#[must_use]
pub fn recorded(claim: InvitationClaimSpec, invitation: &Invitation, origin: Origin) -> InvitationClaimSpec {
    let invitation = RecordedInvitation {
        id: invitation.id.as_str().to_owned(),
        created_at: invitation.created_at.map(whole_second),
        expires_at: invitation.expires_at.map(whole_second),
        inviter_username: invitation.inviter_username.clone(),
        origin,
    };
    holding(claim, invitation)
}

/// The same, of an invitation as it was recorded before.
#[must_use]
pub fn holding(mut claim: InvitationClaimSpec, invitation: RecordedInvitation) -> InvitationClaimSpec {
    claim.attempt = None;
    claim.lost_attempts = 0;
    claim.refusal = None;
    claim.verdict = None;
    claim.accepted_at = None;
    claim.surplus.retain(|id| *id != invitation.id);
    claim.invitation = Some(invitation);
    claim
}

/// An invitation of ours that does not stand, and is to be cancelled.
#[must_use]
pub fn with_surplus(mut claim: InvitationClaimSpec, id: &str) -> InvitationClaimSpec {
    if claim.surplus.iter().all(|known| known != id) {
        claim.surplus.push(id.to_owned());
    }
    claim
}

/// It is gone.
#[must_use]
pub fn without_surplus(mut claim: InvitationClaimSpec, id: &str) -> InvitationClaimSpec {
    claim.surplus.retain(|known| known != id);
    claim
}

/// The person is a member.
#[must_use]
pub fn accepted(mut claim: InvitationClaimSpec, now: Timestamp) -> InvitationClaimSpec {
    claim.attempt = None;
    claim.lost_attempts = 0;
    claim.refusal = None;
    // There is nothing left to cancel.
    claim.cancelling = false;
    claim.verdict = Some(Verdict { kind: VerdictKind::Accepted, since: whole_second(now) });
    claim.accepted_at = claim.accepted_at.or_else(|| Some(whole_second(now)));
    claim
}

/// The invitation vanished, or the member left.
#[must_use]
pub fn withdrawn(mut claim: InvitationClaimSpec, now: Timestamp) -> InvitationClaimSpec {
    claim.verdict = Some(Verdict { kind: VerdictKind::Withdrawn, since: whole_second(now) });
    claim
}

/// Another invitation is asked for and allowed: what was lost before no longer counts against it.
#[must_use]
pub fn resend_begun(mut claim: InvitationClaimSpec, token: &str) -> InvitationClaimSpec {
    let handled = claim.resend.take().and_then(|resend| resend.handled);
    claim.resend = Some(Resend { handled, pending: Some(token.to_owned()) });
    claim.verdict = None;
    claim.accepted_at = None;
    claim.refusal = None;
    claim.lost_attempts = 0;
    claim
}

/// A token that needs no e-mail: the person is a member already.
#[must_use]
pub fn resend_done(mut claim: InvitationClaimSpec, token: &str) -> InvitationClaimSpec {
    claim.resend = Some(Resend { handled: Some(token.to_owned()), pending: None });
    claim
}

/// The invitation is about to be cancelled: nobody may take the claim over.
#[must_use]
pub fn cancelling(mut claim: InvitationClaimSpec) -> InvitationClaimSpec {
    claim.cancelling = true;
    claim
}

/// The invitation is gone; the claim stays its owner's.
#[must_use]
pub fn cancelled(mut claim: InvitationClaimSpec) -> InvitationClaimSpec {
    claim.cancelling = false;
    claim.invitation = None;
    claim
}

/// The claim passes to the object that waits for it: nothing is cancelled and nobody is e-mailed.
#[must_use]
pub fn handed_over(mut claim: InvitationClaimSpec, to: &Successor) -> InvitationClaimSpec {
    claim.owner = Some(to.owner.clone());
    claim.inviter_ref = to.inviter.clone();
    claim.deletion = to.deletion;
    claim.refusal = None;
    claim.resend = to.resend.clone().map(|token| Resend { handled: Some(token), pending: None });
    claim
}

/// How an owner lets go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// Nothing is left behind.
    Settled,
    /// The invitation stays as it is.
    Kept,
    /// The cancellation is still owed, and why.
    Owed(String),
}

/// The claim without its owner. It keeps its e-mails, and an open attempt: whoever invites this person next must resolve
/// that first.
#[must_use]
pub fn let_go(mut claim: InvitationClaimSpec, farewell: Farewell, now: Timestamp) -> InvitationClaimSpec {
    claim.owner = None;
    claim.cancelling = false;
    claim.verdict = None;
    claim.accepted_at = None;
    claim.refusal = None;
    claim.resend = None;
    match farewell {
        Farewell::Settled => claim.invitation = None,
        Farewell::Kept => claim.kept = Some(Kept { at: whole_second(now) }),
        Farewell::Owed(reason) => claim.debt = Some(Debt { since: whole_second(now), reason }),
    }
    claim
}

/// The project is gone, and with it whatever was or is still on its way there.
#[must_use]
pub fn settled_with_its_project(claim: InvitationClaimSpec, now: Timestamp) -> InvitationClaimSpec {
    let resolved = if claim.attempt.is_some() { attempt_lost(claim) } else { claim };
    InvitationClaimSpec { debt: None, surplus: Vec::new(), ..let_go(resolved, Farewell::Settled, now) }
}

/// Whether a claim without an owner still has something to remember: otherwise it is deleted.
#[must_use]
pub fn worth_keeping(claim: &InvitationClaimSpec, now: Timestamp) -> bool {
    claim.owner.is_some()
        || claim.attempt.is_some()
        || claim.kept.is_some()
        || claim.debt.is_some()
        || !claim.surplus.is_empty()
        || mails_within_a_day(claim, now) > 0
}

/// Whether a claim without an owner still has something to do: a debt, an attempt that nobody has resolved, an invitation
/// that nobody left on purpose or that stands beside another.
#[must_use]
pub fn is_indebted(claim: &InvitationClaimSpec) -> bool {
    let unresolved = (claim.attempt.is_some() || claim.invitation.is_some()) && claim.kept.is_none();
    claim.owner.is_none() && (claim.debt.is_some() || unresolved || !claim.surplus.is_empty())
}

/// How many e-mails of the last 24 hours count against the cap.
#[must_use]
pub fn mails_within_a_day(claim: &InvitationClaimSpec, now: Timestamp) -> usize {
    let day_ago = now - SignedDuration::from_hours(24);
    claim.mails.iter().filter(|mail| mail.0 > day_ago).count()
}

/// When the oldest e-mail of the last 24 hours stops counting.
#[must_use]
pub fn cap_opens_at(claim: &InvitationClaimSpec, cap: usize, now: Timestamp) -> Option<Timestamp> {
    let day = SignedDuration::from_hours(24);
    let counted: Vec<_> = claim.mails.iter().map(|mail| mail.0).filter(|mail| *mail > now - day).collect();
    let blocking = counted.len().checked_sub(cap)?;
    counted.get(blocking).map(|mail| *mail + day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{claim, facts, invitation};

    #[test]
    fn a_refused_attempt_does_not_count_and_a_lost_one_does() {
        let facts = facts();
        let open = attempt_opened(claim(&facts), &facts);
        assert_eq!(mails_within_a_day(&open, facts.now), 1);
        assert_eq!(mails_within_a_day(&attempt_refused(open.clone(), None), facts.now), 0);
        let lost = attempt_lost(open);
        assert_eq!((mails_within_a_day(&lost, facts.now), lost.lost_attempts), (1, 1));
    }

    #[test]
    fn the_cap_opens_when_the_oldest_counted_mail_is_a_day_old() {
        let facts = facts();
        let mut claim = claim(&facts);
        let hour = SignedDuration::from_hours(1);
        claim.mails = [30, 20, 10, 1].map(|ago| whole_second(facts.now - hour * ago)).to_vec();
        assert_eq!(mails_within_a_day(&claim, facts.now), 3);
        assert_eq!(cap_opens_at(&claim, 3, facts.now), Some(whole_second(facts.now + hour * 4).0));
        assert_eq!(cap_opens_at(&claim, 4, facts.now), None);
        assert_eq!(cap_opens_at(&claim, 1, facts.now), Some(whole_second(facts.now + hour * 23).0));
    }

    #[test]
    fn a_claim_without_an_owner_is_finished_off_unless_what_it_holds_was_left_on_purpose() {
        let facts = facts();
        let owned = claim(&facts);
        let unowned = |claim: InvitationClaimSpec| InvitationClaimSpec { owner: None, ..claim };
        let open = attempt_opened(owned.clone(), &facts);
        let invited = recorded(open.clone(), &invitation(), Origin::Created);
        for (claim, indebted) in [
            (unowned(owned.clone()), false),
            (unowned(open.clone()), true),
            // Found by the sweep, which ended before it had cancelled it.
            (unowned(invited.clone()), true),
            (cancelling(unowned(invited.clone())), true),
            (unowned(with_surplus(owned, "64a0000000000000000000bb")), true),
            (let_go(invited.clone(), Farewell::Owed("no inviter".to_owned()), facts.now), true),
            (let_go(invited.clone(), Farewell::Settled, facts.now), false),
            (let_go(invited.clone(), Farewell::Kept, facts.now), false),
            (let_go(open, Farewell::Kept, facts.now), false),
            (invited, false),
        ] {
            assert_eq!(is_indebted(&claim), indebted, "{claim:?}");
        }
    }

    #[test]
    fn whoever_is_a_member_has_nothing_left_to_cancel() {
        let facts = facts();
        let begun = cancelling(recorded(claim(&facts), &invitation(), Origin::Created));
        assert!(!accepted(begun, facts.now).cancelling);
    }

    #[test]
    fn a_claim_is_worth_keeping_while_it_remembers_something() {
        let facts = facts();
        let settled = let_go(claim(&facts), Farewell::Settled, facts.now);
        assert!(!worth_keeping(&settled, facts.now));
        assert!(worth_keeping(&let_go(claim(&facts), Farewell::Kept, facts.now), facts.now));
        let open = attempt_opened(claim(&facts), &facts);
        assert!(worth_keeping(&let_go(open.clone(), Farewell::Settled, facts.now), facts.now));
        let mailed = let_go(attempt_lost(open), Farewell::Settled, facts.now);
        assert!(worth_keeping(&mailed, facts.now));
        assert!(!worth_keeping(&mailed, facts.now + SignedDuration::from_hours(25)));
    }
}
