//! All buckets of MongoDB's rate limits: per API host, endpoint set and project.
//!
//! Owns what is published, and which buckets are worth remembering. Must never name a person; projects and credentials in
//! here are keys, never labels.

use super::bucket::{Backoff, Bucket, Ending, Grant, Held, Priority, Shape};
use std::collections::HashMap;
use std::time::Duration;

/// Calls that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndpointSet {
    /// Atlas, of a project: its invitations.
    Projects,
    /// Atlas, of a project: its people.
    CloudUsers,
    /// Cloud Manager and Ops Manager: everything of a project.
    Project,
    /// The read that needs no project. Nothing is published of it.
    Root,
    /// Tokens of a service account.
    Token,
}

impl EndpointSet {
    /// What MongoDB publishes: Atlas 1200 requests, of which 500 come back in a minute; Cloud Manager and Ops Manager up to
    /// 100 in a minute; tokens 10 in a minute (50 since 2026). The last two may be counted in a window, in which a full
    /// bucket and its refill come together: these hold both.
    #[must_use]
    pub fn published(self) -> Option<Shape> {
        let shape = |capacity, per_minute: u32| {
            let fill = Duration::from_secs(60) * capacity / per_minute;
            Some(Shape { capacity, fill })
        };
        match self {
            Self::Projects | Self::CloudUsers => shape(1200, 500),
            Self::Project => shape(60, 40),
            Self::Token => shape(8, 2),
            Self::Root => None,
        }
    }
}

/// Which bucket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BucketKey {
    /// Host and port of the API.
    pub host: String,
    /// What is counted together.
    pub set: EndpointSet,
    /// Of which project, or of whose credentials where no project is named.
    pub scope: String,
}

/// How often it is looked which may be forgotten.
const SWEEP: Duration = Duration::from_secs(60);

/// What is known of all buckets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buckets {
    known: HashMap<BucketKey, Bucket>,
    swept_at: Duration,
    divisor: u32,
}

impl Buckets {
    /// None known. In rehearsals a minute of what is published is shorter, too.
    #[must_use]
    pub fn rehearsed(divisor: u32) -> Self {
        Self { divisor, ..Self::default() }
    }

    /// A call of so many requests wants to go; see [`Bucket::ask`].
    ///
    /// # Errors
    /// When it may not.
    pub fn ask(&mut self, key: &BucketKey, requests: u32, priority: Priority, now: Duration) -> Result<Grant, Held> {
        if now.saturating_sub(self.swept_at) >= SWEEP {
            self.swept_at = now;
            self.known.retain(|_, bucket| !bucket.may_be_forgotten(now));
        }
        if let Some(bucket) = self.known.get_mut(key) {
            return bucket.ask(requests, priority, now);
        }
        let divisor = self.divisor.max(1);
        let published = key.set.published().map(|shape| Shape { fill: shape.fill / divisor, ..shape });
        self.known.entry(key.clone()).or_insert_with(|| Bucket::new(published)).ask(requests, priority, now)
    }

    /// Whether a call that has leave may go now; see [`Bucket::is_open`].
    ///
    /// # Errors
    /// When it may.
    pub fn is_open(&self, key: &BucketKey, now: Duration) -> Result<(), Duration> {
        self.known.get(key).map_or(Ok(()), |bucket| bucket.is_open(now))
    }

    /// A call that was granted was not made.
    pub fn returned(&mut self, key: &BucketKey, grant: Grant) {
        if let Some(bucket) = self.known.get_mut(key) {
            bucket.returned(grant);
        }
    }

    /// A call has ended; see [`Bucket::ended_with`].
    pub fn ended(
        &mut self,
        key: &BucketKey,
        grant: Grant,
        requests: u32,
        ending: Ending,
        backoff: Backoff,
        now: Duration,
    ) {
        if let Some(bucket) = self.known.get_mut(key) {
            bucket.ended_with(grant, requests, ending, backoff, now);
        }
    }

    /// When who gives up waiting comes back; see [`Bucket::promise`].
    pub fn promise(&mut self, key: &BucketKey, held: Held, requests: u32, now: Duration) -> Duration {
        self.known.get_mut(key).map_or(now, |bucket| bucket.promise(held, requests, now))
    }

    /// How many are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}
