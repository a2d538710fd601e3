//! A release of the chart in a control plane of its own, and what a node would do for it.
//!
//! Must never give the operator a flag that the Deployment does not have, but those that make a rehearsal quick and tell it
//! where it may listen.

use crate::harness::plane::{Plane, start};
use crate::harness::under;
use crate::harness::*;
use control_plane::Options;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::Api;
use packaging::render::CHART;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::AsyncWriteExt;

/// The chart of this repository.
pub fn chart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(CHART)
}

/// A control plane that knows nothing of the operator.
pub async fn empty_plane() -> Plane {
    start(Options { audit_log: Some("audit.log".into()), ..Options::default() }).await
}

/// Runs Helm; what it wrote, or what it complained about.
pub async fn helm(plane: &Plane, arguments: &[&str], values: &Value) -> Result<String, String> {
    let mut command = tokio::process::Command::from(plane.control.helm());
    command.args(arguments).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    // Who does not read values does not read to the end.
    let _ = pipe.write_all(values.to_string().as_bytes()).await;
    drop(pipe);
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// Runs kubectl with an input; what it wrote, or what it complained about.
pub async fn kubectl(plane: &Plane, arguments: &[&str], input: &str) -> Result<String, String> {
    let mut command = plane.control.kubectl();
    command.args(arguments);
    let input = input.to_owned();
    let ran = tokio::task::spawn_blocking(move || packaging::render::run(&mut command, &input));
    ran.await.unwrap().map_err(|error| error.to_string())
}

/// Values for a world: its namespace is served, and its simulator may be called.
pub fn values(world: &World) -> Value {
    let port = world.sim.address().port();
    json!({ "watchNamespaces": [world.namespace], "allowedHosts": [format!("127.0.0.1:{port}")] })
}

/// The same for the whole cluster.
pub fn values_everywhere(world: &World) -> Value {
    let mut values = values(world);
    values["watchNamespaces"] = json!([]);
    values["rbac"] = json!({ "secrets": { "clusterWide": true } });
    values
}

/// The release in a world's operator namespace.
pub struct Release<'a> {
    pub plane: &'a Plane,
    pub namespace: String,
}

impl<'a> Release<'a> {
    pub fn of(plane: &'a Plane, world: &World) -> Self {
        Self { plane, namespace: world.operator_namespace.clone() }
    }

    /// `helm <verb> invitation-operator <arguments>`.
    pub async fn helm(&self, verb: &str, arguments: &[&str], values: &Value) -> Result<String, String> {
        let all = [&[verb, "invitation-operator", "--namespace", &self.namespace], arguments].concat();
        helm(self.plane, &all, values).await
    }

    pub async fn install(&self, chart: &Path, values: &Value) -> Result<String, String> {
        self.helm("install", &[chart.to_str().unwrap(), "--values", "-"], values).await
    }

    pub async fn upgrade(&self, chart: &Path, values: &Value) -> Result<String, String> {
        self.helm("upgrade", &[chart.to_str().unwrap(), "--values", "-"], values).await
    }

    /// Lets the world's operator be what the Deployment says.
    pub async fn deploy_to(&self, world: &mut World) {
        let deployments: Api<Deployment> = Api::namespaced(self.plane.client.clone(), &self.namespace);
        let deployment = serde_json::to_value(deployments.get("invitation-operator").await.unwrap()).unwrap();
        let container = deployment.pointer("/spec/template/spec/containers/0").unwrap();
        let mut flags = under::flags(container);
        flags.insert(
            "--kubeconfig".to_owned(),
            under::kubeconfig(self.plane, &self.namespace).await.display().to_string(),
        );
        world.deploy(flags, under::variables(container, &self.namespace));
    }
}
