//! Says of every inviter that is gone that it is gone; of claims and invitations their cache says it.
//!
//! After a desync a watch lists anew, and what the list no longer shows goes without a word; an object made anew under its
//! name takes the old one's place as if it had only changed. Whoever remembers something by object would keep it for ever.
//! Must never call an object gone that the API server still shows.

use super::watch::Events;
use futures::{StreamExt, stream};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};
use std::collections::HashMap;
use std::sync::Arc;

/// Adds what is missing to the events on their way to the store: a `Delete` for each object that vanished in a relist, and
/// for each that another uid has replaced, before its successor is shown.
#[must_use]
pub fn departures<K>(events: Events<K>, store: Store<K>) -> Events<K>
where
    K: Resource<DynamicType = ()> + Clone + Send + Sync + 'static,
{
    let state = Departures { store, unlisted: HashMap::new() };
    events
        .scan(state, |state, event| {
            let out = match event {
                Ok(event) => state.apply(event).into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            };
            futures::future::ready(Some(stream::iter(out)))
        })
        .flatten()
        .boxed()
}

struct Departures<K: Resource<DynamicType = ()> + Clone + 'static> {
    /// As it was before the event that is looked at.
    store: Store<K>,
    /// What the list in progress has not shown yet.
    unlisted: HashMap<ObjectRef<K>, Arc<K>>,
}

impl<K: Resource<DynamicType = ()> + Clone + 'static> Departures<K> {
    fn apply(&mut self, event: Event<K>) -> Vec<Event<K>> {
        let replaced = |before: Option<Arc<K>>, object: &K| {
            before.filter(|before| before.uid() != object.uid()).map(|before| Event::Delete(before.as_ref().clone()))
        };
        match event {
            Event::Init => {
                let known = self.store.state();
                self.unlisted =
                    known.into_iter().map(|object| (ObjectRef::from_obj(object.as_ref()), object)).collect();
                vec![Event::Init]
            }
            Event::InitApply(object) => {
                let before = self.unlisted.remove(&ObjectRef::from_obj(&object));
                replaced(before, &object).into_iter().chain([Event::InitApply(object)]).collect()
            }
            Event::InitDone => {
                let gone = self.unlisted.drain().map(|(_, object)| Event::Delete(object.as_ref().clone()));
                [Event::InitDone].into_iter().chain(gone).collect()
            }
            Event::Apply(object) => {
                let before = self.store.get(&ObjectRef::from_obj(&object));
                replaced(before, &object).into_iter().chain([Event::Apply(object)]).collect()
            }
            Event::Delete(object) => vec![Event::Delete(object)],
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::runtime::reflector::{reflector, store};

    fn object(name: &str, uid: &str) -> ConfigMap {
        let mut object = ConfigMap::default();
        object.metadata.name = Some(name.to_owned());
        object.metadata.namespace = Some("a".to_owned());
        object.metadata.uid = Some(uid.to_owned());
        object
    }

    /// What is shown of these events behind the store, and what the store then holds.
    async fn shown(events: Vec<Event<ConfigMap>>) -> (Vec<String>, Vec<String>) {
        let (reader, writer) = store::<ConfigMap>();
        let events = departures(stream::iter(events.into_iter().map(Ok)).boxed(), reader.clone());
        let told = |event: Event<ConfigMap>| match event {
            Event::Init => "init".to_owned(),
            Event::InitDone => "done".to_owned(),
            Event::InitApply(object) => format!("lists {}", object.uid().unwrap()),
            Event::Apply(object) => format!("shows {}", object.uid().unwrap()),
            Event::Delete(object) => format!("gone {}", object.uid().unwrap()),
        };
        let told = reflector(writer, events).map(|event| told(event.unwrap())).collect().await;
        let mut held: Vec<_> = reader.state().iter().map(|object| object.uid().unwrap()).collect();
        held.sort();
        (told, held)
    }

    #[tokio::test]
    async fn what_a_relist_no_longer_shows_is_said_to_be_gone_after_it() {
        let first = [Event::Init, Event::InitApply(object("one", "1")), Event::InitApply(object("two", "2"))];
        let later = [Event::InitDone, Event::Init, Event::InitApply(object("two", "2")), Event::InitDone];
        let (told, held) = shown(first.into_iter().chain(later).collect()).await;
        assert_eq!(told, ["init", "lists 1", "lists 2", "done", "init", "lists 2", "done", "gone 1"]);
        assert_eq!(held, ["2"]);
    }

    #[tokio::test]
    async fn what_another_uid_has_replaced_is_said_to_be_gone_before_it() {
        let relisted = [Event::Init, Event::InitApply(object("one", "1")), Event::InitDone, Event::Init];
        let anew = [Event::InitApply(object("one", "2")), Event::InitDone, Event::Apply(object("one", "3"))];
        let (told, held) = shown(relisted.into_iter().chain(anew).collect()).await;
        assert_eq!(told, ["init", "lists 1", "done", "init", "gone 1", "lists 2", "done", "gone 2", "shows 3"]);
        assert_eq!(held, ["3"]);
    }

    #[tokio::test]
    async fn a_list_that_breaks_off_makes_nothing_gone() {
        let first = [Event::Init, Event::InitApply(object("one", "1")), Event::InitApply(object("two", "2"))];
        let broken = [Event::InitDone, Event::Init, Event::InitApply(object("two", "2")), Event::Init];
        let whole = [Event::InitApply(object("one", "1")), Event::InitApply(object("two", "2")), Event::InitDone];
        let (told, held) = shown(first.into_iter().chain(broken).chain(whole).collect()).await;
        assert!(told.iter().all(|told| !told.starts_with("gone")), "{told:?}");
        assert_eq!(held, ["1", "2"]);
    }
}
