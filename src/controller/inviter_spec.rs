//! `Inviter` and `ClusterInviter` as one thing.
//!
//! Owns where the two kinds differ: where their Secret is, what absent limits mean, who may use them. Must never read
//! anything but the object.

use crate::api::{
    Adoption, CaBundleRef, ClusterInviter, Inviter, InviterKind, InviterStatus, Mode, NamespaceSelector, OnUnknown,
    Product, RecordedInviter,
};
use crate::domain::desired::{InviterName, requested_at};
use crate::domain::policy::Allow;
use kube::ResourceExt;
use std::time::Duration;

/// An inviter of either kind.
#[derive(Clone, Debug)]
pub struct InviterSettings {
    /// Its name.
    pub name: InviterName,
    /// Its uid.
    pub uid: String,
    /// Generation of its spec.
    pub generation: i64,
    /// The product.
    pub product: Product,
    /// Address of the API, as written.
    pub base_url: Option<String>,
    /// Where its Secret and CA bundle are.
    pub secret_namespace: String,
    /// Name of the Secret.
    pub secret_name: String,
    /// The CA bundle.
    pub ca_bundle: Option<CaBundleRef>,
    /// How stale the view of a project may be.
    pub check_interval: Duration,
    /// Whether to act or only to look.
    pub mode: Mode,
    /// What to do with invitations that somebody else sent.
    pub adoption: Adoption,
    /// What to do when an outcome stays unknown.
    pub on_unknown: OnUnknown,
    /// What may be asked for.
    pub allow: Allow,
    /// Who may use it.
    pub access: Access,
    /// The later of the annotations that ask for a fresh look.
    pub requested_at: Option<String>,
    /// The status as it is.
    pub status: InviterStatus,
}

/// Who may use an inviter.
#[derive(Clone, Debug)]
pub enum Access {
    /// Its own namespace.
    Own,
    /// The namespaces that the selector selects.
    Selected(Option<NamespaceSelector>),
}

impl InviterSettings {
    /// As claims record it.
    #[must_use]
    pub fn recorded(&self) -> RecordedInviter {
        RecordedInviter {
            kind: self.name.kind,
            namespace: self.name.namespace.clone(),
            name: self.name.name.clone(),
            uid: self.uid.clone(),
        }
    }

    /// Reads an `Inviter`.
    #[must_use]
    pub fn of_inviter(inviter: &Inviter) -> Self {
        let namespace = inviter.namespace().unwrap_or_default();
        let spec = &inviter.spec;
        Self {
            name: InviterName {
                kind: InviterKind::Inviter,
                namespace: Some(namespace.clone()),
                name: inviter.name_any(),
            },
            uid: inviter.uid().unwrap_or_default(),
            generation: inviter.metadata.generation.unwrap_or_default(),
            product: spec.product,
            base_url: spec.base_url.clone(),
            secret_namespace: namespace,
            secret_name: spec.credentials_secret_ref.name.clone(),
            ca_bundle: spec.ca_bundle_ref.clone(),
            check_interval: interval(&spec.check_interval),
            mode: spec.mode,
            adoption: spec.adoption,
            on_unknown: spec.on_unknown,
            allow: Allow::from(&spec.allow),
            access: Access::Own,
            requested_at: requested_at(inviter),
            status: inviter.status.clone().unwrap_or_default(),
        }
    }

    /// Reads a `ClusterInviter`, whose Secret is in the operator's namespace.
    #[must_use]
    pub fn of_cluster_inviter(inviter: &ClusterInviter, operator_namespace: &str) -> Self {
        let spec = &inviter.spec;
        Self {
            name: InviterName { kind: InviterKind::ClusterInviter, namespace: None, name: inviter.name_any() },
            uid: inviter.uid().unwrap_or_default(),
            generation: inviter.metadata.generation.unwrap_or_default(),
            product: spec.product,
            base_url: spec.base_url.clone(),
            secret_namespace: operator_namespace.to_owned(),
            secret_name: spec.credentials_secret_ref.name.clone(),
            ca_bundle: spec.ca_bundle_ref.clone(),
            check_interval: interval(&spec.check_interval),
            mode: spec.mode,
            adoption: spec.adoption,
            on_unknown: spec.on_unknown,
            allow: Allow::from(spec.allow.as_ref()),
            access: Access::Selected(spec.namespaces.clone()),
            requested_at: requested_at(inviter),
            status: inviter.status.clone().unwrap_or_default(),
        }
    }
}

/// The schema admits only durations of 30s to 24h; anything else is an object from before the schema.
fn interval(text: &str) -> Duration {
    const DEFAULT: Duration = Duration::from_secs(300);
    let parsed = text.parse::<kube::core::Duration>().map_or(DEFAULT, Duration::from);
    parsed.clamp(Duration::from_secs(30), Duration::from_secs(24 * 3600))
}
