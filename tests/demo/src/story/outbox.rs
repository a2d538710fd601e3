//! The account: every e-mail that the simulator sent.

use crate::stage::Stage;
use anyhow::Result;

const EXPECTED: [(&str, usize, &str); 7] = [
    ("jane.doe@example.com", 1, "accepted"),
    ("sam.berg@example.com", 1, "expired"),
    ("omar.haddad@example.com", 1, "invited by the platform team's inviter"),
    ("ana.costa@example.com", 1, "invited through a power cut"),
    ("mia.lind@example.com", 0, "only observed"),
    ("li.wei@example.com", 0, "refused by MongoDB"),
    ("eve.stone@example.com", 0, "refused by policy"),
];

/// Counts.
pub(super) async fn play(stage: &mut Stage) -> Result<()> {
    stage.show("get pinv -A").await?;
    for (address, _, story) in EXPECTED {
        let mails = match stage.mails(address) {
            0 => "no e-mail ".to_owned(),
            1 => "1 e-mail  ".to_owned(),
            many => format!("{many} e-mails"),
        };
        stage.terminal.field(&format!("{address:<24}"), &format!("{mails}  {story}"));
    }
    let each = EXPECTED.iter().all(|(address, expected, _)| stage.mails(address) == *expected);
    stage.check("nobody got more than one e-mail, and nobody one who should not", each);
    let sent = stage.simulator.outbox().len();
    let expected: usize = EXPECTED.iter().map(|(_, count, _)| count).sum();
    stage.check(&format!("{sent} e-mails in all"), sent == expected);
    Ok(())
}
