//! Kills and splits of replicas while people come and go.
//!
//! Owns how long it goes on, and the API server's outages. Each world has waves of its own, and waits for no other: in each
//! it is disturbed, then comes to rest and is judged. Must never weaken what is judged by what was done.

mod crowd;
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
use std::sync::{Arc, Mutex, PoisonError};
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
    let progress = Progress { plan, total: Mutex::default() };
    let lives = worlds.iter_mut().map(|world| world.live(&progress));
    let all = futures::future::try_join_all(lives);
    tokio::select! {
        ended = all => ended.map(drop)?,
        broken = outages(&plane, &mut dice, &progress) => broken?,
    }
    Ok(progress.total.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// What all worlds have done together.
struct Progress<'a> {
    plan: &'a Plan,
    total: Mutex<Tally>,
}

impl Progress<'_> {
    /// Adds this; tells whether it is enough.
    fn add(&self, what: &str, tally: Tally) -> bool {
        let mut total = self.total.lock().unwrap_or_else(PoisonError::into_inner);
        total.add(tally);
        eprintln!(
            "{what}; in all {} kills, {} splits, {} people, {} e-mails, {} violations",
            total.kills,
            total.splits,
            total.people,
            total.mails,
            total.violations.len()
        );
        total.kills >= self.plan.kills && total.splits >= self.plan.splits
    }
}

/// The API server is killed and started again, or frozen for a while, again and again.
async fn outages(plane: &Plane, dice: &mut StdRng, progress: &Progress<'_>) -> Result<()> {
    let mut pause = Duration::from_secs(5);
    loop {
        tokio::time::sleep(pause).await;
        let mut tally = Tally::default();
        if dice.random() {
            plane.restart().await?;
            tally.restarts = 1;
        } else {
            plane.control.pause_api_server().await?;
            tokio::time::sleep(Duration::from_secs_f64(dice.random_range(0.5..3.0))).await;
            plane.control.resume_api_server().await?;
            tally.pauses = 1;
        }
        progress.add("the API server failed", tally);
        pause = Duration::from_secs_f64(dice.random_range(40.0..100.0));
    }
}

/// Where the operators' logs go unless said otherwise: beside this program.
///
/// # Errors
/// When this program lies nowhere.
pub fn usual_logs() -> Result<PathBuf> {
    let this = std::env::current_exe().context("cannot find this program")?;
    Ok(this.parent().map(Path::to_owned).context("this program lies nowhere")?.join("chaos-logs"))
}
