//! Kills and splits, as many as a test run bears; `make chaos KILLS=1000` does more.

#![allow(clippy::unwrap_used)]

use chaos::kills::{self, Plan, Scale};
use chaos::process;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_mailed_twice_and_nothing_is_lost_while_replicas_are_killed_and_split() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("SEED={seed}");
    let plan = Plan {
        operator: process::find_operator(None).unwrap(),
        logs: kills::usual_logs().unwrap(),
        kills: 25,
        splits: 3,
        worlds: 4,
        kills_of_a_wave: 7,
        seed,
        scale: Scale::by(20),
    };
    let tally = kills::run(&plan).await.unwrap();
    println!("{tally}");
    assert!(tally.violations.is_empty(), "SEED={seed}\n{tally}");
    assert!(tally.kills >= plan.kills && tally.splits >= plan.splits && tally.mails > 0, "{tally}");
}
