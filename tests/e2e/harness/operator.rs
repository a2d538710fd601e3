//! The operator as a process of its own.
//!
//! Owns its life: it ends with this value, and with this process however that ends.

use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::Duration;
use tokio::net::TcpSocket;

/// Kills the operator when this process is gone, unless it was told that nothing is left to kill.
const WATCHDOG: &str = r#"read -r over || kill -KILL "$1""#;

/// What runs the operator: the binary of this build, unless a test set it before the first start.
pub static PROGRAM: OnceLock<Vec<OsString>> = OnceLock::new();

/// A running operator.
pub struct Operator {
    child: Child,
    watchdog: Child,
    port: u16,
    _reserved: TcpSocket,
    log: PathBuf,
}

/// A bound socket that never listens: the operator listens beside it, and nobody else can take the port before.
fn reserve() -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    Ok(socket)
}

impl Operator {
    /// Starts `invitation-operator run` with these flags and variables; its log is appended to the file.
    pub fn start(flags: &BTreeMap<String, String>, variables: &BTreeMap<String, String>, log: &Path) -> Self {
        let reserved = reserve().unwrap();
        let port = reserved.local_addr().unwrap().port();
        let out = File::options().create(true).append(true).open(log).unwrap();
        let command = PROGRAM.get_or_init(|| vec![env!("CARGO_BIN_EXE_invitation-operator").into()]);
        let child = Command::new(&command[0])
            .args(&command[1..])
            .arg("run")
            .args(flags.iter().map(|(flag, value)| format!("{flag}={value}")))
            .arg(format!("--listen=127.0.0.1:{port}"))
            .env_remove("RUST_LOG")
            .env_remove("KUBECONFIG")
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap();
        let watchdog = Command::new("/bin/sh")
            .args(["-c", WATCHDOG, "watchdog", &child.id().to_string()])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, watchdog, port, _reserved: reserved, log: log.to_owned() }
    }

    /// Everything it has logged.
    pub fn log(&self) -> String {
        read_log(&self.log)
    }

    /// Reads one of its pages: status and text.
    pub async fn page(&self, path: &str) -> Option<(u16, String)> {
        let answer = reqwest::get(format!("http://127.0.0.1:{}{path}", self.port)).await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Stops it in its tracks.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Kills it: nothing is finished, nothing is recorded.
    pub fn kill(mut self) {
        self.end();
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        let ended = async {
            loop {
                if let Some(status) = self.child.try_wait().unwrap() {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), ended).await.expect("the operator does not end")
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(mut pipe) = self.watchdog.stdin.take() {
            let _ = pipe.write_all(b"over\n");
        }
        let _ = self.watchdog.wait();
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.end();
    }
}

/// A log without what is no text.
pub fn read_log(file: &Path) -> String {
    std::fs::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}
