//! Watches: paged lists, trimmed objects, and one bad object stops nobody.
//!
//! Owns how a kind is watched. A half-open connection is noticed soon after the time in which every watch is renewed.
//! Must never hand an object on that could not be read.

use super::cache::Cache;
use super::observer::Observer;
use crate::api::names::annotation;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, future, stream};
use kube::api::{Api, Resource, ResourceExt};
use kube::core::DeserializeGuard;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use serde::de::DeserializeOwned;
use std::collections::hash_map::DefaultHasher;
use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Events of one kind.
pub type Events<K> = BoxStream<'static, Result<Event<K>, watcher::Error>>;

/// How everything is watched: by pages, which every API server serves whatever it makes of streaming lists; renewed so often,
/// in whole seconds.
pub(super) fn renewed(every: Duration) -> watcher::Config {
    watcher::Config::default().timeout(u32::try_from(every.as_secs()).unwrap_or(u32::MAX).max(1)).page_size(500)
}

/// Watches a kind. Objects that cannot be read are logged and left out.
pub fn watch<K>(
    api: Api<DeserializeGuard<K>>,
    kind: &'static str,
    renewal: Duration,
    observer: &Arc<dyn Observer>,
) -> Events<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let observer = Arc::clone(observer);
    watched(api, renewed(renewal))
        .default_backoff()
        .filter_map(move |event| {
            let event = match event {
                Ok(event) => {
                    let readable = readable(event, kind);
                    if readable.is_none() {
                        observer.unreadable(kind);
                    }
                    readable.map(Ok)
                }
                Err(error) => {
                    tracing::warn!(kind, %error, "watch failed; it is being restarted");
                    observer.watch_failed(kind);
                    Some(Err(error))
                }
            };
            async move { event }
        })
        .boxed()
}

/// kube lists anew when the server ends a watch because its version is too old, and asks for ever for the same version when
/// the watch is refused for that: then it is begun anew.
fn watched<K>(api: Api<K>, config: watcher::Config) -> impl Stream<Item = Result<Event<K>, watcher::Error>> + Send
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    stream::repeat_with(move || watcher(api.clone(), config.clone())).flat_map(|events| {
        events.scan(false, |expired, event| {
            let over = *expired;
            *expired =
                matches!(&event, Err(watcher::Error::WatchStartFailed(kube::Error::Api(status))) if status.code == 410);
            future::ready((!over).then_some(event))
        })
    })
}

fn readable<K>(event: Event<DeserializeGuard<K>>, kind: &'static str) -> Option<Event<K>>
where
    K: Resource<DynamicType = ()>,
{
    let read = |guard: DeserializeGuard<K>| match guard.0 {
        Ok(mut object) => {
            trim(&mut object);
            Some(object)
        }
        Err(invalid) => {
            let metadata = &invalid.metadata;
            tracing::warn!(
                kind,
                namespace = metadata.namespace,
                name = metadata.name,
                error = invalid.error,
                "object cannot be read and is left alone"
            );
            None
        }
    };
    Some(match event {
        Event::Apply(guard) => Event::Apply(read(guard)?),
        Event::Delete(guard) => Event::Delete(read(guard)?),
        Event::InitApply(guard) => Event::InitApply(read(guard)?),
        Event::Init => Event::Init,
        Event::InitDone => Event::InitDone,
    })
}

/// Drops what no decision reads: most of an object's size is who wrote which field, and what was last applied.
pub fn trim(object: &mut impl Resource<DynamicType = ()>) {
    object.managed_fields_mut().clear();
    object.annotations_mut().retain(|name, _| annotation::ALL.contains(&name.as_str()));
}

/// Tells when the first list has reached the store. (A store's own `wait_until_ready` wakes only one of several who wait,
/// and the queue already does.)
pub fn listed<K: Send + 'static>(
    events: impl Stream<Item = Result<Event<K>, watcher::Error>> + Send + 'static,
) -> (Events<K>, CancellationToken) {
    let listed = CancellationToken::new();
    let tell = listed.clone();
    let events = events.inspect(move |event| {
        if let Ok(Event::InitDone) = event {
            tell.cancel();
        }
    });
    (events.boxed(), listed)
}

/// Lets a cache see the events that have reached its store.
pub fn seen_by<K>(
    events: impl Stream<Item = Result<Event<K>, watcher::Error>> + Send + 'static,
    cache: Arc<Cache<K>>,
) -> Events<K>
where
    K: Resource<DynamicType = ()> + Clone + Send + Sync + 'static,
{
    events
        .inspect(move |event| {
            if let Ok(event) = event {
                cache.watched(event);
            }
        })
        .boxed()
}

/// What wakes an object: its spec, its deletion, and the annotations that ask for something. Own writes of status and
/// finalizers do not.
#[must_use]
pub fn what_wakes(object: &impl ResourceExt) -> u64 {
    let mut hasher = DefaultHasher::new();
    object.meta().generation.hash(&mut hasher);
    object.meta().deletion_timestamp.is_some().hash(&mut hasher);
    for name in annotation::ALL {
        object.annotations().get(name).hash(&mut hasher);
    }
    hasher.finish()
}
