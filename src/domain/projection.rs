//! Status as a projection of the claim and of what was last seen.
//!
//! Given the same facts it gives the same status to the byte, so that an unchanged object is never written. Must never
//! hold a time that moves by itself, a request id or a count-down.

use super::desired::Desired;
use super::facts::Sight;
use super::finding::Finding;
use super::ledger::whole_second;
use super::remote::Roles;
use super::standing::{Ready, Wait, standing};
use crate::api::names::condition;
use crate::api::{InvitationClaimSpec, Phase, Plan, ProjectInvitationStatus, Reason, VerdictKind};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

/// What a status is made of.
#[derive(Clone, Debug)]
pub struct Picture<'a> {
    /// The status as it is.
    pub before: &'a ProjectInvitationStatus,
    /// Generation of the spec.
    pub generation: i64,
    /// The wish, if the spec could be read.
    pub desired: Option<&'a Desired>,
    /// This object's claim as it now is; `None` where it has none or another object owns it.
    pub claim: Option<&'a InvitationClaimSpec>,
    /// What was seen, if a look was made.
    pub sight: Option<&'a Sight>,
    /// How the object stands.
    pub finding: &'a Finding,
    /// Whether the wait for an inviter has outlasted its grace.
    pub overdue: bool,
    /// The call that `mode: Observe` held back.
    pub plan: Option<Plan>,
    /// Wall clock, for transition times.
    pub now: Timestamp,
}

/// The status that the picture asks for.
#[must_use]
pub fn project(picture: &Picture<'_>) -> ProjectInvitationStatus {
    let before = picture.before;
    let mut after = before.clone();
    let invitation = picture.claim.and_then(|claim| claim.invitation.as_ref());
    if let Some(invitation) = invitation {
        after.id = Some(invitation.id.clone());
        after.created_at.clone_from(&invitation.created_at);
        after.expires_at.clone_from(&invitation.expires_at);
        after.inviter_username.clone_from(&invitation.inviter_username);
    } else if picture.claim.is_some_and(|claim| claim.verdict.is_none()) {
        after.id = None;
        after.created_at = None;
        after.expires_at = None;
        after.inviter_username = None;
        after.roles = None;
    }
    if let Some(claim) = picture.claim {
        after.accepted_at.clone_from(&claim.accepted_at);
        after.mails_sent = i32::try_from(claim.mails.len()).ok();
        after.last_mailed_at = claim.mails.last().cloned();
        let handled = claim.resend.as_ref().and_then(|resend| resend.handled.clone());
        after.last_handled_resend = handled.or(after.last_handled_resend);
    }
    if let Some(sight) = picture.sight.filter(|_| picture.claim.is_some()) {
        if let Some(member) = &sight.member {
            after.roles = Some(sorted(&member.roles));
            after.user_id.clone_from(&member.user_id);
        } else if let Some(pending) =
            sight.pending.iter().find(|seen| invitation.is_some_and(|recorded| recorded.id == seen.id.as_str()))
        {
            after.roles = Some(sorted(&pending.roles));
            after.group_name = pending.group_name.clone().or(after.group_name);
        }
    }
    after.phase = Some(phase(picture));
    after.plan = picture.plan;
    if let Some(desired) = picture.desired {
        after.last_handled_reconcile_at =
            desired.requested_at.clone().or_else(|| before.last_handled_reconcile_at.clone());
    }
    after.observed_generation = Some(picture.generation);
    after.conditions = conditions(picture, &after);
    after
}

fn sorted(roles: &Roles) -> Vec<String> {
    roles.iter().cloned().collect()
}

/// The last remote fact.
fn phase(picture: &Picture<'_>) -> Phase {
    let before = picture.before.phase;
    let refused = matches!(
        picture.finding.reason,
        Reason::Refused
            | Reason::ProjectNotFound
            | Reason::WrongProduct
            | Reason::PermissionMissing
            | Reason::InvalidSpec
    );
    match picture.claim {
        Some(claim) => match (claim.verdict.as_ref().map(|verdict| verdict.kind), &claim.invitation) {
            (Some(VerdictKind::Accepted), _) => Phase::Accepted,
            (Some(VerdictKind::Withdrawn), _) => Phase::Withdrawn,
            (None, Some(_)) if picture.finding.reason == Reason::Expired => Phase::Expired,
            (None, Some(_)) if before == Some(Phase::Expired) && keeps_phase(picture.finding.reason) => Phase::Expired,
            (None, Some(_)) => Phase::Invited,
            (None, None) if refused => Phase::Failed,
            (None, None) => Phase::Pending,
        },
        None if refused && before.is_none_or(|phase| matches!(phase, Phase::Pending | Phase::Failed)) => Phase::Failed,
        None => match before {
            None | Some(Phase::Failed) => Phase::Pending,
            Some(phase) => phase,
        },
    }
}

/// Whether a reason says nothing new about the invitation itself.
fn keeps_phase(reason: Reason) -> bool {
    !matches!(reason, Reason::Invited | Reason::Adopted | Reason::Accepted | Reason::Withdrawn)
}

fn conditions(picture: &Picture<'_>, after: &ProjectInvitationStatus) -> Vec<Condition> {
    let finding = picture.finding;
    let ready_when = picture.desired.map(|desired| desired.ready_when).unwrap_or_default();
    let standing = standing(finding.reason, ready_when, picture.overdue);
    let previous = find(&picture.before.conditions, condition::READY);
    let was_ready = previous.filter(|before| before.status == "True");
    let (ready, reason, message) = match (standing.ready, was_ready) {
        // An object that is ready stays so, reason and all, while the operator waits for something.
        (Ready::AsBefore, Some(before)) if finding.reason != Reason::Suspended => {
            (true, before.reason.as_str(), before.message.as_str())
        }
        (Ready::Yes, _) | (Ready::AsBefore, Some(_)) => (true, finding.reason.as_str(), finding.message.as_str()),
        (Ready::No, _) | (Ready::AsBefore, None) => (false, finding.reason.as_str(), finding.message.as_str()),
    };
    let mut list = Vec::new();
    let mut add = |type_: &str, status: bool, reason: &str, message: &str| {
        list.push(with_transition(picture, type_, status, reason, message));
    };
    add(condition::READY, ready, reason, message);
    match standing.wait {
        Wait::None => {}
        Wait::Reconciling => add(condition::RECONCILING, true, finding.reason.as_str(), &finding.message),
        Wait::StalledUnlessReady if ready => {}
        Wait::Stalled | Wait::StalledUnlessReady => {
            add(condition::STALLED, true, finding.reason.as_str(), &finding.message);
        }
    }
    let accepted = after.phase == Some(Phase::Accepted);
    let phase = after.phase.map_or("Pending", Phase::as_str);
    let message =
        if accepted { "the person is a member of the project" } else { "the person is not a member of the project" };
    add(condition::ACCEPTED, accepted, phase, message);
    if let (Some(desired), Some(reported)) = (picture.desired, &after.roles) {
        let reported: Roles = reported.iter().cloned().collect();
        if reported == desired.roles {
            add(condition::ROLES_IN_SYNC, true, Reason::RolesInSync.as_str(), "MongoDB reports the roles of the spec");
        } else {
            let message = format!("MongoDB reports {}", super::finding::listed(&reported));
            add(condition::ROLES_IN_SYNC, false, Reason::RolesNotEnforced.as_str(), &message);
        }
    }
    list
}

fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

fn with_transition(picture: &Picture<'_>, type_: &str, status: bool, reason: &str, message: &str) -> Condition {
    let status = if status { "True" } else { "False" };
    let since = find(&picture.before.conditions, type_)
        .filter(|before| before.status == status)
        .map_or_else(|| whole_second(picture.now), |before| before.last_transition_time.clone());
    Condition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        last_transition_time: since,
        observed_generation: Some(picture.generation),
    }
}

/// Whether the finding's reason stands in none of the conditions before: only then is there an event.
#[must_use]
pub fn is_news(before: &ProjectInvitationStatus, finding: &Finding) -> bool {
    before.conditions.iter().all(|condition| condition.reason != finding.reason.as_str())
}
