//! The ground of one operator: its namespaces, a simulator, credentials, inviters.
//!
//! Must never know what is done on it.

use crate::persist;
use crate::plane::Plane;
use anyhow::Result;
use atlas_sim::{Credential, CredentialKind, CredentialSeed, Options, ProjectSeed, Simulator};
use invitation_operator::api::{InvitationClaim, Inviter, ProjectInvitation};
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::Api;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A role that every invitation begins with.
pub const READER: &str = "GROUP_READ_ONLY";
/// Another one.
pub const WRITER: &str = "GROUP_DATA_ACCESS_READ_WRITE";

/// How an inviter proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A service account.
    OAuth,
    /// An API key.
    Digest,
}

impl Proof {
    /// Both.
    pub const ALL: [Self; 2] = [Self::OAuth, Self::Digest];

    /// What the inviter and its Secret are called.
    #[must_use]
    pub fn inviter(self) -> &'static str {
        match self {
            Self::OAuth => "by-service-account",
            Self::Digest => "by-api-key",
        }
    }
}

/// Namespaces, a simulator, credentials, inviters.
pub struct Ground {
    /// The administrator.
    pub client: Client,
    /// Where the objects are.
    pub namespace: String,
    /// Where the claims are.
    pub operator_namespace: String,
    /// MongoDB.
    pub simulator: Arc<Simulator>,
    /// The project that people are invited to.
    pub project: String,
    keys: Vec<(Proof, Credential)>,
}

impl Ground {
    /// Makes the ground, without inviters.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn make(plane: &Plane, name: &str, seed: u64) -> Result<Self> {
        let namespace = format!("team-{name}");
        let operator_namespace = format!("operator-{name}");
        plane.namespace(&namespace).await?;
        plane.namespace(&operator_namespace).await?;
        let options = Options { random_seed: Some(seed), ..Options::default() };
        let simulator = Arc::new(Simulator::start(options).await?);
        simulator.configure(|behaviour| {
            // Looks are as many times as frequent as times are shorter, and so would be refusals.
            behaviour.classic_rate_limit = None;
            behaviour.atlas_rate_limit = false;
            // Each process that dies leaves its token behind: more die here in an hour than tokens may live.
            behaviour.token_limit = usize::MAX;
            behaviour.users_per_group = usize::MAX;
            behaviour.users_per_org = usize::MAX;
        });
        let project = simulator.seed_project(ProjectSeed::atlas(name));
        let key = |proof| {
            let seed = match proof {
                Proof::OAuth => CredentialSeed::service_account(),
                Proof::Digest => CredentialSeed::api_key(),
            };
            (proof, simulator.seed_credential(seed.grant(&project, ["GROUP_OWNER"])))
        };
        let keys = Proof::ALL.map(key).to_vec();
        let client = plane.client.clone();
        Ok(Self { client, namespace, operator_namespace, simulator, project, keys })
    }

    /// Makes an inviter of each kind that calls `base_url`.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn inviters(&self, base_url: &str) -> Result<()> {
        for proof in Proof::ALL {
            self.give_secret(proof).await?;
            let inviter: Inviter = serde_json::from_value(json!({
                "apiVersion": "invitation-operator.io/v1alpha1", "kind": "Inviter",
                "metadata": { "name": proof.inviter() },
                "spec": {
                    "product": "Atlas",
                    "baseUrl": base_url,
                    "credentialsSecretRef": { "name": proof.inviter() },
                    "checkInterval": "60s",
                },
            }))?;
            persist::create(&Api::namespaced(self.client.clone(), &self.namespace), &inviter).await?;
        }
        Ok(())
    }

    /// Makes the Secret of an inviter.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn give_secret(&self, proof: Proof) -> Result<()> {
        let keys = self.keys.iter().filter(|(of, _)| *of == proof);
        for (_, key) in keys {
            let (id, secret) = match key.kind {
                CredentialKind::ApiKey => ("publicApiKey", "privateApiKey"),
                CredentialKind::ServiceAccount => ("clientId", "clientSecret"),
            };
            let secret: Secret = serde_json::from_value(json!({
                "metadata": { "name": proof.inviter() }, "stringData": { id: key.id, secret: key.secret },
            }))?;
            persist::create(&self.secrets(), &secret).await?;
        }
        Ok(())
    }

    /// Takes the Secret of an inviter away.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn take_secret(&self, proof: Proof) -> Result<()> {
        if let Some(secret) = persist::get(&self.secrets(), proof.inviter()).await? {
            persist::delete(&self.secrets(), proof.inviter(), &secret.metadata.uid.unwrap_or_default()).await?;
        }
        Ok(())
    }

    fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The invitations.
    #[must_use]
    pub fn invitations(&self) -> Api<ProjectInvitation> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The claims.
    #[must_use]
    pub fn claims(&self) -> Api<InvitationClaim> {
        Api::namespaced(self.client.clone(), &self.operator_namespace)
    }

    /// Invites a person; `change` is merged into the spec.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn invite(&self, name: &str, person: &str, proof: Proof, change: Value) -> Result<ProjectInvitation> {
        let mut spec = json!({
            "projectId": self.project,
            "username": person,
            "roles": [READER],
            "inviterRef": { "name": proof.inviter() },
        });
        if let (Some(spec), Value::Object(change)) = (spec.as_object_mut(), change) {
            spec.extend(change);
        }
        let object = serde_json::from_value(json!({
            "apiVersion": "invitation-operator.io/v1alpha1", "kind": "ProjectInvitation",
            "metadata": { "name": name }, "spec": spec,
        }))?;
        persist::create(&self.invitations(), &object).await
    }

    /// Flags that every operator on this ground needs; it calls MongoDB at `host`.
    #[must_use]
    pub fn flags(&self, kubeconfig: &Path, host: &str) -> Vec<String> {
        vec![
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--operator-namespace={}", self.operator_namespace),
            format!("--watch-namespaces={}", self.namespace),
            format!("--allowed-hosts={host}"),
            "--listen=127.0.0.1:0".to_owned(),
            "--log-format=text".to_owned(),
        ]
    }
}

/// Writes a kubeconfig that leads to a relay.
///
/// # Errors
/// When the file cannot be written.
pub fn kubeconfig(relay: std::net::SocketAddr, file: PathBuf) -> Result<PathBuf> {
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "relay",
        "clusters": [{ "name": "relay", "cluster": { "server": format!("http://{relay}") } }],
        "users": [{ "name": "operator", "user": {} }],
        "contexts": [{ "name": "relay", "context": { "cluster": "relay", "user": "operator" } }],
    });
    std::fs::write(&file, config.to_string())?;
    Ok(file)
}
