//! Two replicas of the real binary on a real control plane: one acts, the other stands by.
//!
//! The oracle for e-mails is the simulator's outbox, whoever sent them. How long the change from one to the other takes is
//! measured by `bench failover`.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_imports,
    clippy::struct_field_names
)]

#[path = "../e2e/harness/mod.rs"]
mod harness;
mod pair;
mod rights;
mod split;
mod turns;

use std::process::ExitCode;

fn main() -> ExitCode {
    let tests = [turns::tests(), split::tests(), rights::tests()];
    harness::runner::run(tests.into_iter().flatten().collect())
}
