//! Measures the operator from outside: the real binary, a real control plane, the simulator with a set latency.
//!
//! Prints what it measured and nothing else. Must never assert a time: a slow machine is no failure.

mod blind;
mod failover;
mod latency;
mod stage;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Measures the operator: real binary, real control plane, simulated Atlas")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// From `apply` to `status.id`, one invitation at a time on an idle control plane.
    Latency {
        /// Path of the operator's binary.
        #[arg(long, default_value = "target/release/invitation-operator")]
        operator: std::path::PathBuf,
        /// How many invitations.
        #[arg(long, default_value_t = 200)]
        count: usize,
        /// Latency that the simulator adds to every call, in milliseconds.
        #[arg(long, default_value_t = 0)]
        latency_ms: u64,
        /// API key with HTTP digest instead of a service account.
        #[arg(long)]
        digest: bool,
    },
    /// From the silence of a connection to the API server until the operator gives it up: a minute each.
    Blind {
        /// Path of the operator's binary.
        #[arg(long, default_value = "target/release/invitation-operator")]
        operator: std::path::PathBuf,
        /// How often.
        #[arg(long, default_value_t = 5)]
        count: usize,
    },
    /// From the end of the leader until another replica leads, with the Lease of production.
    Failover {
        /// Path of the operator's binary.
        #[arg(long, default_value = "target/release/invitation-operator")]
        operator: std::path::PathBuf,
        /// How often the leader is asked to end, and how often it is killed.
        #[arg(long, default_value_t = 10)]
        count: usize,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::Latency { operator, count, latency_ms, digest } => {
            latency::measure(&operator, count, latency_ms, digest).await
        }
        What::Blind { operator, count } => blind::measure(&operator, count).await,
        What::Failover { operator, count } => failover::measure(&operator, count).await,
    }
}
