//! One pair of replicas with a simulator of its own, and its waves.
//!
//! Owns the order of a wave: people and strikes together, then everything heals, everything comes to rest, everything is
//! looked at and cleared away. Must never let a wave begin before the last is at rest.

use super::pair::Side;
use super::person::Person;
use super::scale::Scale;
use super::strike::{Striker, Used};
use super::tally::{Tally, Wrong};
use super::trap::{ClusterTap, Field, RemoteTap};
use super::verdict::{Found, Snapshot};
use super::{Plan, Progress, crowd};
use crate::ground::{Ground, kubeconfig};
use crate::persist;
use crate::plane::Plane;
use crate::process::Recipe;
use crate::relay::Relay;
use crate::upstream::Upstream;
use anyhow::Result;
use atlas_sim::{Endpoint, Fault, FaultRule, Span};
use invitation_operator::api::names::annotation::RESEND;
use jiff::Timestamp;
use kube::ResourceExt;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// What has not come to rest by then is stuck: generous, since what is slow on a busy machine is not stuck.
const LIMIT: Duration = Duration::from_secs(300);
const GLANCE: Duration = Duration::from_millis(250);

/// One pair of replicas and its ground.
pub(super) struct World {
    ground: Ground,
    field: Arc<Field>,
    _remote: Relay,
    scale: Scale,
    seed: u64,
    number: usize,
    used: Arc<Used>,
    /// What happened in this wave.
    tally: Tally,
}

impl World {
    pub(super) async fn make(plane: &Plane, plan: &Plan, number: usize, seed: u64, used: Arc<Used>) -> Result<Self> {
        let scale = plan.scale;
        let ground = Ground::make(plane, &format!("chaos-{number}"), seed).await?;
        let field = Arc::new(Field::default());
        let remote = Upstream::plain(ground.simulator.address());
        let remote = Relay::start(remote, Arc::new(RemoteTap(Arc::clone(&field)))).await?;
        for side in Side::BOTH {
            let tap = Arc::new(ClusterTap(side, Arc::clone(&field)));
            let relay = Relay::start(Upstream::Cluster(plane.client.clone()), tap).await?;
            let name = format!("world-{number}-{side:?}").to_lowercase();
            let file = kubeconfig(relay.address(), plane.control.folder().join(format!("{name}.kubeconfig")))?;
            let mut flags = ground.flags(&file, &remote.address().to_string());
            flags.extend(scale.flags());
            let recipe = Recipe { program: plan.operator.clone(), flags, log: plan.logs.join(format!("{name}.log")) };
            field.pair.furnish(side, recipe, relay);
            field.pair.start(side)?;
        }
        ground.inviters(&format!("http://{}", remote.address())).await?;
        let tally = Tally::default();
        Ok(Self { ground, field, _remote: remote, scale, seed, number, used, tally })
    }

    /// Wave after wave, until all worlds together have had enough.
    pub(super) async fn live(&mut self, progress: &Progress<'_>) -> Result<()> {
        for wave in 0_usize.. {
            let begun = Instant::now();
            let people = self.disturb(wave, progress.plan.kills_of_a_wave).await?;
            let disturbed = begun.elapsed();
            let people = self.settle(wave, people).await?;
            let rested = begun.elapsed();
            self.clear_away(wave, &people).await?;
            let what = format!(
                "world {} wave {wave}: {} people, {} s disturbed, {} s until all was at rest, {} s to clear away",
                self.number,
                people.len(),
                disturbed.as_secs(),
                rested.saturating_sub(disturbed).as_secs(),
                begun.elapsed().saturating_sub(rested).as_secs()
            );
            if progress.add(&what, std::mem::take(&mut self.tally)) {
                break;
            }
        }
        Ok(())
    }

    /// People and strikes together; returns the people.
    async fn disturb(&mut self, wave: usize, kills: usize) -> Result<Vec<Person>> {
        let mut dice = StdRng::seed_from_u64(self.seed ^ (u64::try_from(wave)? << 16));
        self.trouble(&mut dice);
        // A strike takes about a Lease and a half.
        let within = self.scale.lease().mul_f64(1.5) * u32::try_from(kills)?;
        let (visitors, calls) = mpsc::unbounded_channel();
        let name = format!("p-{}-{wave}", self.number);
        let crowd = crowd::gather(&self.ground, &name, within, StdRng::seed_from_u64(dice.random()), calls);
        let (ground, field, scale, used) = (&self.ground, &*self.field, self.scale, &*self.used);
        let striker = Striker { ground, field, scale, dice, used, visitors, tally: Tally::default() };
        let (people, struck) = tokio::join!(crowd, striker.wave(kills));
        let people = people?;
        self.tally.add(struck?);
        self.tally.people += people.len();
        self.tally.forced += people.iter().filter(|person| person.is_forced()).count();
        Ok(people)
    }

    /// Makes the simulator as bad as the protocol bears.
    fn trouble(&self, dice: &mut StdRng) {
        let (late, lag) = (self.scale.late().duration(), self.scale.lag().duration());
        let part = |whole: Duration, dice: &mut StdRng| Span::from(whole.mul_f64(dice.random_range(0.2..=1.0)));
        let list_lag = if dice.random() { part(lag, dice) } else { Span::ZERO };
        self.ground.simulator.configure(|behaviour| behaviour.list_lag = list_lag);
        let on_invite = [
            (0.06, Fault::ResetAfter),
            (0.03, Fault::HangAfter),
            (0.03, Fault::ResetBefore),
            (0.03, Fault::LateEffect { after: part(late, dice), hang: false }),
            (0.03, Fault::LateEffect { after: part(late, dice), hang: true }),
            (0.02, Fault::status(503, "SERVICE_UNAVAILABLE")),
            (0.02, Fault::Html { status: 502, after_effect: true }),
            (0.02, Fault::Truncate { keep: 20 }),
            (0.03, Fault::rate_limited(None)),
            (0.02, Fault::status(400, "INVITATIONS_RATE_LIMITED_IP")),
            (0.20, Fault::Latency { before: Span::millis(40), after: Span::millis(60) }),
        ];
        for (chance, fault) in on_invite {
            self.ground.simulator.add_fault(FaultRule::new(fault).on(Endpoint::CreateGroupInvite).probability(chance));
        }
        let elsewhere = [
            (Endpoint::ListGroupInvites, Fault::status(500, "UNEXPECTED_ERROR")),
            (Endpoint::ListGroupInvites, Fault::ResetBefore),
            (Endpoint::ListGroupUsers, Fault::Html { status: 503, after_effect: false }),
            (Endpoint::DeleteGroupInvite, Fault::ResetAfter),
            (Endpoint::DeleteGroupInvite, Fault::status(500, "UNEXPECTED_ERROR")),
            (Endpoint::GetGroupInvite, Fault::ResetBefore),
            (Endpoint::CreateToken, Fault::ResetAfter),
        ];
        for (endpoint, fault) in elsewhere {
            self.ground.simulator.add_fault(FaultRule::new(fault).on(endpoint).probability(0.02));
        }
    }

    /// Everything heals; waits until all people are as they must be, and says who is not.
    async fn settle(&mut self, wave: usize, mut people: Vec<Person>) -> Result<Vec<Person>> {
        self.ground.simulator.clear_faults();
        self.ground.simulator.configure(|behaviour| behaviour.list_lag = Span::ZERO);
        for side in Side::BOTH {
            self.field.pair.start(side)?;
        }
        let end = Instant::now() + LIMIT;
        let snapshot = loop {
            let snapshot = Snapshot::take(&self.ground).await?;
            let mut rests = true;
            for person in &mut people {
                match snapshot.judge(person) {
                    Found::AsWanted | Found::Capped => {}
                    Found::Not(..) => rests = false,
                    Found::Held(object) => {
                        rests = false;
                        self.ask_again(person, &object).await?;
                    }
                }
            }
            if rests || Instant::now() >= end {
                break snapshot;
            }
            tokio::time::sleep(GLANCE).await;
        };
        for person in &people {
            self.tally.causes += person.causes.len();
            self.tally.mails += snapshot.mails(person);
            match snapshot.judge(person) {
                Found::AsWanted => {}
                Found::Capped => self.tally.capped += 1,
                Found::Held(object) => self.violation(wave, Wrong::Stuck, &format!("{object} is held again")),
                Found::Not(wrong, what) => self.violation(wave, wrong, &what),
            }
            if let Some(what) = snapshot.duplicates(person) {
                self.violation(wave, Wrong::Duplicate, &what);
            }
        }
        Ok(people)
    }

    /// The human who is asked to.
    async fn ask_again(&mut self, person: &mut Person, object: &str) -> Result<()> {
        let invitations = self.ground.invitations();
        let token = format!("human-{}", person.causes.len());
        let asked =
            persist::get(&invitations, object).await?.and_then(|found| found.annotations().get(RESEND).cloned());
        // Once for each time that it is held.
        if asked.is_some_and(|asked| asked.starts_with("human-")) {
            return Ok(());
        }
        self.tally.held += 1;
        person.causes.push(Timestamp::now());
        persist::merge(&invitations, object, &json!({ "metadata": { "annotations": { RESEND: token } } })).await
    }

    /// Deletes all objects: their invitations are cancelled, and nothing is left.
    async fn clear_away(&mut self, wave: usize, people: &[Person]) -> Result<()> {
        let invitations = self.ground.invitations();
        for object in persist::list(&invitations).await? {
            persist::delete(&invitations, &object.name_any(), &object.uid().unwrap_or_default()).await?;
        }
        let end = Instant::now() + LIMIT;
        let snapshot = loop {
            let snapshot = Snapshot::take(&self.ground).await?;
            let left = people.iter().any(|person| snapshot.leaves_something(person));
            if !left || Instant::now() >= end {
                break snapshot;
            }
            tokio::time::sleep(GLANCE).await;
        };
        for person in people {
            if snapshot.has_objects(person) {
                self.violation(wave, Wrong::Stuck, &snapshot.told(person, "cannot be deleted"));
            }
            for id in snapshot.pending_ids(person) {
                if person.is_kept() {
                    self.ground.simulator.cancel(&self.ground.project, &id);
                } else {
                    self.violation(wave, Wrong::Leak, &snapshot.told(person, &format!("keeps invitation {id}")));
                }
            }
            if let Some(what) = snapshot.duplicates(person) {
                self.violation(wave, Wrong::Duplicate, &format!("at the end, {what}"));
            }
        }
        self.ground.simulator.clear_requests();
        Ok(())
    }

    fn violation(&mut self, wave: usize, wrong: Wrong, what: &str) {
        let what = format!("world {} wave {wave}: {what}", self.number);
        eprintln!("{wrong:?}: {what}");
        self.tally.violations.push((wrong, what));
    }
}
