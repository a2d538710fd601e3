//! Where the demo plays.
//!
//! Owns the difference between a control plane of the demo's own, which goes as a whole, and a cluster that was lent,
//! from which only what the demo brought is taken away again. Must never play in a cluster that has the operator's kinds
//! already: they hold real invitations.

use crate::kubectl::Kubectl;
use crate::lent;
use crate::terminal::Terminal;
use anyhow::Result;
use control_plane::{ControlPlane, Options};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use tokio::time::Instant;

/// A cluster to play in.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) kubectl: Kubectl,
    own: Option<ControlPlane>,
}

impl Cluster {
    /// Starts a control plane of the demo's own.
    pub(crate) async fn start(terminal: Terminal) -> Result<Self> {
        terminal.note("starting etcd, kube-apiserver and kube-controller-manager");
        let began = Instant::now();
        let plane = ControlPlane::start(Options::default()).await?;
        terminal.ok(&format!(
            "Kubernetes {} listens on {}{}",
            plane.version(),
            plane.server_url(),
            crate::stage::since(began)
        ));
        let kubectl = described(&plane.kubectl());
        Ok(Self { kubectl, own: Some(plane) })
    }

    /// Takes the cluster of the current kubeconfig, if it can be reached and is free of the operator's kinds.
    pub(crate) async fn lent(terminal: Terminal) -> Result<Self> {
        let kubectl = Kubectl { program: PathBuf::from("kubectl"), environment: Vec::new() };
        lent::borrow(&kubectl, terminal).await?;
        Ok(Self { kubectl, own: None })
    }

    /// The kubeconfig of the demo's own control plane.
    pub(crate) fn kubeconfig(&self) -> Option<&Path> {
        self.own.as_ref().map(ControlPlane::kubeconfig_path)
    }

    /// The folder of the demo's own tools.
    pub(crate) fn tools(&self) -> Option<&Path> {
        self.own.as_ref().map(ControlPlane::bin_dir)
    }

    /// Takes away what the demo brought, while the operator still runs and can let go of its objects.
    pub(crate) async fn clear(&self, terminal: Terminal) -> Result<()> {
        if self.own.is_some() {
            return Ok(());
        }
        lent::give_back(&self.kubectl, terminal).await
    }

    /// Ends the demo's own control plane.
    pub(crate) async fn end(self) -> Result<()> {
        match self.own {
            Some(plane) => Ok(plane.stop().await?),
            None => Ok(()),
        }
    }
}

/// A prepared command as a value that can be run again and again.
fn described(command: &Command) -> Kubectl {
    let text = |value: &OsStr| value.to_string_lossy().into_owned();
    let environment = command.get_envs().filter_map(|(name, value)| Some((text(name), text(value?)))).collect();
    Kubectl { program: PathBuf::from(command.get_program()), environment }
}
