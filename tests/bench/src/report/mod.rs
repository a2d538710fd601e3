//! The page and the plots that show the results.
//!
//! Must never show a figure that is not in the results, nor hide a goal that is missed.

mod figures;
mod page;
mod plots;
mod scale_figures;

use crate::results::Results;
use anyhow::Result;
use std::fs;
use std::path::Path;

/// Writes README.md and the plots beside the results.
pub(crate) fn write(results: &Results, folder: &Path) -> Result<()> {
    let plots = plots::draw(results, folder)?;
    fs::write(folder.join("README.md"), page::of(results, &plots, folder.join("profile.md").exists()))?;
    Ok(())
}
