//! What the demo claims, and whether it held.
//!
//! Owns the list and its summary. Must never turn a failed check into a passed one by trying again: whoever checks has
//! waited already.

use crate::terminal::Terminal;
use anyhow::Result;

/// The checks so far.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    held: usize,
    failed: Vec<String>,
}

impl Checks {
    /// Notes a claim, and shows it.
    pub(crate) fn note(&mut self, terminal: Terminal, claim: &str, held: bool) {
        if held {
            self.held += 1;
            terminal.ok(claim);
        } else {
            self.failed.push(claim.to_owned());
            terminal.failed(claim);
        }
    }

    /// Notes that a part of the story could not be told.
    pub(crate) fn scene_ended(&mut self, terminal: Terminal, title: &str, ended: Result<()>) {
        if let Err(error) = ended {
            let text = format!("{title}: {error:#}");
            terminal.failed(&text);
            self.failed.push(text);
        }
    }

    pub(crate) fn all_held(&self) -> bool {
        self.failed.is_empty() && self.held > 0
    }

    pub(crate) fn summary(&self, terminal: Terminal) {
        terminal.scene("Summary");
        if self.failed.is_empty() {
            terminal.ok(&format!("{} of {} checks held", self.held, self.held));
            return;
        }
        terminal.failed(&format!("{} of {} checks failed:", self.failed.len(), self.held + self.failed.len()));
        for failed in &self.failed {
            terminal.say(&format!("  - {failed}"));
        }
    }
}
