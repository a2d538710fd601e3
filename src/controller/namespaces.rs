//! What the operator knows of namespaces: which it serves, their labels, whether they end.
//!
//! An installation for some namespaces watches none of them and serves no `ClusterInviter`. Must never be asked about
//! anything inside a namespace.

use super::inviter_spec::Access;
use super::settings::Namespaces;
use crate::domain::policy;
use k8s_openapi::api::core::v1::Namespace;
use kube::ResourceExt;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher::Event;

/// A view of the namespaces.
pub struct NamespaceView {
    served: Namespaces,
    store: Option<Store<PartialObjectMeta<Namespace>>>,
}

impl NamespaceView {
    /// With the store of a cluster-wide installation.
    #[must_use]
    pub fn new(served: Namespaces, store: Option<Store<PartialObjectMeta<Namespace>>>) -> Self {
        Self { served, store }
    }

    /// Whether objects of the namespace are watched: only there can a live read show that one is gone.
    #[must_use]
    pub fn watches(&self, namespace: &str) -> bool {
        match &self.served {
            Namespaces::All => true,
            Namespaces::Only(namespaces) => namespaces.contains(namespace),
        }
    }

    /// Whether objects of the namespace may use an inviter. An unknown namespace may not.
    #[must_use]
    pub fn may_use(&self, access: &Access, namespace: &str) -> bool {
        match access {
            Access::Own => true,
            Access::Selected(selector) => self.store.as_ref().is_some_and(|store| {
                let found = store.get(&ObjectRef::new(namespace));
                found.is_some_and(|found| policy::selects(selector.as_ref(), found.labels()))
            }),
        }
    }

    /// Whether the namespace is being deleted.
    #[must_use]
    pub fn is_terminating(&self, namespace: &str) -> bool {
        self.store.as_ref().is_some_and(|store| {
            store.get(&ObjectRef::new(namespace)).is_some_and(|found| found.metadata.deletion_timestamp.is_some())
        })
    }
}

/// Follows the watch of namespaces, and tells in which of them objects may be served otherwise than before.
pub struct Followed {
    store: Store<PartialObjectMeta<Namespace>>,
    writer: Writer<PartialObjectMeta<Namespace>>,
    /// By the list in progress.
    changed: Vec<String>,
}

impl Followed {
    /// Fills the store of the writer.
    #[must_use]
    pub fn new(writer: Writer<PartialObjectMeta<Namespace>>) -> Self {
        Self { store: writer.as_reader(), writer, changed: Vec::new() }
    }

    /// Takes an event into the store; returns the namespaces whose labels or whose life it changed.
    pub fn follow(&mut self, event: &Event<PartialObjectMeta<Namespace>>) -> Vec<String> {
        match event {
            Event::Apply(now) | Event::InitApply(now) => {
                let what_counts = |of: &PartialObjectMeta<Namespace>| {
                    (of.metadata.labels.clone(), of.metadata.deletion_timestamp.is_some())
                };
                let before = self.store.get(&ObjectRef::from_obj(now));
                if before.is_none_or(|before| what_counts(&before) != what_counts(now)) {
                    self.changed.push(now.name_any());
                }
            }
            Event::Init => self.changed.clear(),
            Event::Delete(_) | Event::InitDone => {}
        }
        self.writer.apply_watcher_event(event);
        match event {
            Event::Apply(_) | Event::InitDone => std::mem::take(&mut self.changed),
            Event::Init | Event::InitApply(_) | Event::Delete(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::runtime::reflector::store;

    fn namespace(name: &str, team: &str) -> PartialObjectMeta<Namespace> {
        let mut namespace = PartialObjectMeta::<Namespace>::default();
        namespace.metadata.name = Some(name.to_owned());
        namespace.metadata.labels = Some([("team".to_owned(), team.to_owned())].into());
        namespace
    }

    #[test]
    fn only_namespaces_that_changed_are_told_and_those_of_a_list_at_its_end() {
        let (_, writer) = store();
        let mut followed = Followed::new(writer);
        let mut told = |events: Vec<Event<_>>| events.iter().map(|event| followed.follow(event)).collect::<Vec<_>>();
        let none = Vec::<String>::new;
        let one = || vec!["one".to_owned()];
        assert_eq!(
            told(vec![Event::Init, Event::InitApply(namespace("one", "a")), Event::InitDone]),
            [none(), none(), one()]
        );
        assert_eq!(
            told(vec![Event::Apply(namespace("one", "a")), Event::Apply(namespace("one", "b"))]),
            [none(), one()]
        );
        let relisted = vec![
            Event::Init,
            Event::InitApply(namespace("one", "c")),
            Event::Init,
            Event::InitApply(namespace("one", "b")),
            Event::InitApply(namespace("two", "b")),
            Event::InitDone,
        ];
        assert_eq!(told(relisted).concat(), ["two"], "a list that breaks off tells nothing");
        let mut ending = namespace("two", "b");
        ending.metadata.deletion_timestamp =
            Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(jiff::Timestamp::UNIX_EPOCH));
        assert_eq!(told(vec![Event::Apply(ending)]).concat(), ["two"]);
    }
}
