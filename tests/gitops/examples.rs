//! The examples for Argo CD, Flux and Helm, as a real API server and a real `helm` find them.

use crate::files::root;
use crate::harness::plane::shared;
use crate::harness::world::make_namespace;
use crate::harness::*;
use kube::Api;
use kube::runtime::{conditions, wait::await_condition};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub fn tests() -> Vec<Trial> {
    crate::tests![
        the_examples_are_what_argo_cd_and_flux_accept,
        waves_and_dependencies_put_inviters_before_invitations,
        helm_waits_until_everyone_is_invited,
        helm_waits_for_an_acceptance_that_is_asked_for,
        helm_is_told_that_somebody_was_refused,
    ]
}

/// The definitions of Argo CD's and Flux's kinds, from the modules that they publish.
fn definitions() -> Vec<PathBuf> {
    let list = std::fs::read_to_string(root().join("tests/gitops/definitions.txt")).unwrap();
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    let file = |line: &str| {
        let [module, sum, path] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let output = Command::new("go")
            .args(["mod", "download", "-json", module])
            .current_dir(std::env::temp_dir())
            .env("GOFLAGS", "")
            .output()
            .expect("Go fetches the definitions: install Go");
        let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        assert_eq!(said["Sum"], sum, "{module}: {}{}", said["Error"], String::from_utf8_lossy(&output.stderr));
        Path::new(said["Dir"].as_str().unwrap()).join(path)
    };
    lines.map(file).collect()
}

async fn run(mut command: Command) -> Output {
    command.stdin(Stdio::null());
    tokio::process::Command::from(command).kill_on_drop(true).output().await.unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

async fn kubectl(arguments: &[&str]) -> String {
    let mut command = shared().await.control.kubectl();
    command.args(arguments);
    let output = run(command).await;
    assert!(output.status.success(), "kubectl {}: {}", arguments.join(" "), said(&output));
    said(&output)
}

async fn the_examples_are_what_argo_cd_and_flux_accept() {
    let plane = shared().await;
    for file in definitions() {
        kubectl(&["apply", "--server-side", "-f", file.to_str().unwrap()]).await;
        let definition: Value = serde_saphyr::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let name = definition["metadata"]["name"].as_str().unwrap();
        await_condition(Api::all(plane.client.clone()), name, conditions::is_crd_established()).await.unwrap();
    }
    for namespace in ["argocd", "flux-system", "payments"] {
        make_namespace(&plane.client, namespace, &[]).await;
    }
    let mut objects = 0;
    for folder in
        ["deploy/argocd/applications.yaml", "deploy/flux", "deploy/payments/inviters", "deploy/payments/invitations"]
    {
        let path = root().join(folder);
        if folder == "deploy/flux" {
            make_namespace(&plane.client, "invitation-operator", &[]).await;
        }
        let flags = ["--server-side", "--dry-run=server", "--validate=strict", "--force-conflicts", "-o=name"];
        let applied = kubectl(&[&["apply", "-f", path.to_str().unwrap()], flags.as_slice()].concat()).await;
        objects += applied.lines().filter(|line| line.contains('/') && !line.starts_with("Warning")).count();
    }
    assert!(objects >= 10, "{objects} objects");
    println!("{objects} objects of the examples, 0 refused");
}

async fn waves_and_dependencies_put_inviters_before_invitations() {
    let wave = |path: &str| {
        let text = std::fs::read_to_string(root().join(path)).unwrap();
        let object: Value = serde_saphyr::from_str(&text).unwrap();
        let wave = &object["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"];
        wave.as_str().unwrap().parse::<i32>().unwrap()
    };
    let invitations: Vec<_> = std::fs::read_dir(root().join("deploy/payments/invitations")).unwrap().collect();
    assert!(!invitations.is_empty());
    for entry in invitations {
        let path = format!("deploy/payments/invitations/{}", entry.unwrap().file_name().to_str().unwrap());
        assert!(wave("deploy/payments/inviters/atlas.yaml") < wave(&path), "{path}");
    }
}

/// A chart of one team: its inviter and one invitation.
fn chart(world: &World, folder: &Path, account: &Account, change: &Value) {
    std::fs::create_dir_all(folder.join("templates")).unwrap();
    std::fs::write(folder.join("Chart.yaml"), "apiVersion: v2\nname: payments\nversion: 0.1.0\n").unwrap();
    let mut spec = json!({
        "projectId": account.project, "username": JANE, "roles": [READER], "inviterRef": { "name": "team" },
    });
    for (key, value) in change.as_object().unwrap() {
        spec[key] = value.clone();
    }
    let head = |kind: &str, name: &str, spec: Value| {
        json!({
            "apiVersion": "invitation-operator.io/v1alpha1", "kind": kind,
            "metadata": { "name": name, "namespace": world.namespace }, "spec": spec,
        })
    };
    let inviter = json!({
        "product": "Atlas", "baseUrl": world.sim.base_url(), "credentialsSecretRef": { "name": "atlas" },
        "checkInterval": "30s",
    });
    let objects = format!("{}\n---\n{}\n", head("Inviter", "team", inviter), head("ProjectInvitation", "jane", spec));
    std::fs::write(folder.join("templates/objects.yaml"), objects).unwrap();
}

async fn helm(world: &World, folder: &Path, timeout: &str) -> Command {
    let mut command = shared().await.control.helm();
    command.args(["upgrade", "--install", "payments"]).arg(folder);
    command.args(["--namespace", &world.namespace, "--wait", "--timeout", timeout]);
    command
}

async fn helm_waits_until_everyone_is_invited() {
    let world = World::start().await;
    let account = world.atlas().await;
    let folder = tempfile::tempdir().unwrap();
    chart(&world, folder.path(), &account, &json!({}));
    let output = run(helm(&world, folder.path(), "60s").await).await;
    assert!(output.status.success(), "{}", said(&output));
    let jane = world.invitations().get("jane").await.unwrap();
    assert_eq!(status(&jane).phase, Some(Phase::Invited), "helm did not wait");
}

async fn helm_waits_for_an_acceptance_that_is_asked_for() {
    let world = World::start().await;
    let account = world.atlas().await;
    let folder = tempfile::tempdir().unwrap();
    chart(&world, folder.path(), &account, &json!({ "readyWhen": "Accepted" }));
    let accepting = async {
        world.until("jane", "invited", in_phase(Phase::Invited)).await;
        world.sim.accept(&account.project, JANE)
    };
    let (output, accepted) = tokio::join!(run(helm(&world, folder.path(), "60s").await), accepting);
    assert!(accepted && output.status.success(), "{}", said(&output));
    let jane = world.invitations().get("jane").await.unwrap();
    assert_eq!(status(&jane).phase, Some(Phase::Accepted), "helm did not wait");
}

async fn helm_is_told_that_somebody_was_refused() {
    let world = World::start().await;
    let account = world.atlas().await;
    let folder = tempfile::tempdir().unwrap();
    chart(&world, folder.path(), &account, &json!({ "roles": ["GROUP_NO_SUCH_ROLE"] }));
    let output = run(helm(&world, folder.path(), "20s").await).await;
    assert!(!output.status.success(), "{}", said(&output));
    // At once and by name, not by its timeout.
    assert!(said(&output).contains("jane not ready. status: Failed"), "{}", said(&output));
    let jane = world.invitations().get("jane").await.unwrap();
    assert!(shows(Reason::Refused)(&jane));
}
