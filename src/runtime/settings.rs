//! The settings of a run, checked and complete.
//!
//! Owns which settings fit together and what is filled in where nothing was said. Must never read the environment
//! itself: what surrounds the process comes in as a value, so that a test can say it.

use super::cli::{LimitArgs, LogFormat, PlaceArgs, ReportArgs, RunArgs, TimeArgs};
use super::election::Election;
use super::values;
use crate::domain::pacer::Rate;
use crate::domain::timings::Timings;
use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tracing_subscriber::filter::Targets;

/// Libraries warn. kube logs every failed request as an error of its own, besides returning it to whoever asked.
const LIBRARIES: &str = "warn,kube_client::client::builder=off";
const DEFAULT_NAMESPACE: &str = "invitation-operator";
const SERVICE_ACCOUNT_NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// Everything that a run can be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Namespace of the claims and of the Secrets of `ClusterInviter`s.
    pub operator_namespace: String,
    /// Whose objects are served.
    pub watched: Watched,
    /// Hosts that credentials may be sent to: lower case, with the port unless it is that of https.
    pub allowed_hosts: BTreeSet<String>,
    /// E-mails that one person may get for one project within 24 hours.
    pub max_mails_per_person: u32,
    /// Invitations that a host is sent.
    pub invitations_per_minute: Rate,
    /// The times of the protocol, already divided where that was asked for.
    pub timings: Timings,
    /// Total deadline of a call to MongoDB that cannot e-mail.
    pub call_deadline: Duration,
    /// Every watch of the Kubernetes API is renewed so often, in whole seconds.
    pub watch_renewal: Duration,
    /// Objects that are worked on at the same time.
    pub concurrency: u16,
    /// How replicas agree on the one that acts.
    pub election: Election,
    /// Which cluster.
    pub cluster: ClusterAccess,
    /// Address of the probes.
    pub listen: SocketAddr,
    /// Address of the metrics, if it is another.
    pub metrics_listen: Option<SocketAddr>,
    /// What is logged, and how.
    pub logging: Logging,
    /// Whether the promise of one e-mail was given up, and by which factor all times are divided.
    pub unsafe_timings: Option<u32>,
}

/// Whose objects are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watched {
    /// Those of every namespace, through `Inviter`s and `ClusterInviter`s.
    Everywhere,
    /// Those of these namespaces, through `Inviter`s only.
    Only(BTreeSet<String>),
}

/// Which cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterAccess {
    /// A kubeconfig that was named; else the usual places are searched.
    pub kubeconfig: Option<PathBuf>,
    /// A context that was named; else the current one.
    pub context: Option<String>,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Logging {
    /// Form of each line.
    pub form: LogForm,
    /// What is logged of whom.
    pub filter: Targets,
}

/// Form of a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogForm {
    /// Text with colours.
    Coloured,
    /// Text.
    Plain,
    /// JSON.
    Json,
}

/// What the process finds around itself.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// `POD_NAMESPACE`, as the downward API sets it.
    pub pod_namespace: Option<String>,
    /// Namespace of the mounted service account.
    pub service_account_namespace: Option<String>,
    /// What this machine is called: in a Pod, the Pod's name.
    pub host: Option<String>,
    /// Whether a person reads the log.
    pub terminal: bool,
}

impl Surroundings {
    /// Those of this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        Self {
            pod_namespace: std::env::var("POD_NAMESPACE").ok(),
            service_account_namespace: std::fs::read_to_string(SERVICE_ACCOUNT_NAMESPACE).ok(),
            host: Some(rustix::system::uname().nodename().to_string_lossy().into_owned()),
            terminal: std::io::stderr().is_terminal(),
        }
    }
}

/// A setting that is well-formed and cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// One entry of a list, or the whole value.
    #[error("'{value}' in {flag} cannot be used: {problem}")]
    Value {
        /// The flag.
        flag: &'static str,
        /// What was given.
        value: String,
        /// What is wrong and what to write instead.
        problem: String,
    },
    /// No host may be called at all.
    #[error("--allowed-hosts lists no host: name at least one, such as cloud.mongodb.com")]
    NoHosts,
    /// A time of the protocol below its default.
    #[error(
        "{flag} {given} is shorter than {least}, and a person could get a second e-mail: leave it at {least} or more. \
         Only a rehearsal against a simulator may go below, with --unsafe-timings"
    )]
    TooShort {
        /// The flag.
        flag: &'static str,
        /// What was given.
        given: String,
        /// Its default, which is also the least.
        least: String,
    },
    /// Two times that do not fit together.
    #[error("{flag} {given} must be longer than {than} ({least}): make {flag} longer, or the other shorter")]
    NotLonger {
        /// The flag.
        flag: &'static str,
        /// What it is.
        given: String,
        /// What must be shorter, and why.
        than: &'static str,
        /// How long that is.
        least: String,
    },
}

impl Settings {
    /// The settings that the arguments and the surroundings make.
    ///
    /// # Errors
    /// Names the flag and says what to write.
    pub fn from_args(args: RunArgs, surroundings: &Surroundings) -> Result<Self, SettingsError> {
        let RunArgs { place, limits, times, election, reports } = args;
        let LimitArgs { allowed_hosts, max_mails_per_person, invitations_per_minute, concurrency } = limits;
        let allowed_hosts = entries("--allowed-hosts", &allowed_hosts, values::host)?;
        if allowed_hosts.is_empty() {
            return Err(SettingsError::NoHosts);
        }
        Ok(Self {
            operator_namespace: operator_namespace(&place, surroundings)?,
            watched: watched(&place.watch_namespaces)?,
            allowed_hosts,
            max_mails_per_person,
            invitations_per_minute,
            timings: timings(&times)?,
            call_deadline: times.call_deadline,
            watch_renewal: times.watch_renewal,
            concurrency,
            election: Election::from_args(election, &times, surroundings)?,
            cluster: ClusterAccess { kubeconfig: place.kubeconfig, context: place.context },
            listen: reports.listen,
            metrics_listen: reports.metrics_listen,
            logging: logging(&reports, surroundings)?,
            unsafe_timings: times.unsafe_timings,
        })
    }
}

/// Whose objects a list of namespaces means.
///
/// # Errors
/// Names the entry that cannot be a namespace.
pub fn watched(namespaces: &str) -> Result<Watched, SettingsError> {
    let namespaces = entries("--watch-namespaces", namespaces, values::namespace)?;
    Ok(if namespaces.is_empty() { Watched::Everywhere } else { Watched::Only(namespaces) })
}

fn entries(
    flag: &'static str,
    list: &str,
    read: fn(&str) -> Result<String, String>,
) -> Result<BTreeSet<String>, SettingsError> {
    list.split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(|entry| read(entry).map_err(|problem| SettingsError::Value { flag, value: entry.to_owned(), problem }))
        .collect()
}

fn operator_namespace(place: &PlaceArgs, surroundings: &Surroundings) -> Result<String, SettingsError> {
    if let Some(namespace) = &place.operator_namespace {
        return Ok(namespace.clone());
    }
    let found = [
        ("POD_NAMESPACE", &surroundings.pod_namespace),
        (SERVICE_ACCOUNT_NAMESPACE, &surroundings.service_account_namespace),
    ];
    let found = found.into_iter().find_map(|(source, value)| {
        let value = value.as_deref().map(str::trim).filter(|value| !value.is_empty())?;
        Some((source, value))
    });
    match found {
        Some((flag, value)) => {
            values::namespace(value).map_err(|problem| SettingsError::Value { flag, value: value.to_owned(), problem })
        }
        None => Ok(DEFAULT_NAMESPACE.to_owned()),
    }
}

fn timings(args: &TimeArgs) -> Result<Timings, SettingsError> {
    let safe = Timings::default();
    if args.unsafe_timings.is_none() {
        let least = [
            ("--post-deadline", args.post_deadline, safe.post_deadline),
            ("--server-delay", args.server_delay, safe.server_delay),
            ("--list-delay", args.list_delay, safe.list_delay),
            ("--absence-gap", args.absence_gap, safe.absence_gap),
        ];
        if let Some((flag, given, least)) = least.into_iter().find(|(_, given, least)| given < least) {
            let (given, least) = (values::shown(given), values::shown(least));
            return Err(SettingsError::TooShort { flag, given, least });
        }
    }
    let timings = Timings {
        post_deadline: args.post_deadline,
        server_delay: args.server_delay,
        list_delay: args.list_delay,
        absence_gap: args.absence_gap,
        handover_grace: args.handover_grace,
        release_after: args.release_after,
        release_after_terminating: args.release_after_terminating,
        ..safe
    };
    Ok(match args.unsafe_timings {
        Some(factor) => timings.divided_by(factor),
        None => timings,
    })
}

fn logging(args: &ReportArgs, surroundings: &Surroundings) -> Result<Logging, SettingsError> {
    let form = match (args.log_format, surroundings.terminal) {
        (LogFormat::Json, _) | (LogFormat::Auto, false) => LogForm::Json,
        (LogFormat::Text | LogFormat::Auto, true) => LogForm::Coloured,
        (LogFormat::Text, false) => LogForm::Plain,
    };
    let given = args.log_level.trim();
    let directives = match given.to_ascii_lowercase().as_str() {
        level @ ("error" | "warn" | "info" | "debug" | "trace") => {
            format!("{LIBRARIES},invitation_operator={level}")
        }
        _ => given.to_owned(),
    };
    let filter = directives.parse().map_err(|_| SettingsError::Value {
        flag: "--log-level (RUST_LOG)",
        value: given.to_owned(),
        problem: "write error, warn, info, debug or trace, or directives such as info,kube=debug".to_owned(),
    })?;
    Ok(Logging { form, filter })
}
