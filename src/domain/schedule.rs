//! When a pass comes back.
//!
//! Owns every rule of waiting: next looks, back-offs, quarantine looks, expiry. Must never read a clock; jitter comes in
//! as a number, because randomness is an effect.

use super::failure::{Cure, FailureKind};
use super::timings::Timings;
use crate::api::Refusal;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// When to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// At once.
    Now,
    /// Within a second or two: something that this process does is about to finish.
    Soon,
    /// When a look shows something else of the person: rosters are kept no older than the inviter's `checkInterval`.
    NextLook,
    /// When a second roster can settle an absence.
    AbsenceGap,
    /// After so long, and some jitter.
    After(Duration),
    /// At this moment.
    At(Timestamp),
    /// When the API's definite no, said so often, has rested.
    Refusal {
        /// When it was said last.
        at: Timestamp,
        /// How often in a row.
        times: i32,
    },
    /// When something else happens.
    OnEvent,
}

/// No wait is longer, whatever is waited for: watches can fail, and who should have been woken may not have been.
pub const LONGEST_WAIT: Duration = Duration::from_secs(3600);

impl Wake {
    /// Looks for an attempt 2, 5, 15 and 60 s after it was sent, then each minute, and when the quarantine ends.
    #[must_use]
    pub fn attempt_look(elapsed: Duration, left: Duration) -> Self {
        let length = elapsed + left;
        // The steps are those of the default quarantine of 190 s; a scaled one has scaled steps.
        let steps = [2, 5, 15, 60, 120].map(|seconds| length * seconds / 190);
        let next = steps.into_iter().find(|step| *step > elapsed).map_or(left, |step| step.saturating_sub(elapsed));
        Self::After(next.min(left).max(Duration::from_millis(50)))
    }
}

/// The end of the rest after a definite no: 1, 2, 4 … 24 times `refusal_backoff` after it was said.
#[must_use]
pub fn refusal_ends(refusal: &Refusal, timings: &Timings) -> Timestamp {
    refusal_end(refusal.at.0, refusal.times, timings)
}

fn refusal_end(at: Timestamp, times: i32, timings: &Timings) -> Timestamp {
    at + SignedDuration::try_from(human_backoff(times, timings)).unwrap_or(SignedDuration::ZERO)
}

/// How long to rest when a human has to act, after so many times in a row (1, 2, 3 …).
#[must_use]
pub fn human_backoff(times: i32, timings: &Timings) -> Duration {
    let doublings = u32::try_from(times.saturating_sub(1).clamp(0, 5)).unwrap_or(0);
    timings.refusal_backoff * (1 << doublings).min(24)
}

/// How long to wait for an API that does not answer, after so many times in a row: 1, 2, 4 … 300 s, longer if it asked.
#[must_use]
pub fn api_backoff(times: u32, retry_after: Option<Duration>, timings: &Timings) -> Duration {
    let growing = Duration::from_secs(1 << times.saturating_sub(1).min(9)).min(Duration::from_secs(300));
    timings.scaled(growing).max(retry_after.unwrap_or_default().min(LONGEST_WAIT))
}

/// How long to wait when a pass met what it was not planned for, so many times in a row: not at all, then 20, 40, 80 ms … 5 s.
/// The next one is planned anew; the cache that misled it may stay behind for as long as a watch can be blind.
#[must_use]
pub fn begin_again(times: u32) -> Duration {
    match times {
        0 | 1 => Duration::ZERO,
        more => Duration::from_millis(10 << more.saturating_sub(1).min(9)).min(Duration::from_secs(5)),
    }
}

/// How long to rest after a failure that came so many times in a row. A call that was held back was no failure of the API:
/// its wait does not grow.
#[must_use]
pub fn failure_backoff(kind: FailureKind, times: u32, timings: &Timings) -> Duration {
    match (kind, kind.cure()) {
        (FailureKind::HeldBack { retry_after }, _) => retry_after.max(Duration::from_millis(200)).min(LONGEST_WAIT),
        (_, Cure::Human) => human_backoff(i32::try_from(times).unwrap_or(i32::MAX), timings),
        (_, Cure::Time) => api_backoff(times, kind.retry_after(), timings),
    }
}

/// How long to wait from `now`.
///
/// `jitter` in 0..1 spreads waits over a tenth of their length, and the longest, which begin together after a start, over the
/// half of theirs. `expires_at` of a pending invitation shortens the wait.
#[must_use]
pub fn wait(
    wake: Wake,
    check_interval: Duration,
    expires_at: Option<Timestamp>,
    timings: &Timings,
    now: Timestamp,
    jitter: f64,
) -> Duration {
    let spread = |base: Duration| base + base.mul_f64(jitter.clamp(0.0, 1.0) / 10.0);
    let until = |at: Timestamp| Duration::try_from(at.duration_since(now)).unwrap_or_default();
    let expiry = expires_at.filter(|at| *at > now).map(|at| until(at) + Duration::from_millis(1100));
    let wait = match wake {
        Wake::Now => return Duration::ZERO,
        Wake::Soon => timings.scaled(Duration::from_secs(2)).max(Duration::from_millis(200)),
        Wake::AbsenceGap => {
            spread(timings.absence_gap).min(spread(timings.scaled(check_interval)).max(timings.absence_gap))
        }
        Wake::After(time) => time + time.mul_f64(jitter.clamp(0.0, 1.0) / 20.0),
        Wake::At(at) => until(at) + Duration::from_secs(1),
        Wake::Refusal { at, times } => spread(until(refusal_end(at, times, timings)) + Duration::from_millis(1100)),
        Wake::NextLook | Wake::OnEvent => LONGEST_WAIT.mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0),
    };
    wait.min(expiry.unwrap_or(LONGEST_WAIT)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_definite_no_rests_1_2_4_8_16_24_hours() {
        let hours = |times| human_backoff(times, &Timings::default()).as_secs() / 3600;
        assert_eq!([1, 2, 3, 4, 5, 6, 7, 100].map(hours), [1, 2, 4, 8, 16, 24, 24, 24]);
    }

    #[test]
    fn a_pass_that_begins_again_and_again_waits_longer_and_longer() {
        let waits = [0, 1, 2, 3, 4, 9, 10, 11, u32::MAX].map(|times| begin_again(times).as_millis());
        assert_eq!(waits, [0, 0, 20, 40, 80, 2560, 5000, 5000, 5000]);
    }

    #[test]
    fn an_attempt_is_looked_for_after_2_5_15_60_seconds_and_at_the_end() {
        for (elapsed, next) in [(0, 2), (2, 5), (5, 15), (15, 60), (60, 120), (120, 190)] {
            let wake = Wake::attempt_look(Duration::from_secs(elapsed), Duration::from_secs(190 - elapsed));
            assert_eq!(wake, Wake::After(Duration::from_secs(next - elapsed)));
        }
    }

    #[test]
    fn expiry_shortens_the_next_look_and_nothing_waits_longer_than_an_hour() {
        let now: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let timings = Timings::default();
        let soon = now + SignedDuration::from_secs(20);
        let at = |wake, expires| wait(wake, 5 * MINUTE, expires, &timings, now, 0.0);
        assert_eq!(at(Wake::NextLook, None), LONGEST_WAIT);
        assert_eq!(at(Wake::NextLook, Some(soon)), Duration::from_millis(21_100));
        assert_eq!(at(Wake::NextLook, Some(now)), LONGEST_WAIT);
        assert_eq!(at(Wake::At(now + SignedDuration::from_hours(30)), None), LONGEST_WAIT);
        assert_eq!(at(Wake::At(soon), None), Duration::from_secs(21));
        assert_eq!(at(Wake::OnEvent, None), LONGEST_WAIT);
    }

    #[test]
    fn an_api_that_asks_for_time_gets_it() {
        let timings = Timings::default();
        assert_eq!(api_backoff(1, None, &timings), Duration::from_secs(1));
        assert_eq!(api_backoff(4, None, &timings), Duration::from_secs(8));
        assert_eq!(api_backoff(40, None, &timings), Duration::from_secs(300));
        assert_eq!(api_backoff(1, Some(MINUTE), &timings), MINUTE);
    }
}
