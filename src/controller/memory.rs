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
    /// What the rosters are expected to show, and since when this process knows of it: what was read before that says
    /// nothing of it.
    pub expected: Option<(String, Duration)>,
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

    /// Notes what a complete roster begun at `roster` shows of the person who is to be there: `expected` names the invitation
    /// or the membership that the claim had at `now`. Returns since when the person is missing.
    pub fn missing_since(
        &self,
        uid: &str,
        expected: Option<&str>,
        shows: bool,
        roster: Duration,
        now: Duration,
    ) -> Option<Duration> {
        self.update(uid, |remembered| {
            let Some(expected) = expected else {
                (remembered.expected, remembered.missing_since) = (None, None);
                return None;
            };
            let since = match &remembered.expected {
                Some((known, since)) if known == expected => *since,
                _ => {
                    (remembered.expected, remembered.missing_since) = (Some((expected.to_owned(), now)), None);
                    now
                }
            };
            if shows {
                remembered.missing_since = None;
            } else if roster >= since {
                remembered.missing_since.get_or_insert(roster);
            }
            remembered.missing_since
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_roster_begun_before_the_invitation_was_known_does_not_miss_it() {
        let memory = Memory::default();
        let missing = |expected, shows, roster, now| memory.missing_since("uid", expected, shows, at(roster), at(now));
        assert_eq!(missing(Some("1"), false, 10, 90), None);
        assert_eq!(missing(Some("1"), false, 91, 91), Some(at(91)));
        assert_eq!(missing(Some("1"), false, 150, 150), Some(at(91)));
        assert_eq!(missing(Some("1"), true, 160, 160), None);
        assert_eq!(missing(Some("1"), false, 170, 170), Some(at(170)));
    }

    #[test]
    fn another_invitation_is_missed_anew() {
        let memory = Memory::default();
        let missing = |expected, roster, now| memory.missing_since("uid", expected, false, at(roster), at(now));
        assert_eq!(missing(Some("1"), 10, 10), Some(at(10)));
        assert_eq!(missing(Some("2"), 10, 80), None);
        assert_eq!(missing(Some("2"), 81, 81), Some(at(81)));
        assert_eq!(missing(None, 90, 90), None);
        assert_eq!(missing(Some("2"), 10, 100), None);
    }
}
