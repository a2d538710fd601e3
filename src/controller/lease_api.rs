//! The Lease in Kubernetes: read, written, watched.
//!
//! Owns what each answer means for an election. Everything that others keep on the Lease (labels, annotations) stays. Must
//! never repeat a write, and must never report one as done that was not acknowledged.

use super::kube_error::{plain, plain_watch};
use super::watch::renewed;
use crate::api::names::{CONTROLLER, SERVES_ANNOTATION};
use crate::domain::lease::{Bid, Lease};
use futures::{Stream, StreamExt};
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease as KubeLease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{Event, watcher};
use kube::{Client, ResourceExt};
use std::time::Duration;

/// Why a read or write did not do what it was to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseTrouble {
    /// The Lease is not what the bid was made for.
    Changed,
    /// The API server says no, and will say so again.
    Refused(String),
    /// Nobody can tell whether it was done.
    Unanswered(String),
}

/// What a watch tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Sighting {
    /// The Lease as it then was.
    Lease(Box<KubeLease>),
    /// It was deleted, or may have been.
    Gone,
    /// Nothing that says anything.
    Nothing,
}

/// Reads and writes one Lease.
#[derive(Clone)]
pub struct LeaseApi {
    api: Api<KubeLease>,
    name: String,
    /// Whom the holder serves, for other instances.
    serves: String,
    deadline: Duration,
    renewal: Duration,
}

impl LeaseApi {
    /// No call takes longer than `deadline`; the watch is renewed as those of all other kinds are.
    #[must_use]
    pub fn new(
        client: Client,
        namespace: &str,
        name: &str,
        serves: String,
        deadline: Duration,
        renewal: Duration,
    ) -> Self {
        Self { api: Api::namespaced(client, namespace), name: name.to_owned(), serves, deadline, renewal }
    }

    /// A live (quorum) read.
    ///
    /// # Errors
    /// When it cannot be read; that there is none is no error.
    pub async fn read(&self) -> Result<Option<KubeLease>, LeaseTrouble> {
        self.within(self.api.get_opt(&self.name)).await
    }

    /// Writes a bid over the object that it was made for.
    ///
    /// # Errors
    /// `Changed` when the Lease is another by now.
    pub async fn write(&self, seen: Option<&KubeLease>, bid: &Bid, now: Timestamp) -> Result<KubeLease, LeaseTrouble> {
        let post = PostParams { field_manager: Some(CONTROLLER.to_owned()), ..PostParams::default() };
        match (seen, &bid.over) {
            (_, None) => {
                let mut metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
                self.mark(&mut metadata);
                let lease = KubeLease { metadata, spec: Some(spec(LeaseSpec::default(), bid, now)) };
                self.within(self.api.create(&post, &lease)).await
            }
            (Some(seen), Some(version)) if seen.resource_version().as_ref() == Some(version) => {
                let mut lease = seen.clone();
                self.mark(&mut lease.metadata);
                lease.spec = Some(spec(lease.spec.unwrap_or_default(), bid, now));
                self.within(self.api.replace(&self.name, &post, &lease)).await
            }
            (_, Some(_)) => Err(LeaseTrouble::Changed),
        }
    }

    fn mark(&self, metadata: &mut ObjectMeta) {
        metadata.annotations.get_or_insert_default().insert(SERVES_ANNOTATION.to_owned(), self.serves.clone());
    }

    /// Reports changes; failures are tried again, and say nothing.
    pub fn sightings(&self) -> impl Stream<Item = Sighting> + Send + use<> {
        let config = renewed(self.renewal).fields(&format!("metadata.name={}", self.name));
        watcher(self.api.clone(), config).default_backoff().map(|event| match event {
            Ok(Event::Apply(lease) | Event::InitApply(lease)) => Sighting::Lease(Box::new(lease)),
            Ok(Event::Delete(_)) => Sighting::Gone,
            Ok(Event::Init | Event::InitDone) => Sighting::Nothing,
            Err(error) => {
                tracing::debug!(error = plain_watch(&error), "watch of the lease failed; it is being restarted");
                Sighting::Nothing
            }
        })
    }

    async fn within<T>(&self, call: impl Future<Output = kube::Result<T>>) -> Result<T, LeaseTrouble> {
        match tokio::time::timeout(self.deadline, call).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(kube::Error::Api(status))) => Err(match status.code {
                409 => LeaseTrouble::Changed,
                // A replaced Lease that is gone has changed; a create answers so when its namespace is missing.
                404 if !status.message.contains("namespaces") => LeaseTrouble::Changed,
                400..=499 if status.code != 429 => LeaseTrouble::Refused(status.message.clone()),
                _ => LeaseTrouble::Unanswered(status.message.clone()),
            }),
            Ok(Err(error)) => Err(LeaseTrouble::Unanswered(plain(&error))),
            Err(_) => Err(LeaseTrouble::Unanswered(format!("none within {} ms", self.deadline.as_millis()))),
        }
    }
}

/// What the election needs to know of the object.
#[must_use]
pub fn lease_of(object: &KubeLease) -> Lease {
    let spec = object.spec.clone().unwrap_or_default();
    let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or_default();
    Lease {
        holder: spec.holder_identity.filter(|holder| !holder.is_empty()),
        duration: Duration::from_secs(seconds),
        acquired: spec.acquire_time.map(|at| at.0),
        transitions: spec.lease_transitions.unwrap_or_default(),
        version: object.resource_version().unwrap_or_default(),
    }
}

/// Times of day in it are for people; whole seconds are all that a Lease can say, so a part of one counts as one.
fn spec(before: LeaseSpec, bid: &Bid, now: Timestamp) -> LeaseSpec {
    let seconds = bid.duration.as_secs() + u64::from(bid.duration.subsec_nanos() > 0);
    LeaseSpec {
        holder_identity: Some(bid.holder.clone().unwrap_or_default()),
        lease_duration_seconds: Some(i32::try_from(seconds.max(1)).unwrap_or(i32::MAX)),
        acquire_time: Some(MicroTime(bid.acquired.unwrap_or(now))),
        renew_time: Some(MicroTime(now)),
        lease_transitions: Some(bid.transitions),
        ..before
    }
}
