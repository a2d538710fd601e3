//! What the API server must refuse, and the sentence that its user must read.

use crate::{Kind, dry_run, message};
use kube::Client;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

/// A refusal: the kind, the change to a right spec, what the message must say.
type Refusal = (Kind, Value, &'static str);

/// Noise of expressions and of values; a message that says what to write needs none.
const NOISE: [&str; 5] = ["self.", "matches(", "no such key", "evaluation", "rule:"];

pub(crate) async fn wrong_specs(client: &Client) -> Vec<String> {
    let mut wrong = Vec::new();
    for (kind, changed, expected) in invitations().into_iter().chain(inviters()).chain(reaches()) {
        let refusal = message(kind.api(client).create(&dry_run(), &kind.object("refused", &changed)).await);
        wrong.extend(judged(kind, &changed, &refusal, expected));
    }
    wrong
}

fn invitations() -> Vec<Refusal> {
    let long = "a".repeat(250);
    vec![
        (
            Kind::Invitation,
            json!({"projectId": "my-project"}),
            "projectId must be the project's id, 24 lower-case hexadecimal digits",
        ),
        (Kind::Invitation, json!({"projectId": "5F1D7C8E9A3B2C4D5E6F7A8B"}), "24 lower-case hexadecimal digits"),
        (Kind::Invitation, json!({"projectId": ""}), "24 lower-case hexadecimal digits"),
        (Kind::Invitation, json!({"projectId": "5f1d7c8e9a3b2c4d5e6f7a8b0"}), "24 lower-case hexadecimal digits"),
        (
            Kind::Invitation,
            json!({"projectId": "https://cloud.mongodb.com/v2/5f1d7c8e9a3b2c4d5e6f7a8b"}),
            "24 lower-case hexadecimal digits",
        ),
        (Kind::Invitation, json!({"projectId": null}), "spec.projectId: Required value"),
        (
            Kind::Invitation,
            json!({"username": "jane"}),
            "username must be the person's e-mail address in ASCII, such as jane.doe@example.com",
        ),
        (Kind::Invitation, json!({"username": "Jane Doe <jane.doe@example.com>"}), "without a display name or blanks"),
        (Kind::Invitation, json!({"username": "jürgen@example.com"}), "in ASCII"),
        (Kind::Invitation, json!({"username": "jane@localhost"}), "e-mail address"),
        (Kind::Invitation, json!({"username": "jane@example.com "}), "without a display name or blanks"),
        (Kind::Invitation, json!({"username": "jane@example..com"}), "e-mail address"),
        (Kind::Invitation, json!({"username": ""}), "e-mail address"),
        (Kind::Invitation, json!({"username": format!("{long}@example.com")}), "254"),
        (Kind::Invitation, json!({"roles": []}), "roles must name at least one project role, such as GROUP_READ_ONLY"),
        (Kind::Invitation, json!({"roles": [""]}), "each role must be a MongoDB project role"),
        (Kind::Invitation, json!({"roles": ["readOnly"]}), "such as GROUP_READ_ONLY"),
        (Kind::Invitation, json!({"roles": ["ORG_MEMBER"]}), "cannot be given by a project invitation"),
        (Kind::Invitation, json!({"roles": ["GROUP_OWNER", "GROUP_OWNER"]}), "Duplicate value: \"GROUP_OWNER\""),
        (
            Kind::Invitation,
            json!({"roles": (0..51).map(|n| format!("GROUP_{n}")).collect::<Vec<_>>()}),
            "spec.roles: Too many: 51: must have at most 50 items",
        ),
        (Kind::Invitation, json!({"roles": null}), "spec.roles: Required value"),
        (Kind::Invitation, json!({"inviterRef": null}), "spec.inviterRef: Required value"),
        (Kind::Invitation, json!({"inviterRef": {"name": "Team A"}}), "inviterRef.name must be the name of an object"),
        (Kind::Invitation, json!({"inviterRef": {"name": ""}}), "inviterRef.name must be the name of an object"),
        (
            Kind::Invitation,
            json!({"inviterRef": {"kind": "Issuer"}}),
            "supported values: \"Inviter\", \"ClusterInviter\"",
        ),
        (Kind::Invitation, json!({"readyWhen": "Sent"}), "supported values: \"Invited\", \"Accepted\""),
        (Kind::Invitation, json!({"deletion": {"invitation": "Delete"}}), "supported values: \"Cancel\", \"Keep\""),
    ]
}

fn inviters() -> Vec<Refusal> {
    vec![
        (Kind::Inviter, json!({"product": "Compass"}), "supported values: \"Atlas\", \"CloudManager\", \"OpsManager\""),
        (
            Kind::Inviter,
            json!({"product": "OpsManager"}),
            "spec.baseUrl: Required value: baseUrl is required for product OpsManager",
        ),
        (
            Kind::Inviter,
            json!({"product": "OpsManager", "baseUrl": "null"}),
            "spec.baseUrl: Required value: baseUrl is required for product OpsManager",
        ),
        (Kind::Inviter, json!({"baseUrl": "http://opsmanager.example.com"}), "plain http:// is for loopback only"),
        (Kind::Inviter, json!({"baseUrl": "http://127.0.0.1.example.com"}), "plain http:// is for loopback only"),
        (Kind::Inviter, json!({"baseUrl": "http://localhost@example.com"}), "plain http:// is for loopback only"),
        (Kind::Inviter, json!({"baseUrl": "https://cloud.mongodb.com/api/atlas/v2"}), "without path"),
        (Kind::Inviter, json!({"baseUrl": "https://user@cloud.mongodb.com"}), "without path, user or query"),
        (Kind::Inviter, json!({"baseUrl": "https://cloud.mongodb.com?x=1"}), "without path, user or query"),
        (Kind::Inviter, json!({"baseUrl": "cloud.mongodb.com"}), "baseUrl must be https:// and a host"),
        (Kind::Inviter, json!({"baseUrl": ""}), "baseUrl must be https:// and a host"),
        (Kind::Inviter, json!({"baseUrl": "https://"}), "baseUrl must be https:// and a host"),
        (Kind::Inviter, json!({"baseUrl": "https://cloud.mongodb.com:123456"}), "baseUrl must be https:// and a host"),
        (Kind::Inviter, json!({"credentialsSecretRef": null}), "spec.credentialsSecretRef: Required value"),
        (
            Kind::Inviter,
            json!({"credentialsSecretRef": {"name": "atlas_key"}}),
            "credentialsSecretRef.name must be the name of an object",
        ),
        (Kind::Inviter, json!({"caBundleRef": {"name": "Ca"}}), "caBundleRef.name must be the name of an object"),
        (Kind::Inviter, json!({"caBundleRef": {"name": "ca", "key": ""}}), "caBundleRef.key must name the key"),
        (
            Kind::Inviter,
            json!({"checkInterval": "soon"}),
            "checkInterval must be hours, minutes and seconds in whole numbers, such as 5m",
        ),
        (Kind::Inviter, json!({"checkInterval": "300"}), "such as 5m, 90s or 1h30m"),
        (Kind::Inviter, json!({"checkInterval": ""}), "such as 5m, 90s or 1h30m"),
        (Kind::Inviter, json!({"checkInterval": "1d"}), "such as 5m, 90s or 1h30m"),
        (Kind::Inviter, json!({"checkInterval": "10s"}), "checkInterval must be at least 30s and at most 24h"),
        (Kind::Inviter, json!({"checkInterval": "25h"}), "at most 24h"),
        (Kind::Inviter, json!({"checkInterval": "9999999999999999999h"}), "checkInterval must be"),
        (Kind::Inviter, json!({"mode": "DryRun"}), "supported values: \"Enforce\", \"Observe\""),
        (Kind::Inviter, json!({"adoption": "Own"}), "supported values: \"Any\", \"SameRoles\", \"Never\""),
        (Kind::Inviter, json!({"onUnknown": "Wait"}), "supported values: \"Retry\", \"Hold\""),
    ]
}

/// `allow` and `namespaces`.
fn reaches() -> Vec<Refusal> {
    vec![
        (
            Kind::Inviter,
            json!({"allow": {"projects": ["*", "5f1d7c8e9a3b2c4d5e6f7a8b"]}}),
            "be ['*'] for every project",
        ),
        (
            Kind::Inviter,
            json!({"allow": {"projects": ["my-project-in-the-cloud-with-a-long-name"]}}),
            "allow.projects must list project ids",
        ),
        (Kind::Inviter, json!({"allow": {"roles": ["readOnly"]}}), "allow.roles must list project roles"),
        (Kind::Inviter, json!({"allow": {"roles": ["GROUP_*"]}}), "be ['*'] for every role"),
        (Kind::Inviter, json!({"allow": {"emailDomains": ["@example.com"]}}), "domains in lower case without '@'"),
        (
            Kind::Inviter,
            json!({"allow": {"emailDomains": ["*.example.com"]}}),
            "a domain does not include its subdomains",
        ),
        (Kind::Inviter, json!({"allow": {"emailDomains": ["Example.com"]}}), "domains in lower case"),
        (
            Kind::ClusterInviter,
            json!({"allow": null}),
            "spec.allow: Required value: a ClusterInviter needs allow.projects and allow.roles",
        ),
        (
            Kind::ClusterInviter,
            json!({"allow": {"projects": null}}),
            "spec.allow: Required value: a ClusterInviter needs allow.projects and allow.roles",
        ),
        (
            Kind::ClusterInviter,
            json!({"allow": {"roles": "null"}}),
            "spec.allow: Required value: a ClusterInviter needs allow.projects and allow.roles",
        ),
        (
            Kind::ClusterInviter,
            json!({"namespaces": null}),
            "spec.namespaces: Required value: a ClusterInviter needs namespaces",
        ),
        (
            Kind::ClusterInviter,
            json!({"namespaces": "null"}),
            "spec.namespaces: Required value: a ClusterInviter needs namespaces",
        ),
        (
            Kind::ClusterInviter,
            json!({"baseUrl": null}),
            "spec.baseUrl: Required value: baseUrl is required for product OpsManager",
        ),
        (
            Kind::ClusterInviter,
            json!({"namespaces": {"matchExpressions": [{"key": "a", "operator": "Is"}]}}),
            "supported values",
        ),
    ]
}

pub(crate) async fn wrong_changes(client: &Client) -> Vec<String> {
    let cases: Vec<Refusal> = vec![
        (
            Kind::Invitation,
            json!({"projectId": "000000000000000000000000"}),
            "projectId cannot be changed: create another ProjectInvitation",
        ),
        (
            Kind::Invitation,
            json!({"username": "john@example.com"}),
            "username cannot be changed: create another ProjectInvitation",
        ),
        (Kind::Inviter, json!({"product": "CloudManager"}), "product cannot be changed: create another inviter"),
        (Kind::Inviter, json!({"baseUrl": "https://cloud.mongodb.com"}), "baseUrl cannot be changed"),
        (
            Kind::ClusterInviter,
            json!({"baseUrl": "https://other.example.com"}),
            "baseUrl cannot be changed: create another inviter for the other host",
        ),
        (Kind::ClusterInviter, json!({"product": "Atlas"}), "product cannot be changed"),
        (Kind::ClusterInviter, json!({"baseUrl": null, "product": "Atlas"}), "baseUrl cannot be changed"),
        (
            Kind::ClusterInviter,
            json!({"namespaces": null}),
            "spec.namespaces: Required value: a ClusterInviter needs namespaces",
        ),
        (
            Kind::ClusterInviter,
            json!({"allow": null}),
            "spec.allow: Required value: a ClusterInviter needs allow.projects and allow.roles",
        ),
    ];
    for kind in [Kind::Invitation, Kind::Inviter, Kind::ClusterInviter] {
        kind.api(client).create(&PostParams::default(), &kind.object("changed", &json!({}))).await.unwrap();
    }
    let mut wrong = Vec::new();
    for (kind, changed, expected) in cases {
        let patch = Patch::Merge(json!({ "spec": changed }));
        let refusal = message(kind.api(client).patch("changed", &PatchParams::default(), &patch).await);
        wrong.extend(judged(kind, &changed, &refusal, expected));
    }
    wrong
}

fn judged(kind: Kind, changed: &Value, refusal: &str, expected: &str) -> Option<String> {
    println!("{kind:?} {changed}\n    {refusal}");
    let noise = NOISE.into_iter().find(|noise| refusal.contains(noise));
    match (refusal.contains(expected), noise) {
        (true, None) => None,
        (false, _) => Some(format!("{kind:?} {changed}\n    must say: {expected}\n    but says: {refusal}")),
        (true, Some(noise)) => Some(format!("{kind:?} {changed}\n    says '{noise}' in: {refusal}")),
    }
}
