//! Caches that never forget an own write.
//!
//! kube's store follows the watch, which lags behind the writes of this very process. What the API server returned for an
//! own write is served until the watch has caught up. Must never be what an e-mail is decided on: that is read live.

use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher;
use kube::{Resource, ResourceExt};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A store with the own writes that it has not seen yet.
pub struct Cache<K>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    store: Store<K>,
    written: Mutex<HashMap<ObjectRef<K>, Arc<K>>>,
}

impl<K> Cache<K>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    /// Over a store that a reflector fills.
    #[must_use]
    pub fn over(store: Store<K>) -> Self {
        Self { store, written: Mutex::new(HashMap::new()) }
    }

    /// The newest known version of an object.
    #[must_use]
    pub fn get(&self, key: &ObjectRef<K>) -> Option<Arc<K>> {
        let seen = self.store.get(key);
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(own) = written.get(key) else { return seen };
        match &seen {
            Some(seen) if seen.meta().uid != own.meta().uid || version(seen.as_ref()) >= version(own.as_ref()) => {
                written.remove(key);
            }
            // Written and not watched yet.
            Some(_) | None => return Some(Arc::clone(own)),
        }
        seen
    }

    /// Remembers what the API server returned for an own write or a live read.
    pub fn remember(&self, key: ObjectRef<K>, object: K) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = written.get(&key).is_none_or(|present| version(present.as_ref()) <= version(&object));
        if newer {
            written.insert(key, Arc::new(object));
        }
    }

    /// Forgets an own write, because the object is gone.
    pub fn forget(&self, key: &ObjectRef<K>) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Lets the watch overtake own writes: to be called with every event that has reached the store.
    pub fn watched(&self, event: &watcher::Event<K>) {
        match event {
            watcher::Event::Delete(object) => self.forget(&ObjectRef::from_obj(object)),
            watcher::Event::Apply(object) => {
                let key = ObjectRef::from_obj(object);
                let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
                if written.get(&key).is_some_and(|own| version(own.as_ref()) <= version(object)) {
                    written.remove(&key);
                }
            }
            // A fresh list is the whole truth.
            watcher::Event::InitDone => self.written.lock().unwrap_or_else(PoisonError::into_inner).clear(),
            watcher::Event::Init | watcher::Event::InitApply(_) => {}
        }
    }

    /// The store itself, for looking through all objects.
    #[must_use]
    pub fn store(&self) -> &Store<K> {
        &self.store
    }
}

/// resourceVersions of one resource are ordered numbers (Kubernetes: KEP-5504).
fn version(object: &impl ResourceExt) -> u64 {
    object.resource_version().and_then(|version| version.parse().ok()).unwrap_or_default()
}
