//! A start with more people than can be invited in reasonable time: one person of each project is invited and accepts, and
//! the others' objects, claims and memberships are made after that pattern.
//!
//! Must never leave the operator anything to do: a write after its start means that the pattern was not copied well.

use crate::operator::Ready;
use crate::scale::{self, Plan};
use crate::stage::{OPERATOR_NAMESPACE, Stage, UNPACED};
use crate::team::{Person, Team, apply_all};
use crate::witness::Witness;
use anyhow::{Context, Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use invitation_operator::api::names::{OWNER_UID_LABEL, annotation};
use invitation_operator::api::{InvitationClaim, ProjectInvitation};
use invitation_operator::domain::key::claim_name;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// Objects are made over so many connections.
const MAKERS: usize = 32;
const LIMIT: Duration = Duration::from_secs(120);

/// What the operator left of the first person of a team.
struct Pattern {
    object: ProjectInvitation,
    claim: InvitationClaim,
}

/// Starts an operator on so many people who have all accepted, and prints what that took.
pub(crate) async fn measure(binary: &Path, people: usize, rest: Duration) -> Result<()> {
    let stage = Stage::start(binary).await?;
    let mut operator = stage.operator(&[UNPACED])?;
    operator.until(Ready::Leads).await?;
    let (teams, everybody) = scale::form(&stage, people).await?;
    let patterns = accepted(&stage, &teams).await?;
    operator.terminate().await?;
    let rest_of_them: Vec<_> = everybody
        .iter()
        .enumerate()
        .filter_map(|(number, person)| {
            let pattern = patterns
                .iter()
                .find(|pattern| pattern.object.metadata.namespace.as_ref() == Some(&person.namespace))?;
            (pattern.object.spec.username != person.username).then_some((number, person, pattern))
        })
        .collect();
    stream::iter(rest_of_them)
        .map(|(number, person, pattern)| copy(&stage, number, person, pattern))
        .buffer_unordered(MAKERS)
        .try_for_each(|()| std::future::ready(Ok(())))
        .await?;
    let plan = Plan { people, latency: Duration::ZERO, rest, raw_writes: 0, idle: None };
    let (operator, restart) = scale::restarted(&stage, plan).await?;
    println!("{}", serde_json::to_string_pretty(&restart)?);
    operator.terminate().await?;
    ensure!(restart.writes == 0, "the operator wrote {} times", restart.writes);
    stage.stop().await
}

/// The first person of each team, invited and accepted.
async fn accepted(stage: &Stage, teams: &[Team]) -> Result<Vec<Pattern>> {
    let first: Vec<_> = teams.iter().map(|team| team.person(0)).collect();
    let witness = Witness::watch(&stage.client);
    apply_all(stage, &first).await?;
    let missing = witness.until_all(&first, "Invited", LIMIT).await;
    ensure!(missing == 0, "{missing} are not invited");
    for person in &first {
        ensure!(stage.simulator.accept(&person.project, &person.username), "{} is not invited", person.username);
        let asked = Patch::Merge(json!({ "metadata": { "annotations": { annotation::REQUESTED_AT: "accepted" } } }));
        objects(stage, person).patch(&person.name, &PatchParams::default(), &asked).await?;
    }
    let missing = witness.until_all(&first, "Accepted", LIMIT).await;
    ensure!(missing == 0, "{missing} have not accepted");
    let claims: Api<InvitationClaim> = Api::namespaced(stage.client.clone(), OPERATOR_NAMESPACE);
    let claims = claims.list(&ListParams::default()).await?.items;
    let mut patterns = Vec::new();
    for person in &first {
        let object = objects(stage, person).get(&person.name).await?;
        let claim = claims.iter().find(|claim| claim.spec.key.username == person.username.to_lowercase());
        patterns.push(Pattern { object, claim: claim.context("no claim")?.clone() });
    }
    Ok(patterns)
}

/// Object, claim and membership of one more person.
async fn copy(stage: &Stage, number: usize, person: &Person, pattern: &Pattern) -> Result<()> {
    let id = format!("{number:024x}");
    let user = stage.simulator.seed_account(&person.username);
    stage.simulator.seed_member(&person.project, &person.username, &["GROUP_READ_ONLY"]);
    let mut object = person.object()?;
    object.metadata.finalizers = pattern.object.metadata.finalizers.clone();
    object.metadata.annotations = pattern.object.metadata.annotations.clone();
    let made = objects(stage, person).create(&PostParams::default(), &object).await?;
    let mut status = pattern.object.status.clone().context("no status")?;
    (status.id, status.user_id) = (Some(id.clone()), Some(user));
    let status = Patch::Merge(json!({ "status": status }));
    objects(stage, person).patch_status(&person.name, &PatchParams::default(), &status).await?;

    let uid = made.metadata.uid.context("no uid")?;
    let mut spec = pattern.claim.spec.clone();
    spec.key.username = person.username.to_lowercase();
    if let Some(owner) = &mut spec.owner {
        (owner.name, owner.uid) = (person.name.clone(), uid.clone());
    }
    if let Some(invitation) = &mut spec.invitation {
        invitation.id = id;
    }
    let mut claim = InvitationClaim::new(&claim_name(&spec.key), spec);
    claim.metadata.labels = pattern.claim.metadata.labels.clone();
    claim.metadata.labels.get_or_insert_default().insert(OWNER_UID_LABEL.to_owned(), uid);
    // As the operator writes them.
    claim.metadata.managed_fields = Some(vec![ManagedFieldsEntry::default()]);
    let claims: Api<InvitationClaim> = Api::namespaced(stage.client.clone(), OPERATOR_NAMESPACE);
    claims.create(&PostParams::default(), &claim).await?;
    Ok(())
}

fn objects(stage: &Stage, person: &Person) -> Api<ProjectInvitation> {
    Api::namespaced(stage.client.clone(), &person.namespace)
}
