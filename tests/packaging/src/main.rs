//! Writes what is generated from the chart: run by `make generate`.
//!
//! Must never write outside the repository it was built in.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn main() -> Result<()> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    write(&repository, &packaging::files(&repository)?)?;
    write(&repository, &packaging::rendered_files(&repository)?)
}

fn write(repository: &Path, files: &BTreeMap<PathBuf, String>) -> Result<()> {
    for (path, content) in files {
        let path = repository.join(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        std::fs::write(&path, content).with_context(|| path.display().to_string())?;
    }
    Ok(())
}
