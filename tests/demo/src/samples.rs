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
    Ok(text(path)?.replace(REAL, base_url))
}

/// What the simulator starts with.
pub(crate) fn seed() -> Result<atlas_sim::Seed> {
    let path = "deploy/rehearsal/seed.yaml";
    serde_saphyr::from_str(&text(path)?).with_context(|| format!("{path} is no seed"))
}

/// The definitions of the kinds.
pub(crate) fn crds() -> Result<String> {
    let mut all = String::new();
    for kind in ["clusterinviters", "invitationclaims", "inviters", "projectinvitations"] {
        all.push_str(&text(&format!("crds/{kind}.yaml"))?);
        all.push_str("\n---\n");
    }
    Ok(all)
}

fn text(path: &str) -> Result<String> {
    let full = Path::new(ROOT).join(path);
    std::fs::read_to_string(&full).with_context(|| format!("cannot read {}", full.display()))
}
