//! The operator as its users run it: a process with flags.
//!
//! Owns which flags, and the wait until it is ready. Must never use a library of the operator: the demo sees what a user
//! sees.

use crate::child::{Environment, KeptChild};
use crate::samples;
use anyhow::{Context, Result, bail};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

/// Every waiting time of the operator is divided by this, so that a minute passes in three seconds.
pub(crate) const HASTE: u32 = 20;

const READY_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

/// How the operator is started, each time anew.
#[derive(Debug)]
pub(crate) struct Recipe {
    program: PathBuf,
    args: Vec<String>,
    listen: SocketAddr,
    pub(crate) log: PathBuf,
}

impl Recipe {
    /// The operator beside this program, for a cluster and a simulator.
    pub(crate) async fn new(kubeconfig: Option<&Path>, simulator: SocketAddr) -> Result<Self> {
        let this = std::env::current_exe().context("cannot find this program")?;
        let folder = this.parent().context("this program lies nowhere")?;
        let program = folder.join("invitation-operator");
        if !program.is_file() {
            bail!("there is no {}: build it first (make demo does)", program.display());
        }
        let logs = folder.join("demo-logs");
        std::fs::create_dir_all(&logs).with_context(|| format!("cannot make {}", logs.display()))?;
        let log = logs.join("operator.log");
        std::fs::write(&log, "").with_context(|| format!("cannot write {}", log.display()))?;
        let listen = free_address().await?;
        let mut args = vec!["run".to_owned()];
        if let Some(kubeconfig) = kubeconfig {
            args.push(format!("--kubeconfig={}", kubeconfig.display()));
        }
        args.extend([
            format!("--operator-namespace={}", samples::OPERATOR),
            format!("--allowed-hosts={simulator}"),
            format!("--listen={listen}"),
            "--log-format=text".to_owned(),
            format!("--unsafe-timings={HASTE}"),
            // The only replica: after a crash it need not wait for a lease of its own.
            "--leader-elect=false".to_owned(),
            // Divided like all the others, and a busy machine still needs some seconds.
            format!("--post-deadline={}s", 10 * HASTE),
            // The simulator of this story takes any number.
            "--invitations-per-minute=unlimited".to_owned(),
        ]);
        Ok(Self { program, args, listen, log })
    }

    /// Where it serves its probes and metrics.
    pub(crate) fn address(&self) -> SocketAddr {
        self.listen
    }

    /// Starts the operator and waits until it is ready.
    pub(crate) async fn start(&self) -> Result<KeptChild> {
        let foreign = |name: &str| name.starts_with("INVITATION_OPERATOR_") || name == "RUST_LOG";
        let without = std::env::vars().map(|(name, _)| name).filter(|name| foreign(name)).collect();
        let environment = Environment { with: Vec::new(), without };
        let mut child = KeptChild::start(&self.program, &self.args, &environment, &self.log)?;
        let end = Instant::now() + READY_WITHIN;
        while !self.is_ready().await {
            if !child.is_running() {
                bail!("the operator ended by itself; the end of its log:\n{}", self.end_of_log());
            }
            if Instant::now() >= end {
                bail!(
                    "the operator was not ready within {} s; the end of its log:\n{}",
                    READY_WITHIN.as_secs(),
                    self.end_of_log()
                );
            }
            sleep(POLL).await;
        }
        Ok(child)
    }

    async fn is_ready(&self) -> bool {
        let ask = async {
            let mut stream = TcpStream::connect(self.listen).await?;
            stream.write_all(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n").await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            std::io::Result::Ok(answer)
        };
        match timeout(Duration::from_secs(5), ask).await {
            Ok(Ok(answer)) => answer.windows(5).take(20).any(|part| part == b" 200 "),
            _ => false,
        }
    }

    /// The last lines of the log.
    pub(crate) fn end_of_log(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let mut lines: Vec<&str> = text.lines().rev().take(15).collect();
        lines.reverse();
        lines.join("\n")
    }
}

/// An address that nobody listens on now.
async fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    Ok(listener.local_addr()?)
}
