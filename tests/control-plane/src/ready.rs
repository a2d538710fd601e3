//! Waits until a process answers as it should.
//!
//! Owns: the patience. It asks with `kubectl` and the administrator's
//! kubeconfig, so what it finds ready is ready for every client.
//!
//! Must never: wait for a process that has ended.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use crate::commands;
use crate::error::Error;
use crate::supervised::Supervised;

const POLL: Duration = Duration::from_millis(50);

/// Asks the API server.
pub(crate) struct Probe<'a> {
    pub(crate) kubectl: &'a Path,
    pub(crate) kubeconfig: &'a Path,
    pub(crate) folder: &'a Path,
    pub(crate) address: SocketAddr,
}

impl Probe<'_> {
    /// Asks for a path until it is answered with success.
    ///
    /// `process` is the one waited for, `beside` one that it needs; when
    /// either ends meanwhile, that is the error.
    pub(crate) async fn answer(
        &self,
        path: &str,
        process: &mut Supervised,
        beside: Option<&mut Supervised>,
        within: Duration,
    ) -> Result<String, Error> {
        let end = Instant::now() + within;
        let mut beside = beside;
        loop {
            // What the process needs comes first: it is the cause, if it died.
            if let Some(beside) = &mut beside {
                beside.check()?;
            }
            process.check()?;
            let last = match self.ask(path).await {
                Ok(answer) => return Ok(answer),
                Err(last) => last,
            };
            if Instant::now() >= end {
                return Err(Error::NotReady { component: process.name(), within, last, log: process.end_of_log() });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn ask(&self, path: &str) -> Result<String, String> {
        // Cheaper than a process, while nobody listens.
        TcpStream::connect(self.address).await.map_err(|error| error.to_string())?;
        let mut command: Command = commands::aimed(self.kubectl, self.kubeconfig, self.folder);
        command.args(["get", "--request-timeout=10s", "--raw", path]);
        commands::run(command).await.map_err(|error| error.to_string())
    }
}
