//! The stage of a benchmark: control plane and simulator, and operators to start on it.
//!
//! Must never outlive the benchmark: everything it starts ends with it.

use crate::audit::{self, Audit};
use crate::operator::Operator;
use anyhow::{Context, Result, ensure};
use atlas_sim::{Options as SimulatorOptions, Simulator};
use control_plane::{ControlPlane, Options};
use invitation_operator::api::crd::crds;
use invitation_operator::runtime::cluster::connect;
use invitation_operator::runtime::settings::ClusterAccess;
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Client;
use kube::api::{Api, PostParams};
use kube::runtime::wait::{await_condition, conditions};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where claims and the Lease are.
pub(crate) const OPERATOR_NAMESPACE: &str = "invitation-operator";
/// Who the operator is for the API server.
pub(crate) const ACCOUNT: &str = "operator";
/// Sends invitations as fast as they are wanted.
pub(crate) const UNPACED: &str = "--invitations-per-minute=unlimited";

/// Everything that runs, but the operator.
pub(crate) struct Stage {
    pub(crate) plane: ControlPlane,
    pub(crate) simulator: Simulator,
    pub(crate) client: Client,
    binary: PathBuf,
    kubeconfig: PathBuf,
}

impl Stage {
    /// Starts everything.
    pub(crate) async fn start(binary: &Path) -> Result<Self> {
        let plane = ControlPlane::start(Options {
            audit_log: Some(PathBuf::from("audit.log")),
            audit_policy: Some(audit::policy()),
            ..Options::default()
        })
        .await?;
        // The operator's own kind of client: kube's default one would add up to 40 ms to each of the bench's own writes.
        let access = ClusterAccess { kubeconfig: Some(plane.kubeconfig_path().to_owned()), context: None };
        let client = connect(&access, Duration::from_secs(50)).await?;
        install(&client).await?;
        let kubeconfig = plane.service_account_kubeconfig(OPERATOR_NAMESPACE, ACCOUNT).await?;
        let simulator = Simulator::start(SimulatorOptions::default()).await?;
        Ok(Self { plane, simulator, client, binary: binary.to_owned(), kubeconfig })
    }

    /// What each call to MongoDB takes.
    pub(crate) fn set_latency(&self, latency: Duration) {
        self.simulator.configure(|behaviour| behaviour.latency = latency.into());
    }

    /// Starts an operator.
    pub(crate) fn operator(&self, flags: &[&str]) -> Result<Operator> {
        self.operator_through(&self.kubeconfig, flags)
    }

    /// Starts an operator with another kubeconfig.
    pub(crate) fn operator_through(&self, kubeconfig: &Path, flags: &[&str]) -> Result<Operator> {
        let hosts = format!("--allowed-hosts={}", self.simulator.address());
        let flags: Vec<_> = flags.iter().copied().chain([hosts.as_str()]).collect();
        Operator::start(&self.binary, kubeconfig, &flags)
    }

    /// What operators ask of the API server from here on.
    pub(crate) fn audit(&self) -> Result<Audit> {
        let mut audit = Audit::of(self.plane.audit_log().context("no audit log")?);
        audit.since()?;
        Ok(audit)
    }

    /// Ends everything.
    pub(crate) async fn stop(self) -> Result<()> {
        self.simulator.stop().await;
        self.plane.stop().await?;
        Ok(())
    }
}

/// Makes the operator's kinds, its namespace and its account.
pub(crate) async fn install(client: &Client) -> Result<()> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    for definition in crds() {
        let name = definition.metadata.name.clone().unwrap_or_default();
        definitions.create(&PostParams::default(), &definition).await?;
        let established = await_condition(definitions.clone(), &name, conditions::is_crd_established());
        let waited = tokio::time::timeout(Duration::from_secs(30), established).await;
        ensure!(waited.is_ok(), "{name} is not established");
    }
    let namespace: Namespace = serde_json::from_value(json!({ "metadata": { "name": OPERATOR_NAMESPACE } }))?;
    Api::all(client.clone()).create(&PostParams::default(), &namespace).await?;
    let account: ServiceAccount = serde_json::from_value(json!({ "metadata": { "name": ACCOUNT } }))?;
    Api::namespaced(client.clone(), OPERATOR_NAMESPACE).create(&PostParams::default(), &account).await?;
    // An account of its own, so that what it does can be told apart; its rights are not what is measured.
    let binding: ClusterRoleBinding = serde_json::from_value(json!({
        "metadata": { "name": ACCOUNT },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": [{ "kind": "ServiceAccount", "name": ACCOUNT, "namespace": OPERATOR_NAMESPACE }],
    }))?;
    Api::all(client.clone()).create(&PostParams::default(), &binding).await?;
    Ok(())
}
