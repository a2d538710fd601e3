//! Starts the controllers in their order and ends them in theirs.
//!
//! Order: claims, namespaces and inviters are listed before the first invitation is looked at, so that nothing is decided
//! from a store that is still empty. Must never decide anything.

use super::cache::{Cache, Told};
use super::census;
use super::chance::SystemChance;
use super::clock::Clock;
use super::connection::Connections;
use super::departures::departures;
use super::inviter_pass::InviterPasses;
use super::inviter_run::{self, ApiOf, InviterContext, Read, announced};
use super::inviter_spec::InviterSettings;
use super::kube_cluster::KubeCluster;
use super::leader::{Candidacy, Candidate};
use super::leadership::Seat;
use super::lean::Lean;
use super::memory::Memory;
use super::merge::merge;
use super::namespaces::{Followed, NamespaceView};
use super::observer::Observer;
use super::pass::{PassPorts, Passes};
use super::queue;
use super::secrets::KubeSecrets;
use super::settings::{ControllerSettings, Namespaces};
use super::sweep;
use super::takeover::Takeover;
use super::tasks::{after, until};
use super::wakes::Wakes;
use super::watch::{Events, cached, listed, watch};
use crate::api::names::CONTROLLER;
use crate::api::{ClusterInviter, InvitationClaim, Inviter, ProjectInvitation};
use crate::cloud::connector::Connect;
use futures::channel::mpsc::UnboundedReceiver;
use futures::future::ready;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::events::{Recorder, Reporter};
use kube::runtime::reflector::{ObjectRef, Store, reflector, store};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long a process that is told to end waits for results that could not be recorded: within the 30 s that Kubernetes
/// gives a Pod, with time to give the Lease back.
const GRACE: Duration = Duration::from_secs(20);

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
    /// First lists that must have been read before a pass begins.
    lists: Vec<CancellationToken>,
}

/// Runs all controllers until `stop`; `on_ready` is called when all caches are filled. Returns when what was in flight is
/// recorded.
pub async fn run(settings: ControllerSettings, ports: Ports, stop: CancellationToken, on_ready: impl FnOnce()) {
    let Ports { client, connector, clock, observer, seat, candidacy } = ports;
    let object_cache = Arc::new(Cache::default());
    let memory = Arc::new(Memory::default());
    let (wakes, streams) = Wakes::new(Arc::clone(&object_cache), Arc::clone(&memory));
    let wakes = Arc::new(wakes);
    let connections = Arc::new(Connections::default());
    let inviters = Arc::new(InviterPasses::new(
        Arc::new(KubeSecrets(client.clone())),
        settings.clone(),
        connector,
        Arc::clone(&connections),
        Arc::clone(&wakes),
        Arc::clone(&clock),
    ));
    let takeover = Arc::new(Takeover::new(Arc::clone(&connections), Arc::clone(&wakes)));
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

    let claim_cache = start.claims();
    let namespaces = start.namespaces();
    let inviter_events = start.served::<Inviter>("Inviter");
    start.inviters_of_one_kind(
        inviter_events,
        |inviter, _| InviterSettings::of_inviter(inviter),
        |client, inviter| Api::namespaced(client.clone(), &inviter.namespace().unwrap_or_default()),
        streams.inviters,
        Takeover::knows_inviters,
    );
    if start.settings.namespaces == Namespaces::All {
        let events = start.watch(Api::<Lean<ClusterInviter>>::all(start.client.clone()), "ClusterInviter");
        start.inviters_of_one_kind(
            events,
            InviterSettings::of_cluster_inviter,
            |client, _| Api::all(client.clone()),
            streams.cluster_inviters,
            Takeover::knows_cluster_inviters,
        );
    }
    start.lists.push(object_cache.listed());
    let (first_lists, listed) = (start.first_lists(), CancellationToken::new());
    start.census(Arc::clone(&object_cache), Arc::clone(&claim_cache), &listed);
    let events = cached(start.served::<ProjectInvitation>("ProjectInvitation"), Arc::clone(&object_cache));
    let Start {
        settings, client, clock, observer, wakes, connections, inviters, seat, takeover, stop, mut tasks, ..
    } = start;
    let concurrency = settings.concurrency;
    let ports = PassPorts {
        cluster: Arc::new(KubeCluster::new(client, &settings.operator_namespace)),
        objects: object_cache,
        claims: Arc::clone(&claim_cache),
        namespaces,
        connections,
        inviters,
        wakes,
        memory,
        clock,
        chance: Arc::new(SystemChance),
        observer,
    };
    let passes = Arc::new(Passes::new(ports, settings));
    beside(&mut tasks, &passes, events, &listed, &seat, &stop);
    let queue = queue::run(streams.invitations, listed.clone(), Arc::clone(&passes), seat, concurrency, stop.clone());
    let drained = CancellationToken::new();
    let work = async {
        queue.await;
        while tasks.join_next().await.is_some() {}
        passes.books.close(GRACE).await;
        drained.cancel();
    };
    let ready = async {
        tokio::select! {
            () = first_lists => {}
            () = stop.cancelled() => return,
        }
        // Before the first pass: what was sent of late stands in the claims.
        takeover.paces(Arc::clone(&passes.slots), claim_cache);
        listed.cancel();
        on_ready();
        // Who stands for election has seen everything: a replica that cannot read must not keep others from acting.
        stand(candidate, stop.clone(), drained.clone()).await;
    };
    tokio::join!(work, ready);
}

/// What goes on beside the passes.
fn beside(
    tasks: &mut JoinSet<()>,
    passes: &Arc<Passes>,
    events: BoxStream<'static, Told<ProjectInvitation>>,
    listed: &CancellationToken,
    seat: &Seat,
    stop: &CancellationToken,
) {
    let watching = Arc::clone(passes);
    let watching = events.map(move |told| watching.watched(&told)).for_each(ready);
    tasks.spawn(until(stop.clone(), watching));
    let sweeping = sweep::run(Arc::clone(passes), seat.clone(), stop.clone());
    tasks.spawn(until(stop.clone(), after(listed.clone(), sweeping)));
    let (turns, until) = (Arc::clone(passes), stop.clone());
    tasks.spawn(async move { turns.take_turns(until).await });
    let (keeping, seat, until) = (Arc::clone(passes), seat.clone(), stop.clone());
    tasks.spawn(async move { keeping.keep_rosters(seat, until).await });
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
    fn claims(&mut self) -> Arc<Cache<InvitationClaim>> {
        let cache = Arc::new(Cache::default());
        let namespace = &self.settings.operator_namespace;
        let api = Api::<Lean<InvitationClaim>>::namespaced(self.client.clone(), namespace);
        let events = cached(self.watch(api, "InvitationClaim"), Arc::clone(&cache));
        self.lists.push(cache.listed());
        let wakes = Arc::clone(&self.wakes);
        let waking = events.map(move |told| wakes.claim_event(&told.event)).for_each(ready);
        self.tasks.spawn(until(self.stop.clone(), waking));
        cache
    }

    /// Watches the labels of namespaces, where the installation is cluster-wide; objects are woken when those of theirs change.
    fn namespaces(&mut self) -> NamespaceView {
        let reader = match self.settings.namespaces {
            Namespaces::Only(_) => None,
            Namespaces::All => {
                let (reader, writer) = store::<PartialObjectMeta<Namespace>>();
                let api = Api::<Lean<PartialObjectMeta<Namespace>>>::all(self.client.clone());
                let mut followed = Followed::new(writer);
                let wakes = Arc::clone(&self.wakes);
                let events = self.watch(api, "Namespace").inspect_ok(move |event| {
                    for namespace in followed.follow(event) {
                        wakes.all_within(&namespace);
                    }
                });
                let (events, namespaces_listed) = listed(events);
                self.lists.push(namespaces_listed);
                self.tasks.spawn(until(self.stop.clone(), events.for_each(|_| ready(()))));
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
            departures(events, reader.clone()),
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

    /// Counts what there is, once it is known.
    fn census(
        &mut self,
        objects: Arc<Cache<ProjectInvitation>>,
        claims: Arc<Cache<InvitationClaim>>,
        listed: &CancellationToken,
    ) {
        let counting = census::run(
            objects,
            claims,
            Arc::clone(&self.connections),
            Arc::clone(&self.wakes),
            self.seat.clone(),
            Arc::clone(&self.observer),
        );
        self.tasks.spawn(until(self.stop.clone(), after(listed.clone(), counting)));
    }

    fn watch<K>(&self, api: Api<Lean<K>>, kind: &'static str) -> Events<K>
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
    {
        watch(api, kind, self.settings.watch_renewal, &self.observer)
    }

    /// Watches a namespaced kind where it is served.
    fn served<K>(&self, kind: &'static str) -> Events<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + Serialize
            + DeserializeOwned
            + Send
            + Sync
            + 'static,
    {
        let within = |namespace: &String| self.watch(Api::namespaced(self.client.clone(), namespace), kind);
        match &self.settings.namespaces {
            Namespaces::All => self.watch(Api::all(self.client.clone()), kind),
            Namespaces::Only(namespaces) => merge(namespaces.iter().map(within).collect()),
        }
    }

    /// The end of all first lists. They are read at the same time: one half of the work is the API server's.
    fn first_lists(&mut self) -> impl Future<Output = ()> + use<> {
        let lists = std::mem::take(&mut self.lists);
        async move {
            for list in lists {
                list.cancelled().await;
            }
        }
    }
}
