//! Another invitation, asked for by annotation: once per token, under the cap, as one recorded sequence.
//!
//! Record the token, cancel what is pending, send: each its own pass, so that a crash between them continues where it
//! stood. Must never send because a token vanished or was there from the start.

use super::facts::{Facts, Ownership, Sight};
use super::finding::{Finding, accepted_finding};
use super::ledger;
use super::policy;
use super::remote::ObjectId;
use super::schedule::Wake;
use super::step::{Decision, Step, again, record, rest, stop};
use crate::api::{Adoption, InvitationClaimSpec, Origin, Plan, Reason};

/// The token that is to be acted on, if there is one.
#[must_use]
pub(super) fn wanted(facts: &Facts) -> Option<&str> {
    let recorded = match facts.ownership {
        Ownership::Mine => facts.claim.as_ref().and_then(|claim| claim.resend.as_ref()),
        Ownership::NoClaim | Ownership::Nobody | Ownership::Gone | Ownership::Other { .. } => None,
    };
    if let Some(pending) = recorded.and_then(|resend| resend.pending.as_deref()) {
        return Some(pending);
    }
    let token = facts.desired.resend.as_deref()?;
    let handled = match facts.ownership {
        Ownership::Mine => recorded.and_then(|resend| resend.handled.as_deref()),
        // Without a claim of its own an object asks for nothing again: its token is there from the start, unless the
        // status tells of an earlier invitation and of another token.
        Ownership::NoClaim if facts.status_tells_of_invitation => facts.status_resend.as_deref(),
        Ownership::NoClaim | Ownership::Nobody | Ownership::Gone | Ownership::Other { .. } => return None,
    };
    (handled != Some(token)).then_some(token)
}

/// The next step towards another invitation.
#[must_use]
pub(super) fn decide(facts: &Facts, token: &str) -> Decision {
    let claim = ledger::owned(facts);
    let begun = claim.resend.as_ref().is_some_and(|resend| resend.pending.is_some());
    if begun {
        return proceed(facts, claim, token);
    }
    if let Err(denial) = policy::check(&facts.inviter.allow, &facts.desired) {
        return stop(Reason::PolicyDenied, denial);
    }
    let Some(sight) = facts.sight.as_ref().filter(|sight| sight.fresh) else {
        return again(Reason::Inviting, "looking before anything is sent again");
    };
    if let Some(member) = &sight.member {
        let claim = ledger::accepted(ledger::resend_done(claim, token), facts.now);
        return record(claim, accepted_finding(&member.roles), Wake::NextLook);
    }
    if let Some(refusal) = foreign(facts, &claim, sight) {
        return refusal;
    }
    if let Some(capped) = capped(facts, &claim) {
        return capped;
    }
    let finding =
        Finding::new(Reason::Inviting, "cancelling the invitation and inviting again, as the resend annotation asks");
    Decision { plan: Some(Plan::Invite), ..record(ledger::resend_begun(claim, token), finding, Wake::Now) }
}

/// Only what this operator sent, or may change, is replaced.
fn foreign(facts: &Facts, claim: &InvitationClaimSpec, sight: &Sight) -> Option<Decision> {
    let recorded = claim.invitation.as_ref();
    let adopted = recorded.is_some_and(|invitation| invitation.origin == Origin::Adopted);
    let other = sight.pending.iter().any(|seen| recorded.is_none_or(|recorded| recorded.id != seen.id.as_str()));
    ((adopted || other) && facts.inviter.adoption != Adoption::Any).then(|| {
        stop(
            Reason::InvitationExists,
            "the pending invitation was sent by somebody else and is replaced only under adoption: Any",
        )
    })
}

fn capped(facts: &Facts, claim: &InvitationClaimSpec) -> Option<Decision> {
    let cap = usize::try_from(facts.mail_cap).unwrap_or(0);
    (ledger::mails_within_a_day(claim, facts.now) >= cap).then(|| super::decide::mail_cap_reached(facts, claim, cap))
}

/// The token is recorded: cancel what is there, then send.
fn proceed(facts: &Facts, claim: InvitationClaimSpec, token: &str) -> Decision {
    let finding = Finding::new(Reason::Inviting, "inviting again, as the resend annotation asks");
    let recorded = claim.invitation.as_ref().and_then(|invitation| ObjectId::parse(&invitation.id));
    let step = |step| Decision { step, finding: finding.clone(), wake: Wake::NextLook, plan: Some(Plan::Invite) };
    if let Some(id) = recorded {
        return step(Step::Cancel(id, Box::new(ledger::cancelling(claim))));
    }
    let Some(sight) = facts.sight.as_ref().filter(|sight| sight.fresh) else {
        return again(Reason::Inviting, "looking before anything is sent again");
    };
    if let Some(member) = &sight.member {
        // Accepted before it was cancelled: there is nothing to send, now or when the member leaves.
        let claim = ledger::accepted(ledger::resend_done(claim, token), facts.now);
        return record(claim, accepted_finding(&member.roles), Wake::NextLook);
    }
    if let Some(other) = sight.pending.first() {
        // Nobody gets a second invitation beside one that is pending: it is cancelled first.
        return step(Step::Cancel(other.id.clone(), Box::new(ledger::cancelling(claim))));
    }
    if let Some(capped) = capped(facts, &claim) {
        return capped;
    }
    if facts.inviter.mode == crate::api::Mode::Observe {
        return rest(Reason::ObserveOnly, finding.message, Wake::NextLook);
    }
    step(Step::Invite(Box::new(ledger::attempt_opened(claim, facts))))
}
