//! The chart's README.
//!
//! Owns the table of values. Must never say anything else: prose stands in the template.

use crate::documented::Entry;
use anyhow::{Context, Result};
use std::fmt::Write as _;

const MARK: &str = "<!-- values -->\n";

/// The README, from its template and the values.
///
/// # Errors
/// When the template has no place for the values.
pub fn text(template: &str, entries: &[Entry]) -> Result<String> {
    let (before, after) = template.split_once(MARK).context("the template has no place for the values")?;
    let mut table = String::from("| value | default | meaning |\n|---|---|---|\n");
    for entry in entries {
        let Some(explained) = &entry.explained else { continue };
        let default = entry.default.to_string().replace('|', "\\|");
        writeln!(table, "| `{}` | `{default}` | {explained} |", entry.path.join("."))?;
    }
    Ok(format!("{before}{table}{after}"))
}
