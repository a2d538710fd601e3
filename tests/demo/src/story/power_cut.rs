//! The worst moment: the e-mail is out, its answer is not in, and the operator dies.

use super::TEAM_OBJECTS;
use crate::stage::Stage;
use anyhow::Result;
use atlas_sim::{Endpoint, Fault, FaultRule, Span};

const ANA: &str = "ana.costa@example.com";

/// Kills the operator between the e-mail and its answer, and starts it again.
pub(super) async fn play(stage: &mut Stage) -> Result<()> {
    stage.terminal.say(
        "MongoDB sends Ana's e-mail, the answer does not come, and the operator is killed (SIGKILL).\n\
         A second request would be a second e-mail.",
    );
    stage.simulator.add_fault(FaultRule::new(Fault::HangAfter).on(Endpoint::CreateGroupInvite).username(ANA).once());
    stage.apply("deploy/rehearsal/answer-lost.yaml", "ProjectInvitation").await?;
    let mailed = stage.simulator.wait_until(Span::seconds(60), |simulator| simulator.mails_to(ANA).len() == 1).await;
    stage.check("Ana's e-mail is out", mailed);
    stage.cut_operator().await?;
    stage.terminal.ok("the operator is dead");
    stage.start_operator("a new one runs, and finds an attempt without an answer in its ledger").await?;
    stage.wait("it looks, finds Ana's invitation and records it", "pinv/ana-costa", ".status.phase", "Invited").await?;
    stage.show(TEAM_OBJECTS).await?;
    let sam = stage.invitation("sam-berg").await?;
    stage.check(
        "what was known before the power cut is known after it",
        sam.pointer("/status/phase") == Some(&"Expired".into()),
    );
    stage.check("Ana got one e-mail, not two", stage.mails(ANA) == 1);
    Ok(())
}
