//! The process around the controller: command line, logs, probes, metrics, signals, the connection to the cluster.
//!
//! Owns everything that exists once per process. Must never decide anything about an invitation: it hands settings and
//! ports to the controller and gets out of the way. Only `main` is above it.

pub mod app;
pub mod check;
pub mod cli;
pub mod cluster;
mod control;
pub mod crds;
pub mod election;
pub mod guard;
pub mod health;

pub mod logging;
pub mod metrics;
pub mod neighbours;
pub mod prerequisites;
pub mod rights;
pub mod settings;
pub mod shutdown;
pub mod values;

pub use app::App;
pub use settings::Settings;

use cli::{Cli, Command};
use std::net::SocketAddr;
use std::num::NonZero;

/// Why the process cannot do what it was started for; each message says what to change.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting that is well-formed and cannot be used.
    #[error(transparent)]
    Settings(#[from] settings::SettingsError),
    /// The cluster cannot be used.
    #[error(transparent)]
    Cluster(#[from] cluster::ClusterError),
    /// The definitions cannot be written.
    #[error(transparent)]
    Crds(#[from] crds::CrdsError),
    /// A check that was asked for did not hold.
    #[error(transparent)]
    Check(#[from] check::CheckError),
    /// The port is taken, or not ours to take.
    #[error("cannot listen on {address} ({source}): choose another address with {flag}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// The flag that sets it.
        flag: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system refuses what every process gets.
    #[error("the operating system refuses {what}: {source}")]
    System {
        /// What was asked for.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Does what the command line asks for; returns when it is done.
///
/// # Errors
/// With a message for the person at the terminal.
pub fn execute(cli: Cli) -> Result<(), StartError> {
    match cli.command {
        Command::Crds(args) => Ok(crds::write(&args)?),
        Command::Check(args) => Ok(threads()?.block_on(check::run(args))?),
        Command::Run(args) => {
            let settings = Settings::from_args(*args, &settings::Surroundings::of_this_process())?;
            guard::keep_memory_private();
            logging::start(&settings.logging);
            guard::report_panics_without_their_content();
            run(settings)
        }
    }
}

/// Runs the operator until it is told to stop.
///
/// # Errors
/// When it cannot start; once it runs, trouble is waited out.
pub fn run(settings: Settings) -> Result<(), StartError> {
    threads()?.block_on(async { App::from_settings(settings).await?.run().await })
}

/// More would not be quicker at waiting for networks, and each keeps memory of its own: on a node with many processors, much.
const MOST_WORKERS: usize = 4;

fn threads() -> Result<tokio::runtime::Runtime, StartError> {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(processors.min(MOST_WORKERS))
        .enable_all()
        .build()
        .map_err(|source| StartError::System { what: "threads", source })
}
