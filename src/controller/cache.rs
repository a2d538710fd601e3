//! Caches that never forget an own write.
//!
//! kube's store follows the watch, which lags behind the writes of this very process. What the API server returned for an
//! own write is served until the watch has got past it; an object that is gone by then does not come back. The one place
//! where events reach a store, and the index beside it. Must never be what an e-mail is decided on: that is read live.

use super::index::{Index, Indexed};
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher;
use kube::{Resource, ResourceExt};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A store with the own writes that it has not seen yet.
pub struct Cache<K>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    store: Store<K>,
    /// Of what the store holds, own writes aside.
    index: Mutex<Index<K>>,
    ahead: Mutex<Ahead<K>>,
}

/// What is known beyond the store.
struct Ahead<K: Resource<DynamicType = ()>> {
    written: HashMap<ObjectRef<K>, Written<K>>,
    /// By namespace: the newest version that the watch has shown. It shows the changes of a namespace in their order.
    reached: HashMap<Option<String>, u64>,
    /// Lists begun so far.
    lists: u64,
}

/// An own write.
struct Written<K> {
    object: Arc<K>,
    /// How many lists had begun by then: those that begin later show it, or what became of it.
    lists: u64,
}

impl<K> Cache<K>
where
    K: Resource<DynamicType = ()> + Indexed + Clone + 'static,
{
    /// Over a store that [`Self::follow`] fills.
    #[must_use]
    pub fn over(store: Store<K>) -> Self {
        Self {
            store,
            index: Mutex::new(Index::new()),
            ahead: Mutex::new(Ahead { written: HashMap::new(), reached: HashMap::new(), lists: 0 }),
        }
    }

    /// Takes an event of the watch into the store, into its index, and past the own writes that it shows.
    pub fn follow(&self, writer: &mut Writer<K>, event: &watcher::Event<K>) {
        {
            let mut index = self.index();
            match event {
                watcher::Event::Apply(object) | watcher::Event::Delete(object) => {
                    let key = ObjectRef::from_obj(object);
                    if let Some(before) = self.store.get(&key) {
                        index.take(&before);
                    }
                    writer.apply_watcher_event(event);
                    if let Some(now) = self.store.get(&key) {
                        index.put(&now);
                    }
                }
                watcher::Event::Init | watcher::Event::InitApply(_) => writer.apply_watcher_event(event),
                watcher::Event::InitDone => {
                    writer.apply_watcher_event(event);
                    index.rebuild(&self.store.state());
                }
            }
        }
        self.watched(event);
    }

    /// What the store holds under a key.
    #[must_use]
    pub fn with(&self, key: &K::Key) -> Vec<Arc<K>> {
        self.index().with(key).cloned().collect()
    }

    /// Whether the store holds something under a key of which this is so.
    #[must_use]
    pub fn any(&self, key: &K::Key, is: impl Fn(&K) -> bool) -> bool {
        self.index().with(key).any(|object| is(object.as_ref()))
    }

    /// The newest known version of an object.
    #[must_use]
    pub fn get(&self, key: &ObjectRef<K>) -> Option<Arc<K>> {
        let seen = self.store.get(key);
        let mut ahead = self.ahead();
        let Some(own) = ahead.written.get(key) else { return seen };
        let watched = match &seen {
            Some(seen) => version(seen.as_ref()),
            None => ahead.reached.get(&key.namespace).copied().unwrap_or_default(),
        };
        if watched < version(own.object.as_ref()) {
            return Some(Arc::clone(&own.object));
        }
        ahead.written.remove(key);
        seen
    }

    /// Remembers what the API server returned for an own write or a live read.
    pub fn remember(&self, key: ObjectRef<K>, object: K) {
        let mut ahead = self.ahead();
        let newer = ahead.written.get(&key).is_none_or(|present| version(present.object.as_ref()) <= version(&object));
        if newer {
            let lists = ahead.lists;
            ahead.written.insert(key, Written { object: Arc::new(object), lists });
        }
    }

    /// Forgets an own write, because the object is gone.
    pub fn forget(&self, key: &ObjectRef<K>) {
        self.ahead().written.remove(key);
    }

    /// Lets the watch overtake own writes, once an event has reached the store.
    fn watched(&self, event: &watcher::Event<K>) {
        let mut ahead = self.ahead();
        match event {
            watcher::Event::Apply(object) | watcher::Event::Delete(object) => {
                let (key, seen) = (ObjectRef::from_obj(object), version(object));
                if ahead.written.get(&key).is_some_and(|own| version(own.object.as_ref()) <= seen) {
                    ahead.written.remove(&key);
                }
                let reached = ahead.reached.entry(object.namespace()).or_default();
                *reached = seen.max(*reached);
            }
            watcher::Event::Init => ahead.lists += 1,
            // The whole truth about everything that was written before it began.
            watcher::Event::InitDone => {
                let lists = ahead.lists;
                ahead.written.retain(|_, own| own.lists >= lists);
            }
            watcher::Event::InitApply(_) => {}
        }
    }

    /// The store itself, for looking through all objects.
    #[must_use]
    pub fn store(&self) -> &Store<K> {
        &self.store
    }

    fn index(&self) -> MutexGuard<'_, Index<K>> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ahead(&self) -> MutexGuard<'_, Ahead<K>> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// resourceVersions of one resource are ordered numbers (Kubernetes: KEP-5504).
fn version(object: &impl ResourceExt) -> u64 {
    object.resource_version().and_then(|version| version.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::runtime::reflector::store;
    use kube::runtime::reflector::store::Writer;
    use kube::runtime::watcher::Event;

    /// A cache and what fills its store.
    struct Followed {
        cache: Cache<ConfigMap>,
        writer: Writer<ConfigMap>,
    }

    impl Followed {
        fn new() -> Self {
            let (reader, writer) = store();
            Self { cache: Cache::over(reader), writer }
        }

        fn watches(&mut self, events: impl IntoIterator<Item = Event<ConfigMap>>) {
            for event in events {
                self.cache.follow(&mut self.writer, &event);
            }
        }

        fn writes(&self, name: &str, version: u64) {
            self.cache.remember(key(name), object(name, version));
        }

        fn holds(&self, name: &str) -> Option<u64> {
            self.cache.get(&key(name)).map(|object| version(object.as_ref()))
        }
    }

    impl Indexed for ConfigMap {
        type Key = ();

        fn keys(&self) -> Vec<()> {
            Vec::new()
        }
    }

    fn object(name: &str, version: u64) -> ConfigMap {
        let mut object = ConfigMap::default();
        object.metadata.name = Some(name.to_owned());
        object.metadata.namespace = Some("a".to_owned());
        object.metadata.resource_version = Some(version.to_string());
        object
    }

    fn key(name: &str) -> ObjectRef<ConfigMap> {
        ObjectRef::new(name).within("a")
    }

    fn list(objects: impl IntoIterator<Item = ConfigMap>) -> Vec<Event<ConfigMap>> {
        let shown = objects.into_iter().map(Event::InitApply);
        [Event::Init].into_iter().chain(shown).chain([Event::InitDone]).collect()
    }

    #[test]
    fn an_own_write_is_served_until_the_watch_has_got_past_it() {
        let mut followed = Followed::new();
        followed.watches(list([object("one", 1)]));
        followed.writes("one", 5);
        assert_eq!(followed.holds("one"), Some(5));
        followed.watches([Event::Apply(object("one", 4))]);
        assert_eq!(followed.holds("one"), Some(5), "an older change came late");
        followed.watches([Event::Apply(object("one", 6))]);
        assert_eq!(followed.holds("one"), Some(6));
    }

    #[test]
    fn an_own_write_of_what_was_made_anew_outlives_the_news_of_the_old_ones_end() {
        let mut followed = Followed::new();
        followed.watches(list([object("one", 1)]));
        followed.writes("one", 8);
        followed.watches([Event::Delete(object("one", 7))]);
        assert_eq!(followed.holds("one"), Some(8));
    }

    #[test]
    fn a_write_whose_answer_comes_after_the_news_of_the_objects_end_brings_nothing_back() {
        let mut followed = Followed::new();
        followed.watches(list([object("one", 1)]));
        followed.watches([Event::Delete(object("one", 6))]);
        followed.writes("one", 5);
        assert_eq!(followed.holds("one"), None);
    }

    #[test]
    fn a_list_ends_what_was_written_before_it_and_nothing_else() {
        let mut followed = Followed::new();
        followed.watches(list([object("one", 1)]));
        followed.writes("one", 5);
        followed.watches([Event::Init]);
        followed.writes("two", 9);
        followed.watches([Event::InitDone]);
        assert_eq!(followed.holds("one"), None, "deleted while nobody watched");
        assert_eq!(followed.holds("two"), Some(9), "the list may be older");
    }
}
