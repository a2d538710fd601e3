//! `kubectl` and `helm`, aimed at one control plane.
//!
//! Owns: the environment in which they run, so that they neither read a
//! configuration of the user nor leave a cache outside the plane's folder.
//!
//! Must never: build an argument for the caller.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use crate::error::Error;

/// A command whose kubeconfig and caches are those of the plane.
pub(crate) fn aimed(program: &Path, kubeconfig: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    let home = folder.join("home");
    command
        .env("KUBECONFIG", kubeconfig)
        .env("KUBECACHEDIR", home.join("kube"))
        .env("KUBERC", "off")
        .env("HELM_CACHE_HOME", home.join("helm/cache"))
        .env("HELM_CONFIG_HOME", home.join("helm/config"))
        .env("HELM_DATA_HOME", home.join("helm/data"));
    command
}

/// Runs a command and gives what it wrote, or what it complained about.
pub(crate) async fn run(command: Command) -> Result<String, Error> {
    let shown = command.get_args().map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ");
    let failed = |message: String| Error::Kubectl { command: shown, message };
    let mut command = tokio::process::Command::from(command);
    let output = match command.kill_on_drop(true).output().await {
        Ok(output) => output,
        Err(error) => return Err(failed(error.to_string())),
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}
