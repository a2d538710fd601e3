//! The one place that decides what a pass does: exactly one step.
//!
//! Read top-down, first match wins, as the design's table of what was seen and what it means. Must never perform
//! anything, read a clock, or look at status for more than what forbids an e-mail.

use super::deletion;
use super::desired::Life;
use super::facts::{Facts, Ownership, Quarantine, Sight};
use super::ledger::{self, Farewell};
use super::policy;
use super::remote::{Invitation, ObjectId, Roles};
use super::schedule::Wake;
use crate::api::{
    Adoption, InvitationClaimSpec, Mode, OnUnknown, Origin, Plan, Reason, RecordedInvitation, VerdictKind,
};
use jiff::SignedDuration;

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
    /// Write the claim without its owner, then drop the finalizer.
    LetGo(Farewell),
}

/// Reason and message of the conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Of the catalogue.
    pub reason: Reason,
    /// For people; stable while nothing changes.
    pub message: String,
}

impl Finding {
    /// A reason with its message.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }
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

/// How much the decision will need to see; `absence_due` when a second roster could settle an absence.
#[must_use]
pub fn look_need(facts: &Facts, absence_due: bool) -> LookNeed {
    let attempt_open = facts.claim.as_ref().is_some_and(|claim| claim.attempt.is_some());
    match facts.life {
        Life::Released => return LookNeed::None,
        Life::Deleting { .. } => return deletion::look_need(facts),
        Life::Suspended if !attempt_open => return LookNeed::None,
        Life::Live | Life::Suspended => {}
    }
    if facts.owns_another_claim || matches!(facts.ownership, Ownership::Other { .. }) {
        return LookNeed::None;
    }
    let Some(claim) = &facts.claim else {
        return if policy::check(&facts.inviter.allow, &facts.desired).is_ok() {
            LookNeed::Fresh
        } else {
            LookNeed::None
        };
    };
    if attempt_open {
        return LookNeed::Fresh;
    }
    let settled = claim.invitation.is_some() || claim.verdict.is_some();
    if !settled && (policy::check(&facts.inviter.allow, &facts.desired).is_err() || refusal_stands(facts, claim)) {
        return LookNeed::None;
    }
    if facts.asked || absence_due || !settled { LookNeed::Fresh } else { LookNeed::Recent }
}

/// Decides the step of this pass.
#[must_use]
pub fn decide(facts: &Facts) -> Decision {
    match facts.life {
        Life::Released => let_go(
            Farewell::Owed("released by annotation".to_owned()),
            Finding::new(Reason::Released, "let go without calling the API, as the release annotation asks"),
        ),
        Life::Deleting { .. } => deletion::decide(facts),
        Life::Suspended | Life::Live => observe_holds_back(facts, decide_live(facts)),
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
    if facts.claim.as_ref().is_some_and(|claim| claim.attempt.is_some()) {
        return resolve_attempt(facts);
    }
    if facts.life == Life::Suspended {
        return rest(Reason::Suspended, "suspended: no call is made until spec.suspend is false", Wake::OnEvent);
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

/// An attempt without a recorded answer: nothing may be sent before it is resolved.
pub(super) fn resolve_attempt(facts: &Facts) -> Decision {
    let looking = "an invitation was sent and its answer lost: looking whether it arrived before anything else is sent";
    let (Some(claim), Some(sight)) = (&facts.claim, &facts.sight) else {
        return rest(Reason::Looking, looking, Wake::Soon);
    };
    let owned = || ledger::owned(facts);
    if let Some(member) = &sight.member {
        return record(ledger::accepted(owned(), facts.now), accepted_finding(&member.roles), Wake::NextLook);
    }
    if let Some(invitation) = of_attempt(facts, claim, sight) {
        let finding = invited_finding(invitation);
        return record(ledger::recorded(owned(), invitation, Origin::Created), finding, Wake::NextLook);
    }
    match (facts.quarantine, sight.fresh) {
        (Some(Quarantine::Running { elapsed, left }), _) => {
            rest(Reason::Looking, looking, Wake::attempt_look(elapsed, left))
        }
        (_, false) => again(Reason::Looking, looking),
        (_, true) => after_quarantine(facts, claim, sight),
    }
}

fn after_quarantine(facts: &Facts, claim: &InvitationClaimSpec, sight: &Sight) -> Decision {
    let answered = claim.attempt.as_ref().is_some_and(|attempt| attempt.answered);
    let may_close = !sight.pending.is_empty() || (!answered && facts.inviter.on_unknown == OnUnknown::Retry);
    let deleting = matches!(facts.life, Life::Deleting { .. });
    if may_close || deleting {
        // Lost, or somebody else's invitation stands where ours would: the next pass decides what follows.
        return record(
            ledger::attempt_lost(ledger::owned(facts)),
            Finding::new(Reason::Looking, "the last attempt was not found after the quarantine"),
            Wake::Now,
        );
    }
    outcome_unknown()
}

fn outcome_unknown() -> Decision {
    stop(
        Reason::OutcomeUnknown,
        "an invitation was sent, its answer lost, and the person is neither invited nor a member: ask the person, then \
         delete this object and create it anew to invite again",
    )
}

/// The pending invitation that the open attempt made: in its window of time, and ours by sender or by roles.
fn of_attempt<'a>(facts: &Facts, claim: &InvitationClaimSpec, sight: &'a Sight) -> Option<&'a Invitation> {
    // The clocks of the API and of this machine need not agree to the second.
    const SKEW: SignedDuration = SignedDuration::from_secs(60);
    let attempt = claim.attempt.as_ref()?;
    let reach = SignedDuration::try_from(facts.timings.post_deadline + facts.timings.server_delay).ok()?;
    sight.pending.iter().find(|invitation| {
        let in_window = invitation.created_at.is_none_or(|created| {
            created >= attempt.started_at.0 - SKEW && created <= attempt.started_at.0 + reach + SKEW
        });
        let sender_is_us = invitation.inviter_username.as_ref().is_none_or(|by| *by == facts.inviter.identity);
        in_window && (sender_is_us || invitation.roles == facts.desired.roles)
    })
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
        return adopt(facts, sight);
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
        return adopt(facts, sight);
    }
    if !sight.absence_settled {
        let finding = standing_of_record(recorded);
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
        // The invitation itself is pending, and is followed as ever.
        return Decision { wake: Wake::NextLook, ..refused_rest(claim) };
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
        return adopt(facts, sight);
    }
    let Some(claim) = &facts.claim else {
        if facts.status_tells_of_invitation {
            return stop(
                Reason::ClaimMissing,
                "the status tells of an invitation that the operator's ledger does not know and that is not at MongoDB \
                 (restored from a backup?): nothing is sent; delete this object and create it anew to invite again",
            );
        }
        return invite(facts, sight);
    };
    if claim.lost_attempts >= 2 {
        return outcome_unknown();
    }
    let cap = usize::try_from(facts.mail_cap).unwrap_or(0);
    if ledger::mails_within_a_day(claim, facts.now) >= cap {
        let opens = ledger::cap_opens_at(claim, cap.max(1), facts.now);
        let message = opens.map_or_else(
            || "no e-mails are allowed (--max-mails-per-person=0)".to_owned(),
            |at| format!("this person got {cap} e-mails for this project in 24 hours: the next may be sent at {at:.0}"),
        );
        return rest(Reason::MailCapReached, message, opens.map_or(Wake::OnEvent, Wake::At));
    }
    invite(facts, sight)
}

fn invite(facts: &Facts, sight: &Sight) -> Decision {
    let finding = Finding::new(Reason::Inviting, "sending the invitation");
    if !sight.fresh {
        return Decision { step: Step::LookAgain, finding, wake: Wake::Now, plan: Some(Plan::Invite) };
    }
    let claim = ledger::attempt_opened(ledger::owned(facts), facts);
    Decision { step: Step::Invite(Box::new(claim)), finding, wake: Wake::NextLook, plan: Some(Plan::Invite) }
}

/// A pending invitation that is not the recorded one: taken over as the inviter allows.
fn adopt(facts: &Facts, sight: &Sight) -> Decision {
    let ours = |invitation: &&Invitation| invitation.inviter_username.as_ref() == Some(&facts.inviter.identity);
    let Some(invitation) = sight.pending.iter().find(ours).or(sight.pending.first()) else {
        return again(Reason::Looking, "looking");
    };
    let allowed = ours(&invitation)
        || match facts.inviter.adoption {
            Adoption::Any => true,
            Adoption::SameRoles => invitation.roles == facts.desired.roles,
            Adoption::Never => false,
        };
    if !allowed {
        let roles = listed(&invitation.roles);
        return stop(
            Reason::InvitationExists,
            match facts.inviter.adoption {
                Adoption::Never => {
                    "somebody else's invitation of this person is pending, and the inviter has adoption: Never"
                        .to_owned()
                }
                Adoption::SameRoles | Adoption::Any => format!(
                    "somebody else's invitation of this person is pending with other roles ({roles}), and the inviter has \
                     adoption: SameRoles"
                ),
            },
        );
    }
    let mut decision = record(
        ledger::recorded(ledger::owned(facts), invitation, Origin::Adopted),
        Finding::new(Reason::Adopted, format!("took over a pending invitation {}", until(invitation.expires_at))),
        Wake::NextLook,
    );
    decision.plan = Some(Plan::Adopt);
    decision
}

/// Under `mode: Observe` nothing is sent, taken over or recorded anew; only an attempt made before is still resolved.
fn observe_holds_back(facts: &Facts, decision: Decision) -> Decision {
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
        Step::Rest | Step::Record(_) | Step::Invite(_) | Step::UpdateRoles(..) | Step::Cancel(..) | Step::LetGo(_) => {
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

/// Whether the API's last no still speaks of this very request and its time of rest is not over.
fn refusal_stands(facts: &Facts, claim: &InvitationClaimSpec) -> bool {
    claim.refusal.as_ref().is_some_and(|refusal| {
        refusal.request == request_name(facts) && facts.now < super::schedule::refusal_ends(refusal, &facts.timings)
    })
}

/// Names a request: a definite no stands until something in it changes.
#[must_use]
pub fn request_name(facts: &Facts) -> String {
    format!(
        "{}/{}/{}",
        facts.desired.generation,
        facts.inviter.revision,
        facts.desired.requested_at.as_deref().unwrap_or_default()
    )
}

fn refused_rest(claim: &InvitationClaimSpec) -> Decision {
    let Some(refusal) = &claim.refusal else { return again(Reason::Looking, "looking") };
    let reason = match refusal.reason.as_str() {
        "ProjectNotFound" => Reason::ProjectNotFound,
        "WrongProduct" => Reason::WrongProduct,
        "PermissionMissing" => Reason::PermissionMissing,
        _ => Reason::Refused,
    };
    rest(reason, refusal.message.clone(), Wake::Refusal { at: refusal.at.0, times: refusal.times })
}

/// How the recorded invitation stands while it is not certain that it is gone.
fn standing_of_record(recorded: &RecordedInvitation) -> Finding {
    let expires = recorded.expires_at.as_ref().map(|at| at.0);
    match recorded.origin {
        Origin::Created => Finding::new(Reason::Invited, format!("invited {}", until(expires))),
        Origin::Adopted => Finding::new(Reason::Adopted, format!("took over a pending invitation {}", until(expires))),
    }
}

fn invited_rest(recorded: &RecordedInvitation, pending: &Invitation) -> Decision {
    let finding = match recorded.origin {
        Origin::Created => invited_finding(pending),
        Origin::Adopted => standing_of_record(recorded),
    };
    rest(finding.reason, finding.message, Wake::NextLook)
}

/// Invited, until when.
#[must_use]
pub fn invited_finding(invitation: &Invitation) -> Finding {
    Finding::new(Reason::Invited, format!("invited {}", until(invitation.expires_at)))
}

fn until(expires: Option<jiff::Timestamp>) -> String {
    expires.map_or_else(|| "and not yet accepted".to_owned(), |at| format!("and not yet accepted; expires at {at:.0}"))
}

fn accepted_finding(roles: &Roles) -> Finding {
    Finding::new(Reason::Accepted, format!("the person is a member of the project with {}", listed(roles)))
}

fn withdrawn_finding() -> Finding {
    Finding::new(
        Reason::Withdrawn,
        "the invitation was declined or cancelled, or the member left or was removed; delete this object and create it \
         anew to invite again",
    )
}

fn withdrawn_rest() -> Decision {
    let finding = withdrawn_finding();
    rest(finding.reason, finding.message, Wake::NextLook)
}

fn expired_rest() -> Decision {
    rest(
        Reason::Expired,
        "the invitation expired unanswered; delete this object and create it anew to invite again",
        Wake::NextLook,
    )
}

/// Roles as messages show them.
#[must_use]
pub fn listed(roles: &Roles) -> String {
    if roles.is_empty() { "no roles".to_owned() } else { roles.iter().cloned().collect::<Vec<_>>().join(", ") }
}

pub(super) fn rest(reason: Reason, message: impl Into<String>, wake: Wake) -> Decision {
    Decision { step: Step::Rest, finding: Finding::new(reason, message), wake, plan: None }
}

/// Waits for a human; what the human does wakes the object.
fn stop(reason: Reason, message: impl Into<String>) -> Decision {
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
