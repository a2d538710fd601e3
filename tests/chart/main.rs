//! The chart on a real control plane: what the API server takes, and the life of a release from its installation to its end.
//!
//! There are no nodes, so Pods do not run. The operator runs beside the control plane instead, with the arguments and the
//! environment of the Deployment that is in the cluster, under a token of its service account; so do the commands of hooks.

#![allow(unreachable_pub)] // the harness is shared by several targets
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::wildcard_imports, clippy::assigning_clones)]

mod admission;
mod definitions;
#[path = "../e2e/harness/mod.rs"]
mod harness;
mod hooks;
mod instances;
mod life;
mod namespaces;
mod release;
mod rights;

use std::process::ExitCode;

fn main() -> ExitCode {
    let tests = [
        admission::tests(),
        definitions::tests(),
        hooks::tests(),
        instances::tests(),
        life::tests(),
        namespaces::tests(),
        rights::tests(),
    ];
    harness::runner::run(tests.into_iter().flatten().collect())
}
