//! Attempts that wait for a human: what they cost while they wait.

use crate::api::{OnUnknown, Reason};
use crate::domain::decide::{decide, look_need};
use crate::domain::facts::{Facts, LastPass, Ownership, Quarantine};
use crate::domain::ledger;
use crate::domain::step::{LookNeed, Step};
use crate::domain::testing::{claim, facts, invitation, pending};
use std::time::Duration;

/// Facts of an attempt that was not found in its quarantine.
fn attempting() -> Facts {
    let claim = ledger::attempt_opened(claim(&facts()), &facts());
    Facts { claim: Some(claim), ownership: Ownership::Mine, quarantine: Some(Quarantine::Over), ..facts() }
}

#[test]
fn an_attempt_that_waits_for_a_human_shares_the_looks_of_its_project() {
    let mut held = attempting();
    held.inviter.on_unknown = OnUnknown::Hold;
    assert_eq!(look_need(&held, false), LookNeed::Fresh, "once to be sure");
    held.last_pass = LastPass::Rested;
    assert_eq!(look_need(&held, false), LookNeed::Recent);
    held.sight.as_mut().unwrap().fresh = false;
    let decision = decide(&held);
    assert_eq!((decision.step, decision.finding.reason), (Step::Rest, Reason::OutcomeUnknown));
    let running = Quarantine::Running { elapsed: Duration::ZERO, left: Duration::from_secs(1) };
    assert_eq!(look_need(&Facts { quarantine: Some(running), ..held.clone() }, false), LookNeed::Fresh);
    assert_eq!(look_need(&Facts { asked: true, ..held.clone() }, false), LookNeed::Fresh);
    held.inviter.on_unknown = OnUnknown::Retry;
    assert_eq!(look_need(&held, false), LookNeed::Fresh);
    assert_eq!(decide(&held).step, Step::LookAgain, "lost only by a look of its own");
}

#[test]
fn what_is_found_in_a_shared_look_is_taken_over_only_after_one_of_its_own() {
    let mut held = attempting();
    held.inviter.on_unknown = OnUnknown::Hold;
    let mut later = invitation();
    later.created_at = later.created_at.map(|at| at + jiff::SignedDuration::from_hours(1));
    later.roles = ["GROUP_OWNER".to_owned()].into();
    later.inviter_username = Some("somebody".to_owned());
    held.sight = Some(pending(later));
    held.sight.as_mut().unwrap().fresh = false;
    assert_eq!(decide(&held).step, Step::LookAgain);
}
