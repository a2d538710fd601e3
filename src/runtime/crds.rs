//! Prints the CustomResourceDefinitions, or writes them to files.
//!
//! Owns their YAML form, which is compared byte by byte with `crds/` by a test. Must never talk to a cluster: applying
//! is `kubectl`'s.

use super::cli::CrdsArgs;
use crate::api::crd::crds;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Why the definitions cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum CrdsError {
    /// They have no YAML form.
    #[error("the definitions cannot be written as YAML: {0}")]
    Yaml(String),
    /// The place cannot be written.
    #[error("cannot write {place}: {source}")]
    Write {
        /// Where.
        place: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Prints the definitions as one stream of documents, or writes a file per kind.
///
/// # Errors
/// When the output cannot be written.
pub fn write(args: &CrdsArgs) -> Result<(), CrdsError> {
    match &args.output_dir {
        Some(directory) => write_files(directory),
        None => print(&stream()?),
    }
}

/// File name and content, a file per kind.
///
/// # Errors
/// When a definition has no YAML form, which a test rules out.
pub fn files() -> Result<Vec<(String, String)>, CrdsError> {
    let yaml = |crd| serde_saphyr::to_string(crd).map_err(|error| CrdsError::Yaml(error.to_string()));
    crds().iter().map(|crd| Ok((format!("{}.yaml", crd.spec.names.plural), yaml(crd)?))).collect()
}

fn stream() -> Result<String, CrdsError> {
    let mut stream = String::new();
    for (_, yaml) in files()? {
        write!(stream, "---\n{yaml}").map_err(|error| CrdsError::Yaml(error.to_string()))?;
    }
    Ok(stream)
}

fn print(text: &str) -> Result<(), CrdsError> {
    let mut output = std::io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Ok(()) => Ok(()),
        // The reader, `head` perhaps, has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(source) => Err(CrdsError::Write { place: "the definitions".to_owned(), source }),
    }
}

fn write_files(directory: &Path) -> Result<(), CrdsError> {
    let failed = |path: PathBuf| move |source| CrdsError::Write { place: path.display().to_string(), source };
    std::fs::create_dir_all(directory).map_err(failed(directory.to_owned()))?;
    for (name, yaml) in files()? {
        let path = directory.join(name);
        std::fs::write(&path, yaml).map_err(failed(path.clone()))?;
    }
    Ok(())
}
