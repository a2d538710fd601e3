//! Awaiting what is to come, with everything that helps to understand when it does not.

use super::sight::inviter_ready;
use super::world::World;
use atlas_sim::{Endpoint, Simulator, Span};
use invitation_operator::api::{InvitationClaim, Inviter, ProjectInvitation, Reason};
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, ListParams};
use kube::runtime::conditions;
use kube::runtime::wait::{Condition, await_condition};
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::time::Duration;
use tokio::time::error::Elapsed;

/// Generous: a test fails by what is seen, not by how slow a machine is.
pub const LIMIT: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(100);

/// Awaits a condition of an object that need not be there yet.
pub async fn object<K>(api: Api<K>, name: &str, what: &str, holds: impl Fn(&K) -> bool + Send) -> K
where
    K: Clone + Debug + Send + DeserializeOwned + Serialize + Resource<DynamicType = ()> + 'static,
{
    let condition = |object: Option<&K>| object.is_some_and(&holds);
    match watched(&api, name, condition).await {
        Ok(Some(object)) => object,
        Ok(None) => panic!("{name}: waiting for {what}: it is not there"),
        Err(_) => {
            let found = api.get_opt(name).await;
            let found = match &found {
                Ok(Some(object)) => serde_saphyr::to_string(object).unwrap_or_default(),
                other => format!("{other:?}"),
            };
            panic!("{name}: still not {what}. It is:\n{found}")
        }
    }
}

/// What fulfils a condition, if the time suffices. A watch that fails tells nothing of the object and is begun anew.
async fn watched<K>(api: &Api<K>, name: &str, holds: impl Condition<K>) -> Result<Option<K>, Elapsed>
where
    K: Clone + Debug + Send + DeserializeOwned + Resource + 'static,
{
    let holds = |object: Option<&K>| holds.matches_object(object);
    let watching = async {
        loop {
            match await_condition(api.clone(), name, &holds).await {
                Ok(object) => return object,
                Err(_) => tokio::time::sleep(GLANCE).await,
            }
        }
    };
    tokio::time::timeout(LIMIT, watching).await
}

impl World {
    /// Awaits a condition of an invitation.
    pub async fn until(
        &self,
        name: &str,
        what: &str,
        holds: impl Fn(&ProjectInvitation) -> bool + Send,
    ) -> ProjectInvitation {
        object(self.invitations(), name, what, holds).await
    }

    /// Awaits an invitation's end.
    pub async fn until_gone(&self, invitation: &ProjectInvitation) {
        let name = invitation.name_any();
        let uid = invitation.uid().unwrap();
        if watched(&self.invitations(), &name, conditions::is_deleted(&uid)).await.is_err() {
            let found = self.invitations().get_opt(&name).await;
            panic!("{name} is still there:\n{}", serde_saphyr::to_string(&found.unwrap()).unwrap_or_default());
        }
    }

    /// Awaits the reason of an inviter's `Ready`; returns the message.
    pub async fn until_inviter(&self, name: &str, reason: Reason) -> String {
        let inviters: Api<Inviter> = Api::namespaced(self.client.clone(), &self.namespace);
        let found = object(inviters, name, reason.as_str(), |inviter| {
            inviter_ready(inviter).is_some_and(|ready| ready.reason == reason.as_str())
        })
        .await;
        inviter_ready(&found).unwrap().message.clone()
    }

    /// Awaits an event about an object; returns its note.
    pub async fn until_event(&self, name: &str, reason: Reason) -> String {
        let events: Api<Event> = Api::namespaced(self.client.clone(), &self.namespace);
        let mut note = None;
        let found = poll(async || {
            let list = events.list(&ListParams::default()).await.unwrap();
            let about = |event: &&Event| {
                event.reason.as_deref() == Some(reason.as_str())
                    && event.regarding.as_ref().and_then(|object| object.name.as_deref()) == Some(name)
            };
            note = list.items.iter().find(about).map(|event| event.note.clone().unwrap_or_default());
            note.is_some()
        });
        assert!(found.await, "no event {} about {name}", reason.as_str());
        note.unwrap()
    }

    /// Awaits a condition of the simulator.
    pub async fn until_sim(&self, what: &str, holds: impl Fn(&Simulator) -> bool) {
        let limit = Span::from(LIMIT);
        assert!(self.sim.wait_until(limit, holds).await, "the simulator still does not show: {what}");
    }

    /// Awaits this many more looks at a project that are over. Members are read by some of them only, and then before the
    /// next list of invitations.
    pub async fn looks(&self, project: &str, more: usize) {
        let listed = |sim: &Simulator| {
            let requests = sim.requests();
            requests
                .iter()
                .filter(|request| {
                    request.endpoint == Endpoint::ListGroupInvites
                        && request.project.as_deref() == Some(project)
                        && request.finished
                        && !request.challenged
                })
                .count()
        };
        // A look that is under way began before now and counts for nothing; one is over when the next has begun.
        let before = listed(&self.sim) + 2;
        self.until_sim("more looks", |sim| listed(sim) >= before + more).await;
    }

    /// The claims of this test's operator.
    pub async fn claims(&self) -> Vec<InvitationClaim> {
        self.claim_api().list(&ListParams::default()).await.unwrap().items
    }

    /// The one claim.
    pub async fn claim(&self) -> InvitationClaim {
        let claims = self.claims().await;
        assert_eq!(claims.len(), 1, "{claims:#?}");
        claims.into_iter().next().unwrap()
    }

    /// Awaits a condition of the claims.
    pub async fn until_claims(&self, what: &str, holds: impl Fn(&[InvitationClaim]) -> bool) {
        let found = poll(async || holds(&self.claims().await)).await;
        assert!(found, "the claims still do not show: {what}. They are:\n{:#?}", self.claims().await);
    }

    /// Awaits a line of the operator's log.
    pub async fn until_logged(&self, part: &str) {
        assert!(poll(async || self.log().contains(part)).await, "the operator does not log {part:?}");
    }
}

/// Looks again and again until it holds; `false` when the time is over.
pub async fn poll(mut holds: impl AsyncFnMut() -> bool) -> bool {
    let looking = async {
        while !holds().await {
            tokio::time::sleep(GLANCE).await;
        }
    };
    tokio::time::timeout(LIMIT, looking).await.is_ok()
}
