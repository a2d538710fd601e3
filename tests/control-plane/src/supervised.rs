//! One process of the control plane, under a small supervising shell.
//!
//! Owns: the process's life. The shell's standard input is a pipe from this
//! process: a line on it is a signal to pass on, its end means "kill", and it
//! ends when the value is dropped or when this process dies of anything,
//! SIGKILL included. The shell runs in a process group of its own, so that a
//! Ctrl-C or a test runner that kills its group does not kill the supervisor
//! before what it supervises. (The kernel's own "signal on parent's death"
//! follows the spawning thread, which in an async program comes and goes.)
//!
//! Must never: start anything that the shell does not watch from its first
//! moment, or pass the caller's environment on.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::error::Error;

const SUPERVISOR: &str = r#"
exec 3<&0 </dev/null
"$@" 3<&- &
child=$!
{
    while read -r signal; do kill -"$signal" "$child"; done
    kill -KILL "$child"
} <&3 2>/dev/null &
listener=$!
wait "$child"
status=$?
kill -KILL "$listener"
exit "$status"
"#;

/// How long a process may take to end after it was asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(10);
/// How long a killed process may take to be gone on a busy machine.
const KILLED: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(10);

/// A signal that can be passed on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signal {
    Terminate,
    Pause,
    Resume,
}

/// A running process and its supervising shell.
#[derive(Debug)]
pub(crate) struct Supervised {
    name: &'static str,
    shell: Child,
    log: PathBuf,
}

impl Supervised {
    /// Starts a program in a folder; its log is `<name>.log` there, appended to.
    pub(crate) fn spawn(name: &'static str, program: &Path, args: &[String], folder: &Path) -> Result<Self, Error> {
        let log = folder.join(format!("{name}.log"));
        let spawn = || {
            let out = File::options().create(true).append(true).open(&log)?;
            Command::new("/bin/sh")
                .args(["-c", SUPERVISOR, "control-plane-supervisor"])
                .arg(program)
                .args(args)
                .current_dir(folder)
                .env_clear()
                .env("PATH", "/usr/bin:/bin")
                .env("HOME", folder)
                .env("TMPDIR", folder)
                .stdin(Stdio::piped())
                .stdout(out.try_clone()?)
                .stderr(out)
                .process_group(0)
                .spawn()
        };
        let shell = spawn().map_err(Error::os(format!("start {name}")))?;
        Ok(Self { name, shell, log })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Fails, with the end of the log, if the process has ended.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        match self.ended()? {
            None => Ok(()),
            Some(status) => Err(Error::Ended { component: self.name, status, log: self.end_of_log() }),
        }
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>, Error> {
        self.shell.try_wait().map_err(Error::os(format!("wait for {}", self.name)))
    }

    pub(crate) fn signal(&mut self, signal: Signal) -> Result<(), Error> {
        let line: &[u8] = match signal {
            Signal::Terminate => b"TERM\n",
            Signal::Pause => b"STOP\n",
            Signal::Resume => b"CONT\n",
        };
        let write = match self.shell.stdin.as_mut() {
            Some(pipe) => pipe.write_all(line),
            None => Err(io::Error::from(io::ErrorKind::BrokenPipe)),
        };
        write.map_err(Error::os(format!("signal {}", self.name)))
    }

    /// Asks the process to end, kills it if it does not, waits until it is gone.
    pub(crate) async fn stop(&mut self) -> Result<(), Error> {
        if self.ended()?.is_none() {
            self.signal(Signal::Terminate)?;
            if self.gone_within(GRACE).await? {
                return Ok(());
            }
        }
        self.kill().await
    }

    /// Kills the process and waits until it is gone.
    pub(crate) async fn kill(&mut self) -> Result<(), Error> {
        drop(self.shell.stdin.take());
        if self.gone_within(KILLED).await? {
            return Ok(());
        }
        Err(Error::LeftBehind(self.name.to_owned()))
    }

    async fn gone_within(&mut self, limit: Duration) -> Result<bool, Error> {
        let end = Instant::now() + limit;
        loop {
            if self.ended()?.is_some() {
                return Ok(true);
            }
            if Instant::now() >= end {
                return Ok(false);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The last lines of the log, shortened to what a person reads.
    pub(crate) fn end_of_log(&self) -> String {
        const LINES: usize = 25;
        const WIDTH: usize = 600;
        let text = match fs::read(&self.log) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => return format!("(it cannot be read: {error})"),
        };
        let mut last: Vec<String> =
            text.lines().rev().take(LINES).map(|line| line.chars().take(WIDTH).collect()).collect();
        last.reverse();
        last.join("\n")
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        wait_until_gone(&mut self.shell, KILLED);
    }
}

/// Waits, blocking, until a shell that was told to go is gone.
pub(crate) fn wait_until_gone(shell: &mut Child, limit: Duration) {
    let end = Instant::now() + limit;
    while matches!(shell.try_wait(), Ok(None)) && Instant::now() < end {
        std::thread::sleep(POLL);
    }
}
