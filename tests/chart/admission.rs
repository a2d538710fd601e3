//! What the API server itself says to every object of the chart, without keeping any: server-side dry run, and the Pod
//! Security standard `restricted`.

use crate::harness::plane::apply_definitions;
use crate::harness::world::make_namespace;
use crate::release::{empty_plane, kubectl};
use libtest_mimic::Trial;
use packaging::render::{Rendering, objects};
use serde_json::{Value, json};
use std::path::Path;

pub fn tests() -> Vec<Trial> {
    crate::tests![every_object_passes_a_dry_run_and_every_pod_the_standard_restricted]
}

const RESTRICTED: &[(&str, &str)] = &[("pod-security.kubernetes.io/enforce", "restricted")];

/// The chart in its several forms, and the manifests beside it.
fn variants() -> Vec<(&'static str, Vec<Value>)> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rendered = |values| {
        let known = Rendering::of(values).knowing("invitation-operator.io/v1alpha1/ClusterInviter");
        known.objects(repository).unwrap()
    };
    let everything = json!({
        "replicas": 3,
        "customCA": { "configMap": "authorities" },
        "proxy": { "https": "http://proxy.example.com:3128", "noProxy": ["opsmanager.example.com"] },
        "image": { "digest": format!("sha256:{}", "0".repeat(64)) },
        "imagePullSecrets": [{ "name": "registry" }],
        "hostUsers": false,
        "priorityClassName": "system-cluster-critical",
        "tolerations": [{ "key": "platform", "operator": "Exists" }],
        "affinity": { "podAntiAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [] } },
        "rbac": { "secrets": { "clusterWide": true }, "clusterInviterViewers": ["system:authenticated"] },
        "clusterInviter": {
            "create": true, "secretName": "atlas", "baseUrl": "https://cloud.mongodb.com",
            "allow": { "projects": ["*"], "roles": ["GROUP_READ_ONLY"], "emailDomains": ["example.com"] },
        },
        "networkPolicy": {
            "metricsFrom": [{ "namespaceSelector": {} }], "kubernetesCidrs": ["10.96.0.1/32"],
            "mongodbCidrs": ["10.0.0.0/8"], "extraEgress": [{ "ports": [{ "port": 8443 }] }],
        },
        "times": { "listDelay": "90s" },
        "commonLabels": { "team": "platform" },
        "commonAnnotations": { "owner": "platform" },
    });
    let alone = json!({ "replicas": 1, "leaderElection": { "enabled": false } });
    let install = std::fs::read_to_string(repository.join("deploy/install.yaml")).unwrap();
    vec![
        ("defaults", rendered(json!({}))),
        ("everything", rendered(everything)),
        ("one replica", rendered(alone)),
        ("one namespace", rendered(json!({ "watchNamespaces": ["payments"] }))),
        ("deploy/install.yaml", objects(&install).unwrap()),
    ]
}

async fn every_object_passes_a_dry_run_and_every_pod_the_standard_restricted() {
    let plane = empty_plane().await;
    make_namespace(&plane.client, "invitation-operator", RESTRICTED).await;
    make_namespace(&plane.client, "payments", RESTRICTED).await;
    apply_definitions(&plane.client).await;
    let (mut passed, mut pods) = (0, 0);
    let dry_run = ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-"];
    for (name, objects) in variants() {
        // A dry run makes no account, and a Pod is refused without its own.
        let accounts: Vec<_> = objects.iter().filter(|object| object["kind"] == "ServiceAccount").collect();
        let accounts = json!({ "apiVersion": "v1", "kind": "List", "items": accounts }).to_string();
        kubectl(&plane, &["apply", "--server-side", "-f", "-"], &accounts).await.unwrap();
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects }).to_string();
        let said = kubectl(&plane, &dry_run, &list).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!said.contains("Warning"), "{name}: {said}");
        let accepted = said.lines().filter(|line| line.ends_with("serverside-applied (server dry run)")).count();
        assert_eq!(accepted, objects.len(), "{name}: {said}");
        passed += accepted;
        for pod in objects.iter().filter_map(pod) {
            let said = kubectl(&plane, &dry_run, &pod.to_string()).await;
            said.unwrap_or_else(|error| panic!("{name}: {error}"));
            pods += 1;
        }
    }
    // The check can refuse: a Pod that leaves one thing out is.
    let mut weak = variants()[0].1.iter().find_map(pod).unwrap();
    weak["spec"]["containers"][0]["securityContext"].as_object_mut().unwrap().remove("capabilities");
    let refused = kubectl(&plane, &dry_run, &weak.to_string()).await.unwrap_err();
    assert!(refused.contains("violates PodSecurity \"restricted"), "{refused}");
    println!("dry run: {passed} objects passed, 0 refused; Pod Security restricted: {pods} Pods passed, 0 refused");
    plane.control.stop().await.unwrap();
}

/// The Pod that an object makes.
fn pod(object: &Value) -> Option<Value> {
    let spec = match object["kind"].as_str().unwrap() {
        "Pod" => object["spec"].clone(),
        "Deployment" | "Job" => object.pointer("/spec/template/spec")?.clone(),
        _ => return None,
    };
    Some(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "any", "namespace": "invitation-operator" }, "spec": spec,
    }))
}
