//! The times of a rehearsal: those of production, divided by one factor.
//!
//! Owns how late the simulator may act and list so that it stays within what the protocol assumes. Times in claims have
//! whole seconds, and a frozen replica may send a call so late as it was frozen: both count against the same allowance.

use atlas_sim::Span;
use invitation_operator::domain::lease::LeaseTimes;
use invitation_operator::domain::timings::Timings;
use std::fmt;
use std::time::Duration;

/// A Lease of less than this could not be renewed on a busy machine, so production's is made longer before it is divided.
const LEASE: Duration = Duration::from_secs(3);

/// What all times are divided by.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    factor: u32,
}

impl Scale {
    /// Divides by this factor.
    #[must_use]
    pub fn by(factor: u32) -> Self {
        Self { factor }
    }

    fn timings(self) -> Timings {
        Timings::default().divided_by(self.factor)
    }

    /// The Lease before it is divided.
    fn lease_in_production(self) -> Duration {
        (LEASE * self.factor).max(LeaseTimes::default().duration)
    }

    /// How long a replica that is gone without a word still counts as leading.
    #[must_use]
    pub fn lease(self) -> Duration {
        self.lease_in_production() / self.factor
    }

    /// How long nothing is sent after an attempt without an answer.
    #[must_use]
    pub fn quarantine(self) -> Duration {
        self.timings().quarantine()
    }

    /// So much later than its sender has given up may a call still act: half of what is assumed.
    #[must_use]
    pub fn late(self) -> Span {
        (self.timings().server_delay / 2).into()
    }

    /// So long may lists not show what is there: six tenths of what is assumed.
    #[must_use]
    pub fn lag(self) -> Span {
        (self.timings().list_delay * 3 / 5).into()
    }

    /// The operator's flags for it.
    #[must_use]
    pub fn flags(self) -> Vec<String> {
        vec![
            format!("--unsafe-timings={}", self.factor),
            format!("--lease-duration={}ms", self.lease_in_production().as_millis()),
            "--call-deadline=2s".to_owned(),
        ]
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, scaled) = (Timings::default(), self.timings());
        let pairs = [
            ("post deadline", whole.post_deadline, scaled.post_deadline),
            ("quarantine", whole.quarantine(), scaled.quarantine()),
            ("lease", self.lease_in_production(), self.lease()),
        ];
        write!(f, "times divided by {} (--unsafe-timings):", self.factor)?;
        for (what, whole, scaled) in pairs {
            write!(f, " {what} {} s -> {:.2} s,", whole.as_secs(), scaled.as_secs_f64())?;
        }
        write!(f, " calls act up to {} late, lists lag up to {}", self.late(), self.lag())
    }
}
