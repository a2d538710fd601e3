//! Measures the operator from outside: the real binary, a real control plane, the simulator with a set latency.
//!
//! Must never assert a time: a slow machine is no failure.

mod audit;
mod blind;
mod calls;
mod churn;
mod core;
mod delivery;
mod failover;
mod fairness;
mod idle;
mod latency;
mod limits;
mod operator;
mod process;
mod report;
mod restored;
mod results;
mod scale;
mod stage;
mod statistics;
mod suite;
mod team;
mod throttle;
mod witness;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Parser)]
#[command(about = "Measures the operator: real binary, real control plane, simulated Atlas")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Everything that docs/benchmarks shows.
    Suite(suite::Wishes),
    /// One size once, printed as JSON: for looking at one thing, as under a profiler.
    Scale {
        /// Path of the operator's binary.
        #[arg(long, default_value = "target/release/invitation-operator")]
        operator: PathBuf,
        /// How many people.
        #[arg(long, default_value_t = 1000)]
        people: usize,
        /// Real seconds of the idle part; 0 leaves it out.
        #[arg(long, default_value_t = 0)]
        idle_s: u64,
        /// Seconds of rest before memory is looked at.
        #[arg(long, default_value_t = 5)]
        rest_s: u64,
    },
    /// The table and the plots anew, from the results that are there.
    Report {
        /// Where they are.
        #[arg(long, default_value = "docs/benchmarks")]
        output: PathBuf,
    },
    /// From the silence of a connection to the API server until the operator gives it up: a minute each.
    Blind {
        /// Path of the operator's binary.
        #[arg(long, default_value = "target/release/invitation-operator")]
        operator: PathBuf,
        /// How often.
        #[arg(long, default_value_t = 5)]
        count: usize,
    },
    /// Whether memory grows while so many objects come and go.
    Churn {
        /// Path of the operator's binary.
        #[arg(long, default_value = "target/release/invitation-operator")]
        operator: PathBuf,
        /// How many.
        #[arg(long, default_value_t = 100_000)]
        objects: usize,
    },
    /// A start with more people than can be invited in reasonable time: their objects and claims are copied.
    Restored {
        /// Path of the operator's binary.
        #[arg(long, default_value = "target/release/invitation-operator")]
        operator: PathBuf,
        /// How many people.
        #[arg(long, default_value_t = 100_000)]
        people: usize,
        /// Seconds of rest before memory is looked at.
        #[arg(long, default_value_t = 20)]
        rest_s: u64,
    },
    /// From the end of the leader until another replica leads, with the Lease of production.
    Failover {
        /// Path of the operator's binary.
        #[arg(long, default_value = "target/release/invitation-operator")]
        operator: PathBuf,
        /// How often the leader is asked to end, and how often it is killed.
        #[arg(long, default_value_t = 10)]
        count: usize,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::Suite(wishes) => suite::run(wishes).await,
        What::Scale { operator, people, idle_s, rest_s } => {
            let plan = scale::Plan {
                people,
                latency: Duration::from_millis(50),
                rest: Duration::from_secs(rest_s),
                raw_writes: 0,
                idle: (idle_s > 0).then_some(Duration::from_secs(idle_s)),
            };
            println!("{}", serde_json::to_string_pretty(&scale::run(&operator, plan).await?)?);
            Ok(())
        }
        What::Report { output } => report::write(&results::Results::in_folder(&output)?, &output),
        What::Blind { operator, count } => blind::measure(&operator, count).await,
        What::Churn { operator, objects } => churn::measure(&operator, objects).await,
        What::Restored { operator, people, rest_s } => {
            restored::measure(&operator, people, Duration::from_secs(rest_s)).await
        }
        What::Failover { operator, count } => failover::measure(&operator, count).await,
    }
}
