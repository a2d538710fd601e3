//! One operator, its relay and its rounds of races.
//!
//! Each round has an operator process of its own: what it does for objects that vanish is limited per process and ten
//! minutes, and a race that is lost is just that.

use super::gun::{Gun, Race};
use super::table::Table;
use crate::ground::{Ground, Proof, kubeconfig};
use crate::persist;
use crate::plane::Plane;
use crate::process::{Operator, Recipe};
use crate::relay::{Relay, Tap};
use crate::upstream::Upstream;
use anyhow::{Result, ensure};
use invitation_operator::api::{InvitationClaim, Phase, ProjectInvitation};
use kube::ResourceExt;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// No more objects may vanish in a round than the operator finishes off without asking.
const ALONE: usize = 10;
const IN_PAIRS: usize = 10;
/// Races of a round.
pub(super) const RACES_OF_A_ROUND: usize = ALONE + IN_PAIRS;
/// Every time of the operator is divided by this.
const FACTOR: u32 = 100;
/// What is not settled by then never is: generous, since what is slow on a busy machine is not wrong.
const LIMIT: Duration = Duration::from_secs(300);
const GLANCE: Duration = Duration::from_millis(100);

/// One operator and its races.
pub(super) struct Lane {
    ground: Ground,
    gun: Arc<Gun>,
    _relay: Relay,
    recipe: Recipe,
    rounds: usize,
    pub(super) table: Table,
}

/// A person that is raced for.
struct Person {
    address: String,
    /// One, or two of which one is raced.
    objects: Vec<String>,
}

impl Lane {
    pub(super) async fn make(plane: &Plane, operator: &Path, number: usize) -> Result<Self> {
        let ground = Ground::make(plane, &format!("race-{number}"), u64::try_from(number)?).await?;
        let gun = Arc::new(Gun::new(ground.invitations()));
        let tap: Arc<dyn Tap> = Arc::<Gun>::clone(&gun);
        let relay = Relay::start(Upstream::Cluster(plane.client.clone()), tap).await?;
        let folder = plane.control.folder();
        let file = kubeconfig(relay.address(), folder.join(format!("race-{number}.kubeconfig")))?;
        let mut flags = ground.flags(&file, &ground.simulator.address().to_string());
        flags.extend([
            format!("--unsafe-timings={FACTOR}"),
            "--leader-elect=false".to_owned(),
            // Divided, a call has still time enough on a busy machine.
            format!("--post-deadline={}s", 2 * FACTOR),
            format!("--call-deadline={}s", 10),
        ]);
        let log = folder.join(format!("race-{number}.log"));
        ground.inviters(ground.simulator.base_url()).await?;
        let recipe = Recipe { program: operator.to_owned(), flags, log };
        Ok(Self { ground, gun, _relay: relay, recipe, rounds: 0, table: Table::default() })
    }

    /// Invites, races, waits until all is settled, compares, and clears away.
    pub(super) async fn round(&mut self) -> Result<()> {
        self.rounds += 1;
        let operator = Operator::start(&self.recipe)?;
        let people = self.invite().await?;
        let settled = self.until(|lane| async { Ok(lane.wrong(&people).await?.is_empty()) }).await?;
        if !settled {
            let wrong = self.wrong(&people).await?;
            self.table.violations.extend(wrong.into_iter().map(|what| format!("round {}: {what}", self.rounds)));
        }
        self.count(&people);
        self.clear_away(&people).await?;
        drop(operator);
        Ok(())
    }

    async fn invite(&self) -> Result<Vec<Person>> {
        let round = self.rounds;
        let people: Vec<Person> = (0..RACES_OF_A_ROUND)
            .map(|number| Person {
                address: format!("person-{round}-{number}@example.com"),
                objects: (0..if number < ALONE { 1 } else { 2 })
                    .map(|twin| format!("object-{round}-{number}-{twin}"))
                    .collect(),
            })
            .collect();
        let making = people.iter().enumerate().map(|(number, person)| {
            let proof = if number % 2 == 0 { Proof::OAuth } else { Proof::Digest };
            self.gun.load(person.objects.clone());
            let objects = person.objects.iter().map(|name| self.ground.invite(name, &person.address, proof, json!({})));
            futures::future::try_join_all(objects)
        });
        futures::future::try_join_all(making).await?;
        Ok(people)
    }

    /// What is not yet, or never will be, as it must be in the end.
    async fn wrong(&self, people: &[Person]) -> Result<Vec<String>> {
        let objects = persist::list(&self.ground.invitations()).await?;
        let objects: BTreeMap<String, ProjectInvitation> =
            objects.into_iter().map(|object| (object.name_any(), object)).collect();
        let claims = persist::list(&self.ground.claims()).await?;
        let pending = self.ground.simulator.invitations(&self.ground.project);
        let mut wrong = Vec::new();
        for person in people {
            let race = self.race(person);
            let other = person.objects.iter().find(|name| race.raced.as_ref() != Some(*name));
            let address = &person.address;
            let mut say = |what: String| wrong.push(format!("{address} ({race:?}): {what}"));
            let mails = self.ground.simulator.mails_to(address).len();
            let invited: Vec<_> = pending.iter().filter(|invitation| invitation.username == *address).collect();
            let claim = claims.iter().find(|claim| claim.spec.key.username == *address);
            if race.gone.is_none() {
                say("not raced".to_owned());
            }
            if race.raced.as_ref().is_some_and(|raced| objects.contains_key(raced)) {
                say("the raced object is still there".to_owned());
            }
            if mails > 1 {
                say(format!("{mails} e-mails"));
            }
            let Some(other) = other else {
                if !invited.is_empty() {
                    say("an invitation without an object".to_owned());
                }
                if claim.is_some_and(|claim| claim.spec.owner.is_some()) {
                    say("a claim whose owner is gone".to_owned());
                }
                continue;
            };
            if mails == 0 {
                say("no e-mail".to_owned());
            }
            match (objects.get(other), claim, invited.as_slice()) {
                (Some(object), Some(claim), [one]) if is_in_order(object, claim, &one.id) => {}
                (object, claim, invited) => {
                    let status = object.and_then(|object| object.status.as_ref());
                    let claim = claim.map(|claim| &claim.spec);
                    say(format!("status {status:?}, claim {claim:?}, pending {invited:?}"));
                }
            }
        }
        Ok(wrong)
    }

    fn race(&self, person: &Person) -> Race {
        person.objects.first().map(|name| self.gun.race(name)).unwrap_or_default()
    }

    fn count(&mut self, people: &[Person]) {
        for person in people {
            let race = self.race(person);
            let table = &mut self.table;
            // An answer that was lost tells nothing.
            table.races += usize::from(race.is_run());
            table.with_two_objects += usize::from(person.objects.len() > 1);
            table.mails += self.ground.simulator.mails_to(&person.address).len();
            table.lost += usize::from(race.is_lost());
            table.finalizer_first += usize::from(race.gone == Some(false));
            table.deletion_first += usize::from(race.acknowledged == Some(false));
        }
    }

    async fn clear_away(&self, people: &[Person]) -> Result<()> {
        let invitations = self.ground.invitations();
        for name in people.iter().flat_map(|person| &person.objects) {
            if let Some(object) = persist::get(&invitations, name).await? {
                persist::delete(&invitations, name, &object.uid().unwrap_or_default()).await?;
            }
        }
        let gone = self.until(|lane| async { Ok(persist::list(&lane.ground.invitations()).await?.is_empty()) });
        ensure!(gone.await?, "objects are not let go: the operator's log:\n{}", self.end_of_log());
        Ok(())
    }

    async fn until<'a, F: Future<Output = Result<bool>>>(&'a self, holds: impl Fn(&'a Self) -> F) -> Result<bool> {
        let looking = async {
            while !holds(self).await? {
                tokio::time::sleep(GLANCE).await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(LIMIT, looking).await.map_or(Ok(false), |held| held.map(|()| true))
    }

    fn end_of_log(&self) -> String {
        crate::process::end_of_log(&self.recipe.log)
    }
}

/// The object shows the invitation that its claim knows and MongoDB has.
fn is_in_order(object: &ProjectInvitation, claim: &InvitationClaim, id: &str) -> bool {
    let shown = object.status.as_ref();
    let recorded = claim.spec.invitation.as_ref();
    shown.is_some_and(|status| status.phase == Some(Phase::Invited) && status.id.as_deref() == Some(id))
        && claim.spec.owner.as_ref().map(|owner| &owner.uid) == object.metadata.uid.as_ref()
        && claim.spec.attempt.is_none()
        && recorded.is_some_and(|recorded| recorded.id == id)
}
