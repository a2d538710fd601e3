//! Finalizer against deletion, released together, again and again.
//!
//! The API server may acknowledge a finalizer and delete the object all the same. Owns the rounds, and what must be true
//! after each: every invitation has an object or is cancelled, and nobody got two e-mails. Must never ask the operator.

mod gun;
mod lane;
mod table;

use crate::plane::Plane;
use anyhow::Result;
use lane::Lane;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
pub use table::Table;

/// Runs at least so many races, on so many operators at a time.
///
/// # Errors
/// When something cannot be started; what the operator does wrong is in the table.
pub async fn run(operator: &Path, races: usize, lanes: usize) -> Result<Table> {
    let plane = Plane::start().await?;
    let left = AtomicUsize::new(races.div_ceil(lane::RACES_OF_A_ROUND));
    let running = (0..lanes).map(|number| {
        let (plane, left) = (&plane, &left);
        async move {
            let mut lane = Lane::make(plane, operator, number).await?;
            let take = |left: usize| left.checked_sub(1);
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                lane.round().await?;
                let Table { races, lost, violations, .. } = &lane.table;
                eprintln!("lane {number}: {races} races, {lost} lost, {} violations", violations.len());
            }
            anyhow::Ok(lane.table)
        }
    });
    let mut table = Table::default();
    for lane in futures::future::try_join_all(running).await? {
        table.add(lane);
    }
    Ok(table)
}
