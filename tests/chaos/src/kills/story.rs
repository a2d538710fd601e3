//! Plays what happens to one person: objects that come, change, go and come again.
//!
//! Owns what each story makes of the person in the end, and when an e-mail was wanted: a first object, one made anew after
//! the last was deleted, a `resend`. Must never wait for the operator without a limit.

use super::person::{Person, Story, Wanted};
use crate::ground::{Ground, Proof, READER, WRITER};
use crate::persist;
use anyhow::Result;
use invitation_operator::api::ProjectInvitation;
use invitation_operator::api::names::annotation::RESEND;
use jiff::Timestamp;
use kube::ResourceExt;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::time::Duration;

const GLANCE: Duration = Duration::from_millis(150);
/// A step that waits for the operator goes on without it after so long.
const PATIENCE: Duration = Duration::from_secs(15);
/// What is to go is gone by then, or is stuck.
const GONE: Duration = Duration::from_secs(240);

/// One story being played.
pub(super) struct Play<'a> {
    ground: &'a Ground,
    dice: StdRng,
    proof: Proof,
    first: String,
    second: String,
    person: Person,
}

impl<'a> Play<'a> {
    pub(super) fn new(ground: &'a Ground, story: Story, name: &str, seed: u64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed);
        let proof = if dice.random() { Proof::OAuth } else { Proof::Digest };
        let (first, second) = (name.to_owned(), format!("{name}-again"));
        let person = Person {
            address: format!("{name}@example.com"),
            story,
            causes: Vec::new(),
            wanted: Wanted::Nothing,
            objects: vec![first.clone(), second.clone()],
        };
        Self { ground, dice, proof, first, second, person }
    }

    /// Plays it, within about this time; returns how it must end.
    pub(super) async fn play(mut self, within: Duration) -> Result<Person> {
        self.pause(within).await;
        let (first, second) = (self.first.clone(), self.second.clone());
        let invited = |object: &str| Wanted::Invited { objects: vec![object.to_owned()], role: READER };
        let short = Duration::from_secs(3);
        self.person.wanted = match self.person.story {
            Story::Stays => {
                self.invite(&first, json!({}), true).await?;
                invited(&first)
            }
            Story::Roles => {
                self.invite(&first, json!({}), true).await?;
                self.pause(short).await;
                self.change(&first, json!({ "spec": { "roles": [WRITER] } })).await?;
                Wanted::Invited { objects: vec![first], role: WRITER }
            }
            Story::Suspended => {
                self.invite(&first, json!({ "suspend": true }), true).await?;
                self.pause(short).await;
                self.change(&first, json!({ "spec": { "suspend": false } })).await?;
                invited(&first)
            }
            Story::Deleted => {
                self.invite(&first, json!({}), true).await?;
                self.pause(short).await;
                self.delete(&first).await?;
                Wanted::Nothing
            }
            Story::Visits => {
                self.invite(&first, json!({}), true).await?;
                self.shown(&first).await?;
                self.delete(&first).await?;
                Wanted::Nothing
            }
            Story::Reapplied => {
                self.invite(&first, json!({}), true).await?;
                self.pause(short).await;
                if self.delete(&first).await? {
                    self.invite(&first, json!({}), true).await?;
                    invited(&first)
                } else {
                    Wanted::Nothing
                }
            }
            Story::Renamed => {
                self.invite(&first, json!({}), true).await?;
                self.shown(&first).await?;
                self.invite(&second, json!({}), false).await?;
                // Who is not seen waiting may come too late, and be invited anew.
                if !self.seen(&second, |object| object.status.is_some()).await? {
                    self.person.causes.push(Timestamp::now());
                }
                self.delete(&first).await?;
                invited(&second)
            }
            Story::Moved => {
                self.invite(&first, json!({}), true).await?;
                self.shown(&first).await?;
                self.ask_to_delete(&first).await?;
                self.invite(&second, json!({}), true).await?;
                self.gone(&first).await?;
                invited(&second)
            }
            Story::Twins => {
                self.invite(&first, json!({}), true).await?;
                self.invite(&second, json!({}), false).await?;
                Wanted::Invited { objects: vec![first, second], role: READER }
            }
            Story::Accepts => {
                self.invite(&first, json!({}), true).await?;
                if self.accepted().await { Wanted::Accepted { object: first } } else { invited(&first) }
            }
            Story::Declines => {
                self.invite(&first, json!({}), true).await?;
                if self.declined().await? { Wanted::Withdrawn { object: first } } else { invited(&first) }
            }
            Story::Resent => {
                self.invite(&first, json!({}), true).await?;
                self.shown(&first).await?;
                self.person.causes.push(Timestamp::now());
                self.change(&first, json!({ "metadata": { "annotations": { RESEND: "again" } } })).await?;
                invited(&first)
            }
            Story::Kept | Story::KeptReapplied => self.kept().await?,
            Story::Forced => {
                self.force_away().await?;
                Wanted::Nothing
            }
            Story::ForcedReapplied => {
                self.force_away().await?;
                self.pause(short).await;
                self.invite(&first, json!({}), true).await?;
                invited(&first)
            }
        };
        Ok(self.person)
    }

    async fn declined(&mut self) -> Result<bool> {
        let first = self.first.clone();
        let shown = self.shown(&first).await?;
        Ok(shown && self.ground.simulator.decline(&self.ground.project, &self.person.address))
    }

    async fn pause(&mut self, longest: Duration) {
        let length = longest.mul_f64(self.dice.random());
        tokio::time::sleep(length).await;
    }

    /// Makes an object; `cause` when an e-mail may come of it.
    async fn invite(&mut self, name: &str, change: Value, cause: bool) -> Result<()> {
        if cause {
            self.person.causes.push(Timestamp::now());
        }
        self.ground.invite(name, &self.person.address, self.proof, change).await?;
        Ok(())
    }

    async fn change(&self, name: &str, patch: Value) -> Result<()> {
        persist::merge(&self.ground.invitations(), name, &patch).await
    }

    async fn seen(&self, name: &str, holds: impl Fn(&ProjectInvitation) -> bool) -> Result<bool> {
        let looking = async {
            loop {
                let object = persist::get(&self.ground.invitations(), name).await?;
                if object.is_some_and(|object| holds(&object)) {
                    return anyhow::Ok(true);
                }
                tokio::time::sleep(GLANCE).await;
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.unwrap_or(Ok(false))
    }

    /// Waits for the invitation's id: from then on the claim knows it.
    async fn shown(&self, name: &str) -> Result<bool> {
        self.seen(name, |object| object.status.as_ref().is_some_and(|status| status.id.is_some())).await
    }

    async fn ask_to_delete(&self, name: &str) -> Result<()> {
        let invitations = self.ground.invitations();
        if let Some(object) = persist::get(&invitations, name).await? {
            persist::delete(&invitations, name, &object.uid().unwrap_or_default()).await?;
        }
        Ok(())
    }

    /// Waits until there is no object of this name; `false` when it does not go.
    async fn gone(&self, name: &str) -> Result<bool> {
        let looking = async {
            while persist::get(&self.ground.invitations(), name).await?.is_some() {
                tokio::time::sleep(GLANCE).await;
            }
            anyhow::Ok(true)
        };
        tokio::time::timeout(GONE, looking).await.unwrap_or(Ok(false))
    }

    async fn delete(&self, name: &str) -> Result<bool> {
        self.ask_to_delete(name).await?;
        self.gone(name).await
    }

    /// The person accepts as soon as there is something to accept.
    async fn accepted(&self) -> bool {
        let accepting = async {
            while !self.ground.simulator.accept(&self.ground.project, &self.person.address) {
                tokio::time::sleep(GLANCE).await;
            }
        };
        tokio::time::timeout(PATIENCE, accepting).await.is_ok()
    }

    async fn kept(&mut self) -> Result<Wanted> {
        let (first, second) = (self.first.clone(), self.second.clone());
        self.invite(&first, json!({ "deletion": { "invitation": "Keep" } }), true).await?;
        if !self.shown(&first).await? {
            // Not sent in time: kept until the end of the wave.
            self.person.story = Story::Kept;
            return Ok(Wanted::Invited { objects: vec![first], role: READER });
        }
        self.delete(&first).await?;
        if self.person.story == Story::Kept {
            return Ok(Wanted::Kept);
        }
        self.invite(&second, json!({}), false).await?;
        Ok(Wanted::Invited { objects: vec![second], role: READER })
    }

    /// Makes an object, and removes it past its finalizer.
    async fn force_away(&mut self) -> Result<bool> {
        let first = self.first.clone();
        self.invite(&first, json!({}), true).await?;
        self.pause(Duration::from_secs(3)).await;
        self.ask_to_delete(&first).await?;
        self.change(&first, json!({ "metadata": { "finalizers": null } })).await?;
        self.gone(&first).await
    }
}
