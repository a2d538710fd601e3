//! The one place that decides what a pass does: exactly one step.
//!
//! Read top-down, first match wins, as the design's table of what was seen and what it means. Must never perform
//! anything, read a clock, or look at status for more than what forbids an e-mail.

use super::desired::Life;
use super::facts::{Facts, LastPass, Ownership, Sight};
use super::finding::{
    Finding, accepted_finding, expired_finding, invited_finding, recorded_finding, withdrawn_finding,
};
use super::ledger;
use super::refusal::{refusal_stands, refused_rest};
use super::remote::{Invitation, ObjectId};
use super::resolve::{self, outcome_unknown, resolve_attempt};
use super::schedule::Wake;
use super::step::{Decision, LookNeed, Step, again, record, rest, stop};
use super::{adoption, deletion, observe, policy, resend};
use crate::api::{Adoption, InvitationClaimSpec, Origin, Phase, Plan, Reason, RecordedInvitation, VerdictKind};

/// How much the decision will need to see; `absence_due` when a second roster could settle an absence.
#[must_use]
pub fn look_need(facts: &Facts, absence_due: bool) -> LookNeed {
    let attempt_open = facts.claim.as_ref().is_some_and(|claim| claim.attempt.is_some());
    if facts.life != Life::Released && deletion::surplus(facts).is_some() {
        return LookNeed::None;
    }
    match facts.life {
        Life::Released => return LookNeed::None,
        Life::Deleting { .. } => return deletion::look_need(facts),
        Life::Suspended if !attempt_open => return LookNeed::None,
        Life::Live | Life::Suspended => {}
    }
    if facts.owns_another_claim || matches!(facts.ownership, Ownership::Other { .. }) {
        return LookNeed::None;
    }
    let rested = facts.last_pass == LastPass::Rested;
    let Some(claim) = &facts.claim else {
        return match policy::check(&facts.inviter.allow, &facts.desired) {
            Err(_) => LookNeed::None,
            Ok(()) if facts.asked || absence_due || resend::wanted(facts).is_some() => LookNeed::Fresh,
            Ok(()) => recent(rested),
        };
    };
    if attempt_open {
        let waits_for_human = rested && !facts.asked && !absence_due && resolve::holds(facts);
        return if waits_for_human { LookNeed::Recent } else { LookNeed::Fresh };
    }
    let settled = claim.invitation.is_some() || claim.verdict.is_some();
    if !settled && (policy::check(&facts.inviter.allow, &facts.desired).is_err() || refusal_stands(facts, claim)) {
        return LookNeed::None;
    }
    if facts.asked || absence_due || resend::wanted(facts).is_some() {
        LookNeed::Fresh
    } else {
        recent(settled || rested)
    }
}

/// Who is about to be invited needs a fresh roster; who waits for something else shares the project's.
fn recent(waits: bool) -> LookNeed {
    if waits { LookNeed::Recent } else { LookNeed::FreshWithSlot }
}

/// Whether nothing is recorded of the person anywhere: then their absence means an invitation or nothing, and nobody is
/// missed.
#[must_use]
pub fn is_newcomer(facts: &Facts) -> bool {
    let recorded = facts.claim.is_some() || facts.owns_another_claim || facts.status_tells_of_invitation;
    facts.life == Life::Live && !recorded
}

/// Decides the step of this pass.
#[must_use]
pub fn decide(facts: &Facts) -> Decision {
    match facts.life {
        Life::Released => deletion::released(facts),
        Life::Deleting { .. } => deletion::decide(facts),
        Life::Suspended | Life::Live => observe::hold_back(facts, decide_live(facts)),
    }
}

fn decide_live(facts: &Facts) -> Decision {
    if facts.owns_another_claim {
        return stop(
            Reason::InviterMoved,
            "inviterRef now leads to another API host or project than the one that holds this invitation: point it back, \
             or delete this object and create it anew",
        );
    }
    if let Ownership::Other { shown } = &facts.ownership {
        return stop(
            Reason::DuplicateInvitee,
            shown.as_ref().map_or_else(
                || "another ProjectInvitation owns the invitation of this person to this project".to_owned(),
                |name| format!("ProjectInvitation {name} owns the invitation of this person to this project"),
            ),
        );
    }
    if let Some(cancel) = deletion::surplus(facts) {
        return cancel;
    }
    if facts.claim.as_ref().is_some_and(|claim| claim.attempt.is_some()) {
        return resolve_attempt(facts);
    }
    if facts.life == Life::Suspended {
        return rest(Reason::Suspended, "suspended: no call is made until spec.suspend is false", Wake::OnEvent);
    }
    if let Some(token) = resend::wanted(facts) {
        return resend::decide(facts, token);
    }
    match (&facts.claim, &facts.ownership) {
        (Some(claim), Ownership::Mine) => match &claim.verdict {
            Some(verdict) => after_verdict(facts, verdict.kind),
            None => match &claim.invitation {
                Some(invitation) => with_invitation(facts, claim, invitation),
                None => without_invitation(facts),
            },
        },
        // Nobody's claim that holds an invitation is taken over before anything is concluded from it.
        (Some(claim), _) if claim.invitation.is_some() => take_over(facts),
        (_, _) => without_invitation(facts),
    }
}

/// Who may not send owns what forbids it: otherwise nobody could ask it for another one.
pub(super) fn held(facts: &Facts, at_rest: Decision) -> Decision {
    if facts.ownership == Ownership::Mine { at_rest } else { take_over(facts) }
}

fn take_over(facts: &Facts) -> Decision {
    if let Err(denial) = policy::check(&facts.inviter.allow, &facts.desired) {
        return stop(Reason::PolicyDenied, denial);
    }
    record(
        ledger::owned(facts),
        Finding::new(Reason::Looking, "taking over the invitation that is recorded for this person"),
        Wake::Now,
    )
}

fn after_verdict(facts: &Facts, verdict: VerdictKind) -> Decision {
    let Some(sight) = &facts.sight else { return again(Reason::Looking, "looking") };
    let claim = ledger::owned(facts);
    if let Some(member) = &sight.member {
        let finding = accepted_finding(&member.roles);
        return match verdict {
            VerdictKind::Accepted if facts.claim.as_ref() == Some(&claim) => {
                rest(Reason::Accepted, finding.message, Wake::NextLook)
            }
            VerdictKind::Accepted => record(claim, finding, Wake::NextLook),
            VerdictKind::Withdrawn => record(ledger::accepted(claim, facts.now), finding, Wake::NextLook),
        };
    }
    if !sight.pending.is_empty() {
        return adoption::adopt(facts, sight);
    }
    match verdict {
        VerdictKind::Withdrawn => withdrawn_rest(),
        VerdictKind::Accepted if sight.absence_settled => {
            record(ledger::withdrawn(claim, facts.now), withdrawn_finding(), Wake::NextLook)
        }
        VerdictKind::Accepted => {
            rest(Reason::Accepted, "the person has accepted and is a member of the project", Wake::AbsenceGap)
        }
    }
}

fn with_invitation(facts: &Facts, claim: &InvitationClaimSpec, recorded: &RecordedInvitation) -> Decision {
    if claim.cancelling {
        return finish_cancel(facts, recorded);
    }
    let Some(sight) = &facts.sight else { return again(Reason::Looking, "looking") };
    let owned = ledger::owned(facts);
    if let Some(member) = &sight.member {
        return record(ledger::accepted(owned, facts.now), accepted_finding(&member.roles), Wake::NextLook);
    }
    let expired = recorded.expires_at.as_ref().is_some_and(|at| at.0 <= facts.now);
    if let Some(pending) = sight.pending.iter().find(|invitation| invitation.id.as_str() == recorded.id) {
        // The inviter or the policy on deletion changed: the claim follows, before anything is called.
        if facts.claim.as_ref() != Some(&owned) {
            return record(owned, invited_finding(pending), Wake::Now);
        }
        if pending.roles != facts.desired.roles && !expired {
            return update_roles(facts, claim, recorded, pending);
        }
        return if expired { expired_rest() } else { invited_rest(recorded, pending) };
    }
    if !sight.pending.is_empty() {
        return adoption::beside(facts, sight, claim, recorded);
    }
    if !sight.absence_settled {
        let finding = if expired && facts.status_phase == Some(Phase::Expired) {
            expired_finding()
        } else {
            recorded_finding(recorded)
        };
        return rest(finding.reason, finding.message, Wake::AbsenceGap);
    }
    if expired {
        return expired_rest();
    }
    record(ledger::withdrawn(owned, facts.now), withdrawn_finding(), Wake::NextLook)
}

/// A claim that was taken over in the middle of a cancellation: finished first, then its new owner is invited anew.
fn finish_cancel(facts: &Facts, recorded: &RecordedInvitation) -> Decision {
    let finding = Finding::new(Reason::Cancelling, "finishing the cancellation that a former owner began");
    let claim = ledger::owned(facts);
    match ObjectId::parse(&recorded.id) {
        Some(id) => {
            Decision { step: Step::Cancel(id, Box::new(claim)), finding, wake: Wake::Now, plan: Some(Plan::Cancel) }
        }
        None => record(ledger::cancelled(claim), finding, Wake::Now),
    }
}

fn update_roles(
    facts: &Facts,
    claim: &InvitationClaimSpec,
    recorded: &RecordedInvitation,
    pending: &Invitation,
) -> Decision {
    if recorded.origin == Origin::Adopted && facts.inviter.adoption != Adoption::Any {
        return rest(
            Reason::RolesNotEnforced,
            "the invitation was sent by somebody else, and its roles are changed only under adoption: Any",
            Wake::NextLook,
        );
    }
    if let Err(denial) = policy::check(&facts.inviter.allow, &facts.desired) {
        return stop(Reason::PolicyDenied, denial);
    }
    if refusal_stands(facts, claim) {
        return refused_rest(claim);
    }
    if !pending_read_is_current(facts) {
        return again(Reason::Invited, "looking again before the roles are changed");
    }
    Decision {
        step: Step::UpdateRoles(pending.id.clone(), facts.desired.roles.clone()),
        finding: invited_finding(pending),
        wake: Wake::NextLook,
        plan: Some(Plan::UpdateRoles),
    }
}

fn pending_read_is_current(facts: &Facts) -> bool {
    facts.sight.as_ref().is_some_and(|sight| sight.fresh)
}

/// No invitation of ours is recorded: adopt, conclude or invite.
fn without_invitation(facts: &Facts) -> Decision {
    if let Err(denial) = policy::check(&facts.inviter.allow, &facts.desired) {
        return stop(Reason::PolicyDenied, denial);
    }
    if let Some(claim) = &facts.claim
        && refusal_stands(facts, claim)
    {
        return refused_rest(claim);
    }
    let Some(sight) = &facts.sight else { return again(Reason::Inviting, "looking before anything is sent") };
    if let Some(member) = &sight.member {
        let claim = ledger::accepted(ledger::owned(facts), facts.now);
        return record(claim, accepted_finding(&member.roles), Wake::NextLook);
    }
    if !sight.pending.is_empty() {
        return adoption::adopt(facts, sight);
    }
    let Some(claim) = &facts.claim else {
        if facts.status_tells_of_invitation {
            return stop(
                Reason::ClaimMissing,
                "the status tells of an invitation that the operator's ledger does not know and that is not at MongoDB \
                 (restored from a backup?): nothing is sent until the annotation invitation-operator.io/resend has a new value",
            );
        }
        return invite(facts, sight);
    };
    let cap = usize::try_from(facts.mail_cap).unwrap_or(0);
    let is_capped = ledger::mails_within_a_day(claim, facts.now) >= cap;
    if claim.lost_attempts >= 2 {
        return held(facts, outcome_unknown());
    }
    if is_capped {
        return held(facts, mail_cap_reached(facts, claim, cap));
    }
    invite(facts, sight)
}

/// The person got as many e-mails as allowed; it opens when the oldest of them is a day old.
pub(super) fn mail_cap_reached(facts: &Facts, claim: &InvitationClaimSpec, cap: usize) -> Decision {
    let opens = ledger::cap_opens_at(claim, cap.max(1), facts.now);
    let message = opens.map_or_else(
        || "no e-mails are allowed (--max-mails-per-person=0)".to_owned(),
        |at| format!("this person got {cap} e-mails for this project in 24 hours: the next may be sent at {at:.0}"),
    );
    rest(Reason::MailCapReached, message, opens.map_or(Wake::OnEvent, Wake::At))
}

fn invite(facts: &Facts, sight: &Sight) -> Decision {
    let finding = Finding::new(Reason::Inviting, "sending the invitation");
    if !sight.fresh {
        return Decision { step: Step::LookAgain, finding, wake: Wake::Now, plan: Some(Plan::Invite) };
    }
    let claim = ledger::attempt_opened(ledger::owned(facts), facts);
    Decision { step: Step::Invite(Box::new(claim)), finding, wake: Wake::NextLook, plan: Some(Plan::Invite) }
}

fn invited_rest(recorded: &RecordedInvitation, pending: &Invitation) -> Decision {
    let finding = match recorded.origin {
        Origin::Created => invited_finding(pending),
        Origin::Adopted => recorded_finding(recorded),
    };
    rest(finding.reason, finding.message, Wake::NextLook)
}

fn withdrawn_rest() -> Decision {
    let finding = withdrawn_finding();
    rest(finding.reason, finding.message, Wake::NextLook)
}

fn expired_rest() -> Decision {
    let finding = expired_finding();
    rest(finding.reason, finding.message, Wake::NextLook)
}
