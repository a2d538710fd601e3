//! The election, read as a table: what is seen when, and what follows.

use crate::domain::lease::{Bid, Decision, Election, Lease, LeaseTimes, Lost};
use std::time::Duration;

const POST: Duration = Duration::from_secs(10);

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn candidate() -> Election {
    Election::new("me".to_owned(), LeaseTimes::default(), POST)
}

fn lease(holder: Option<&str>, version: &str) -> Lease {
    Lease {
        holder: holder.map(str::to_owned),
        duration: Duration::from_secs(15),
        acquired: None,
        transitions: 4,
        version: version.to_owned(),
    }
}

fn follower_of(holder: Option<&str>) -> Election {
    let mut election = candidate();
    election.observe(Some(lease(holder, "7")), at(1_000));
    election
}

/// Acknowledged at 1 s, sent at 0.9 s.
fn leader() -> Election {
    let mut election = candidate();
    election.acknowledged(lease(Some("me"), "7"), at(900), at(1_000));
    election
}

fn bid(over: Option<&str>, transitions: i32) -> Bid {
    Bid {
        over: over.map(str::to_owned),
        holder: Some("me".to_owned()),
        duration: Duration::from_secs(15),
        acquired: None,
        transitions,
    }
}

#[test]
fn the_first_thing_is_to_look() {
    assert_eq!(candidate().decide(at(0)), Decision::Look);
    assert_eq!((candidate().version(), leader().version()), (None, Some("7")), "what a watch goes on from");
}

#[test]
fn a_lease_that_is_not_there_is_created() {
    let mut election = candidate();
    election.observe(None, at(0));
    assert_eq!(election.decide(at(0)), Decision::Acquire(bid(None, 0)));
}

#[test]
fn a_lease_that_was_given_back_is_taken_at_once_and_only_in_the_version_seen() {
    assert_eq!(follower_of(None).decide(at(1_000)), Decision::Acquire(bid(Some("7"), 5)));
}

#[test]
fn a_holder_is_taken_for_dead_after_its_whole_duration_of_own_time() {
    let mut election = follower_of(Some("other"));
    assert_eq!(election.decide(at(1_000)), Decision::Wait(at(5_000)));
    // Nothing changes, however often it is looked at: the count goes on.
    for now in [5_000, 9_000, 13_000] {
        assert_eq!(election.decide(at(now)), Decision::Look, "{now}: a watch may be dead");
        election.observe(Some(lease(Some("other"), "7")), at(now));
    }
    assert_eq!(election.decide(at(15_999)), Decision::Wait(at(16_000)));
    assert_eq!(election.decide(at(16_000)), Decision::Acquire(bid(Some("7"), 5)));
}

#[test]
fn any_change_is_a_sign_of_life() {
    let mut election = follower_of(Some("other"));
    election.observe(Some(lease(Some("other"), "8")), at(15_000));
    assert_eq!(election.decide(at(16_000)), Decision::Wait(at(19_000)));
    election.observe(Some(lease(Some("other"), "8")), at(29_999));
    assert_eq!(election.decide(at(30_000)), Decision::Acquire(bid(Some("8"), 5)));
}

#[test]
fn the_duration_that_counts_is_the_holders() {
    let mut election = candidate();
    let long = Lease { duration: Duration::from_secs(60), ..lease(Some("other"), "7") };
    election.observe(Some(long.clone()), at(0));
    election.observe(Some(long), at(59_999));
    assert_eq!(election.decide(at(59_999)), Decision::Wait(at(60_000)));
    assert!(matches!(election.decide(at(60_000)), Decision::Acquire(_)));
}

#[test]
fn what_a_watch_reports_late_changes_nothing() {
    let mut election = leader();
    election.observe(Some(lease(Some("other"), "6")), at(1_500));
    assert!(matches!(election.decide(at(1_500)), Decision::Wait(_)));
    assert_eq!(election.holder(), Some("me"));
    election.doubt();
    election.observe(Some(lease(Some("other"), "6")), at(1_900));
    assert_eq!(election.decide(at(1_900)), Decision::Look, "and answers no doubt");
}

#[test]
fn a_lease_that_was_deleted_stays_reserved_for_its_last_holder() {
    let mut election = follower_of(Some("other"));
    election.observe(None, at(2_000));
    assert_eq!(election.decide(at(2_000)), Decision::Wait(at(6_000)));
    election.observe(None, at(15_999));
    assert_eq!(election.decide(at(16_000)), Decision::Acquire(bid(None, 0)));
}

#[test]
fn a_leader_that_loses_the_object_makes_it_anew_at_once() {
    let mut election = leader();
    election.observe(None, at(1_100));
    assert_eq!(election.decide(at(1_100)), Decision::Renew(bid(None, 0)));
    let mut election = leader();
    election.observe(Some(lease(None, "8")), at(1_100));
    assert_eq!(election.decide(at(1_100)), Decision::Renew(bid(Some("8"), 5)), "cleared by hand");
}

#[test]
fn the_own_hold_counts_from_before_the_write_was_sent() {
    assert_eq!(leader().held_until(), Some(at(15_900)));
    let mut late = candidate();
    late.acknowledged(lease(Some("me"), "7"), at(900), at(20_000));
    assert_eq!(late.held_until(), Some(at(15_900)), "the answer came after a long sleep");
    assert_eq!(late.decide(at(20_000)), Decision::StandDown(Lost::NotRenewed));
}

#[test]
fn renewals_come_so_often_that_a_call_that_mails_always_has_time() {
    let times = LeaseTimes::default();
    assert_eq!(times.needed_for(POST), at(13_000));
    // 15 s held, 13 s needed: half of the rest.
    assert_eq!(times.renew_every(POST), at(1_000));
    assert_eq!(leader().decide(at(1_000)), Decision::Wait(at(1_900)));
    assert_eq!(leader().decide(at(1_900)), Decision::Renew(bid(Some("7"), 4)));
    // A shorter call leaves more, and then the retry period is enough.
    assert_eq!(times.renew_every(Duration::from_secs(2)), at(2_000));
}

#[test]
fn a_rehearsal_divides_all_times_alike_as_far_as_an_api_server_bears_it() {
    let times = LeaseTimes::default();
    assert_eq!((times.divided_by(5).duration, times.divided_by(5).retry_period), (at(3_000), at(400)));
    assert_eq!((times.divided_by(5).renew_deadline, times.divided_by(5).margin), (at(2_000), at(600)));
    assert_eq!(times.divided_by(60), times.divided_by(10));
    let slow_enough = LeaseTimes { retry_period: at(100), ..times };
    assert_eq!(slow_enough.divided_by(60), slow_enough);
    assert_eq!(times.divided_by(0), times);
}

#[test]
fn a_leader_that_cannot_renew_tries_again_and_stands_down_in_time() {
    let mut election = leader();
    election.failed(at(2_000));
    assert_eq!(election.decide(at(2_000)), Decision::Wait(at(4_000)));
    assert_eq!(election.decide(at(4_000)), Decision::Look, "the lost answer may have been a yes");
    election.failed(at(9_500));
    assert_eq!(election.decide(at(9_500)), Decision::Wait(at(10_900)));
    assert_eq!(election.decide(at(10_900)), Decision::StandDown(Lost::NotRenewed));
    election.stand_down();
    assert_eq!(election.held_until(), None);
}

#[test]
fn a_leader_that_sees_another_holder_stands_down() {
    let mut election = leader();
    election.observe(Some(lease(Some("other"), "8")), at(1_100));
    assert_eq!(election.decide(at(1_100)), Decision::StandDown(Lost::Taken("other".to_owned())));
}

#[test]
fn a_conflict_is_looked_at_before_anything_is_written() {
    let mut election = leader();
    election.doubt();
    assert_eq!(election.decide(at(1_900)), Decision::Look);
    election.observe(Some(lease(Some("me"), "8")), at(1_950));
    assert_eq!(election.decide(at(1_950)), Decision::Renew(bid(Some("8"), 4)), "an own write whose answer was lost");
    assert_eq!(election.held_until(), Some(at(15_900)), "and it prolongs nothing");
}

#[test]
fn failures_are_not_repeated_at_once() {
    let mut election = candidate();
    election.failed(at(1_000));
    assert_eq!(election.decide(at(1_000)), Decision::Wait(at(3_000)));
    assert_eq!(election.decide(at(3_000)), Decision::Look);
}

#[test]
fn a_release_names_nobody_and_is_made_by_the_holder_only() {
    let release = leader().release().unwrap();
    assert_eq!((release.holder, release.over.as_deref(), release.transitions), (None, Some("7"), 4));
    assert_eq!(release.duration, Duration::from_secs(1));
    assert_eq!(follower_of(Some("other")).release(), None);
    assert_eq!(candidate().release(), None);
}

#[test]
fn an_own_name_from_before_is_taken_over_without_waiting_and_without_a_transition() {
    assert_eq!(follower_of(Some("me")).decide(at(1_000)), Decision::Acquire(bid(Some("7"), 4)));
}
