//! `kubectl`, aimed at the demo's cluster.
//!
//! Owns running it and telling its answer. The demo does everything through it, so that each line of the story can be
//! typed by its reader. Must never run one without a limit of time.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

/// Longer than every `--timeout` that the demo gives.
const LIMIT: Duration = Duration::from_secs(180);

/// How to run it.
#[derive(Clone, Debug)]
pub(crate) struct Kubectl {
    pub(crate) program: PathBuf,
    pub(crate) environment: Vec<(String, String)>,
}

/// What it answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) succeeded: bool,
    pub(crate) output: String,
    pub(crate) complaint: String,
}

impl Kubectl {
    /// Runs it, with `input` as its standard input, and tells what it said.
    pub(crate) async fn ask(&self, args: &[&str], input: &str) -> Result<Answer> {
        let mut command = Command::new(&self.program);
        command.args(args).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("cannot run {}", self.program.display()))?;
        if let Some(mut pipe) = child.stdin.take() {
            // Whoever does not want its input says so by ending.
            let _not_read = pipe.write_all(input.as_bytes()).await;
        }
        let Ok(output) = timeout(LIMIT, child.wait_with_output()).await else {
            bail!("kubectl {} gave no answer within {} s", args.join(" "), LIMIT.as_secs());
        };
        let output = output?;
        Ok(Answer {
            succeeded: output.status.success(),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            complaint: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs it and gives what it printed.
    pub(crate) async fn run(&self, args: &[&str]) -> Result<String> {
        self.feed(args, "").await
    }

    /// Runs it with standard input and gives what it printed.
    pub(crate) async fn feed(&self, args: &[&str], input: &str) -> Result<String> {
        let answer = self.ask(args, input).await?;
        if answer.succeeded {
            return Ok(answer.output);
        }
        bail!("kubectl {}: {}", args.join(" "), answer.complaint.trim());
    }

    /// Reads an object.
    pub(crate) async fn object(&self, args: &[&str]) -> Result<Value> {
        let text = self.run(&[&["get", "-o", "json"], args].concat()).await?;
        serde_json::from_str(&text).context("kubectl printed no JSON")
    }
}
