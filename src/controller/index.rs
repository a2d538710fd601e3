//! Finds objects of a cache by what they have in common, without looking through all of them.
//!
//! Owns the keys. Kept by [`Cache::follow`](super::cache::Cache::follow) beside the store and in step with it: at any moment
//! it finds just what a search through the store would. Costs a hash and a pointer per object and key. Must never outlive
//! the store's own version of an object.

use crate::api::{InvitationClaim, ProjectInvitation};
use crate::domain::desired::{InviterName, inviter_name};
use crate::domain::remote::Username;
use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

/// What can be found by keys.
pub trait Indexed {
    /// What objects have in common.
    type Key: Hash + PartialEq;

    /// All keys of the object.
    fn keys(&self) -> Vec<Self::Key>;
}

/// By what claims are found: the uid of the owner.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OwnedBy(pub String);

impl Indexed for InvitationClaim {
    type Key = OwnedBy;

    fn keys(&self) -> Vec<OwnedBy> {
        self.spec.owner.iter().map(|owner| OwnedBy(owner.uid.clone())).collect()
    }
}

/// By what invitations are found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Wish {
    /// The inviter that they name.
    Through(InviterName),
    /// The person and the project that they name.
    For {
        /// The project.
        project: String,
        /// The person.
        person: Username,
    },
}

impl Indexed for ProjectInvitation {
    type Key = Wish;

    fn keys(&self) -> Vec<Wish> {
        let (project, person) = (self.spec.project_id.clone(), Username::new(&self.spec.username));
        vec![Wish::Through(inviter_name(self)), Wish::For { project, person }]
    }
}

/// The objects of a store by their keys.
pub(super) struct Index<K> {
    hasher: RandomState,
    /// By the hash of a key and the address of the object, which is its own as long as it is held here.
    entries: BTreeMap<(u64, usize), Arc<K>>,
}

impl<K: Indexed> Index<K> {
    pub(super) fn new() -> Self {
        Self { hasher: RandomState::new(), entries: BTreeMap::new() }
    }

    fn places(&self, object: &Arc<K>) -> Vec<(u64, usize)> {
        let address = Arc::as_ptr(object).addr();
        object.keys().iter().map(|key| (self.hasher.hash_one(key), address)).collect()
    }

    pub(super) fn put(&mut self, object: &Arc<K>) {
        for place in self.places(object) {
            self.entries.insert(place, Arc::clone(object));
        }
    }

    pub(super) fn take(&mut self, object: &Arc<K>) {
        for place in self.places(object) {
            self.entries.remove(&place);
        }
    }

    pub(super) fn rebuild(&mut self, objects: &[Arc<K>]) {
        self.entries.clear();
        for object in objects {
            self.put(object);
        }
    }

    /// All objects that have the key.
    pub(super) fn with<'a>(&'a self, key: &'a K::Key) -> impl Iterator<Item = &'a Arc<K>> {
        let hash = self.hasher.hash_one(key);
        let same_hash = self.entries.range((hash, usize::MIN)..=(hash, usize::MAX));
        same_hash.map(|(_, object)| object).filter(move |object| object.keys().contains(key))
    }
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
