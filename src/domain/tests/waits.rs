//! How long every wait is.

use crate::domain::failure::FailureKind;
use crate::domain::schedule::{LONGEST_WAIT, Wake, failure_backoff, wait};
use crate::domain::testing::now;
use crate::domain::timings::Timings;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

const INTERVAL: Duration = Duration::from_secs(300);

fn waited(wake: Wake, jitter: f64) -> Duration {
    wait(wake, INTERVAL, None, &Timings::default(), now(), jitter)
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[test]
fn waits_are_spread_by_a_tenth_at_most() {
    let after = |time: i64| now() + SignedDuration::from_secs(time);
    for (wake, least, most) in [
        (Wake::Now, 0.0, 0.0),
        (Wake::Soon, 2.0, 2.0),
        (Wake::AbsenceGap, 60.0, 66.0),
        (Wake::After(seconds(100.0)), 100.0, 105.0),
        (Wake::At(after(100)), 101.0, 101.0),
        (Wake::At(after(10_000)), 3600.0, 3600.0),
        (Wake::Refusal { at: after(-3000), times: 1 }, 601.1, 661.21),
    ] {
        assert_eq!(waited(wake, 0.0), seconds(least), "{wake:?}");
        let longest = waited(wake, 1.0);
        assert!(longest.abs_diff(seconds(most)) < Duration::from_millis(1), "{wake:?}: {longest:?}");
        assert_eq!(waited(wake, 7.0), longest, "{wake:?}");
    }
}

#[test]
fn who_rests_comes_back_within_an_hour_and_not_all_at_once() {
    for wake in [Wake::NextLook, Wake::OnEvent] {
        assert_eq!([0.0, 0.5, 1.0, 7.0].map(|jitter| waited(wake, jitter).as_secs()), [3600, 2700, 1800, 1800]);
    }
}

#[test]
fn an_absence_waits_no_longer_than_a_look_and_no_shorter_than_its_gap() {
    let gap = |interval: u64, jitter| {
        wait(Wake::AbsenceGap, Duration::from_secs(interval), None, &Timings::default(), now(), jitter)
    };
    assert_eq!(gap(30, 1.0), seconds(60.0));
    assert_eq!(gap(60, 1.0), seconds(66.0));
}

#[test]
fn a_rehearsal_comes_back_sooner_and_never_in_a_tight_loop() {
    let timings = Timings::default().divided_by(100);
    let scaled = |wake| wait(wake, INTERVAL, None, &timings, now(), 0.0);
    assert_eq!(scaled(Wake::AbsenceGap), seconds(0.6));
    assert_eq!(scaled(Wake::Soon), Duration::from_millis(200));
}

#[test]
fn expiry_is_met_just_after_it() {
    let at = |expires: Timestamp| wait(Wake::OnEvent, INTERVAL, Some(expires), &Timings::default(), now(), 0.0);
    assert_eq!(at(now() + SignedDuration::from_secs(1)), Duration::from_millis(2100));
    assert_eq!(at(now() - SignedDuration::from_secs(1)), LONGEST_WAIT);
}

#[test]
fn a_failure_rests_by_its_cure_and_what_was_held_back_by_what_was_told() {
    let rest = |kind, times| failure_backoff(kind, times, &Timings::default());
    let held = |seconds| FailureKind::HeldBack { retry_after: Duration::from_secs(seconds) };
    assert_eq!(rest(held(30), 9), seconds(30.0), "it does not grow");
    assert_eq!((rest(held(0), 9), rest(held(10_000), 1)), (Duration::from_millis(200), LONGEST_WAIT));
    assert_eq!(rest(FailureKind::Maintenance, 3), seconds(4.0));
    assert_eq!(rest(FailureKind::Refused, 2), seconds(7200.0));
}
