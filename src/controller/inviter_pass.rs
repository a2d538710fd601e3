//! One pass of an inviter: Secret readable, well-formed, host allowed, credentials accepted.
//!
//! One bad key shows here, in one place, and costs one probe per interval however many invitations wait; a good one costs
//! none where a project is looked at anyway. Must never be
//! run for an invitation: those read [`Connections`] and wait for its news.

use super::clock::Clock;
use super::connection::{Connection, Connections};
use super::inviter_spec::InviterSettings;
use super::inviter_status::Aside;
use super::remarks::Orphans;
use super::secrets::Secrets;
use super::settings::ControllerSettings;
use super::wakes::Wakes;
use crate::api::Reason;
use crate::cloud::connector::Connect;
use crate::cloud::credentials::Credentials;
use crate::cloud::http_api;
use crate::cloud::{InvitesApi, default_base_url, parse_base_url};
use crate::domain::breaker::paused_finding;
use crate::domain::desired::InviterName;
use crate::domain::facts::InviterFacts;
use crate::domain::failure::FailureKind;
use crate::domain::finding::Finding;
use crate::domain::key::canonical_host;
use crate::domain::schedule::api_backoff;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use url::Url;

/// What came of a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviterVerdict {
    /// `Ready`, or why not.
    pub finding: Finding,
    /// When to come back.
    pub again_in: Duration,
}

/// Credentials that were refused by a call, and when: not taken for good again before they change or rest.
struct Refused {
    revision: String,
    until: Duration,
    finding: Finding,
}

/// A call was refused where the credentials had been good: a token may have been revoked, and the next probe tells.
struct Doubt {
    revision: String,
    since: Duration,
    /// When a probe found them good all the same.
    cleared: Option<Duration>,
}

#[derive(Default)]
struct Memory {
    api: Option<(String, Arc<dyn InvitesApi>)>,
    refused: Option<Refused>,
    doubt: Option<Doubt>,
    /// A call reported trouble, and its invitations were not told yet: the next pass may find it cured.
    untold: bool,
    failures: u32,
}

/// Passes of all inviters.
pub struct InviterPasses {
    secrets: Arc<dyn Secrets>,
    settings: ControllerSettings,
    connector: Arc<dyn Connect>,
    connections: Arc<Connections>,
    wakes: Arc<Wakes>,
    clock: Arc<dyn Clock>,
    memory: Mutex<HashMap<String, Memory>>,
}

impl InviterPasses {
    /// None made yet.
    #[must_use]
    pub fn new(
        secrets: Arc<dyn Secrets>,
        settings: ControllerSettings,
        connector: Arc<dyn Connect>,
        connections: Arc<Connections>,
        wakes: Arc<Wakes>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { secrets, settings, connector, connections, wakes, clock, memory: Mutex::default() }
    }

    fn with_memory<T>(&self, uid: &str, use_it: impl FnOnce(&mut Memory) -> T) -> T {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        use_it(memory.entry(uid.to_owned()).or_default())
    }

    /// A call was answered in a way that speaks of the inviter and not of the object that made it: everything that uses
    /// the inviter waits, and its Secret is read again at once.
    pub fn report(&self, connection: &Connection, kind: FailureKind, message: &str) {
        let facts = &connection.facts;
        let name = InviterName::from(&facts.recorded);
        let finding = Finding::new(kind.inviter_reason(), message);
        // The next probe tells, with a new token. Only credentials that it finds good and that calls go on to refuse rest
        // for an interval, unless they change.
        if matches!(kind, FailureKind::CredentialsRejected | FailureKind::NotOnAccessList | FailureKind::Sunset) {
            let (now, timings) = (self.clock.monotonic(), &self.settings.timings);
            let interval = timings.scaled(facts.check_interval);
            self.with_memory(&facts.recorded.uid, |memory| {
                let doubt = memory
                    .doubt
                    .take()
                    .filter(|doubt| doubt.revision == facts.revision && now.saturating_sub(doubt.since) < interval);
                // What was in flight when they were found good does not speak against them.
                let again = doubt
                    .as_ref()
                    .and_then(|doubt| doubt.cleared)
                    .is_some_and(|cleared| now.saturating_sub(cleared) >= timings.post_deadline);
                if again {
                    let (revision, until) = (facts.revision.clone(), now + interval);
                    memory.refused = Some(Refused { revision, until, finding: finding.clone() });
                } else {
                    let fresh = || Doubt { revision: facts.revision.clone(), since: now, cleared: None };
                    memory.doubt = Some(doubt.unwrap_or_else(fresh));
                }
            });
        }
        if self.connections.not_ready(&name, &facts.recorded.uid, finding) {
            self.with_memory(&facts.recorded.uid, |memory| memory.untold = true);
        }
        self.wakes.inviter(&name);
    }

    /// The inviter is gone.
    pub fn forget(&self, settings: &InviterSettings) {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).remove(&settings.uid);
    }

    /// Looks whether the inviter can be used, and says so to those who wait for it.
    pub async fn pass(&self, settings: &InviterSettings) -> InviterVerdict {
        let outcome = self.connect(settings).await;
        let (failures, untold) = self.with_memory(&settings.uid, |memory| {
            memory.failures = if outcome.is_ok() { 0 } else { memory.failures.saturating_add(1) };
            if let Some(doubt) = memory.doubt.as_mut().filter(|_| outcome.is_ok()) {
                doubt.cleared.get_or_insert(self.clock.monotonic());
            }
            (memory.failures, std::mem::take(&mut memory.untold))
        });
        let interval = self.settings.timings.scaled(settings.check_interval);
        let (finding, again_in, news) = match outcome {
            Ok(connection) => {
                let ready = Finding::new(
                    Reason::Ready,
                    format!("{} accepts the credentials at {}", settings.product.title(), connection.facts.host),
                );
                (ready, interval, self.connections.ready(settings, connection))
            }
            Err(finding) => {
                let news = self.connections.not_ready(&settings.name, &settings.uid, finding.clone()) || untold;
                // A refused key is probed once an interval; what time may cure is tried sooner.
                let again_in = if time_may_cure(finding.reason) {
                    api_backoff(failures, None, &self.settings.timings).min(interval)
                } else {
                    interval
                };
                (finding, again_in, news)
            }
        };
        if news {
            self.wakes.invitations_of(&settings.name);
        }
        InviterVerdict { finding, again_in }
    }

    /// What else is to be said of the inviter. While it cannot be used nobody looks, and what was found stays.
    #[must_use]
    pub fn aside(&self, settings: &InviterSettings, finding: &Finding) -> Aside {
        let remarks = self.connections.remarks();
        let interval = self.settings.timings.scaled(settings.check_interval);
        let oldest = self.clock.monotonic().saturating_sub(interval * 4);
        let usable = finding.reason == Reason::Ready;
        let orphans = if usable { remarks.orphans_of(&settings.uid, oldest) } else { Orphans::Unknown };
        Aside { orphans, paused: remarks.is_paused(&settings.uid).then(paused_finding) }
    }

    async fn connect(&self, settings: &InviterSettings) -> Result<Connection, Finding> {
        let (base_url, host) = self.allowed(settings)?;
        let secret = self.secrets.credentials(settings).await?;
        let secret_name = format!("{}/{}", settings.secret_namespace, settings.secret_name);
        let credentials = Credentials::from_secret(&secret_name, &secret.data)
            .map_err(|error| Finding::new(Reason::SecretInvalid, error.to_string()))?;
        let (ca_bundle, ca_version) = match &settings.ca_bundle {
            Some(from) => {
                let (pem, version) = self.secrets.ca_bundle(&settings.secret_namespace, from).await?;
                (Some(pem), version)
            }
            None => (None, String::new()),
        };
        let identity = credentials.identity().to_owned();
        let content = format!("{}|{}|{ca_version}", settings.generation, secret.version);
        let asked =
            settings.requested_at.is_some() && settings.requested_at != settings.status.last_handled_reconcile_at;
        let revision = format!("{}|{content}", settings.uid);
        let now = self.clock.monotonic();
        let resting = self.with_memory(&settings.uid, |memory| {
            let stands = |refused: &Refused| refused.revision == revision && now < refused.until && !asked;
            match &memory.refused {
                Some(refused) if stands(refused) => Some(refused.finding.clone()),
                _ => {
                    memory.refused = None;
                    None
                }
            }
        });
        if let Some(finding) = resting {
            return Err(finding);
        }
        let known = self.with_memory(&settings.uid, |memory| {
            memory.api.as_ref().filter(|(of, _)| *of == revision).map(|(_, api)| Arc::clone(api))
        });
        let api = if let Some(api) = known {
            api
        } else {
            let connection = http_api::Connection {
                product: settings.product,
                base_url,
                credentials,
                ca_bundle_pem: ca_bundle,
                call_deadline: self.settings.call_deadline,
            };
            let api = self.connector.connect(connection).map_err(|failure| {
                // Nothing was sent yet: what TLS complains about here is the bundle.
                let bundle = failure.kind == FailureKind::TlsFailed;
                let reason = if bundle { Reason::CaBundleInvalid } else { failure.kind.inviter_reason() };
                Finding::new(reason, failure.message)
            })?;
            self.with_memory(&settings.uid, |memory| memory.api = Some((revision.clone(), Arc::clone(&api))));
            api
        };
        // Rosters are looked at once an interval: one that was read tells as much as a probe.
        let lately = now.saturating_sub(self.settings.timings.scaled(settings.check_interval) * 3 / 2);
        if asked || !self.connections.is_proved(&settings.name, &revision, lately) {
            api.probe().await.map_err(|failure| Finding::new(failure.kind.inviter_reason(), failure.message))?;
        }
        Ok(Connection { facts: facts(settings, host, identity, revision), access: settings.access.clone(), api })
    }

    /// The base URL, if credentials may be sent to its host.
    fn allowed(&self, settings: &InviterSettings) -> Result<(Url, String), Finding> {
        let denied = |message: String| Finding::new(Reason::HostNotAllowed, message);
        let url = match &settings.base_url {
            Some(written) => parse_base_url(written).map_err(|problem| denied(problem.to_string()))?,
            None => default_base_url(settings.product)
                .ok_or_else(|| denied("baseUrl is required for Ops Manager: write the address of yours".to_owned()))?,
        };
        let host = canonical_host(&url).ok_or_else(|| denied("baseUrl names no host".to_owned()))?;
        if !self.settings.allowed_hosts.contains(&host) {
            return Err(denied(format!(
                "{host} is not among the hosts that the operator may send credentials to: ask its administrator to add it \
                 to --allowed-hosts"
            )));
        }
        Ok((url, host))
    }
}

/// Whether an inviter that shows the reason may become usable by waiting.
#[must_use]
pub fn time_may_cure(reason: Reason) -> bool {
    matches!(reason, Reason::Unreachable | Reason::RateLimited | Reason::ApiUnavailable | Reason::InviterNotReady)
}

fn facts(settings: &InviterSettings, host: String, identity: String, revision: String) -> InviterFacts {
    InviterFacts {
        recorded: settings.recorded(),
        product: settings.product,
        host,
        identity,
        mode: settings.mode,
        adoption: settings.adoption,
        on_unknown: settings.on_unknown,
        allow: settings.allow.clone(),
        check_interval: settings.check_interval,
        revision,
    }
}
