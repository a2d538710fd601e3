//! Runs a control plane in the foreground, for work by hand:
//!
//! ```text
//! $ cargo run -p control-plane
//! export KUBECONFIG=...
//! ```
//!
//! Owns: the command line and the wait for the signal to end.
//!
//! Must never: touch the user's own kubeconfig.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use control_plane::{ControlPlane, Options};
use tokio::signal::unix::{SignalKind, signal};

/// Runs a real Kubernetes control plane on loopback until it is interrupted.
#[derive(Parser)]
struct Arguments {
    /// Runs etcd and kube-apiserver only: namespaces do not end.
    #[arg(long)]
    without_controller_manager: bool,

    /// Writes every answered request as a line of JSON into this file.
    #[arg(long, value_name = "FILE")]
    audit_log: Option<PathBuf>,

    /// Flags for kube-apiserver, after `--`.
    #[arg(last = true, value_name = "FLAG")]
    apiserver_flags: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run_until_interrupted(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("control-plane: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run_until_interrupted(arguments: Arguments) -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let interrupted = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    };
    tokio::select! {
        result = run(arguments) => result,
        () = interrupted => Ok(()),
    }
}

/// Runs until it is dropped, which ends the control plane in any state.
async fn run(arguments: Arguments) -> Result<()> {
    let options = Options {
        with_controller_manager: !arguments.without_controller_manager,
        extra_apiserver_args: arguments.apiserver_flags,
        audit_log: arguments.audit_log.map(std::path::absolute).transpose()?,
        ..Options::default()
    };
    let plane = ControlPlane::start(options).await?;
    eprintln!("Kubernetes {} at {}", plane.version(), plane.server_url());
    eprintln!("its logs are in {}; Ctrl-C ends it", plane.folder().display());
    let (kubeconfig, tools) = (plane.kubeconfig_path().display(), plane.bin_dir().display());
    // One write: whoever reads only the first line may close the pipe after it.
    let exports = format!("export KUBECONFIG={kubeconfig}\nexport PATH={tools}:$PATH\n");
    std::io::stdout().write_all(exports.as_bytes())?;
    std::future::pending().await
}
