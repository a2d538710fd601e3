//! Where the runtime meets the controllers: their listener, and what they are told.
//!
//! Must never add a label that is not one of a closed set.

use super::health::{Health, Readiness};
use super::metrics::{FinishedCall, Leads, Metrics};
use super::settings::{Settings, Watched};
use crate::cloud::connector::HttpConnector;
use crate::cloud::limits::{CallRecord, Calls};
use crate::cloud::{Fence, Limits};
use crate::controller::census::Census;
use crate::controller::clock::{Clock, SystemClock};
use crate::controller::fence::{DeadlineFence, LeaseFence};
use crate::controller::leadership::Seat;
use crate::controller::observer::{ElectionNews, MailResult, Observer, PassOutcome};
use crate::controller::settings::{ControllerSettings, Namespaces};
use crate::controller::{Candidacy, Ports, run};
use jiff::Timestamp;
use kube::Client;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Turns what controllers and calls tell into metrics and probes.
struct Listener {
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    /// The end of the API, as last announced.
    announced: Mutex<Option<Timestamp>>,
}

impl Observer for Listener {
    fn pass_finished(&self, outcome: PassOutcome, took: Duration) {
        self.metrics.pass_finished(outcome.label(), took);
    }

    fn mailed(&self, result: MailResult) {
        self.metrics.mail(result.label());
    }

    fn compensated(&self) {
        self.metrics.compensated();
    }

    fn watch_failed(&self, kind: &'static str) {
        self.metrics.watch_error(kind);
    }

    fn unreadable(&self, kind: &'static str) {
        self.metrics.malformed_object(kind);
    }

    fn election(&self, news: &ElectionNews) {
        let (leads, readiness) = match news {
            ElectionNews::Leads => (Leads::Yes, Readiness::Ready),
            ElectionNews::Follows => (Leads::No, Readiness::Standby),
            ElectionNews::Refused(problem) => (Leads::No, Readiness::NoElection(problem.clone())),
        };
        self.metrics.leads(leads);
        self.health.set(readiness);
    }

    fn cancellations_paused(&self, paused: bool) {
        self.metrics.cancellations_paused(paused);
    }

    fn waiting_for_slots(&self, count: usize) {
        self.metrics.waiting_for_slots(count);
    }

    fn turn_came(&self, waited: Duration) {
        self.metrics.turn_came(waited);
    }

    fn heartbeat(&self) {
        self.health.beat();
    }

    fn census(&self, census: &Census) {
        self.metrics.objects_by_phase(&census.phases);
        self.metrics.inviters_by_reason(&census.inviters);
        self.metrics.open_attempts(census.open_attempts);
        self.metrics.unpaid_debts(census.unpaid_debts);
        self.metrics.orphans(census.orphans);
    }
}

impl Calls for Listener {
    fn finished(&self, record: &CallRecord) {
        let told = |number: Option<u64>| number.and_then(|number| i64::try_from(number).ok());
        self.metrics.call_finished(&FinishedCall {
            endpoint: record.endpoint.label(),
            class: record.class.label(),
            exchanges: record.exchanges,
            duration: record.duration,
            waited: record.waited,
            limit: told(record.limit),
            limit_remaining: told(record.limit_remaining),
        });
        if let Some(sunset) = record.sunset {
            self.announce_sunset(sunset);
        }
    }
}

impl Listener {
    /// The API has said when it ends: shown in metrics, and logged once for each date.
    fn announce_sunset(&self, sunset: Timestamp) {
        self.metrics.api_sunset(sunset.as_second());
        let mut announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
        if *announced != Some(sunset) {
            *announced = Some(sunset);
            tracing::info!(%sunset, "MongoDB has announced when the API in use ends");
        }
    }
}

/// Runs the controllers until `stop`, and until what was in flight is recorded.
pub(super) async fn control(
    settings: &Settings,
    client: Client,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    stop: CancellationToken,
) {
    let listener = Arc::new(Listener { metrics, health, announced: Mutex::default() });
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let post_deadline = settings.timings.post_deadline;
    let deadline = DeadlineFence::new(Arc::clone(&clock), post_deadline);
    let (fence, seat, candidacy): (Arc<dyn Fence>, _, _) = match settings.election.lease() {
        None => (Arc::new(deadline), Seat::unopposed(Arc::clone(&clock)), None),
        Some(lease) => {
            let (announcer, seat) = Seat::contested(Arc::clone(&clock), stop.clone());
            let fence = LeaseFence::new(deadline, seat.clone(), lease.times.needed_for(post_deadline));
            (Arc::new(fence), seat, Some(Candidacy { lease, announcer }))
        }
    };
    let on_ready = {
        let listener = Arc::clone(&listener);
        let opposed = candidacy.is_some();
        move || listener.election(if opposed { &ElectionNews::Follows } else { &ElectionNews::Leads })
    };
    let calls: Arc<dyn Calls> = Arc::<Listener>::clone(&listener);
    let limits = Arc::new(Limits::rehearsed(settings.timings.divisor));
    let connector = Arc::new(HttpConnector::new(fence, calls, limits));
    let ports = Ports { client, connector, clock, observer: listener, seat, candidacy };
    run(controller_settings(settings), ports, stop, on_ready).await;
}

fn controller_settings(settings: &Settings) -> ControllerSettings {
    ControllerSettings {
        operator_namespace: settings.operator_namespace.clone(),
        namespaces: namespaces(&settings.watched),
        allowed_hosts: settings.allowed_hosts.clone(),
        max_mails_per_person: i32::try_from(settings.max_mails_per_person).unwrap_or(i32::MAX),
        rate: settings.invitations_per_minute,
        timings: settings.timings,
        call_deadline: settings.call_deadline,
        watch_renewal: settings.watch_renewal,
        concurrency: settings.concurrency,
    }
}

/// Whose objects are served, as controllers say it.
pub(super) fn namespaces(watched: &Watched) -> Namespaces {
    match watched {
        Watched::Everywhere => Namespaces::All,
        Watched::Only(namespaces) => Namespaces::Only(namespaces.clone()),
    }
}
