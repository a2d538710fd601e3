//! Watches: paged lists of lean objects, and one bad object stops nobody.
//!
//! Owns how a kind is watched. A half-open connection is noticed soon after the time in which every watch is renewed.
//! Must never hand an object on that could not be read.

use super::cache::{Cache, Told};
use super::kept::Kept;
use super::kube_error::plain_watch;
use super::lean::Lean;
use super::observer::Observer;
use crate::api::names::annotation;
use crate::domain::schedule::LONGEST_WAIT;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, future, stream};
use kube::api::{Api, Resource, ResourceExt};
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

/// A page is in memory as it came, and once more as it is read.
const PAGE: u32 = 200;

/// How everything is watched: by pages, which every API server serves whatever it makes of streaming lists; renewed so often,
/// in whole seconds.
pub(super) fn renewed(every: Duration) -> watcher::Config {
    watcher::Config::default().timeout(u32::try_from(every.as_secs()).unwrap_or(u32::MAX).max(1)).page_size(PAGE)
}

/// Watches a kind. Objects that cannot be read are logged and left out.
pub fn watch<K>(api: Api<Lean<K>>, kind: &'static str, renewal: Duration, observer: &Arc<dyn Observer>) -> Events<K>
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
                    tracing::warn!(kind, error = plain_watch(&error), "watch failed; it is being restarted");
                    observer.watch_failed(kind);
                    Some(Err(error))
                }
            };
            async move { event }
        })
        .boxed()
}

/// Begun anew, with a list, now and then: a renewed watch goes on from where it was, and what was missed without a word
/// would stay missed. As often as the longest wait, for the same reason.
const LISTED_EVERY: Duration = LONGEST_WAIT;

/// kube lists anew when the server ends a watch because its version is too old, and asks for ever for the same version when
/// the watch is refused for that: then it is begun anew, too.
fn watched<K>(api: Api<K>, config: watcher::Config) -> impl Stream<Item = Result<Event<K>, watcher::Error>> + Send
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    stream::repeat_with(move || watcher(api.clone(), config.clone())).flat_map(|events| {
        let too_old = CancellationToken::new();
        let life = LISTED_EVERY.mul_f64(1.0 + rand::random::<f64>() / 10.0);
        let over = tokio::time::timeout(life, too_old.clone().cancelled_owned());
        let events = events.inspect(move |event| {
            if let Err(watcher::Error::WatchStartFailed(kube::Error::Api(status))) = event
                && status.code == 410
            {
                too_old.cancel();
            }
        });
        events.take_until(over)
    })
}

fn readable<K>(event: Event<Lean<K>>, kind: &'static str) -> Option<Event<K>>
where
    K: Resource<DynamicType = ()>,
{
    let read = |lean: Lean<K>| match lean.0 {
        Ok(object) => Some(object),
        Err(unreadable) => {
            let metadata = &unreadable.metadata;
            tracing::warn!(
                kind,
                namespace = metadata.namespace,
                name = metadata.name,
                error = unreadable.error,
                "object cannot be read and is left alone"
            );
            None
        }
    };
    Some(match event {
        Event::Apply(lean) => Event::Apply(read(lean)?),
        Event::Delete(lean) => Event::Delete(read(lean)?),
        Event::InitApply(lean) => Event::InitApply(read(lean)?),
        Event::Init => Event::Init,
        Event::InitDone => Event::InitDone,
    })
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

/// Lets a cache follow the events. Those of a watch that fails are left out: it is restarted.
pub fn cached<K: Kept>(events: Events<K>, cache: Arc<Cache<K>>) -> BoxStream<'static, Told<K>> {
    events
        .filter_map(|event| future::ready(event.ok()))
        .flat_map(move |event| stream::iter(cache.follow(event)))
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use axum::body::Body;
    use http::{Request, Response};
    use k8s_openapi::api::core::v1::ConfigMap;
    use serde_json::{Value, json};
    use std::convert::Infallible;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// An API server with one object, and how often it was listed. The first watch may be refused; others show nothing and
    /// never end.
    fn one_object(refusal: Option<Value>) -> (Api<ConfigMap>, Arc<AtomicUsize>) {
        let lists = Arc::new(AtomicUsize::new(0));
        let (counted, refusal) = (Arc::clone(&lists), Arc::new(Mutex::new(refusal)));
        let service = tower::service_fn(move |request: Request<kube::client::Body>| {
            let answer = if request.uri().query().is_some_and(|query| query.contains("watch=true")) {
                match refusal.lock().unwrap().take() {
                    Some(refusal) => Response::builder().status(410).body(Body::from(refusal.to_string())),
                    None => Ok(Response::new(Body::from_stream(stream::pending::<Result<Vec<u8>, Infallible>>()))),
                }
            } else {
                counted.fetch_add(1, Ordering::Relaxed);
                let item = json!({ "metadata": { "name": "one", "resourceVersion": "5" } });
                let list = json!({ "metadata": { "resourceVersion": "7" }, "items": [item] });
                Ok(Response::new(Body::from(list.to_string())))
            };
            future::ready(Ok::<_, Infallible>(answer.unwrap()))
        });
        (Api::all(kube::Client::new(service, "default")), lists)
    }

    /// How long the next complete list takes to come.
    async fn list(events: &mut (impl Stream<Item = Result<Event<ConfigMap>, watcher::Error>> + Unpin)) -> Duration {
        let began = tokio::time::Instant::now();
        let done = async { while !matches!(events.next().await, Some(Ok(Event::InitDone))) {} };
        tokio::time::timeout(LISTED_EVERY * 10, done).await.unwrap();
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn everything_is_listed_once_an_hour_though_the_watch_goes_on() {
        let (api, lists) = one_object(None);
        let mut events = watched(api, renewed(Duration::from_secs(50))).boxed();
        assert!(list(&mut events).await < Duration::from_secs(1));
        for again in 2..5 {
            let after = list(&mut events).await;
            assert!(after >= LISTED_EVERY && after < LISTED_EVERY.mul_f64(1.11), "{after:?}");
            assert_eq!(lists.load(Ordering::Relaxed), again);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_is_refused_as_too_old_is_begun_with_a_list() {
        let status = json!({ "status": "Failure", "message": "too old", "reason": "Expired", "code": 410 });
        let (api, lists) = one_object(Some(status));
        let mut events = watched(api, renewed(Duration::from_secs(50))).boxed();
        list(&mut events).await;
        assert!(list(&mut events).await < Duration::from_secs(1));
        assert_eq!(lists.load(Ordering::Relaxed), 2);
    }
}
