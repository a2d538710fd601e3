//! Under whose rights the operators of a run act: an administrator's, or those that the chart grants.
//!
//! `E2E_UNDER=chart` installs the chart's service account, roles and bindings for each operator, and starts it with the
//! chart's own arguments and environment under a token of that account; `E2E_UNDER=chart-everywhere` does so for the whole
//! cluster, one test at a time on each control plane. Must never grant anything that the chart does not.

use super::plane::Plane;
use invitation_operator::api::{Inviter, ProjectInvitation};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::ResourceExt;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use packaging::render::Rendering;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The release's name, which its objects have too.
const RELEASE: &str = "invitation-operator";
/// Stand in the rendered chart for the namespaces of a test.
const OWN: &str = "own-namespace-of-a-test";
const WATCHED: &str = "watched-namespace-of-a-test";

/// Under whose rights operators act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Under {
    /// Everything is allowed.
    Administrator,
    /// What the chart grants, for the namespace of the test where that does not say otherwise.
    Chart,
    /// What the chart grants for the whole cluster.
    ChartEverywhere,
}

impl Under {
    /// As the environment says.
    pub fn of_this_run() -> Self {
        match std::env::var("E2E_UNDER").as_deref() {
            Err(_) | Ok("") => Self::Administrator,
            Ok("chart") => Self::Chart,
            Ok("chart-everywhere") => Self::ChartEverywhere,
            Ok(other) => panic!("E2E_UNDER is {other:?}: chart or chart-everywhere"),
        }
    }
}

/// How an installed operator is started.
pub struct Installed {
    /// Its flags.
    pub flags: BTreeMap<String, String>,
    /// Its environment.
    pub variables: BTreeMap<String, String>,
}

/// The user that an operator in a namespace is.
pub fn service_account(namespace: &str) -> String {
    format!("system:serviceaccount:{namespace}:{RELEASE}")
}

static EVERYWHERE: LazyLock<Vec<Value>> =
    LazyLock::new(|| rendered(json!({ "rbac": { "secrets": { "clusterWide": true } } })));
static WITHIN: LazyLock<Vec<Value>> = LazyLock::new(|| rendered(json!({ "watchNamespaces": [WATCHED] })));

fn rendered(values: Value) -> Vec<Value> {
    let objects = Rendering::of(values).within(OWN).objects(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let is_hook = |object: &Value| object.pointer("/metadata/annotations/helm.sh~1hook").is_some();
    objects.into_iter().filter(|object| !is_hook(object)).collect()
}

/// Makes what an operator in `own` for the namespace `watched`, or for all of them, needs to be allowed to work.
pub async fn install(plane: &Plane, own: &str, watched: &str) -> Installed {
    let chart = if watched.is_empty() { &EVERYWHERE } else { &WITHIN };
    let text = json!(chart.as_slice()).to_string().replace(OWN, own).replace(WATCHED, watched);
    let objects: Vec<Value> = serde_json::from_str(&text).unwrap();
    for object in &objects {
        let kind = object["kind"].as_str().unwrap();
        if kind == "ServiceAccount" || kind.ends_with("Role") || kind.ends_with("RoleBinding") {
            create(plane, object).await;
        }
    }
    let deployment = objects.iter().find(|object| object["kind"] == "Deployment").unwrap();
    let container = deployment.pointer("/spec/template/spec/containers/0").unwrap();
    let mut flags = flags(container);
    flags.insert("--kubeconfig".to_owned(), kubeconfig(plane, own).await.display().to_string());
    Installed { flags, variables: variables(container, own) }
}

/// Lets an operator in `own` work in one namespace more, as the chart would had it been named at first.
pub async fn install_also(plane: &Plane, own: &str, watched: &str) {
    let text = json!(WITHIN.as_slice()).to_string().replace(OWN, own).replace(WATCHED, watched);
    let objects: Vec<Value> = serde_json::from_str(&text).unwrap();
    for object in objects.iter().filter(|object| object["metadata"]["namespace"] == watched) {
        create(plane, object).await;
    }
}

/// Takes away what earlier tests left, which an operator for the whole cluster would serve.
pub async fn clear(plane: &Plane) {
    let invitations: Api<ProjectInvitation> = Api::all(plane.client.clone());
    for left in invitations.list(&ListParams::default()).await.unwrap() {
        let api: Api<ProjectInvitation> = Api::namespaced(plane.client.clone(), &left.namespace().unwrap());
        let freed = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
        let _ = api.patch(&left.name_any(), &PatchParams::default(), &freed).await;
        let _ = api.delete(&left.name_any(), &DeleteParams::default()).await;
    }
    let inviters: Api<Inviter> = Api::all(plane.client.clone());
    for left in inviters.list(&ListParams::default()).await.unwrap() {
        let api: Api<Inviter> = Api::namespaced(plane.client.clone(), &left.namespace().unwrap());
        let _ = api.delete(&left.name_any(), &DeleteParams::default()).await;
    }
    let leases: Api<Lease> = Api::all(plane.client.clone());
    for left in leases.list(&ListParams::default().fields("metadata.name=invitation-operator")).await.unwrap() {
        let api: Api<Lease> = Api::namespaced(plane.client.clone(), &left.namespace().unwrap());
        let _ = api.delete(&left.name_any(), &DeleteParams::default()).await;
    }
}

/// The arguments of a container but `run` and where it listens.
pub fn flags(container: &Value) -> BTreeMap<String, String> {
    let arguments = container["args"].as_array().unwrap().iter().filter_map(Value::as_str);
    let pairs = arguments.filter_map(|argument| argument.split_once('='));
    let pairs = pairs.filter(|(flag, _)| !flag.ends_with("listen"));
    pairs.map(|(flag, value)| (flag.to_owned(), value.to_owned())).collect()
}

/// The environment of a container in a Pod of this namespace.
pub fn variables(container: &Value, namespace: &str) -> BTreeMap<String, String> {
    let variable = |variable: &Value| {
        let value = variable["value"].as_str().map_or_else(
            || {
                assert_eq!(variable["valueFrom"]["fieldRef"]["fieldPath"], "metadata.namespace");
                namespace.to_owned()
            },
            str::to_owned,
        );
        (variable["name"].as_str().unwrap().to_owned(), value)
    };
    container["env"].as_array().unwrap().iter().map(variable).collect()
}

async fn create(plane: &Plane, object: &Value) {
    let object: DynamicObject = serde_json::from_value(object.clone()).unwrap();
    let resource = ApiResource::from_gvk(&(&object.types.clone().unwrap()).try_into().unwrap());
    let client = plane.client.clone();
    let api: Api<DynamicObject> = match &object.metadata.namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    };
    api.create(&PostParams::default(), &object).await.unwrap();
}

/// A kubeconfig of the operator in a namespace.
pub async fn kubeconfig(plane: &Plane, namespace: &str) -> PathBuf {
    kubeconfig_of(plane, namespace, RELEASE).await
}

/// The administrator's kubeconfig with a token of an account in place of the certificate, in a file of its own as in a Pod.
pub async fn kubeconfig_of(plane: &Plane, namespace: &str, account: &str) -> PathBuf {
    let accounts: Api<ServiceAccount> = Api::namespaced(plane.client.clone(), namespace);
    let request = TokenRequest {
        spec: Some(TokenRequestSpec { expiration_seconds: Some(3600), ..TokenRequestSpec::default() }),
        ..TokenRequest::default()
    };
    let made = accounts.create_token_request(account, &PostParams::default(), &request).await.unwrap();
    let folder = plane.control.folder();
    let token = folder.join(format!("{namespace}.{account}.token"));
    std::fs::write(&token, made.status.unwrap().token.unwrap()).unwrap();
    let mut kubeconfig: Value =
        serde_json::from_slice(&std::fs::read(plane.control.kubeconfig_path()).unwrap()).unwrap();
    kubeconfig["users"][0]["user"] = json!({ "tokenFile": token });
    let file = folder.join(format!("{namespace}.{account}.kubeconfig"));
    std::fs::write(&file, kubeconfig.to_string()).unwrap();
    file
}
