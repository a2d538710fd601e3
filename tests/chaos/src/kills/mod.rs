//! Kills and splits of replicas while people come and go.
//!
//! Owns the waves: in each, every world is disturbed and the API server fails, then all comes to rest and is judged. Must
//! never weaken what is judged by what was done.

mod pair;
mod person;
mod scale;
mod story;
mod strike;
mod tally;
mod trap;
mod verdict;
mod world;

use crate::plane::Plane;
use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
pub use scale::Scale;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
pub use tally::{Tally, Wrong};
use world::World;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The operator's binary.
    pub operator: PathBuf,
    /// Where the operators' logs go.
    pub logs: PathBuf,
    /// At least so many kills.
    pub kills: usize,
    /// At least so many splits.
    pub splits: usize,
    /// Pairs of replicas at a time.
    pub worlds: usize,
    /// Kills of a world and a wave.
    pub kills_of_a_wave: usize,
    /// Decides what is done, to whom and in which order.
    pub seed: u64,
    /// What all times are divided by.
    pub scale: Scale,
}

/// Disturbs until there are enough kills and splits.
///
/// # Errors
/// When something cannot be started; what the operator does wrong is in the tally.
pub async fn run(plan: &Plan) -> Result<Tally> {
    std::fs::create_dir_all(&plan.logs).with_context(|| format!("cannot make {}", plan.logs.display()))?;
    let plane = Plane::start().await?;
    let mut dice = StdRng::seed_from_u64(plan.seed);
    let used = Arc::default();
    let mut worlds = Vec::new();
    for number in 0..plan.worlds {
        let made = World::make(&plane, plan, number, dice.random(), Arc::clone(&used));
        worlds.push(made.await?);
    }
    let mut outages = Tally::default();
    for wave in 0_usize.. {
        let disturbed = worlds.iter_mut().map(|world| world.disturb(wave, plan.kills_of_a_wave));
        let disturbed = futures::future::try_join_all(disturbed);
        let (people, outage) = tokio::join!(disturbed, outage(&plane, &mut dice));
        outages.add(outage?);
        let settled = worlds.iter_mut().zip(people?).map(|(world, people)| world.settle(wave, people));
        futures::future::try_join_all(settled).await?;
        let tally = sum(&worlds, &outages);
        eprintln!(
            "wave {wave}: {} kills, {} splits, {} people, {} e-mails, {} violations",
            tally.kills,
            tally.splits,
            tally.people,
            tally.mails,
            tally.violations.len()
        );
        if tally.kills >= plan.kills && tally.splits >= plan.splits {
            break;
        }
    }
    Ok(sum(&worlds, &outages))
}

fn sum(worlds: &[World], outages: &Tally) -> Tally {
    let mut tally = outages.clone();
    for world in worlds {
        tally.add(world.tally.clone());
    }
    tally
}

/// The API server is killed and started again, or frozen for a while.
async fn outage(plane: &Plane, dice: &mut StdRng) -> Result<Tally> {
    let mut tally = Tally::default();
    tokio::time::sleep(Duration::from_secs_f64(dice.random_range(2.0..8.0))).await;
    if dice.random() {
        plane.restart().await?;
        tally.restarts = 1;
    } else {
        plane.control.pause_api_server().await?;
        tokio::time::sleep(Duration::from_secs_f64(dice.random_range(0.5..3.0))).await;
        plane.control.resume_api_server().await?;
        tally.pauses = 1;
    }
    Ok(tally)
}

/// Where the operators' logs go unless said otherwise: beside this program.
///
/// # Errors
/// When this program lies nowhere.
pub fn usual_logs() -> Result<PathBuf> {
    let this = std::env::current_exe().context("cannot find this program")?;
    Ok(this.parent().map(Path::to_owned).context("this program lies nowhere")?.join("chaos-logs"))
}
