//! Kubernetes in memory, for tests of what the pass does with it: objects, claims, and a server that can be silent.
//!
//! Must never be laxer than the API server: a replaced claim must be the version that was seen.

#![allow(clippy::unwrap_used, clippy::panic)]

use super::cache::Cache;
use super::cluster::{Cluster, ClusterError, Notice, claim_object};
use super::wakes::Wakes;
use crate::api::{InvitationClaim, InvitationClaimSpec, ProjectInvitation, ProjectInvitationStatus};
use crate::domain::key::claim_name;
use futures::FutureExt;
use futures::future::BoxFuture;
use kube::ResourceExt;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

type Answer<T> = Result<T, ClusterError>;

/// A server of one namespace.
pub(crate) struct Server {
    objects: Mutex<BTreeMap<String, ProjectInvitation>>,
    claims: Mutex<BTreeMap<String, InvitationClaim>>,
    versions: Mutex<u32>,
    silent_until: Instant,
    /// Every answer takes so long.
    delay: Duration,
    /// Questions for the claims of an owner so far.
    questions: AtomicUsize,
}

impl Server {
    /// One that answers nothing for a while.
    pub(crate) fn silent_for(time: Duration) -> Self {
        Self {
            objects: Mutex::default(),
            claims: Mutex::default(),
            versions: Mutex::new(1),
            silent_until: Instant::now() + time,
            delay: Duration::ZERO,
            questions: AtomicUsize::new(0),
        }
    }

    /// Holds this claim from now on.
    pub(crate) fn with_claim(self, spec: &InvitationClaimSpec) -> Self {
        let name = claim_name(&spec.key);
        self.store(claim_object(&name, spec));
        self
    }

    /// Holds this object from now on.
    pub(crate) fn with_object(self, object: ProjectInvitation) -> Self {
        self.objects.lock().unwrap().insert(object.name_any(), object);
        self
    }

    /// Takes so long for every answer.
    pub(crate) fn slow(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// What it holds of a key.
    pub(crate) fn claim_of(&self, spec: &InvitationClaimSpec) -> Option<InvitationClaim> {
        self.claims.lock().unwrap().get(&claim_name(&spec.key)).cloned()
    }

    /// All claims.
    pub(crate) fn all_claims(&self) -> Vec<InvitationClaim> {
        self.claims.lock().unwrap().values().cloned().collect()
    }

    /// How often the claims of an owner were asked for.
    pub(crate) fn questions(&self) -> usize {
        self.questions.load(Ordering::Relaxed)
    }

    fn next_version(&self) -> String {
        let mut version = self.versions.lock().unwrap();
        *version += 1;
        version.to_string()
    }

    fn store(&self, mut claim: InvitationClaim) -> InvitationClaim {
        claim.metadata.resource_version = Some(self.next_version());
        self.claims.lock().unwrap().insert(claim.name_any(), claim.clone());
        claim
    }

    async fn answers(&self) -> Answer<()> {
        tokio::time::sleep(self.delay).await;
        let silent = Instant::now() < self.silent_until;
        if silent { Err(ClusterError::Unanswered("down".to_owned())) } else { Ok(()) }
    }
}

impl Cluster for Server {
    fn invitation<'a>(&'a self, _: &'a str, name: &'a str) -> BoxFuture<'a, Answer<Option<ProjectInvitation>>> {
        async move {
            self.answers().await?;
            Ok(self.objects.lock().unwrap().get(name).cloned())
        }
        .boxed()
    }

    fn claim<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Answer<Option<InvitationClaim>>> {
        async move {
            self.answers().await?;
            Ok(self.claims.lock().unwrap().get(name).cloned())
        }
        .boxed()
    }

    fn claims_of<'a>(&'a self, uid: &'a str) -> BoxFuture<'a, Answer<Vec<InvitationClaim>>> {
        async move {
            self.questions.fetch_add(1, Ordering::Relaxed);
            self.answers().await?;
            let owned = |claim: &InvitationClaim| claim.spec.owner.as_ref().is_some_and(|owner| owner.uid == uid);
            Ok(self.all_claims().into_iter().filter(owned).collect())
        }
        .boxed()
    }

    fn create_claim<'a>(
        &'a self,
        name: &'a str,
        spec: &'a InvitationClaimSpec,
    ) -> BoxFuture<'a, Answer<InvitationClaim>> {
        async move {
            self.answers().await?;
            if self.claims.lock().unwrap().contains_key(name) {
                return Err(ClusterError::Conflict);
            }
            Ok(self.store(claim_object(name, spec)))
        }
        .boxed()
    }

    fn replace_claim<'a>(
        &'a self,
        seen: &'a InvitationClaim,
        spec: &'a InvitationClaimSpec,
    ) -> BoxFuture<'a, Answer<InvitationClaim>> {
        async move {
            self.answers().await?;
            let name = seen.name_any();
            match self.claims.lock().unwrap().get(&name) {
                None => return Err(ClusterError::Gone),
                Some(present) if present.resource_version() != seen.resource_version() => {
                    return Err(ClusterError::Conflict);
                }
                Some(_) => {}
            }
            Ok(self.store(claim_object(&name, spec)))
        }
        .boxed()
    }

    fn delete_claim<'a>(&'a self, seen: &'a InvitationClaim) -> BoxFuture<'a, Answer<()>> {
        async move {
            self.answers().await?;
            self.claims.lock().unwrap().remove(&seen.name_any());
            Ok(())
        }
        .boxed()
    }

    fn add_finalizer<'a>(&'a self, object: &'a ProjectInvitation) -> BoxFuture<'a, Answer<ProjectInvitation>> {
        async move { self.answers().await.map(|()| object.clone()) }.boxed()
    }

    fn remove_finalizer<'a>(&'a self, _: &'a ProjectInvitation) -> BoxFuture<'a, Answer<()>> {
        self.answers().boxed()
    }

    fn write_status<'a>(
        &'a self,
        object: &'a ProjectInvitation,
        status: &'a ProjectInvitationStatus,
    ) -> BoxFuture<'a, Answer<ProjectInvitation>> {
        async move {
            self.answers().await?;
            let mut written = ProjectInvitation { status: Some(status.clone()), ..object.clone() };
            written.metadata.resource_version = Some(self.next_version());
            self.objects.lock().unwrap().insert(object.name_any(), written.clone());
            Ok(written)
        }
        .boxed()
    }

    fn publish<'a>(&'a self, _: &'a ProjectInvitation, _: &'a Notice) -> BoxFuture<'a, ()> {
        async {}.boxed()
    }
}

/// Wakes that nobody hears.
pub(crate) fn unheard() -> Arc<Wakes> {
    Arc::new(Wakes::new(Arc::new(Cache::default()), Arc::default()).0)
}

/// For `Arc<dyn Cluster>`.
pub(crate) fn shared(server: &Arc<Server>) -> Arc<dyn Cluster> {
    Arc::<Server>::clone(server)
}
