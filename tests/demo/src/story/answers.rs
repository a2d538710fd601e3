//! What people do with an invitation: accept it, or let it expire.

use super::TEAM_OBJECTS;
use crate::samples::PROJECT;
use crate::stage::Stage;
use anyhow::Result;
use atlas_sim::Span;

/// Long enough to be seen as Invited, short enough to wait for.
const SHORT_LIFE: Span = Span::seconds(6);

/// Jane follows the link of her e-mail.
pub(super) async fn jane_accepts(stage: &mut Stage) -> Result<()> {
    stage.terminal.say("Jane follows the link in her e-mail. Nobody tells the operator: it sees that she is a member.");
    let accepted = stage.simulator.accept(PROJECT, "jane.doe@example.com");
    stage.check("Jane accepts in the simulator", accepted);
    stage.wait("the operator sees it", "pinv/jane-doe", ".status.phase", "Accepted").await?;
    stage.show(TEAM_OBJECTS).await
}

/// Sam's invitation dies of old age.
pub(super) async fn sam_lets_it_expire(stage: &mut Stage) -> Result<()> {
    stage.terminal.say("Invitations live for 30 days. The simulator lets this one live for 6 seconds.");
    let mut usual = Span::ZERO;
    stage.simulator.configure(|behaviour| {
        usual = behaviour.invitation_life;
        behaviour.invitation_life = SHORT_LIFE;
    });
    let invited = invite_sam(stage).await;
    stage.simulator.configure(|behaviour| behaviour.invitation_life = usual);
    invited?;
    stage.wait("it expired, and is not sent again by itself", "pinv/sam-berg", ".status.phase", "Expired").await?;
    stage.show(TEAM_OBJECTS).await?;
    stage.check("Sam got one e-mail", stage.mails("sam.berg@example.com") == 1);
    Ok(())
}

async fn invite_sam(stage: &mut Stage) -> Result<()> {
    stage.apply("deploy/rehearsal/expires.yaml", "ProjectInvitation").await?;
    stage.wait("Sam is invited", "pinv/sam-berg", ".status.phase", "Invited").await
}
