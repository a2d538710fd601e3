//! Several watches as one: an installation for some namespaces sees them as a single coherent stream.
//!
//! A reflector takes one stream and swaps its whole store after a list; the lists of several namespaces must therefore
//! reach it as single changes. A namespace that does not exist, or not yet, has no rights in it: whoever may not list it is
//! refused, and others are not held up by that. Must never call the stream complete before every namespace was listed or
//! refused once.

use super::packed::{Packed, Press};
use super::watch::Events;
use futures::{StreamExt, stream};
use kube::ResourceExt;
use kube::runtime::reflector::{Lookup, ObjectRef};
use kube::runtime::watcher::{self, Event};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

struct Merge<K: Lookup> {
    /// Per source: the objects that it holds, to tell which have gone. The cache has its own.
    known: Vec<HashMap<ObjectRef<K>, Packed<K>>>,
    press: Press,
    /// Per source: what the list in progress has shown.
    listing: Vec<HashSet<ObjectRef<K>>>,
    /// Sources that were listed or refused once.
    listed: HashSet<usize>,
    begun: bool,
}

/// Merges watches of disjoint sets of objects.
#[must_use]
pub fn merge<K>(sources: Vec<Events<K>>) -> Events<K>
where
    K: Lookup<DynamicType = ()> + ResourceExt + Serialize + DeserializeOwned + Send + Sync + 'static,
    ObjectRef<K>: Hash + Eq + Send,
{
    let count = sources.len();
    let state = Merge::<K>::of(count);
    let tagged =
        sources.into_iter().enumerate().map(|(source, events)| events.map(move |event| (source, event)).boxed());
    stream::select_all(tagged)
        .scan(state, |state, (source, event)| {
            let out: Vec<Result<Event<K>, watcher::Error>> = match event {
                Ok(event) => state.apply(source, event).into_iter().map(Ok).collect(),
                Err(error) => {
                    let shown = if is_refused(&error) { state.refused(source) } else { Vec::new() };
                    shown.into_iter().map(Ok).chain([Err(error)]).collect()
                }
            };
            futures::future::ready(Some(stream::iter(out)))
        })
        .flatten()
        .boxed()
}

impl<K> Merge<K>
where
    K: Lookup<DynamicType = ()> + ResourceExt + Serialize + DeserializeOwned,
    ObjectRef<K>: Hash + Eq,
{
    fn of(count: usize) -> Self {
        Self {
            known: (0..count).map(|_| HashMap::new()).collect(),
            press: Press::new(),
            listing: (0..count).map(|_| HashSet::new()).collect(),
            listed: HashSet::new(),
            begun: false,
        }
    }

    /// The list was refused: as far as anybody can tell there is nothing. What there is comes as single changes later.
    fn refused(&mut self, source: usize) -> Vec<Event<K>> {
        let begin = if self.begun { None } else { Some(Event::Init) };
        self.begun = true;
        let complete = self.listed.len() == self.known.len();
        self.listed.insert(source);
        let end = (!complete && self.listed.len() == self.known.len()).then_some(Event::InitDone);
        begin.into_iter().chain(end).collect()
    }

    fn apply(&mut self, source: usize, event: Event<K>) -> Vec<Event<K>> {
        let mut out = Vec::new();
        if !self.begun {
            self.begun = true;
            out.push(Event::Init);
        }
        let complete = self.listed.len() == self.known.len();
        let (Some(known), Some(listing)) = (self.known.get_mut(source), self.listing.get_mut(source)) else {
            return out;
        };
        let shown = |object| if complete { Event::Apply(object) } else { Event::InitApply(object) };
        match event {
            Event::Init => listing.clear(),
            Event::InitApply(object) => {
                listing.insert(named(&object));
                keep(known, &mut self.press, &object);
                out.push(shown(object));
            }
            Event::InitDone => {
                let vanished: Vec<_> = known.keys().filter(|key| !listing.contains(*key)).cloned().collect();
                listing.clear();
                let gone = vanished.into_iter().filter_map(|key| known.remove(&key)?.open());
                out.extend(gone.map(Event::Delete));
                self.listed.insert(source);
                if !complete && self.listed.len() == self.known.len() {
                    out.push(Event::InitDone);
                }
            }
            Event::Apply(object) => {
                keep(known, &mut self.press, &object);
                out.push(shown(object));
            }
            Event::Delete(object) => {
                known.remove(&named(&object));
                out.push(Event::Delete(object));
            }
        }
        out
    }
}

/// Names the object, and nothing else of it.
fn named<K: Lookup<DynamicType = ()>>(object: &K) -> ObjectRef<K> {
    let reference = ObjectRef::new(&object.name().unwrap_or_default());
    match object.namespace() {
        Some(namespace) => reference.within(&namespace),
        None => reference,
    }
}

fn keep<K>(known: &mut HashMap<ObjectRef<K>, Packed<K>>, press: &mut Press, object: &K)
where
    K: Lookup<DynamicType = ()> + Serialize,
    ObjectRef<K>: Hash + Eq,
{
    match press.pack(object) {
        Ok(packed) => {
            known.insert(named(object), packed);
        }
        Err(error) => tracing::error!(%error, "an object cannot be kept"),
    }
}

/// By the API server, for lack of rights.
fn is_refused(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::InitialListFailed(kube::Error::Api(status)) if status.code == 403)
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::runtime::reflector::store;

    fn object(namespace: &str, name: &str) -> ConfigMap {
        let mut object = ConfigMap::default();
        object.metadata.namespace = Some(namespace.to_owned());
        object.metadata.name = Some(name.to_owned());
        object
    }

    #[test]
    fn a_namespace_that_is_refused_holds_nobody_up_and_is_seen_when_it_comes() {
        let mut merge = Merge::<ConfigMap>::of(2);
        let (reader, mut writer) = store::<ConfigMap>();
        merge.refused(0).iter().for_each(|event| writer.apply_watcher_event(event));
        for event in [Event::Init, Event::InitApply(object("b", "one")), Event::InitDone] {
            merge.apply(1, event).iter().for_each(|event| writer.apply_watcher_event(event));
        }
        assert_eq!(reader.len(), 1, "the other namespace is complete");
        assert!(merge.refused(0).is_empty(), "nothing changes by another refusal");
        for event in [Event::Init, Event::InitApply(object("a", "two")), Event::InitDone] {
            merge.apply(0, event).iter().for_each(|event| writer.apply_watcher_event(event));
        }
        assert_eq!(reader.len(), 2);
    }

    #[test]
    fn a_relist_of_one_namespace_leaves_the_other_alone() {
        let mut merge = Merge::<ConfigMap>::of(2);
        let (reader, mut writer) = store::<ConfigMap>();
        let mut feed =
            |source, event| merge.apply(source, event).iter().for_each(|event| writer.apply_watcher_event(event));
        feed(0, Event::Init);
        feed(0, Event::InitApply(object("a", "one")));
        feed(0, Event::InitApply(object("a", "two")));
        feed(0, Event::InitDone);
        assert_eq!(reader.len(), 0, "not complete before every namespace was listed");
        feed(1, Event::Init);
        feed(1, Event::InitApply(object("b", "three")));
        feed(1, Event::InitDone);
        assert_eq!(reader.len(), 3);
        feed(0, Event::Init);
        feed(0, Event::InitApply(object("a", "two")));
        feed(0, Event::InitDone);
        assert_eq!(reader.len(), 2, "what a relist no longer shows is gone");
        assert!(reader.get(&ObjectRef::new("three").within("b")).is_some());
    }
}
