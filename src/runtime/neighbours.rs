//! Other instances of the operator in the same cluster.
//!
//! Each shows on its Lease whom it serves; no two may serve one namespace, because each would keep a ledger of its own. Owns
//! how an instance is told alive: its Lease has changed within its own duration, measured by this process's clock. Who shares
//! the Lease is no other instance. Must never write anything.

use crate::api::names::SERVES_ANNOTATION;
use crate::controller::kube_error::plain;
use crate::controller::settings::Namespaces;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// Looks for other instances.
pub struct Neighbours {
    leases: Api<Lease>,
    lease_name: String,
    namespace: String,
    serves: Namespaces,
    /// By uid: the version last seen, and when it was first seen.
    seen: HashMap<String, (String, Instant)>,
    warned: bool,
}

/// An instance that serves what this one is to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Namespace of its Lease.
    pub namespace: String,
    /// Whom it serves, as it says.
    pub serves: String,
    /// Whether its Lease is older than that of this instance.
    pub older: bool,
}

impl Neighbours {
    /// Of the instance with this Lease.
    #[must_use]
    pub fn new(client: Client, namespace: &str, lease_name: &str, serves: Namespaces) -> Self {
        let (namespace, lease_name) = (namespace.to_owned(), lease_name.to_owned());
        Self { leases: Api::all(client), lease_name, namespace, serves, seen: HashMap::new(), warned: false }
    }

    /// A living instance that serves what this one is to serve, if there is one. Who may not look is told so once, and goes
    /// on: the right is a convenience, the ledger's rules hold without it.
    ///
    /// # Errors
    /// When the API server does not answer.
    pub async fn look(&mut self) -> kube::Result<Option<Neighbour>> {
        // By field, so that the right to list can be limited to this name.
        let named = ListParams::default().fields(&format!("metadata.name={}", self.lease_name));
        match self.leases.list(&named).await {
            Ok(found) => Ok(self.judge(&found.items, Instant::now())),
            Err(kube::Error::Api(status)) if status.code == 403 => {
                if !self.warned {
                    self.warned = true;
                    let problem = plain(&kube::Error::Api(status));
                    tracing::warn!(problem, "cannot tell whether another instance serves the same namespaces");
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn judge(&mut self, leases: &[Lease], now: Instant) -> Option<Neighbour> {
        let own = leases.iter().find(|lease| lease.namespace().as_ref() == Some(&self.namespace)).map(age);
        let mut found = None;
        for lease in leases {
            let Some(serves) = lease.annotations().get(SERVES_ANNOTATION) else { continue };
            let other = lease.namespace().unwrap_or_default();
            if other == self.namespace
                || !Namespaces::from_text(serves).overlap(&self.serves)
                || !self.lives(lease, now)
            {
                continue;
            }
            let older = own.as_ref().is_none_or(|own| age(lease) < *own);
            found = Some(Neighbour { namespace: other, serves: serves.clone(), older });
        }
        found
    }

    /// A Lease that was just seen for the first time is taken for one of the living.
    fn lives(&mut self, lease: &Lease, now: Instant) -> bool {
        let Some(spec) = &lease.spec else { return false };
        if spec.holder_identity.as_deref().unwrap_or_default().is_empty() {
            return false;
        }
        let version = lease.resource_version().unwrap_or_default();
        let since = match self.seen.get(&lease.uid().unwrap_or_default()) {
            Some((seen, since)) if *seen == version => *since,
            Some(_) | None => {
                self.seen.insert(lease.uid().unwrap_or_default(), (version, now));
                now
            }
        };
        let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or_default();
        now.duration_since(since) < Duration::from_secs(seconds)
    }
}

/// Comparable between Leases: the API server's own time, and a name where that is equal.
fn age(lease: &Lease) -> (Option<jiff::Timestamp>, String) {
    (lease.creation_timestamp().map(|time| time.0), lease.namespace().unwrap_or_default())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lease(namespace: &str, version: &str, serves: &str, created: &str) -> Lease {
        serde_json::from_value(json!({
            "metadata": {
                "name": "invitation-operator", "namespace": namespace, "uid": namespace, "resourceVersion": version,
                "creationTimestamp": created, "annotations": { SERVES_ANNOTATION: serves },
            },
            "spec": { "holderIdentity": "somebody", "leaseDurationSeconds": 15 },
        }))
        .unwrap()
    }

    fn neighbours(serves: &str) -> Neighbours {
        let config = kube::Config::new("http://127.0.0.1:1".parse().unwrap());
        let client = Client::try_from(config).unwrap();
        Neighbours::new(client, "own", "invitation-operator", Namespaces::from_text(serves))
    }

    const EARLY: &str = "2026-01-01T00:00:00Z";
    const LATE: &str = "2026-01-02T00:00:00Z";

    #[tokio::test]
    async fn an_instance_counts_that_serves_the_same_and_lives() {
        let start = Instant::now();
        let found = |serves, leases: &[Lease]| neighbours(serves).judge(leases, start).map(|found| found.namespace);
        assert_eq!(found("*", &[lease("other", "1", "a", EARLY)]), Some("other".to_owned()));
        assert_eq!(found("a,b", &[lease("other", "1", "b", EARLY)]), Some("other".to_owned()));
        assert_eq!(found("a", &[lease("other", "1", "b", EARLY)]), None);
        assert_eq!(found("a", &[lease("own", "1", "a", EARLY)]), None, "replicas share a Lease");
        let mut given_back = lease("other", "1", "a", EARLY);
        given_back.spec.as_mut().unwrap().holder_identity = Some(String::new());
        assert_eq!(found("a", &[given_back]), None);
    }

    #[tokio::test]
    async fn a_lease_that_nobody_renews_for_its_duration_is_of_the_dead() {
        let (start, mut neighbours) = (Instant::now(), neighbours("a"));
        let after = |seconds| start + Duration::from_secs(seconds);
        let (first, renewed) = (lease("other", "1", "a", EARLY), lease("other", "2", "a", EARLY));
        assert!(neighbours.judge(std::slice::from_ref(&first), start).is_some());
        assert!(neighbours.judge(std::slice::from_ref(&renewed), after(14)).is_some());
        assert!(neighbours.judge(std::slice::from_ref(&renewed), after(28)).is_some());
        assert!(neighbours.judge(std::slice::from_ref(&renewed), after(29)).is_none());
    }

    #[tokio::test]
    async fn of_two_that_began_together_the_older_lease_stays() {
        let start = Instant::now();
        let older = |leases: &[Lease]| neighbours("a").judge(leases, start).unwrap().older;
        assert!(older(&[lease("own", "1", "a", LATE), lease("other", "1", "a", EARLY)]));
        assert!(!older(&[lease("own", "1", "a", EARLY), lease("other", "1", "a", LATE)]));
        assert!(older(&[lease("own", "1", "a", EARLY), lease("other", "1", "a", EARLY)]), "by name: other < own");
        assert!(older(&[lease("other", "1", "a", EARLY)]), "without a Lease of its own an instance is the youngest");
    }
}
