//! What this process remembers of an object between passes, by uid.
//!
//! Everything here may be lost: a restart only makes the operator wait longer. Must never hold what an e-mail depends on;
//! that is the claim.

use crate::api::InvitationClaimSpec;
use crate::domain::facts::LastPass;
use crate::domain::schedule;
use serde::Serialize;
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A pass that takes longer is no part of a row of passes that begin again and again.
const IN_A_ROW: Duration = Duration::from_secs(2);

/// What is remembered of one object. Times are this process's monotonic ones.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    /// The begin of the first roster that did not show a person who had been there.
    pub missing_since: Option<Duration>,
    /// What the rosters are expected to show, and since when this process knows of it: what was read before that says
    /// nothing of it.
    pub expected: Option<(Box<str>, Duration)>,
    /// When this process first knew the open attempt of this name.
    pub attempt_known: Option<Box<(String, Duration)>>,
    /// When this process first saw that the object is being deleted.
    pub deleting_since: Option<Duration>,
    /// The status that the last pass wanted shown.
    pub shown: Option<Fingerprint>,
    /// What the last pass found or made of the object's own claim.
    pub claim: OwnClaim,
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
    /// Passes in a row that met what they were not planned for, and when the last of them ended.
    pub begun_again: (u32, Duration),
    /// Since when the inviter has not been usable.
    pub inviter_missing_since: Option<Duration>,
}

/// What a pass knows of its object's claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OwnClaim {
    /// No pass has begun: the first one will see.
    #[default]
    Unread,
    /// There is none.
    Absent,
    /// This.
    Is(Fingerprint),
}

/// Names a content, so that it need not be kept to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Of what Kubernetes would be sent.
    #[must_use]
    pub fn of(content: &impl Serialize) -> Self {
        let mut hasher = DefaultHasher::new();
        serde_json::to_string(content).unwrap_or_default().hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// All that is remembered.
#[derive(Default)]
pub struct Memory {
    /// Apart from the table, which has room for more than there are.
    objects: Mutex<HashMap<Box<str>, Box<Remembered>>>,
}

impl Memory {
    /// What is remembered of an object.
    #[must_use]
    pub fn of(&self, uid: &str) -> Remembered {
        self.objects
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(uid)
            .map(|remembered| remembered.as_ref().clone())
            .unwrap_or_default()
    }

    /// Changes what is remembered of an object.
    pub fn update<T>(&self, uid: &str, change: impl FnOnce(&mut Remembered) -> T) -> T {
        change(self.objects.lock().unwrap_or_else(PoisonError::into_inner).entry(uid.into()).or_default())
    }

    /// Counts a pass that met what it was not planned for, and tells how many in a row that makes: those before it count if
    /// it came soon after them.
    pub fn begins_again(&self, uid: &str, now: Duration) -> u32 {
        self.update(uid, |remembered| {
            let (times, last) = remembered.begun_again;
            let in_a_row = now.saturating_sub(last) <= schedule::begin_again(times) + IN_A_ROW;
            let times = if in_a_row { times.saturating_add(1) } else { 1 };
            remembered.begun_again = (times, now);
            times
        })
    }

    /// Whether anything is remembered of an object.
    #[cfg(test)]
    pub(super) fn knows(&self, uid: &str) -> bool {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).contains_key(uid)
    }

    /// Forgets an object.
    pub fn forget(&self, uid: &str) {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).remove(uid);
    }

    /// The claim is about to be written, in place of `before`: the watch may be quicker than the answer. To whom it is handed
    /// over, it is news.
    pub fn writes(&self, claim: &InvitationClaimSpec, before: Option<&InvitationClaimSpec>) {
        let stays = before.is_none_or(|before| before.owner.is_none() || before.owner == claim.owner);
        if let Some(owner) = claim.owner.as_ref().filter(|_| stays) {
            self.owns(&owner.uid, Some(claim));
        }
    }

    /// The claim is as the object's own pass found it, or wants it. To be told that there is none also just before it is
    /// read: what happens to it meanwhile is news.
    pub fn owns(&self, uid: &str, claim: Option<&InvitationClaimSpec>) {
        let claim = claim.map_or(OwnClaim::Absent, |claim| OwnClaim::Is(Fingerprint::of(claim)));
        self.update(uid, |remembered| remembered.claim = claim);
    }

    /// Whether the claim is not as a pass over its owner left it.
    #[must_use]
    pub fn is_news(&self, uid: &str, claim: &InvitationClaimSpec) -> bool {
        match self.of(uid).claim {
            OwnClaim::Unread => false,
            OwnClaim::Absent => true,
            OwnClaim::Is(known) => known != Fingerprint::of(claim),
        }
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
                Some((known, since)) if known.as_ref() == expected => *since,
                _ => {
                    (remembered.expected, remembered.missing_since) = (Some((expected.into(), now)), None);
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
        self.update(uid, |remembered| match remembered.attempt_known.as_deref() {
            Some((known, since)) if known == nonce => *since,
            _ => {
                remembered.attempt_known = Some(Box::new((nonce.to_owned(), now)));
                now
            }
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::{ledger, testing};

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn passes_that_begin_again_count_while_they_come_one_after_the_other() {
        let memory = Memory::default();
        let mut now = at(100);
        for times in 1..=12 {
            assert_eq!(memory.begins_again("uid", now), times);
            now += schedule::begin_again(times) + Duration::from_millis(50);
        }
        assert_eq!(memory.begins_again("other", now), 1);
        assert_eq!(memory.begins_again("uid", now + at(60)), 1, "the row was over");
    }

    #[test]
    fn a_claim_is_news_to_its_owner_unless_a_pass_of_its_own_left_it_so() {
        let memory = Memory::default();
        let facts = testing::facts();
        let (uid, before) = (facts.desired.object.uid.as_str(), testing::claim(&facts));
        assert!(!memory.is_news(uid, &before), "no pass has begun");
        memory.owns(uid, None);
        assert!(memory.is_news(uid, &before));
        memory.owns(uid, Some(&before));
        assert!(!memory.is_news(uid, &before));
        let after = ledger::attempt_opened(before.clone(), &facts);
        memory.writes(&after, Some(&before));
        assert!(memory.is_news(uid, &before) && !memory.is_news(uid, &after));
        let mut handed_over = after.clone();
        handed_over.owner.as_mut().unwrap().uid = "another".to_owned();
        memory.owns("another", None);
        memory.writes(&handed_over, Some(&after));
        assert!(memory.is_news("another", &handed_over), "to whom it is handed over, it is news");
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
