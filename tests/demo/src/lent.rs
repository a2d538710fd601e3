//! A cluster that somebody lent to the demo.
//!
//! Owns what is asked of it before anything is written, and the giving back. Everything that the demo brings has a label,
//! so that what a killed demo left can be told from what is somebody's. Must never delete anything without that label.

use crate::kubectl::Kubectl;
use crate::samples;
use crate::terminal::Terminal;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// Selects what the demo brought.
pub(crate) const LABEL: &str = "invitation-operator.io/demo=true";
const LABEL_NAME: &str = "invitation-operator.io/demo";

const NAMESPACES: [&str; 2] = [samples::TEAM, samples::OPERATOR];

/// Looks whether the demo may play here.
pub(crate) async fn borrow(kubectl: &Kubectl, terminal: Terminal) -> Result<()> {
    let version = kubectl
        .ask(&["version", "--request-timeout=10s"], "")
        .await
        .context("CLUSTER=current needs kubectl in PATH; without CLUSTER the demo starts a control plane of its own")?;
    if !version.succeeded {
        bail!(
            "the cluster of the current kubeconfig cannot be reached: {}\ncheck it with: kubectl version\nwithout \
             CLUSTER=current the demo starts a control plane of its own",
            version.complaint.trim()
        );
    }
    let server = version.output.lines().find_map(|line| line.strip_prefix("Server Version: ")).unwrap_or("(unknown)");
    let context = kubectl.run(&["config", "current-context"]).await.unwrap_or_default();
    terminal.ok(&format!("Kubernetes {server}, context {}", or_default(context.trim())));
    leave_nothing_of_a_killed_demo(kubectl, terminal).await?;
    let kinds = kubectl.run(&["get", "crd", "-o", "name"]).await?;
    if kinds.contains(".invitation-operator.io") {
        bail!(
            "this cluster has the kinds of invitation-operator.io already, and the demo does not touch what may hold real \
             invitations\nplay it in another cluster, or without CLUSTER=current"
        );
    }
    for namespace in NAMESPACES {
        let found = kubectl.run(&["get", "namespace", namespace, "--ignore-not-found", "-o", "name"]).await?;
        if !found.trim().is_empty() {
            bail!(
                "this cluster has a namespace {namespace} already, and the demo would make and delete one of that \
                 name\nplay it in another cluster, or without CLUSTER=current"
            );
        }
    }
    Ok(())
}

fn or_default(context: &str) -> &str {
    if context.is_empty() { "(none)" } else { context }
}

async fn leave_nothing_of_a_killed_demo(kubectl: &Kubectl, terminal: Terminal) -> Result<()> {
    let left = kubectl.run(&["get", "crd,namespace", "-l", LABEL, "-o", "name"]).await?;
    if left.trim().is_empty() {
        return Ok(());
    }
    terminal.note("an earlier demo was killed here: taking away what it left");
    give_back(kubectl, terminal).await
}

/// The same objects with the label, which goes on in one write with them: a killed demo leaves nothing unmarked.
pub(crate) fn marked(manifests: &str) -> Result<String> {
    let mut items = Vec::new();
    for document in manifests.split("\n---\n").filter(|document| document.contains("kind:")) {
        let mut object: Value = serde_saphyr::from_str(document).context("a manifest is no YAML")?;
        let labels = object
            .get_mut("metadata")
            .and_then(Value::as_object_mut)
            .map(|metadata| metadata.entry("labels").or_insert_with(|| json!({})));
        if let Some(labels) = labels.and_then(Value::as_object_mut) {
            labels.insert(LABEL_NAME.to_owned(), json!("true"));
        }
        items.push(object);
    }
    Ok(json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string())
}

/// Takes away what the demo brought.
pub(crate) async fn give_back(kubectl: &Kubectl, terminal: Terminal) -> Result<()> {
    terminal.note("taking everything away from the cluster that the demo brought");
    for namespace in brought(kubectl, "namespace").await? {
        let namespace = namespace.trim_start_matches("namespace/");
        let all = ["delete", "projectinvitations", "--all", "-n", namespace, "--ignore-not-found"];
        if !kubectl.ask(&[&all[..], &["--timeout=30s"]].concat(), "").await?.succeeded {
            release(kubectl, namespace).await?;
        }
    }
    for kind in ["namespace", "crd"] {
        if !brought(kubectl, kind).await?.is_empty() {
            kubectl.run(&["delete", kind, "-l", LABEL, "--timeout=90s"]).await?;
        }
    }
    terminal.ok("the cluster is as it was");
    Ok(())
}

/// What is left of a kind with the demo's label.
async fn brought(kubectl: &Kubectl, kind: &str) -> Result<Vec<String>> {
    let names = kubectl.run(&["get", kind, "-l", LABEL, "-o", "name"]).await?;
    Ok(names.lines().map(str::to_owned).collect())
}

/// Nobody runs who could let go of the objects: they only stand for invitations of a simulator that is gone.
async fn release(kubectl: &Kubectl, namespace: &str) -> Result<()> {
    let found = kubectl.ask(&["get", "projectinvitations", "-n", namespace, "-o", "name"], "").await?;
    for object in found.output.lines() {
        let patch = r#"{"metadata":{"finalizers":null}}"#;
        kubectl.run(&["patch", object, "-n", namespace, "--type=merge", "-p", patch]).await?;
    }
    Ok(())
}
