//! What `kubectl get` and `kubectl explain` print.

use crate::{Kind, NAMESPACE};
use control_plane::ControlPlane;
use kube::Client;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::json;

pub(crate) async fn columns(client: &Client, plane: &ControlPlane) {
    let condition = json!({
        "type": "Ready", "status": "True", "reason": "Invited", "message": "invited, waiting for the person",
        "lastTransitionTime": "2030-01-01T00:00:00Z", "observedGeneration": 1,
    });
    let api = Kind::Invitation.api(client);
    api.create(&PostParams::default(), &Kind::Invitation.object("shown", &json!({}))).await.unwrap();
    let status = json!({"status": {
        "phase": "Invited", "id": "6f1d7c8e9a3b2c4d5e6f7a8b", "expiresAt": "2030-01-31T00:00:00Z",
        "observedGeneration": 1, "conditions": [condition],
    }});
    api.patch_status("shown", &PatchParams::default(), &Patch::Merge(status)).await.unwrap();

    let narrow = kubectl(plane, &["get", "pinv", "shown"]);
    println!("{narrow}");
    for part in [
        "USERNAME",
        "PHASE",
        "READY",
        "EXPIRES",
        "AGE",
        "jane.doe@example.com",
        "Invited",
        "True",
        "2030-01-31T00:00:00Z",
    ] {
        assert!(narrow.contains(part), "{part} is not in:\n{narrow}");
    }
    let wide = kubectl(plane, &["get", "pinv", "shown", "--output=wide"]);
    println!("{wide}");
    for part in ["PROJECT", "ROLES", "ID", "INVITER", "MESSAGE", "GROUP_READ_ONLY", "atlas", "waiting for the person"] {
        assert!(wide.contains(part), "{part} is not in:\n{wide}");
    }
    let category = kubectl(plane, &["get", "mongodb"]);
    println!("{category}");
    for part in
        ["projectinvitation.invitation-operator.io/shown", "inviter.invitation-operator.io/changing", "clusterinviter"]
    {
        assert!(category.contains(part), "{part} is not in:\n{category}");
    }
    for selector in
        ["spec.username=jane.doe@example.com", "spec.projectId=5f1d7c8e9a3b2c4d5e6f7a8b", "status.phase=Invited"]
    {
        let selected = kubectl(plane, &["get", "pinv", "--field-selector", selector]);
        assert!(selected.contains("shown"), "{selector} does not select: {selected}");
    }
}

pub(crate) fn explanations(plane: &ControlPlane) {
    for kind in ["projectinvitations", "inviters", "clusterinviters", "invitationclaims"] {
        let explained = kubectl(plane, &["explain", kind, "--recursive"]);
        assert!(explained.contains("DESCRIPTION"), "{explained}");
        assert!(!explained.contains("<empty>"), "{kind} has fields without description:\n{explained}");
    }
    let roles = kubectl(plane, &["explain", "pinv.spec.roles"]);
    assert!(roles.contains("such as GROUP_READ_ONLY"), "{roles}");
}

fn kubectl(plane: &ControlPlane, args: &[&str]) -> String {
    let output = plane.kubectl().args(args).args(["--namespace", NAMESPACE]).output().unwrap();
    assert!(output.status.success(), "kubectl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
