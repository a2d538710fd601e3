//! Runs the program in `judge/`: the Lua engine of Argo CD and the kstatus library, as Go modules that a go.sum pins.
//!
//! Owns how it is built: once per run of the tests, by Go's own cache within seconds. Must never decide what is right.

use crate::files::{customizations, root};
use serde::Deserialize;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// What was made of an object.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub struct Verdict {
    pub status: String,
    #[serde(default)]
    pub message: String,
}

static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = root().join("tests/gitops/judge");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("judge");
    let status = Command::new("go")
        .args(["build", "-trimpath", "-buildvcs=false", "-o"])
        .args([&program, Path::new(".")])
        .current_dir(folder)
        .env("GOFLAGS", "-mod=readonly")
        .env("GOWORK", "off")
        .env("CGO_ENABLED", "0")
        .status()
        .expect("Go builds what judges the objects: install Go");
    assert!(status.success(), "the judge cannot be built");
    program
});

/// Runs all cases that lie beside the scripts, and gives how many there were.
pub fn cases() -> Result<Value, String> {
    Ok(serde_json::from_slice(&run(&["cases", customizations().to_str().unwrap()], &Value::Null)?).unwrap())
}

/// Argo CD's health of each object.
pub fn health(objects: &[Value]) -> Vec<Verdict> {
    judged(&["health", customizations().to_str().unwrap()], objects)
}

/// What kstatus makes of each object.
pub fn kstatus(objects: &[Value]) -> Vec<Verdict> {
    judged(&["kstatus"], objects)
}

/// What an action of Argo CD makes of an object.
pub fn act(action: &str, object: &Value) -> Value {
    let input = Value::Array(vec![object.clone()]);
    let output = run(&["act", customizations().to_str().unwrap(), action], &input).unwrap();
    serde_json::from_slice(&output).unwrap()
}

fn judged(arguments: &[&str], objects: &[Value]) -> Vec<Verdict> {
    let output = run(arguments, &Value::Array(objects.to_vec())).unwrap();
    let verdicts: Vec<_> = serde_json::from_slice(&output).unwrap();
    assert_eq!(verdicts.len(), objects.len());
    verdicts
}

fn run(arguments: &[&str], input: &Value) -> Result<Vec<u8>, String> {
    let mut child = Command::new(&*PROGRAM)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that has no use for its input may be gone already; what it says tells.
    let _ = stdin.write_all(input.to_string().as_bytes());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    if output.status.success() { Ok(output.stdout) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
