//! What is to be said of inviters besides whether they can be used: orphans, cancellations that are paused.
//!
//! Put in by looks and by the sweep, taken out by the inviters' own passes, which show them. Everything here may be lost:
//! the next look finds it again. Must never hold the address of anybody.

use crate::domain::finding::Finding;
use crate::domain::orphan::orphans_finding;
use crate::domain::remote::ObjectId;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Of one project, as one inviter's last look showed it.
struct Compared {
    /// When the roster was begun.
    started: Duration,
    orphans: BTreeSet<String>,
}

/// Remarks of all inviters, by uid.
#[derive(Default)]
pub struct Remarks {
    projects: Mutex<HashMap<String, BTreeMap<ObjectId, Compared>>>,
    paused: Mutex<BTreeSet<String>>,
}

/// What is known of an inviter's orphans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Orphans {
    /// This process has not looked yet: what was shown before stays.
    Unknown,
    /// None.
    None,
    /// These.
    Some(Finding),
}

impl Remarks {
    fn projects(&self) -> MutexGuard<'_, HashMap<String, BTreeMap<ObjectId, Compared>>> {
        self.projects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the roster begun at this moment was compared already.
    #[must_use]
    pub fn is_compared(&self, inviter_uid: &str, project: &ObjectId, started: Duration) -> bool {
        self.projects()
            .get(inviter_uid)
            .and_then(|projects| projects.get(project))
            .is_some_and(|compared| compared.started >= started)
    }

    /// The roster begun at this moment shows just these orphans. Returns whether that is news for the inviter.
    pub fn compared(
        &self,
        inviter_uid: &str,
        project: &ObjectId,
        started: Duration,
        orphans: BTreeSet<String>,
    ) -> bool {
        let mut projects = self.projects();
        let projects = projects.entry(inviter_uid.to_owned()).or_default();
        let news = projects.get(project).map_or(!orphans.is_empty(), |before| before.orphans != orphans);
        projects.insert(project.clone(), Compared { started, orphans });
        news
    }

    /// The inviter's orphans. A project that nobody has looked at since `oldest` has no object any more, and is not counted.
    #[must_use]
    pub fn orphans_of(&self, inviter_uid: &str, oldest: Duration) -> Orphans {
        let mut projects = self.projects();
        let Some(projects) = projects.get_mut(inviter_uid) else { return Orphans::Unknown };
        projects.retain(|_, compared| compared.started >= oldest);
        let orphans = projects.iter().map(|(project, compared)| (project.clone(), compared.orphans.clone())).collect();
        orphans_finding(&orphans).map_or(Orphans::None, Orphans::Some)
    }

    /// How many orphans there are in all; one that two inviters see counts once.
    #[must_use]
    pub fn count(&self) -> usize {
        let projects = self.projects();
        let seen: BTreeSet<_> =
            projects.values().flat_map(BTreeMap::values).flat_map(|compared| &compared.orphans).collect();
        seen.len()
    }

    /// Cancellations of just these inviters' invitations are paused. Returns the inviters for which that is news.
    pub fn set_paused(&self, inviter_uids: BTreeSet<String>) -> BTreeSet<String> {
        let mut paused = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        let news = paused.symmetric_difference(&inviter_uids).cloned().collect();
        *paused = inviter_uids;
        news
    }

    /// Whether cancellations of the inviter's invitations are paused.
    #[must_use]
    pub fn is_paused(&self, inviter_uid: &str) -> bool {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner).contains(inviter_uid)
    }

    /// The inviter is gone.
    pub fn forget(&self, inviter_uid: &str) {
        self.projects().remove(inviter_uid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn an_inviter_is_woken_by_news_only_and_shows_what_the_last_looks_found() {
        let remarks = Remarks::default();
        let project = ObjectId::parse("5f1d7c8e9a3b2c4d5e6f7a8b").unwrap();
        let other = ObjectId::parse("5f1d7c8e9a3b2c4d5e6f7a8c").unwrap();
        let at = Duration::from_secs;
        assert_eq!(remarks.orphans_of("i", at(0)), Orphans::Unknown, "what was shown before a restart stays");
        assert!(!remarks.compared("i", &project, at(1), ids(&[])));
        assert_eq!(remarks.orphans_of("i", at(0)), Orphans::None);
        assert!(remarks.compared("i", &project, at(2), ids(&["a"])));
        assert!(!remarks.compared("i", &project, at(3), ids(&["a"])));
        assert!(remarks.is_compared("i", &project, at(3)) && !remarks.is_compared("i", &project, at(4)));
        assert!(
            remarks.compared("j", &project, at(3), ids(&["a"])) && remarks.compared("j", &other, at(3), ids(&["b"]))
        );
        assert_eq!(remarks.count(), 2);
        assert!(matches!(remarks.orphans_of("i", at(3)), Orphans::Some(_)));
        assert_eq!(remarks.orphans_of("i", at(4)), Orphans::None, "nobody looks there any more");
        assert!(remarks.compared("j", &other, at(5), ids(&[])), "gone");
        remarks.forget("j");
        assert_eq!((remarks.orphans_of("j", at(0)), remarks.count()), (Orphans::Unknown, 0));
    }

    #[test]
    fn a_pause_is_news_when_it_begins_and_when_it_ends() {
        let remarks = Remarks::default();
        assert_eq!(remarks.set_paused(ids(&["i", "j"])), ids(&["i", "j"]));
        assert_eq!(remarks.set_paused(ids(&["i"])), ids(&["j"]));
        assert!(remarks.is_paused("i") && !remarks.is_paused("j"));
    }
}
