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
    /// Those of them who began while the flood's objects were created, as fast as the API server takes them.
    pub(crate) while_applied: Times,
    /// Those of them who began later.
    pub(crate) afterwards: Times,
    /// Until all objects of the flood were created.
    pub(crate) applied_s: f64,
    /// Until the flood was over.
    pub(crate) flood_s: f64,
    pub(crate) delivery: Delivery,
}

/// Invites `honest` people of one namespace one after another, alone, and then at most as many while another namespace's are
/// invited all at once.
///
/// Who creates thousands of objects takes the API server's time from everybody before the operator sees one of them, so those
/// whom that concerns are counted by themselves, too.
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
    let (applied, over) = (AtomicBool::new(false), AtomicBool::new(false));
    let alone = Times::of(&one_by_one(&stage, &witness, first, &over).await?);

    let crowd: Vec<_> = (0..flood).map(|number| noisy.person(number)).collect();
    let began = Instant::now();
    let flooded = async {
        apply_all(&stage, &crowd).await?;
        applied.store(true, Ordering::Relaxed);
        let applied_s = began.elapsed().as_secs_f64();
        witness.until_all(&crowd, "Invited", LIMIT).await;
        over.store(true, Ordering::Relaxed);
        anyhow::Ok((applied_s, began.elapsed().as_secs_f64()))
    };
    let in_turn = async {
        // The flood has begun by then.
        let ahead = crowd.get(..crowd.len().min(10)).unwrap_or_default();
        witness.until_all(ahead, "Invited", LIMIT).await;
        let while_applied = one_by_one(&stage, &witness, second, &applied).await?;
        let rest = second.get(while_applied.len()..).unwrap_or_default();
        anyhow::Ok((while_applied, one_by_one(&stage, &witness, rest, &over).await?))
    };
    let (flooded, in_turn) = tokio::join!(flooded, in_turn);
    let ((applied_s, flood_s), (while_applied, afterwards)) = (flooded?, in_turn?);
    let beside = [while_applied.as_slice(), &afterwards].concat();
    let invited = first.iter().chain(second.iter().take(beside.len()));
    let everybody: Vec<_> = invited.chain(&crowd).cloned().collect();
    let delivery = Delivery::of(&stage.simulator, &everybody);
    operator.terminate().await?;
    stage.stop().await?;
    Ok(FairnessRun {
        flood,
        alone,
        beside: Times::of(&beside),
        while_applied: Times::of(&while_applied),
        afterwards: Times::of(&afterwards),
        applied_s,
        flood_s,
        delivery,
    })
}

/// Those whose turn comes before it is over.
async fn one_by_one(stage: &Stage, witness: &Witness, people: &[Person], over: &AtomicBool) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(people.len());
    for person in people {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let applied = person.apply(stage).await?;
        times.push(witness.until(person, "Invited", LIMIT).await?.duration_since(applied));
    }
    Ok(times)
}
