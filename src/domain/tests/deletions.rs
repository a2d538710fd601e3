//! What happens to an object that is being deleted.

use crate::api::{Adoption, DeletionPolicy, Mode, Origin, Owner, Reason, Verdict, VerdictKind};
use crate::domain::decide::{decide, look_need};
use crate::domain::deletion::parting;
use crate::domain::desired::Life;
use crate::domain::facts::{Facts, Ownership, Quarantine, Successor};
use crate::domain::ledger::{self, Farewell};
use crate::domain::schedule::Wake;
use crate::domain::step::{LookNeed, Step};
use crate::domain::testing::{absent, claim, facts, invitation, member, now, pending};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

fn a_minute_ago() -> Timestamp {
    now() - SignedDuration::from_mins(1)
}

fn deleting(facts: Facts) -> Facts {
    Facts { life: Life::Deleting { since: a_minute_ago(), suspended: false }, ..facts }
}

fn invited() -> Facts {
    let claim = ledger::recorded(claim(&facts()), &invitation(), Origin::Created);
    deleting(Facts { claim: Some(claim), ownership: Ownership::Mine, sight: Some(pending(invitation())), ..facts() })
}

#[track_caller]
fn lets_go(facts: &Facts, farewell: &Farewell, reason: Reason) {
    let decision = decide(facts);
    assert_eq!((decision.step, decision.finding.reason), (Step::LetGo(farewell.clone()), reason));
}

#[test]
fn what_was_never_sent_needs_no_call() {
    let facts = deleting(Facts { sight: None, ..facts() });
    assert_eq!(look_need(&facts, false), LookNeed::None);
    lets_go(&facts, &Farewell::Settled, Reason::Cancelled);
}

#[test]
fn a_pending_invitation_is_cancelled_with_the_claim_closed_to_others() {
    let decision = decide(&invited());
    let Step::Cancel(id, claim) = decision.step else { panic!("{:?}", decision.step) };
    assert_eq!(id, invitation().id);
    assert!(claim.cancelling);
}

#[test]
fn an_invitation_that_no_list_shows_is_still_cancelled_by_its_id() {
    assert!(matches!(decide(&Facts { sight: Some(absent()), ..invited() }).step, Step::Cancel(..)));
}

#[test]
fn a_member_is_left_alone_and_it_is_said() {
    let seen_only_now = Facts { sight: Some(member()), ..invited() };
    lets_go(&seen_only_now, &Farewell::Settled, Reason::AccessLeftBehind);
    let mut known = Facts { sight: None, ..invited() };
    known.claim.as_mut().unwrap().verdict =
        Some(Verdict { kind: VerdictKind::Accepted, since: ledger::whole_second(now()) });
    lets_go(&known, &Farewell::Settled, Reason::AccessLeftBehind);
}

#[test]
fn keep_suspend_observe_and_foreign_invitations_leave_it_as_it_is() {
    let mut keep = Facts { sight: None, ..invited() };
    keep.desired.deletion = DeletionPolicy::Keep;
    let suspended = Facts { life: Life::Deleting { since: a_minute_ago(), suspended: true }, sight: None, ..invited() };
    let mut observed = Facts { sight: None, ..invited() };
    observed.inviter.mode = Mode::Observe;
    let mut foreign = Facts { sight: None, ..invited() };
    foreign.claim.as_mut().unwrap().invitation.as_mut().unwrap().origin = Origin::Adopted;
    foreign.inviter.adoption = Adoption::SameRoles;
    for facts in [keep, suspended, observed, foreign.clone()] {
        assert_eq!(look_need(&facts, false), LookNeed::None);
        lets_go(&facts, &Farewell::Kept, Reason::InvitationKept);
    }
    foreign.inviter.adoption = Adoption::Any;
    assert!(matches!(decide(&Facts { sight: Some(pending(invitation())), ..foreign }).step, Step::Cancel(..)));
}

#[test]
fn an_open_attempt_is_resolved_before_the_object_goes() {
    let base = facts();
    let open = ledger::attempt_opened(claim(&base), &base);
    let running = Quarantine::Running { elapsed: Duration::ZERO, left: Duration::from_secs(190) };
    let attempting = |sight, quarantine| {
        deleting(Facts {
            claim: Some(open.clone()),
            ownership: Ownership::Mine,
            sight: Some(sight),
            quarantine: Some(quarantine),
            ..facts()
        })
    };
    assert_eq!(decide(&attempting(absent(), running)).step, Step::Rest);
    let found = decide(&attempting(pending(invitation()), running));
    let Step::Record(claim) = found.step else { panic!("{:?}", found.step) };
    assert!(claim.invitation.is_some(), "found, and cancelled by the next pass");
    let lost = decide(&attempting(absent(), Quarantine::Over));
    let Step::Record(claim) = lost.step else { panic!("{:?}", lost.step) };
    assert!(claim.attempt.is_none(), "and nothing is sent again for an object that goes");
}

#[test]
fn anothers_claim_is_never_touched() {
    let other = Facts { ownership: Ownership::Other { shown: None }, sight: None, ..invited() };
    lets_go(&other, &Farewell::Settled, Reason::Cancelled);
}

#[test]
fn released_by_annotation_goes_at_once_and_owes() {
    let decision = decide(&Facts { life: Life::Released, sight: None, ..invited() });
    assert!(matches!(decision.step, Step::LetGo(Farewell::Owed(_))));
}

#[test]
fn a_cancellation_waits_a_moment_for_another_object_and_then_goes_ahead() {
    let just_now = Life::Deleting { since: now(), suspended: false };
    let facts = Facts { life: just_now, sight: None, ..invited() };
    assert_eq!(look_need(&facts, false), LookNeed::None);
    let decision = decide(&facts);
    assert_eq!((decision.step, decision.wake), (Step::Rest, Wake::After(Duration::from_secs(3))));
}

#[test]
fn a_rename_hands_the_claim_over_and_cancels_nothing() {
    let owner = Owner { namespace: "team-b".to_owned(), name: "jane".to_owned(), uid: "uid-2".to_owned() };
    let successor = Successor {
        owner: owner.clone(),
        inviter: facts().inviter.recorded,
        deletion: DeletionPolicy::Keep,
        resend: Some("copied along".to_owned()),
    };
    let facts = Facts { successor: Some(successor), sight: None, ..invited() };
    assert_eq!(look_need(&facts, false), LookNeed::None);
    let Step::HandOver(claim) = decide(&facts).step else { panic!("{:?}", decide(&facts).step) };
    assert_eq!(claim.owner, Some(owner));
    assert_eq!(claim.invitation, facts.claim.as_ref().unwrap().invitation);
    assert_eq!(claim.deletion, DeletionPolicy::Keep);
    assert_eq!(claim.resend.unwrap().handled.as_deref(), Some("copied along"), "a copied token asks for nothing");
}

#[test]
fn a_released_object_owes_what_is_pending_and_keeps_what_was_to_be_kept() {
    let owed = Farewell::Owed("released by annotation".to_owned());
    let released = |facts: Facts| Facts { life: Life::Released, sight: None, ..facts };
    lets_go(&released(invited()), &owed, Reason::Released);
    let mut keep = released(invited());
    keep.desired.deletion = DeletionPolicy::Keep;
    lets_go(&keep, &Farewell::Kept, Reason::Released);
    let mut open = released(invited());
    open.claim = Some(ledger::attempt_opened(claim(&facts()), &facts()));
    lets_go(&open, &owed, Reason::Released);
    let left = ledger::let_go(open.claim.clone().unwrap(), owed, now());
    assert!(ledger::is_indebted(&left) && left.attempt.is_some(), "somebody still has to find out");
    open.desired.deletion = DeletionPolicy::Keep;
    lets_go(&open, &Farewell::Kept, Reason::Released);
    lets_go(&released(facts()), &Farewell::Settled, Reason::Released);
}

#[test]
fn who_cannot_be_looked_after_parts_as_it_wished() {
    let invited = invited().claim.unwrap();
    let why = || "no inviter".to_owned();
    assert_eq!(parting(&invited, DeletionPolicy::Cancel, &why()), Farewell::Owed(why()));
    assert_eq!(parting(&invited, DeletionPolicy::Keep, &why()), Farewell::Kept);
    let over = ledger::withdrawn(invited, now());
    assert_eq!(parting(&over, DeletionPolicy::Cancel, &why()), Farewell::Settled);
    let open = ledger::attempt_opened(claim(&facts()), &facts());
    assert_eq!(parting(&open, DeletionPolicy::Cancel, &why()), Farewell::Owed(why()));
    let kept = ledger::let_go(open.clone(), Farewell::Kept, now());
    assert!(!ledger::is_indebted(&kept));
    let gone = ledger::settled_with_its_project(open, now());
    assert!(!ledger::is_indebted(&gone) && gone.attempt.is_none() && gone.mails.len() == 1);
}
