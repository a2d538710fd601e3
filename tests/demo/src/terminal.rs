//! What the reader sees.
//!
//! Owns the look: colours only on a terminal and when `NO_COLOR` is unset, everything else the same everywhere, so that
//! a log of the demo reads like the demo. Must never hold a sentence of the story, and never fail because nobody reads.

use std::io::{IsTerminal, Write};

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const CYAN: &str = "36";

/// Writes to standard output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    colours: bool,
}

impl Terminal {
    pub(crate) fn of_this_process() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { colours: wanted && std::io::stdout().is_terminal() }
    }

    pub(crate) fn title(self) {
        print(&format!(
            "\n{}  {}",
            self.paint(BOLD, "invitation-operator"),
            self.paint(DIM, "a real Kubernetes API, simulated MongoDB APIs, no e-mail to anybody")
        ));
    }

    /// A new part of the story.
    pub(crate) fn scene(self, title: &str) {
        print(&format!("\n{} {}", self.paint(CYAN, "▸"), self.paint(BOLD, title)));
    }

    /// A sentence or two.
    #[allow(clippy::unused_self)] // plain words have no colour, and still come from the terminal
    pub(crate) fn say(self, text: &str) {
        for line in text.lines() {
            print(&format!("  {line}"));
        }
    }

    /// Something that happened as it should.
    pub(crate) fn ok(self, text: &str) {
        print(&format!("  {} {text}", self.paint(GREEN, "✓")));
    }

    /// Something that did not.
    pub(crate) fn failed(self, text: &str) {
        print(&format!("  {} {text}", self.paint(RED, "✗")));
    }

    /// An aside.
    pub(crate) fn note(self, text: &str) {
        for line in text.lines() {
            print(&format!("  {}", self.paint(DIM, line)));
        }
    }

    /// Lines of a manifest.
    pub(crate) fn manifest(self, text: &str) {
        for line in text.lines() {
            let shown = match line.split_once(": ") {
                Some((key, value)) => format!("{}: {value}", self.paint(CYAN, key)),
                None => self.paint(CYAN, line),
            };
            print(&format!("    {} {shown}", self.paint(DIM, "│")));
        }
    }

    /// A command and what it printed.
    pub(crate) fn command(self, command: &str, output: &str) {
        print(&format!("    {} {}", self.paint(DIM, "$"), self.paint(BOLD, command)));
        for line in output.trim_end().lines() {
            print(&format!("    {}", self.of_kubectl(line)));
        }
    }

    /// A name and its value, in columns.
    pub(crate) fn field(self, name: &str, value: &str) {
        print(&format!("    {} {value}", self.paint(DIM, &format!("{name:<12}"))));
    }

    /// A line to copy.
    pub(crate) fn paste(self, line: &str) {
        print(&format!("    {}", self.paint(BOLD, line)));
    }

    /// What stopped the demo.
    pub(crate) fn trouble(self, text: &str) {
        let mut lines = text.lines();
        print(&format!("\n  {} {}", self.paint(RED, "✗"), lines.next().unwrap_or_default()));
        for line in lines {
            print(&format!("    {line}"));
        }
    }

    /// Words that a reader looks for get a colour.
    fn of_kubectl(self, line: &str) -> String {
        if !self.colours {
            return line.to_owned();
        }
        let mut shown = line.to_owned();
        for (word, colour) in
            [("Accepted", GREEN), ("Invited", CYAN), ("Expired", YELLOW), ("Failed", RED), ("Pending", YELLOW)]
        {
            shown = shown.replace(&format!(" {word} "), &format!(" {} ", self.paint(colour, word)));
        }
        shown
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _nobody_reads = writeln!(out, "{text}").and_then(|()| out.flush());
}
