//! How long one namespace waits while another one floods the operator.

use crate::delivery::Delivery;
use crate::operator::Ready;
use crate::stage::{Stage, UNPACED};
use crate::statistics::Times;
use crate::team::{Credentials, Person, Team, apply_all};
use crate::witness::Witness;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const LATENCY: Duration = Duration::from_millis(50);
const LIMIT: Duration = Duration::from_secs(600);

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FairnessRun {
    /// Objects of the flood.
    pub(crate) flood: usize,
    /// The honest namespace's times while it is alone.
    pub(crate) alone: Times,
    /// The same beside the flood.
    pub(crate) beside: Times,
    /// Until the flood was over.
    pub(crate) flood_s: f64,
    pub(crate) delivery: Delivery,
}

/// Invites `honest` people of one namespace one after another, alone, and then at most as many while another namespace's are
/// invited all at once.
pub(crate) async fn run(binary: &Path, honest: usize, flood: usize) -> Result<FairnessRun> {
    let stage = Stage::start(binary).await?;
    stage.set_latency(LATENCY);
    let mut operator = stage.operator(&[UNPACED])?;
    operator.until(Ready::Leads).await?;
    let (quiet, noisy) = (
        Team::form(&stage, "honest", 2 * honest, Credentials::ServiceAccount).await?,
        Team::form(&stage, "flood", flood, Credentials::ServiceAccount).await?,
    );
    quiet.ready(&stage).await?;
    noisy.ready(&stage).await?;
    let witness = Witness::watch(&stage.client);
    let all: Vec<_> = (0..2 * honest).map(|number| quiet.person(number)).collect();
    let (first, second) = all.split_at(honest);
    let over = AtomicBool::new(false);
    let alone = one_by_one(&stage, &witness, first, &over).await?;

    let crowd: Vec<_> = (0..flood).map(|number| noisy.person(number)).collect();
    let began = Instant::now();
    let flooded = async {
        apply_all(&stage, &crowd).await?;
        witness.until_all(&crowd, "Invited", LIMIT).await;
        over.store(true, Ordering::Relaxed);
        anyhow::Ok(began.elapsed())
    };
    let in_turn = async {
        // The flood has begun by then.
        let ahead = crowd.get(..crowd.len().min(10)).unwrap_or_default();
        witness.until_all(ahead, "Invited", LIMIT).await;
        one_by_one(&stage, &witness, second, &over).await
    };
    let (flooded, beside) = tokio::join!(flooded, in_turn);
    let (flooded, beside) = (flooded?, beside?);
    let applied = first.iter().chain(second.iter().take(beside.count));
    let everybody: Vec<_> = applied.chain(&crowd).cloned().collect();
    let delivery = Delivery::of(&stage.simulator, &everybody);
    operator.terminate().await?;
    stage.stop().await?;
    Ok(FairnessRun { flood, alone, beside, flood_s: flooded.as_secs_f64(), delivery })
}

/// Those whose turn comes before it is over.
async fn one_by_one(stage: &Stage, witness: &Witness, people: &[Person], over: &AtomicBool) -> Result<Times> {
    let mut times = Vec::with_capacity(people.len());
    for person in people {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let applied = person.apply(stage).await?;
        times.push(witness.until(person, "Invited", LIMIT).await?.duration_since(applied));
    }
    Ok(Times::of(&times))
}
