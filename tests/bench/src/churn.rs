//! Whether memory grows while objects come and go: waves of them are created, looked at and deleted, and nobody is e-mailed.
//!
//! Owns the waves. The inviter only observes: e-mails are remembered for a day, on purpose, and would be what is measured.

use crate::operator::{Operator, Ready};
use crate::stage::Stage;
use crate::team::{Credentials, Person, Team, apply_all};
use crate::witness::Witness;
use anyhow::{Context, Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use invitation_operator::api::{Inviter, ProjectInvitation};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};

/// Objects of one wave.
const WAVE: usize = 500;
/// Objects are deleted over so many connections.
const DELETERS: usize = 16;
const LIMIT: Duration = Duration::from_secs(120);
/// Memory is looked at so often.
const WAVES_EACH: usize = 20;

/// Lets so many objects come and go, and prints the memory now and then.
pub(crate) async fn measure(binary: &Path, objects: usize) -> Result<()> {
    let stage = Stage::start(binary).await?;
    let mut operator = stage.operator(&[])?;
    operator.until(Ready::Leads).await?;
    let team = Team::form(&stage, "team", WAVE, Credentials::ServiceAccount).await?;
    team.ready(&stage).await?;
    let inviters: Api<Inviter> = Api::namespaced(stage.client.clone(), &team.namespace);
    let name = inviters.list(&ListParams::default()).await?.items.pop().and_then(|inviter| inviter.metadata.name);
    let observes = Patch::Merge(json!({ "spec": { "mode": "Observe" } }));
    inviters.patch(&name.context("no inviter")?, &PatchParams::default(), &observes).await?;
    let began = Instant::now();
    for number in 0..objects.div_ceil(WAVE) {
        wave(&stage, &team, number).await?;
        if number.is_multiple_of(WAVES_EACH) || number + 1 == objects.div_ceil(WAVE) {
            tell(&operator, (number + 1) * WAVE, began)?;
        }
    }
    println!("{}", json!({ "eMails": stage.simulator.outbox().len() }));
    operator.terminate().await?;
    stage.stop().await
}

/// Every wave has objects of its own.
async fn wave(stage: &Stage, team: &Team, number: usize) -> Result<()> {
    let named = |person: Person| Person { name: format!("wave-{number}-{}", person.name), ..person };
    let people: Vec<_> = (0..WAVE).map(|person| named(team.person(person))).collect();
    let witness = Witness::watch(&stage.client);
    apply_all(stage, &people).await?;
    let missing = witness.until_all(&people, "Pending", LIMIT).await;
    ensure!(missing == 0, "{missing} of wave {number} are not looked at within {} s", LIMIT.as_secs());
    let objects: Api<ProjectInvitation> = Api::namespaced(stage.client.clone(), &team.namespace);
    let parameters = DeleteParams::default();
    let deleted = stream::iter(&people).map(|person| objects.delete(&person.name, &parameters));
    deleted.buffer_unordered(DELETERS).try_for_each(|_| std::future::ready(Ok(()))).await?;
    Ok(())
}

fn tell(operator: &Operator, objects: usize, began: Instant) -> Result<()> {
    let usage = operator.usage()?;
    let seconds = began.elapsed().as_secs_f64().round();
    let line = json!({ "objects": objects, "rssMb": usage.rss_mb, "anonymousMb": usage.anonymous_mb, "s": seconds });
    println!("{line}");
    Ok(())
}
