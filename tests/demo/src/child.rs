//! A process that cannot outlive this one.
//!
//! Owns its life: a small shell starts it and holds the reading end of a pipe. A line on the pipe is a signal to pass on;
//! when the pipe closes, because the value was dropped or because this process died of anything, the shell asks the
//! process to end and kills it if it does not. The shell has a process group of its own, so that a Ctrl-C in the
//! terminal reaches only the demo, which then ends things in order.

use anyhow::{Context, Result, bail};
use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const KEEPER: &str = r#"
exec 3<&0 </dev/null
"$@" 3<&- &
child=$!
{
    while read -r signal; do kill -"$signal" "$child"; done
    kill -TERM "$child"
    for _ in 1 2 3 4 5 6 7 8 9 10; do sleep 1; kill -0 "$child" || exit 0; done
    kill -KILL "$child"
} <&3 >/dev/null 2>&1 &
listener=$!
exec 3<&-
wait "$child"
status=$?
kill -KILL "$listener" 2>/dev/null
exit "$status"
"#;

/// How long a process that was told to end may take on a busy machine.
const GONE_WITHIN: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(20);

/// A running process and the shell that keeps it.
#[derive(Debug)]
pub(crate) struct KeptChild {
    shell: Child,
}

impl KeptChild {
    /// Starts a program with a prepared environment; everything it prints is appended to the log.
    pub(crate) fn start(program: &Path, args: &[String], environment: &Environment, log: &Path) -> Result<Self> {
        let out = File::options().create(true).append(true).open(log);
        let out = out.with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", KEEPER, "demo-keeper"]).arg(program).args(args);
        for name in &environment.without {
            command.env_remove(name);
        }
        command.envs(environment.with.iter().map(|(name, value)| (name, value)));
        let shell = command
            .stdin(Stdio::piped())
            .stdout(out.try_clone()?)
            .stderr(out)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { shell })
    }

    /// Kills it at once, as a power cut does.
    pub(crate) async fn cut(mut self) -> Result<()> {
        if let Some(pipe) = self.shell.stdin.as_mut() {
            pipe.write_all(b"KILL\n").context("cannot kill the process")?;
        }
        self.gone().await
    }

    /// Asks it to end and waits until it has.
    pub(crate) async fn end(mut self) -> Result<()> {
        drop(self.shell.stdin.take());
        self.gone().await
    }

    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.shell.try_wait(), Ok(None))
    }

    async fn gone(&mut self) -> Result<()> {
        let end = Instant::now() + GONE_WITHIN;
        while self.is_running() {
            if Instant::now() >= end {
                bail!("a process is still there after it was told to go");
            }
            sleep(POLL).await;
        }
        Ok(())
    }
}

/// What is added to this process's own environment, and what is taken away from it.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    pub(crate) with: Vec<(String, String)>,
    pub(crate) without: Vec<String>,
}
