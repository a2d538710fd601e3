//! Whether this process may act: what the election says, and what everybody else asks.
//!
//! Owns the rule that a hold ends by time alone, without anybody having to notice. Must never know the Lease.

use super::clock::Clock;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What the election says. Moments are this process's monotonic time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leadership {
    /// There is no election: this process is the only one.
    Unopposed,
    /// Somebody else leads, or nobody.
    Following,
    /// This process leads, until this moment unless it renews.
    Leading {
        /// The end of the hold.
        until: Duration,
    },
}

/// Tells the others.
pub struct Announcer {
    state: watch::Sender<Leadership>,
    resume: watch::Sender<Option<String>>,
}

impl Announcer {
    /// Leads until this moment, or follows.
    pub fn announce(&self, now_is: Leadership) {
        self.state.send_replace(now_is);
    }

    /// What somebody has asked of whoever leads: the value of the annotation that ends a pause of cancellations.
    pub fn resume_asked(&self, value: Option<String>) {
        self.resume.send_replace(value);
    }
}

/// What everybody else asks.
#[derive(Clone)]
pub struct Seat {
    state: watch::Receiver<Leadership>,
    resume: watch::Receiver<Option<String>>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
}

impl Seat {
    /// Without an election.
    #[must_use]
    pub fn unopposed(clock: Arc<dyn Clock>) -> Self {
        // A receiver keeps the last value when its sender is gone.
        let (_, state) = watch::channel(Leadership::Unopposed);
        let (_, resume) = watch::channel(None);
        Self { state, resume, clock, stop: CancellationToken::new() }
    }

    /// With an election, until `stop`: from then on nothing new is begun, though the Lease is held until all is recorded.
    #[must_use]
    pub fn contested(clock: Arc<dyn Clock>, stop: CancellationToken) -> (Announcer, Self) {
        let (announced, state) = watch::channel(Leadership::Following);
        let (asked, resume) = watch::channel(None);
        (Announcer { state: announced, resume: asked }, Self { state, resume, clock, stop })
    }

    /// What the Lease has under the annotation that ends a pause of cancellations.
    #[must_use]
    pub fn resume_asked(&self) -> Option<String> {
        self.resume.borrow().clone()
    }

    /// How much of the hold is left for something new; `None` when nothing may be begun.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        let state = *self.state.borrow();
        match state {
            Leadership::Unopposed => Some(Duration::MAX),
            Leadership::Following => None,
            Leadership::Leading { .. } if self.stop.is_cancelled() => None,
            Leadership::Leading { until } => {
                let left = until.saturating_sub(self.clock.monotonic());
                (!left.is_zero()).then_some(left)
            }
        }
    }

    /// Whether passes may begin.
    #[must_use]
    pub fn may_act(&self) -> bool {
        self.time_left().is_some()
    }
}
