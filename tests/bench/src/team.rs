//! Those who invite: namespaces with an inviter, its credentials and their projects, and the objects for their people.
//!
//! Must never give two people one address.

use crate::stage::Stage;
use anyhow::{Context, Result};
use atlas_sim::{CredentialSeed, ProjectSeed};
use futures::{StreamExt, TryStreamExt, stream};
use invitation_operator::api::{Inviter, ProjectInvitation};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{Api, PostParams};
use kube::runtime::wait::await_condition;
use serde_json::json;
use std::time::{Duration, Instant};

/// MongoDB takes no more people in a project, invited ones included.
pub(crate) const PEOPLE_PER_PROJECT: usize = 500;
/// Objects are created over so many connections.
const CREATORS: usize = 32;
const INVITER: &str = "atlas";

/// How an inviter proves who it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// A service account, OAuth 2.0.
    ServiceAccount,
    /// An API key, HTTP digest.
    ApiKey,
}

/// A namespace with an inviter.
pub(crate) struct Team {
    pub(crate) namespace: String,
    /// The first is for the first 500 people, and so on.
    pub(crate) projects: Vec<String>,
}

impl Team {
    /// Makes a team that can invite so many people.
    pub(crate) async fn form(stage: &Stage, namespace: &str, people: usize, credentials: Credentials) -> Result<Self> {
        let projects: Vec<_> = (0..people.div_ceil(PEOPLE_PER_PROJECT).max(1))
            .map(|number| stage.simulator.seed_project(ProjectSeed::atlas(&format!("{namespace}-{number}"))))
            .collect();
        let seed = match credentials {
            Credentials::ServiceAccount => CredentialSeed::service_account(),
            Credentials::ApiKey => CredentialSeed::api_key(),
        };
        let seed = projects.iter().fold(seed, |seed, project| seed.grant(project, ["GROUP_OWNER"]));
        let credential = stage.simulator.seed_credential(seed);
        let made: Namespace = serde_json::from_value(json!({ "metadata": { "name": namespace } }))?;
        Api::all(stage.client.clone()).create(&PostParams::default(), &made).await?;
        let keys = match credentials {
            Credentials::ServiceAccount => json!({ "clientId": credential.id, "clientSecret": credential.secret }),
            Credentials::ApiKey => json!({ "publicApiKey": credential.id, "privateApiKey": credential.secret }),
        };
        let secret: Secret = serde_json::from_value(json!({ "metadata": { "name": INVITER }, "stringData": keys }))?;
        Api::namespaced(stage.client.clone(), namespace).create(&PostParams::default(), &secret).await?;
        let inviter: Inviter = serde_json::from_value(json!({
            "apiVersion": "invitation-operator.io/v1alpha1", "kind": "Inviter",
            "metadata": { "name": INVITER },
            "spec": {
                "product": "Atlas",
                "baseUrl": stage.simulator.base_url(),
                "credentialsSecretRef": { "name": INVITER },
            },
        }))?;
        Api::namespaced(stage.client.clone(), namespace).create(&PostParams::default(), &inviter).await?;
        Ok(Self { namespace: namespace.to_owned(), projects })
    }

    /// Waits until the inviter is ready: an operator must be running.
    pub(crate) async fn ready(&self, stage: &Stage) -> Result<()> {
        let inviters: Api<Inviter> = Api::namespaced(stage.client.clone(), &self.namespace);
        let ready = await_condition(inviters, INVITER, |inviter: Option<&Inviter>| {
            inviter.and_then(|inviter| inviter.status.as_ref()).is_some_and(|status| {
                status.conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
            })
        });
        tokio::time::timeout(Duration::from_secs(60), ready).await.context("an inviter does not become ready")??;
        Ok(())
    }

    /// The person of this number.
    pub(crate) fn person(&self, number: usize) -> Person {
        let project = self.projects.get(number / PEOPLE_PER_PROJECT).or_else(|| self.projects.last());
        let name = format!("person-{number}");
        Person {
            namespace: self.namespace.clone(),
            username: format!("{name}.{}@example.com", self.namespace),
            name,
            project: project.cloned().unwrap_or_default(),
        }
    }
}

/// Somebody to invite.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) namespace: String,
    /// Of the object.
    pub(crate) name: String,
    pub(crate) username: String,
    pub(crate) project: String,
}

impl Person {
    /// The object that invites the person.
    pub(crate) fn object(&self) -> Result<ProjectInvitation> {
        Ok(serde_json::from_value(json!({
            "apiVersion": "invitation-operator.io/v1alpha1", "kind": "ProjectInvitation",
            "metadata": { "name": self.name, "namespace": self.namespace },
            "spec": {
                "projectId": self.project,
                "username": self.username,
                "roles": ["GROUP_READ_ONLY"],
                "inviterRef": { "name": INVITER },
            },
        }))?)
    }

    /// Creates the object; returns when that was begun.
    pub(crate) async fn apply(&self, stage: &Stage) -> Result<Instant> {
        let objects: Api<ProjectInvitation> = Api::namespaced(stage.client.clone(), &self.namespace);
        let object = self.object()?;
        let began = Instant::now();
        objects.create(&PostParams::default(), &object).await?;
        Ok(began)
    }
}

/// Creates the objects of all these people as fast as the API server takes them; returns when each was begun.
pub(crate) async fn apply_all(stage: &Stage, people: &[Person]) -> Result<Vec<Instant>> {
    apply_over(stage, people, CREATORS).await
}

/// The same over so many connections.
pub(crate) async fn apply_over(stage: &Stage, people: &[Person], connections: usize) -> Result<Vec<Instant>> {
    let applied = stream::iter(people).map(|person| person.apply(stage));
    applied.buffered(connections).try_collect().await
}
