//! A page of a list of invitations, as an API server sends it.

use super::synced::Synced;
use anyhow::Result;
use invitation_operator::api::ProjectInvitation;
use invitation_operator::controller::lean::Lean;
use kube::core::ObjectList;
use serde_json::{Value, json};

/// All objects, with what an API server and `kubectl apply` add to each.
pub(super) fn of(synced: &Synced) -> Result<String> {
    let mut items = Vec::new();
    for object in synced.objects() {
        let mut item = serde_json::to_value(object.as_ref())?;
        let applied = serde_json::to_string(&json!({ "spec": item.get("spec") }))?;
        let owned = |fields: &[&str]| fields.iter().map(|field| (format!("f:{field}"), json!({}))).collect::<Value>();
        let entry = |manager: &str, operation: &str, fields: Value| {
            json!({
                "manager": manager, "operation": operation, "apiVersion": "invitation-operator.io/v1alpha1",
                "time": "2026-11-22T01:20:28Z", "fieldsType": "FieldsV1", "fieldsV1": fields,
            })
        };
        if let Some(metadata) = item.get_mut("metadata").and_then(Value::as_object_mut) {
            let fields = [
                (
                    "f:spec".to_owned(),
                    owned(&["deletion", "inviterRef", "projectId", "readyWhen", "roles", "username"]),
                ),
                (
                    "f:metadata".to_owned(),
                    json!({ "f:annotations": owned(&["kubectl.kubernetes.io/last-applied-configuration"]) }),
                ),
            ];
            let status = owned(&[
                "phase",
                "id",
                "createdAt",
                "expiresAt",
                "groupName",
                "inviterUsername",
                "roles",
                "conditions",
            ]);
            metadata.insert(
                "managedFields".to_owned(),
                json!([
                    entry("kubectl-client-side-apply", "Update", fields.into_iter().collect()),
                    entry(
                        "invitation-operator.io",
                        "Apply",
                        json!({ "f:metadata": { "f:finalizers": { "v:\"invitation-operator.io/invitation\"": {} } } })
                    ),
                    entry("invitation-operator.io", "Update", json!({ "f:status": status })),
                ]),
            );
            metadata.insert(
                "annotations".to_owned(),
                json!({ "kubectl.kubernetes.io/last-applied-configuration": applied }),
            );
        }
        items.push(item);
    }
    let list = json!({
        "apiVersion": "invitation-operator.io/v1alpha1", "kind": "ProjectInvitationList",
        "metadata": { "resourceVersion": "1", "continue": "next" }, "items": items,
    });
    Ok(list.to_string())
}

/// As the operator reads it.
pub(super) fn decode(page: &str) -> Result<Vec<ProjectInvitation>> {
    let list: ObjectList<Lean<ProjectInvitation>> = serde_json::from_str(page)?;
    Ok(list.items.into_iter().filter_map(|lean| lean.0.ok()).collect())
}
