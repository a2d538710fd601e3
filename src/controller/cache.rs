//! Caches that never forget an own write.
//!
//! The shelf follows the watch, which lags behind the writes of this very process. What the API server returned for an
//! own write is served until the watch has got past it; an object that is gone by then does not come back. The one place
//! where events reach a shelf; it says of every object that is gone that it is gone, and of every change whether it asks for
//! anything. Must never be what an e-mail is decided on: that is read live.

use super::kept::Kept;
use super::packed::Packed;
use super::shelf::Shelf;
use super::watch::what_wakes;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::Event;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// What the watch has shown, with the own writes that it has not shown yet.
pub struct Cache<K: Kept> {
    /// Own writes aside.
    shelf: Mutex<Shelf<K>>,
    ahead: Mutex<Ahead<K>>,
    listed: CancellationToken,
}

/// What is known beyond the shelf.
struct Ahead<K: Kept> {
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

/// An event that is in the cache.
#[derive(Clone, Debug)]
pub struct Told<K> {
    /// The event.
    pub event: Event<K>,
    /// Whether it shows what the object's author wants, and nobody has seen that before.
    pub is_news: bool,
}

impl<K> From<Event<K>> for Told<K> {
    fn from(event: Event<K>) -> Self {
        Self { event, is_news: false }
    }
}

impl<K: Kept> Default for Cache<K> {
    fn default() -> Self {
        let ahead = Ahead { written: HashMap::new(), reached: HashMap::new(), lists: 0 };
        Self { shelf: Mutex::new(Shelf::new()), ahead: Mutex::new(ahead), listed: CancellationToken::new() }
    }
}

impl<K: Kept> Cache<K> {
    /// Takes an event of the watch in, and past the own writes that it shows. Returns it with a `Delete` for each object
    /// that went without a word: what a list no longer shows, and what another uid has replaced.
    pub fn follow(&self, event: Event<K>) -> Vec<Told<K>> {
        let mut gone = Vec::new();
        let mut is_news = false;
        {
            let mut kept = self.kept();
            match &event {
                Event::Apply(object) | Event::InitApply(object) => {
                    let before = kept.put(object);
                    let replaced = before.as_ref().is_some_and(|before| before.uid() != object.uid());
                    is_news = replaced || before.as_ref().is_none_or(|before| what_wakes(before) != what_wakes(object));
                    gone.extend(before.filter(|_| replaced));
                }
                Event::Delete(object) => kept.take(object),
                Event::Init => kept.begin_list(),
                Event::InitDone => gone = kept.end_list(),
            }
        }
        self.overtake(&event);
        let gone = gone.into_iter().map(|object| Told::from(Event::Delete(object)));
        if let Event::InitDone = event {
            self.listed.cancel();
            [Told::from(event)].into_iter().chain(gone).collect()
        } else {
            gone.chain([Told { event, is_news }]).collect()
        }
    }

    /// Whether a list has been complete, sooner or later.
    #[must_use]
    pub fn listed(&self) -> CancellationToken {
        self.listed.clone()
    }

    /// What the watch has shown that has the key.
    #[must_use]
    pub fn with(&self, key: &K::Key) -> Vec<K> {
        self.each_with(key).collect()
    }

    /// Whether the watch has shown something with the key of which this is so.
    #[must_use]
    pub fn any(&self, key: &K::Key, is: impl Fn(&K) -> bool) -> bool {
        self.each_with(key).any(|object| is(&object))
    }

    fn each_with<'a>(&'a self, key: &'a K::Key) -> impl Iterator<Item = K> + 'a {
        let places = self.kept().places_with(key);
        self.each(places).filter(move |object| object.keys().contains(key))
    }

    /// Read one by one: all at once would be many times what they are kept in.
    fn each(&self, places: impl IntoIterator<Item = usize>) -> impl Iterator<Item = K> {
        places.into_iter().filter_map(|place| {
            let packed = self.kept().packed(place)?.clone();
            packed.open()
        })
    }

    /// Everything that the watch has shown, read one by one; what changes meanwhile may be missed. To be done seldom.
    pub fn all(&self) -> impl Iterator<Item = K> {
        let places = self.kept().places();
        self.each(0..places)
    }

    /// The names of what has the key; by a great accident, another one, too.
    #[must_use]
    pub fn names_with(&self, key: &K::Key) -> Vec<ObjectRef<K>> {
        let kept = self.kept();
        kept.places_with(key).into_iter().filter_map(|place| kept.name(place)).collect()
    }

    /// The names of everything of which this is so.
    pub fn names_where(&self, mut is: impl FnMut(&K::Brief) -> bool) -> Vec<ObjectRef<K>> {
        let kept = self.kept();
        kept.briefs().filter(|(_, brief)| is(brief)).filter_map(|(place, _)| kept.name(place)).collect()
    }

    /// Goes through everything that the watch has shown.
    pub fn survey(&self, mut each: impl FnMut(&K::Brief)) {
        self.kept().briefs().for_each(|(_, brief)| each(brief));
    }

    /// How many objects the watch has shown.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept().len()
    }

    /// Whether the watch has shown none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the watch has shown an object of this name.
    #[must_use]
    pub fn holds(&self, key: &ObjectRef<K>) -> bool {
        self.kept().get(key).is_some()
    }

    /// The newest known version of an object.
    #[must_use]
    pub fn get(&self, key: &ObjectRef<K>) -> Option<Arc<K>> {
        let mut ahead = self.ahead();
        let packed = self.kept().get(key).cloned();
        let seen = || packed.as_ref().and_then(Packed::open).map(Arc::new);
        let Some(own) = ahead.written.get(key) else {
            drop(ahead);
            return seen();
        };
        let seen = seen();
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

    /// Remembers what the API server returned for an own write or a live read, unless the watch was quicker than the answer:
    /// nobody might ever come to take it out again.
    pub fn remember(&self, key: ObjectRef<K>, object: K) {
        let mut ahead = self.ahead();
        let version = version(&object);
        let shown = ahead.reached.get(&key.namespace).is_some_and(|reached| version <= *reached);
        let newer = ahead.written.get(&key).is_none_or(|present| self::version(present.object.as_ref()) <= version);
        if newer && !shown {
            let lists = ahead.lists;
            ahead.written.insert(key, Written { object: Arc::new(object), lists });
        }
    }

    /// Forgets an own write, because the object is gone.
    pub fn forget(&self, key: &ObjectRef<K>) {
        self.ahead().written.remove(key);
    }

    /// Lets the watch overtake own writes, once an event is on the shelf.
    fn overtake(&self, event: &Event<K>) {
        let mut ahead = self.ahead();
        match event {
            Event::Apply(object) | Event::Delete(object) => {
                let (key, seen) = (ObjectRef::from_obj(object), version(object));
                if ahead.written.get(&key).is_some_and(|own| version(own.object.as_ref()) <= seen) {
                    ahead.written.remove(&key);
                }
                let reached = ahead.reached.entry(object.namespace()).or_default();
                *reached = seen.max(*reached);
            }
            Event::Init => ahead.lists += 1,
            // The whole truth about everything that was written before it began.
            Event::InitDone => {
                let lists = ahead.lists;
                ahead.written.retain(|_, own| own.lists >= lists);
            }
            Event::InitApply(_) => {}
        }
    }

    fn kept(&self) -> MutexGuard<'_, Shelf<K>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
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
#[path = "cache_tests.rs"]
mod tests;
