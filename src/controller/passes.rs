//! What passes of invitations share, and the ports that it is put together from.
//!
//! Must never hold a rule: a pass made over other ports is the same pass.

use super::books::Books;
use super::cache::{Cache, Told};
use super::chance::Chance;
use super::circuits::Circuits;
use super::clock::Clock;
use super::cluster::Cluster;
use super::connection::Connections;
use super::inviter_pass::InviterPasses;
use super::keeper;
use super::kept::Tie;
use super::leadership::Seat;
use super::memory::{Fingerprint, Memory};
use super::namespaces::NamespaceView;
use super::observer::Observer;
use super::roster::Rosters;
use super::settings::ControllerSettings;
use super::slots::Slots;
use super::wakes::Wakes;
use crate::api::{InvitationClaim, ProjectInvitation};
use crate::domain::traces::Traces;
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::Event;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Everything that passes of invitations share.
pub struct Passes {
    pub(super) cluster: Arc<dyn Cluster>,
    pub(super) objects: Arc<Cache<ProjectInvitation>>,
    pub(super) claims: Arc<Cache<InvitationClaim>>,
    pub(super) namespaces: NamespaceView,
    pub(super) connections: Arc<Connections>,
    pub(super) inviters: Arc<InviterPasses>,
    pub(super) rosters: Rosters,
    pub(super) books: Books,
    pub(super) slots: Arc<Slots>,
    pub(super) circuits: Circuits,
    pub(super) wakes: Arc<Wakes>,
    pub(super) memory: Arc<Memory>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) chance: Arc<dyn Chance>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) settings: ControllerSettings,
}

/// What passes of invitations need from outside.
pub struct PassPorts {
    /// Kubernetes, for live reads and writes.
    pub cluster: Arc<dyn Cluster>,
    /// The objects, as watched.
    pub objects: Arc<Cache<ProjectInvitation>>,
    /// The claims, as watched.
    pub claims: Arc<Cache<InvitationClaim>>,
    /// The namespaces, as watched.
    pub namespaces: NamespaceView,
    /// What each inviter can be used for.
    pub connections: Arc<Connections>,
    /// Told of failures that speak of an inviter.
    pub inviters: Arc<InviterPasses>,
    /// Who is to be woken.
    pub wakes: Arc<Wakes>,
    /// What this process remembers of objects.
    pub memory: Arc<Memory>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Spreads waits and names attempts.
    pub chance: Arc<dyn Chance>,
    /// Listens.
    pub observer: Arc<dyn Observer>,
}

impl Passes {
    /// Gives waiting objects their turns until `stop`.
    pub async fn take_turns(&self, stop: CancellationToken) {
        Arc::clone(&self.slots).run(stop).await;
    }

    /// Keeps the rosters current that objects at rest rely on, until `stop`.
    pub async fn keep_rosters(&self, seat: Seat, stop: CancellationToken) {
        keeper::run(self, seat, stop).await;
    }

    /// To be told of everything that the watch of objects shows, once it is in the cache. News wake. Own writes wake nothing;
    /// what somebody else made of them does, and so does an own write that took effect after a later one.
    pub fn watched(&self, told: &Told<ProjectInvitation>) {
        match &told.event {
            Event::Apply(object) | Event::InitApply(object) => {
                if told.is_news || self.is_not_as_left(object) {
                    self.wakes.invitation(&ObjectRef::from_obj(object));
                }
            }
            Event::Delete(object) => self.forget(object),
            Event::Init | Event::InitDone => {}
        }
    }

    /// Whether the object is not as the last pass over it wanted it.
    fn is_not_as_left(&self, object: &ProjectInvitation) -> bool {
        let uid = object.uid().unwrap_or_default();
        let Some(shown) = self.memory.of(&uid).shown else { return false };
        let bare = object.metadata.deletion_timestamp.is_none() && !Traces::of(object).finalizer;
        shown != Fingerprint::of(&object.status.clone().unwrap_or_default())
            || bare && self.claims.any(&Tie::Owner(uid), |_| true)
    }

    /// The object is gone: nothing of it is remembered, and it has no time to come back.
    fn forget(&self, object: &ProjectInvitation) {
        let reference = ObjectRef::from_obj(object);
        self.memory.forget(&object.uid().unwrap_or_default());
        self.wakes.waits_no_more(&reference);
        self.skip(&reference);
        self.wakes.invitation(&reference);
    }

    /// There is no object for this pass: a turn that was kept for it goes to the next.
    pub fn skip(&self, reference: &ObjectRef<ProjectInvitation>) {
        self.slots.leave(reference);
    }

    /// None made yet.
    #[must_use]
    pub fn new(ports: PassPorts, settings: ControllerSettings) -> Self {
        let (clock, wakes) = (&ports.clock, &ports.wakes);
        let rosters = Rosters::new(Arc::clone(clock), Arc::clone(&ports.chance), Arc::clone(wakes), settings.timings);
        let cluster = Arc::clone(&ports.cluster);
        let books = Books::new(cluster, Arc::clone(&ports.claims), Arc::clone(clock), Arc::clone(wakes), &settings);
        let slots = Slots::new(
            settings.rate,
            settings.timings,
            Arc::clone(&ports.clock),
            Arc::clone(&ports.wakes),
            Arc::clone(&ports.observer),
        );
        let circuits = Circuits::new(Arc::clone(&ports.clock), settings.timings);
        let PassPorts {
            cluster,
            objects,
            claims,
            namespaces,
            connections,
            inviters,
            wakes,
            memory,
            clock,
            chance,
            observer,
        } = ports;
        Self {
            cluster,
            objects,
            claims,
            namespaces,
            connections,
            inviters,
            rosters,
            books,
            slots,
            circuits,
            wakes,
            memory,
            clock,
            chance,
            observer,
            settings,
        }
    }
}
