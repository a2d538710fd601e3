//! Finds the binaries.
//!
//! Owns: the question where they are. `KUBEBUILDER_ASSETS` answers it when it
//! holds all of them; else the script `tests/tools/build` does, which honours
//! that variable too and builds what is missing, once.
//!
//! Must never: take a binary from `PATH`, or decide which version it has.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::components::{API_SERVER, CONTROLLER_MANAGER, ETCD};
use crate::error::Error;

const ASSETS: &str = "KUBEBUILDER_ASSETS";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/build");
const ALL: &[&str] = &[ETCD, API_SERVER, CONTROLLER_MANAGER, "kubectl", "helm"];

/// The folder that holds all of them.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    pub(crate) folder: PathBuf,
    pub(crate) kubectl: PathBuf,
    pub(crate) helm: PathBuf,
}

impl Tools {
    /// Finds them, building them first when need be, once per process.
    pub(crate) async fn find() -> Result<Self, Error> {
        static FOLDER: OnceCell<PathBuf> = OnceCell::const_new();
        let folder = FOLDER.get_or_try_init(locate).await?;
        Ok(Self { folder: folder.clone(), kubectl: folder.join("kubectl"), helm: folder.join("helm") })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

async fn locate() -> Result<PathBuf, Error> {
    if let Some(assets) = std::env::var_os(ASSETS).map(PathBuf::from)
        && lacking(&assets).is_empty()
    {
        return std::path::absolute(&assets).map_err(Error::os(format!("resolve {ASSETS}")));
    }
    let output = Command::new(SCRIPT)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .await
        .map_err(|error| Error::Tools(format!("{SCRIPT}: {error}")))?;
    if !output.status.success() {
        return Err(Error::Tools(format!("{SCRIPT} failed: {}", output.status)));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let folder = PathBuf::from(said.lines().last().unwrap_or_default());
    let lacking = lacking(&folder);
    if lacking.is_empty() {
        return Ok(folder);
    }
    Err(Error::Tools(format!("{} holds no {}", folder.display(), lacking.join(", "))))
}

fn lacking(folder: &Path) -> Vec<&'static str> {
    ALL.iter().copied().filter(|name| !folder.join(name).is_file()).collect()
}
