//! The simulator's own clock.
//!
//! Owns "now". It follows the machine's clock plus an offset that tests move forward; nothing else
//! in the crate may read the time for a decision.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// A clock that can be moved forward.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset: SignedDuration,
}

impl Clock {
    /// The simulated time.
    #[allow(clippy::disallowed_methods)] // this is the one place that reads it
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::now().checked_add(self.offset).unwrap_or(Timestamp::MAX)
    }

    /// The simulated time without its fraction, as every date on the wire is (contract §4.3).
    pub(crate) fn whole_second(&self) -> Timestamp {
        let now = self.now();
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }

    /// Moves the clock forward.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.offset = self.offset.saturating_add(signed(by));
    }
}

/// The moment after a length of time.
pub(crate) fn after(start: Timestamp, length: Duration) -> Timestamp {
    start.checked_add(signed(length)).unwrap_or(Timestamp::MAX)
}

/// The time from one moment to a later one, zero when it is not later.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or(Duration::ZERO)
}

fn signed(length: Duration) -> SignedDuration {
    SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX)
}
