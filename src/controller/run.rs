//! Starts the controllers in their order and ends them in theirs.
//!
//! Order: claims, namespaces and inviters are listed before the first invitation is looked at, so that nothing is decided
//! from a store that is still empty. Must never decide anything.

use super::cache::Cache;
use super::census;
use super::clock::Clock;
use super::cluster::Cluster;
use super::connection::Connections;
use super::inviter_pass::InviterPasses;
use super::inviter_run::{self, InviterContext, announced};
use super::inviter_spec::InviterSettings;
use super::kube_cluster::KubeCluster;
use super::memory::Memory;
use super::merge::merge;
use super::namespaces::NamespaceView;
use super::observer::Observer;
use super::pass::Passes;
use super::queue;
use super::roster::Rosters;
use super::settings::{ControllerSettings, Namespaces};
use super::wakes::Wakes;
use super::watch::{Events, listed, seen_by, watch};
use crate::api::names::CONTROLLER;
use crate::api::{ClusterInviter, InvitationClaim, Inviter, ProjectInvitation};
use crate::cloud::connector::Connect;
use futures::StreamExt;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::Namespace;
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::events::{Recorder, Reporter};
use kube::runtime::reflector::{reflector, store};
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
}

/// Runs all controllers until `stop`; `on_ready` is called when all caches are filled. Returns when what was in flight is
/// recorded.
pub async fn run(settings: ControllerSettings, ports: Ports, stop: CancellationToken, on_ready: impl FnOnce()) {
    let Ports { client, connector, clock, observer } = ports;
    let (objects, objects_writer) = store::<ProjectInvitation>();
    let (claims, claims_writer) = store::<InvitationClaim>();
    let (inviters, inviters_writer) = store::<Inviter>();
    let (cluster_inviters, cluster_inviters_writer) = store::<ClusterInviter>();
    let (wakes, streams) = Wakes::new(objects.clone());
    let wakes = Arc::new(wakes);
    let connections = Arc::new(Connections::default());
    let object_cache = Arc::new(Cache::over(objects.clone()));
    let claim_cache = Arc::new(Cache::over(claims.clone()));
    let cluster: Arc<dyn Cluster> = Arc::new(KubeCluster::new(client.clone(), &settings.operator_namespace));
    let inviter_passes = Arc::new(InviterPasses::new(
        client.clone(),
        settings.clone(),
        connector,
        Arc::clone(&connections),
        Arc::clone(&wakes),
        Arc::clone(&clock),
    ));
    let mut tasks = JoinSet::new();

    let claim_events = watch(
        Api::<DeserializeGuard<InvitationClaim>>::namespaced(client.clone(), &settings.operator_namespace),
        "InvitationClaim",
        &observer,
    );
    let (claim_events, claims_listed) = listed(reflector(claims_writer, claim_events));
    let claim_events = seen_by(claim_events, Arc::clone(&claim_cache));
    let mut lists = vec![claims_listed];
    tasks.spawn(until(stop.clone(), wake_waiting(claim_events, Arc::clone(&wakes))));

    let namespace_store = match settings.namespaces {
        Namespaces::Only(_) => None,
        Namespaces::All => {
            let (reader, writer) = store::<PartialObjectMeta<Namespace>>();
            let api = Api::<DeserializeGuard<PartialObjectMeta<Namespace>>>::all(client.clone());
            let (events, namespaces_listed) = listed(reflector(writer, watch(api, "Namespace", &observer)));
            lists.push(namespaces_listed);
            tasks.spawn(until(stop.clone(), events.for_each(|_| futures::future::ready(()))));
            Some(reader)
        }
    };

    let context = |recorder: Recorder| (Arc::clone(&inviter_passes), Arc::clone(&clock), recorder);
    let recorder = Recorder::new(client.clone(), Reporter { controller: CONTROLLER.to_owned(), instance: None });
    let (passes, inviter_clock, inviter_recorder) = context(recorder.clone());
    let inviter_context = Arc::new(InviterContext {
        read: |inviter: &Inviter, _| InviterSettings::of_inviter(inviter),
        operator_namespace: settings.operator_namespace.clone(),
        client: client.clone(),
        passes,
        clock: inviter_clock,
        recorder: inviter_recorder,
    });
    let events = announced(
        served::<Inviter>(&client, &settings.namespaces, "Inviter", &observer),
        inviter_context.read,
        settings.operator_namespace.clone(),
        Arc::clone(&connections),
        Arc::clone(&inviter_passes),
        Arc::clone(&wakes),
    );
    let (events, inviters_listed) = listed(reflector(inviters_writer, events));
    lists.push(inviters_listed);
    tasks.spawn(inviter_run::run(
        events,
        inviters,
        streams.inviters,
        inviter_context,
        |client, inviter| Api::namespaced(client.clone(), &inviter.namespace().unwrap_or_default()),
        stop.clone(),
    ));
    if settings.namespaces == Namespaces::All {
        let (passes, inviter_clock, inviter_recorder) = context(recorder);
        let cluster_context = Arc::new(InviterContext {
            read: InviterSettings::of_cluster_inviter,
            operator_namespace: settings.operator_namespace.clone(),
            client: client.clone(),
            passes,
            clock: inviter_clock,
            recorder: inviter_recorder,
        });
        let events = announced(
            watch(Api::<DeserializeGuard<ClusterInviter>>::all(client.clone()), "ClusterInviter", &observer),
            cluster_context.read,
            settings.operator_namespace.clone(),
            Arc::clone(&connections),
            Arc::clone(&inviter_passes),
            Arc::clone(&wakes),
        );
        let (events, cluster_inviters_listed) = listed(reflector(cluster_inviters_writer, events));
        lists.push(cluster_inviters_listed);
        tasks.spawn(inviter_run::run(
            events,
            cluster_inviters,
            streams.cluster_inviters,
            cluster_context,
            |client, _| Api::all(client.clone()),
            stop.clone(),
        ));
    }

    let all_listed = async {
        for list in &lists {
            list.cancelled().await;
        }
    };
    tokio::select! {
        () = all_listed => {}
        () = stop.cancelled() => {}
    }

    tasks.spawn(until(
        stop.clone(),
        census::run(
            objects.clone(),
            claims.clone(),
            Arc::clone(&connections),
            Arc::clone(&wakes),
            Arc::clone(&observer),
        ),
    ));
    let passes = Arc::new(Passes {
        cluster,
        objects: Arc::clone(&object_cache),
        claims: claim_cache,
        namespaces: NamespaceView::new(settings.namespaces.clone(), namespace_store),
        connections,
        inviters: inviter_passes,
        rosters: Rosters::new(Arc::clone(&clock), settings.timings),
        wakes,
        memory: Memory::default(),
        clock,
        observer: Arc::clone(&observer),
        settings: settings.clone(),
    });
    let events = served::<ProjectInvitation>(&client, &settings.namespaces, "ProjectInvitation", &observer);
    let (events, objects_listed) = listed(reflector(objects_writer, events));
    let events = seen_by(events, object_cache);
    let queue = queue::run(events, objects.clone(), streams.invitations, passes, settings.concurrency, stop.clone());
    let ready = async {
        tokio::select! {
            () = objects_listed.cancelled() => on_ready(),
            () = stop.cancelled() => {}
        }
    };
    tokio::join!(queue, ready);
    while tasks.join_next().await.is_some() {}
}

async fn until(stop: CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        () = stop.cancelled() => {}
    }
}

/// Objects that wait for a claim are woken when it changes.
async fn wake_waiting(events: Events<InvitationClaim>, wakes: Arc<Wakes>) {
    events
        .for_each(|event| {
            if let Ok(Event::Apply(claim) | Event::Delete(claim)) = event {
                wakes.claim_changed(&claim.name_any());
            }
            futures::future::ready(())
        })
        .await;
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
