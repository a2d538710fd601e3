//! What becomes of an attempt without an answer.

use super::decisions::{attempting, owning, recorded_claim, rests};
use crate::api::{OnUnknown, Origin, Reason};
use crate::domain::decide::decide;
use crate::domain::facts::{Facts, Ownership, Quarantine, Sight};
use crate::domain::ledger::whole_second;
use crate::domain::remote::{Invitation, ObjectId};
use crate::domain::schedule::Wake;
use crate::domain::step::Step;
use crate::domain::testing::{absent, claim, facts, invitation, now, pending};
use jiff::SignedDuration;
use std::time::Duration;

#[test]
fn an_open_attempt_sends_nothing_inside_its_quarantine() {
    let running = Quarantine::Running { elapsed: Duration::from_secs(5), left: Duration::from_secs(185) };
    let decision = rests(&Facts { quarantine: Some(running), ..attempting() }, Reason::Looking);
    assert_eq!(decision.wake, Wake::After(Duration::from_secs(10)));
}

#[test]
fn an_attempt_that_arrived_is_recorded_as_ours() {
    let decision = decide(&Facts { sight: Some(pending(invitation())), ..attempting() });
    let claim = recorded_claim(&decision);
    assert_eq!(claim.invitation.as_ref().unwrap().origin, Origin::Created);
    assert!(claim.attempt.is_none());
    assert_eq!(claim.mails.len(), 1);
}

#[test]
fn an_older_invitation_of_somebody_else_does_not_resolve_an_attempt() {
    let mut older = invitation();
    older.created_at = Some(now() - SignedDuration::from_hours(5));
    older.inviter_username = Some("somebody@example.com".to_owned());
    let decision = decide(&Facts { sight: Some(pending(older)), ..attempting() });
    assert!(recorded_claim(&decision).invitation.is_none());
    assert_eq!(recorded_claim(&decision).lost_attempts, 1);
}

#[test]
fn an_invitation_alike_but_of_somebody_else_resolves_nothing_while_ours_may_still_arrive() {
    let theirs = Invitation { inviter_username: Some("somebody@example.com".to_owned()), ..invitation() };
    let running = Quarantine::Running { elapsed: Duration::from_secs(5), left: Duration::from_secs(185) };
    let early = Facts { quarantine: Some(running), sight: Some(pending(theirs.clone())), ..attempting() };
    rests(&early, Reason::Looking);
    let ours = ObjectId::parse("64a0000000000000000000bb").unwrap();
    let both = Sight { pending: vec![theirs, Invitation { id: ours.clone(), ..invitation() }], ..absent() };
    let recorded = decide(&Facts { sight: Some(both), ..early });
    assert_eq!(recorded_claim(&recorded).invitation.as_ref().unwrap().id, ours.as_str());
}

#[test]
fn a_look_from_before_the_end_of_the_quarantine_makes_nobody_elses_invitation_ours() {
    let theirs = Invitation { inviter_username: Some("somebody@example.com".to_owned()), ..invitation() };
    let mut over = Facts { sight: Some(pending(theirs)), ..attempting() };
    assert!(recorded_claim(&decide(&over)).attempt.is_none());
    over.sight.as_mut().unwrap().fresh = false;
    assert_eq!(decide(&over).step, Step::LookAgain);
}

#[test]
fn an_attempt_dated_by_a_wrong_clock_is_resolved_by_its_sender_after_the_quarantine() {
    let mut wrong = attempting();
    let attempt = wrong.claim.as_mut().unwrap().attempt.as_mut().unwrap();
    attempt.started_at.0 += SignedDuration::from_hours(2);
    wrong.sight = Some(pending(invitation()));
    let running = Quarantine::Running { elapsed: Duration::from_secs(5), left: Duration::from_secs(185) };
    rests(&Facts { quarantine: Some(running), ..wrong.clone() }, Reason::Looking);
    let decision = decide(&wrong);
    assert_eq!(recorded_claim(&decision).invitation.as_ref().unwrap().origin, Origin::Created);
}

#[test]
fn after_the_quarantine_retry_closes_the_attempt_and_a_second_loss_holds() {
    let decision = decide(&attempting());
    let lost = recorded_claim(&decision).clone();
    assert_eq!((lost.lost_attempts, lost.attempt.as_ref()), (1, None));
    let mut once = owning(lost);
    assert!(matches!(decide(&once).step, Step::Invite(_)));
    once.claim.as_mut().unwrap().lost_attempts = 2;
    rests(&once, Reason::OutcomeUnknown);
}

#[test]
fn hold_and_an_answer_without_an_id_wait_for_a_human() {
    let mut hold = attempting();
    hold.inviter.on_unknown = OnUnknown::Hold;
    rests(&hold, Reason::OutcomeUnknown);
    let mut answered = attempting();
    answered.claim.as_mut().unwrap().attempt.as_mut().unwrap().answered = true;
    rests(&answered, Reason::OutcomeUnknown);
}

#[test]
fn who_may_not_send_takes_over_what_forbids_it_from_an_owner_that_is_gone() {
    let mut hold = attempting();
    hold.inviter.on_unknown = OnUnknown::Hold;
    let mut twice = owning(recorded_claim(&decide(&attempting())).clone());
    twice.claim.as_mut().unwrap().lost_attempts = 2;
    let mut capped = owning(claim(&facts()));
    capped.claim.as_mut().unwrap().mails =
        [3, 2, 1].map(|ago| whole_second(now() - SignedDuration::from_hours(ago))).into();
    for mut held in [hold, twice, capped] {
        held.ownership = Ownership::Gone;
        held.claim.as_mut().unwrap().owner.as_mut().unwrap().uid = "gone".to_owned();
        let decision = decide(&held);
        let taken = recorded_claim(&decision);
        assert_eq!(taken.owner.as_ref().unwrap().uid, held.desired.object.uid);
        let before = held.claim.as_ref().unwrap();
        assert_eq!(
            (&taken.attempt, taken.lost_attempts, &taken.mails),
            (&before.attempt, before.lost_attempts, &before.mails)
        );
    }
}
