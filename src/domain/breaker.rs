//! The breaker before mass cancellations.
//!
//! When the owners of many claims vanish at once (a definition deleted, a restore gone wrong), cancelling for all of them
//! would be the worst answer. Must never count what its owner asked for by deleting it in the ordinary way.

use std::collections::VecDeque;
use std::time::Duration;

/// Cancellations for vanished owners are counted over so long.
const WINDOW: Duration = Duration::from_secs(600);
/// So many are always allowed in a window.
const ALWAYS_ALLOWED: usize = 10;
/// And so large a part of all claims: one in ten.
const PART: usize = 10;
/// A tripped breaker closes again by itself after so long.
const RESUMES_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Counts cancellations for vanished owners, in monotonic time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    cancelled: VecDeque<Duration>,
    tripped: Option<Duration>,
}

/// Whether a cancellation may go ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// It may, and is counted.
    Granted,
    /// It may not: too many owners have vanished. `news` the first time.
    Paused {
        /// The breaker tripped just now.
        news: bool,
    },
}

impl Breaker {
    /// Asks for one cancellation; `claims` is how many claims there are in all.
    pub fn ask(&mut self, now: Duration, claims: usize) -> Permit {
        if let Some(since) = self.tripped {
            if now.saturating_sub(since) < RESUMES_AFTER {
                return Permit::Paused { news: false };
            }
            *self = Self::default();
        }
        while self.cancelled.front().is_some_and(|at| now.saturating_sub(*at) > WINDOW) {
            self.cancelled.pop_front();
        }
        let next = self.cancelled.len().saturating_add(1);
        if next > ALWAYS_ALLOWED && next.saturating_mul(PART) > claims {
            self.tripped = Some(now);
            return Permit::Paused { news: true };
        }
        self.cancelled.push_back(now);
        Permit::Granted
    }

    /// Whether cancellations for vanished owners are paused.
    #[must_use]
    pub fn is_tripped(&self) -> bool {
        self.tripped.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn ten_are_allowed_and_more_only_of_many() {
        let mut few = Breaker::default();
        for _ in 0..10 {
            assert_eq!(few.ask(at(1), 20), Permit::Granted);
        }
        assert_eq!(few.ask(at(1), 20), Permit::Paused { news: true });
        assert_eq!(few.ask(at(2), 20), Permit::Paused { news: false });
        let mut many = Breaker::default();
        for _ in 0..100 {
            assert_eq!(many.ask(at(1), 1000), Permit::Granted);
        }
        assert_eq!(many.ask(at(1), 1000), Permit::Paused { news: true });
    }

    #[test]
    fn the_window_moves_on_and_a_tripped_breaker_resumes_after_a_day() {
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            breaker.ask(at(0), 0);
        }
        assert_eq!(breaker.clone().ask(at(601), 0), Permit::Granted);
        assert_eq!(breaker.ask(at(600), 0), Permit::Paused { news: true });
        assert_eq!(breaker.ask(at(600 + 24 * 3600 - 1), 0), Permit::Paused { news: false });
        assert_eq!(breaker.ask(at(600 + 24 * 3600), 0), Permit::Granted);
    }
}
