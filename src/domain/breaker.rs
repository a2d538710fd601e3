//! The breaker before mass cancellations.
//!
//! When the owners of many claims vanish at once (a definition deleted, a restore gone wrong), cancelling for all of them
//! would be the worst answer. Must never count what its owner asked for by deleting it in the ordinary way.

use super::finding::Finding;
use crate::api::Reason;
use crate::api::names::annotation::RESUME_CANCELLATIONS;
use std::collections::{BTreeSet, VecDeque};
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
    /// When each claim was granted its cancellation.
    granted: VecDeque<(Duration, String)>,
    tripped: Option<Duration>,
    /// Claims that were asked for while it was tripped.
    held: BTreeSet<String>,
    /// Claims that were held, and go ahead: their owners were deleted on purpose.
    confirmed: BTreeSet<String>,
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
    /// Asks for the cancellation of this claim's invitation; `claims` is how many claims there are in all.
    pub fn ask(&mut self, claim: &str, now: Duration, claims: usize) -> Permit {
        if let Some(since) = self.tripped {
            if now.saturating_sub(since) < RESUMES_AFTER {
                self.held.insert(claim.to_owned());
                return Permit::Paused { news: false };
            }
            self.resume();
        }
        while self.granted.front().is_some_and(|(at, _)| now.saturating_sub(*at) > WINDOW) {
            self.granted.pop_front();
        }
        // What could not be cancelled yet asks again, and is one cancellation all the same.
        let again = self.granted.iter().any(|(_, granted)| granted == claim);
        if again || self.confirmed.contains(claim) {
            return Permit::Granted;
        }
        let next = self.granted.len().saturating_add(1);
        if next > ALWAYS_ALLOWED && next.saturating_mul(PART) > claims {
            self.tripped = Some(now);
            self.held.insert(claim.to_owned());
            return Permit::Paused { news: true };
        }
        self.granted.push_back((now, claim.to_owned()));
        Permit::Granted
    }

    /// What was held goes ahead, all of it, and counting begins anew.
    pub fn resume(&mut self) {
        self.tripped = None;
        self.granted.clear();
        self.confirmed = std::mem::take(&mut self.held);
    }

    /// Forgets claims that are finished off, or that somebody looks after again.
    pub fn retain(&mut self, still_vanished: impl Fn(&str) -> bool) {
        self.held.retain(|claim| still_vanished(claim));
        self.confirmed.retain(|claim| still_vanished(claim));
    }

    /// Whether cancellations for vanished owners are paused.
    #[must_use]
    pub fn is_tripped(&self) -> bool {
        self.tripped.is_some()
    }
}

/// What inviters show whose invitations are not cancelled.
#[must_use]
pub fn paused_finding() -> Finding {
    Finding::new(
        Reason::CancellationsPaused,
        format!(
            "the ProjectInvitations of many invitations vanished at once without being deleted in the ordinary way: their \
             invitations are not cancelled for 24 hours. If they were deleted on purpose, ask the operator's administrator \
             to give the annotation {RESUME_CANCELLATIONS} of the operator's Lease a new value"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// So many claims of their own ask; returns how many were granted.
    fn granted(breaker: &mut Breaker, what: &str, count: usize, now: Duration, claims: usize) -> usize {
        let asks = (0..count).map(|number| breaker.ask(&format!("{what}-{number}"), now, claims));
        asks.filter(|permit| *permit == Permit::Granted).count()
    }

    #[test]
    fn ten_are_allowed_and_more_only_of_many() {
        let mut few = Breaker::default();
        assert_eq!(granted(&mut few, "a", 10, at(1), 20), 10);
        assert_eq!(few.ask("b", at(1), 20), Permit::Paused { news: true });
        assert!(few.is_tripped());
        assert_eq!(few.ask("c", at(2), 20), Permit::Paused { news: false });
        let mut many = Breaker::default();
        assert_eq!(granted(&mut many, "a", 100, at(1), 1000), 100);
        assert_eq!(many.ask("b", at(1), 1000), Permit::Paused { news: true });
    }

    #[test]
    fn who_asks_again_because_it_could_not_be_cancelled_counts_once() {
        let mut breaker = Breaker::default();
        for minute in 0..9 {
            assert_eq!(granted(&mut breaker, "a", 3, at(minute * 60), 20), 3);
        }
        assert_eq!(granted(&mut breaker, "b", 7, at(599), 20), 7);
        assert_eq!(breaker.ask("c", at(599), 20), Permit::Paused { news: true });
    }

    #[test]
    fn the_window_moves_on_and_a_tripped_breaker_resumes_after_a_day() {
        let mut breaker = Breaker::default();
        granted(&mut breaker, "a", 10, at(0), 0);
        assert_eq!(breaker.clone().ask("b", at(601), 0), Permit::Granted);
        assert_eq!(breaker.ask("b", at(600), 0), Permit::Paused { news: true });
        assert_eq!(breaker.ask("b", at(600 + 24 * 3600 - 1), 0), Permit::Paused { news: false });
        assert_eq!(breaker.ask("b", at(600 + 24 * 3600), 0), Permit::Granted);
        assert!(!breaker.is_tripped());
    }

    #[test]
    fn resumed_what_was_held_goes_ahead_and_what_vanishes_next_is_counted_anew() {
        let mut breaker = Breaker::default();
        assert_eq!(granted(&mut breaker, "a", 40, at(1), 40), 10);
        assert_eq!(granted(&mut breaker, "a", 40, at(2), 40), 0, "while tripped nothing goes ahead");
        breaker.resume();
        assert!(!breaker.is_tripped());
        assert_eq!(granted(&mut breaker, "a", 40, at(3), 40), 40, "what was asked for while it was tripped");
        assert_eq!(granted(&mut breaker, "b", 11, at(4), 40), 10);
        breaker.resume();
        breaker.retain(|name| name != "b-10");
        assert_eq!(granted(&mut breaker, "c", 10, at(5), 40), 10);
        assert_eq!(breaker.ask("b-10", at(5), 40), Permit::Paused { news: true }, "a confirmation is for once");
    }
}
