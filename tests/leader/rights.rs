//! What an operator does that may not use leases: it says so, and waits.

use crate::harness::plane::shared;
use crate::harness::*;
use crate::pair::*;
use libtest_mimic::Trial;
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;

pub fn tests() -> Vec<Trial> {
    crate::tests![without_the_right_to_leases_the_operator_says_so_and_waits_until_it_has_it]
}

async fn apply(objects: Value) {
    let mut kubectl = shared().await.control.kubectl();
    let mut child = kubectl.args(["apply", "-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(objects.to_string().as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// Lets the service account `operator` of the namespace do this everywhere.
async fn allow(namespace: &str, name: &str, rules: Value) {
    let name = format!("{namespace}-{name}");
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": { "name": name }, "rules": rules,
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": { "name": name },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name },
        "subjects": [{ "kind": "ServiceAccount", "name": "operator", "namespace": namespace }],
    });
    apply(json!({ "apiVersion": "v1", "kind": "List", "items": [role, binding] })).await;
}

async fn without_the_right_to_leases_the_operator_says_so_and_waits_until_it_has_it() {
    let mut world = world().await;
    let namespace = world.operator_namespace.clone();
    apply(json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": { "name": "operator", "namespace": namespace },
    }))
    .await;
    allow(
        &namespace,
        "all-but-leases",
        json!([
            { "apiGroups": ["invitation-operator.io"], "resources": ["*"], "verbs": ["*"] },
            { "apiGroups": [""], "resources": ["secrets", "configmaps"], "verbs": ["get"] },
            { "apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"] },
        ]),
    )
    .await;
    let kubeconfig = shared().await.control.service_account_kubeconfig(&namespace, "operator").await.unwrap();
    world.set_flag("--kubeconfig", kubeconfig.to_str().unwrap());
    let account = world.atlas().await;
    world.invite("jane", &account.project, JANE).await;

    let replica = world.replica("first");
    for part in [
        format!("the lease {namespace}/invitation-operator cannot be used"),
        "leases.coordination.k8s.io".to_owned(),
        "get, list, watch, create and update".to_owned(),
        "--leader-elect=false".to_owned(),
    ] {
        page_shows(&replica, "/readyz", &part).await;
    }
    assert_eq!(replica.page("/readyz").await.unwrap().0, 503);
    assert!(replica.log().contains("waiting: the lease "), "{}", replica.log());
    assert!(!has_called(&replica).await);

    let verbs = ["get", "list", "watch", "create", "update"];
    let rules = json!([{ "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": verbs }]);
    allow(&namespace, "leases", rules).await;
    leads(&replica).await;
    world.until("jane", "invited", in_phase(Phase::Invited)).await;
}
