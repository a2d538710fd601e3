//! The four definitions on a real API server: what it refuses and how it says so, what it fills in, what it prints.
//!
//! Only the API server knows whether a rule's cost is accepted, how a message reads in the end, and what `kubectl`
//! makes of it. One control plane serves the whole file.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod accepted;
mod printed;
mod refused;

use clap::Parser;
use control_plane::{ControlPlane, Options};
use invitation_operator::api::crd::crds;
use invitation_operator::runtime::cli::{Cli, Command};
use invitation_operator::runtime::health::{Health, Readiness};
use invitation_operator::runtime::prerequisites::{self, Arrival};
use invitation_operator::runtime::settings::{Settings, Surroundings};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DynamicObject, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, GroupVersionKind};
use kube::runtime::{conditions, wait::await_condition};
use kube::{Client, Config};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const NAMESPACE: &str = "default";

#[tokio::test(flavor = "multi_thread")]
async fn the_definitions_do_on_a_real_api_server_what_they_say() {
    let plane = ControlPlane::start(Options { with_controller_manager: false, ..Options::default() }).await.unwrap();
    let client = connect(&plane).await;
    missing_definitions_are_waited_for(&client).await;

    let mut wrong = Vec::new();
    wrong.extend(refused::wrong_specs(&client).await);
    wrong.extend(refused::wrong_changes(&client).await);
    wrong.extend(accepted::right_specs(&client).await);
    wrong.extend(accepted::right_changes(&client).await);
    accepted::defaults_are_filled_in(&client).await;
    accepted::a_fresh_object_is_in_progress(&client, &plane).await;
    printed::columns(&client, &plane).await;
    printed::explanations(&plane);
    plane.stop().await.unwrap();
    assert!(wrong.is_empty(), "{} of the rules do not do what they say:\n{}", wrong.len(), wrong.join("\n"));
}

async fn connect(plane: &ControlPlane) -> Client {
    let kubeconfig = Kubeconfig::read_from(plane.kubeconfig_path()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

/// Those of an operator that is told nothing: it serves the whole cluster.
fn settings() -> Settings {
    let Command::Run(args) = Cli::try_parse_from(["invitation-operator", "run"]).unwrap().command else {
        panic!("asked for a run");
    };
    Settings::from_args(*args, &Surroundings::default()).unwrap()
}

/// The operator may start before its definitions: it says which are missing, and goes on when they come.
async fn missing_definitions_are_waited_for(client: &Client) {
    let (health, stop) = (Health::default(), CancellationToken::new());
    let settings = settings();
    let waiting = Box::pin(prerequisites::wait(client, &settings, None, &health, &stop));
    let arriving = async {
        while !matches!(health.readiness(), Readiness::KindsMissing(_)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let said = health.readiness().to_string();
        assert!(said.contains("does not know ProjectInvitation, Inviter, ClusterInviter, InvitationClaim"), "{said}");
        apply_definitions(client).await;
    };
    let both = async { tokio::join!(waiting, Box::pin(arriving)) };
    let (arrival, ()) = tokio::time::timeout(Duration::from_secs(60), both)
        .await
        .unwrap_or_else(|_| panic!("waited in vain: {}", health.readiness()));
    assert_eq!(arrival.unwrap(), Arrival::Complete);
    assert_eq!(health.readiness(), Readiness::Syncing);
}

async fn apply_definitions(client: &Client) {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for crd in crds() {
        let name = crd.metadata.name.clone().unwrap();
        let made = api.create(&PostParams::default(), &crd).await;
        assert!(made.is_ok(), "{name} is refused: {}", message(made));
        await_condition(api.clone(), &name, conditions::is_crd_established()).await.unwrap();
    }
}

/// The two kinds of inviter and the invitation, each with a spec that is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Invitation,
    Inviter,
    ClusterInviter,
}

impl Kind {
    fn api(self, client: &Client) -> Api<DynamicObject> {
        match self {
            Self::ClusterInviter => Api::all_with(client.clone(), &self.resource()),
            Self::Invitation | Self::Inviter => Api::namespaced_with(client.clone(), NAMESPACE, &self.resource()),
        }
    }

    fn resource(self) -> ApiResource {
        let (kind, plural) = match self {
            Self::Invitation => ("ProjectInvitation", "projectinvitations"),
            Self::Inviter => ("Inviter", "inviters"),
            Self::ClusterInviter => ("ClusterInviter", "clusterinviters"),
        };
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("invitation-operator.io", "v1alpha1", kind), plural)
    }

    fn right(self) -> Value {
        match self {
            Self::Invitation => json!({
                "projectId": "5f1d7c8e9a3b2c4d5e6f7a8b",
                "username": "jane.doe@example.com",
                "roles": ["GROUP_READ_ONLY"],
                "inviterRef": {"name": "atlas"},
            }),
            Self::Inviter => json!({"product": "Atlas", "credentialsSecretRef": {"name": "atlas-key"}}),
            Self::ClusterInviter => json!({
                "product": "OpsManager",
                "baseUrl": "https://opsmanager.example.com:8443",
                "credentialsSecretRef": {"name": "ops-key"},
                "allow": {"projects": ["*"], "roles": ["GROUP_READ_ONLY"]},
                "namespaces": {},
            }),
        }
    }

    /// An object whose spec is the right one with this JSON merge patch.
    fn object(self, name: &str, changed: &Value) -> DynamicObject {
        let mut spec = self.right();
        merge(&mut spec, changed);
        let mut object = DynamicObject::new(name, &self.resource());
        object.data = json!({ "spec": spec });
        object
    }
}

/// As RFC 7396 has it, except that `"null"` writes a null.
fn merge(target: &mut Value, patch: &Value) {
    match (target.as_object_mut(), patch.as_object()) {
        (Some(fields), Some(changes)) => {
            for (name, change) in changes {
                if change.is_null() {
                    fields.remove(name);
                } else {
                    merge(fields.entry(name.clone()).or_insert(Value::Null), change);
                }
            }
        }
        (_, _) => *target = if patch == "null" { Value::Null } else { patch.clone() },
    }
}

fn dry_run() -> PostParams {
    PostParams { dry_run: true, ..PostParams::default() }
}

fn message<T>(result: kube::Result<T>) -> String {
    match result {
        Ok(_) => "(accepted)".to_owned(),
        Err(kube::Error::Api(status)) => status.message,
        Err(other) => other.to_string(),
    }
}
