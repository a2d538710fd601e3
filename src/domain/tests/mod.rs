//! Tests of the decisions, row by row of the design's tables.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod attempts;
mod buckets;
mod buckets_at_large;
mod conclusions;
mod decisions;
mod deletions;
mod elections;
mod entries;
mod expiry;
mod holds;
mod leases;
mod looks;
mod pacing;
mod pacing_at_large;
mod projections;
mod resends;
mod rosters;
mod setbacks;
mod slots;
mod traces;
mod values;
mod waits;
