//! Room: leave to call, under MongoDB's limits.
//!
//! Owns where a call waits for it, which is before anything is sent: what may be repeated waits a moment here and is then
//! put off; an invitation asks before its attempt is opened, and never waits after that. All connections of a process share
//! one [`Limits`], because MongoDB counts by project and not by credential. Must never decide how much there is:
//! `domain::limits` does.

use super::limits::{CallClass, CallRecord};
use crate::domain::bucket::{Backoff, Ending, Grant, Held, Priority, Refusal, Told};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::limits::{BucketKey, Buckets};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Nobody holds a place in the queue of passes longer than this for want of room.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// The first wait after a 429 that names none, as MongoDB recommends; doubled each time.
const FIRST_BACKOFF: Duration = Duration::from_secs(10);

/// The limits of all hosts, as this process knows them.
pub struct Limits {
    buckets: Mutex<Buckets>,
    began: Instant,
    backoff: Duration,
    /// A call has ended: there may be room.
    changed: Notify,
}

impl Default for Limits {
    fn default() -> Self {
        Self::rehearsed(1)
    }
}

impl Limits {
    /// Nothing known yet. In rehearsals a minute of MongoDB's is shorter by a factor.
    #[must_use]
    pub fn rehearsed(divisor: u32) -> Self {
        let divisor = divisor.max(1);
        let buckets = Mutex::new(Buckets::rehearsed(divisor));
        Self { buckets, began: Instant::now(), backoff: FIRST_BACKOFF / divisor, changed: Notify::new() }
    }

    fn buckets(&self) -> MutexGuard<'_, Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// How many buckets are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.buckets().len()
    }

    /// Leave for a call of so many requests, waited for a moment.
    ///
    /// # Errors
    /// `HeldBack`, with the time to expect.
    pub(super) async fn enter(
        self: &Arc<Self>,
        key: BucketKey,
        requests: u32,
        priority: Priority,
    ) -> Result<Room, Failure> {
        let came = self.now();
        let give_up = came + LONGEST_PAUSE;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let now = self.now();
            let held = match self.buckets().ask(&key, requests, priority, now) {
                Ok(grant) => {
                    let (limits, waited) = (Arc::clone(self), now.saturating_sub(came));
                    return Ok(Room(Some(Taken { limits, key, grant, waited, sent: 0 })));
                }
                Err(held) => held,
            };
            let next = match held {
                Held::Until(at) => at,
                Held::ByAnswers => Duration::MAX,
            };
            // What takes longer is not begun to be waited for, unless an answer may change that.
            if now >= give_up || (held != Held::ByAnswers && next > give_up) {
                let at = self.buckets().promise(&key, held, requests, now);
                return Err(held_back(at.saturating_sub(now)));
            }
            tokio::select! {
                () = sleep_until(self.began + next.min(give_up)) => {}
                () = changed => {}
            }
        }
    }
}

/// The wait of a call for which there is no room.
fn held_back(retry_after: Duration) -> Failure {
    let message = "MongoDB's limit of calls leaves no room now";
    Failure { kind: FailureKind::HeldBack { retry_after }, message: message.to_owned() }
}

/// Leave for one call. What was not used goes back when it is dropped.
#[must_use = "room that is dropped goes back"]
#[derive(Default)]
pub struct Room(Option<Taken>);

struct Taken {
    limits: Arc<Limits>,
    key: BucketKey,
    grant: Grant,
    waited: Duration,
    sent: u32,
}

impl Room {
    /// Of an API that limits nothing.
    pub fn unlimited() -> Self {
        Self(None)
    }

    /// How long it was waited for.
    pub(super) fn waited(&self) -> Duration {
        self.0.as_ref().map_or(Duration::ZERO, |taken| taken.waited)
    }

    /// Whether the call may still go: a refusal of another one since then forbids it.
    ///
    /// # Errors
    /// `NotSent`, with the time that the refusal named.
    pub(super) fn is_open(&self) -> Result<(), Failure> {
        let Some(taken) = &self.0 else { return Ok(()) };
        let now = taken.limits.now();
        let open = taken.limits.buckets().is_open(&taken.key, now);
        open.map_err(|until| Failure {
            kind: FailureKind::NotSent { retry_after: Some(until.saturating_sub(now)) },
            message: "MongoDB asked for fewer calls a moment ago; nothing was sent".to_owned(),
        })
    }

    /// One request goes out.
    pub(super) fn sent(&mut self) {
        if let Some(taken) = &mut self.0 {
            taken.sent = taken.sent.saturating_add(1);
        }
    }

    /// The call has ended as recorded.
    pub(super) fn ended(mut self, record: &CallRecord) {
        if let Some(taken) = self.0.take() {
            taken.end(ending(record));
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Some(taken) = self.0.take() {
            taken.end(Ending::Lost);
        }
    }
}

impl Taken {
    fn end(self, ending: Ending) {
        let Self { limits, key, grant, sent, .. } = self;
        let now = limits.now();
        if sent == 0 {
            limits.buckets().returned(&key, grant);
        } else {
            let backoff = Backoff { first: limits.backoff, jitter: rand::random() };
            limits.buckets().ended(&key, grant, sent, ending, backoff, now);
        }
        limits.changed.notify_waiters();
    }
}

/// What the end of a call says of the bucket.
fn ending(record: &CallRecord) -> Ending {
    let number = |told: Option<u64>| told.map(|told| u32::try_from(told).unwrap_or(u32::MAX));
    let refusal = match record.class {
        CallClass::Failed(FailureKind::RateLimited { retry_after }) => Some(Refusal::TooMany(retry_after)),
        CallClass::Failed(
            FailureKind::Unavailable { retry_after: Some(wait) } | FailureKind::NotSent { retry_after: Some(wait) },
        ) => Some(Refusal::Unavailable(wait)),
        CallClass::Failed(
            FailureKind::Unavailable { retry_after: None } | FailureKind::NotSent { retry_after: None },
        ) if record.limit_remaining.is_none() => {
            return Ending::Lost;
        }
        CallClass::Ok | CallClass::Failed(_) => None,
    };
    Ending::Answered(Told {
        limit: number(record.limit),
        remaining: number(record.limit_remaining),
        shape: record.bucket,
        refusal,
    })
}
