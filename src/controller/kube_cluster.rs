//! [`Cluster`] over the Kubernetes API.
//!
//! Owns how each write is made safe: compare-and-swap by resourceVersion for claims, a uid test for everything on users'
//! objects, a deadline for all. So many requests are out at a time, in turns by namespace: more would only wait for each
//! other at the API server, and a crowd's before anybody else's. Must never decide anything.

use super::cluster::{Cluster, ClusterError, Notice, claim_object, label_owner};
use super::kube_error::plain;
use super::notices::Notices;
use super::owned::Owned;
use super::places::Places;
use crate::api::names::{CONTROLLER, FINALIZER, GROUP, VERSION};
use crate::api::{InvitationClaim, InvitationClaimSpec, ProjectInvitation, ProjectInvitationStatus};
use futures::FutureExt;
use futures::future::BoxFuture;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::runtime::events::{Event, EventType};
use kube::{Client, Resource, ResourceExt};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// No read or write takes longer: a pass must not sit on a dead connection while its attempt's time runs.
const DEADLINE: Duration = Duration::from_secs(10);
/// So many requests at a time keep an API server busy.
const AT_ONCE: u16 = 8;

/// Reads and writes through one client.
#[derive(Clone)]
pub struct KubeCluster {
    client: Client,
    operator_namespace: String,
    notices: Arc<Notices>,
    owned: Arc<Owned>,
    turns: Arc<Places>,
}

impl KubeCluster {
    /// Claims live in `operator_namespace`.
    #[must_use]
    pub fn new(client: Client, operator_namespace: &str) -> Self {
        Self {
            notices: Arc::new(Notices::new(client.clone())),
            client,
            operator_namespace: operator_namespace.to_owned(),
            owned: Arc::default(),
            turns: Places::new(AT_ONCE),
        }
    }

    /// Makes a call in its namespace's turn; the deadline begins before it.
    async fn in_turn<T>(
        &self,
        namespace: Option<&str>,
        call: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, ClusterError> {
        within(async {
            let _turn = self.turns.take(namespace.unwrap_or_default()).await;
            call.await
        })
        .await
    }

    fn invitations(&self, namespace: &str) -> Api<ProjectInvitation> {
        Api::namespaced(self.client.clone(), namespace)
    }

    fn of(&self, object: &ProjectInvitation) -> Api<ProjectInvitation> {
        self.invitations(&object.namespace().unwrap_or_default())
    }

    fn claims(&self) -> Api<InvitationClaim> {
        Api::namespaced(self.client.clone(), &self.operator_namespace)
    }
}

/// Runs a call under the deadline and names what went wrong.
pub(super) async fn within<T>(call: impl Future<Output = kube::Result<T>>) -> Result<T, ClusterError> {
    match tokio::time::timeout(DEADLINE, call).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(classify(&error)),
        Err(_) => Err(ClusterError::Unanswered(format!("none within {} s", DEADLINE.as_secs()))),
    }
}

fn classify(error: &kube::Error) -> ClusterError {
    let kube::Error::Api(status) = error else { return ClusterError::Unanswered(plain(error)) };
    match status.code {
        404 => ClusterError::Gone,
        // 422 is how a JSON patch reports that its test failed.
        409 | 422 => ClusterError::Conflict,
        500.. => ClusterError::Unanswered(status.message.clone()),
        _ => ClusterError::Refused(status.message.clone()),
    }
}

impl Cluster for KubeCluster {
    fn invitation<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<ProjectInvitation>, ClusterError>> {
        async move { self.in_turn(Some(namespace), self.invitations(namespace).get_opt(name)).await }.boxed()
    }

    fn claim<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<InvitationClaim>, ClusterError>> {
        async move { self.in_turn(None, self.claims().get_opt(name)).await }.boxed()
    }

    fn claims_of<'a>(&'a self, owner_uid: &'a str) -> BoxFuture<'a, Result<Vec<InvitationClaim>, ClusterError>> {
        async move { self.owned.claims_of(&self.claims(), owner_uid).await }.boxed()
    }

    fn create_claim<'a>(
        &'a self,
        name: &'a str,
        spec: &'a InvitationClaimSpec,
    ) -> BoxFuture<'a, Result<InvitationClaim, ClusterError>> {
        async move {
            let claim = untracked(claim_object(name, spec));
            self.in_turn(owner(spec), self.claims().create(&post(), &claim)).await
        }
        .boxed()
    }

    fn replace_claim<'a>(
        &'a self,
        seen: &'a InvitationClaim,
        spec: &'a InvitationClaimSpec,
    ) -> BoxFuture<'a, Result<InvitationClaim, ClusterError>> {
        async move {
            let mut next = untracked(seen.clone());
            next.spec = spec.clone();
            label_owner(&mut next);
            self.in_turn(owner(spec), self.claims().replace(&seen.name_any(), &post(), &next)).await
        }
        .boxed()
    }

    fn delete_claim<'a>(&'a self, seen: &'a InvitationClaim) -> BoxFuture<'a, Result<(), ClusterError>> {
        async move {
            let unchanged = Preconditions { uid: seen.uid(), resource_version: seen.resource_version() };
            let params = DeleteParams { preconditions: Some(unchanged), ..DeleteParams::default() };
            match self.in_turn(owner(&seen.spec), self.claims().delete(&seen.name_any(), &params)).await {
                Ok(_) | Err(ClusterError::Gone) => Ok(()),
                Err(error) => Err(error),
            }
        }
        .boxed()
    }

    fn add_finalizer<'a>(
        &'a self,
        object: &'a ProjectInvitation,
    ) -> BoxFuture<'a, Result<ProjectInvitation, ClusterError>> {
        async move {
            // Applied, not patched: the API server merges finalizers of several owners. With a uid it creates nothing.
            let patch = json!({
                "apiVersion": format!("{GROUP}/{VERSION}"),
                "kind": "ProjectInvitation",
                "metadata": {
                    "name": object.name_any(),
                    "namespace": object.namespace(),
                    "uid": object.uid(),
                    "finalizers": [FINALIZER],
                },
            });
            let params = PatchParams::apply(CONTROLLER).force();
            let patch = Patch::Apply(patch);
            self.in_turn(namespace(object), self.of(object).patch(&object.name_any(), &params, &patch)).await
        }
        .boxed()
    }

    fn remove_finalizer<'a>(&'a self, object: &'a ProjectInvitation) -> BoxFuture<'a, Result<(), ClusterError>> {
        async move {
            let Some(index) = object.finalizers().iter().position(|finalizer| finalizer == FINALIZER) else {
                return Ok(());
            };
            let entry = format!("/metadata/finalizers/{index}");
            let patch = json!([
                { "op": "test", "path": "/metadata/uid", "value": object.uid() },
                { "op": "test", "path": entry, "value": FINALIZER },
                { "op": "remove", "path": entry },
            ]);
            let (params, patch) = (params(), json_patch(patch)?);
            match self.in_turn(namespace(object), self.of(object).patch(&object.name_any(), &params, &patch)).await {
                Ok(_) | Err(ClusterError::Gone) => Ok(()),
                Err(error) => Err(error),
            }
        }
        .boxed()
    }

    fn write_status<'a>(
        &'a self,
        object: &'a ProjectInvitation,
        status: &'a ProjectInvitationStatus,
    ) -> BoxFuture<'a, Result<ProjectInvitation, ClusterError>> {
        async move {
            let patch = json!([
                { "op": "test", "path": "/metadata/uid", "value": object.uid() },
                { "op": "add", "path": "/status", "value": status },
            ]);
            let (params, patch) = (params(), json_patch(patch)?);
            self.in_turn(namespace(object), self.of(object).patch_status(&object.name_any(), &params, &patch)).await
        }
        .boxed()
    }

    fn publish<'a>(&'a self, object: &'a ProjectInvitation, notice: &'a Notice) -> BoxFuture<'a, ()> {
        async move {
            let event = Event {
                type_: if notice.warning { EventType::Warning } else { EventType::Normal },
                reason: notice.reason.as_str().to_owned(),
                note: Some(notice.note.clone()),
                action: "Reconcile".to_owned(),
                secondary: None,
            };
            let (recorder, about) = (self.notices.recorder(), object.object_ref(&()));
            let published = Box::pin(recorder.publish(&event, &about));
            let published = self.in_turn(namespace(object), published).await;
            // Events are refused in a namespace that is being deleted, and nothing rests on them.
            if let Err(error) = published {
                tracing::debug!(%error, "event not published");
            }
        }
        .boxed()
    }
}

/// Nobody applies claims, so nobody needs to know which of their fields is whose: to keep that would be two fifths of what
/// writing one costs the API server. One empty entry is how Kubernetes is told so.
fn untracked(mut claim: InvitationClaim) -> InvitationClaim {
    claim.metadata.managed_fields = Some(vec![ManagedFieldsEntry::default()]);
    claim
}

fn namespace(object: &ProjectInvitation) -> Option<&str> {
    object.metadata.namespace.as_deref()
}

fn owner(claim: &InvitationClaimSpec) -> Option<&str> {
    claim.owner.as_ref().map(|owner| owner.namespace.as_str())
}

fn post() -> PostParams {
    PostParams { field_manager: Some(CONTROLLER.to_owned()), ..PostParams::default() }
}

fn params() -> PatchParams {
    PatchParams { field_manager: Some(CONTROLLER.to_owned()), ..PatchParams::default() }
}

fn json_patch(operations: serde_json::Value) -> Result<Patch<()>, ClusterError> {
    serde_json::from_value(operations).map(Patch::Json).map_err(|error| ClusterError::Refused(error.to_string()))
}
