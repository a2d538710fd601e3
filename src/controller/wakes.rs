//! Who is to be reconciled because of something that happened elsewhere.
//!
//! Owns the two channels into the queues and the list of objects that wait for a claim. Must never reconcile anything
//! itself.

use crate::api::{ClusterInviter, Inviter, InviterKind, ProjectInvitation, RecordedInviter};
use crate::domain::desired::InviterName;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use kube::ResourceExt;
use kube::runtime::reflector::{ObjectRef, Store};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

/// The receiving ends, one for each queue.
pub struct WakeStreams {
    /// Invitations to reconcile.
    pub invitations: UnboundedReceiver<ObjectRef<ProjectInvitation>>,
    /// Inviters to reconcile.
    pub inviters: UnboundedReceiver<ObjectRef<Inviter>>,
    /// Cluster inviters to reconcile.
    pub cluster_inviters: UnboundedReceiver<ObjectRef<ClusterInviter>>,
}

/// The sending ends.
pub struct Wakes {
    invitations: UnboundedSender<ObjectRef<ProjectInvitation>>,
    inviters: UnboundedSender<ObjectRef<Inviter>>,
    cluster_inviters: UnboundedSender<ObjectRef<ClusterInviter>>,
    objects: Store<ProjectInvitation>,
    /// Objects that wait for another object's claim, by the claim's name.
    waiting: Mutex<HashMap<String, HashSet<ObjectRef<ProjectInvitation>>>>,
}

impl Wakes {
    /// Looks for invitations in `objects`.
    #[must_use]
    pub fn new(objects: Store<ProjectInvitation>) -> (Self, WakeStreams) {
        let (invitations, invitations_out) = unbounded();
        let (inviters, inviters_out) = unbounded();
        let (cluster_inviters, cluster_inviters_out) = unbounded();
        let streams = WakeStreams {
            invitations: invitations_out,
            inviters: inviters_out,
            cluster_inviters: cluster_inviters_out,
        };
        (Self { invitations, inviters, cluster_inviters, objects, waiting: Mutex::default() }, streams)
    }

    /// All invitations that name the inviter. Sending fails only when the queues are shut down.
    pub fn invitations_of(&self, inviter: &InviterName) {
        let uses = |object: &ProjectInvitation| {
            let named = &object.spec.inviter_ref;
            named.kind == inviter.kind
                && named.name == inviter.name
                && (inviter.kind == InviterKind::ClusterInviter || object.namespace() == inviter.namespace)
        };
        for object in self.objects.state().iter().filter(|object| uses(object)) {
            let _ = self.invitations.unbounded_send(ObjectRef::from_obj(object));
        }
    }

    /// All invitations there are.
    pub fn all_invitations(&self) {
        for object in self.objects.state() {
            let _ = self.invitations.unbounded_send(ObjectRef::from_obj(object.as_ref()));
        }
    }

    /// This invitation.
    pub fn invitation(&self, object: &ObjectRef<ProjectInvitation>) {
        let _ = self.invitations.unbounded_send(object.clone());
    }

    /// Sends the name of no object through the queue of invitations: what comes out shows that the queue moves.
    pub fn pulse(&self) {
        let _ = self.invitations.unbounded_send(ObjectRef::new("").within(""));
    }

    /// The inviter of a claim.
    pub fn recorded(&self, inviter: &RecordedInviter) {
        let (kind, namespace, name) = (inviter.kind, inviter.namespace.clone(), inviter.name.clone());
        self.inviter(&InviterName { kind, namespace, name });
    }

    /// The inviter itself.
    pub fn inviter(&self, inviter: &InviterName) {
        match inviter.kind {
            InviterKind::Inviter => {
                let reference = ObjectRef::new(&inviter.name).within(inviter.namespace.as_deref().unwrap_or_default());
                let _ = self.inviters.unbounded_send(reference);
            }
            InviterKind::ClusterInviter => {
                let _ = self.cluster_inviters.unbounded_send(ObjectRef::new(&inviter.name));
            }
        }
    }

    /// The object waits until something happens to the claim.
    pub fn wait_for_claim(&self, claim: &str, object: &ObjectRef<ProjectInvitation>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.entry(claim.to_owned()).or_default().insert(object.clone());
    }

    /// The object is gone.
    pub fn waits_no_more(&self, object: &ObjectRef<ProjectInvitation>) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, waiting| {
            waiting.remove(object);
            !waiting.is_empty()
        });
    }

    /// Wakes who waits for the claim; returns whether anybody did.
    #[must_use]
    pub fn wake_waiting(&self, claim: &str) -> bool {
        let waited = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).contains_key(claim);
        self.claim_changed(claim);
        waited
    }

    /// Something happened to the claim.
    pub fn claim_changed(&self, claim: &str) {
        let woken = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(claim);
        for object in woken.into_iter().flatten() {
            let _ = self.invitations.unbounded_send(object);
        }
    }
}
