//! The demo: the operator's story in a terminal, with a real Kubernetes API and simulated MongoDB APIs.
//!
//! Owns the command line, the order of preparing, playing and cleaning up, and the signals. Must never leave anything
//! behind: not in a cluster that it was lent, and no process, however it ends.

mod checks;
mod child;
mod cluster;
mod essence;
mod farewell;
mod kubectl;
mod lent;
mod operator;
mod samples;
mod stage;
mod story;
mod terminal;

use anyhow::Result;
use clap::Parser;
use clap::builder::FalseyValueParser;
use cluster::Cluster;
use stage::Stage;
use std::process::ExitCode;
use terminal::Terminal;
use tokio::signal::unix::{SignalKind, signal};

/// Plays the operator's story: invites people, lets them answer, refuses what is wrong, counts the e-mails
#[derive(Debug, Parser)]
struct Arguments {
    /// Play unattended, check each step, clean up, and end with 0 if every check held, else with 1
    #[arg(long, env = "ONCE", value_parser = FalseyValueParser::new())]
    once: bool,
    /// Where to play: a control plane of its own on loopback, or the cluster of the current kubeconfig
    #[arg(long, env = "CLUSTER", value_name = "own|current", default_value = "own", value_parser = place)]
    cluster: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Own,
    Current,
}

/// An empty word counts as none: that is how make passes on what is not set.
fn place(word: &str) -> Result<Place, String> {
    match word {
        "" | "own" => Ok(Place::Own),
        "current" => Ok(Place::Current),
        _ => Err("write current for the cluster of the current kubeconfig, or own for one of the demo's".to_owned()),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let terminal = Terminal::of_this_process();
    match run(&arguments, terminal).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            terminal.trouble(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Plays and cleans up; tells whether every check held.
async fn run(arguments: &Arguments, terminal: Terminal) -> Result<bool> {
    let mut signals = Signals::listen()?;
    terminal.title();
    let opened = tokio::select! {
        opened = open(arguments.cluster, terminal) => opened?,
        () = signals.interrupted() => return Ok(false),
    };
    let mut stage = Stage::new(opened, terminal).await?;
    let played = tokio::select! {
        played = play(&mut stage) => played,
        () = signals.interrupted() => Ok(false),
    };
    if matches!(played, Ok(true)) && !arguments.once {
        farewell::stay(&stage);
        signals.interrupted().await;
    }
    let held = stage.checks.all_held();
    let log = stage.operator_log();
    let closed = stage.close().await;
    let complete = played?;
    closed?;
    terminal.note(&format!("\neverything has ended; the operator's log stays: {}", log.display()));
    // Whoever ends the demo by hand after the whole story has seen what it is about.
    Ok(held && complete)
}

async fn open(place: Place, terminal: Terminal) -> Result<Cluster> {
    terminal.scene("Preparing");
    match place {
        Place::Own => Cluster::start(terminal).await,
        Place::Current => Cluster::lent(terminal).await,
    }
}

/// The whole story; `true` when it came to its end, whatever its checks say.
async fn play(stage: &mut Stage) -> Result<bool> {
    stage.prepare().await?;
    story::play(stage).await;
    stage.checks.summary(stage.terminal);
    Ok(true)
}

/// The signals that end the demo.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn interrupted(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
