//! The program: flags, seeds and signals.
//!
//! Owns the proof that a rehearsal can be started, read and ended from a shell.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // tests fail by panicking

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Output, Stdio},
};

struct Program {
    child: Child,
    lines: Vec<String>,
}

impl Program {
    /// Starts it on free ports and reads what it prints, up to the last credential.
    fn start(arguments: &[&str], last: &str) -> Self {
        let mut child = program(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = Vec::new();
        for line in BufReader::new(child.stdout.as_mut().unwrap()).lines() {
            lines.push(line.unwrap());
            if lines.last().unwrap().starts_with(last) {
                break;
            }
        }
        Self { child, lines }
    }

    fn value(&self, label: &str) -> String {
        let line = self.lines.iter().find(|line| line.starts_with(label)).unwrap();
        line[label.len()..].split_whitespace().next().unwrap().to_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_atlas-sim"));
    command.args(["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"]).args(arguments);
    command
}

fn output(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

#[tokio::test]
async fn it_starts_with_a_seed_of_its_own_and_says_where_and_with_which_keys() {
    let program = Program::start(&[], "service acct");
    assert_eq!(program.value("API key"), "simpublic");
    assert_eq!(program.value("service acct"), "mdb_sa_id_sim");
    assert_eq!(program.lines.iter().filter(|line| line.starts_with("project")).count(), 3);
    let url = format!("{}/api/atlas/v2", program.value("base URL"));
    assert_eq!(reqwest::get(url).await.unwrap().status().as_u16(), 401);
    let control = program.value("control API").replace("/status", "/behaviour");
    let behaviour: serde_json::Value = reqwest::get(control).await.unwrap().json().await.unwrap();
    assert_eq!((&behaviour["invitationThrottle"], &behaviour["tokenRateLimit"]), (&10.into(), &50.into()));
}

#[tokio::test]
async fn flags_reach_the_behaviour() {
    let arguments = ["--invitation-life", "45s", "--invitation-throttle", "0", "--latency", "1ms", "--list-lag", "2s"];
    let program = Program::start(&arguments, "service acct");
    let control = program.value("control API").replace("/status", "/behaviour");
    let behaviour: serde_json::Value = reqwest::get(control).await.unwrap().json().await.unwrap();
    assert_eq!((&behaviour["invitationLife"], &behaviour["latency"]), (&"45s".into(), &"1ms".into()));
    assert_eq!((&behaviour["invitationThrottle"], &behaviour["listLag"]), (&serde_json::Value::Null, &"2s".into()));
}

#[test]
fn it_ends_in_peace_on_sigterm() {
    let mut program = Program::start(&[], "service acct");
    let kill = Command::new("kill").arg(program.child.id().to_string()).status().unwrap();
    assert!(kill.success());
    assert!(program.child.wait().unwrap().success());
}

#[test]
fn seeds_may_be_yaml_or_json() {
    let yaml = "projects:\n  - id: 5f00000000000000000000e1\n    product: OpsManager\ncredentials:\n  - id: pub\n    secret: priv\n    grants:\n      '*': [GROUP_OWNER]\n";
    let json = r#"{"projects":[{"id":"5f00000000000000000000e1","product":"OpsManager"}],"credentials":[{"id":"pub","secret":"priv"}]}"#;
    for (name, text) in [("seed.yaml", yaml), ("seed.json", json)] {
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, text).unwrap();
        let program = Program::start(&["--seed", path.to_str().unwrap()], "API key");
        assert_eq!(
            (program.value("project"), program.value("API key")),
            ("5f00000000000000000000e1".into(), "pub".into())
        );
    }
}

#[test]
fn it_stays_on_loopback_unless_told_otherwise() {
    for flag in ["--listen", "--control"] {
        let refused = Command::new(env!("CARGO_BIN_EXE_atlas-sim")).args([flag, "0.0.0.0:0"]).output().unwrap();
        assert!(!refused.status.success());
        assert!(String::from_utf8(refused.stderr).unwrap().contains("is not loopback"));
    }
}

#[test]
fn help_names_every_flag_and_a_wrong_seed_is_explained() {
    let help = String::from_utf8(output(&["--help"]).stdout).unwrap();
    for flag in [
        "--listen",
        "--control",
        "--allow-remote",
        "--host",
        "--seed",
        "--invitation-life",
        "--invitation-throttle",
        "--invitation-throttle-window",
        "--token-rate-limit",
        "--latency",
        "--list-lag",
        "--tls-cert",
        "--tls-key",
    ] {
        assert!(help.contains(flag), "{flag}");
    }
    let missing = output(&["--seed", "does-not-exist.yaml"]);
    assert!(!missing.status.success());
    assert!(String::from_utf8(missing.stderr).unwrap().contains("does-not-exist.yaml"));
}
