//! What a process does first when it begins to lead.
//!
//! While it followed, its passes returned at once and asked to be woken: so everything is woken, inviters before the
//! invitations that wait for them. Must never write anything itself.
//!
//! Why nothing more is needed, though caches may lag behind what the former leader did last. What leads to an e-mail is
//! read live after the take-over: the object, then a roster begun after it. The claim may come from the cache, but every
//! claim is created, or replaces just the version that was decided on; a version that the former leader has changed meets a
//! conflict, is read again, and decided on anew. That holds for each step that writes one (record, adopt, invite, cancel,
//! let go); a deletion reads its claim live besides, and a change of roles reads it live before the call. An attempt that
//! the former leader left open is in the claim, and this process counts its quarantine from when it first saw it.
//!
//! What does rest on the cache alone, with or without an election: whether the object owns a claim under *another* key (its
//! inviter was exchanged), and the roles that a change of roles asks for. The one could miss a warning about two hosts for
//! the length of a watch's lag, never a claim of the same person and project; the other is put right by the next look.

use super::cache::Cache;
use super::connection::Connections;
use super::slots::Slots;
use super::wakes::Wakes;
use crate::api::{ClusterInviter, InvitationClaim, Inviter, InviterKind};
use crate::domain::desired::InviterName;
use kube::ResourceExt;
use kube::runtime::reflector::Store;
use std::sync::{Arc, OnceLock};

/// Knows everything that is to be woken.
pub struct Takeover {
    connections: Arc<Connections>,
    wakes: Arc<Wakes>,
    paced: OnceLock<(Arc<Slots>, Arc<Cache<InvitationClaim>>)>,
    inviters: OnceLock<Store<Inviter>>,
    cluster_inviters: OnceLock<Store<ClusterInviter>>,
}

impl Takeover {
    /// Knows the invitations; inviters are told as they are watched.
    #[must_use]
    pub fn new(connections: Arc<Connections>, wakes: Arc<Wakes>) -> Self {
        Self {
            connections,
            wakes,
            paced: OnceLock::new(),
            inviters: OnceLock::new(),
            cluster_inviters: OnceLock::new(),
        }
    }

    /// These are the slots, and the ledger that tells which were spent.
    pub fn paces(&self, slots: Arc<Slots>, claims: Arc<Cache<InvitationClaim>>) {
        let _ = self.paced.set((slots, claims));
        self.refill_slots();
    }

    /// These are the inviters.
    pub fn knows_inviters(&self, store: Store<Inviter>) {
        let _ = self.inviters.set(store);
    }

    /// These are the cluster inviters.
    pub fn knows_cluster_inviters(&self, store: Store<ClusterInviter>) {
        let _ = self.cluster_inviters.set(store);
    }

    /// Before anything may act: what an earlier time as leader found of inviters counts no more. Their policies may have
    /// been tightened since.
    pub fn prepare(&self) {
        self.connections.doubt_all();
        self.refill_slots();
    }

    /// What was sent within the last minute, by whomever, is what the ledger tells.
    fn refill_slots(&self) {
        if let Some((slots, claims)) = self.paced.get() {
            slots.refill(claims.all());
        }
    }

    /// As soon as everything may act.
    pub fn wake_everything(&self) {
        for inviter in self.inviters.get().map(Store::state).unwrap_or_default() {
            self.wake(InviterKind::Inviter, inviter.as_ref());
        }
        for inviter in self.cluster_inviters.get().map(Store::state).unwrap_or_default() {
            self.wake(InviterKind::ClusterInviter, inviter.as_ref());
        }
        self.wakes.all_invitations();
    }

    fn wake(&self, kind: InviterKind, inviter: &impl ResourceExt) {
        self.wakes.inviter(&InviterName { kind, namespace: inviter.namespace(), name: inviter.name_any() });
    }
}
