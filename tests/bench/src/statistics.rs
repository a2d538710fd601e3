//! Medians and their spread.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The value below which this share of the values lies: the nearest rank, so always a value that was measured.
pub(crate) fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = u32::try_from(sorted.len().checked_sub(1)?).ok()?;
    let wanted = share * f64::from(last);
    let rank = (0..=last).find(|rank| f64::from(*rank) >= wanted)?;
    sorted.get(usize::try_from(rank).ok()?).copied()
}

/// Times of many objects, in milliseconds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Times {
    pub(crate) count: usize,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

impl Times {
    pub(crate) fn of(times: &[Duration]) -> Self {
        let milliseconds: Vec<_> = times.iter().map(|time| time.as_secs_f64() * 1000.0).collect();
        let at = |share| quantile(&milliseconds, share).unwrap_or_default();
        Self { count: times.len(), p50_ms: at(0.5), p99_ms: at(0.99), max_ms: at(1.0) }
    }
}

/// One figure over several runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) runs: usize,
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        Some(Self {
            runs: values.len(),
            median: quantile(values, 0.5)?,
            least: quantile(values, 0.0)?,
            most: quantile(values, 1.0)?,
        })
    }
}

/// A count as a number to calculate with.
pub(crate) fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}
