//! The stage of a benchmark: control plane, simulator, operator, one inviter.
//!
//! Must never outlive the benchmark: everything it starts ends with it.

use anyhow::{Context, Result, ensure};
use atlas_sim::{CredentialSeed, Options as SimulatorOptions, ProjectSeed, Simulator};
use control_plane::{ControlPlane, Options, Proxy};
use invitation_operator::api::{Inviter, crd::crds};
use invitation_operator::runtime::cluster::connect;
use invitation_operator::runtime::settings::ClusterAccess;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Client;
use kube::api::{Api, PostParams};
use kube::runtime::wait::{await_condition, conditions};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// Namespace of everything that is measured.
pub(crate) const NAMESPACE: &str = "bench";
/// Where claims and the Lease are.
pub(crate) const OPERATOR_NAMESPACE: &str = "invitation-operator";

/// How the operator reaches the API server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// As in production.
    Direct,
    /// Through the stage's proxy.
    ThroughProxy,
}

/// Everything that runs.
pub(crate) struct Stage {
    pub(crate) proxy: Proxy,
    pub(crate) plane: ControlPlane,
    pub(crate) simulator: Simulator,
    pub(crate) client: Client,
    pub(crate) project: String,
    operator: Child,
}

impl Stage {
    /// Starts everything and waits until the inviter is ready.
    pub(crate) async fn start(operator: &Path, digest: bool, way: Way) -> Result<Self> {
        let options = Options { audit_log: Some(PathBuf::from("audit.log")), ..Options::default() };
        let plane = ControlPlane::start(options).await?;
        // The operator's own kind of client: kube's default one would add up to 40 ms to each of the bench's own writes.
        let access = ClusterAccess { kubeconfig: Some(plane.kubeconfig_path().to_owned()), context: None };
        let client = connect(&access, Duration::from_secs(50)).await?;
        let simulator = Simulator::start(SimulatorOptions::default()).await?;
        let project = simulator.seed_project(ProjectSeed::atlas("bench"));
        let seed = if digest { CredentialSeed::api_key() } else { CredentialSeed::service_account() };
        let credential = simulator.seed_credential(seed.grant(&project, ["GROUP_OWNER"]));
        install(&client).await?;
        let proxy = plane.proxy().await?;
        let kubeconfig = match way {
            Way::Direct => plane.kubeconfig_path(),
            Way::ThroughProxy => proxy.kubeconfig_path(),
        };
        let address = simulator.address();
        let operator = Command::new(operator)
            .arg("run")
            .args(["--listen", "127.0.0.1:0", "--log-level", "warn", "--invitations-per-minute", "unlimited"])
            .args(["--allowed-hosts", &address.to_string()])
            .env("KUBECONFIG", kubeconfig)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", operator.display()))?;
        let keys = if digest {
            json!({ "publicApiKey": credential.id, "privateApiKey": credential.secret })
        } else {
            json!({ "clientId": credential.id, "clientSecret": credential.secret })
        };
        let secret: Secret = serde_json::from_value(json!({
            "metadata": { "name": "atlas", "namespace": NAMESPACE }, "stringData": keys,
        }))?;
        Api::namespaced(client.clone(), NAMESPACE).create(&PostParams::default(), &secret).await?;
        let inviter: Inviter = serde_json::from_value(json!({
            "apiVersion": "invitation-operator.io/v1alpha1", "kind": "Inviter",
            "metadata": { "name": "atlas", "namespace": NAMESPACE },
            "spec": {
                "product": "Atlas",
                "baseUrl": simulator.base_url(),
                "credentialsSecretRef": { "name": "atlas" },
            },
        }))?;
        let inviters: Api<Inviter> = Api::namespaced(client.clone(), NAMESPACE);
        inviters.create(&PostParams::default(), &inviter).await?;
        let ready = await_condition(inviters, "atlas", |inviter: Option<&Inviter>| {
            inviter.and_then(|inviter| inviter.status.as_ref()).is_some_and(|status| {
                status.conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
            })
        });
        tokio::time::timeout(Duration::from_secs(60), ready).await.context("the inviter does not become ready")??;
        Ok(Self { proxy, plane, simulator, client, project, operator })
    }

    /// Ends everything.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.operator.kill().await?;
        self.simulator.stop().await;
        self.plane.stop().await?;
        Ok(())
    }
}

/// Makes the operator's kinds and the namespaces.
pub(crate) async fn install(client: &Client) -> Result<()> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    for definition in crds() {
        let name = definition.metadata.name.clone().unwrap_or_default();
        definitions.create(&PostParams::default(), &definition).await?;
        let established = await_condition(definitions.clone(), &name, conditions::is_crd_established());
        let waited = tokio::time::timeout(Duration::from_secs(30), established).await;
        ensure!(waited.is_ok(), "{name} is not established");
    }
    let namespaces: Api<Namespace> = Api::all(client.clone());
    for name in [NAMESPACE, OPERATOR_NAMESPACE] {
        let namespace = serde_json::from_value(json!({ "metadata": { "name": name } }))?;
        namespaces.create(&PostParams::default(), &namespace).await?;
    }
    Ok(())
}
