//! `chaos`: kills, splits and races the operator, and says what came of it.
//!
//! Ends with 1 when something happened that must not.

use anyhow::Result;
use chaos::kills::{self, Plan, Scale};
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
    /// Kill and split two replicas while people are invited
    Kills {
        /// At least so many kills
        #[arg(long, default_value_t = 1000)]
        kills: usize,
        /// At least so many splits
        #[arg(long, default_value_t = 0)]
        splits: usize,
        /// Decides what is done, to whom and in which order [default: another one each time]
        #[arg(long)]
        seed: Option<u64>,
        /// Pairs of replicas at a time, each with a simulator of its own
        #[arg(long, default_value_t = 6)]
        worlds: usize,
        /// What all times are divided by
        #[arg(long, default_value_t = 20)]
        factor: u32,
    },
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
        What::Kills { kills, splits, seed, worlds, factor } => {
            let seed = seed.unwrap_or_else(rand::random);
            let (logs, scale) = (kills::usual_logs()?, Scale::by(factor));
            println!("SEED={seed}; {scale}; the operators' logs are in {}", logs.display());
            let plan = Plan { operator, logs, kills, splits, worlds, kills_of_a_wave: 8, seed, scale };
            let tally = kills::run(&plan).await?;
            print!("{tally}");
            println!("SEED={seed}");
            tally.violations.is_empty()
        }
        What::Race { races, lanes } => {
            let table = race::run(&operator, races, lanes).await?;
            print!("{table}");
            table.violations.is_empty()
        }
    };
    println!("took {} s", begun.elapsed().as_secs());
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
