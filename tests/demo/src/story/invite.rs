//! A team gets its inviter and invites the first person.

use super::TEAM_OBJECTS;
use crate::samples::TEAM;
use crate::stage::Stage;
use anyhow::Result;
use serde_json::Value;

/// Credentials and the two kinds of inviters.
pub(super) async fn inviters(stage: &mut Stage) -> Result<()> {
    stage.terminal.say("An API key lies in a Secret of the team's namespace; the Inviter names it.");
    stage.apply("deploy/samples/2-credentials.yaml", "Secret").await?;
    stage.apply("deploy/samples/3-inviter.yaml", "Inviter").await?;
    let ready = r#".status.conditions[?(@.type=="Ready")].status"#;
    stage.wait("MongoDB accepts the credentials: the Inviter is ready", "inviter/atlas", ready, "True").await?;
    stage.show(&format!("get inviters -n {TEAM}")).await
}

/// The first invitation.
pub(super) async fn jane(stage: &mut Stage) -> Result<()> {
    stage.apply("deploy/samples/5-invitation.yaml", "ProjectInvitation").await?;
    stage.wait("Jane is invited", "pinv/jane-doe", ".status.phase", "Invited").await?;
    let jane = stage.invitation("jane-doe").await?;
    let status = |field: &str| {
        let path = format!("/status/{field}");
        jane.pointer(&path).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let (id, created, expires) = (status("id"), status("createdAt"), status("expiresAt"));
    stage.terminal.field("id", &id);
    stage.terminal.field("created", &created);
    stage.terminal.field("expires", &expires);
    // Both are RFC 3339 in UTC, so that they compare as text.
    let dated = id.len() == 24 && !created.is_empty() && created < expires;
    stage.check("id, createdAt and expiresAt stand in the status", dated);
    stage.show(TEAM_OBJECTS).await?;
    stage.check("Jane got one e-mail", stage.mails("jane.doe@example.com") == 1);
    Ok(())
}
