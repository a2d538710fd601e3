//! What the pass needs of Kubernetes, as a trait in the operator's own kinds.
//!
//! Owns the words for what can happen to a read or write. Everything that leads to an e-mail is read live from here, never
//! from a cache. Must never retry: a write that was not acknowledged is reported as such.

use crate::api::names::OWNER_UID_LABEL;
use crate::api::{InvitationClaim, InvitationClaimSpec, ProjectInvitation, ProjectInvitationStatus, Reason};
use futures::future::BoxFuture;
use kube::ResourceExt;

/// Why a read or write of Kubernetes did not do what it was to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// The object exists already, or was changed in between: read it again.
    #[error("the object was changed by somebody else")]
    Conflict,
    /// The object, or its uid, is gone.
    #[error("the object is gone")]
    Gone,
    /// The API server says no.
    #[error("the API server refuses: {0}")]
    Refused(String),
    /// Nobody can tell whether it was done.
    #[error("no answer from the API server: {0}")]
    Unanswered(String),
}

/// An event for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Of the catalogue.
    pub reason: Reason,
    /// What happened.
    pub note: String,
    /// Whether a human should look.
    pub warning: bool,
}

/// Reads and writes of one pass.
pub trait Cluster: Send + Sync {
    /// Live read of an object (a quorum read).
    fn invitation<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<ProjectInvitation>, ClusterError>>;

    /// Live read of a claim.
    fn claim<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<InvitationClaim>, ClusterError>>;

    /// Live list of the claims that an object owns.
    fn claims_of<'a>(&'a self, owner_uid: &'a str) -> BoxFuture<'a, Result<Vec<InvitationClaim>, ClusterError>>;

    /// Creates a claim: the lock. `Conflict` when it exists.
    fn create_claim<'a>(
        &'a self,
        name: &'a str,
        spec: &'a InvitationClaimSpec,
    ) -> BoxFuture<'a, Result<InvitationClaim, ClusterError>>;

    /// Replaces a claim whose resourceVersion is still the one given.
    fn replace_claim<'a>(
        &'a self,
        seen: &'a InvitationClaim,
        spec: &'a InvitationClaimSpec,
    ) -> BoxFuture<'a, Result<InvitationClaim, ClusterError>>;

    /// Deletes a claim whose resourceVersion is still the one given; `Ok` when it is gone.
    fn delete_claim<'a>(&'a self, seen: &'a InvitationClaim) -> BoxFuture<'a, Result<(), ClusterError>>;

    /// Adds the operator's finalizer to just this object (uid).
    fn add_finalizer<'a>(
        &'a self,
        object: &'a ProjectInvitation,
    ) -> BoxFuture<'a, Result<ProjectInvitation, ClusterError>>;

    /// Removes the operator's finalizer; `Ok` when the object is gone.
    fn remove_finalizer<'a>(&'a self, object: &'a ProjectInvitation) -> BoxFuture<'a, Result<(), ClusterError>>;

    /// Replaces the status of just this object (uid).
    fn write_status<'a>(
        &'a self,
        object: &'a ProjectInvitation,
        status: &'a ProjectInvitationStatus,
    ) -> BoxFuture<'a, Result<ProjectInvitation, ClusterError>>;

    /// Publishes an event, as best it can.
    fn publish<'a>(&'a self, object: &'a ProjectInvitation, notice: &'a Notice) -> BoxFuture<'a, ()>;
}

/// The claim object of a spec: its label names the owner, so that claims can be listed by it.
#[must_use]
pub fn claim_object(name: &str, spec: &InvitationClaimSpec) -> InvitationClaim {
    let mut claim = InvitationClaim::new(name, spec.clone());
    label_owner(&mut claim);
    claim
}

/// Keeps the owner label true.
pub fn label_owner(claim: &mut InvitationClaim) {
    match claim.spec.owner.as_ref().map(|owner| owner.uid.clone()) {
        Some(uid) => claim.labels_mut().insert(OWNER_UID_LABEL.to_owned(), uid),
        None => claim.labels_mut().remove(OWNER_UID_LABEL),
    };
}
