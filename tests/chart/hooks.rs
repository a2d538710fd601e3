//! The chart's hooks: `helm test`, and the check before the release goes.

use crate::harness::plane::Plane;
use crate::harness::under;
use crate::harness::wait::poll;
use crate::harness::*;
use crate::release::{Release, chart, empty_plane, values};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, Patch, PatchParams};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use std::process::Output;

pub fn tests() -> Vec<Trial> {
    crate::tests![
        a_test_of_the_release_holds_while_the_operator_works_and_fails_when_it_does_not,
        who_uninstalls_with_invitations_is_warned_and_may_be_refused,
    ]
}

/// What a node would do: runs the command of a container under a token of its account.
pub async fn run(plane: &Plane, namespace: &str, spec: &Value) -> Output {
    let container = &spec["containers"][0];
    let account = spec["serviceAccountName"].as_str().unwrap();
    let kubeconfig = under::kubeconfig_of(plane, namespace, account).await;
    let arguments = container["args"].as_array().unwrap().iter().map(|argument| argument.as_str().unwrap().to_owned());
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_invitation-operator"));
    command.args(arguments).arg("--kubeconfig").arg(kubeconfig).env_remove("KUBECONFIG").kill_on_drop(true);
    command.envs(under::variables(container, namespace)).output().await.unwrap()
}

pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Awaits the Pod of `helm test`, runs it, and tells the API server how it ended.
async fn be_the_node_of_the_test(plane: &Plane, namespace: &str) -> Output {
    let pods: Api<Pod> = Api::namespaced(plane.client.clone(), namespace);
    let name = "invitation-operator-test";
    assert!(poll(async || pods.get_opt(name).await.unwrap().is_some()).await, "there is no Pod");
    let pod = serde_json::to_value(pods.get(name).await.unwrap()).unwrap();
    let output = run(plane, namespace, &pod["spec"]).await;
    let phase = if output.status.success() { "Succeeded" } else { "Failed" };
    let status = Patch::Merge(json!({ "status": { "phase": phase } }));
    pods.patch_status(name, &PatchParams::default(), &status).await.unwrap();
    output
}

/// Awaits the Job before the end, runs it, and tells the API server how it ended.
pub async fn be_the_node_of_the_end(plane: &Plane, namespace: &str) -> Output {
    let jobs: Api<Job> = Api::namespaced(plane.client.clone(), namespace);
    let name = "invitation-operator-uninstall";
    // One that has ended is of an earlier try, and is replaced.
    let under_way = |job: &Job| job.status.as_ref().is_none_or(|status| status.conditions.is_none());
    let mut job = None;
    let there = poll(async || {
        job = jobs.get_opt(name).await.unwrap().filter(under_way);
        job.is_some()
    });
    assert!(there.await, "there is no Job");
    let job = serde_json::to_value(job).unwrap();
    let output = run(plane, namespace, job.pointer("/spec/template/spec").unwrap()).await;
    let now = job["metadata"]["creationTimestamp"].as_str().unwrap();
    let condition = |type_: &str| json!({ "type": type_, "status": "True", "reason": "X", "lastTransitionTime": now });
    let status = if output.status.success() {
        let conditions = [condition("SuccessCriteriaMet"), condition("Complete")];
        json!({ "succeeded": 1, "startTime": now, "completionTime": now, "conditions": conditions })
    } else {
        json!({ "failed": 1, "startTime": now, "conditions": [condition("FailureTarget"), condition("Failed")] })
    };
    let status = Patch::Merge(json!({ "status": status }));
    jobs.patch_status(name, &PatchParams::default(), &status).await.unwrap();
    output
}

async fn a_test_of_the_release_holds_while_the_operator_works_and_fails_when_it_does_not() {
    let plane = empty_plane().await;
    let mut world = Setup::default().without_operator().start_on(&plane).await;
    let release = Release::of(&plane, &world);
    release.install(&chart(), &values(&world)).await.unwrap();
    release.deploy_to(&mut world).await;
    world.start_operator();
    let none = json!({});
    let (tested, ran) =
        tokio::join!(release.helm("test", &[], &none), be_the_node_of_the_test(&plane, &release.namespace));
    let (tested, ran) = (tested.unwrap(), said(&ran));
    assert!(tested.contains("Phase:") && tested.contains("Succeeded"), "{tested}");
    // What is said depends on the values: here the inviter's host is not among those that may be called.
    assert!(ran.contains("ok: the operator looked at the Inviter") && ran.contains("HostNotAllowed"), "{ran}");
    world.kill_operator();
    let pods = json!({
        "serviceAccountName": "invitation-operator",
        "containers": [{ "env": [], "args": ["check", "reconciling", "--timeout=1s", format!("--namespace={}", world.namespace)] }],
    });
    // The operator's own account may make no Inviter: the hook has one of its own, which is gone by now.
    let refused = run(&plane, &release.namespace, &pods).await;
    assert!(!refused.status.success() && said(&refused).contains("cannot make an Inviter"), "{}", said(&refused));
    let admin = tokio::process::Command::new(env!("CARGO_BIN_EXE_invitation-operator"))
        .args(["check", "reconciling", "--timeout=1s", "--namespace", &world.namespace])
        .arg("--kubeconfig")
        .arg(plane.control.kubeconfig_path())
        .output()
        .await
        .unwrap();
    assert!(!admin.status.success() && said(&admin).contains("did not look at the Inviter"), "{}", said(&admin));
    let left = world.inviters().list(&kube::api::ListParams::default()).await.unwrap().items;
    assert!(left.is_empty(), "the check leaves nothing behind: {left:#?}");
    assert!(world.sim.requests().is_empty(), "no call was made");
    plane.control.stop().await.unwrap();
}

async fn who_uninstalls_with_invitations_is_warned_and_may_be_refused() {
    let plane = empty_plane().await;
    let mut world = Setup::default().without_operator().start_on(&plane).await;
    let release = Release::of(&plane, &world);
    let mut refusing = values(&world);
    refusing["uninstall"] = json!({ "withInvitations": "Refuse" });
    release.install(&chart(), &refusing).await.unwrap();
    release.deploy_to(&mut world).await;
    world.start_operator();
    world.invited().await;
    let none = json!({});
    let (end, check) =
        tokio::join!(release.helm("uninstall", &[], &none), be_the_node_of_the_end(&plane, &release.namespace));
    let told = said(&check);
    assert!(end.is_err(), "{end:?}");
    assert!(told.contains("nothing was uninstalled. 1 invitation is still there"), "{told}");
    assert!(told.contains("helm uninstall --no-hooks"), "{told}");
    release.helm("rollback", &["1"], &none).await.unwrap();
    release.upgrade(&chart(), &values(&world)).await.unwrap();
    let (end, check) =
        tokio::join!(release.helm("uninstall", &[], &none), be_the_node_of_the_end(&plane, &release.namespace));
    end.unwrap();
    assert!(said(&check).contains("warning: 1 invitation is still there"), "{}", said(&check));
    plane.control.stop().await.unwrap();
}
