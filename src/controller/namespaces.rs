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
use kube::runtime::reflector::{ObjectRef, Store};

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
