//! `packaging generate` writes what is generated from the chart; `packaging rights FOLDER` compares the rights that the chart
//! grants with those that the end-to-end tests used.
//!
//! Must never write outside the repository it was built in.

use anyhow::{Context, Result, bail};
use packaging::render::Rendering;
use packaging::rights::compare;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn main() -> Result<()> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["generate"] => {
            write(&repository, &packaging::files(&repository)?)?;
            write(&repository, &packaging::rendered_files(&repository)?)
        }
        ["rights", folder] => rights(&repository, Path::new(folder)),
        _ => bail!("packaging generate, or packaging rights FOLDER"),
    }
}

fn rights(repository: &Path, folder: &Path) -> Result<()> {
    let everywhere = Rendering::of(json!({ "rbac": { "secrets": { "clusterWide": true } } }));
    let within = Rendering::of(json!({ "watchNamespaces": ["payments"] }));
    let mut wrong = Vec::new();
    for (mode, rendering) in [("everywhere", everywhere), ("within", within)] {
        if let Err(error) = compare(mode, &rendering.objects(repository)?, &rendering.namespace, folder) {
            wrong.push(error.to_string());
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    bail!("{}", wrong.join("\n"))
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
