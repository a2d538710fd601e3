//! Another invitation, asked for by annotation.

use crate::api::{InvitationClaimSpec, OnUnknown, Origin, Reason, Resend, Verdict, VerdictKind};
use crate::domain::decide::{decide, look_need};
use crate::domain::desired::Life;
use crate::domain::facts::{Facts, Ownership, Quarantine};
use crate::domain::ledger;
use crate::domain::step::{Decision, LookNeed, Step};
use crate::domain::testing::{absent, claim, facts, gone, invitation, member, now, pending};
use jiff::SignedDuration;

fn asking(claim: InvitationClaimSpec) -> Facts {
    let mut facts = Facts { claim: Some(claim), ownership: Ownership::Mine, ..facts() };
    facts.desired.resend = Some("again".to_owned());
    facts
}

fn invited() -> InvitationClaimSpec {
    let mut claim = ledger::recorded(claim(&facts()), &invitation(), Origin::Created);
    claim.mails = vec![ledger::whole_second(now() - SignedDuration::from_hours(2))];
    claim
}

fn written(decision: &Decision) -> &InvitationClaimSpec {
    let (Step::Record(claim) | Step::Invite(claim) | Step::Cancel(_, claim)) = &decision.step else {
        panic!("{:?}", decision.step)
    };
    claim
}

fn token(claim: &InvitationClaimSpec) -> (Option<&str>, Option<&str>) {
    let resend = claim.resend.as_ref();
    (resend.and_then(|resend| resend.handled.as_deref()), resend.and_then(|resend| resend.pending.as_deref()))
}

#[test]
fn a_new_token_is_recorded_then_the_invitation_cancelled_then_one_sent() {
    let facts = Facts { sight: Some(pending(invitation())), ..asking(invited()) };
    assert_eq!(look_need(&facts, false), LookNeed::Fresh);
    let begun = decide(&facts);
    assert_eq!(token(written(&begun)), (None, Some("again")));

    let facts = Facts { claim: Some(written(&begun).clone()), ..facts };
    let cancel = decide(&facts);
    assert!(matches!(&cancel.step, Step::Cancel(id, claim) if *id == invitation().id && claim.cancelling));

    let facts = Facts { claim: Some(ledger::cancelled(written(&cancel).clone())), sight: Some(absent()), ..facts };
    let sent = decide(&facts);
    assert!(matches!(sent.step, Step::Invite(_)));
    assert_eq!(token(written(&sent)), (Some("again"), None));
    assert_eq!(written(&sent).mails.len(), 2);

    let recorded = ledger::recorded(written(&sent).clone(), &invitation(), Origin::Created);
    let facts = Facts { claim: Some(recorded), sight: Some(pending(invitation())), ..facts };
    assert_eq!(decide(&facts).step, Step::Rest, "a token is acted on once");
}

#[test]
fn a_token_that_is_there_at_the_first_invitation_counts_as_handled() {
    let mut facts = facts();
    facts.desired.resend = Some("from the start".to_owned());
    let sent = decide(&facts);
    assert_eq!(token(written(&sent)), (Some("from the start"), None));
}

#[test]
fn a_vanished_annotation_resets_nothing_and_stops_nothing() {
    let mut claim = invited();
    claim.resend = Some(Resend { handled: Some("again".to_owned()), pending: None });
    let mut facts = Facts { sight: Some(pending(invitation())), ..asking(claim) };
    facts.desired.resend = None;
    assert_eq!(decide(&facts).step, Step::Rest);
    facts.desired.resend = Some("again".to_owned());
    assert_eq!(decide(&facts).step, Step::Rest, "the same token comes back");
    facts.claim.as_mut().unwrap().resend = Some(Resend { handled: None, pending: Some("x".to_owned()) });
    facts.desired.resend = None;
    assert!(matches!(decide(&facts).step, Step::Cancel(..)), "what was begun is finished");
}

#[test]
fn it_is_the_way_out_of_expired_withdrawn_claim_missing_and_unknown() {
    let mut withdrawn = invited();
    withdrawn.verdict = Some(Verdict { kind: VerdictKind::Withdrawn, since: ledger::whole_second(now()) });
    let mut expired = invited();
    expired.invitation.as_mut().unwrap().expires_at = Some(ledger::whole_second(now() - SignedDuration::from_hours(1)));
    let mut lost = claim(&facts());
    lost.lost_attempts = 2;
    for claim in [withdrawn, expired, lost] {
        let begun = decide(&Facts { sight: Some(gone()), ..asking(claim) });
        assert_eq!(token(written(&begun)), (None, Some("again")));
        assert_eq!((written(&begun).lost_attempts, &written(&begun).verdict), (0, &None));
    }
    let mut missing = Facts { status_tells_of_invitation: true, ..facts() };
    missing.desired.resend = Some("again".to_owned());
    assert!(matches!(decide(&missing).step, Step::Record(_)));
    missing.status_resend = Some("again".to_owned());
    assert_eq!(decide(&missing).finding.reason, Reason::ClaimMissing, "a token of before the restore sends nothing");

    let base = facts();
    let open = ledger::attempt_opened(claim(&base), &base);
    let mut held = Facts { quarantine: Some(Quarantine::Over), ..asking(open) };
    held.inviter.on_unknown = OnUnknown::Hold;
    assert_eq!(written(&decide(&held)).attempt, None);
}

#[test]
fn it_sends_nothing_to_a_member_nor_beyond_the_cap() {
    let done = decide(&Facts { sight: Some(member()), ..asking(invited()) });
    assert_eq!(token(written(&done)), (Some("again"), None));
    let mut capped = invited();
    capped.mails = vec![ledger::whole_second(now()); 3];
    let decision = decide(&Facts { sight: Some(pending(invitation())), ..asking(capped) });
    assert_eq!((&decision.step, decision.finding.reason), (&Step::Rest, Reason::MailCapReached));
}

#[test]
fn a_slot_is_needed_before_the_old_invitation_is_cancelled() {
    let mut facts = Facts { sight: Some(pending(invitation())), ..asking(invited()) };
    let begun = decide(&facts);
    assert!(begun.needs_slot(&facts), "{begun:?}");
    facts.claim = Some(written(&begun).clone());
    let cancelling = decide(&facts);
    assert!(matches!(cancelling.step, Step::Cancel(..)) && cancelling.needs_slot(&facts), "{cancelling:?}");
    facts.life = Life::Deleting { since: now(), suspended: false };
    let deleting = decide(&facts);
    assert!(!deleting.needs_slot(&facts), "{deleting:?}");
}

#[test]
fn whoever_accepts_before_the_cancellation_is_never_sent_another_invitation() {
    let begun = ledger::resend_begun(invited(), "again");
    let facts = Facts { sight: Some(member()), ..asking(ledger::cancelled(begun)) };
    let decision = decide(&facts);
    let claim = written(&decision);
    assert_eq!(token(claim), (Some("again"), None), "what was asked for is over");
    assert_eq!(claim.verdict.as_ref().unwrap().kind, VerdictKind::Accepted);

    let left = Facts { claim: Some(claim.clone()), sight: Some(gone()), ..facts };
    let decision = decide(&left);
    assert_eq!(written(&decision).verdict.as_ref().unwrap().kind, VerdictKind::Withdrawn, "and not: invited anew");
}

#[test]
fn what_is_sent_after_a_cancellation_without_an_answer_is_not_cancelled_for_it() {
    let mut begun = ledger::cancelling(ledger::resend_begun(invited(), "again"));
    begun.invitation = None;
    let decision = decide(&Facts { sight: Some(absent()), ..asking(begun) });
    assert!(matches!(decision.step, Step::Invite(_)));
    assert!(!written(&decision).cancelling);
}
