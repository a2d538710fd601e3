//! What failures do, what users read of them, and which phase they leave.

use crate::api::names::annotation;
use crate::api::{DeletionPolicy, Origin, Phase, ProjectInvitationStatus, Reason};
use crate::domain::conclude::{Conclusion, Outcome, blocked_message, conclude};
use crate::domain::desired::Life;
use crate::domain::facts::{Facts, Ownership};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::finding::{Finding, accepted_finding, invited_finding};
use crate::domain::ledger;
use crate::domain::projection::{Picture, is_news, project};
use crate::domain::remote::ObjectId;
use crate::domain::schedule::Wake;
use crate::domain::step::{Decision, Step};
use crate::domain::testing::{claim, facts, invitation, now};
use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use std::time::Duration;

const SILENT: FailureKind = FailureKind::Unavailable { retry_after: None };

fn invited() -> Facts {
    let claim = ledger::recorded(claim(&facts()), &invitation(), Origin::Created);
    Facts { claim: Some(claim), ownership: Ownership::Mine, ..facts() }
}

fn failed(step: Step, kind: FailureKind, facts: &Facts) -> Conclusion {
    let finding = Finding::new(Reason::Inviting, "as decided");
    let decision = Decision { step, finding, wake: Wake::Now, plan: None };
    let failure = Failure { kind, message: "API answered so".to_owned() };
    conclude(&decision, Outcome::Failed(failure), facts.claim.as_ref(), facts, 1)
}

#[test]
fn only_what_was_held_back_waits_no_longer_each_time() {
    let facts = facts();
    let step = || Step::Invite(Box::new(claim(&facts)));
    let ninth = |step: Step, kind| {
        let decision = Decision { step, finding: Finding::new(Reason::Inviting, "so"), wake: Wake::Now, plan: None };
        let failure = Failure { kind, message: String::new() };
        conclude(&decision, Outcome::Failed(failure), None, &facts, 9).wake
    };
    let held = FailureKind::HeldBack { retry_after: Duration::from_secs(30) };
    assert_eq!(ninth(step(), held), Wake::After(Duration::from_secs(30)));
    assert_eq!(ninth(step(), FailureKind::Maintenance), Wake::After(Duration::from_secs(256)));
    let cancel = Step::Cancel(invitation().id, Box::new(claim(&facts)));
    assert_eq!(ninth(cancel, FailureKind::Refused), Wake::After(Duration::from_secs(256)), "and not for hours");
}

#[test]
fn refused_roles_are_remembered_and_the_invitation_followed() {
    let facts = invited();
    let step = || Step::UpdateRoles(invitation().id, ["GROUP_OWNER".to_owned()].into());
    let human = failed(step(), FailureKind::Refused, &facts);
    let claim = human.claim.unwrap();
    assert_eq!(claim.refusal.as_ref().unwrap().times, 1);
    assert_eq!(claim.invitation, facts.claim.as_ref().unwrap().invitation);
    let rests = matches!(human.wake, Wake::Refusal { times: 1, .. });
    assert!(human.finding.reason == Reason::Refused && rests, "{:?}", human.wake);
    let silent = failed(step(), SILENT, &facts);
    assert_eq!((silent.claim, silent.wake), (None, Wake::After(Duration::from_secs(1))));
}

#[test]
fn a_cancellation_that_fails_is_blocked_only_where_somebody_waits_for_it() {
    let id = ObjectId::parse(invitation().id.as_str()).unwrap();
    let deleting = Life::Deleting { since: now(), suspended: false };
    for (life, reason) in [
        (Life::Live, Reason::ApiUnavailable),
        (Life::Suspended, Reason::ApiUnavailable),
        (deleting, Reason::CancelBlocked),
    ] {
        let facts = Facts { life, ..invited() };
        let step = Step::Cancel(id.clone(), Box::new(facts.claim.clone().unwrap()));
        let conclusion = failed(step, SILENT, &facts);
        assert_eq!(conclusion.finding.reason, reason, "{life:?}");
        assert_eq!(conclusion.wake, Wake::After(Duration::from_secs(1)), "{life:?}");
        let tells_way_out = conclusion.finding.message.contains(annotation::RELEASE);
        assert_eq!(tells_way_out, reason == Reason::CancelBlocked, "{life:?}");
    }
    assert!(blocked_message("no inviter").contains("(no inviter)"));
}

#[test]
fn who_is_there_already_is_looked_for_at_once_and_who_may_be_on_the_way_a_little_later() {
    let facts = Facts { claim: None, ..facts() };
    let open = ledger::attempt_opened(claim(&facts), &facts);
    let step = || Step::Invite(Box::new(open.clone()));
    assert_eq!(failed(step(), FailureKind::AlreadyThere, &facts).wake, Wake::Soon);
    assert_eq!(failed(step(), SILENT, &facts).wake, Wake::After(Duration::from_secs(2)));
}

#[test]
fn messages_say_until_when_and_with_which_roles() {
    let mut seen = invitation();
    seen.expires_at = Some(now());
    assert_eq!(invited_finding(&seen).message, "invited and not yet accepted; expires at 2026-11-01T12:00:00Z");
    seen.expires_at = None;
    assert_eq!(invited_finding(&seen).message, "invited and not yet accepted");
    let roles = |roles: &[&str]| accepted_finding(&roles.iter().map(|role| (*role).to_owned()).collect()).message;
    assert!(roles(&["GROUP_B", "GROUP_A"]).ends_with("with GROUP_A, GROUP_B"));
    assert!(roles(&[]).ends_with("with no roles"));
}

fn shown(facts: &Facts, before: Option<Phase>, reason: Reason) -> Option<Phase> {
    let before = ProjectInvitationStatus { phase: before, ..ProjectInvitationStatus::default() };
    let picture = Picture {
        before: &before,
        generation: 1,
        desired: Some(&facts.desired),
        claim: facts.claim.as_ref(),
        sight: None,
        finding: &Finding::new(reason, "so"),
        overdue: false,
        plan: None,
        now: now(),
    };
    project(&picture).phase
}

#[test]
fn the_phase_keeps_the_last_remote_fact() {
    let (nothing, empty, invited) = (facts(), Facts { claim: Some(claim(&facts())), ..facts() }, invited());
    let with = |verdict: fn(crate::api::InvitationClaimSpec) -> crate::api::InvitationClaimSpec| Facts {
        claim: invited.claim.clone().map(verdict),
        ..facts()
    };
    let accepted = with(|claim| ledger::accepted(claim, now()));
    let withdrawn = with(|claim| ledger::withdrawn(claim, now()));
    for (facts, before, reason, phase) in [
        (&nothing, None, Reason::Inviting, Phase::Pending),
        (&nothing, None, Reason::Refused, Phase::Failed),
        (&nothing, None, Reason::InvalidSpec, Phase::Failed),
        (&nothing, Some(Phase::Pending), Reason::Refused, Phase::Failed),
        (&nothing, Some(Phase::Failed), Reason::Refused, Phase::Failed),
        (&nothing, Some(Phase::Failed), Reason::Inviting, Phase::Pending),
        (&nothing, Some(Phase::Invited), Reason::Refused, Phase::Invited),
        (&nothing, Some(Phase::Invited), Reason::ClaimMissing, Phase::Invited),
        (&empty, None, Reason::Inviting, Phase::Pending),
        (&empty, Some(Phase::Invited), Reason::Looking, Phase::Pending),
        (&empty, None, Reason::PermissionMissing, Phase::Failed),
        (&invited, None, Reason::Invited, Phase::Invited),
        (&invited, Some(Phase::Invited), Reason::Expired, Phase::Expired),
        (&invited, Some(Phase::Expired), Reason::ApiUnavailable, Phase::Expired),
        (&invited, Some(Phase::Expired), Reason::Invited, Phase::Invited),
        (&invited, Some(Phase::Expired), Reason::Adopted, Phase::Invited),
        (&invited, Some(Phase::Pending), Reason::ApiUnavailable, Phase::Invited),
        (&accepted, Some(Phase::Invited), Reason::ApiUnavailable, Phase::Accepted),
        (&withdrawn, Some(Phase::Accepted), Reason::Withdrawn, Phase::Withdrawn),
    ] {
        assert_eq!(shown(facts, before, reason), Some(phase), "{before:?} {reason:?}");
    }
}

#[test]
fn a_reason_that_stands_in_a_condition_already_is_no_news() {
    let condition = |reason: Reason| Condition {
        type_: "Ready".to_owned(),
        status: "True".to_owned(),
        reason: reason.as_str().to_owned(),
        message: String::new(),
        last_transition_time: ledger::whole_second(now()),
        observed_generation: None,
    };
    let before =
        ProjectInvitationStatus { conditions: vec![condition(Reason::Invited)], ..ProjectInvitationStatus::default() };
    assert!(!is_news(&before, &Finding::new(Reason::Invited, "another message")));
    assert!(is_news(&before, &Finding::new(Reason::Expired, "")));
}

#[test]
fn an_e_mail_counts_for_a_day_and_not_a_moment_longer() {
    let mut claim = claim(&facts());
    let day = SignedDuration::from_hours(24);
    claim.mails = vec![ledger::whole_second(now())];
    assert_eq!(ledger::mails_within_a_day(&claim, now() + day - SignedDuration::from_secs(1)), 1);
    assert_eq!(ledger::mails_within_a_day(&claim, now() + day), 0);
    assert_eq!(ledger::cap_opens_at(&claim, 1, now()), Some(now() + day));
    assert_eq!(ledger::cap_opens_at(&claim, 1, now() + day), None);
}

#[test]
fn each_thing_that_an_unowned_claim_remembers_keeps_it() {
    let facts = facts();
    let nothing = ledger::let_go(claim(&facts), ledger::Farewell::Settled, now());
    assert!(!ledger::worth_keeping(&nothing, now()));
    assert!(ledger::worth_keeping(&claim(&facts), now()), "its owner");
    let mut attempt = ledger::attempt_opened(nothing.clone(), &facts);
    attempt.mails.clear();
    assert!(ledger::worth_keeping(&attempt, now()), "an attempt");
    let debt = ledger::let_go(claim(&facts), ledger::Farewell::Owed("no inviter".to_owned()), now());
    assert!(ledger::worth_keeping(&debt, now()), "a debt");
    assert!(ledger::worth_keeping(&ledger::with_surplus(nothing.clone(), "x"), now()), "a surplus invitation");
    let mut mailed = nothing;
    mailed.mails = vec![ledger::whole_second(now())];
    assert!(ledger::worth_keeping(&mailed, now()), "an e-mail");
}

#[test]
fn what_is_owed_or_kept_by_an_owner_that_cannot_be_looked_after() {
    use crate::domain::deletion::parting;
    use crate::domain::ledger::Farewell;
    let facts = facts();
    let open = ledger::attempt_opened(claim(&facts), &facts);
    let invited = ledger::recorded(claim(&facts), &invitation(), Origin::Created);
    let over = ledger::withdrawn(invited.clone(), now());
    let owed = || Farewell::Owed("gone".to_owned());
    for (claim, wish, farewell) in [
        (&open, DeletionPolicy::Cancel, owed()),
        (&invited, DeletionPolicy::Cancel, owed()),
        (&invited, DeletionPolicy::Keep, Farewell::Kept),
        (&over, DeletionPolicy::Cancel, Farewell::Settled),
        (&claim(&facts), DeletionPolicy::Keep, Farewell::Settled),
    ] {
        assert_eq!(parting(claim, wish, "gone"), farewell);
    }
    let indebted = ledger::let_go(ledger::with_surplus(open, "x"), owed(), now());
    let project_gone = ledger::settled_with_its_project(indebted, now());
    assert_eq!((project_gone.attempt, project_gone.lost_attempts), (None, 1));
    assert_eq!((project_gone.surplus, project_gone.owner, project_gone.debt), (Vec::new(), None, None));
}

#[test]
fn each_surplus_invitation_is_noted_once() {
    let noted = ledger::with_surplus(ledger::with_surplus(claim(&facts()), "x"), "y");
    assert_eq!(noted.surplus, ["x", "y"]);
    assert_eq!(ledger::with_surplus(noted, "x").surplus, ["x", "y"]);
}
