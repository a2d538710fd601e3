//! Starts the controllers in their order and ends them in theirs.
//!
//! Order: claims, namespaces and inviters are listed before the first invitation is looked at, so that nothing is decided
//! from a store that is still empty. Must never decide anything.

use super::cache::Cache;
use super::census;
use super::clock::Clock;
use super::connection::Connections;
use super::inviter_pass::InviterPasses;
use super::inviter_run::{self, ApiOf, InviterContext, Read, announced};
use super::inviter_spec::InviterSettings;
use super::kube_cluster::KubeCluster;
use super::leader::{Candidacy, Candidate};
use super::leadership::Seat;
use super::memory::Memory;
use super::merge::merge;
use super::namespaces::NamespaceView;
use super::observer::Observer;
use super::pass::Passes;
use super::queue;
use super::roster::Rosters;
use super::settings::{ControllerSettings, Namespaces};
use super::slots::Slots;
use super::sweep;
use super::takeover::Takeover;
use super::wakes::Wakes;
use super::watch::{Events, listed, seen_by, watch};
use crate::api::names::CONTROLLER;
use crate::api::{ClusterInviter, InvitationClaim, Inviter, ProjectInvitation};
use crate::cloud::connector::Connect;
use futures::StreamExt;
use futures::channel::mpsc::UnboundedReceiver;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::Namespace;
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::events::{Recorder, Reporter};
use kube::runtime::reflector::{ObjectRef, Store, reflector, store};
use kube::runtime::watcher::Event;
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What the controllers need from outside.
pub struct Ports {
    /// The cluster.
    pub client: Client,
    /// Makes connections to MongoDB's APIs.
    pub connector: Arc<dyn Connect>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Listens.
    pub observer: Arc<dyn Observer>,
    /// Whether this process may act.
    pub seat: Seat,
    /// Its part in the election, if there is one.
    pub candidacy: Option<Candidacy>,
}

/// What is shared by everything that is started.
struct Start {
    settings: ControllerSettings,
    client: Client,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    wakes: Arc<Wakes>,
    connections: Arc<Connections>,
    inviters: Arc<InviterPasses>,
    seat: Seat,
    takeover: Arc<Takeover>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    /// First lists that must have been read before an invitation is looked at.
    lists: Vec<CancellationToken>,
}

/// Runs all controllers until `stop`; `on_ready` is called when all caches are filled. Returns when what was in flight is
/// recorded.
pub async fn run(settings: ControllerSettings, ports: Ports, stop: CancellationToken, on_ready: impl FnOnce()) {
    let Ports { client, connector, clock, observer, seat, candidacy } = ports;
    let (objects, objects_writer) = store::<ProjectInvitation>();
    let (wakes, streams) = Wakes::new(objects.clone());
    let wakes = Arc::new(wakes);
    let connections = Arc::new(Connections::default());
    let inviters = Arc::new(InviterPasses::new(
        client.clone(),
        settings.clone(),
        connector,
        Arc::clone(&connections),
        Arc::clone(&wakes),
        Arc::clone(&clock),
    ));
    let slots =
        Slots::new(settings.rate, settings.timings, Arc::clone(&clock), Arc::clone(&wakes), Arc::clone(&observer));
    let takeover = Arc::new(Takeover::new(Arc::clone(&connections), Arc::clone(&wakes), Arc::clone(&slots)));
    let candidate = candidacy.map(|candidacy| {
        let (clock, observer) = (Arc::clone(&clock), Arc::clone(&observer));
        candidacy.candidate(client.clone(), &settings, Arc::clone(&takeover), clock, observer)
    });
    let mut start = Start {
        settings,
        client,
        clock,
        observer,
        wakes,
        connections,
        inviters,
        seat,
        takeover,
        stop,
        tasks: JoinSet::new(),
        lists: Vec::new(),
    };

    let (claims, claim_cache) = start.claims();
    start.takeover.knows_claims(claims.clone());
    let namespaces = start.namespaces();
    let inviter_events = served::<Inviter>(&start.client, &start.settings.namespaces, "Inviter", &start.observer);
    start.inviters_of_one_kind(
        inviter_events,
        |inviter, _| InviterSettings::of_inviter(inviter),
        |client, inviter| Api::namespaced(client.clone(), &inviter.namespace().unwrap_or_default()),
        streams.inviters,
        Takeover::knows_inviters,
    );
    if start.settings.namespaces == Namespaces::All {
        let api = Api::<DeserializeGuard<ClusterInviter>>::all(start.client.clone());
        start.inviters_of_one_kind(
            watch(api, "ClusterInviter", &start.observer),
            InviterSettings::of_cluster_inviter,
            |client, _| Api::all(client.clone()),
            streams.cluster_inviters,
            Takeover::knows_cluster_inviters,
        );
    }
    start.first_lists().await;
    start.takeover.refill_slots();

    start.census(objects.clone(), claims);
    let events =
        served::<ProjectInvitation>(&start.client, &start.settings.namespaces, "ProjectInvitation", &start.observer);
    let (events, objects_listed) = listed(reflector(objects_writer, events));
    let object_cache = Arc::new(Cache::over(objects.clone()));
    let memory = Arc::new(Memory::default());
    let events = forgotten(seen_by(events, Arc::clone(&object_cache)), Arc::clone(&memory), Arc::clone(&slots));
    let Start { settings, client, clock, observer, wakes, connections, inviters, seat, stop, mut tasks, .. } = start;
    let concurrency = settings.concurrency;
    let passes = Arc::new(Passes {
        cluster: Arc::new(KubeCluster::new(client, &settings.operator_namespace)),
        objects: object_cache,
        claims: claim_cache,
        namespaces,
        connections,
        inviters,
        rosters: Rosters::new(Arc::clone(&clock), settings.timings),
        slots: Arc::clone(&slots),
        wakes,
        memory,
        clock,
        observer,
        settings,
    });
    tasks.spawn(slots.run(stop.clone()));
    tasks.spawn(sweep::run(Arc::clone(&passes), seat.clone(), stop.clone()));
    let queue = queue::run(events, objects, streams.invitations, passes, seat, concurrency, stop.clone());
    let drained = CancellationToken::new();
    let work = async {
        queue.await;
        while tasks.join_next().await.is_some() {}
        drained.cancel();
    };
    let ready = async {
        tokio::select! {
            () = objects_listed.cancelled() => on_ready(),
            () = stop.cancelled() => return,
        }
        // Who stands for election has seen everything: a replica that cannot read must not keep others from acting.
        stand(candidate, stop.clone(), drained.clone()).await;
    };
    tokio::join!(work, ready);
}

/// On a task of its own: renewals must not wait behind a burst of events.
async fn stand(candidate: Option<Candidate>, stop: CancellationToken, drained: CancellationToken) {
    let Some(candidate) = candidate else { return };
    if let Err(error) = tokio::spawn(candidate.run(stop.clone(), drained)).await {
        // Without its candidate a process could never act again, and would look well.
        tracing::error!(%error, "the election broke down; ending");
        stop.cancel();
    }
}

impl Start {
    /// Watches the ledger; objects that wait for a claim are woken when it changes.
    fn claims(&mut self) -> (Store<InvitationClaim>, Arc<Cache<InvitationClaim>>) {
        let (claims, writer) = store::<InvitationClaim>();
        let cache = Arc::new(Cache::over(claims.clone()));
        let namespace = &self.settings.operator_namespace;
        let api = Api::<DeserializeGuard<InvitationClaim>>::namespaced(self.client.clone(), namespace);
        let (events, claims_listed) = listed(reflector(writer, watch(api, "InvitationClaim", &self.observer)));
        self.lists.push(claims_listed);
        let wakes = Arc::clone(&self.wakes);
        let waking = seen_by(events, Arc::clone(&cache)).for_each(move |event| {
            if let Ok(Event::Apply(claim) | Event::Delete(claim)) = event {
                wakes.claim_changed(&claim.name_any());
            }
            futures::future::ready(())
        });
        self.tasks.spawn(until(self.stop.clone(), waking));
        (claims, cache)
    }

    /// Watches the labels of namespaces, where the installation is cluster-wide.
    fn namespaces(&mut self) -> NamespaceView {
        let reader = match self.settings.namespaces {
            Namespaces::Only(_) => None,
            Namespaces::All => {
                let (reader, writer) = store::<PartialObjectMeta<Namespace>>();
                let api = Api::<DeserializeGuard<PartialObjectMeta<Namespace>>>::all(self.client.clone());
                let (events, namespaces_listed) = listed(reflector(writer, watch(api, "Namespace", &self.observer)));
                self.lists.push(namespaces_listed);
                let reading = events.for_each(|_| futures::future::ready(()));
                self.tasks.spawn(until(self.stop.clone(), reading));
                Some(reader)
            }
        };
        NamespaceView::new(self.settings.namespaces.clone(), reader)
    }

    fn inviters_of_one_kind<K>(
        &mut self,
        events: Events<K>,
        read: Read<K>,
        api_of: ApiOf<K>,
        wakes: UnboundedReceiver<ObjectRef<K>>,
        known: fn(&Takeover, Store<K>),
    ) where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
    {
        let (reader, writer) = store::<K>();
        known(&self.takeover, reader.clone());
        let events = announced(
            events,
            read,
            self.settings.operator_namespace.clone(),
            Arc::clone(&self.connections),
            Arc::clone(&self.inviters),
            Arc::clone(&self.wakes),
        );
        let (events, inviters_listed) = listed(reflector(writer, events));
        self.lists.push(inviters_listed);
        let reporter = Reporter { controller: CONTROLLER.to_owned(), instance: None };
        let context = Arc::new(InviterContext {
            read,
            api_of,
            operator_namespace: self.settings.operator_namespace.clone(),
            client: self.client.clone(),
            passes: Arc::clone(&self.inviters),
            clock: Arc::clone(&self.clock),
            recorder: Recorder::new(self.client.clone(), reporter),
            seat: self.seat.clone(),
        });
        self.tasks.spawn(inviter_run::run(events, reader, wakes, context, self.stop.clone()));
    }

    /// Counts what there is.
    fn census(&mut self, objects: Store<ProjectInvitation>, claims: Store<InvitationClaim>) {
        let counting = census::run(
            objects,
            claims,
            Arc::clone(&self.connections),
            Arc::clone(&self.wakes),
            self.seat.clone(),
            Arc::clone(&self.observer),
        );
        self.tasks.spawn(until(self.stop.clone(), counting));
    }

    async fn first_lists(&self) {
        let all = async {
            for list in &self.lists {
                list.cancelled().await;
            }
        };
        tokio::select! {
            () = all => {}
            () = self.stop.cancelled() => {}
        }
    }
}

/// What is remembered of an object goes when the object goes.
fn forgotten(events: Events<ProjectInvitation>, memory: Arc<Memory>, slots: Arc<Slots>) -> Events<ProjectInvitation> {
    let events = events.inspect(move |event| {
        if let Ok(Event::Delete(object)) = event {
            memory.forget(&object.uid().unwrap_or_default());
            slots.leave(&ObjectRef::from_obj(object));
        }
    });
    events.boxed()
}

async fn until(stop: CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        () = stop.cancelled() => {}
    }
}

/// Watches a namespaced kind where it is served.
fn served<K>(client: &Client, namespaces: &Namespaces, kind: &'static str, observer: &Arc<dyn Observer>) -> Events<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static,
{
    match namespaces {
        Namespaces::All => watch(Api::<DeserializeGuard<K>>::all(client.clone()), kind, observer),
        Namespaces::Only(names) => merge(
            names
                .iter()
                .map(|name| watch(Api::<DeserializeGuard<K>>::namespaced(client.clone(), name), kind, observer))
                .collect(),
        ),
    }
}
