//! The operator from end to end: the real binary, a real control plane, the simulator over real HTTP.
//!
//! The oracle for e-mails is the simulator's outbox. Nothing here waits for a time that could be awaited as a condition.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_imports,
    clippy::struct_field_names,
    clippy::assigning_clones
)]

mod aftermath;
mod crash;
mod harness;
mod lifecycle;
mod privacy;
mod story;
mod table;
mod trouble;
mod wrong_input;

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::runner::run(
        [
            story::tests(),
            crash::tests(),
            table::tests(),
            lifecycle::tests(),
            wrong_input::tests(),
            trouble::tests(),
            privacy::tests(),
            aftermath::tests(),
        ]
        .into_iter()
        .flatten()
        .collect(),
    )
}
