//! A control plane as its callers see it: ready when handed out, real in what
//! it does, and gone whatever happens to its owner.
//!
//! Must never: sleep for a fixed time in place of waiting for a condition.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use control_plane::{ControlPlane, Error, Options};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn namespaces_end_and_garbage_is_collected() {
    let plane = ControlPlane::start(Options::default()).await.unwrap();
    let version: serde_json::Value = serde_json::from_str(&kubectl(&plane, "get --raw /version").unwrap()).unwrap();
    assert_eq!(version["gitVersion"], plane.version());

    kubectl(&plane, "create namespace short-lived").unwrap();
    kubectl(&plane, "create configmap something --namespace short-lived").unwrap();
    kubectl(&plane, "delete namespace short-lived --timeout=60s").unwrap();
    assert!(kubectl(&plane, "get namespace short-lived").unwrap_err().contains("NotFound"));

    kubectl(&plane, "create configmap owner").unwrap();
    kubectl(&plane, "create configmap owned").unwrap();
    let uid = kubectl(&plane, "get configmap owner -o jsonpath={.metadata.uid}").unwrap();
    let owned_by = format!(
        r#"{{"metadata":{{"ownerReferences":[{{"apiVersion":"v1","kind":"ConfigMap","name":"owner","uid":"{uid}"}}]}}}}"#
    );
    kubectl(&plane, &format!("patch configmap owned --type=merge -p {owned_by}")).unwrap();
    kubectl(&plane, "delete configmap owner").unwrap();
    kubectl(&plane, "wait --for=delete configmap/owned --timeout=60s").unwrap();

    let folder = plane.folder().to_owned();
    plane.stop().await.unwrap();
    assert!(!folder.exists());
    assert_eq!(processes_in(&folder), Vec::<u32>::new());
}

#[tokio::test]
async fn two_planes_stand_apart() {
    let lean = Options { with_controller_manager: false, ..Options::default() };
    let (one, two) = tokio::join!(ControlPlane::start(lean.clone()), ControlPlane::start(lean));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_ne!(one.server_url(), two.server_url());
    kubectl(&one, "create namespace only-here").unwrap();
    assert!(kubectl(&two, "get namespace only-here").unwrap_err().contains("NotFound"));

    let folder = one.folder().to_owned();
    drop(one);
    assert!(!folder.exists());
    kubectl(&two, "get namespace default").unwrap();
}

#[tokio::test]
async fn outages_keep_the_port_and_the_data_and_the_audit_log_counts() {
    let options =
        Options { with_controller_manager: false, audit_log: Some(PathBuf::from("audit.jsonl")), ..Options::default() };
    let plane = ControlPlane::start(options).await.unwrap();
    kubectl(&plane, "create namespace kept").unwrap();

    plane.restart_api_server().await.unwrap();
    kubectl(&plane, "get namespace kept").unwrap();

    plane.kill_api_server().await.unwrap();
    kubectl(&plane, "get namespace kept").unwrap_err();
    plane.start_api_server().await.unwrap();
    kubectl(&plane, "get namespace kept").unwrap();

    plane.pause_api_server().await.unwrap();
    kubectl(&plane, "get namespace kept --request-timeout=1s").unwrap_err();
    plane.resume_api_server().await.unwrap();
    kubectl(&plane, "get namespace kept").unwrap();

    let log = plane.audit_log().unwrap().to_owned();
    let created = || {
        let text = fs::read_to_string(&log).unwrap();
        let events = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        events
            .filter(|event| event["verb"] == "create" && event["objectRef"]["name"] == "kept")
            .inspect(|event| assert_eq!(event["stage"], "ResponseComplete"))
            .count()
    };
    eventually("the creation is in the audit log", || created() == 1);
}

#[tokio::test]
async fn service_accounts_have_the_rights_they_were_given() {
    let plane = ControlPlane::start(Options::default()).await.unwrap();
    let nobody = plane.service_account_kubeconfig("default", "nobody").await.unwrap_err();
    assert!(nobody.to_string().contains("not found"), "{nobody}");
    kubectl(&plane, "create serviceaccount reader").unwrap();
    kubectl(&plane, "create role reader --verb=list --resource=configmaps").unwrap();
    kubectl(&plane, "create rolebinding reader --role=reader --serviceaccount=default:reader").unwrap();

    let reader = plane.service_account_kubeconfig("default", "reader").await.unwrap();
    let as_reader = |words: &str| run(plane.kubectl().env("KUBECONFIG", &reader), words);
    as_reader("get configmaps").unwrap();
    assert!(as_reader("get secrets").unwrap_err().contains("Forbidden"));
}

#[tokio::test]
async fn a_process_that_ends_by_itself_says_why() {
    let options = Options { extra_apiserver_args: vec!["--no-such-flag".to_owned()], ..Options::default() };
    match ControlPlane::start(options).await {
        Err(Error::Ended { component: "kube-apiserver", log, .. }) => {
            assert!(log.contains("unknown flag: --no-such-flag"), "{log}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_outlives_an_owner_that_is_killed() {
    let (mut owner, folder) = owner();
    assert!(processes_in(&folder).len() >= 3);
    owner.kill().unwrap();
    owner.wait().unwrap();
    eventually("the processes are gone", || processes_in(&folder).is_empty());
    eventually("the folder is gone", || !folder.exists());
}

#[test]
fn an_owner_that_is_asked_to_end_cleans_up_first() {
    let (mut owner, folder) = owner();
    let asked = Command::new("kill").args(["-TERM", &owner.id().to_string()]).status().unwrap();
    assert!(asked.success());
    assert!(owner.wait().unwrap().success());
    assert_eq!(processes_in(&folder), Vec::<u32>::new());
    assert!(!folder.exists());
}

/// Starts the binary and gives it together with the folder of its plane.
fn owner() -> (Child, PathBuf) {
    let mut owner = Command::new(env!("CARGO_BIN_EXE_control-plane")).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(owner.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let kubeconfig = Path::new(line.trim().strip_prefix("export KUBECONFIG=").unwrap());
    (owner, kubeconfig.parent().unwrap().to_owned())
}

/// The processes that run in a folder, be it removed meanwhile.
fn processes_in(folder: &Path) -> Vec<u32> {
    let within = |process: &fs::DirEntry| {
        let cwd = fs::read_link(process.path().join("cwd")).unwrap_or_default();
        cwd.to_string_lossy().starts_with(&*folder.to_string_lossy())
    };
    let entries = fs::read_dir("/proc").unwrap().map(Result::unwrap);
    entries.filter(within).filter_map(|process| process.file_name().to_str()?.parse().ok()).collect()
}

fn kubectl(plane: &ControlPlane, words: &str) -> Result<String, String> {
    run(&mut plane.kubectl(), words)
}

fn run(command: &mut Command, words: &str) -> Result<String, String> {
    let output = command.args(words.split(' ')).output().unwrap();
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap());
    }
    Err(String::from_utf8(output.stderr).unwrap())
}

fn eventually(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
