//! What only an operator for the whole cluster does, and what needs a cluster of its own.

#![allow(unreachable_pub)] // the harness is shared by two targets
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::wildcard_imports, clippy::assigning_clones)]

mod alone;
#[path = "../e2e/harness/mod.rs"]
mod harness;
mod teams;

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::runner::run([alone::tests(), teams::tests()].into_iter().flatten().collect())
}
