//! Time as an effect: the only place that reads a clock.

use jiff::Timestamp;
use std::time::Duration;

/// Where time comes from.
pub trait Clock: Send + Sync {
    /// Wall clock, for comparing with the times of MongoDB and Kubernetes.
    fn now(&self) -> Timestamp;
    /// Time since some fixed moment; never jumps, and goes on while the machine sleeps.
    fn monotonic(&self) -> Duration;
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the one place that reads a clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        let now = rustix::time::clock_gettime(STEADY);
        // Both parts of this clock are never negative.
        let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
        Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or_default())
    }
}

/// A lease and a quarantine run on while this machine is suspended, and Linux's ordinary monotonic clock does not.
#[cfg(target_os = "linux")]
const STEADY: rustix::time::ClockId = rustix::time::ClockId::Boottime;
/// Here the ordinary one counts sleep, or there is no better.
#[cfg(not(target_os = "linux"))]
const STEADY: rustix::time::ClockId = rustix::time::ClockId::Monotonic;
