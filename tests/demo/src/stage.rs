//! Everything that runs while the story is told, and the few things that a scene does.
//!
//! Owns the cluster, the simulator and the operator, and the order in which they start and end. Must never sleep: a scene
//! waits for a condition, with a limit.

use crate::checks::Checks;
use crate::child::KeptChild;
use crate::cluster::Cluster;
use crate::kubectl::Answer;
use crate::operator::{HASTE, Recipe};
use crate::terminal::Terminal;
use crate::{essence, lent, samples};
use anyhow::{Context, Result};
use atlas_sim::{Options, Simulator};
use serde_json::Value;
use std::path::PathBuf;
use tokio::time::Instant;

/// What plays.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) terminal: Terminal,
    pub(crate) checks: Checks,
    pub(crate) cluster: Cluster,
    pub(crate) simulator: Simulator,
    pub(crate) recipe: Recipe,
    operator: Option<KeptChild>,
}

impl Stage {
    /// The cluster with a simulator beside it, and an operator that can be started.
    pub(crate) async fn new(cluster: Cluster, terminal: Terminal) -> Result<Self> {
        let simulator = Simulator::start(Options::default()).await.context("cannot start the simulator")?;
        simulator.seed(samples::seed()?);
        let recipe = Recipe::new(cluster.kubeconfig(), simulator.address()).await?;
        Ok(Self { terminal, checks: Checks::default(), cluster, simulator, recipe, operator: None })
    }

    /// Brings kinds, namespaces and the operator.
    pub(crate) async fn prepare(&mut self) -> Result<()> {
        self.terminal.ok(&format!("MongoDB's APIs are simulated on {}", self.simulator.base_url()));
        self.bring(&samples::crds()?, "crd").await?;
        let wait = ["wait", "crd", "-l", lent::LABEL, "--for=condition=Established", "--timeout=60s"];
        self.cluster.kubectl.run(&wait).await?;
        self.terminal.ok("the kinds are defined (crds/)");
        let namespaces = samples::read("deploy/samples/1-namespaces.yaml", self.simulator.base_url())?;
        self.bring(&namespaces, "namespace").await?;
        let mut every = String::new();
        for path in samples::for_real_use()? {
            every.push_str(&samples::as_it_is(&path)?);
        }
        let tried = self.cluster.kubectl.ask(&["apply", "--dry-run=server", "-f", "-"], &every).await?;
        self.check("the samples are valid as they are, for real use", tried.succeeded);
        if !tried.succeeded {
            self.terminal.note(tried.complaint.trim());
        }
        self.start_operator("the operator runs").await?;
        self.terminal.note(&format!(
            "with --unsafe-timings={HASTE}: what waits a minute waits {} seconds here; for rehearsals only",
            60 / HASTE
        ));
        Ok(())
    }

    /// Applies, marked as the demo's.
    async fn bring(&self, manifests: &str, kind: &str) -> Result<()> {
        let kubectl = &self.cluster.kubectl;
        let marked = lent::marked(manifests)?;
        kubectl.feed(&["apply", "-f", "-"], &marked).await.with_context(|| format!("cannot apply the {kind}"))?;
        Ok(())
    }

    /// Starts the operator.
    pub(crate) async fn start_operator(&mut self, claim: &str) -> Result<()> {
        let began = Instant::now();
        self.operator = Some(self.recipe.start().await?);
        self.terminal.ok(&format!("{claim}{}", since(began)));
        Ok(())
    }

    /// Kills the operator as a power cut would.
    pub(crate) async fn cut_operator(&mut self) -> Result<()> {
        match self.operator.take() {
            Some(child) => child.cut().await,
            None => Ok(()),
        }
    }

    /// Shows the essential lines of a file and applies it.
    pub(crate) async fn apply(&self, path: &str, kind: &str) -> Result<()> {
        let text = self.show_manifest(path, kind)?;
        let output = self.cluster.kubectl.feed(&["apply", "-f", "-"], &text).await?;
        self.terminal.command(&format!("kubectl apply -f {path}"), &output);
        Ok(())
    }

    /// The same for a file that Kubernetes is expected to refuse.
    pub(crate) async fn try_to_apply(&self, path: &str, kind: &str) -> Result<Answer> {
        let text = self.show_manifest(path, kind)?;
        let answer = self.cluster.kubectl.ask(&["apply", "-f", "-"], &text).await?;
        self.terminal.command(&format!("kubectl apply -f {path}"), &format!("{}{}", answer.output, answer.complaint));
        Ok(answer)
    }

    fn show_manifest(&self, path: &str, kind: &str) -> Result<String> {
        let text = samples::read(path, self.simulator.base_url())?;
        self.terminal.manifest(&essence::of(&text, kind));
        Ok(text)
    }

    /// Runs `kubectl` and shows what it prints.
    pub(crate) async fn show(&self, command: &str) -> Result<()> {
        let args: Vec<&str> = command.split_whitespace().collect();
        let output = self.cluster.kubectl.run(&args).await?;
        self.terminal.command(&format!("kubectl {command}"), &output);
        Ok(())
    }

    /// Waits for a field of an object of the team, `path` a JSON path; the claim is checked by it.
    pub(crate) async fn wait(&mut self, claim: &str, object: &str, path: &str, value: &str) -> Result<()> {
        let began = Instant::now();
        let condition = format!("--for=jsonpath={{{path}}}={value}");
        let args = ["wait", object, "-n", samples::TEAM, &condition, "--timeout=90s"];
        let answer = self.cluster.kubectl.ask(&args, "").await?;
        let took = if answer.succeeded { since(began) } else { String::new() };
        self.checks.note(self.terminal, &format!("{claim}{took}"), answer.succeeded);
        if !answer.succeeded {
            let diagnosis = self.diagnosis(object, answer.complaint.trim()).await;
            self.terminal.note(&diagnosis);
        }
        Ok(())
    }

    async fn diagnosis(&mut self, object: &str, complaint: &str) -> String {
        let mut lines = vec![complaint.to_owned()];
        let now = self.cluster.kubectl.run(&["get", object, "-n", samples::TEAM, "-o", "yaml"]).await;
        lines.push(now.unwrap_or_else(|error| error.to_string()));
        if !self.operator.as_mut().is_some_and(KeptChild::is_running) {
            lines.push("the operator does not run".to_owned());
        }
        lines.push(self.recipe.end_of_log());
        lines.join("\n")
    }

    /// Notes a claim.
    pub(crate) fn check(&mut self, claim: &str, held: bool) {
        self.checks.note(self.terminal, claim, held);
    }

    /// The `ProjectInvitation` of this name.
    pub(crate) async fn invitation(&self, name: &str) -> Result<Value> {
        self.cluster.kubectl.object(&["projectinvitation", name, "-n", samples::TEAM]).await
    }

    /// How many e-mails an address got.
    pub(crate) fn mails(&self, address: &str) -> usize {
        self.simulator.mails_to(address).len()
    }

    pub(crate) fn operator_log(&self) -> PathBuf {
        self.recipe.log.clone()
    }

    /// Ends everything, in order: objects, operator, simulator, cluster.
    pub(crate) async fn close(mut self) -> Result<()> {
        let cleared = self.cluster.clear(self.terminal).await;
        let ended = match self.operator.take() {
            Some(child) => child.end().await,
            None => Ok(()),
        };
        self.simulator.stop().await;
        self.cluster.end().await?;
        cleared.and(ended)
    }
}

/// How long something took, for the end of a line.
pub(crate) fn since(began: Instant) -> String {
    format!("  ({:.1} s)", began.elapsed().as_secs_f64())
}
