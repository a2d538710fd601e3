//! What this process remembers of an object between passes, by uid.
//!
//! Everything here may be lost: a restart only makes the operator wait longer. Must never hold what an e-mail depends on;
//! that is the claim.

use crate::domain::facts::LastPass;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What is remembered of one object. Times are this process's monotonic ones.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    /// The begin of the first roster that did not show a person who had been there.
    pub missing_since: Option<Duration>,
    /// When this process first knew the open attempt of this name.
    pub attempt_known: Option<(String, Duration)>,
    /// When this process first saw that the object is being deleted.
    pub deleting_since: Option<Duration>,
    /// What the last pass came to.
    pub last_pass: LastPass,
    /// The next pass needs a roster begun after it.
    pub needs_fresh: bool,
    /// How long the last live read took that came before an e-mail.
    pub last_read: Duration,
    /// A call that mails is being made, or its result recorded: not to be dropped.
    pub mailing: bool,
    /// Failed passes in a row.
    pub failures: u32,
    /// Since when the inviter has not been usable.
    pub inviter_missing_since: Option<Duration>,
}

/// All that is remembered.
#[derive(Default)]
pub struct Memory {
    objects: Mutex<HashMap<String, Remembered>>,
}

impl Memory {
    /// What is remembered of an object.
    #[must_use]
    pub fn of(&self, uid: &str) -> Remembered {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).get(uid).cloned().unwrap_or_default()
    }

    /// Changes what is remembered of an object.
    pub fn update<T>(&self, uid: &str, change: impl FnOnce(&mut Remembered) -> T) -> T {
        change(self.objects.lock().unwrap_or_else(PoisonError::into_inner).entry(uid.to_owned()).or_default())
    }

    /// Forgets an object.
    pub fn forget(&self, uid: &str) {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }

    /// When this process first knew the attempt; now, if it did not.
    pub fn attempt_known_since(&self, uid: &str, nonce: &str, now: Duration) -> Duration {
        self.update(uid, |remembered| match &remembered.attempt_known {
            Some((known, since)) if known == nonce => *since,
            _ => {
                remembered.attempt_known = Some((nonce.to_owned(), now));
                now
            }
        })
    }
}
