//! How long it takes until the other leads: printed, never asserted.
//!
//! Runs with the times of production, and only when asked for: `cargo test --test leader -- --ignored --nocapture`.

use crate::harness::operator::Operator;
use crate::harness::*;
use crate::pair::{holder, leads, stands_by};
use libtest_mimic::Trial;
use std::time::Duration;
use tokio::time::Instant;

const TIMES: usize = 10;

pub fn tests() -> Vec<Trial> {
    crate::tests![how_long_a_hand_over_takes, how_long_a_succession_after_a_crash_takes]
        .into_iter()
        .map(|trial| trial.with_ignored_flag(true))
        .collect()
}

async fn world() -> World {
    // The lease is that of production: 15 s.
    Setup::default()
        .flag("--leader-elect", "true")
        .flag("--unsafe-timings", "1")
        .flag("--post-deadline", "10s")
        .flag("--log-level", "info")
        .without_operator()
        .start()
        .await
}

/// Until somebody else holds the Lease.
async fn until_taken(world: &World, from: &str) -> Duration {
    let begun = Instant::now();
    loop {
        let now_is = holder(world).await;
        if !now_is.is_empty() && now_is != from {
            return begun.elapsed();
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn measure(kind: &str, end: impl Fn(Operator) -> Option<Operator>) {
    let world = world().await;
    let mut times = Vec::new();
    let mut leader = world.replica("0");
    leads(&leader).await;
    for number in 1..=TIMES {
        let next = world.replica(&number.to_string());
        stands_by(&next).await;
        // Not always at the same moment of a renewal's round.
        tokio::time::sleep(Duration::from_millis(137) * u32::try_from(number).unwrap()).await;
        let from = holder(&world).await;
        let ending = end(leader);
        times.push(until_taken(&world, &from).await);
        leads(&next).await;
        drop(ending);
        leader = next;
    }
    times.sort();
    let shown: Vec<_> = times.iter().map(|time| format!("{} ms", time.as_millis())).collect();
    println!("{kind}: {}; median {} ms", shown.join(", "), times[TIMES / 2].as_millis());
}

async fn how_long_a_hand_over_takes() {
    measure("told to end", |leader| {
        leader.terminate();
        Some(leader)
    })
    .await;
}

async fn how_long_a_succession_after_a_crash_takes() {
    measure("killed", |leader| {
        leader.kill();
        None
    })
    .await;
}
