//! What the outcome of a step means.

use crate::api::{InvitationClaimSpec, Reason};
use crate::domain::conclude::{Conclusion, Outcome, conclude};
use crate::domain::decide::decide;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::ledger;
use crate::domain::schedule::Wake;
use crate::domain::testing::{claim, facts, invitation, now};
use std::time::Duration;

fn after_invite(outcome: Outcome) -> (Conclusion, InvitationClaimSpec) {
    let facts = facts();
    let open = ledger::attempt_opened(claim(&facts), &facts);
    let conclusion = conclude(&decide(&facts), outcome, Some(&open), &facts, 1);
    let after = conclusion.claim.clone().unwrap_or(open);
    (conclusion, after)
}

fn failure(kind: FailureKind) -> Outcome {
    Outcome::Failed(Failure { kind, message: "API answered so".to_owned() })
}

#[test]
fn an_answer_with_an_id_closes_the_attempt() {
    let (conclusion, claim) = after_invite(Outcome::Created(Box::new(invitation())));
    assert_eq!(conclusion.finding.reason, Reason::Invited);
    assert!(claim.attempt.is_none());
    assert_eq!(claim.invitation.unwrap().id, invitation().id.as_str());
}

#[test]
fn every_failure_that_may_have_mailed_leaves_the_attempt_open_and_the_mail_counted() {
    for kind in [
        FailureKind::Unavailable { retry_after: None },
        FailureKind::Doubtful,
        FailureKind::AlreadyThere,
        FailureKind::InvitationGone,
    ] {
        let (conclusion, claim) = after_invite(failure(kind));
        assert_eq!(conclusion.finding.reason, Reason::Looking, "{kind:?}");
        assert!(claim.attempt.is_some(), "{kind:?}");
        assert_eq!(claim.mails.len(), 1, "{kind:?}");
    }
}

#[test]
fn a_definite_no_that_time_cures_is_tried_again_soon() {
    for (kind, reason, wait) in [
        (FailureKind::RateLimited { retry_after: Some(Duration::from_secs(30)) }, Reason::RateLimited, 30),
        (FailureKind::InvitationThrottled, Reason::WaitingForSlot, 60),
        (FailureKind::Maintenance, Reason::ApiUnavailable, 1),
        (FailureKind::Unreachable, Reason::InviterNotReady, 1),
        (FailureKind::Fenced, Reason::Inviting, 1),
    ] {
        let (conclusion, claim) = after_invite(failure(kind));
        assert_eq!(conclusion.finding.reason, reason);
        assert_eq!(conclusion.wake, Wake::After(Duration::from_secs(wait)), "{kind:?}");
        assert!(claim.attempt.is_none() && claim.mails.is_empty() && claim.refusal.is_none(), "{kind:?}");
    }
}

#[test]
fn a_definite_no_that_a_human_cures_rests_in_the_claim() {
    for kind in
        [FailureKind::Refused, FailureKind::PermissionMissing, FailureKind::ProjectNotFound, FailureKind::WrongProduct]
    {
        let (conclusion, claim) = after_invite(failure(kind));
        let refusal = claim.refusal.unwrap();
        assert_eq!((refusal.times, refusal.reason.as_str()), (1, kind.reason().as_str()));
        assert_eq!(conclusion.wake, Wake::Refusal { at: now(), times: 1 });
        assert!(claim.attempt.is_none() && claim.mails.is_empty(), "{kind:?}");
    }
}

#[test]
fn the_same_request_refused_again_rests_longer() {
    let (_, refused) = after_invite(failure(FailureKind::Refused));
    let mut facts = facts();
    facts.claim = Some(refused.clone());
    facts.now = now() + jiff::SignedDuration::from_hours(2);
    facts.ownership = crate::domain::facts::Ownership::Mine;
    let open = ledger::attempt_opened(refused, &facts);
    let again = conclude(&decide(&facts), failure(FailureKind::Refused), Some(&open), &facts, 1);
    assert_eq!(again.claim.unwrap().refusal.unwrap().times, 2);
}

#[test]
fn success_without_an_id_is_never_sent_again() {
    let (conclusion, claim) = after_invite(Outcome::CreatedWithoutId);
    assert_eq!(conclusion.finding.reason, Reason::Looking);
    assert!(claim.attempt.unwrap().answered);
}
