//! The operator as a process of its own.
//!
//! Owns its life: it ends with this value, and with this process however that ends.

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Kills the operator when this process is gone, unless it was told that nothing is left to kill.
const WATCHDOG: &str = r#"read -r over || kill -KILL "$1""#;

/// How the operator is started, each time anew.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// The binary.
    pub program: PathBuf,
    /// Flags of `run`.
    pub flags: Vec<String>,
    /// Where it logs to; appended.
    pub log: PathBuf,
}

/// A running operator.
#[derive(Debug)]
pub struct Operator {
    child: Child,
    watchdog: Child,
}

impl Operator {
    /// Starts it.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn start(recipe: &Recipe) -> Result<Self> {
        let out = File::options().create(true).append(true).open(&recipe.log)?;
        let child = Command::new(&recipe.program)
            .arg("run")
            .args(&recipe.flags)
            .env_remove("RUST_LOG")
            .env_remove("KUBECONFIG")
            // The simulator takes any number; a pace would only make everything slower.
            .env("INVITATION_OPERATOR_INVITATIONS_PER_MINUTE", "unlimited")
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("cannot start {}", recipe.program.display()))?;
        let watchdog = Command::new("/bin/sh")
            .args(["-c", WATCHDOG, "watchdog", &child.id().to_string()])
            .stdin(Stdio::piped())
            .spawn()?;
        Ok(Self { child, watchdog })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Stops it in its tracks.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // It may have ended in between.
        let _gone = pid.map(|pid| kill_process(pid, signal));
    }
}

impl Drop for Operator {
    /// Kills it: nothing is finished, nothing is recorded. It is gone when this returns.
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _status = self.child.wait();
        if let Some(mut pipe) = self.watchdog.stdin.take() {
            let _over = pipe.write_all(b"over\n");
        }
        let _status = self.watchdog.wait();
    }
}

/// The operator's binary: what was named, else the one beside this program or beside its folder.
///
/// # Errors
/// When there is none.
pub fn find_operator(named: Option<&Path>) -> Result<PathBuf> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let this = std::env::current_exe().context("cannot find this program")?;
    let beside = this.ancestors().skip(1).take(2).map(|folder| folder.join("invitation-operator"));
    beside
        .into_iter()
        .find(|program| program.is_file())
        .context("there is no invitation-operator here: make build, or make test")
}

/// The last lines of a log.
#[must_use]
pub fn end_of_log(file: &Path) -> String {
    let text = std::fs::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let mut lines: Vec<&str> = text.lines().rev().take(30).collect();
    lines.reverse();
    lines.join("\n")
}
