//! Everything that does not lead to an e-mail, and how one learns why.

use super::TEAM_OBJECTS;
use crate::samples::TEAM;
use crate::stage::Stage;
use anyhow::Result;
use serde_json::Value;

const READY_REASON: &str = r#".status.conditions[?(@.type=="Ready")].reason"#;

/// An inviter that only looks.
pub(super) async fn observe(stage: &mut Stage) -> Result<()> {
    stage.apply("deploy/samples/7-observe.yaml", "Inviter").await?;
    stage.wait("the plan is shown", "pinv/mia-lind", ".status.plan", "Invite").await?;
    stage
        .show(&format!("get pinv mia-lind -n {TEAM} -o custom-columns=USERNAME:.spec.username,PLAN:.status.plan"))
        .await?;
    stage.check("Mia got no e-mail", stage.mails("mia.lind@example.com") == 0);
    Ok(())
}

/// Refused by the schema's rules.
pub(super) async fn by_kubernetes(stage: &mut Stage) -> Result<()> {
    let answer = stage.try_to_apply("deploy/rehearsal/refused-by-kubernetes.yaml", "ProjectInvitation").await?;
    let says = |part: &str| answer.complaint.contains(part);
    let explained =
        !answer.succeeded && says("must be the person's e-mail address") && says("must be a MongoDB project role");
    stage.check("it is refused, and the reason says what to write", explained);
    Ok(())
}

/// Refused by the API.
pub(super) async fn by_mongodb(stage: &mut Stage) -> Result<()> {
    stage.apply("deploy/rehearsal/refused-by-mongodb.yaml", "ProjectInvitation").await?;
    stage.wait("MongoDB knows no such role: Refused", "pinv/li-wei", READY_REASON, "Refused").await?;
    let li = stage.invitation("li-wei").await?;
    let stalled = condition(&li, "Stalled");
    let message = stalled.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
    stage.terminal.field("Stalled", stalled.get("status").and_then(Value::as_str).unwrap_or_default());
    stage.terminal.field("message", &message);
    let told = stalled.get("status").and_then(Value::as_str) == Some("True") && message.contains("INVALID_ENUM_VALUE");
    stage.check("it is Stalled, with MongoDB's own code and detail", told);
    stage.show(TEAM_OBJECTS).await?;
    stage.check("Li got no e-mail", stage.mails("li.wei@example.com") == 0);
    Ok(())
}

/// Refused by the platform team.
pub(super) async fn by_policy(stage: &mut Stage) -> Result<()> {
    stage.apply("deploy/samples/4-clusterinviter.yaml", "ClusterInviter").await?;
    stage.apply("deploy/samples/6-invitation-with-every-field.yaml", "ProjectInvitation").await?;
    stage.wait("inside the limits: Omar is invited", "pinv/omar-haddad", ".status.phase", "Invited").await?;
    stage.apply("deploy/rehearsal/outside-the-policy.yaml", "ProjectInvitation").await?;
    stage.wait("outside: Eve is not", "pinv/eve-stone", READY_REASON, "PolicyDenied").await?;
    let eve = stage.invitation("eve-stone").await?;
    let message = condition(&eve, "Stalled").get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
    stage.terminal.field("message", &message);
    let asked = stage.simulator.requests().iter().any(|request| format!("{request:?}").contains("eve.stone"));
    stage.check("nothing about Eve went over the network", !asked && message.contains("GROUP_OWNER"));
    Ok(())
}

fn condition(object: &Value, kind: &str) -> Value {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let found = conditions.into_iter().flatten().find(|entry| entry.get("type").and_then(Value::as_str) == Some(kind));
    found.cloned().unwrap_or(Value::Null)
}
