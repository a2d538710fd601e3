//! A running control plane.
//!
//! Owns: the order in which the processes start and end, and what callers may
//! know of them.
//!
//! Must never: be handed out before its API server is ready and, with a
//! controller manager, before that has done its first work.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::commands;
use crate::components::{self, API_SERVER, CONTROLLER_MANAGER, ETCD};
use crate::credentials::Credentials;
use crate::error::Error;
use crate::folder::Folder;
use crate::kubeconfig::Cluster;
use crate::options::Options;
use crate::port::ReservedPort;
use crate::ready::Probe;
use crate::supervised::Supervised;
use crate::tools::Tools;

/// Made by the controller manager in every namespace: once it is there, the
/// controller manager works.
const FIRST_WORK: &str = "/api/v1/namespaces/default/serviceaccounts/default";

/// A running control plane. Dropping it, or the end of this process by
/// whatever cause, ends its processes and removes its folder.
///
/// The fields are dropped in this order: processes first, their folder last.
pub struct ControlPlane {
    controller_manager: Option<Supervised>,
    pub(crate) api_server: Mutex<Supervised>,
    etcd: Supervised,
    port: ReservedPort,
    folder: Folder,
    tools: Tools,
    cluster: Cluster,
    kubeconfig: PathBuf,
    api_server_args: Vec<String>,
    audit_log: Option<PathBuf>,
    version: String,
    pub(crate) start_timeout: Duration,
}

impl ControlPlane {
    /// Starts a control plane and waits until it is ready.
    ///
    /// The first call on a machine may build the tools, which takes minutes
    /// and says so on standard error.
    ///
    /// # Errors
    ///
    /// When the tools are missing, or a process ends or is not ready in time;
    /// then nothing is left behind.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let tools = Tools::find().await?;
        let end = Instant::now() + options.start_timeout;
        let port = ReservedPort::reserve()?;
        let folder = Folder::make()?;
        let path = folder.path();

        let mut etcd = Supervised::spawn(ETCD, &tools.path(ETCD), &components::etcd(), path)?;
        let credentials = Credentials::make(path)?;
        let api_server_args = components::api_server(&options, port.address(), path)?;
        let program = tools.path(API_SERVER);
        let mut api_server = Supervised::spawn(API_SERVER, &program, &api_server_args, path)?;

        let cluster = Cluster { server: format!("https://{}", port.address()), authority: credentials.authority };
        let kubeconfig = cluster.for_client(&credentials.admin, path.join("admin.kubeconfig"))?;
        let probe = Probe { kubectl: &tools.kubectl, kubeconfig: &kubeconfig, folder: path, address: port.address() };
        let left = || end.saturating_duration_since(Instant::now());
        probe.answer("/readyz", &mut api_server, Some(&mut etcd), left()).await?;

        let mut controller_manager = None;
        if options.with_controller_manager {
            let file = path.join("controller-manager.kubeconfig");
            let file = cluster.for_client(&credentials.controller_manager, file)?;
            let args = components::controller_manager(&options, &file);
            let program = tools.path(CONTROLLER_MANAGER);
            let process = Supervised::spawn(CONTROLLER_MANAGER, &program, &args, path)?;
            let process = controller_manager.insert(process);
            probe.answer(FIRST_WORK, process, Some(&mut api_server), left()).await?;
        }
        let version = probe.answer("/version", &mut api_server, None, left()).await?;

        Ok(Self {
            version: git_version(&version)?,
            audit_log: options.audit_log.map(|log| path.join(log)),
            api_server: Mutex::new(api_server),
            start_timeout: options.start_timeout,
            controller_manager,
            etcd,
            port,
            folder,
            tools,
            cluster,
            kubeconfig,
            api_server_args,
        })
    }

    /// Ends the processes and removes the folder, and tells whether that
    /// worked; dropping does the same without telling.
    ///
    /// # Errors
    ///
    /// When something is left behind.
    pub async fn stop(self) -> Result<(), Error> {
        let mut processes = vec![self.api_server.into_inner(), self.etcd];
        processes.extend(self.controller_manager);
        for process in &mut processes {
            process.kill().await?;
        }
        self.folder.remove()
    }

    /// The administrator's kubeconfig, with everything embedded.
    #[must_use]
    pub fn kubeconfig_path(&self) -> &Path {
        &self.kubeconfig
    }

    /// Where the API server listens, as `https://127.0.0.1:<port>`.
    #[must_use]
    pub fn server_url(&self) -> &str {
        &self.cluster.server
    }

    /// The version the API server gives of itself, as `v1.2.3`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The audit log, when [`Options::audit_log`] asked for one: one JSON
    /// event per line. An event may be written just after the client has its
    /// answer.
    #[must_use]
    pub fn audit_log(&self) -> Option<&Path> {
        self.audit_log.as_deref()
    }

    /// The plane's folder, with `<process>.log` of every process. A test may
    /// put files there; they go with it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of the binaries.
    #[must_use]
    pub fn bin_dir(&self) -> &Path {
        &self.tools.folder
    }

    /// The `kubectl` of the same version.
    #[must_use]
    pub fn kubectl_path(&self) -> &Path {
        &self.tools.kubectl
    }

    /// The pinned `helm`.
    #[must_use]
    pub fn helm_path(&self) -> &Path {
        &self.tools.helm
    }

    /// A `kubectl` as the administrator; its caches stay in the folder.
    #[must_use]
    pub fn kubectl(&self) -> Command {
        commands::aimed(&self.tools.kubectl, &self.kubeconfig, self.folder.path())
    }

    /// A `helm` as the administrator; its caches stay in the folder.
    #[must_use]
    pub fn helm(&self) -> Command {
        commands::aimed(&self.tools.helm, &self.kubeconfig, self.folder.path())
    }

    /// Makes a kubeconfig with a token of a service account, valid for an
    /// hour: what runs with it has the rights that RBAC gives that account.
    ///
    /// # Errors
    ///
    /// When the account does not exist.
    pub async fn service_account_kubeconfig(&self, namespace: &str, name: &str) -> Result<PathBuf, Error> {
        let mut command = self.kubectl();
        command.args(["create", "token", "--duration=1h", "--namespace", namespace, name]);
        let token = commands::run(command).await?;
        let file = self.folder.path().join(format!("{namespace}.{name}.kubeconfig"));
        self.cluster.for_token(token.trim(), file)
    }

    pub(crate) fn probe(&self) -> Probe<'_> {
        Probe {
            kubectl: &self.tools.kubectl,
            kubeconfig: &self.kubeconfig,
            folder: self.folder.path(),
            address: self.port.address(),
        }
    }

    pub(crate) fn spawn_api_server(&self) -> Result<Supervised, Error> {
        let program = self.tools.path(API_SERVER);
        Supervised::spawn(API_SERVER, &program, &self.api_server_args, self.folder.path())
    }
}

impl fmt::Debug for ControlPlane {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ControlPlane")
            .field("server", &self.cluster.server)
            .field("version", &self.version)
            .field("folder", &self.folder.path())
            .finish_non_exhaustive()
    }
}

fn git_version(answer: &str) -> Result<String, Error> {
    let json: serde_json::Value =
        serde_json::from_str(answer).map_err(|error| Error::Unexpected(format!("/version is not JSON: {error}")))?;
    json.get("gitVersion")
        .and_then(serde_json::Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| Error::Unexpected("/version holds no gitVersion".to_owned()))
}
