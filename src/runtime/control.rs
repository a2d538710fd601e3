//! Where the runtime meets the controllers: their listener, and what they are told.
//!
//! Must never add a label that is not one of a closed set.

use super::health::{Health, Readiness};
use super::metrics::Metrics;
use super::settings::{Settings, Watched};
use crate::cloud::connector::HttpConnector;
use crate::cloud::limits::{CallRecord, Calls};
use crate::controller::census::Census;
use crate::controller::clock::{Clock, SystemClock};
use crate::controller::fence::DeadlineFence;
use crate::controller::observer::{MailResult, Observer, PassOutcome};
use crate::controller::settings::{ControllerSettings, Namespaces};
use crate::controller::{Ports, run};
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

    fn watch_failed(&self, kind: &'static str) {
        self.metrics.watch_error(kind);
    }

    fn unreadable(&self, kind: &'static str) {
        self.metrics.malformed_object(kind);
    }

    fn cancellations_paused(&self, paused: bool) {
        self.metrics.cancellations_paused(paused);
    }

    fn heartbeat(&self) {
        self.health.beat();
    }

    fn census(&self, census: &Census) {
        self.metrics.objects_by_phase(&census.phases);
        self.metrics.inviters_by_reason(&census.inviters);
        self.metrics.open_attempts(census.open_attempts);
        self.metrics.unpaid_debts(census.unpaid_debts);
    }
}

impl Calls for Listener {
    fn finished(&self, record: &CallRecord) {
        self.metrics.call_finished(
            record.endpoint.label(),
            record.class.label(),
            record.exchanges,
            record.duration,
            record.limit_remaining.and_then(|left| i64::try_from(left).ok()),
        );
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
    let listener = Arc::new(Listener { metrics, health: Arc::clone(&health), announced: Mutex::default() });
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let fence = Arc::new(DeadlineFence::new(Arc::clone(&clock), settings.timings.post_deadline));
    let calls: Arc<dyn Calls> = Arc::<Listener>::clone(&listener);
    let ports = Ports { client, connector: Arc::new(HttpConnector::new(fence, calls)), clock, observer: listener };
    run(controller_settings(settings), ports, stop, || health.set(Readiness::Ready)).await;
}

fn controller_settings(settings: &Settings) -> ControllerSettings {
    ControllerSettings {
        operator_namespace: settings.operator_namespace.clone(),
        namespaces: match &settings.watched {
            Watched::Everywhere => Namespaces::All,
            Watched::Only(namespaces) => Namespaces::Only(namespaces.clone()),
        },
        allowed_hosts: settings.allowed_hosts.clone(),
        max_mails_per_person: i32::try_from(settings.max_mails_per_person).unwrap_or(i32::MAX),
        timings: settings.timings,
        call_deadline: settings.call_deadline,
        concurrency: settings.concurrency,
    }
}
