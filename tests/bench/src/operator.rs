//! One operator process: started, asked whether it is ready, ended.
//!
//! Must never outlive the benchmark.

use crate::process::{Usage, usage};
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

const READY_WITHIN: Duration = Duration::from_secs(300);
const ENDS_WITHIN: Duration = Duration::from_secs(60);
/// How often a process is asked whether it is ready: what its time is exact to.
const ASKED_EVERY: Duration = Duration::from_millis(1);

/// What the readiness page says of a process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ready {
    /// It has seen everything; what a Pod's readiness is.
    Any,
    /// It leads and acts.
    Leads,
    /// It stands by.
    StandsBy,
}

/// A running operator.
pub(crate) struct Operator {
    child: Child,
    port: u16,
    started: Instant,
}

impl Operator {
    /// Starts one.
    pub(crate) fn start<Flag: AsRef<str>>(binary: &Path, kubeconfig: &Path, flags: &[Flag]) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let started = Instant::now();
        let child = Command::new(binary)
            .arg("run")
            .args([&format!("--listen=127.0.0.1:{port}"), "--log-level=error"])
            .args(flags.iter().map(AsRef::as_ref))
            .env("KUBECONFIG", kubeconfig)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        Ok(Self { child, port, started })
    }

    pub(crate) fn pid(&self) -> Result<u32> {
        self.child.id().context("the operator has ended by itself")
    }

    /// What it uses now.
    pub(crate) fn usage(&self) -> Result<Usage> {
        usage(self.pid()?)
    }

    /// Waits until its readiness says so; returns how long that was after its start.
    pub(crate) async fn until(&mut self, ready: Ready) -> Result<Duration> {
        let looking = async {
            loop {
                if let Some(status) = self.child.try_wait()? {
                    bail!("the operator ended by itself: {status}");
                }
                let page = self.page("/readyz").await.unwrap_or_default();
                let said = match ready {
                    Ready::Any => page == "ok\n" || page == "ok (standby)\n",
                    Ready::Leads => page == "ok\n",
                    Ready::StandsBy => page == "ok (standby)\n",
                };
                if said {
                    return Ok(self.started.elapsed());
                }
                tokio::time::sleep(ASKED_EVERY).await;
            }
        };
        tokio::time::timeout(READY_WITHIN, looking).await.context("the operator does not become ready")?
    }

    /// The sum of a metric over all its labels that hold `part`.
    pub(crate) async fn metric(&self, name: &str, part: &str) -> Result<f64> {
        let page = self.page("/metrics").await?;
        let samples = page.lines().filter(|line| line.starts_with(name) && line.contains(part));
        Ok(samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }

    /// Over a connection of its own, by hand: making a client would take longer than some starts.
    async fn page(&self, path: &str) -> Result<String> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await?;
        let (_, body) = answer.split_once("\r\n\r\n").context("no answer")?;
        Ok(body.to_owned())
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        kill_process(Pid::from_raw(i32::try_from(self.pid()?)?).context("no process")?, signal)?;
        Ok(())
    }

    /// Ends it as Kubernetes does.
    pub(crate) async fn terminate(mut self) -> Result<()> {
        self.signal(Signal::TERM)?;
        match tokio::time::timeout(ENDS_WITHIN, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(status) => bail!("the operator ended with {status:?}"),
            Err(_) => bail!("the operator does not end"),
        }
    }
}
