//! What the API server must take, and what it must fill in.

use crate::{Kind, NAMESPACE, dry_run, message};
use control_plane::ControlPlane;
use kube::Client;
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

pub(crate) async fn right_specs(client: &Client) -> Vec<String> {
    let cases = [
        (Kind::Invitation, json!({})),
        (Kind::Invitation, json!({"username": "Jane.O'Neil+atlas@sub.example-corp.co"})),
        (Kind::Invitation, json!({"roles": ["GROUP_DATA_ACCESS_READ_WRITE", "GROUP_ANY_ROLE_OF_2031"]})),
        (Kind::Invitation, json!({"roles": (0..50).map(|n| format!("GROUP_{n}")).collect::<Vec<_>>()})),
        (Kind::Invitation, json!({"inviterRef": {"kind": "ClusterInviter", "name": "platform.example"}})),
        (Kind::Invitation, json!({"suspend": true, "readyWhen": "Accepted", "deletion": {"invitation": "Keep"}})),
        (Kind::Invitation, json!({"suspend": "null", "readyWhen": "null", "deletion": "null"})),
        (Kind::Inviter, json!({})),
        (Kind::Inviter, json!({"product": "CloudManager", "baseUrl": "null"})),
        (Kind::Inviter, json!({"product": "OpsManager", "baseUrl": "https://10.1.2.3:8443/"})),
        (Kind::Inviter, json!({"product": "OpsManager", "baseUrl": "https://[2001:db8::1]:8443"})),
        (Kind::Inviter, json!({"baseUrl": "http://127.0.0.1:8080"})),
        (Kind::Inviter, json!({"baseUrl": "http://localhost:8080"})),
        (Kind::Inviter, json!({"baseUrl": "http://[::1]:8080"})),
        (Kind::Inviter, json!({"checkInterval": "30s"})),
        (Kind::Inviter, json!({"checkInterval": "1h30m"})),
        (Kind::Inviter, json!({"checkInterval": "24h"})),
        (Kind::Inviter, json!({"caBundleRef": {"kind": "Secret", "name": "ca", "key": "tls.crt"}})),
        (Kind::Inviter, json!({"allow": {"projects": ["*"], "roles": ["*"], "emailDomains": ["*"]}})),
        (
            Kind::Inviter,
            json!({"allow": {"projects": ["5f1d7c8e9a3b2c4d5e6f7a8b"], "emailDomains": ["sub.example.com"]}}),
        ),
        (Kind::Inviter, json!({"allow": {"projects": []}})),
        (Kind::Inviter, json!({"allow": {"projects": (0..500).map(|n| format!("{n:024x}")).collect::<Vec<_>>()}})),
        (Kind::ClusterInviter, json!({})),
        (Kind::ClusterInviter, json!({"allow": {"projects": [], "roles": []}})),
        (Kind::ClusterInviter, json!({"namespaces": {"matchLabels": {"mongodb": "allowed"}}})),
        (
            Kind::ClusterInviter,
            json!({"namespaces": {"matchExpressions": [{"key": "team", "operator": "In", "values": ["a"]}]}}),
        ),
    ];
    let mut wrong = Vec::new();
    for (kind, changed) in cases {
        let result = kind.api(client).create(&dry_run(), &kind.object("accepted", &changed)).await;
        if result.is_err() {
            wrong.push(format!("{kind:?} {changed}\n    must be accepted: {}", message(result)));
        }
    }
    wrong
}

pub(crate) async fn right_changes(client: &Client) -> Vec<String> {
    let cases = [
        (Kind::Invitation, json!({"roles": ["GROUP_OWNER"], "inviterRef": {"name": "other"}, "suspend": true})),
        (Kind::Inviter, json!({"mode": "Observe", "checkInterval": "1m", "credentialsSecretRef": {"name": "next"}})),
        (Kind::ClusterInviter, json!({"allow": {"projects": []}, "namespaces": {"matchLabels": {"a": "b"}}})),
    ];
    let mut wrong = Vec::new();
    for (kind, changed) in cases {
        kind.api(client).create(&PostParams::default(), &kind.object("changing", &json!({}))).await.unwrap();
        let patch = Patch::Merge(json!({ "spec": changed }));
        let result = kind.api(client).patch("changing", &PatchParams::default(), &patch).await;
        if result.is_err() {
            wrong.push(format!("{kind:?} {changed}\n    must be accepted: {}", message(result)));
        }
    }
    wrong
}

pub(crate) async fn defaults_are_filled_in(client: &Client) {
    let invitation = stored(client, Kind::Invitation, &json!({"deletion": {}, "suspend": "null"})).await;
    let expected = json!({"kind": "Inviter", "name": "atlas"});
    assert_eq!(invitation["spec"]["inviterRef"], expected);
    assert_eq!(invitation["spec"]["suspend"], json!(false));
    assert_eq!(invitation["spec"]["readyWhen"], json!("Invited"));
    assert_eq!(invitation["spec"]["deletion"], json!({"invitation": "Cancel"}));

    let inviter = stored(client, Kind::Inviter, &json!({"caBundleRef": {"name": "ca"}})).await;
    for (field, value) in [
        ("checkInterval", json!("5m")),
        ("mode", json!("Enforce")),
        ("adoption", json!("Any")),
        ("onUnknown", json!("Retry")),
        ("caBundleRef", json!({"kind": "ConfigMap", "name": "ca", "key": "ca.crt"})),
    ] {
        assert_eq!(inviter["spec"][field], value, "{field}");
    }
    let cluster_inviter = stored(client, Kind::ClusterInviter, &json!({})).await;
    assert_eq!(cluster_inviter["spec"]["adoption"], json!("SameRoles"));
}

/// Neither `kubectl wait` nor kstatus may take an object for finished that the operator has not seen.
pub(crate) async fn a_fresh_object_is_in_progress(client: &Client, plane: &ControlPlane) {
    for kind in [Kind::Invitation, Kind::Inviter, Kind::ClusterInviter] {
        let object = stored(client, kind, &json!({})).await;
        assert_eq!(object["status"], json!({"observedGeneration": -1}), "{kind:?}");
    }
    let unseen = Kind::Invitation.object("unseen", &json!({}));
    Kind::Invitation.api(client).create(&PostParams::default(), &unseen).await.unwrap();
    let waited = plane
        .kubectl()
        .args(["wait", "pinv/unseen", "--namespace", NAMESPACE, "--for=condition=Ready", "--timeout=1s"])
        .output()
        .unwrap();
    assert!(!waited.status.success(), "kubectl wait takes a fresh object for ready");
}

async fn stored(client: &Client, kind: Kind, changed: &Value) -> Value {
    let stored: DynamicObject = kind.api(client).create(&dry_run(), &kind.object("stored", changed)).await.unwrap();
    stored.data
}
