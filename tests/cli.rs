//! The command line, as a user meets it: the real binary, its help, its mistakes and its exit codes.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, clippy::indexing_slicing)]

use clap::{CommandFactory, Parser};
use invitation_operator::domain::lease::LeaseTimes;
use invitation_operator::domain::pacer::Rate;
use invitation_operator::domain::timings::Timings;
use invitation_operator::runtime::cli::{Cli, Command as Asked};
use invitation_operator::runtime::election::Election;
use invitation_operator::runtime::settings::{LogForm, Settings, Surroundings, Watched};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroU32;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Every setting: its flag, its variable, its default as `--help` shows it.
const SETTINGS: &[(&str, &str, &str)] = &[
    ("operator-namespace", "OPERATOR_NAMESPACE", "[default: $POD_NAMESPACE,"),
    ("watch-namespaces", "INVITATION_OPERATOR_WATCH_NAMESPACES", "Empty serves all"),
    ("kubeconfig", "INVITATION_OPERATOR_KUBECONFIG", "[default: $KUBECONFIG,"),
    ("context", "INVITATION_OPERATOR_CONTEXT", "[default: its current context]"),
    ("allowed-hosts", "INVITATION_OPERATOR_ALLOWED_HOSTS", "[default: cloud.mongodb.com,cloud.mongodbgov.com]"),
    ("max-mails-per-person", "INVITATION_OPERATOR_MAX_MAILS_PER_PERSON", "[default: 3]"),
    ("invitations-per-minute", "INVITATION_OPERATOR_INVITATIONS_PER_MINUTE", "[default: 10]"),
    ("concurrency", "INVITATION_OPERATOR_CONCURRENCY", "[default: 64]"),
    ("post-deadline", "INVITATION_OPERATOR_POST_DEADLINE", "[default: 10s]"),
    ("server-delay", "INVITATION_OPERATOR_SERVER_DELAY", "[default: 120s]"),
    ("list-delay", "INVITATION_OPERATOR_LIST_DELAY", "[default: 60s]"),
    ("absence-gap", "INVITATION_OPERATOR_ABSENCE_GAP", "[default: 60s]"),
    ("handover-grace", "INVITATION_OPERATOR_HANDOVER_GRACE", "[default: 3s]"),
    ("call-deadline", "INVITATION_OPERATOR_CALL_DEADLINE", "[default: 30s]"),
    ("watch-renewal", "INVITATION_OPERATOR_WATCH_RENEWAL", "[default: 50s]"),
    ("release-after", "INVITATION_OPERATOR_RELEASE_AFTER", "[default: 1h]"),
    ("release-after-terminating", "INVITATION_OPERATOR_RELEASE_AFTER_TERMINATING", "[default: 5m]"),
    ("unsafe-timings", "INVITATION_OPERATOR_UNSAFE_TIMINGS", "second e-mail"),
    ("leader-elect", "INVITATION_OPERATOR_LEADER_ELECT", "[default: true]"),
    ("lease-name", "INVITATION_OPERATOR_LEASE_NAME", "[default: invitation-operator]"),
    ("lease-duration", "INVITATION_OPERATOR_LEASE_DURATION", "[default: 15s, or one and a half times that deadline"),
    ("renew-deadline", "INVITATION_OPERATOR_RENEW_DEADLINE", "[default: two thirds of the lease's duration: 10s]"),
    ("retry-period", "INVITATION_OPERATOR_RETRY_PERIOD", "[default: two fifteenths of the lease's duration: 2s]"),
    ("listen", "INVITATION_OPERATOR_LISTEN", "[default: 0.0.0.0:8080]"),
    ("metrics-listen", "INVITATION_OPERATOR_METRICS_LISTEN", "[default: that of the probes]"),
    ("log-format", "INVITATION_OPERATOR_LOG_FORMAT", "[default: auto]"),
    ("log-level", "RUST_LOG", "[default: info]"),
    ("help", "", "Print help"),
];

#[test]
fn help_explains_every_setting_with_its_variable_and_default() {
    let help = text(&operator(&["run", "--help"], &[]).stdout);
    for (flag, variable, default) in SETTINGS {
        let part = section(&help, flag);
        assert!(
            part.contains(&format!("[env: {variable}")) || variable.is_empty(),
            "--{flag} lacks {variable}: {part}"
        );
        assert!(part.contains(default), "--{flag} does not show {default}: {part}");
    }
}

#[test]
fn no_setting_is_missing_from_this_list() {
    let command = Cli::command();
    let run = command.find_subcommand("run").unwrap();
    let mut flags: Vec<_> = run.get_arguments().filter_map(|argument| argument.get_long()).collect();
    let mut listed: Vec<_> = SETTINGS.iter().map(|(flag, ..)| *flag).filter(|flag| *flag != "help").collect();
    flags.sort_unstable();
    listed.sort_unstable();
    assert_eq!(flags, listed);
}

#[test]
fn without_settings_the_defaults_are_those_of_the_protocol() {
    let settings = settings(&[]).unwrap();
    assert_eq!(settings.timings, Timings::default());
    assert_eq!(settings.call_deadline, Duration::from_secs(30));
    assert_eq!(settings.operator_namespace, "invitation-operator");
    assert_eq!(settings.watched, Watched::Everywhere);
    assert_eq!(settings.max_mails_per_person, 3);
    assert_eq!(settings.concurrency, 64);
    assert_eq!(settings.invitations_per_minute, Rate::PerMinute(NonZeroU32::new(10).unwrap()));
    assert_eq!(settings.unsafe_timings, None);
    assert_eq!(settings.logging.form, LogForm::Json);
    assert_eq!(lease_times(&settings), LeaseTimes::default());
    let hosts: Vec<_> = settings.allowed_hosts.iter().map(String::as_str).collect();
    assert_eq!(hosts, ["cloud.mongodb.com", "cloud.mongodbgov.com"]);
}

#[test]
fn the_pace_of_invitations_can_be_given_up() {
    for (given, expected) in
        [("0", Rate::Unlimited), ("unlimited", Rate::Unlimited), ("25", Rate::PerMinute(NonZeroU32::new(25).unwrap()))]
    {
        assert_eq!(settings(&["--invitations-per-minute", given]).unwrap().invitations_per_minute, expected);
    }
}

#[test]
fn the_operator_finds_its_namespace() {
    let args = |arguments: &[&str]| match Cli::try_parse_from([&["x", "run"], arguments].concat()).unwrap().command {
        Asked::Run(args) => *args,
        Asked::Crds(_) | Asked::Check(_) => panic!("asked for a run"),
    };
    let account = Some("from-account\n".to_owned());
    let pod = Surroundings {
        pod_namespace: Some("from-pod".to_owned()),
        service_account_namespace: account,
        ..Surroundings::default()
    };
    let outside_of_pods = Surroundings { pod_namespace: Some(String::new()), ..pod.clone() };
    let cases: [(&[&str], Surroundings, &str); 4] = [
        (&["--operator-namespace=from-flag"], pod.clone(), "from-flag"),
        (&[], pod, "from-pod"),
        (&[], outside_of_pods, "from-account"),
        (&[], Surroundings::default(), "invitation-operator"),
    ];
    for (arguments, surroundings, expected) in cases {
        assert_eq!(Settings::from_args(args(arguments), &surroundings).unwrap().operator_namespace, expected);
    }
}

#[test]
fn unsafe_timings_divide_everything_or_only_lift_the_limits() {
    let divided = settings(&["--unsafe-timings=60"]).unwrap();
    assert_eq!(divided.timings, Timings::default().divided_by(60));
    assert_eq!(divided.unsafe_timings, Some(60));
    let lifted = settings(&["--unsafe-timings", "--list-delay=1s"]).unwrap();
    assert_eq!((lifted.timings.list_delay, lifted.timings.divisor), (Duration::from_secs(1), 1));
    assert_eq!(lifted.unsafe_timings, Some(1));
}

#[test]
fn the_times_of_the_election_follow_from_each_other() {
    let times = |duration, renew, retry| LeaseTimes {
        duration: Duration::from_millis(duration),
        renew_deadline: Duration::from_millis(renew),
        retry_period: Duration::from_millis(retry),
        ..LeaseTimes::default()
    };
    let cases: [(&[&str], LeaseTimes); 5] = [
        (&["--lease-duration=30s"], times(30_000, 20_000, 4_000)),
        (&["--post-deadline=20s"], times(30_000, 20_000, 4_000)),
        (&["--lease-duration=30s", "--renew-deadline=5s", "--retry-period=1s"], times(30_000, 5_000, 1_000)),
        (&["--unsafe-timings=10"], LeaseTimes::default().divided_by(10)),
        (&["--unsafe-timings", "--post-deadline=1s", "--lease-duration=6s"], times(6_000, 4_000, 800)),
    ];
    for (arguments, expected) in cases {
        assert_eq!(lease_times(&settings(arguments).unwrap()), expected, "{arguments:?}");
    }
    assert_eq!(settings(&["--leader-elect=false", "--lease-duration=1s"]).unwrap().election, Election::Off);
    assert!(matches!(settings(&["--leader-elect"]).unwrap().election, Election::ByLease { .. }));
}

#[test]
fn lists_are_read_with_blanks_and_in_one_form() {
    let settings =
        settings(&["--watch-namespaces= team-a, team-b ,", "--allowed-hosts=Cloud.MongoDB.com:443, 127.0.0.1:9"]);
    let settings = settings.unwrap();
    assert_eq!(settings.watched, Watched::Only(["team-a", "team-b"].map(str::to_owned).into()));
    assert_eq!(settings.allowed_hosts, ["127.0.0.1:9", "cloud.mongodb.com"].map(str::to_owned).into());
}

#[test]
fn a_wrong_value_is_told_what_where_and_what_instead() {
    let cases: &[(&[&str], &[&str])] = &[
        (&["--post-deadline=5s"], &["--post-deadline 5s is shorter than 10s", "--unsafe-timings"]),
        (&["--server-delay=1m"], &["--server-delay 60s is shorter than 120s", "second e-mail"]),
        (&["--list-delay=59s"], &["--list-delay 59s is shorter than 60s"]),
        (&["--absence-gap=1s"], &["--absence-gap 1s is shorter than 60s"]),
        (&["--watch-renewal=500ms"], &["--watch-renewal", "whole seconds"]),
        (&["--call-deadline=30"], &["--call-deadline", "write 30s for seconds"]),
        (&["--release-after=soon"], &["--release-after", "such as 500ms, 90s, 5m or 1h30m"]),
        (
            &["--allowed-hosts=https://cloud.mongodb.com"],
            &["--allowed-hosts", "it is a URL", "such as cloud.mongodb.com"],
        ),
        (&["--allowed-hosts=,"], &["--allowed-hosts lists no host"]),
        (&["--watch-namespaces=team-a,Team_B"], &["'Team_B' in --watch-namespaces", "lower-case letters"]),
        (&["--operator-namespace=A"], &["--operator-namespace", "lower-case letters"]),
        (&["--max-mails-per-person=0"], &["--max-mails-per-person", "1..=50"]),
        (&["--invitations-per-minute=some"], &["--invitations-per-minute", "or unlimited"]),
        (&["--concurrency=many"], &["--concurrency"]),
        (&["--listen=localhost"], &["--listen", "such as 0.0.0.0:8080"]),
        (&["--log-level=loud,=x"], &["'loud,=x' in --log-level (RUST_LOG)", "info,kube=debug"]),
        (&["--lease-duration=14s"], &["--lease-duration 14s is shorter than 15s", "--unsafe-timings"]),
        (
            &["--lease-duration=20s", "--post-deadline=17s"],
            &["--lease-duration 20s must be longer than --post-deadline and a margin of 3s together", "(20s)"],
        ),
        (&["--renew-deadline=15s"], &["--lease-duration 15s must be longer than --renew-deadline", "(15s)"]),
        (&["--retry-period=12s"], &["--renew-deadline 10s must be longer than --retry-period", "(12s)"]),
        (&["--lease-name=The Lease"], &["--lease-name", "such as invitation-operator"]),
        (&["--unsafe-timings=0"], &["--unsafe-timings", "1..=10000"]),
    ];
    for &(arguments, parts) in cases {
        let output = operator(&[&["run"], arguments].concat(), &[]);
        let message = text(&output.stderr);
        assert!(!output.status.success(), "{arguments:?} is accepted");
        assert!(message.starts_with("error: "), "{arguments:?}: {message}");
        for part in parts {
            assert!(message.contains(part), "{arguments:?} does not say '{part}': {message}");
        }
        assert!(!message.contains("Error {") && !message.contains("\")"), "noise of a programmer: {message}");
    }
}

#[test]
fn a_wrong_variable_is_named() {
    let message = text(&operator(&["run"], &[("INVITATION_OPERATOR_LIST_DELAY", "60")]).stderr);
    assert!(message.contains("environment variable INVITATION_OPERATOR_LIST_DELAY"), "{message}");
    assert!(message.contains("write 60s for seconds"), "{message}");
}

#[test]
fn a_start_without_cluster_fails_with_a_cure() {
    let output = operator(&["run", "--listen=127.0.0.1:0"], &[("KUBECONFIG", "/nowhere/config"), ("HOME", "/nowhere")]);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    for part in ["there is no cluster to work with", "/nowhere/config", "--kubeconfig"] {
        assert!(message.contains(part), "does not say '{part}': {message}");
    }
}

#[test]
fn a_port_that_is_taken_fails_with_the_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let output = operator(&["run", "--listen", &listen], &[]);
    assert_eq!(output.status.code(), Some(1));
    let message = text(&output.stderr);
    assert!(message.contains(&format!("cannot listen on {listen}")) && message.contains("--listen"), "{message}");
}

#[test]
fn the_definitions_are_printed_as_one_stream() {
    let output = operator(&["crds"], &[]);
    assert!(output.status.success());
    let stream = text(&output.stdout);
    assert_eq!(stream.lines().filter(|line| *line == "---").count(), 4);
    assert_eq!(stream.lines().filter(|line| *line == "kind: CustomResourceDefinition").count(), 4);
    assert!(output.stderr.is_empty());
}

#[test]
fn a_cluster_that_does_not_answer_is_waited_for_and_a_signal_ends_it_well() {
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("config");
    let nobody = free_address();
    let config = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{{name: a, context: {{cluster: a, user: a}}}}]\n\
         clusters: [{{name: a, cluster: {{server: 'http://{nobody}'}}}}]\nusers: [{{name: a, user: {{}}}}]\n"
    );
    std::fs::write(&kubeconfig, config).unwrap();
    let mut running = command(&["run", "--log-format=json", "--unsafe-timings=60", "--listen=127.0.0.1:0"], &[])
        .arg(format!("--kubeconfig={}", kubeconfig.display()))
        .spawn()
        .unwrap();
    let mut log = BufReader::new(running.stderr.take().unwrap()).lines().map(Result::unwrap).map(|line| {
        let event: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        assert!(event["message"].is_string() && event["level"].is_string(), "{line}");
        event
    });
    let listening = log.find(|event| event["message"] == "listening").unwrap();
    let address = listening["address"].as_str().unwrap().parse().unwrap();
    let waiting = log.find(|event| event["message"].as_str().unwrap().starts_with("waiting: "));
    assert!(waiting.unwrap()["message"].as_str().unwrap().contains("the Kubernetes API cannot be used"));

    let ready = eventually(|| get(address, "/readyz").filter(|answer| answer.contains("cannot be used")));
    assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
    assert!(get(address, "/livez").unwrap().starts_with("HTTP/1.1 200"));
    assert!(get(address, "/metrics").unwrap().contains("invitation_operator_unsafe_timings 60"));
    assert!(get(address, "/elsewhere").unwrap().starts_with("HTTP/1.1 404"));

    Command::new("kill").arg(running.id().to_string()).status().unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(0));
    assert_eq!(log.last().unwrap()["message"], "stopped");
}

fn lease_times(settings: &Settings) -> LeaseTimes {
    match &settings.election {
        Election::ByLease { times, .. } => *times,
        Election::Off => panic!("no election"),
    }
}

fn settings(arguments: &[&str]) -> Result<Settings, String> {
    let cli = Cli::try_parse_from([&["x", "run"], arguments].concat()).map_err(|error| error.to_string())?;
    match cli.command {
        Asked::Run(args) => Settings::from_args(*args, &Surroundings::default()).map_err(|error| error.to_string()),
        Asked::Crds(_) | Asked::Check(_) => Err("asked for a run".to_owned()),
    }
}

/// The part of the help that speaks of one flag, as one line.
fn section(help: &str, flag: &str) -> String {
    let flag = format!("--{flag}");
    let is_head = |line: &&str| line.trim_start().starts_with('-');
    let mut lines =
        help.lines().skip_while(|line| !(is_head(line) && line.split([' ', '[', ',']).any(|word| word == flag)));
    let head = lines.next().unwrap_or_else(|| panic!("{flag} is not in the help:\n{help}"));
    let rest = lines.take_while(|line| !is_head(line) || line.trim_start().starts_with("- "));
    std::iter::once(head).chain(rest).flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

fn command(arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_invitation-operator"));
    command.args(arguments).env_clear().envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn operator(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    command(arguments, variables).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn get(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "waited in vain");
        std::thread::sleep(Duration::from_millis(50));
    }
}
