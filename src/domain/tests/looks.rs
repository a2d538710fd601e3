//! How much a decision needs to see, and what it does about claims that are not quite its own.

use crate::api::{InvitationClaimSpec, Mode, Origin, Owner, Plan, Reason, Refusal, Verdict, VerdictKind};
use crate::domain::decide::{decide, look_need};
use crate::domain::desired::Life;
use crate::domain::facts::{Facts, LastPass, Ownership, Quarantine};
use crate::domain::ledger;
use crate::domain::policy::Allowed;
use crate::domain::refusal::request_name;
use crate::domain::schedule::Wake;
use crate::domain::step::{LookNeed, Step};
use crate::domain::testing::{absent, claim, facts, gone, invitation, member, now, pending};
use jiff::SignedDuration;

fn owning(claim: InvitationClaimSpec) -> Facts {
    Facts { claim: Some(claim), ownership: Ownership::Mine, ..facts() }
}

fn invited() -> Facts {
    owning(ledger::recorded(claim(&facts()), &invitation(), Origin::Created))
}

fn attempting() -> Facts {
    let facts = facts();
    let open = ledger::attempt_opened(claim(&facts), &facts);
    Facts { quarantine: Some(Quarantine::Over), ..owning(open) }
}

fn deleting() -> Life {
    Life::Deleting { since: now() - SignedDuration::from_secs(60), suspended: false }
}

fn accepted() -> InvitationClaimSpec {
    let mut claim = ledger::accepted(claim(&facts()), now());
    claim.verdict = Some(Verdict { kind: VerdictKind::Accepted, since: ledger::whole_second(now()) });
    claim
}

fn refused(facts: &Facts, reason: &str) -> Facts {
    let mut facts = facts.clone();
    let refusal = Refusal {
        reason: reason.to_owned(),
        message: "API answered no".to_owned(),
        at: ledger::whole_second(now()),
        times: 1,
        request: request_name(&facts),
    };
    facts.claim.as_mut().unwrap().refusal = Some(refusal);
    facts
}

#[test]
fn a_settled_object_shares_the_projects_roster_until_something_asks_for_its_own() {
    let asking = |change: fn(&mut Facts)| {
        let mut facts = invited();
        change(&mut facts);
        look_need(&facts, false)
    };
    assert_eq!(look_need(&invited(), false), LookNeed::Recent);
    assert_eq!(look_need(&owning(accepted()), false), LookNeed::Recent);
    assert_eq!(look_need(&invited(), true), LookNeed::Fresh, "a second look can settle an absence");
    assert_eq!(asking(|facts| facts.asked = true), LookNeed::Fresh);
    assert_eq!(asking(|facts| facts.desired.resend = Some("again".to_owned())), LookNeed::Fresh);
    assert_eq!(asking(|facts| facts.life = Life::Suspended), LookNeed::None);
    assert_eq!(asking(|facts| facts.life = Life::Released), LookNeed::None);
}

#[test]
fn who_was_never_invited_shares_a_look_only_after_resting_and_while_nothing_asks() {
    let rested = Facts { last_pass: LastPass::Rested, ..facts() };
    assert_eq!(look_need(&rested, false), LookNeed::Recent);
    assert_eq!(look_need(&facts(), false), LookNeed::FreshWithSlot);
    assert_eq!(look_need(&Facts { asked: true, ..rested.clone() }, false), LookNeed::Fresh);
    let mut resend = Facts { status_tells_of_invitation: true, ..rested };
    resend.desired.resend = Some("again".to_owned());
    assert_eq!(look_need(&resend, false), LookNeed::Fresh);
}

#[test]
fn an_open_attempt_is_looked_for_afresh_even_for_a_suspended_object() {
    for life in [Life::Live, Life::Suspended, deleting()] {
        assert_eq!(look_need(&Facts { life, ..attempting() }, false), LookNeed::Fresh, "{life:?}");
    }
}

#[test]
fn who_may_not_be_invited_is_not_looked_for() {
    let mut denied = owning(claim(&facts()));
    denied.inviter.allow.roles = Allowed::Only([].into());
    assert_eq!(look_need(&denied, false), LookNeed::None);
    assert_eq!(look_need(&refused(&owning(claim(&facts())), "Refused"), false), LookNeed::None);
    let mut invited = invited();
    invited.inviter.allow.roles = Allowed::Only([].into());
    assert_eq!(look_need(&invited, false), LookNeed::Recent, "what is there is followed as ever");
}

#[test]
fn a_deletion_looks_before_it_cancels_and_only_then() {
    let due = Facts { life: deleting(), ..invited() };
    assert_eq!(look_need(&due, false), LookNeed::Fresh);
    let early = Facts { life: Life::Deleting { since: now(), suspended: false }, ..invited() };
    assert_eq!(look_need(&early, false), LookNeed::None, "another object may be on its way");
    let mut keeping = due.clone();
    keeping.desired.deletion = crate::api::DeletionPolicy::Keep;
    assert_eq!(look_need(&keeping, false), LookNeed::None);
    assert_eq!(look_need(&Facts { claim: None, ownership: Ownership::NoClaim, ..due }, false), LookNeed::None);
}

#[test]
fn a_claim_of_nobody_is_taken_over_only_for_the_invitation_that_it_holds() {
    let mut unowned = claim(&facts());
    unowned.owner = None;
    unowned.mails = vec![ledger::whole_second(now() - SignedDuration::from_hours(1))];
    let facts = Facts { claim: Some(unowned.clone()), ownership: Ownership::Nobody, ..facts() };
    let Step::Invite(invited) = decide(&facts).step else { panic!("only its e-mails are remembered") };
    assert_eq!(invited.mails.len(), 2);
    let holding = ledger::recorded(unowned, &invitation(), Origin::Created);
    let mut facts = Facts { claim: Some(holding), ..facts };
    assert!(matches!(decide(&facts).step, Step::Record(_)));
    facts.inviter.allow.roles = Allowed::Only([].into());
    assert_eq!(decide(&facts).finding.reason, Reason::PolicyDenied);
}

#[test]
fn a_claim_follows_its_object_to_another_inviter_before_anything_is_called() {
    let other = |mut facts: Facts| {
        facts.inviter.recorded.name = "another".to_owned();
        facts
    };
    let same = Facts { sight: Some(member()), ..owning(accepted()) };
    assert_eq!(decide(&same).step, Step::Rest);
    for facts in [same, Facts { sight: Some(pending(invitation())), ..invited() }] {
        let Step::Record(claim) = decide(&other(facts)).step else { panic!("nothing was recorded") };
        assert_eq!(claim.inviter_ref.name, "another");
    }
}

#[test]
fn refused_roles_rest_while_the_invitation_is_followed() {
    let mut facts = Facts { sight: Some(pending(invitation())), ..invited() };
    facts.desired.roles = ["GROUP_OWNER".to_owned()].into();
    let decision = decide(&refused(&facts, "Refused"));
    assert_eq!((&decision.step, decision.finding.reason), (&Step::Rest, Reason::Refused));
    assert!(matches!(decision.wake, Wake::Refusal { .. }), "{:?}", decision.wake);
    facts.sight.as_mut().unwrap().fresh = false;
    assert_eq!(decide(&facts).step, Step::LookAgain, "roles are changed on what is there now");
}

#[test]
fn a_refusal_is_shown_as_what_it_was_and_ends_to_the_second() {
    for (recorded, shown) in [
        ("ProjectNotFound", Reason::ProjectNotFound),
        ("WrongProduct", Reason::WrongProduct),
        ("PermissionMissing", Reason::PermissionMissing),
        ("Refused", Reason::Refused),
        ("whatever a later version knows", Reason::Refused),
    ] {
        let facts = refused(&owning(claim(&facts())), recorded);
        assert_eq!(decide(&facts).finding.reason, shown);
        let ended = Facts { now: now() + SignedDuration::from_hours(1), ..facts };
        assert!(matches!(decide(&ended).step, Step::Invite(_)), "{recorded}");
    }
}

#[test]
fn under_observe_an_attempt_made_before_is_still_resolved_and_nothing_else_is_written() {
    let observing = |facts: Facts| {
        let mut facts = facts;
        facts.inviter.mode = Mode::Observe;
        facts
    };
    let decision = decide(&observing(Facts { sight: Some(pending(invitation())), ..attempting() }));
    assert!(matches!(decision.step, Step::Record(_)));
    assert_eq!(decision.plan, Some(Plan::None));

    let decision = decide(&observing(Facts { sight: Some(absent()), ..facts() }));
    assert_eq!((&decision.step, decision.plan), (&Step::Rest, Some(Plan::Invite)));
    let mut stale = observing(facts());
    stale.sight.as_mut().unwrap().fresh = false;
    let decision = decide(&stale);
    assert_eq!((&decision.step, decision.plan), (&Step::LookAgain, None), "a plan is named when it is known");
    assert_eq!(decide(&facts()).plan, None, "under Enforce nothing is planned, it is done");
}

#[test]
fn under_observe_what_would_stop_the_object_anyway_is_shown() {
    let observing = |facts: Facts| {
        let mut facts = facts;
        facts.inviter.mode = Mode::Observe;
        decide(&facts)
    };
    let mut denied = facts();
    denied.inviter.allow.roles = Allowed::Only([].into());
    let taken = Facts { ownership: Ownership::Other { shown: None }, ..invited() };
    for (facts, reason) in [
        (denied, Reason::PolicyDenied),
        (taken, Reason::DuplicateInvitee),
        (Facts { owns_another_claim: true, ..facts() }, Reason::InviterMoved),
        (Facts { status_tells_of_invitation: true, ..facts() }, Reason::ClaimMissing),
        (Facts { life: Life::Suspended, ..facts() }, Reason::Suspended),
    ] {
        let decision = observing(facts);
        assert_eq!((decision.finding.reason, decision.plan), (reason, Some(Plan::None)));
    }
}

#[test]
fn a_resend_replaces_what_somebody_else_sent_only_under_adoption_any() {
    let mut theirs = invitation();
    theirs.id = crate::domain::remote::ObjectId::parse("64a0000000000000000000bb").unwrap();
    let adopted = ledger::recorded(claim(&facts()), &invitation(), Origin::Adopted);
    let created = ledger::recorded(claim(&facts()), &invitation(), Origin::Created);
    let nothing = claim(&facts());
    for (what, claim, seen, allowed) in [
        ("our own", created.clone(), vec![invitation()], true),
        ("our own, and not listed", created.clone(), vec![], true),
        ("taken over", adopted, vec![invitation()], false),
        ("somebody else's beside our own", created, vec![invitation(), theirs.clone()], false),
        ("somebody else's, and none of our own", nothing.clone(), vec![theirs], false),
        ("none at all", nothing, vec![], true),
    ] {
        let mut facts = Facts { sight: Some(absent()), ..owning(claim) };
        facts.sight.as_mut().unwrap().pending = seen;
        facts.desired.resend = Some("again".to_owned());
        facts.inviter.adoption = crate::api::Adoption::SameRoles;
        let decision = decide(&facts);
        if allowed {
            assert!(matches!(decision.step, Step::Record(_)), "{what}");
        } else {
            assert_eq!((&decision.step, decision.finding.reason), (&Step::Rest, Reason::InvitationExists), "{what}");
        }
        facts.inviter.adoption = crate::api::Adoption::Any;
        assert!(matches!(decide(&facts).step, Step::Record(_)), "{what}");
        facts.inviter.mode = Mode::Observe;
        assert_eq!(decide(&facts).plan, Some(Plan::Invite), "{what}");
    }
}

#[test]
fn an_attempt_is_found_by_its_sender_and_its_time_and_after_the_quarantine_by_either() {
    let running = Some(Quarantine::Running {
        elapsed: std::time::Duration::from_secs(5),
        left: std::time::Duration::from_secs(185),
    });
    let over = Some(Quarantine::Over);
    let (us, them) = (Some("publickey"), Some("somebody@example.com"));
    for (sender, seconds, roles, quarantine, found) in [
        (us, 0, "GROUP_OWNER", running, true),
        (us, -60, "GROUP_OWNER", running, true),
        (us, -61, "GROUP_OWNER", running, false),
        (us, 190, "GROUP_OWNER", running, true),
        (us, 191, "GROUP_OWNER", running, false),
        (us, 191, "GROUP_OWNER", over, true),
        (None, 0, "GROUP_OWNER", running, true),
        (None, 191, "GROUP_OWNER", over, false),
        (them, 0, "GROUP_READ_ONLY", running, false),
        (them, 0, "GROUP_READ_ONLY", over, true),
        (them, 0, "GROUP_OWNER", over, false),
        (them, 191, "GROUP_READ_ONLY", over, false),
    ] {
        let mut seen = invitation();
        seen.inviter_username = sender.map(str::to_owned);
        seen.created_at = Some(now() + SignedDuration::from_secs(seconds));
        seen.roles = [roles.to_owned()].into();
        let decision = decide(&Facts { sight: Some(pending(seen)), quarantine, ..attempting() });
        let recorded = matches!(&decision.step, Step::Record(claim) if claim.invitation.is_some());
        assert_eq!(recorded, found, "{sender:?} {seconds} {roles} {quarantine:?}");
    }
}

#[test]
fn who_left_the_project_is_withdrawn_only_once_the_absence_is_settled() {
    let accepted = owning(accepted());
    assert_eq!(decide(&Facts { sight: Some(absent()), ..accepted.clone() }).wake, Wake::AbsenceGap);
    let Step::Record(claim) = decide(&Facts { sight: Some(gone()), ..accepted }).step else { panic!("still there") };
    assert_eq!(claim.verdict.as_ref().unwrap().kind, VerdictKind::Withdrawn);
}

#[test]
fn a_claim_taken_over_serves_its_new_owner_alone() {
    let mut old = accepted();
    old.owner = Some(Owner { namespace: "a".to_owned(), name: "b".to_owned(), uid: "c".to_owned() });
    old.kept = Some(crate::api::Kept { at: ledger::whole_second(now()) });
    let facts = Facts { claim: Some(old), ownership: Ownership::Gone, ..facts() };
    let owned = ledger::owned(&facts);
    assert_eq!((owned.verdict, owned.accepted_at, owned.kept), (None, None, None));
    assert_eq!(owned.owner.unwrap().uid, "uid-1");
}
