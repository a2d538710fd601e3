//! What the reader may do while everything keeps running.

use crate::samples::{PROJECT, TEAM};
use crate::stage::Stage;

/// Says how to go on.
pub(crate) fn stay(stage: &Stage) {
    let terminal = stage.terminal;
    terminal.scene("Everything keeps running");
    if let Some(kubeconfig) = stage.cluster.kubeconfig() {
        terminal.say("In another terminal, paste:");
        terminal.paste(&format!("export KUBECONFIG={}", kubeconfig.display()));
        if let Some(tools) = stage.cluster.tools() {
            terminal.paste(&format!("export PATH=$PATH:{}", tools.display()));
        }
    }
    terminal.say("Look:");
    terminal.paste(&format!("kubectl get pinv -n {TEAM} --watch"));
    terminal.paste(&format!("kubectl describe pinv jane-doe -n {TEAM}"));
    terminal.paste("kubectl explain pinv.spec");
    terminal.say("Let Omar accept, and read every e-mail:");
    let control = stage.simulator.control_url();
    terminal.paste(&format!(
        "curl -d '{{\"projectId\":\"{PROJECT}\",\"username\":\"omar.haddad@example.com\"}}' {control}/sim/accept"
    ));
    terminal.paste(&format!("curl {control}/sim/outbox"));
    terminal.say("The rest:");
    terminal.field("metrics", &format!("http://{}/metrics", stage.recipe.address()));
    terminal.field("log", &stage.recipe.log.display().to_string());
    terminal.say("\nCtrl-C ends it all; only the log stays.");
}
