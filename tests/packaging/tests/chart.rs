//! The chart as people use it: what it renders, and what it refuses with which way out.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use packaging::render::Rendering;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn rendered(values: Value) -> Vec<Value> {
    Rendering::of(values).objects(&repository()).unwrap()
}

fn of_kind(objects: &[Value], kind: &str) -> Vec<Value> {
    objects.iter().filter(|object| object["kind"] == kind).cloned().collect()
}

fn the_only(objects: &[Value], kind: &str) -> Value {
    let found = of_kind(objects, kind);
    assert_eq!(found.len(), 1, "{kind}: {found:#?}");
    found[0].clone()
}

fn operator(values: Value) -> Value {
    let deployment = the_only(&rendered(values), "Deployment");
    deployment.pointer("/spec/template/spec/containers/0").unwrap().clone()
}

/// Every Pod that the objects make, by the object's name.
fn pods(objects: &[Value]) -> Vec<(String, Value)> {
    let spec = |object: &Value| match object["kind"].as_str().unwrap() {
        "Pod" => object.get("spec").cloned(),
        "Deployment" | "Job" => object.pointer("/spec/template/spec").cloned(),
        _ => None,
    };
    objects.iter().filter_map(|object| Some((object["metadata"]["name"].to_string(), spec(object)?))).collect()
}

#[test]
fn what_is_impossible_is_refused_with_the_way_out() {
    let inviter = json!({ "create": true, "secretName": "key", "allow": { "projects": ["*"], "roles": ["*"] } });
    let with = |change: Value| {
        let mut values = json!({ "clusterInviter": inviter });
        for (key, value) in change.as_object().unwrap() {
            values["clusterInviter"][key] = value.clone();
        }
        values
    };
    let mut namespaced = with(json!({}));
    namespaced["watchNamespaces"] = json!(["payments"]);
    let cases = [
        (namespaced, "leave watchNamespaces empty"),
        (json!({ "leaderElection": { "enabled": false } }), "Set replicas=1 or leaderElection.enabled=true"),
        (json!({ "replicas": 0 }), "at '/replicas': minimum: got 0, want 1"),
        (json!({ "replicas": 0, "leaderElection": { "enabled": false } }), "at '/replicas': minimum"),
        (json!({ "image": { "tag": "" } }), "set image.tag (the default follows the chart) or image.digest"),
        (json!({ "customCA": { "configMap": "a", "secret": "b" } }), "leave one of them empty"),
        (json!({ "podMonitor": { "enabled": true } }), "set one of them to false"),
        (json!({ "watchNamespaces": ["a"], "rbac": { "secrets": { "clusterWide": true } } }), "Set one of the two"),
        (json!({ "watchNamespaces": ["a"], "rbac": { "secrets": { "namespaces": ["b"] } } }), "Leave rbac.secrets"),
        (json!({ "metricsPort": 8080 }), "so set another one"),
        (with(json!({ "secretName": "" })), "needs clusterInviter.secretName"),
        (with(json!({ "product": "OpsManager" })), "needs clusterInviter.baseUrl"),
        (with(json!({ "allow": { "projects": [], "roles": ["*"] } })), "name what it may give"),
        (json!({ "serviceMonitor": { "renderMode": "failIfMissing" } }), "install the Prometheus operator"),
    ];
    for (values, way_out) in cases {
        refused(&values, way_out);
    }
}

#[test]
fn what_the_schema_knows_is_refused_with_its_path() {
    let cases = [
        (json!({ "replicas": "2" }), "at '/replicas': got string, want integer"),
        (json!({ "replica": 2 }), "additional properties 'replica' not allowed"),
        (json!({ "image": { "name": "x" } }), "at '/image': additional properties 'name' not allowed"),
        (json!({ "image": { "digest": "latest" } }), "at '/image/digest'"),
        (json!({ "watchNamespaces": "payments" }), "at '/watchNamespaces': got string, want array"),
        (json!({ "watchNamespaces": ["Payments"] }), "at '/watchNamespaces/0'"),
        (json!({ "allowedHosts": ["https://cloud.mongodb.com"] }), "at '/allowedHosts/0'"),
        (json!({ "allowedHosts": [] }), "at '/allowedHosts': minItems"),
        (json!({ "times": { "listDelay": 60 } }), "at '/times/listDelay': got number, want string"),
        (json!({ "times": { "listDelay": "60 seconds" } }), "at '/times/listDelay'"),
        (json!({ "maxMailsPerPerson": 0 }), "at '/maxMailsPerPerson': minimum"),
        (json!({ "logFormat": "yaml" }), "at '/logFormat'"),
        (json!({ "serviceMonitor": { "renderMode": "never" } }), "at '/serviceMonitor/renderMode'"),
        (json!({ "uninstall": { "withInvitations": "Delete" } }), "at '/uninstall/withInvitations'"),
        (json!({ "imagePullSecrets": ["key"] }), "at '/imagePullSecrets/0': got string, want object"),
        (json!({ "commonLabels": { "a": 1 } }), "at '/commonLabels/a': got number, want string"),
        (json!({ "clusterInviter": { "product": "Realm" } }), "at '/clusterInviter/product'"),
        (json!({ "probes": { "liveness": { "period": 1 } } }), "at '/probes/liveness'"),
    ];
    for (values, path) in cases {
        refused(&values, path);
    }
}

fn refused(values: &Value, part: &str) {
    match Rendering::of(values.clone()).objects(&repository()) {
        Ok(_) => panic!("not refused: {values}"),
        Err(error) => assert!(error.to_string().contains(part), "{values}: {error}"),
    }
}

#[test]
fn every_pod_meets_the_standard_restricted_whatever_the_values_say() {
    let weak = json!({ "runAsNonRoot": false, "seccompProfile": { "type": "Unconfined" }, "runAsUser": 1000 });
    for values in [json!({}), json!({ "podSecurityContext": weak })] {
        let pods = pods(&rendered(values));
        assert_eq!(pods.len(), 3, "operator, test and uninstall: {pods:#?}");
        for (name, pod) in pods {
            assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
            assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", "{name}");
            assert!(pod["securityContext"]["runAsUser"].as_i64().unwrap() > 0, "{name}");
            let container = &pod["containers"][0]["securityContext"];
            assert_eq!(container["allowPrivilegeEscalation"], false, "{name}");
            assert_eq!(container["readOnlyRootFilesystem"], true, "{name}");
            assert_eq!(container["capabilities"], json!({ "drop": ["ALL"] }), "{name}");
        }
    }
}

#[test]
fn an_image_is_named_by_registry_mirror_tag_and_digest() {
    let digest = format!("sha256:{}", "0".repeat(64));
    let cases = [
        (json!({}), "ghcr.io/invitation-operator/invitation-operator:0.1.0".to_owned()),
        (json!({ "image": { "tag": "1.2" } }), "ghcr.io/invitation-operator/invitation-operator:1.2".to_owned()),
        (
            json!({ "global": { "imageRegistry": "mirror:5000" }, "image": { "digest": digest } }),
            format!("mirror:5000/invitation-operator/invitation-operator@{digest}"),
        ),
        (json!({ "image": { "registry": "", "repository": "x", "tag": "dev" } }), "x:dev".to_owned()),
    ];
    for (values, expected) in cases {
        for (name, pod) in pods(&rendered(values)) {
            assert_eq!(pod["containers"][0]["image"], expected.as_str(), "{name}");
        }
    }
}

#[test]
fn two_replicas_agree_are_spread_and_survive_a_drain() {
    let objects = rendered(json!({}));
    let deployment = the_only(&objects, "Deployment");
    assert_eq!(deployment["spec"]["replicas"], 2);
    let spread = deployment.pointer("/spec/template/spec/topologySpreadConstraints").unwrap().as_array().unwrap();
    assert_eq!(spread.len(), 2);
    assert_eq!(the_only(&objects, "PodDisruptionBudget")["spec"]["maxUnavailable"], 1);
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        assert!(operator(json!({}))[probe]["httpGet"]["path"].is_string(), "{probe}");
    }
    let alone = rendered(json!({ "replicas": 1, "leaderElection": { "enabled": false } }));
    assert!(of_kind(&alone, "PodDisruptionBudget").is_empty());
    assert_eq!(the_only(&alone, "Deployment")["spec"]["strategy"], json!({ "type": "Recreate" }));
}

#[test]
fn a_value_becomes_its_argument_and_an_empty_one_none() {
    let arguments = |values| {
        let container = operator(values);
        let list = container["args"].as_array().unwrap().clone();
        list.into_iter().map(|argument| argument.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(!arguments(json!({})).iter().any(|argument| argument.contains("-delay")));
    let given = arguments(json!({
        "watchNamespaces": ["a", "b"],
        "times": { "listDelay": "90s", "releaseAfter": "2h" },
        "leaderElection": { "leaseDuration": "30s" },
        "invitationsPerMinute": 5,
        "extraArgs": ["--log-level=debug"],
    }));
    for expected in [
        "--watch-namespaces=a,b",
        "--list-delay=90s",
        "--release-after=2h",
        "--lease-duration=30s",
        "--invitations-per-minute=5",
        "--log-level=debug",
    ] {
        assert!(given.iter().any(|argument| argument == expected), "{expected} is not in {given:?}");
    }
}

#[test]
fn a_proxy_and_an_authority_reach_the_operator() {
    let values = json!({
        "proxy": { "https": "http://proxy.example.com:3128", "noProxy": ["opsmanager.example.com", ".internal"] },
        "customCA": { "configMap": "authorities" },
        "extraEnv": [{ "name": "TZ", "value": "UTC" }],
    });
    let objects = rendered(values.clone());
    let container = operator(values);
    let environment = container["env"].as_array().unwrap();
    let value = |name: &str| {
        environment.iter().find(|variable| variable["name"] == name).and_then(|variable| variable["value"].as_str())
    };
    assert_eq!(value("HTTPS_PROXY"), Some("http://proxy.example.com:3128"));
    assert_eq!(value("NO_PROXY"), Some("opsmanager.example.com,.internal"));
    assert_eq!(value("SSL_CERT_DIR"), container["volumeMounts"][0]["mountPath"].as_str());
    assert_eq!(value("TZ"), Some("UTC"));
    let policy = the_only(&objects, "NetworkPolicy");
    assert_eq!(policy["spec"]["egress"][2]["ports"], json!([{ "port": 3128, "protocol": "TCP" }]));
}

#[test]
fn the_network_policy_opens_the_ports_of_the_allowed_hosts_and_of_metrics() {
    let values = json!({
        "allowedHosts": ["cloud.mongodb.com", "opsmanager.example.com:8443"],
        "networkPolicy": { "mongodbCidrs": ["10.1.0.0/16"], "kubernetesCidrs": ["10.96.0.1/32"] },
    });
    let policy = the_only(&rendered(values), "NetworkPolicy");
    let (ingress, egress) = (&policy["spec"]["ingress"], &policy["spec"]["egress"]);
    assert_eq!(ingress, &json!([{ "ports": [{ "port": "metrics", "protocol": "TCP" }] }]));
    let ports = json!([{ "port": 443, "protocol": "TCP" }, { "port": 8443, "protocol": "TCP" }]);
    assert_eq!(egress[2], json!({ "ports": ports, "to": [{ "ipBlock": { "cidr": "10.1.0.0/16" } }] }));
    assert_eq!(egress[1]["to"], json!([{ "ipBlock": { "cidr": "10.96.0.1/32" } }]));
}

#[test]
fn monitors_are_rendered_where_their_kind_is_known() {
    let kinds = |rendering: Rendering| {
        let objects = rendering.objects(&repository()).unwrap();
        let monitoring = objects.iter().filter(|object| object["apiVersion"] == "monitoring.coreos.com/v1");
        monitoring.map(|object| object["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let known = |rendering: Rendering, kind: &str| rendering.knowing(&format!("monitoring.coreos.com/v1/{kind}"));
    assert!(kinds(Rendering::default()).is_empty());
    assert_eq!(kinds(known(Rendering::default(), "ServiceMonitor")), ["ServiceMonitor"]);
    let pods = json!({ "serviceMonitor": { "enabled": false }, "podMonitor": { "enabled": true } });
    assert!(kinds(Rendering::of(pods.clone())).is_empty());
    assert_eq!(kinds(known(Rendering::of(pods), "PodMonitor")), ["PodMonitor"]);
    let always = json!({ "prometheusRule": { "enabled": true, "renderMode": "alwaysRender" } });
    assert_eq!(kinds(Rendering::of(always)), ["PrometheusRule"]);
}

#[test]
fn definitions_are_part_of_the_release_and_kept_unless_told_otherwise() {
    let policy = |values| {
        let definitions = of_kind(&rendered(values), "CustomResourceDefinition");
        assert_eq!(definitions.len(), 4);
        definitions[0]["metadata"]["annotations"]["helm.sh/resource-policy"].clone()
    };
    assert_eq!(policy(json!({})), "keep");
    assert_eq!(policy(json!({ "crds": { "keep": false } })), Value::Null);
    assert!(of_kind(&rendered(json!({ "crds": { "enabled": false } })), "CustomResourceDefinition").is_empty());
}

#[test]
fn watching_some_namespaces_leaves_no_right_beyond_them() {
    let objects = rendered(json!({ "watchNamespaces": ["a", "b"] }));
    let bindings = of_kind(&objects, "ClusterRoleBinding");
    let names: Vec<_> = bindings.iter().map(|binding| binding["metadata"]["name"].as_str().unwrap()).collect();
    // Named invitations of a namespace that is going, and the Leases of one name, which tell who serves what.
    assert_eq!(names, ["invitation-operator-finishing", "invitation-operator-other-instances"]);
    let neither = json!({ "otherInstances": false, "finishNamespaces": false });
    let alone = rendered(json!({ "watchNamespaces": ["a", "b"], "rbac": neither }));
    assert!(of_kind(&alone, "ClusterRoleBinding").is_empty());
    let mut within: Vec<_> = of_kind(&alone, "Role")
        .iter()
        .filter(|role| role.pointer("/metadata/annotations/helm.sh~1hook").is_none())
        .map(|role| role["metadata"]["namespace"].as_str().unwrap().to_owned())
        .collect();
    within.sort();
    assert_eq!(within, ["a", "b", "invitation-operator"]);
}

#[test]
fn secrets_are_only_ever_read_by_name() {
    for values in [
        json!({}),
        json!({ "rbac": { "secrets": { "clusterWide": true } } }),
        json!({ "rbac": { "secrets": { "namespaces": ["a"] } } }),
        json!({ "watchNamespaces": ["a"] }),
    ] {
        let objects = rendered(values.clone());
        let rules = objects.iter().filter_map(|object| object["rules"].as_array()).flatten();
        let secrets = rules.filter(|rule| rule["resources"].as_array().unwrap().contains(&json!("secrets")));
        let verbs: Vec<_> = secrets.map(|rule| rule["verbs"].clone()).collect();
        assert!(!verbs.is_empty() && verbs.iter().all(|verbs| *verbs == json!(["get"])), "{values}: {verbs:?}");
    }
}

#[test]
fn users_get_no_hand_on_statuses_or_on_the_ledger() {
    let objects = rendered(json!({}));
    let aggregated: Vec<_> = of_kind(&objects, "ClusterRole")
        .into_iter()
        .filter(|role| role["metadata"]["labels"].to_string().contains("aggregate-to-"))
        .collect();
    assert_eq!(aggregated.len(), 3);
    for role in &aggregated {
        let text = role["rules"].to_string();
        assert!(!text.contains("status") && !text.contains("claims"), "{text}");
    }
    assert!(aggregated[0]["rules"].to_string().contains("clusterinviters"));
}

#[test]
fn a_default_cluster_inviter_needs_one_secret_and_comes_after_its_definition() {
    let values = json!({ "clusterInviter": {
        "create": true, "secretName": "atlas", "namespaces": {},
        "allow": { "projects": ["*"], "roles": ["GROUP_READ_ONLY"] },
    } });
    let first = the_only(&rendered(values.clone()), "ClusterInviter");
    let annotations = &first["metadata"]["annotations"];
    assert_eq!(annotations["helm.sh/hook"], "post-install,post-upgrade");
    let known = Rendering::of(values).knowing("invitation-operator.io/v1alpha1/ClusterInviter");
    let later = the_only(&known.objects(&repository()).unwrap(), "ClusterInviter");
    assert_eq!(later["metadata"]["annotations"], json!({ "helm.sh/resource-policy": "keep" }));
    assert_eq!(first["spec"], later["spec"]);
}

#[test]
fn labels_and_annotations_reach_every_object() {
    let values = json!({ "commonLabels": { "team": "platform" }, "commonAnnotations": { "owner": "us" } });
    for object in rendered(values) {
        assert_eq!(object["metadata"]["labels"]["team"], "platform", "{}", object["metadata"]);
        assert_eq!(object["metadata"]["annotations"]["owner"], "us", "{}", object["metadata"]);
    }
}

#[test]
fn further_objects_may_be_maps_or_templates() {
    let objects = rendered(json!({ "extraObjects": [
        { "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "{{ .Release.Name }}-a" } },
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b-{{ .Release.Namespace }}}",
    ] }));
    let names: Vec<_> =
        of_kind(&objects, "ConfigMap").iter().map(|map| map["metadata"]["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["invitation-operator-a", "b-invitation-operator"]);
}
