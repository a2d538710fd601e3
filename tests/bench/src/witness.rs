//! Sees when each object reaches a phase, by a watch of its own.

use crate::team::Person;
use anyhow::{Result, bail};
use futures::StreamExt;
use invitation_operator::api::ProjectInvitation;
use kube::api::{Api, ApiResource, NotUsed, Object};
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, Resource, ResourceExt};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// The one field that is looked at.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Seen {
    phase: Option<String>,
}

/// Names of objects, each with the moments at which it was first seen in a phase.
type Moments = HashMap<(String, String), HashMap<String, Instant>>;

/// A watch over all invitations.
pub(crate) struct Witness {
    moments: Arc<Mutex<Moments>>,
    news: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Witness {
    /// Begins to watch.
    pub(crate) fn watch(client: &Client) -> Self {
        let kind = ApiResource {
            group: ProjectInvitation::group(&()).into_owned(),
            version: ProjectInvitation::version(&()).into_owned(),
            api_version: ProjectInvitation::api_version(&()).into_owned(),
            kind: ProjectInvitation::kind(&()).into_owned(),
            plural: ProjectInvitation::plural(&()).into_owned(),
        };
        let objects: Api<Object<NotUsed, Seen>> = Api::all_with(client.clone(), &kind);
        let (moments, news) = (Arc::<Mutex<Moments>>::default(), Arc::<Notify>::default());
        let (kept, told) = (Arc::clone(&moments), Arc::clone(&news));
        let task = tokio::spawn(async move {
            let mut events = watcher(objects, watcher::Config::default()).boxed();
            while let Some(event) = events.next().await {
                let Ok(Event::Apply(object) | Event::InitApply(object)) = event else { continue };
                let name = (object.namespace().unwrap_or_default(), object.name_any());
                let Some(phase) = object.status.and_then(|status| status.phase) else { continue };
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.entry(name).or_default().entry(phase).or_insert_with(Instant::now);
                told.notify_waiters();
            }
        });
        Self { moments, news, task }
    }

    /// When this person's object was seen in the phase, if it was.
    pub(crate) fn when(&self, person: &Person, phase: &str) -> Option<Instant> {
        let moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        moments.get(&(person.namespace.clone(), person.name.clone()))?.get(phase).copied()
    }

    /// How many of these people's objects were seen in the phase.
    pub(crate) fn count(&self, people: &[Person], phase: &str) -> usize {
        people.iter().filter(|person| self.when(person, phase).is_some()).count()
    }

    /// Waits until all of them were, no longer than `limit`; returns how many were not.
    pub(crate) async fn until_all(&self, people: &[Person], phase: &str, limit: Duration) -> usize {
        let looking = async {
            // Those who are there stay there, so each is looked for until it is found, and never again.
            for person in people {
                loop {
                    let told = self.news.notified();
                    if self.when(person, phase).is_some() {
                        break;
                    }
                    told.await;
                }
            }
        };
        match tokio::time::timeout(limit, looking).await {
            Ok(()) => 0,
            Err(_) => people.len() - self.count(people, phase),
        }
    }

    /// Waits for one.
    pub(crate) async fn until(&self, person: &Person, phase: &str, limit: Duration) -> Result<Instant> {
        let people = std::slice::from_ref(person);
        match (self.until_all(people, phase, limit).await, self.when(person, phase)) {
            (0, Some(when)) => Ok(when),
            _ => bail!("{} is not {phase} within {} s", person.username, limit.as_secs()),
        }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.task.abort();
    }
}
