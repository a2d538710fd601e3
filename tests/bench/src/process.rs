//! What a process uses: memory and processor time, from `/proc`.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// What a process uses at a moment.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Usage {
    /// Resident memory, MB (10^6 bytes).
    pub(crate) rss_mb: f64,
    /// Of that, memory that no file stands behind: heap and stacks.
    pub(crate) anonymous_mb: f64,
    /// The most that was ever resident.
    pub(crate) peak_mb: f64,
    /// Processor time so far, in seconds.
    pub(crate) cpu_s: f64,
}

/// Reads what a process uses now.
pub(crate) fn usage(pid: u32) -> Result<Usage> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the process is gone")?;
    // Where memory is kept private, only root may read the sum of all mappings; the status has almost the same.
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let in_mb = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kilobytes * 1024.0 / 1e6)
    };
    let rss_mb = in_mb(&rollup, "Rss:").or_else(|| in_mb(&status, "VmRSS:")).context("no memory")?;
    let anonymous_mb = in_mb(&rollup, "Anonymous:").or_else(|| in_mb(&status, "RssAnon:")).unwrap_or_default();
    let peak_mb = in_mb(&status, "VmHWM:").unwrap_or_default().max(rss_mb);
    Ok(Usage { rss_mb, anonymous_mb, peak_mb, cpu_s: cpu_seconds(pid)? })
}

fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in parentheses, may hold anything; user and system time are the 12th and 13th field after it.
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    let per_second = f64::from(u32::try_from(rustix::param::clock_ticks_per_second())?);
    Ok((ticks(11) + ticks(12)) / per_second)
}

/// Processor time of the threads that there are, in seconds: finer than [`Usage`]'s, but without threads that have ended.
pub(crate) fn fine_cpu_seconds(pid: u32) -> Result<f64> {
    let mut nanoseconds = 0.0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let spent = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        nanoseconds += spent.split(' ').next().and_then(|spent| spent.parse::<f64>().ok()).unwrap_or_default();
    }
    Ok(nanoseconds / 1e9)
}

/// A moment of a process.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Moment {
    /// Since the first one, in seconds.
    pub(crate) at_s: f64,
    pub(crate) rss_mb: f64,
    pub(crate) cpu_s: f64,
}

/// Follows a process until it is asked what it saw.
pub(crate) struct Follower {
    moments: Arc<Mutex<Vec<Moment>>>,
    task: JoinHandle<()>,
}

impl Follower {
    /// Looks every so often.
    pub(crate) fn of(pid: u32, every: Duration) -> Self {
        let moments: Arc<Mutex<Vec<Moment>>> = Arc::default();
        let kept = Arc::clone(&moments);
        let began = Instant::now();
        let task = tokio::spawn(async move {
            while let Ok(usage) = usage(pid) {
                let moment = Moment { at_s: began.elapsed().as_secs_f64(), rss_mb: usage.rss_mb, cpu_s: usage.cpu_s };
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(moment);
                tokio::time::sleep(every).await;
            }
        });
        Self { moments, task }
    }

    /// What was seen.
    pub(crate) fn end(self) -> Vec<Moment> {
        self.task.abort();
        std::mem::take(&mut *self.moments.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
