//! What the tools of GitOps make of the operator's objects: Argo CD, Flux, Helm and `kubectl wait`.
//!
//! With `--generate` it writes the generated files under `deploy/argocd` instead, for `make generate`.

#![allow(unreachable_pub)] // the harness is shared by several targets
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::wildcard_imports, clippy::assigning_clones, clippy::unused_async, clippy::wildcard_enum_match_arm)]

mod cases;
mod examples;
mod expected;
mod files;
#[path = "../e2e/harness/mod.rs"]
mod harness;
mod inviters;
mod judge;
mod live;
mod people;
mod recorded;

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--generate") {
        files::write();
        return ExitCode::SUCCESS;
    }
    harness::runner::run([recorded::tests(), live::tests(), examples::tests()].into_iter().flatten().collect())
}
