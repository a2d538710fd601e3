//! What was measured, as `results.json` holds it.
//!
//! Written after each run, so that a run that breaks off loses nothing; a part that is measured anew replaces itself. Must never
//! hold a figure without the machine, the moment and the commit it comes from.

use crate::core::Core;
use crate::delivery::Delivery;
use crate::fairness::FairnessRun;
use crate::latency::LatencyRun;
use crate::limits::DiskSync;
use crate::scale::ScaleRun;
use crate::throttle::ThrottleRun;
use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where and from what a part was measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Setting {
    pub(crate) begun: Timestamp,
    pub(crate) commit: String,
    pub(crate) processor: String,
    pub(crate) processors: usize,
    pub(crate) memory_gb: f64,
    pub(crate) kernel: String,
    /// The machine's load average over a minute before the part began: what else was running.
    pub(crate) load_before: f64,
    pub(crate) disk: DiskSync,
    pub(crate) binary_bytes: u64,
    /// As in the image: the C library and its allocator are in the binary.
    #[serde(default)]
    pub(crate) static_binary: bool,
    /// Short runs, to see whether everything works.
    pub(crate) quick: bool,
}

/// All parts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Results {
    pub(crate) settings: BTreeMap<String, Setting>,
    pub(crate) scale: Vec<ScaleRun>,
    pub(crate) latency: Vec<LatencyRun>,
    pub(crate) throttle: Vec<ThrottleRun>,
    pub(crate) fairness: Vec<FairnessRun>,
    pub(crate) core: Option<Core>,
    #[serde(skip)]
    file: PathBuf,
}

impl Results {
    /// Those in `folder`, to go on with; none if there are none yet.
    pub(crate) fn in_folder(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let file = folder.join("results.json");
        let known = match fs::read_to_string(&file) {
            Ok(text) => serde_json::from_str(&text).with_context(|| format!("{} cannot be read", file.display()))?,
            Err(_) => Self::default(),
        };
        Ok(Self { file, ..known })
    }

    pub(crate) fn save(&self) -> Result<()> {
        fs::write(&self.file, format!("{}\n", serde_json::to_string_pretty(self)?))?;
        Ok(())
    }

    /// What all the people of all runs found in their mail.
    pub(crate) fn delivery(&self) -> Delivery {
        let scale = self.scale.iter().map(|run| run.delivery);
        let latency = self.latency.iter().map(|run| run.delivery);
        let throttle = self.throttle.iter().map(|run| run.delivery);
        let fairness = self.fairness.iter().map(|run| run.delivery);
        scale.chain(latency).chain(throttle).chain(fairness).fold(Delivery::default(), std::ops::Add::add)
    }
}

impl Setting {
    /// Here and now.
    pub(crate) fn now(binary: &Path, folder: &Path, quick: bool) -> Result<Self> {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let cpuinfo = read("/proc/cpuinfo");
        let processor = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1));
        let memory = read("/proc/meminfo");
        let total = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next());
        let load = read("/proc/loadavg");
        let program = fs::read(binary).with_context(|| format!("no {}", binary.display()))?;
        Ok(Self {
            begun: Timestamp::now(),
            commit: commit(),
            processor: processor.unwrap_or("unknown").trim().to_owned(),
            processors: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            memory_gb: total.and_then(|total| total.parse::<f64>().ok()).unwrap_or_default() * 1024.0 / 1e9,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load_before: load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default(),
            disk: crate::limits::disk(folder)?,
            binary_bytes: u64::try_from(program.len())?,
            static_binary: !names_a_loader(&program),
            quick,
        })
    }
}

/// Whether a program of Linux for 64 bits, little-endian, needs somebody to load its libraries.
fn names_a_loader(program: &[u8]) -> bool {
    const LOADER: u16 = 3;
    let short = |at: usize| Some(u16::from_le_bytes(*program.get(at..)?.first_chunk()?));
    let long = |at: usize| usize::try_from(u64::from_le_bytes(*program.get(at..)?.first_chunk()?)).ok();
    let (Some(table), Some(length), Some(count)) = (long(0x20), short(0x36), short(0x38)) else { return false };
    (0..usize::from(count)).any(|number| short(table + number * usize::from(length)) == Some(LOADER))
}

fn commit() -> String {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let head = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_default();
    let changed = git(&["status", "--porcelain", "--untracked-files=no", "--", "src", "Cargo.lock", "Cargo.toml"]);
    if changed.is_some_and(|changed| !changed.is_empty()) { format!("{head} and changes") } else { head }
}
