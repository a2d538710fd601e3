//! `chaos`: kills, splits and races the operator, and says what came of it.
//!
//! Ends with 1 when something happened that must not.

use anyhow::Result;
use chaos::{process, race};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// Kills, splits and races the operator: real binary, real control plane, simulated MongoDB APIs
#[derive(Debug, Parser)]
struct Arguments {
    /// The operator's binary [default: the one beside this program]
    #[arg(long, global = true)]
    operator: Option<PathBuf>,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Release the finalizer's PATCH and the DELETE of the object together, again and again
    Race {
        /// At least so many races
        #[arg(long, default_value_t = 3000)]
        races: usize,
        /// Operators at a time, each with a simulator of its own
        #[arg(long, default_value_t = 8)]
        lanes: usize,
    },
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let Arguments { operator, what } = Arguments::parse();
    let operator = process::find_operator(operator.as_deref())?;
    let begun = Instant::now();
    let clean = match what {
        What::Race { races, lanes } => {
            let table = race::run(&operator, races, lanes).await?;
            print!("{table}");
            table.violations.is_empty()
        }
    };
    println!("took {} s", begun.elapsed().as_secs());
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
