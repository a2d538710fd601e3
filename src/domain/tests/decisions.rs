//! What was seen, what it means: one test a row of the table.

use crate::api::{Adoption, InvitationClaimSpec, Mode, Origin, Owner, Plan, Reason, Verdict, VerdictKind};
use crate::domain::decide::{decide, is_newcomer, look_need};
use crate::domain::desired::Life;
use crate::domain::facts::{Facts, LastPass, Ownership, Quarantine};
use crate::domain::ledger;
use crate::domain::policy::{Allow, Allowed};
use crate::domain::remote::{Invitation, ObjectId};
use crate::domain::schedule::Wake;
use crate::domain::step::{Decision, LookNeed, Step};
use crate::domain::testing::{absent, claim, facts, gone, invitation, member, now, pending};
use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Facts of an object that owns this claim.
pub(super) fn owning(claim: InvitationClaimSpec) -> Facts {
    Facts { claim: Some(claim), ownership: Ownership::Mine, ..facts() }
}

/// Facts of an object whose invitation is recorded.
fn invited() -> Facts {
    owning(ledger::recorded(claim(&facts()), &invitation(), Origin::Created))
}

pub(super) fn attempting() -> Facts {
    let facts = facts();
    let claim = ledger::attempt_opened(claim(&facts), &facts);
    Facts { quarantine: Some(Quarantine::Over), ..owning(claim) }
}

pub(super) fn recorded_claim(decision: &Decision) -> &InvitationClaimSpec {
    let Step::Record(claim) = &decision.step else { panic!("expected a record, got {:?}", decision.step) };
    claim
}

#[track_caller]
pub(super) fn rests(facts: &Facts, reason: Reason) -> Decision {
    let decision = decide(facts);
    assert_eq!((&decision.step, decision.finding.reason), (&Step::Rest, reason), "{}", decision.finding.message);
    decision
}

#[test]
fn nobody_there_and_nothing_recorded_is_invited_with_an_open_attempt() {
    let decision = decide(&facts());
    let Step::Invite(claim) = &decision.step else { panic!("{:?}", decision.step) };
    let attempt = claim.attempt.as_ref().unwrap();
    assert_eq!(attempt.nonce, "nonce");
    assert_eq!(attempt.deadline.0.duration_since(attempt.started_at.0), SignedDuration::from_secs(10));
    assert_eq!(claim.mails.len(), 1);
    assert_eq!(claim.owner.as_ref().unwrap().uid, "uid-1");
}

#[test]
fn a_newcomer_is_who_is_wanted_and_of_whom_nothing_is_recorded() {
    assert!(is_newcomer(&facts()));
    let known = [
        invited(),
        attempting(),
        owning(claim(&facts())),
        Facts { owns_another_claim: true, ..facts() },
        Facts { status_tells_of_invitation: true, ..facts() },
        Facts { life: Life::Suspended, ..facts() },
        Facts { life: Life::Deleting { since: now(), suspended: false }, ..facts() },
    ];
    assert!(!known.iter().any(is_newcomer));
}

#[test]
fn nothing_is_sent_on_a_roster_that_was_begun_before_the_live_read() {
    let mut facts = facts();
    facts.sight.as_mut().unwrap().fresh = false;
    assert_eq!(decide(&facts).step, Step::LookAgain);
    facts.sight = None;
    assert_eq!(decide(&facts).step, Step::LookAgain);
    assert_eq!(look_need(&facts, false), LookNeed::FreshWithSlot);
}

#[test]
fn who_waits_for_something_else_shares_the_projects_roster() {
    let mut facts = Facts { last_pass: LastPass::Rested, ..facts() };
    assert_eq!(look_need(&facts, false), LookNeed::Recent);
    assert_eq!(look_need(&facts, true), LookNeed::Fresh, "the pass that comes back for a fresh look gets one");
    facts.claim = Some(claim(&facts));
    facts.ownership = Ownership::Mine;
    assert_eq!(look_need(&facts, false), LookNeed::Recent);
    facts.sight.as_mut().unwrap().fresh = false;
    assert_eq!(decide(&facts).step, Step::LookAgain, "and looks afresh before anything is sent");
}

#[test]
fn a_member_is_accepted_without_a_mail() {
    let decision = decide(&Facts { sight: Some(member()), ..facts() });
    let claim = recorded_claim(&decision);
    assert_eq!(claim.verdict.as_ref().unwrap().kind, VerdictKind::Accepted);
    assert!(claim.mails.is_empty() && claim.accepted_at.is_some());
}

#[test]
fn a_member_wins_over_a_pending_invitation() {
    let mut sight = pending(invitation());
    sight.member = member().member;
    let decision = decide(&Facts { sight: Some(sight), ..invited() });
    assert_eq!(recorded_claim(&decision).verdict.as_ref().unwrap().kind, VerdictKind::Accepted);
}

#[test]
fn somebody_elses_invitation_is_taken_over_as_adoption_says() {
    let mut theirs = invitation();
    theirs.inviter_username = Some("somebody@example.com".to_owned());
    let mut other_roles = theirs.clone();
    other_roles.roles = ["GROUP_OWNER".to_owned()].into();
    for (adoption, invitation, adopted) in [
        (Adoption::Any, &theirs, true),
        (Adoption::Any, &other_roles, true),
        (Adoption::SameRoles, &theirs, true),
        (Adoption::SameRoles, &other_roles, false),
        (Adoption::Never, &theirs, false),
    ] {
        let mut facts = Facts { sight: Some(pending(invitation.clone())), ..facts() };
        facts.inviter.adoption = adoption;
        if adopted {
            let decision = decide(&facts);
            let claim = recorded_claim(&decision);
            assert_eq!(claim.invitation.as_ref().unwrap().origin, Origin::Adopted);
            assert!(claim.mails.is_empty());
        } else {
            rests(&facts, Reason::InvitationExists);
        }
    }
}

#[test]
fn changed_roles_of_an_own_invitation_are_replaced_in_place() {
    let mut facts = Facts { sight: Some(pending(invitation())), ..invited() };
    facts.desired.roles = ["GROUP_OWNER".to_owned()].into();
    assert_eq!(decide(&facts).step, Step::UpdateRoles(invitation().id, facts.desired.roles.clone()));
    facts.sight.as_mut().unwrap().fresh = false;
    assert_eq!(decide(&facts).step, Step::LookAgain, "roles are changed on a fresh look only");
}

#[test]
fn roles_of_an_adopted_invitation_are_changed_only_under_any() {
    let mut facts = Facts { sight: Some(pending(invitation())), ..invited() };
    facts.claim.as_mut().unwrap().invitation.as_mut().unwrap().origin = Origin::Adopted;
    facts.desired.roles = ["GROUP_OWNER".to_owned()].into();
    facts.inviter.adoption = Adoption::SameRoles;
    rests(&facts, Reason::RolesNotEnforced);
    facts.inviter.adoption = Adoption::Any;
    assert!(matches!(decide(&facts).step, Step::UpdateRoles(..)));
}

#[test]
fn a_vanished_invitation_is_withdrawn_only_when_its_absence_is_settled() {
    let unsettled = rests(&Facts { sight: Some(absent()), ..invited() }, Reason::Invited);
    assert_eq!(unsettled.wake, Wake::AbsenceGap);
    let decision = decide(&Facts { sight: Some(gone()), ..invited() });
    assert_eq!(recorded_claim(&decision).verdict.as_ref().unwrap().kind, VerdictKind::Withdrawn);
}

fn judged(kind: VerdictKind) -> Facts {
    let mut facts = invited();
    let verdict = Verdict { kind, since: ledger::whole_second(now()) };
    facts.claim.as_mut().unwrap().verdict = Some(verdict);
    facts
}

#[test]
fn a_verdict_stays_until_the_person_is_seen_again() {
    rests(&Facts { sight: Some(gone()), ..judged(VerdictKind::Withdrawn) }, Reason::Withdrawn);
    rests(&Facts { sight: Some(member()), ..judged(VerdictKind::Accepted) }, Reason::Accepted);
    let back = decide(&Facts { sight: Some(member()), ..judged(VerdictKind::Withdrawn) });
    assert_eq!(recorded_claim(&back).verdict.as_ref().unwrap().kind, VerdictKind::Accepted);
    let again = decide(&Facts { sight: Some(pending(invitation())), ..judged(VerdictKind::Withdrawn) });
    assert!(recorded_claim(&again).verdict.is_none());
}

#[test]
fn a_member_who_left_is_withdrawn_after_two_rosters_and_never_invited_again() {
    rests(&Facts { sight: Some(absent()), ..judged(VerdictKind::Accepted) }, Reason::Accepted);
    let decision = decide(&Facts { sight: Some(gone()), ..judged(VerdictKind::Accepted) });
    assert_eq!(recorded_claim(&decision).verdict.as_ref().unwrap().kind, VerdictKind::Withdrawn);
}

#[test]
fn a_lost_ledger_holds_instead_of_mailing_everybody() {
    rests(&Facts { status_tells_of_invitation: true, ..facts() }, Reason::ClaimMissing);
    let found = decide(&Facts { status_tells_of_invitation: true, sight: Some(pending(invitation())), ..facts() });
    assert!(matches!(found.step, Step::Record(_)), "what is still pending is found again");
}

#[test]
fn another_live_owner_makes_a_duplicate_that_is_named_only_inside_its_namespace() {
    for (shown, named) in [(Some("other".to_owned()), true), (None, false)] {
        let facts = Facts { ownership: Ownership::Other { shown }, sight: None, ..invited() };
        assert_eq!(look_need(&facts, false), LookNeed::None);
        let message = rests(&facts, Reason::DuplicateInvitee).finding.message;
        assert_eq!(message.contains("ProjectInvitation other owns"), named, "{message}");
    }
}

#[test]
fn a_claim_whose_owner_is_gone_is_taken_over_without_a_mail() {
    for ownership in [Ownership::Gone, Ownership::Nobody] {
        let mut facts = Facts { ownership, sight: Some(pending(invitation())), ..invited() };
        facts.claim.as_mut().unwrap().owner =
            Some(Owner { namespace: "team-a".to_owned(), name: "old".to_owned(), uid: "uid-0".to_owned() });
        let decision = decide(&facts);
        let claim = recorded_claim(&decision);
        assert_eq!(claim.owner.as_ref().unwrap().uid, "uid-1");
        assert_eq!(claim.invitation, facts.claim.as_ref().unwrap().invitation);
    }
}

#[test]
fn a_cancellation_in_progress_is_finished_before_its_new_owner_is_invited() {
    let mut facts = Facts { sight: Some(pending(invitation())), ..invited() };
    facts.claim.as_mut().unwrap().cancelling = true;
    assert!(matches!(decide(&facts).step, Step::Cancel(..)));
}

#[test]
fn an_inviter_that_moved_stops_the_object() {
    rests(&Facts { owns_another_claim: true, ..facts() }, Reason::InviterMoved);
}

#[test]
fn policy_forbids_before_anything_is_asked_of_the_network() {
    let mut facts = Facts { sight: None, ..facts() };
    let only = |item: &str| Allowed::Only([item.to_owned()].into());
    for (allow, rule) in [
        (Allow { projects: only("0"), roles: Allowed::Any, email_domains: Allowed::Any }, "allow.projects"),
        (Allow { projects: Allowed::Any, roles: only("GROUP_OWNER"), email_domains: Allowed::Any }, "allow.roles"),
        (
            Allow { projects: Allowed::Any, roles: Allowed::Any, email_domains: only("mongodb.com") },
            "allow.emailDomains",
        ),
    ] {
        facts.inviter.allow = allow;
        assert_eq!(look_need(&facts, false), LookNeed::None);
        assert!(rests(&facts, Reason::PolicyDenied).finding.message.contains(rule));
    }
}

#[test]
fn a_tightened_policy_stops_a_change_of_roles_but_takes_nothing_away() {
    let mut facts = Facts { sight: Some(pending(invitation())), ..invited() };
    facts.inviter.allow.roles = Allowed::Only(["GROUP_READ_ONLY".to_owned()].into());
    rests(&facts, Reason::Invited);
    facts.desired.roles = ["GROUP_OWNER".to_owned()].into();
    rests(&facts, Reason::PolicyDenied);
}

#[test]
fn the_cap_per_person_waits_until_it_opens() {
    let mut claim = claim(&facts());
    let hour = SignedDuration::from_hours(1);
    claim.mails = [3, 2, 1].map(|ago| ledger::whole_second(now() - hour * ago)).to_vec();
    let decision = rests(&owning(claim), Reason::MailCapReached);
    assert_eq!(decision.wake, Wake::At(now() + hour * 21));
}

#[test]
fn a_suspended_object_only_resolves_what_is_open() {
    rests(&Facts { life: Life::Suspended, sight: None, ..facts() }, Reason::Suspended);
    assert_eq!(look_need(&Facts { life: Life::Suspended, ..facts() }, false), LookNeed::None);
    let decision = decide(&Facts { life: Life::Suspended, sight: Some(pending(invitation())), ..attempting() });
    assert!(recorded_claim(&decision).invitation.is_some());
}

#[test]
fn observe_names_the_call_and_makes_none() {
    let mut theirs = invitation();
    theirs.inviter_username = Some("somebody@example.com".to_owned());
    let mut changed = Facts { sight: Some(pending(invitation())), ..invited() };
    changed.desired.roles = ["GROUP_OWNER".to_owned()].into();
    for (facts, plan) in [
        (facts(), Plan::Invite),
        (Facts { sight: Some(pending(theirs)), ..facts() }, Plan::Adopt),
        (changed, Plan::UpdateRoles),
        (Facts { sight: Some(member()), ..facts() }, Plan::None),
        (Facts { sight: Some(pending(invitation())), ..invited() }, Plan::None),
    ] {
        let mut facts = facts;
        facts.inviter.mode = Mode::Observe;
        let decision = rests(&facts, Reason::ObserveOnly);
        assert_eq!(decision.plan, Some(plan));
    }
}

#[test]
fn a_definite_no_rests_until_its_time_or_until_the_request_changes() {
    let facts = facts();
    let mut claim = claim(&facts);
    claim.refusal = Some(crate::api::Refusal {
        reason: "Refused".to_owned(),
        message: "API answered 400 INVALID_ROLE_FOR_GROUP".to_owned(),
        at: ledger::whole_second(now()),
        times: 1,
        request: crate::domain::refusal::request_name(&facts),
    });
    let facts = owning(claim);
    let decision = rests(&facts, Reason::Refused);
    assert_eq!(decision.wake, Wake::Refusal { at: now(), times: 1 });
    assert_eq!(look_need(&facts, false), LookNeed::None, "nothing is asked while it rests");
    let mut edited = facts.clone();
    edited.desired.generation = 2;
    assert!(matches!(decide(&edited).step, Step::Invite(_)));
    let mut asked = facts.clone();
    asked.desired.requested_at = Some("now".to_owned());
    assert!(matches!(decide(&asked).step, Step::Invite(_)));
    let mut anew = facts.clone();
    anew.desired.object.uid = "made-anew".to_owned();
    anew.ownership = Ownership::Gone;
    assert_ne!(decide(&anew).finding.reason, Reason::Refused, "what another object was told is not for this one");
    let later = Facts { now: now() + SignedDuration::from_secs(3601), ..facts };
    assert!(matches!(decide(&later).step, Step::Invite(_)));
}

#[test]
fn what_lists_may_still_hide_is_not_given_up_for_somebody_elses_invitation() {
    let theirs = Invitation {
        id: ObjectId::parse("64a0000000000000000000bb").unwrap(),
        inviter_username: Some("somebody@example.com".to_owned()),
        ..invitation()
    };
    let mut facts = Facts {
        sight: Some(pending(theirs.clone())),
        ..owning(ledger::recorded(claim(&facts()), &invitation(), Origin::Created))
    };
    let sent = |ago| vec![Time(now() - SignedDuration::from_secs(ago))];
    facts.claim.as_mut().unwrap().mails = sent(69);
    let decision = rests(&facts, Reason::Invited);
    assert_eq!(decision.wake, Wake::AbsenceGap);

    facts.claim.as_mut().unwrap().mails = sent(70);
    let taken = decide(&facts);
    let claim = recorded_claim(&taken);
    assert_eq!(claim.invitation.as_ref().unwrap().id, theirs.id.as_str());
    assert_eq!(claim.surplus, [invitation().id.as_str()], "and ours is cancelled until it is seen gone");

    let recorded = &mut facts.claim.as_mut().unwrap().invitation;
    recorded.as_mut().unwrap().origin = Origin::Adopted;
    let taken = decide(&facts);
    assert!(recorded_claim(&taken).surplus.is_empty(), "what somebody else sent is not ours to cancel");
}
