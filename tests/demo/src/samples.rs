//! The manifests that the demo applies: the repository's samples as they are, with the simulator's address in place of
//! MongoDB's.
//!
//! Owns that one substitution. Must never change anything else: what the demo plays is what a reader would apply.

use anyhow::{Context, Result};
use std::path::Path;

/// The team's namespace in the samples.
pub(crate) const TEAM: &str = "payments";
/// The operator's namespace in the samples.
pub(crate) const OPERATOR: &str = "invitation-operator";
/// The project in the samples and in the simulator's seed.
pub(crate) const PROJECT: &str = "5f1d7c8e9a3b2c4d5e6f7a8b";

/// The address that the samples name.
const REAL: &str = "https://cloud.mongodb.com";

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// A file of the repository, with the simulator's address.
pub(crate) fn read(path: &str, base_url: &str) -> Result<String> {
    Ok(as_it_is(path)?.replace(REAL, base_url))
}

/// The samples, in their order.
pub(crate) fn for_real_use() -> Result<Vec<String>> {
    let folder = Path::new(ROOT).join("deploy/samples");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(format!("deploy/samples/{}", entry?.file_name().to_string_lossy()));
    }
    paths.sort();
    Ok(paths)
}

/// A file of the repository.
pub(crate) fn as_it_is(path: &str) -> Result<String> {
    let full = Path::new(ROOT).join(path);
    std::fs::read_to_string(&full).with_context(|| format!("cannot read {}", full.display()))
}

/// What the simulator starts with.
pub(crate) fn seed() -> Result<atlas_sim::Seed> {
    let path = "deploy/rehearsal/seed.yaml";
    serde_saphyr::from_str(&as_it_is(path)?).with_context(|| format!("{path} is no seed"))
}

/// The definitions of the kinds.
pub(crate) fn crds() -> Result<String> {
    let mut all = String::new();
    for kind in ["clusterinviters", "invitationclaims", "inviters", "projectinvitations"] {
        all.push_str(&as_it_is(&format!("crds/{kind}.yaml"))?);
        all.push_str("\n---\n");
    }
    Ok(all)
}
