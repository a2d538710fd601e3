//! Takes part in the election of the one replica that acts.
//!
//! Owns the order of things: what is found of inviters is doubted before this process may act, everything is woken after;
//! on the way out the Lease is renewed until all that was in flight is recorded, and then given back. Losing the Lease
//! drops nothing: the fence has closed by time before, passes that run are finished, new ones do not begin. Must never decide
//! who leads: `domain::lease` does.

use super::clock::Clock;
use super::leadership::{Announcer, Leadership};
use super::lease_api::{LeaseApi, LeaseTrouble, Sighting, lease_of};
use super::observer::{ElectionNews, Observer};
use super::settings::{ControllerSettings, LeaseSettings};
use super::takeover::Takeover;
use crate::api::names::annotation::RESUME_CANCELLATIONS;
use crate::domain::lease::{Bid, Decision, Election, Lost};
use futures::StreamExt;
use k8s_openapi::api::coordination::v1::Lease as KubeLease;
use kube::{Client, ResourceExt};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What a replica needs to stand for election.
pub struct Candidacy {
    /// The Lease.
    pub lease: LeaseSettings,
    /// Tells fence and passes.
    pub announcer: Announcer,
}

impl Candidacy {
    /// Stands for the Lease in the operator's namespace.
    #[must_use]
    pub fn candidate(
        self,
        client: Client,
        settings: &ControllerSettings,
        takeover: Arc<Takeover>,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Candidate {
        let LeaseSettings { name, identity, times } = self.lease;
        let namespace = &settings.operator_namespace;
        Candidate {
            election: Election::new(identity, times, settings.timings.post_deadline),
            api: LeaseApi::new(
                client,
                namespace,
                &name,
                settings.namespaces.text(),
                call_deadline(times.renew_deadline),
                settings.watch_renewal,
            ),
            shown: format!("{namespace}/{name}"),
            announcer: self.announcer,
            takeover,
            clock,
            observer,
        }
    }
}

/// One candidate.
pub struct Candidate {
    election: Election,
    api: LeaseApi,
    /// Where it is and what it is called, for the log.
    shown: String,
    announcer: Announcer,
    takeover: Arc<Takeover>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
}

/// A candidate at work.
struct Running {
    candidate: Candidate,
    /// The newest version of the object.
    object: Option<KubeLease>,
    told: Option<ElectionNews>,
    holder_told: Option<String>,
}

impl Candidate {
    /// Stands for election until `stop`, then holds what it has until `drained`.
    pub async fn run(self, stop: CancellationToken, drained: CancellationToken) {
        let mut running = Running { candidate: self, object: None, told: None, holder_told: None };
        running.tell(ElectionNews::Follows);
        let mut sightings = pin!(running.candidate.api.sightings());
        loop {
            let leads = running.candidate.election.held_until().is_some();
            if drained.is_cancelled() || (stop.is_cancelled() && !leads) {
                break;
            }
            let now = running.candidate.clock.monotonic();
            match running.candidate.election.decide(now) {
                Decision::Look => running.look().await,
                Decision::Acquire(bid) | Decision::Renew(bid) => running.write(&bid).await,
                Decision::StandDown(lost) => running.stand_down(&lost),
                Decision::Wait(until) => {
                    tokio::select! {
                        () = drained.cancelled() => {}
                        () = stop.cancelled(), if !leads => {}
                        seen = sightings.next() => running.saw(seen),
                        () = tokio::time::sleep(until.saturating_sub(now)) => {}
                    }
                }
            }
        }
        running.release().await;
    }
}

impl Running {
    fn saw(&mut self, sighting: Option<Sighting>) {
        match sighting {
            Some(Sighting::Lease(lease)) => self.observe(Some(*lease)),
            Some(Sighting::Gone) => self.candidate.election.doubt(),
            Some(Sighting::Nothing) | None => {}
        }
    }

    fn observe(&mut self, object: Option<KubeLease>) {
        let now = self.candidate.clock.monotonic();
        let lease = object.as_ref().map(lease_of);
        self.candidate.election.observe(lease, now);
        // What the election passed over because it knows better is passed over here as well.
        let newest = self.candidate.election.version();
        if object.as_ref().map(|object| lease_of(object).version).as_deref() == newest {
            self.keep(object);
        }
        self.tell_holder();
    }

    fn keep(&mut self, object: Option<KubeLease>) {
        let asked = object.as_ref().and_then(|object| object.annotations().get(RESUME_CANCELLATIONS).cloned());
        self.candidate.announcer.resume_asked(asked);
        self.object = object;
    }

    async fn look(&mut self) {
        match self.candidate.api.read().await {
            Ok(object) => self.observe(object),
            Err(trouble) => self.trouble(trouble),
        }
    }

    async fn write(&mut self, bid: &Bid) {
        let Candidate { api, clock, .. } = &self.candidate;
        let sent = clock.monotonic();
        match api.write(self.object.as_ref(), bid, clock.now()).await {
            Ok(object) => {
                let now = self.candidate.clock.monotonic();
                let led = self.candidate.election.held_until().is_some();
                self.candidate.election.acknowledged(lease_of(&object), sent, now);
                self.keep(Some(object));
                self.announce(led);
            }
            Err(trouble) => self.trouble(trouble),
        }
    }

    /// The hold has begun, or was prolonged.
    fn announce(&mut self, led: bool) {
        let Some(until) = self.candidate.election.held_until() else { return };
        let takeover = Arc::clone(&self.candidate.takeover);
        if !led {
            takeover.prepare();
        }
        self.candidate.announcer.announce(Leadership::Leading { until });
        if !led {
            tracing::info!(lease = self.candidate.shown, "leading");
            self.holder_told = None;
            self.tell(ElectionNews::Leads);
            takeover.wake_everything();
        }
    }

    fn stand_down(&mut self, lost: &Lost) {
        self.candidate.election.stand_down();
        self.candidate.announcer.announce(Leadership::Following);
        let lease = &self.candidate.shown;
        match lost {
            Lost::Taken(holder) => tracing::warn!(lease, holder, "leading no more: somebody else holds the lease"),
            Lost::NotRenewed => tracing::warn!(lease, "leading no more: the lease could not be renewed in time"),
        }
        self.tell(ElectionNews::Follows);
    }

    fn trouble(&mut self, trouble: LeaseTrouble) {
        let now = self.candidate.clock.monotonic();
        match trouble {
            LeaseTrouble::Changed => self.candidate.election.doubt(),
            LeaseTrouble::Unanswered(problem) => {
                tracing::warn!(lease = self.candidate.shown, problem, "no answer about the lease; trying again");
                self.candidate.election.failed(now);
            }
            LeaseTrouble::Refused(problem) => {
                self.candidate.election.failed(now);
                if self.candidate.election.held_until().is_none() {
                    self.tell(ElectionNews::Refused(format!(
                        "the lease {} cannot be used ({problem}): allow the operator to get, list, watch, create and \
                         update leases of coordination.k8s.io in that namespace, or run one replica with \
                         --leader-elect=false",
                        self.candidate.shown
                    )));
                }
            }
        }
    }

    /// Says once who leads.
    fn tell_holder(&mut self) {
        if self.candidate.election.held_until().is_some() {
            return;
        }
        self.tell(ElectionNews::Follows);
        let holder = self.candidate.election.holder().map(str::to_owned);
        if holder != self.holder_told {
            if let Some(holder) = &holder {
                tracing::info!(lease = self.candidate.shown, holder, "standing by");
            }
            self.holder_told = holder;
        }
    }

    fn tell(&mut self, news: ElectionNews) {
        if self.told.as_ref() == Some(&news) {
            return;
        }
        if let ElectionNews::Refused(problem) = &news {
            tracing::warn!("waiting: {problem}");
        }
        self.candidate.observer.election(&news);
        self.told = Some(news);
    }

    /// Others need not wait for the end of the Lease: everything is recorded.
    async fn release(&mut self) {
        self.candidate.announcer.announce(Leadership::Following);
        if self.candidate.election.held_until().is_none() {
            return;
        }
        match self.give_back().await {
            // A renewal without an answer may have made a newer version.
            Err(LeaseTrouble::Changed) => {
                self.look().await;
                let _ = self.give_back().await;
            }
            Err(trouble) => {
                tracing::warn!(lease = self.candidate.shown, ?trouble, "lease not given back; it ends by itself");
            }
            Ok(()) => {}
        }
        self.candidate.election.stand_down();
        self.tell(ElectionNews::Follows);
    }
}

impl Running {
    async fn give_back(&self) -> Result<(), LeaseTrouble> {
        let Candidate { election, api, clock, shown, .. } = &self.candidate;
        let Some(bid) = election.release() else { return Ok(()) };
        api.write(self.object.as_ref(), &bid, clock.now()).await?;
        tracing::info!(lease = shown, "lease given back");
        Ok(())
    }
}

/// No call about the Lease takes longer: a leader must have time for a second try.
fn call_deadline(renew_deadline: Duration) -> Duration {
    (renew_deadline / 2).max(Duration::from_millis(500))
}
