//! The command line: every flag, its environment variable, its default and its explanation.
//!
//! Owns what `--help` prints. Must never hold a setting that cannot also come from the environment, and never decide
//! whether settings fit together: `settings.rs` does.

// Doc comments are what `--help` prints, and marks would show there.
#![allow(clippy::doc_markdown)]

use super::values;
use crate::domain::pacer::Rate;
use clap::error::{ContextKind, ContextValue};
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Kubernetes operator that reconciles invitations to MongoDB projects of Atlas, Cloud Manager and Ops Manager
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, max_term_width = 120)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// What this command line and this environment ask for. Ends the process after `--help`, `--version` and mistakes.
    #[must_use]
    pub fn of_this_process() -> Self {
        let arguments: Vec<_> = std::env::args_os().collect();
        Self::try_parse_from(&arguments).unwrap_or_else(|error| {
            if let Some(variable) = variable_to_blame(&error, &arguments) {
                eprintln!("The value of the environment variable {variable} cannot be used.");
            }
            error.exit()
        })
    }
}

/// The variable that set the flag which `error` complains about, where the command line did not.
fn variable_to_blame(error: &clap::Error, arguments: &[OsString]) -> Option<String> {
    let ContextValue::String(shown) = error.get(ContextKind::InvalidArg)? else { return None };
    let flag = shown.split([' ', '=', '[']).next()?;
    let is_flag = |argument: &OsString| argument.to_string_lossy().split('=').next() == Some(flag);
    if arguments.iter().any(is_flag) {
        return None;
    }
    let command = Cli::command();
    let mut flags = command.get_subcommands().flat_map(clap::Command::get_arguments);
    let found = flags.find(|argument| argument.get_long() == flag.strip_prefix("--"))?;
    Some(found.get_env()?.to_string_lossy().into_owned())
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the operator against the cluster of the kubeconfig, or of the Pod it runs in
    Run(Box<RunArgs>),
    /// Print the CustomResourceDefinitions as YAML: invitation-operator crds | kubectl apply -f -
    Crds(CrdsArgs),
    /// Look at an installation from outside, as the chart's hooks do
    Check(CheckArgs),
}

/// Where the definitions go.
#[derive(Debug, Args)]
pub struct CrdsArgs {
    /// Write one file per kind into this directory instead of printing them
    #[arg(long, value_name = "DIRECTORY")]
    pub output_dir: Option<PathBuf>,
}

/// What to look at, and where.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// What to look at.
    #[command(subcommand)]
    pub what: Check,
    /// Kubeconfig file [default: $KUBECONFIG, else ~/.kube/config, else the Pod's service account]
    #[arg(long, global = true, env = "INVITATION_OPERATOR_KUBECONFIG", value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig [default: its current context]
    #[arg(long, global = true, env = "INVITATION_OPERATOR_CONTEXT", value_name = "NAME")]
    pub context: Option<String>,
}

/// What can be looked at.
#[derive(Debug, Subcommand)]
pub enum Check {
    /// Whether the operator reconciles: an Inviter without credentials is made, judged and deleted. Nobody is called or
    /// e-mailed
    Reconciling {
        /// Namespace of the Inviter; it must be served
        #[arg(long, value_name = "NAME", value_parser = values::namespace)]
        namespace: String,
        /// How long the operator may take
        #[arg(long, value_name = "TIME", default_value = "60s", value_parser = values::duration)]
        timeout: Duration,
    },
    /// Whether invitations would be left behind by an operator that is uninstalled
    Uninstall {
        /// Namespaces that it serves, separated by commas. Empty for all of them
        #[arg(long, value_name = "NAMESPACES", default_value = "", hide_default_value = true)]
        watch_namespaces: String,
        /// What to do when there are any
        #[arg(long, value_name = "WHAT", default_value = "warn")]
        on_invitations: OnInvitations,
    },
}

/// What to do about invitations that would be left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnInvitations {
    /// Say so, and succeed
    Warn,
    /// Say so, and fail
    Refuse,
}

/// The settings of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Where the operator is.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// What it may do.
    #[command(flatten)]
    pub limits: LimitArgs,
    /// How long it waits.
    #[command(flatten)]
    pub times: TimeArgs,
    /// How replicas agree.
    #[command(flatten)]
    pub election: ElectionArgs,
    /// What it reports.
    #[command(flatten)]
    pub reports: ReportArgs,
}

/// Where the operator is.
#[derive(Debug, Args)]
#[command(next_help_heading = "Cluster")]
pub struct PlaceArgs {
    /// Namespace of the operator's own records and of the Secrets of ClusterInviters [default: $POD_NAMESPACE, else the
    /// namespace of the Pod's service account, else invitation-operator]
    #[arg(long, env = "OPERATOR_NAMESPACE", value_name = "NAMESPACE", value_parser = values::namespace)]
    pub operator_namespace: Option<String>,
    /// Namespaces to serve, separated by commas. Empty serves all of them. When set, ClusterInviters are not served
    #[arg(
        long,
        env = "INVITATION_OPERATOR_WATCH_NAMESPACES",
        value_name = "NAMESPACES",
        default_value = "",
        hide_default_value = true
    )]
    pub watch_namespaces: String,
    /// Kubeconfig file [default: $KUBECONFIG, else ~/.kube/config, else the Pod's service account]
    #[arg(long, env = "INVITATION_OPERATOR_KUBECONFIG", value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig [default: its current context]
    #[arg(long, env = "INVITATION_OPERATOR_CONTEXT", value_name = "NAME")]
    pub context: Option<String>,
}

/// What the operator may do.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitArgs {
    /// Hosts that credentials may be sent to, separated by commas, each host[:port]. An inviter with another host is
    /// not used. Loopback addresses must be listed too
    #[arg(
        long,
        env = "INVITATION_OPERATOR_ALLOWED_HOSTS",
        value_name = "HOSTS",
        default_value = "cloud.mongodb.com,cloud.mongodbgov.com"
    )]
    pub allowed_hosts: String,
    /// E-mails that one person may get for one project within 24 hours, re-sent ones included
    #[arg(
        long,
        env = "INVITATION_OPERATOR_MAX_MAILS_PER_PERSON",
        value_name = "COUNT",
        default_value_t = 3,
        value_parser = clap::value_parser!(u32).range(1..=50)
    )]
    pub max_mails_per_person: u32,
    /// Invitations that a host of MongoDB is sent in any minute, by all its inviters together: MongoDB refuses more than
    /// 10 from one address. 0 or unlimited sends as many as there are
    #[arg(
        long,
        env = "INVITATION_OPERATOR_INVITATIONS_PER_MINUTE",
        value_name = "COUNT",
        default_value = "10",
        value_parser = values::rate
    )]
    pub invitations_per_minute: Rate,
    /// Objects that are worked on at the same time
    // Nearly all of a pass is waiting for answers; how many calls go out is the limits' to say.
    #[arg(
        long,
        env = "INVITATION_OPERATOR_CONCURRENCY",
        value_name = "COUNT",
        default_value_t = 64,
        value_parser = clap::value_parser!(u16).range(1..=1000)
    )]
    pub concurrency: u16,
}

/// How long the operator waits. Lengths of time have a unit: 500ms, 90s, 5m, 1h30m.
#[derive(Debug, Args)]
#[command(next_help_heading = "Times, each with a unit: 500ms, 90s, 5m, 1h30m")]
pub struct TimeArgs {
    /// Total deadline of a call that sends an e-mail. Not below 10s
    #[arg(long, env = "INVITATION_OPERATOR_POST_DEADLINE", value_name = "TIME", default_value = "10s", value_parser = values::duration)]
    pub post_deadline: Duration,
    /// How long after that deadline the server may still act on the call. Not below 120s
    #[arg(long, env = "INVITATION_OPERATOR_SERVER_DELAY", value_name = "TIME", default_value = "120s", value_parser = values::duration)]
    pub server_delay: Duration,
    /// How long after the server acted its lists may not show it. Not below 60s. After a call without an answer nothing
    /// is sent to its person for these three together (190s)
    #[arg(long, env = "INVITATION_OPERATOR_LIST_DELAY", value_name = "TIME", default_value = "60s", value_parser = values::duration)]
    pub list_delay: Duration,
    /// Time between the two looks that must both miss a person before the person counts as gone. Not below 60s
    #[arg(long, env = "INVITATION_OPERATOR_ABSENCE_GAP", value_name = "TIME", default_value = "60s", value_parser = values::duration)]
    pub absence_gap: Duration,
    /// How long deleting an object waits, before it cancels the invitation, for another object that wants the same person:
    /// a rename costs no e-mail
    #[arg(long, env = "INVITATION_OPERATOR_HANDOVER_GRACE", value_name = "TIME", default_value = "3s", value_parser = values::duration)]
    pub handover_grace: Duration,
    /// Total deadline of every other call to MongoDB
    #[arg(long, env = "INVITATION_OPERATOR_CALL_DEADLINE", value_name = "TIME", default_value = "30s", value_parser = values::duration)]
    pub call_deadline: Duration,
    /// How often each watch of the Kubernetes API is renewed, in whole seconds: a connection to it that has died without a
    /// word is noticed 3s after that
    #[arg(long, env = "INVITATION_OPERATOR_WATCH_RENEWAL", value_name = "TIME", default_value = "50s", value_parser = values::renewal)]
    pub watch_renewal: Duration,
    /// How long deleting an object waits for usable credentials before the object is let go and its cancellation is
    /// owed
    #[arg(long, env = "INVITATION_OPERATOR_RELEASE_AFTER", value_name = "TIME", default_value = "1h", value_parser = values::duration)]
    pub release_after: Duration,
    /// The same in a namespace that is being deleted
    #[arg(long, env = "INVITATION_OPERATOR_RELEASE_AFTER_TERMINATING", value_name = "TIME", default_value = "5m", value_parser = values::duration)]
    pub release_after_terminating: Duration,
    /// For rehearsals against a simulator only: allows times below the limits above and, with a factor, divides every
    /// time and every interval of looking by it. With real invitations a person may get a second e-mail
    #[arg(
        long,
        env = "INVITATION_OPERATOR_UNSAFE_TIMINGS",
        value_name = "FACTOR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        value_parser = clap::value_parser!(u32).range(1..=10_000)
    )]
    pub unsafe_timings: Option<u32>,
}

/// How replicas agree on the one that acts.
#[derive(Debug, Args)]
#[command(next_help_heading = "Leader election")]
pub struct ElectionArgs {
    /// Let several replicas agree, by a Lease, on the one that acts; the others stand by. With false this process must be
    /// the only one
    #[arg(
        long,
        env = "INVITATION_OPERATOR_LEADER_ELECT",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value_t = true,
        default_missing_value = "true",
        action = ArgAction::Set
    )]
    pub leader_elect: bool,
    /// Name of the Lease, in the operator's own namespace
    #[arg(long, env = "INVITATION_OPERATOR_LEASE_NAME", value_name = "NAME", default_value = "invitation-operator", value_parser = values::object_name)]
    pub lease_name: String,
    /// How long a replica that is gone without a word still counts as leading. Not below 15s, and at least 3s more than
    /// the deadline of a call that sends an e-mail [default: 15s, or one and a half times that deadline if that is more]
    #[arg(long, env = "INVITATION_OPERATOR_LEASE_DURATION", value_name = "TIME", value_parser = values::duration)]
    pub lease_duration: Option<Duration>,
    /// A leader that could not renew the Lease for so long stops leading [default: two thirds of the lease's duration: 10s]
    #[arg(long, env = "INVITATION_OPERATOR_RENEW_DEADLINE", value_name = "TIME", value_parser = values::duration)]
    pub renew_deadline: Option<Duration>,
    /// Longest time between two renewals, and time between two tries [default: two fifteenths of the lease's duration: 2s]
    #[arg(long, env = "INVITATION_OPERATOR_RETRY_PERIOD", value_name = "TIME", value_parser = values::duration)]
    pub retry_period: Option<Duration>,
}

/// What the operator reports, and where.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reports")]
pub struct ReportArgs {
    /// Address of the probes /livez and /readyz, and of /metrics
    #[arg(long, env = "INVITATION_OPERATOR_LISTEN", value_name = "ADDRESS:PORT", default_value = "0.0.0.0:8080", value_parser = values::address)]
    pub listen: SocketAddr,
    /// Another address for /metrics [default: that of the probes]
    #[arg(long, env = "INVITATION_OPERATOR_METRICS_LISTEN", value_name = "ADDRESS:PORT", value_parser = values::address)]
    pub metrics_listen: Option<SocketAddr>,
    /// Form of the log
    #[arg(long, env = "INVITATION_OPERATOR_LOG_FORMAT", value_name = "FORMAT", default_value = "auto")]
    pub log_format: LogFormat,
    /// How much is logged: error, warn, info, debug or trace for the operator itself (its libraries log warnings), or
    /// directives such as info,kube=debug
    #[arg(long, env = "RUST_LOG", value_name = "LEVEL", default_value = "info", action = ArgAction::Set)]
    pub log_level: String,
}

/// Form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere
    Auto,
    /// One line of text per event
    Text,
    /// One JSON object per event
    Json,
}
