//! The last gate before the bytes of an invitation go out.
//!
//! Must never open again for an attempt that it has closed: time only moves on.

use super::clock::Clock;
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

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    struct Fixed(Timestamp);

    impl Clock for Fixed {
        fn now(&self) -> Timestamp {
            self.0
        }
        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
    }

    #[test]
    fn a_call_gets_what_is_left_and_nothing_after_the_deadline() {
        let now: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let fence = DeadlineFence::new(Arc::new(Fixed(now)), Duration::from_secs(10));
        let left = |seconds| fence.time_left(now + SignedDuration::from_secs(seconds));
        assert_eq!(left(60), Some(Duration::from_secs(10)));
        assert_eq!(left(4), Some(Duration::from_secs(4)));
        assert_eq!(left(0), None);
        assert_eq!(left(-1), None);
    }
}
