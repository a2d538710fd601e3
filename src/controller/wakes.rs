//! Who is to be reconciled because of something that happened elsewhere.
//!
//! Owns the two channels into the queues and the list of objects that wait for a claim. Must never reconcile anything
//! itself.

use super::cache::Cache;
use super::kept::Wish;
use super::memory::Memory;
use crate::api::{ClusterInviter, InvitationClaim, Inviter, InviterKind, ProjectInvitation, RecordedInviter};
use crate::domain::desired::{InviterName, inviter_name};
use crate::domain::remote::{ObjectId, Username};
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::Event;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    objects: Arc<Cache<ProjectInvitation>>,
    memory: Arc<Memory>,
    waiting: Mutex<Waiting>,
}

/// Objects that wait for another object's claim.
#[derive(Default)]
struct Waiting {
    by_claim: HashMap<String, HashSet<ObjectRef<ProjectInvitation>>>,
    /// Each waits for one.
    claims: HashMap<ObjectRef<ProjectInvitation>, String>,
}

impl Waiting {
    fn begin(&mut self, claim: &str, object: &ObjectRef<ProjectInvitation>) {
        self.end(object);
        self.claims.insert(object.clone(), claim.to_owned());
        self.by_claim.entry(claim.to_owned()).or_default().insert(object.clone());
    }

    fn end(&mut self, object: &ObjectRef<ProjectInvitation>) {
        let Some(claim) = self.claims.remove(object) else { return };
        if let Some(objects) = self.by_claim.get_mut(&claim) {
            objects.remove(object);
            if objects.is_empty() {
                self.by_claim.remove(&claim);
            }
        }
    }

    fn wake(&mut self, claim: &str) -> HashSet<ObjectRef<ProjectInvitation>> {
        let woken = self.by_claim.remove(claim).unwrap_or_default();
        for object in &woken {
            self.claims.remove(object);
        }
        woken
    }
}

impl Wakes {
    /// Looks for invitations in `objects`; `memory` tells how they were left.
    #[must_use]
    pub fn new(objects: Arc<Cache<ProjectInvitation>>, memory: Arc<Memory>) -> (Self, WakeStreams) {
        let (invitations, invitations_out) = unbounded();
        let (inviters, inviters_out) = unbounded();
        let (cluster_inviters, cluster_inviters_out) = unbounded();
        let streams = WakeStreams {
            invitations: invitations_out,
            inviters: inviters_out,
            cluster_inviters: cluster_inviters_out,
        };
        (Self { invitations, inviters, cluster_inviters, objects, memory, waiting: Mutex::default() }, streams)
    }

    /// All invitations that name the inviter. Sending fails only when the queues are shut down.
    pub fn invitations_of(&self, inviter: &InviterName) {
        self.each(self.objects.names_with(&Wish::Through(inviter.clone())));
    }

    /// All invitations to the project that name the inviter.
    pub fn all_in(&self, inviter: &RecordedInviter, project: &ObjectId) {
        let wish = Wish::In { inviter: inviter.into(), project: project.as_str().to_owned() };
        self.each(self.objects.names_with(&wish));
    }

    /// The inviter's roster of the project shows these people otherwise than before.
    pub fn shown_otherwise(&self, inviter: &RecordedInviter, project: &ObjectId, people: &HashSet<Username>) {
        let name = InviterName::from(inviter);
        for person in people {
            let wish = Wish::For { project: project.as_str().to_owned(), person: person.clone() };
            let mut objects = self.objects.with(&wish);
            objects.retain(|object| inviter_name(object) == name);
            self.each(objects.iter().map(ObjectRef::from_obj));
        }
    }

    /// All invitations in the namespace.
    pub fn all_within(&self, namespace: &str) {
        let mut objects = self.objects.names_where(|_| true);
        objects.retain(|object| object.namespace.as_deref() == Some(namespace));
        self.each(objects);
    }

    /// All invitations there are.
    pub fn all_invitations(&self) {
        self.each(self.objects.names_where(|_| true));
    }

    fn each(&self, objects: impl IntoIterator<Item = ObjectRef<ProjectInvitation>>) {
        for object in objects {
            let _ = self.invitations.unbounded_send(object);
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
        self.inviter(&inviter.into());
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

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The object waits until something happens to the claim.
    pub fn wait_for_claim(&self, claim: &str, object: &ObjectRef<ProjectInvitation>) {
        self.waiting().begin(claim, object);
    }

    /// The object is gone.
    pub fn waits_no_more(&self, object: &ObjectRef<ProjectInvitation>) {
        self.waiting().end(object);
    }

    /// Wakes who waits for the claim; returns whether anybody did.
    pub fn wake_waiting(&self, claim: &str) -> bool {
        let woken = self.waiting().wake(claim);
        let waited = !woken.is_empty();
        for object in woken {
            let _ = self.invitations.unbounded_send(object);
        }
        waited
    }

    /// Something happened to a claim: who waits for it is woken, and its owner unless that left it so itself.
    pub fn claim_event(&self, event: &Event<InvitationClaim>) {
        let (claim, is_gone) = match event {
            Event::Apply(claim) | Event::InitApply(claim) => (claim, false),
            Event::Delete(claim) => (claim, true),
            Event::Init | Event::InitDone => return,
        };
        self.wake_waiting(&claim.name_any());
        if let Some(owner) =
            claim.spec.owner.as_ref().filter(|owner| is_gone || self.memory.is_news(&owner.uid, &claim.spec))
        {
            self.invitation(&ObjectRef::new(&owner.name).within(&owner.namespace));
        }
    }
}
