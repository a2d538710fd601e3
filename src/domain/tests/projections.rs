//! What users see: phase, conditions, stability.

use crate::api::names::condition;
use crate::api::{Origin, Phase, ProjectInvitationStatus, ReadyWhen, Reason, Verdict, VerdictKind};
use crate::domain::facts::Facts;
use crate::domain::finding::Finding;
use crate::domain::ledger;
use crate::domain::projection::{Picture, is_news, project};
use crate::domain::testing::{claim, facts, invitation, member, now, pending};
use jiff::SignedDuration;

fn picture(facts: &Facts, before: &ProjectInvitationStatus, finding: &Finding) -> ProjectInvitationStatus {
    project(&Picture {
        before,
        generation: 1,
        desired: Some(&facts.desired),
        claim: facts.claim.as_ref(),
        sight: facts.sight.as_ref(),
        finding,
        overdue: false,
        plan: None,
        now: facts.now,
    })
}

fn invited() -> Facts {
    let claim = ledger::recorded(claim(&facts()), &invitation(), Origin::Created);
    Facts { claim: Some(claim), sight: Some(pending(invitation())), ..facts() }
}

fn state(status: &ProjectInvitationStatus, type_: &str) -> Option<(String, String)> {
    let found = status.conditions.iter().find(|condition| condition.type_ == type_)?;
    Some((found.status.clone(), found.reason.clone()))
}

#[allow(clippy::unnecessary_wraps, reason = "compared with what may be absent")]
fn is(status: &str, reason: &str) -> Option<(String, String)> {
    Some((status.to_owned(), reason.to_owned()))
}

#[test]
fn an_invitation_shows_its_id_and_times() {
    let status = picture(&invited(), &ProjectInvitationStatus::default(), &Finding::new(Reason::Invited, "invited"));
    assert_eq!(status.phase, Some(Phase::Invited));
    assert_eq!(status.id.as_deref(), Some(invitation().id.as_str()));
    assert_eq!(status.expires_at.as_ref().map(|at| at.0), invitation().expires_at);
    assert_eq!(state(&status, condition::READY), is("True", "Invited"));
    assert_eq!(state(&status, condition::ACCEPTED), is("False", "Invited"));
    assert_eq!(state(&status, condition::ROLES_IN_SYNC), is("True", "RolesInSync"));
    assert_eq!(state(&status, condition::STALLED), None);
}

#[test]
fn the_same_facts_give_the_same_status_later() {
    let finding = Finding::new(Reason::Invited, "invited");
    let first = picture(&invited(), &ProjectInvitationStatus::default(), &finding);
    let later = Facts { now: now() + SignedDuration::from_hours(1), ..invited() };
    assert_eq!(picture(&later, &first, &finding), first);
    assert!(!is_news(&first, &finding));
}

#[test]
fn once_invited_a_silent_api_turns_nothing_red() {
    let first = picture(&invited(), &ProjectInvitationStatus::default(), &Finding::new(Reason::Invited, "invited"));
    let silent = picture(&invited(), &first, &Finding::new(Reason::ApiUnavailable, "no answer"));
    assert_eq!(state(&silent, condition::READY), is("True", "Invited"));
    assert_eq!(state(&silent, condition::RECONCILING), is("True", "ApiUnavailable"));
    let never =
        picture(&facts(), &ProjectInvitationStatus::default(), &Finding::new(Reason::ApiUnavailable, "no answer"));
    assert_eq!(state(&never, condition::READY), is("False", "ApiUnavailable"));
}

#[test]
fn what_the_human_does_is_red_only_when_acceptance_was_asked_for() {
    for reason in [Reason::Expired, Reason::Withdrawn] {
        let mut facts = invited();
        let finding = Finding::new(reason, "over");
        let status = picture(&facts, &ProjectInvitationStatus::default(), &finding);
        assert_eq!(state(&status, condition::READY), is("True", reason.as_str()));
        facts.desired.ready_when = ReadyWhen::Accepted;
        let status = picture(&facts, &ProjectInvitationStatus::default(), &finding);
        assert_eq!(state(&status, condition::READY), is("False", reason.as_str()));
        assert_eq!(state(&status, condition::STALLED), is("True", reason.as_str()));
    }
}

#[test]
fn a_member_keeps_the_invitation_in_view_and_shows_other_roles() {
    let mut facts = Facts { sight: Some(member()), ..invited() };
    let claim = facts.claim.as_mut().unwrap();
    claim.verdict = Some(Verdict { kind: VerdictKind::Accepted, since: ledger::whole_second(now()) });
    claim.accepted_at = Some(ledger::whole_second(now()));
    facts.desired.roles = ["GROUP_OWNER".to_owned()].into();
    let status = picture(&facts, &ProjectInvitationStatus::default(), &Finding::new(Reason::Accepted, "member"));
    assert_eq!(status.phase, Some(Phase::Accepted));
    assert!(status.accepted_at.is_some() && status.user_id.is_some() && status.id.is_some());
    assert_eq!(state(&status, condition::ACCEPTED), is("True", "Accepted"));
    assert_eq!(state(&status, condition::ROLES_IN_SYNC), is("False", "RolesNotEnforced"));
}

#[test]
fn refused_before_there_ever_was_an_invitation_is_failed() {
    let mut facts = facts();
    facts.claim = Some(claim(&facts));
    let status = picture(&facts, &ProjectInvitationStatus::default(), &Finding::new(Reason::Refused, "no"));
    assert_eq!(status.phase, Some(Phase::Failed));
    assert_eq!(state(&status, condition::STALLED), is("True", "Refused"));
    let after = picture(&invited(), &ProjectInvitationStatus::default(), &Finding::new(Reason::Refused, "no"));
    assert_eq!(after.phase, Some(Phase::Invited), "a refused change of roles leaves the invitation");
}

#[test]
fn a_suspended_object_keeps_its_readiness() {
    let first = picture(&invited(), &ProjectInvitationStatus::default(), &Finding::new(Reason::Invited, "invited"));
    let suspended = picture(&invited(), &first, &Finding::new(Reason::Suspended, "suspended"));
    assert_eq!(state(&suspended, condition::READY), is("True", "Suspended"));
    assert_eq!(suspended.phase, Some(Phase::Invited));
    assert_eq!(state(&suspended, condition::STALLED), None);
}

#[test]
fn an_object_that_is_suspended_before_it_is_ready_waits_for_a_human() {
    let status = picture(&facts(), &ProjectInvitationStatus::default(), &Finding::new(Reason::Suspended, "suspended"));
    assert_eq!(state(&status, condition::READY), is("False", "Suspended"));
    assert_eq!(state(&status, condition::STALLED), is("True", "Suspended"));
}
