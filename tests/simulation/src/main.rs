//! The simulation from the command line: seeds, the enumerator, and the seeded bugs.
//!
//! Must never say that all is well when something was violated: the exit code tells.

#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

use clap::{Parser, Subcommand};
use simulation::{catch, enumerate, many};
use std::process::ExitCode;

#[derive(Parser)]
#[command(about = "Runs the operator's passes under every fault and schedule, and counts e-mails")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Many random runs.
    Seeds {
        /// How many.
        #[arg(long, default_value_t = 10_000)]
        count: u64,
        /// The first seed.
        #[arg(long, default_value_t = 0)]
        from: u64,
    },
    /// One random run again, with its story.
    Seed {
        /// Which.
        seed: u64,
        /// With this seeded bug.
        #[arg(long)]
        bug: Option<String>,
    },
    /// Every fault at every boundary of every scenario.
    Enumerate {
        /// How many faults in one run.
        #[arg(long, default_value_t = 1)]
        depth: u32,
        /// Only scenarios whose name contains this.
        #[arg(long)]
        only: Option<String>,
    },
    /// One schedule of the enumerator again, with its story.
    Schedule {
        /// As the enumerator prints it.
        name: String,
    },
    /// Every seeded bug must be caught.
    Bugs,
    /// Something is wrong in the code itself, and must be caught.
    Hunt,
    /// All of it, bounded: every single fault, ten thousand seeds, every seeded bug.
    Check,
}

fn main() -> ExitCode {
    let well = match Arguments::parse().what {
        What::Seeds { count, from } => many::seeds(from, count),
        What::Seed { seed, bug } => many::replay(seed, bug.as_deref()),
        What::Enumerate { depth, only } => enumerate::all(depth, only.as_deref()),
        What::Schedule { name } => enumerate::replay(&name),
        What::Bugs => catch::all(),
        What::Hunt => catch::hunt(),
        What::Check => {
            // All three, whatever the first says.
            let parts = [enumerate::all(1, None), many::seeds(0, 10_000), catch::all()];
            parts.into_iter().all(|well| well)
        }
    };
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
