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
pub struct Announcer(watch::Sender<Leadership>);

impl Announcer {
    /// Leads until this moment, or follows.
    pub fn announce(&self, now_is: Leadership) {
        self.0.send_replace(now_is);
    }
}

/// What everybody else asks.
#[derive(Clone)]
pub struct Seat {
    state: watch::Receiver<Leadership>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
}

impl Seat {
    /// Without an election.
    #[must_use]
    pub fn unopposed(clock: Arc<dyn Clock>) -> Self {
        // A receiver keeps the last value when its sender is gone.
        let (_, state) = watch::channel(Leadership::Unopposed);
        Self { state, clock, stop: CancellationToken::new() }
    }

    /// With an election, until `stop`: from then on nothing new is begun, though the Lease is held until all is recorded.
    #[must_use]
    pub fn contested(clock: Arc<dyn Clock>, stop: CancellationToken) -> (Announcer, Self) {
        let (sender, state) = watch::channel(Leadership::Following);
        (Announcer(sender), Self { state, clock, stop })
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
