//! How long nobody leads: from the end of the leader until another replica holds the Lease, with the times of production.

use crate::stage::{OPERATOR_NAMESPACE, install};
use anyhow::{Context, Result};
use control_plane::{ControlPlane, Options};
use invitation_operator::runtime::cluster::{WATCH_RENEWAL, connect};
use invitation_operator::runtime::settings::ClusterAccess;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::Api;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

const READY_WITHIN: Duration = Duration::from_secs(120);

/// How a leader ends.
#[derive(Clone, Copy)]
enum End {
    Terminated,
    Killed,
}

/// Ends so many leaders in each way and prints how long it took until another led.
pub(crate) async fn measure(operator: &Path, count: usize) -> Result<()> {
    let plane = ControlPlane::start(Options::default()).await?;
    let access = ClusterAccess { kubeconfig: Some(plane.kubeconfig_path().to_owned()), context: None };
    let client = connect(&access, WATCH_RENEWAL).await?;
    install(&client).await?;
    let leases: Api<Lease> = Api::namespaced(client, OPERATOR_NAMESPACE);
    let mut leader = Replica::start(operator, plane.kubeconfig_path())?;
    leader.until("ok\n").await?;
    for (name, end) in [("SIGTERM", End::Terminated), ("SIGKILL", End::Killed)] {
        let mut took = Vec::with_capacity(count);
        for number in 0..count {
            let next = Replica::start(operator, plane.kubeconfig_path())?;
            next.until("ok (standby)\n").await?;
            // Not always at the same moment between two renewals.
            tokio::time::sleep(Duration::from_millis(137) * u32::try_from(number)?).await;
            let from = holder(&leases).await?;
            let signal = match end {
                End::Terminated => Signal::TERM,
                End::Killed => Signal::KILL,
            };
            leader.signal(signal)?;
            took.push(until_taken(&leases, &from).await?);
            next.until("ok\n").await?;
            leader = next;
        }
        took.sort_unstable();
        let milliseconds: Vec<_> = took.iter().map(Duration::as_millis).collect();
        let median = milliseconds.get(milliseconds.len() / 2);
        println!(
            "{}",
            json!({ "leader": name, "times": count, "milliseconds": milliseconds, "medianMs": median, "maxMs": milliseconds.last() })
        );
    }
    drop(leader);
    plane.stop().await?;
    Ok(())
}

async fn holder(leases: &Api<Lease>) -> Result<String> {
    let lease = leases.get("invitation-operator").await?;
    Ok(lease.spec.and_then(|spec| spec.holder_identity).unwrap_or_default())
}

/// Until somebody else holds the Lease.
async fn until_taken(leases: &Api<Lease>, from: &str) -> Result<Duration> {
    let begun = Instant::now();
    loop {
        let now_is = holder(leases).await?;
        if !now_is.is_empty() && now_is != from {
            return Ok(begun.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// One operator process.
struct Replica {
    child: Child,
    port: u16,
}

impl Replica {
    fn start(operator: &Path, kubeconfig: &Path) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = Command::new(operator)
            .arg("run")
            .args([&format!("--listen=127.0.0.1:{port}"), "--log-level=warn"])
            .env("KUBECONFIG", kubeconfig)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", operator.display()))?;
        Ok(Self { child, port })
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let id = self.child.id().context("the replica has ended by itself")?;
        kill_process(Pid::from_raw(i32::try_from(id)?).context("no process")?, signal)?;
        Ok(())
    }

    /// Waits until its readiness says so.
    async fn until(&self, ready: &str) -> Result<()> {
        let looking = async {
            loop {
                let page = async { reqwest::get(format!("http://127.0.0.1:{}/readyz", self.port)).await?.text().await };
                if page.await.is_ok_and(|page| page == ready) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(READY_WITHIN, looking).await.with_context(|| format!("a replica does not say {ready:?}"))
    }
}
