//! Writes the results of calls into the ledger, for as long as it takes.
//!
//! A result that cannot be written at once is kept in memory and tried for ever, without keeping anybody's place in the
//! queue; the open attempt in the claim is the net under it. What the result means for a claim that has changed is decided
//! in `domain::entry`. Must never call MongoDB, and must never write but by compare-and-swap.

use super::cache::Cache;
use super::clock::Clock;
use super::cluster::{Cluster, ClusterError};
use super::settings::ControllerSettings;
use super::wakes::Wakes;
use crate::api::{InvitationClaim, InvitationClaimSpec};
use crate::domain::entry::{Entry, enter};
use crate::domain::key::claim_name;
use kube::runtime::reflector::ObjectRef;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;

/// A pass waits so long for its result to be written; then it goes on alone.
const PATIENCE: Duration = Duration::from_secs(5);
/// First wait after a write that failed; doubled up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Short enough for several tries within the grace of a process that is told to end.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A result that is to be written.
struct Result {
    /// The claim as it was acknowledged when the call was made.
    before: InvitationClaimSpec,
    /// What the call makes of it.
    after: InvitationClaimSpec,
}

/// Where results are written.
struct Ledger {
    cluster: Arc<dyn Cluster>,
    claims: Arc<Cache<InvitationClaim>>,
    clock: Arc<dyn Clock>,
    wakes: Arc<Wakes>,
    namespace: String,
}

/// Results on their way into the ledger.
pub struct Books {
    ledger: Arc<Ledger>,
    /// Ended with this value: a process that is gone writes nothing.
    unwritten: Mutex<JoinSet<()>>,
}

impl Books {
    /// Of the claims in the operator's namespace.
    #[must_use]
    pub fn new(
        cluster: Arc<dyn Cluster>,
        claims: Arc<Cache<InvitationClaim>>,
        clock: Arc<dyn Clock>,
        wakes: Arc<Wakes>,
        settings: &ControllerSettings,
    ) -> Self {
        let ledger = Arc::new(Ledger { cluster, claims, clock, wakes, namespace: settings.operator_namespace.clone() });
        Self { ledger, unwritten: Mutex::default() }
    }

    /// Writes what a call made of the claim `acknowledged`. Returns the claim as it then is; `None` when it is deleted, or
    /// when the result is not written yet and is tried on.
    pub async fn write(&self, acknowledged: InvitationClaim, after: InvitationClaimSpec) -> Option<InvitationClaim> {
        let result = Result { before: acknowledged.spec.clone(), after };
        let written = tokio::time::timeout(PATIENCE, Box::pin(self.ledger.write(&result, Some(acknowledged))));
        if let Ok(claim) = written.await {
            return claim;
        }
        tracing::warn!("the result of a call is not recorded yet; trying on");
        let ledger = Arc::clone(&self.ledger);
        let mut unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        while unwritten.try_join_next().is_some() {}
        unwritten.spawn(async move {
            // What was tried last may have been done: it is read first.
            let written = ledger.write(&result, None).await;
            tracing::info!("the result of a call is recorded at last");
            // The pass that made the call shows it no more.
            if let Some(owner) = written.and_then(|claim| claim.spec.owner) {
                ledger.wakes.invitation(&ObjectRef::new(&owner.name).within(&owner.namespace));
            }
        });
        None
    }

    /// Waits for the results that are not written yet, no longer than `grace`. What is not written then is found again by
    /// its attempt.
    pub async fn close(&self, grace: Duration) {
        let mut unwritten = std::mem::take(&mut *self.unwritten.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async { while unwritten.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, all).await.is_err() {
            tracing::warn!("ending with results that are not recorded: their attempts stay open");
        }
    }
}

impl Ledger {
    /// Tries until it is done; `seen` is the claim if it need not be read first.
    async fn write(&self, result: &Result, mut seen: Option<InvitationClaim>) -> Option<InvitationClaim> {
        let name = claim_name(&result.before.key);
        let mut pause = FIRST_PAUSE;
        loop {
            let tried = match seen.take() {
                Some(claim) => self.enter(&name, result, Some(claim)).await,
                None => match self.cluster.claim(&name).await {
                    Ok(live) => self.enter(&name, result, live).await,
                    Err(error) => Err(error),
                },
            };
            match tried {
                Ok(claim) => return claim,
                Err(error) => tracing::debug!(%error, "the result of a call is not recorded yet"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn enter(
        &self,
        name: &str,
        result: &Result,
        present: Option<InvitationClaim>,
    ) -> std::result::Result<Option<InvitationClaim>, ClusterError> {
        let reference = ObjectRef::new(name).within(&self.namespace);
        let now = self.clock.now();
        let spec = present.as_ref().map(|claim| &claim.spec);
        let written = match (enter(&result.before, &result.after, spec, now), present) {
            (Entry::Nothing, present) => present,
            (Entry::Replace(next), Some(present)) => Some(self.cluster.replace_claim(&present, &next).await?),
            (Entry::Create(next) | Entry::Replace(next), _) => Some(self.cluster.create_claim(name, &next).await?),
        };
        match &written {
            Some(claim) => self.claims.remember(reference, claim.clone()),
            None => self.claims.forget(&reference),
        }
        Ok(written)
    }
}

#[cfg(test)]
#[path = "books_tests.rs"]
mod tests;
