//! Rate limits: token buckets, per-minute windows and the invitation throttle.
//!
//! Owns counting (contract §6). Must never decide what an answer looks like.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use jiff::Timestamp;

use crate::clock::between;

const MINUTE: Duration = Duration::from_secs(60);

/// Size and refill of a token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BucketShape {
    pub(crate) name: &'static str,
    pub(crate) capacity: u32,
    pub(crate) refill: u32,
    pub(crate) refill_seconds: u32,
}

/// What taking from a bucket gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// A token, with so many left.
    Left(u32),
    /// None; one is there after so many seconds.
    Empty(u64),
}

/// All counters.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    buckets: BTreeMap<String, Bucket>,
    windows: BTreeMap<String, VecDeque<Timestamp>>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Timestamp,
}

impl Limits {
    /// Takes one token from the bucket of a scope.
    pub(crate) fn take(&mut self, shape: BucketShape, scope: &str, now: Timestamp) -> Taken {
        let capacity = f64::from(shape.capacity);
        let per_second = f64::from(shape.refill) / f64::from(shape.refill_seconds.max(1));
        let bucket =
            self.buckets.entry(format!("{}/{scope}", shape.name)).or_insert(Bucket { tokens: capacity, at: now });
        let gained = between(bucket.at, now).as_secs_f64() * per_second;
        bucket.tokens = (bucket.tokens + gained).min(capacity);
        bucket.at = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Taken::Left(whole(bucket.tokens, shape.capacity));
        }
        let wait = Duration::from_secs_f64((1.0 - bucket.tokens) / per_second);
        Taken::Empty(wait.as_secs() + 1)
    }

    /// Empties the bucket of a scope, so that the next call is refused.
    pub(crate) fn drain(&mut self, shape: BucketShape, scope: &str, now: Timestamp) {
        let bucket = Bucket { tokens: 0.0, at: now };
        self.buckets.insert(format!("{}/{scope}", shape.name), bucket);
    }

    /// Counts one event in the last minute's window; the seconds to wait when it is full.
    pub(crate) fn count(&mut self, scope: &str, limit: u32, now: Timestamp) -> Result<(), u64> {
        self.count_within(scope, limit, MINUTE, now)
    }

    /// The same with a minute of another length.
    pub(crate) fn count_within(
        &mut self,
        scope: &str,
        limit: u32,
        minute: Duration,
        now: Timestamp,
    ) -> Result<(), u64> {
        let window = self.windows.entry(scope.to_owned()).or_default();
        while window.front().is_some_and(|oldest| between(*oldest, now) >= minute) {
            window.pop_front();
        }
        if window.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            let oldest = window.front().copied().unwrap_or(now);
            let wait = minute.saturating_sub(between(oldest, now));
            return Err(wait.as_secs() + 1);
        }
        window.push_back(now);
        Ok(())
    }

    /// Forgets everything counted.
    pub(crate) fn clear(&mut self) {
        self.buckets.clear();
        self.windows.clear();
    }
}

/// A non-negative count below the cap without its fraction; `as` is not used in this workspace.
fn whole(value: f64, cap: u32) -> u32 {
    let seconds = Duration::try_from_secs_f64(value.max(0.0)).map_or(0, |d| d.as_secs());
    u32::try_from(seconds).unwrap_or(cap).min(cap)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: BucketShape = BucketShape { name: "test", capacity: 3, refill: 60, refill_seconds: 60 };

    #[test]
    fn a_bucket_runs_empty_and_fills_with_time() {
        let mut limits = Limits::default();
        let start = Timestamp::UNIX_EPOCH;
        assert_eq!(limits.take(SHAPE, "p", start), Taken::Left(2));
        assert_eq!(limits.take(SHAPE, "p", start), Taken::Left(1));
        assert_eq!(limits.take(SHAPE, "p", start), Taken::Left(0));
        assert!(matches!(limits.take(SHAPE, "p", start), Taken::Empty(_)));
        let later = crate::clock::after(start, Duration::from_secs(2));
        assert_eq!(limits.take(SHAPE, "p", later), Taken::Left(1));
    }

    #[test]
    fn a_window_forgets_after_a_minute() {
        let mut limits = Limits::default();
        let start = Timestamp::UNIX_EPOCH;
        assert_eq!(limits.count("x", 1, start), Ok(()));
        assert_eq!(limits.count("x", 1, start), Err(61));
        let later = crate::clock::after(start, MINUTE);
        assert_eq!(limits.count("x", 1, later), Ok(()));
    }
}
