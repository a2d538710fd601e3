//! What needs a slot, and what is said of the wait for one.

use crate::api::names::condition;
use crate::api::{Mode, ProjectInvitationStatus, Reason};
use crate::domain::decide::decide;
use crate::domain::facts::{Facts, Sight};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::finding::{setback_finding, waiting_finding};
use crate::domain::ledger;
use crate::domain::testing::{absent, facts, invitation, member, now, pending};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use std::time::Duration;

#[test]
fn only_the_way_to_a_mail_needs_a_slot() {
    let needs = |facts: &Facts| decide(facts).needs_slot(facts);
    let stale = |sight: Sight| Facts { sight: Some(Sight { fresh: false, ..sight }), ..facts() };
    assert!(needs(&facts()), "the invitation itself");
    assert!(needs(&stale(absent())), "the fresh look before it");
    assert!(!needs(&stale(member())) && !needs(&stale(pending(invitation()))), "who is there already waits for none");
    let observed = |sight| {
        let mut facts = Facts { sight: Some(sight), ..facts() };
        facts.inviter.mode = Mode::Observe;
        facts
    };
    assert!(!needs(&observed(absent())) && !needs(&observed(Sight { fresh: false, ..absent() })), "nothing is sent");
}

#[test]
fn a_wait_is_told_roughly() {
    for (seconds, told) in [
        (0, "about a minute"),
        (60, "about a minute"),
        (61, "about 2 minutes"),
        (7200, "about 120 minutes"),
        (7201, "about 3 hours"),
    ] {
        let finding = waiting_finding(None, Duration::from_secs(seconds));
        assert_eq!(finding.reason, Reason::WaitingForSlot);
        assert!(finding.message.contains(told), "{seconds}: {}", finding.message);
    }
}

/// A status that says this.
fn saying(type_: &str, reason: Reason, message: &str) -> ProjectInvitationStatus {
    let condition = Condition {
        type_: type_.to_owned(),
        status: "False".to_owned(),
        reason: reason.as_str().to_owned(),
        message: message.to_owned(),
        last_transition_time: ledger::whole_second(now()),
        observed_generation: None,
    };
    ProjectInvitationStatus { conditions: vec![condition], ..ProjectInvitationStatus::default() }
}

#[test]
fn what_was_said_when_a_wait_began_is_said_on() {
    let kept = |type_, reason| {
        waiting_finding(Some(&saying(type_, reason, "as it was")), Duration::ZERO).message == "as it was"
    };
    assert!(kept(condition::READY, Reason::WaitingForSlot));
    assert!(!kept(condition::READY, Reason::Inviting), "it waited for something else");
    assert!(!kept(condition::ACCEPTED, Reason::WaitingForSlot), "another condition");
}

#[test]
fn when_a_call_that_was_held_back_goes_is_said_once() {
    let held = FailureKind::HeldBack { retry_after: Duration::from_secs(30) };
    let said = |before: Option<&ProjectInvitationStatus>, kind| {
        let failure = Failure { kind, message: "too many calls".to_owned() };
        setback_finding(before, &failure, Duration::from_secs(90)).message
    };
    let anew = "too many calls; expected to go on about 2 minutes after this was written";
    assert_eq!(said(None, held), anew);
    assert_eq!(said(None, FailureKind::Maintenance), "too many calls", "nobody knows when that ends");
    let before = saying(condition::READY, Reason::RateLimited, "too many calls; expected to go on soon");
    assert_eq!(said(Some(&before), held), "too many calls; expected to go on soon");
    for other in [
        saying(condition::READY, Reason::Inviting, "too many calls; expected to go on soon"),
        saying(condition::READY, Reason::RateLimited, "asked to wait"),
    ] {
        assert_eq!(said(Some(&other), held), anew);
    }
}
