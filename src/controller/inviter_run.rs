//! The controllers of `Inviter` and `ClusterInviter`: one pass each, driven by kube's queue.
//!
//! Must never be slower than the invitations that wait: a pass is one Secret, one probe, one status write at most.

use super::clock::Clock;
use super::connection::Connections;
use super::inviter_pass::InviterPasses;
use super::inviter_spec::InviterSettings;
use super::inviter_status::inviter_status;
use super::kube_cluster::within;
use super::leadership::Seat;
use super::wakes::Wakes;
use super::watch::{Events, what_wakes};
use crate::api::names::CONTROLLER;
use crate::api::{InviterStatus, Reason};
use crate::domain::schedule::LONGEST_WAIT;
use futures::channel::mpsc::UnboundedReceiver;
use futures::{Stream, StreamExt};
use kube::api::{Api, Patch, PatchParams};
use kube::runtime::controller::{Action, Config, Controller};
use kube::runtime::events::{Event as KubeEvent, EventType, Recorder};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{PredicateConfig, WatchStreamExt};
use kube::{Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::collections::HashSet;
use std::convert::Infallible;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Reads an inviter of either kind.
pub type Read<K> = fn(&K, &str) -> InviterSettings;

/// The Kubernetes API of an inviter's own scope.
pub type ApiOf<K> = fn(&Client, &K) -> Api<K>;

/// What the passes of one kind share.
pub struct InviterContext<K> {
    /// Reads the kind.
    pub read: Read<K>,
    /// Where its status is written.
    pub api_of: ApiOf<K>,
    /// Where `ClusterInviter`s have their Secrets.
    pub operator_namespace: String,
    /// The cluster.
    pub client: Client,
    /// Makes the passes.
    pub passes: Arc<InviterPasses>,
    /// Wall clock, for transition times.
    pub clock: Arc<dyn Clock>,
    /// Publishes events.
    pub recorder: Recorder,
    /// Whether passes may begin.
    pub seat: Seat,
}

/// Tells connections and waiting invitations that inviters come and go.
pub fn announced<K>(
    events: Events<K>,
    read: Read<K>,
    operator_namespace: String,
    connections: Arc<Connections>,
    passes: Arc<InviterPasses>,
    wakes: Arc<Wakes>,
) -> impl Stream<Item = Result<Event<K>, watcher::Error>> + Send + 'static
where
    K: Resource<DynamicType = ()> + Send + 'static,
{
    events.inspect(move |event| match event {
        Ok(Event::Apply(object) | Event::InitApply(object)) => {
            let settings = read(object, &operator_namespace);
            connections.announce(&settings.name, &settings.uid);
        }
        Ok(Event::Delete(object)) => {
            let settings = read(object, &operator_namespace);
            connections.remove(&settings.name);
            passes.forget(&settings);
            wakes.invitations_of(&settings.name);
        }
        Ok(Event::Init | Event::InitDone) | Err(_) => {}
    })
}

/// Runs the passes of one kind until `stop`. While somebody else leads, none begins.
pub async fn run<K>(
    events: impl Stream<Item = Result<Event<K>, watcher::Error>> + Send + 'static,
    store: Store<K>,
    wakes: UnboundedReceiver<ObjectRef<K>>,
    context: Arc<InviterContext<K>>,
    stop: CancellationToken,
) where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let trigger =
        events.applied_objects().predicate_filter(|object: &K| Some(what_wakes(object)), PredicateConfig::default());
    let stopping = stop.clone();
    Controller::for_stream(trigger, store)
        .with_config(Config::default().concurrency(4))
        .reconcile_on(wakes)
        .graceful_shutdown_on(async move { stop.cancelled().await })
        .run(
            move |object: Arc<K>, context: Arc<InviterContext<K>>| {
                let stopping = stopping.clone();
                async move {
                    if !context.seat.may_act() {
                        // Everything is woken when this process begins to lead.
                        return Ok::<_, Infallible>(Action::await_change());
                    }
                    let pass = stopping.run_until_cancelled(reconcile(object.as_ref(), &context)).await;
                    Ok(pass.map_or_else(Action::await_change, Action::requeue))
                }
            },
            |_, _, _| Action::requeue(LONGEST_WAIT),
            context,
        )
        .for_each(|_| futures::future::ready(()))
        .await;
}

async fn reconcile<K>(object: &K, context: &InviterContext<K>) -> Duration
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let settings = (context.read)(object, &context.operator_namespace);
    let verdict = context.passes.pass(&settings).await;
    let aside = context.passes.aside(&settings, &verdict.finding);
    let status = inviter_status(&settings, &verdict.finding, &aside, context.clock.now());
    if status != settings.status {
        if let Err(error) = write_status(object, &status, (context.api_of)(&context.client, object)).await {
            tracing::debug!(name = object.name_any(), %error, "status of an inviter not written");
        } else {
            for news in news(&settings.status, &status) {
                // Best effort: nothing rests on an event.
                let _ = context.recorder.publish(&news, &object.object_ref(&())).await;
            }
        }
    }
    verdict.again_in + verdict.again_in.mul_f64(rand::random::<f64>() / 10.0)
}

/// One event for each reason that was not shown before.
fn news(before: &InviterStatus, now: &InviterStatus) -> Vec<KubeEvent> {
    let mut told: HashSet<&str> = before.conditions.iter().map(|condition| condition.reason.as_str()).collect();
    let new = now.conditions.iter().filter(|condition| told.insert(&condition.reason));
    new.map(|condition| KubeEvent {
        type_: if condition.reason == Reason::Ready.as_str() { EventType::Normal } else { EventType::Warning },
        reason: condition.reason.clone(),
        note: Some(condition.message.clone()),
        action: "Check".to_owned(),
        secondary: None,
    })
    .collect()
}

async fn write_status<K>(object: &K, status: &InviterStatus, api: Api<K>) -> Result<(), super::cluster::ClusterError>
where
    K: Clone + Debug + DeserializeOwned + Resource<DynamicType = ()>,
{
    let patch = json!([
        { "op": "test", "path": "/metadata/uid", "value": object.uid() },
        { "op": "add", "path": "/status", "value": status },
    ]);
    let patch = serde_json::from_value(patch).map(Patch::<()>::Json);
    let patch = patch.map_err(|error| super::cluster::ClusterError::Refused(error.to_string()))?;
    let params = PatchParams { field_manager: Some(CONTROLLER.to_owned()), ..PatchParams::default() };
    within(api.patch_status(&object.name_any(), &params, &patch)).await.map(|_| ())
}
