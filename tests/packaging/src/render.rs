//! Renders the chart as `helm template` does: without a cluster.
//!
//! Owns the way to Helm, the pinned one of the tests. Must never read a configuration of the user.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The chart, below the repository.
pub const CHART: &str = "charts/invitation-operator";

/// One way to render the chart.
#[derive(Clone, Debug)]
pub struct Rendering {
    /// Name of the release.
    pub release: String,
    /// Its namespace.
    pub namespace: String,
    /// Values over those of the chart.
    pub values: Value,
    /// Kinds that the cluster knows beside Kubernetes' own, as `group/version/Kind`.
    pub kinds: Vec<String>,
}

impl Default for Rendering {
    fn default() -> Self {
        Self {
            release: "invitation-operator".to_owned(),
            namespace: "invitation-operator".to_owned(),
            values: serde_json::json!({}),
            kinds: Vec::new(),
        }
    }
}

impl Rendering {
    /// With these values.
    #[must_use]
    pub fn of(values: Value) -> Self {
        Self { values, ..Self::default() }
    }

    /// In this namespace.
    #[must_use]
    pub fn within(mut self, namespace: &str) -> Self {
        namespace.clone_into(&mut self.namespace);
        self
    }

    /// For a cluster that knows this kind.
    #[must_use]
    pub fn knowing(mut self, kind: &str) -> Self {
        self.kinds.push(kind.to_owned());
        self
    }

    /// The objects, hooks included, in the order of installation.
    ///
    /// # Errors
    /// What Helm says, where it refuses.
    pub fn objects(&self, repository: &Path) -> Result<Vec<Value>> {
        let mut command = Command::new(helm()?);
        command.args(["template", &self.release, CHART, "--namespace", &self.namespace, "--values", "-"]);
        for kind in &self.kinds {
            command.args(["--api-versions", kind]);
        }
        let text = run(command.current_dir(repository), &self.values.to_string())?;
        objects(&text)
    }
}

/// The objects of a stream of YAML documents.
///
/// # Errors
/// When it is no YAML.
pub fn objects(yaml: &str) -> Result<Vec<Value>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(yaml)?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).map(whole).collect())
}

/// `0.0` is written as `0`, as whoever writes YAML after us does.
fn whole(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            let integer = number.as_f64().filter(|number| number.fract() == 0.0);
            let integer = integer.and_then(|number| format!("{number:.0}").parse::<i64>().ok());
            integer.map_or(Value::Number(number), Value::from)
        }
        Value::Array(items) => items.into_iter().map(whole).collect(),
        Value::Object(fields) => Value::Object(fields.into_iter().map(|(name, field)| (name, whole(field))).collect()),
        Value::Null | Value::Bool(_) | Value::String(_) => value,
    }
}

/// Runs a command with an input; gives its output.
///
/// # Errors
/// With what it complained about.
pub fn run(command: &mut Command, input: &str) -> Result<String> {
    use std::io::Write as _;
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.with_context(|| format!("{} cannot be run", command.get_program().display()))?;
    if let Some(mut pipe) = child.stdin.take() {
        // Who does not read to the end says why.
        let _ = pipe.write_all(input.as_bytes());
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The pinned Helm.
///
/// # Errors
/// When the tools cannot be found.
pub fn helm() -> Result<PathBuf> {
    tool("helm")
}

/// The pinned kubectl.
///
/// # Errors
/// When the tools cannot be found.
pub fn kubectl() -> Result<PathBuf> {
    tool("kubectl")
}

fn tool(name: &str) -> Result<PathBuf> {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    if let Some(folder) = FOLDER.get() {
        return Ok(folder.join(name));
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/build");
    let said = run(&mut Command::new(script), "")?;
    let folder = said.lines().last().context("the tools are nowhere")?;
    Ok(FOLDER.get_or_init(|| folder.into()).join(name))
}
