//! Releases the finalizer's PATCH and the object's DELETE together.
//!
//! Owns one race per person: the first PATCH that would add the operator's finalizer to one of the person's objects waits
//! for the DELETE of the same object. Must never hold anything else.

use crate::kind::Kind;
use crate::relay::{Call, Onward, Tap};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::StatusCode;
use invitation_operator::api::ProjectInvitation;
use kube::api::{Api, DeleteParams};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Either of the two may be held so much longer than the other.
const SPREAD_MICROS: u64 = 1_500;

/// How a race stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Race {
    /// The objects of one person: the one whose finalizer comes first is raced.
    names: Vec<String>,
    /// The one that is raced, once the two were released.
    pub(super) raced: Option<String>,
    /// Whether the API server said that the finalizer is there.
    pub(super) acknowledged: Option<bool>,
    /// Whether the API server said that the object is gone.
    pub(super) gone: Option<bool>,
}

impl Race {
    /// Whether both have been answered.
    pub(super) fn is_run(&self) -> bool {
        self.acknowledged.is_some() && self.gone.is_some()
    }

    /// The finalizer was acknowledged, and the object gone all the same.
    pub(super) fn is_lost(&self) -> bool {
        self.acknowledged == Some(true) && self.gone == Some(true)
    }
}

/// Starts races.
pub(super) struct Gun {
    invitations: Api<ProjectInvitation>,
    races: Arc<Mutex<Vec<Race>>>,
}

impl Gun {
    /// Deletes through `invitations`, over connections that the operator does not use.
    pub(super) fn new(invitations: Api<ProjectInvitation>) -> Self {
        Self { invitations, races: Arc::default() }
    }

    /// One of these objects, whichever comes first, is to be raced.
    pub(super) fn load(&self, names: Vec<String>) {
        lock(&self.races).push(Race { names, ..Race::default() });
    }

    /// How the race of this object stands.
    pub(super) fn race(&self, name: &str) -> Race {
        find(&mut lock(&self.races), name).cloned().unwrap_or_default()
    }

    /// Whether this object's finalizer begins a race now.
    fn begins(&self, name: &str) -> bool {
        let mut races = lock(&self.races);
        let race = find(&mut races, name).filter(|race| race.raced.is_none());
        race.map(|race| race.raced = Some(name.to_owned())).is_some()
    }

    /// Deletes the object, at once or a little later.
    fn delete(&self, name: &str, after: Duration) {
        let (invitations, races, name) = (self.invitations.clone(), Arc::clone(&self.races), name.to_owned());
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let gone = is_gone(&invitations, &name).await;
            if let Some(race) = find(&mut lock(&races), &name) {
                race.gone = Some(gone);
            }
        });
    }
}

fn lock(races: &Mutex<Vec<Race>>) -> MutexGuard<'_, Vec<Race>> {
    races.lock().unwrap_or_else(PoisonError::into_inner)
}

fn find<'a>(races: &'a mut [Race], name: &str) -> Option<&'a mut Race> {
    races.iter_mut().rev().find(|race| race.names.iter().any(|known| known == name))
}

/// Deletes, and tells whether the object went away at once; tried until the API server answers.
async fn is_gone(invitations: &Api<ProjectInvitation>, name: &str) -> bool {
    loop {
        match invitations.delete(name, &DeleteParams::default()).await {
            // An object that is held is answered with; one that is gone, with a status.
            Ok(answer) => return answer.right().is_some(),
            Err(kube::Error::Api(status)) if status.code == 404 => return true,
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

impl Tap for Gun {
    fn arrived<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Onward> {
        async move {
            if let Some(name) = finalized(call).filter(|name| self.begins(name)) {
                let spread = Duration::from_micros(rand::random_range(0..SPREAD_MICROS));
                let (patch, delete) = if rand::random() { (spread, Duration::ZERO) } else { (Duration::ZERO, spread) };
                self.delete(name, delete);
                tokio::time::sleep(patch).await;
            }
            Onward::Pass
        }
        .boxed()
    }

    fn answered<'a>(&'a self, call: &'a Call, status: StatusCode) -> BoxFuture<'a, Onward> {
        if let Some(name) = finalized(call) {
            let mut races = lock(&self.races);
            if let Some(race) = find(&mut races, name).filter(|race| race.raced.as_deref() == Some(name)) {
                race.acknowledged.get_or_insert(status.is_success());
            }
        }
        async { Onward::Pass }.boxed()
    }
}

/// The object to which this call adds the operator's finalizer.
fn finalized(call: &Call) -> Option<&str> {
    (Kind::of_cluster(call) == Kind::AddFinalizer).then(|| call.path.rsplit('/').next()).flatten()
}
