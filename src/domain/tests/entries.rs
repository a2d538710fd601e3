//! How the result of a call enters a claim that has changed meanwhile.

use crate::api::{
    Attempt, DeletionPolicy, InvitationClaimSpec, Kept, Origin, Owner, Reason, RecordedInvitation, Refusal, Verdict,
    VerdictKind,
};
use crate::domain::conclude::{Outcome, conclude};
use crate::domain::decide::{decide, look_need};
use crate::domain::desired::Life;
use crate::domain::entry::{Entry, enter};
use crate::domain::facts::{Facts, Ownership, Quarantine};
use crate::domain::ledger::{self, Farewell};
use crate::domain::step::{LookNeed, Step};
use crate::domain::testing::{absent, claim, facts, invitation, now, pending};

const OURS: &str = "64a0000000000000000000aa";
const OTHER: &str = "64a0000000000000000000bb";

fn open() -> InvitationClaimSpec {
    let facts = facts();
    ledger::attempt_opened(claim(&facts), &facts)
}

/// The claim with the invitation that our attempt made.
fn made(open: &InvitationClaimSpec) -> InvitationClaimSpec {
    ledger::recorded(open.clone(), &invitation(), Origin::Created)
}

fn another() -> RecordedInvitation {
    RecordedInvitation { id: OTHER.to_owned(), ..made(&open()).invitation.unwrap() }
}

fn somebody_else() -> Owner {
    Owner { uid: "uid-2".to_owned(), ..facts().desired.object }
}

fn refusal() -> Refusal {
    Refusal {
        reason: "Refused".to_owned(),
        message: "no".to_owned(),
        at: ledger::whole_second(now()),
        times: 1,
        request: "1".to_owned(),
    }
}

/// What becomes of our invitation when the claim is this by now.
fn entered(present: &InvitationClaimSpec) -> Option<InvitationClaimSpec> {
    match enter(&open(), &made(&open()), Some(present), now()) {
        Entry::Replace(next) => Some(*next),
        Entry::Nothing => None,
        Entry::Create(next) => panic!("{next:#?}"),
    }
}

fn id(claim: &InvitationClaimSpec) -> Option<&str> {
    claim.invitation.as_ref().map(|recorded| recorded.id.as_str())
}

#[test]
fn an_unchanged_claim_takes_the_result_as_it_is() {
    assert_eq!(entered(&open()), Some(made(&open())));
    assert_eq!(entered(&made(&open())), None, "written before, and its answer lost");
}

#[test]
fn a_result_that_says_nothing_new_changes_nothing() {
    let taken = InvitationClaimSpec { owner: Some(somebody_else()), ..open() };
    assert_eq!(enter(&open(), &open(), Some(&taken), now()), Entry::Nothing);
    let noted = entered(&ledger::holding(open(), another())).unwrap();
    assert_eq!(entered(&noted), None, "noted as surplus before");
}

#[test]
fn whoever_found_our_invitation_has_recorded_it() {
    let found = ledger::recorded(open(), &invitation(), Origin::Adopted);
    assert_eq!(entered(&found), None);
    let withdrawn = ledger::withdrawn(found, now());
    assert_eq!(entered(&withdrawn), None);
}

#[test]
fn resolved_to_another_invitation_ours_is_to_be_cancelled() {
    let other = ledger::holding(open(), another());
    let next = entered(&other).unwrap();
    assert_eq!(next.surplus, [OURS]);
    assert_eq!(InvitationClaimSpec { surplus: Vec::new(), ..next }, other, "nothing else changes");
}

#[test]
fn a_member_needs_no_invitation_and_ours_is_to_be_cancelled() {
    assert_eq!(entered(&ledger::accepted(open(), now())).unwrap().surplus, [OURS]);
}

#[test]
fn another_attempt_in_flight_is_not_disturbed_and_ours_is_to_be_cancelled() {
    let mut other = open();
    other.attempt = Some(Attempt { nonce: "another".to_owned(), ..other.attempt.unwrap() });
    let next = entered(&other).unwrap();
    assert_eq!((next.surplus.as_slice(), &next.attempt), ([OURS.to_owned()].as_slice(), &other.attempt));
    assert!(next.invitation.is_none());
}

#[test]
fn closed_as_lost_and_nothing_else_there_ours_stands() {
    let next = entered(&ledger::attempt_lost(open())).unwrap();
    assert_eq!((id(&next), next.lost_attempts, next.mails.len()), (Some(OURS), 0, 1));
    assert!(next.surplus.is_empty() && next.debt.is_none());
}

#[test]
fn an_invitation_that_was_withdrawn_before_ours_does_not_stand_in_its_way() {
    let withdrawn = ledger::withdrawn(ledger::holding(open(), another()), now());
    let next = entered(&withdrawn).unwrap();
    assert_eq!((id(&next), next.verdict.is_none()), (Some(OURS), true));
}

#[test]
fn a_claim_that_went_to_another_object_keeps_its_owner_and_has_ours() {
    let taken = InvitationClaimSpec { owner: Some(somebody_else()), ..open() };
    let next = entered(&taken).unwrap();
    assert_eq!((id(&next), next.owner.clone()), (Some(OURS), Some(somebody_else())));
    assert!(next.attempt.is_none());
}

#[test]
fn a_claim_without_owner_owes_the_cancellation_unless_it_was_kept() {
    for farewell in [Farewell::Settled, Farewell::Owed("released".to_owned())] {
        let next = entered(&ledger::let_go(open(), farewell, now())).unwrap();
        assert_eq!(id(&next), Some(OURS));
        assert!(next.debt.is_some() && next.owner.is_none());
    }
    let closed = ledger::let_go(ledger::attempt_lost(open()), Farewell::Settled, now());
    assert!(entered(&closed).unwrap().debt.is_some());
    let kept = entered(&ledger::let_go(open(), Farewell::Kept, now())).unwrap();
    assert_eq!((id(&kept), kept.debt.is_none()), (Some(OURS), true));
    assert!(matches!(kept.kept, Some(Kept { .. })));
}

#[test]
fn a_claim_that_was_deleted_is_made_anew_if_anything_may_have_been_sent() {
    let none = |after: &InvitationClaimSpec| enter(&open(), after, None, now());
    assert_eq!(none(&made(&open())), Entry::Create(Box::new(made(&open()))));
    let answered = ledger::attempt_answered(open());
    assert_eq!(none(&answered), Entry::Create(Box::new(answered.clone())));
    assert_eq!(none(&ledger::attempt_refused(open(), None)), Entry::Nothing);
    let cancelled = ledger::cancelled(made(&open()));
    assert_eq!(enter(&made(&open()), &cancelled, None, now()), Entry::Nothing);
}

#[test]
fn a_definite_no_closes_its_own_attempt_only() {
    let after = ledger::attempt_refused(open(), None);
    let taken = InvitationClaimSpec { owner: Some(somebody_else()), ..open() };
    let Entry::Replace(next) = enter(&open(), &after, Some(&taken), now()) else { panic!() };
    assert!(next.attempt.is_none() && next.mails.is_empty() && next.owner == Some(somebody_else()));
    let mut other = open();
    other.attempt = Some(Attempt { nonce: "another".to_owned(), ..other.attempt.unwrap() });
    assert_eq!(enter(&open(), &after, Some(&other), now()), Entry::Nothing);
    assert_eq!(enter(&open(), &after, Some(&ledger::attempt_lost(open())), now()), Entry::Nothing);
}

#[test]
fn what_one_owner_was_refused_is_not_held_against_the_next() {
    let after = ledger::attempt_refused(open(), Some(refusal()));
    let keeping = InvitationClaimSpec { deletion: DeletionPolicy::Keep, ..open() };
    let taken = InvitationClaimSpec { owner: Some(somebody_else()), ..open() };
    for (present, kept) in [(keeping, Some(refusal())), (taken, None)] {
        let Entry::Replace(next) = enter(&open(), &after, Some(&present), now()) else { panic!() };
        assert_eq!(next.refusal, kept);
    }
}

#[test]
fn a_cancellation_clears_just_the_invitation_that_was_cancelled() {
    let before = ledger::cancelling(made(&open()));
    let after = ledger::cancelled(before.clone());
    let taken = InvitationClaimSpec { owner: Some(somebody_else()), ..before.clone() };
    let Entry::Replace(next) = enter(&before, &after, Some(&taken), now()) else { panic!() };
    assert!(next.invitation.is_none() && !next.cancelling && next.owner == Some(somebody_else()));
    let other = ledger::holding(before.clone(), another());
    assert_eq!(enter(&before, &after, Some(&other), now()), Entry::Nothing);
    let next_one = ledger::cancelling(after.clone());
    assert_eq!(enter(&before, &after, Some(&next_one), now()), Entry::Nothing, "another cancellation goes on");
}

#[test]
fn a_surplus_invitation_is_struck_off_and_nothing_else_changes() {
    let before = ledger::with_surplus(ledger::holding(open(), another()), OURS);
    let after = ledger::without_surplus(before.clone(), OURS);
    let meanwhile = ledger::accepted(before.clone(), now());
    let Entry::Replace(next) = enter(&before, &after, Some(&meanwhile), now()) else { panic!() };
    assert_eq!(*next, ledger::without_surplus(meanwhile, OURS));
    let open = ledger::with_surplus(open(), OURS);
    let struck = ledger::without_surplus(open.clone(), OURS);
    let taken = InvitationClaimSpec { owner: Some(somebody_else()), ..open.clone() };
    let Entry::Replace(next) = enter(&open, &struck, Some(&taken), now()) else { panic!() };
    assert!(next.surplus.is_empty() && next.attempt == open.attempt);
}

#[test]
fn a_refused_change_of_roles_speaks_only_of_the_same_invitation() {
    let before = made(&open());
    let after = InvitationClaimSpec { refusal: Some(refusal()), ..before.clone() };
    let debited = InvitationClaimSpec { lost_attempts: 1, ..before.clone() };
    let Entry::Replace(next) = enter(&before, &after, Some(&debited), now()) else { panic!() };
    assert_eq!((next.refusal, next.lost_attempts), (Some(refusal()), 1));
    assert_eq!(enter(&before, &after, Some(&ledger::holding(before.clone(), another())), now()), Entry::Nothing);
}

fn with_surplus() -> Facts {
    let claim = ledger::with_surplus(ledger::holding(open(), another()), OURS);
    Facts { claim: Some(claim), ownership: Ownership::Mine, sight: None, ..facts() }
}

#[test]
fn a_surplus_invitation_is_cancelled_before_anything_else_whatever_the_objects_life() {
    let mut attempting = with_surplus();
    attempting.claim = Some(ledger::with_surplus(open(), OURS));
    attempting.quarantine = Some(Quarantine::Over);
    let deleting = Life::Deleting { since: now(), suspended: false };
    for facts in [
        with_surplus(),
        attempting,
        Facts { life: Life::Suspended, ..with_surplus() },
        Facts { life: deleting, ..with_surplus() },
    ] {
        assert_eq!(look_need(&facts, false), LookNeed::None);
        let Step::Cancel(id, claim) = decide(&facts).step else { panic!("{:?}", decide(&facts)) };
        assert_eq!((id.as_str(), Some(*claim)), (OURS, facts.claim.clone()));
    }
}

#[test]
fn it_is_struck_off_only_when_a_read_shows_that_it_is_gone() {
    let facts = with_surplus();
    let after = |outcome| conclude(&decide(&facts), outcome, facts.claim.as_ref(), &facts, 1).claim;
    assert_eq!(after(Outcome::Cancelled { already_gone: false }), None);
    for outcome in [Outcome::Cancelled { already_gone: true }, Outcome::NotOurs] {
        let next = after(outcome).unwrap();
        assert_eq!((id(&next), next.surplus.len()), (Some(OTHER), 0), "the one that stands stays");
    }
}

#[test]
fn a_surplus_invitation_that_is_taken_over_stands() {
    let nobodys = ledger::let_go(ledger::with_surplus(ledger::attempt_lost(open()), OURS), Farewell::Settled, now());
    assert!(ledger::worth_keeping(&nobodys, now() + jiff::SignedDuration::from_hours(48)));
    let facts =
        Facts { claim: Some(nobodys), ownership: Ownership::Nobody, sight: Some(pending(invitation())), ..facts() };
    let decision = decide(&facts);
    let Step::Record(next) = decision.step else { panic!("{:?}", decision.step) };
    assert_eq!((decision.finding.reason, id(&next), next.surplus.len()), (Reason::Adopted, Some(OURS), 0));
}

#[test]
fn an_accepted_claim_stays_so_beside_a_surplus_invitation() {
    let mut facts = with_surplus();
    facts.sight = Some(absent());
    facts.claim.as_mut().unwrap().verdict =
        Some(Verdict { kind: VerdictKind::Accepted, since: ledger::whole_second(now()) });
    assert!(matches!(decide(&facts).step, Step::Cancel(..)));
}
