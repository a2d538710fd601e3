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

mod adversity;
mod changed_meanwhile;
mod circuits;
mod crash;
mod every_request;
mod harness;
mod idle;
mod left_behind;
mod lifecycle;
mod orphans;
mod pacing;
mod privacy;
mod resend;
mod story;
mod table;
mod trouble;
mod watches;
mod wrong_input;

use std::process::ExitCode;

fn main() -> ExitCode {
    let tests = [
        story::tests(),
        crash::tests(),
        changed_meanwhile::tests(),
        table::tests(),
        lifecycle::tests(),
        wrong_input::tests(),
        trouble::tests(),
        orphans::tests(),
        privacy::tests(),
        resend::tests(),
        adversity::tests(),
        left_behind::tests(),
        pacing::tests(),
        circuits::tests(),
        watches::tests(),
        idle::tests(),
        every_request::tests(),
    ];
    harness::runner::run(tests.into_iter().flatten().collect())
}
