//! The numbers of a run, for Prometheus.
//!
//! Owns every metric's name, help and labels. Label values are `&'static str` by type: they come from the program's own
//! enums, so the sets are closed, and no name, address or id of anybody can become one. Who counts what is told by the
//! ports of `cloud` and `controller`, which the runtime implements with the plain methods here.

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// From a pass that changes nothing to one that waits out a call's deadline.
const BUCKETS: [f64; 12] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

/// From the next turn to a queue of a day.
const WAITS: [f64; 8] = [1.0, 10.0, 60.0, 300.0, 1800.0, 7200.0, 28800.0, 86400.0];

type Labels<const N: usize> = [(&'static str, &'static str); N];
type Counters<const N: usize> = Family<Labels<N>, Counter>;
type Gauges = Family<Labels<1>, Gauge>;
type Durations = Family<Labels<1>, Histogram, fn() -> Histogram>;

/// Every number of a run.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    passes: Counters<1>,
    pass_seconds: Durations,
    calls: Counters<2>,
    exchanges: Counters<1>,
    call_seconds: Durations,
    limit: Gauges,
    limit_remaining: Gauges,
    limit_wait_seconds: Durations,
    api_sunset: Gauge,
    invitations: Tally,
    inviters: Tally,
    mails: Counters<1>,
    invitation_queue: Gauge,
    invitation_queue_seconds: Histogram,
    compensations: Counter,
    open_attempts: Gauge,
    unpaid_debts: Gauge,
    orphans: Gauge,
    cancellations_paused: Gauge,
    watch_errors: Counters<1>,
    malformed_objects: Counters<1>,
    unsafe_timings: Gauge,
    leader: Gauge,
    leader_changes: Counter,
}

/// Whether this process acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leads {
    /// It does.
    Yes,
    /// It stands by, or cannot tell.
    No,
}

/// A call to MongoDB that has ended.
#[derive(Clone, Copy, Debug)]
pub struct FinishedCall {
    /// Which.
    pub endpoint: &'static str,
    /// How it ended.
    pub class: &'static str,
    /// Requests on the wire.
    pub exchanges: u32,
    /// From its first request to its end.
    pub duration: Duration,
    /// How long it waited for room under MongoDB's limits before that.
    pub waited: Duration,
    /// Requests in a full bucket, as the answer said.
    pub limit: Option<i64>,
    /// Requests left in it, as the answer said.
    pub limit_remaining: Option<i64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("invitation_operator");
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Version of this operator", version);
        let r = &mut registry;
        Self {
            passes: registered(r, "passes", "Passes over an object, by outcome"),
            pass_seconds: durations(r, "pass_duration", "How long a pass took, by outcome"),
            calls: registered(r, "api_calls", "Calls to MongoDB, by endpoint and class of the answer"),
            exchanges: registered(
                r,
                "api_exchanges",
                "Requests on the wire for these calls, digest challenges included",
            ),
            call_seconds: durations(r, "api_call_duration", "How long a call to MongoDB took, by endpoint"),
            limit: registered(r, "api_limit", "Size of MongoDB's rate limit in requests, as last told, by endpoint"),
            limit_remaining: registered(r, "api_limit_remaining", "Calls left under MongoDB's rate limit, by endpoint"),
            limit_wait_seconds: durations(
                r,
                "api_limit_wait_duration",
                "How long calls waited for room under MongoDB's limits; those that did not wait are not counted",
            ),
            api_sunset: registered(
                r,
                "api_sunset_timestamp_seconds",
                "When MongoDB ends the API in use, as its answers announce; 0 while they do not",
            ),
            invitations: Tally::registered(r, "invitations", "phase", "ProjectInvitations, by phase"),
            inviters: Tally::registered(
                r,
                "inviters",
                "reason",
                "Inviters of both kinds, by the reason of their Ready condition",
            ),
            mails: registered(r, "mails", "Calls that may have e-mailed a person, by result"),
            invitation_queue: registered(
                r,
                "invitation_queue",
                "Invitations that wait for their turn under MongoDB's throttle",
            ),
            invitation_queue_seconds: waits(
                r,
                "invitation_queue_duration",
                "How long invitations waited for their turn; those that did not wait are not counted",
            ),
            compensations: registered(
                r,
                "compensations",
                "Invitations that were cancelled because their attempt had been resolved to another one",
            ),
            open_attempts: registered(
                r,
                "open_attempts",
                "Calls that may have e-mailed and whose result is not recorded",
            ),
            orphans: registered(
                r,
                "orphans",
                "Pending invitations that were sent by this installation and belong to no object",
            ),
            unpaid_debts: registered(r, "unpaid_debts", "Cancellations still owed for objects that were let go"),
            cancellations_paused: registered(
                r,
                "cancellations_paused",
                "1 while cancellations for vanished owners are paused because there are too many",
            ),
            watch_errors: registered(r, "watch_errors", "Watches of the Kubernetes API that broke, by kind"),
            malformed_objects: registered(
                r,
                "malformed_objects",
                "Objects that could not be read and were passed over, by kind",
            ),
            unsafe_timings: registered(
                r,
                "unsafe_timings",
                "The factor of --unsafe-timings; 0 without it, as it must be with real invitations",
            ),
            leader: registered(r, "leader", "1 while this process leads and acts, 0 while it stands by"),
            leader_changes: registered(r, "leader_changes", "Times that this process began or ceased to lead"),
            registry,
        }
    }
}

fn registered<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

fn durations(registry: &mut Registry, name: &str, help: &str) -> Durations {
    let metric = Durations::new_with_constructor(|| Histogram::new(BUCKETS));
    registry.register_with_unit(name, help, Unit::Seconds, metric.clone());
    metric
}

fn waits(registry: &mut Registry, name: &str, help: &str) -> Histogram {
    let metric = Histogram::new(WAITS);
    registry.register_with_unit(name, help, Unit::Seconds, metric.clone());
    metric
}

/// How many objects there are of each sort. A sort that is no longer named falls to 0 instead of staying as it was.
#[derive(Debug)]
struct Tally {
    label: &'static str,
    gauges: Gauges,
    seen: Mutex<BTreeSet<&'static str>>,
}

impl Tally {
    fn registered(registry: &mut Registry, name: &str, label: &'static str, help: &str) -> Self {
        Self { label, gauges: registered(registry, name, help), seen: Mutex::default() }
    }

    fn set(&self, counts: &[(&'static str, usize)]) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.extend(counts.iter().map(|(sort, _)| sort));
        for sort in seen.iter() {
            let count = counts.iter().filter(|(named, _)| named == sort).map(|(_, count)| count).sum();
            self.gauges.get_or_create(&[(self.label, sort)]).set(whole(count));
        }
    }
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Metrics {
    /// A pass over an object has ended.
    pub fn pass_finished(&self, outcome: &'static str, duration: Duration) {
        self.passes.get_or_create(&[("outcome", outcome)]).inc();
        self.pass_seconds.get_or_create(&[("outcome", outcome)]).observe(duration.as_secs_f64());
    }

    /// A call to MongoDB has ended.
    pub fn call_finished(&self, call: &FinishedCall) {
        let endpoint = call.endpoint;
        self.calls.get_or_create(&[("endpoint", endpoint), ("class", call.class)]).inc();
        self.exchanges.get_or_create(&[("endpoint", endpoint)]).inc_by(u64::from(call.exchanges));
        self.call_seconds.get_or_create(&[("endpoint", endpoint)]).observe(call.duration.as_secs_f64());
        if !call.waited.is_zero() {
            self.limit_wait_seconds.get_or_create(&[("endpoint", endpoint)]).observe(call.waited.as_secs_f64());
        }
        for (told, gauges) in [(call.limit, &self.limit), (call.limit_remaining, &self.limit_remaining)] {
            if let Some(told) = told {
                gauges.get_or_create(&[("endpoint", endpoint)]).set(told);
            }
        }
    }

    /// The API in use ends at this second of Unix time, as its answers announce.
    pub fn api_sunset(&self, second: i64) {
        self.api_sunset.set(second);
    }

    /// How many invitations there are of each phase; a phase that is not named has none.
    pub fn objects_by_phase(&self, counts: &[(&'static str, usize)]) {
        self.invitations.set(counts);
    }

    /// How many inviters stand at each reason of their Ready condition; a reason that is not named has none.
    pub fn inviters_by_reason(&self, counts: &[(&'static str, usize)]) {
        self.inviters.set(counts);
    }

    /// A call that may have e-mailed has ended.
    pub fn mail(&self, result: &'static str) {
        self.mails.get_or_create(&[("result", result)]).inc();
    }

    /// How many invitations wait for their turn.
    pub fn waiting_for_slots(&self, count: usize) {
        self.invitation_queue.set(whole(count));
    }

    /// An invitation has waited so long for its turn.
    pub fn turn_came(&self, waited: Duration) {
        self.invitation_queue_seconds.observe(waited.as_secs_f64());
    }

    /// An invitation was cancelled that had been made beside another.
    pub fn compensated(&self) {
        self.compensations.inc();
    }

    /// How many claims hold an attempt whose result is not recorded.
    pub fn open_attempts(&self, count: usize) {
        self.open_attempts.set(whole(count));
    }

    /// How many claims owe a cancellation.
    pub fn unpaid_debts(&self, count: usize) {
        self.unpaid_debts.set(whole(count));
    }

    /// How many pending invitations of ours belong to no object.
    pub fn orphans(&self, count: usize) {
        self.orphans.set(whole(count));
    }

    /// Whether cancellations for vanished owners are paused.
    pub fn cancellations_paused(&self, paused: bool) {
        self.cancellations_paused.set(i64::from(paused));
    }

    /// A watch of the Kubernetes API broke.
    pub fn watch_error(&self, kind: &'static str) {
        self.watch_errors.get_or_create(&[("kind", kind)]).inc();
    }

    /// An object could not be read and was passed over.
    pub fn malformed_object(&self, kind: &'static str) {
        self.malformed_objects.get_or_create(&[("kind", kind)]).inc();
    }

    /// The promise of one e-mail was given up, with all times divided by the factor.
    pub fn unsafe_timings(&self, factor: u32) {
        self.unsafe_timings.set(i64::from(factor));
    }

    /// Whether this process acts.
    pub fn leads(&self, leads: Leads) {
        let now = match leads {
            Leads::Yes => 1,
            Leads::No => 0,
        };
        if self.leader.set(now) != now {
            self.leader_changes.inc();
        }
    }

    /// Everything, as OpenMetrics text.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn used() -> Metrics {
        let metrics = Metrics::default();
        metrics.pass_finished("changed", Duration::from_millis(20));
        let call = FinishedCall {
            endpoint: "list",
            class: "success",
            exchanges: 2,
            duration: Duration::from_millis(50),
            waited: Duration::ZERO,
            limit: Some(1200),
            limit_remaining: Some(-1),
        };
        metrics.call_finished(&call);
        metrics.call_finished(&FinishedCall { endpoint: "create", waited: Duration::from_millis(20), ..call });
        metrics.objects_by_phase(&[("Invited", 2), ("Accepted", 1)]);
        metrics.inviters_by_reason(&[("Ready", 1)]);
        metrics.mail("created");
        metrics.open_attempts(1);
        metrics.waiting_for_slots(7);
        metrics.turn_came(Duration::from_secs(50));
        metrics.unpaid_debts(0);
        metrics.watch_error("Inviter");
        metrics.malformed_object("Inviter");
        metrics.unsafe_timings(60);
        for leads in [Leads::No, Leads::Yes, Leads::Yes, Leads::No, Leads::Yes] {
            metrics.leads(leads);
        }
        metrics
    }

    #[test]
    fn everything_told_is_shown_under_its_documented_name() {
        let text = used().text().unwrap();
        for line in [
            r#"invitation_operator_build_info{version="0.1.0"} 1"#,
            r#"invitation_operator_passes_total{outcome="changed"} 1"#,
            r#"invitation_operator_pass_duration_seconds_count{outcome="changed"} 1"#,
            r#"invitation_operator_api_calls_total{endpoint="list",class="success"} 1"#,
            r#"invitation_operator_api_exchanges_total{endpoint="list"} 2"#,
            r#"invitation_operator_api_call_duration_seconds_count{endpoint="list"} 1"#,
            r#"invitation_operator_api_limit{endpoint="list"} 1200"#,
            r#"invitation_operator_api_limit_remaining{endpoint="list"} -1"#,
            r#"invitation_operator_api_limit_wait_duration_seconds_count{endpoint="create"} 1"#,
            r#"invitation_operator_invitations{phase="Invited"} 2"#,
            r#"invitation_operator_inviters{reason="Ready"} 1"#,
            r#"invitation_operator_mails_total{result="created"} 1"#,
            "invitation_operator_invitation_queue 7",
            "invitation_operator_invitation_queue_duration_seconds_count 1",
            "invitation_operator_open_attempts 1",
            "invitation_operator_unpaid_debts 0",
            r#"invitation_operator_watch_errors_total{kind="Inviter"} 1"#,
            r#"invitation_operator_malformed_objects_total{kind="Inviter"} 1"#,
            "invitation_operator_unsafe_timings 60",
            "invitation_operator_leader 1",
            "invitation_operator_leader_changes_total 3",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} is not in:\n{text}");
        }
    }

    #[test]
    fn the_text_is_well_formed() {
        let text = used().text().unwrap();
        assert_eq!(text.lines().last(), Some("# EOF"));
        let mut families = Vec::new();
        for line in text.lines().filter(|line| *line != "# EOF") {
            if let Some(metadata) = line.strip_prefix("# ") {
                let (keyword, rest) = metadata.split_once(' ').unwrap();
                let (name, said) = rest.split_once(' ').unwrap();
                assert!(["HELP", "TYPE", "UNIT"].contains(&keyword) && !said.is_empty(), "{line}");
                families.push(name);
                continue;
            }
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let name = series.split('{').next().unwrap();
            assert!(families.iter().any(|family| name.starts_with(family)), "{line} has no family");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{line}");
        }
    }

    #[test]
    fn a_sort_that_is_gone_falls_to_zero() {
        let metrics = used();
        metrics.objects_by_phase(&[("Accepted", 3)]);
        let text = metrics.text().unwrap();
        assert!(
            text.contains(r#"invitations{phase="Invited"} 0"#) && text.contains(r#"invitations{phase="Accepted"} 3"#)
        );
    }
}
