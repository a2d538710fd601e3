//! When an invitation counts as expired.

use crate::api::{Origin, Phase, Reason};
use crate::domain::decide::decide;
use crate::domain::facts::{Facts, Ownership};
use crate::domain::ledger;
use crate::domain::schedule::Wake;
use crate::domain::step::{Decision, Step};
use crate::domain::testing::{absent, claim, facts, gone, invitation, now, pending};
use jiff::SignedDuration;

/// Facts of an object whose invitation is recorded.
fn invited() -> Facts {
    let claim = ledger::recorded(claim(&facts()), &invitation(), Origin::Created);
    Facts { claim: Some(claim), ownership: Ownership::Mine, ..facts() }
}

#[track_caller]
fn rests(facts: &Facts, reason: Reason) -> Decision {
    let decision = decide(facts);
    assert_eq!((&decision.step, decision.finding.reason), (&Step::Rest, reason), "{}", decision.finding.message);
    decision
}

#[test]
fn a_pending_invitation_past_its_time_has_expired_whatever_the_list_says() {
    let facts =
        Facts { sight: Some(pending(invitation())), now: now() + SignedDuration::from_hours(31 * 24), ..invited() };
    rests(&facts, Reason::Expired);
    rests(&Facts { sight: Some(gone()), ..facts }, Reason::Expired);
}

#[test]
fn an_expired_invitation_stays_so_after_a_restart() {
    let now = now() + SignedDuration::from_hours(31 * 24);
    let restarted = Facts { sight: Some(absent()), now, ..invited() };
    rests(&restarted, Reason::Invited);
    let decision = rests(&Facts { status_phase: Some(Phase::Expired), ..restarted }, Reason::Expired);
    assert_eq!(decision.wake, Wake::AbsenceGap, "and the absence is settled all the same");
    rests(&Facts { status_phase: Some(Phase::Expired), sight: Some(absent()), ..invited() }, Reason::Invited);
}
