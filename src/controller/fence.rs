//! The last gate before the bytes of an invitation go out.
//!
//! Owns two rules, each in one place: the attempt's deadline, and what must be left of the Lease. Must never open again for
//! an attempt that it has closed: time only moves on.

use super::clock::Clock;
use super::leadership::Seat;
use crate::cloud::Fence;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Closes when the attempt's deadline has passed.
pub struct DeadlineFence {
    clock: Arc<dyn Clock>,
    post_deadline: Duration,
}

impl DeadlineFence {
    /// No call that mails takes longer than `post_deadline`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, post_deadline: Duration) -> Self {
        Self { clock, post_deadline }
    }
}

impl Fence for DeadlineFence {
    fn time_left(&self, attempt_deadline: Timestamp) -> Option<Duration> {
        let left = Duration::try_from(attempt_deadline.duration_since(self.clock.now())).ok()?;
        (!left.is_zero()).then(|| left.min(self.post_deadline))
    }
}

/// Closes, besides, when a call that mails might not be over before somebody else could lead.
pub struct LeaseFence<F> {
    inner: F,
    seat: Seat,
    needed: Duration,
}

impl<F> LeaseFence<F> {
    /// More than `needed` must be left of the Lease.
    #[must_use]
    pub fn new(inner: F, seat: Seat, needed: Duration) -> Self {
        Self { inner, seat, needed }
    }
}

impl<F: Fence> Fence for LeaseFence<F> {
    fn time_left(&self, attempt_deadline: Timestamp) -> Option<Duration> {
        let held = self.seat.time_left()?;
        if held > self.needed { self.inner.time_left(attempt_deadline) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::leadership::Leadership;
    use jiff::SignedDuration;
    use tokio_util::sync::CancellationToken;

    struct Fixed(Timestamp);

    impl Clock for Fixed {
        fn now(&self) -> Timestamp {
            self.0
        }
        fn monotonic(&self) -> Duration {
            Duration::from_secs(100)
        }
    }

    fn fixed() -> (Timestamp, Arc<Fixed>) {
        let now: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        (now, Arc::new(Fixed(now)))
    }

    #[test]
    fn a_call_gets_what_is_left_and_nothing_after_the_deadline() {
        let (now, clock) = fixed();
        let fence = DeadlineFence::new(clock, Duration::from_secs(10));
        let left = |seconds| fence.time_left(now + SignedDuration::from_secs(seconds));
        assert_eq!(left(60), Some(Duration::from_secs(10)));
        assert_eq!(left(4), Some(Duration::from_secs(4)));
        assert_eq!(left(0), None);
        assert_eq!(left(-1), None);
    }

    #[test]
    fn a_call_begins_only_when_it_is_surely_over_before_the_lease_is() {
        let (now, clock) = fixed();
        let stop = CancellationToken::new();
        let (announcer, seat) = Seat::contested(Arc::<Fixed>::clone(&clock), stop.clone());
        let deadline = now + SignedDuration::from_secs(60);
        let inner = DeadlineFence::new(clock, Duration::from_secs(10));
        let fence = LeaseFence::new(inner, seat, Duration::from_secs(13));
        assert_eq!(fence.time_left(deadline), None, "follows");
        let until = |millis| announcer.announce(Leadership::Leading { until: Duration::from_millis(millis) });
        for (end, left) in [(115_000, Some(10)), (113_001, Some(10)), (113_000, None), (100_000, None), (1, None)] {
            until(end);
            assert_eq!(fence.time_left(deadline), left.map(Duration::from_secs), "a hold until {end}");
        }
        until(115_000);
        assert_eq!(fence.time_left(now), None, "the attempt's own deadline counts as before");
        stop.cancel();
        assert_eq!(fence.time_left(deadline), None, "on the way out nothing new is sent");
    }

    #[test]
    fn without_an_election_only_the_deadline_counts() {
        let (now, clock) = fixed();
        let seat = Seat::unopposed(Arc::<Fixed>::clone(&clock));
        let fence = LeaseFence::new(DeadlineFence::new(clock, Duration::from_secs(10)), seat, Duration::from_secs(13));
        assert_eq!(fence.time_left(now + SignedDuration::from_secs(4)), Some(Duration::from_secs(4)));
    }
}
