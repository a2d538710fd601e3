//! All parts of the benchmark in their order, each as often as asked for.
//!
//! Must never assert a time: what makes it fail is somebody without an e-mail, or with two.

use crate::results::{Results, Setting};
use crate::team::Credentials;
use crate::{core, fairness, latency, report, scale, throttle};
use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What can be measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// 1 to 10,000 people: start, invitations, restart, idle hour.
    Scale,
    /// One person at a time.
    Latency,
    /// Under the throttle of ten invitations a minute.
    Throttle,
    /// One namespace beside a flood.
    Fairness,
    /// Decisions, rosters and lists in process.
    Core,
}

const ALL: [Part; 5] = [Part::Core, Part::Latency, Part::Throttle, Part::Fairness, Part::Scale];

#[derive(Args)]
pub(crate) struct Wishes {
    /// Path of the operator's binary.
    #[arg(long, default_value = "target/release/invitation-operator")]
    operator: PathBuf,
    /// Where results.json, the table and the plots go; parts that are there and not measured now are kept.
    #[arg(long, default_value = "docs/benchmarks")]
    output: PathBuf,
    /// Little of everything, within five minutes.
    #[arg(long)]
    quick: bool,
    /// How often 1 and 100 people are invited; 1,000 half as often, 10,000 a fifth as often, but at least once.
    #[arg(long, default_value_t = 10)]
    runs: usize,
    /// Just these parts, separated by commas.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
}

/// One size, and how often.
struct Size {
    people: usize,
    runs: usize,
    estimate_s: u64,
}

struct Suite {
    wishes: Wishes,
    results: Results,
}

/// Measures what is wished.
pub(crate) async fn run(wishes: Wishes) -> Result<()> {
    let parts: Vec<_> = ALL.into_iter().filter(|part| wishes.only.is_empty() || wishes.only.contains(part)).collect();
    let results = Results::in_folder(&wishes.output)?;
    let mut suite = Suite { wishes, results };
    let estimate: u64 = parts.iter().map(|part| suite.estimate_s(*part)).sum();
    eprintln!("about {} min on an idle machine with two processors", estimate.div_ceil(60));
    let began = Instant::now();
    for part in &parts {
        suite.measure(*part).await?;
        report::write(&suite.results, &suite.wishes.output)?;
    }
    eprintln!("{:.0} s; see {}", began.elapsed().as_secs_f64(), suite.wishes.output.join("README.md").display());
    let delivery = suite.results.delivery();
    if !delivery.is_right() {
        bail!("{} people got no e-mail and {} more than one", delivery.undelivered, delivery.mailed_twice);
    }
    Ok(())
}

impl Suite {
    fn sizes(&self) -> Vec<Size> {
        let size = |people, runs: usize, estimate_s| Size { people, runs: runs.max(1), estimate_s };
        if self.wishes.quick {
            return vec![size(1, 1, 15), size(100, 1, 18), size(1000, 1, 75)];
        }
        let runs = self.wishes.runs;
        vec![size(1, runs, 20), size(100, runs, 22), size(1000, runs.div_ceil(2), 55), size(10_000, runs / 5, 260)]
    }

    fn estimate_s(&self, part: Part) -> u64 {
        let quick = self.wishes.quick;
        match part {
            Part::Scale => {
                self.sizes().iter().map(|size| size.estimate_s * u64::try_from(size.runs).unwrap_or(1)).sum()
            }
            Part::Latency => {
                if quick {
                    30
                } else {
                    270
                }
            }
            Part::Throttle => {
                if quick {
                    25
                } else {
                    150
                }
            }
            Part::Fairness => {
                if quick {
                    40
                } else {
                    180
                }
            }
            Part::Core => {
                if quick {
                    10
                } else {
                    40
                }
            }
        }
    }

    async fn measure(&mut self, part: Part) -> Result<()> {
        let name = part.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let setting = Setting::now(&self.wishes.operator, &self.wishes.output, self.wishes.quick)?;
        eprintln!("{name}: about {} s", self.estimate_s(part));
        self.results.settings.insert(name, setting);
        match part {
            Part::Scale => self.scale().await?,
            Part::Latency => self.latency().await?,
            Part::Throttle => {
                let factor = if self.wishes.quick { 10 } else { 1 };
                self.results.throttle = vec![throttle::run(&self.wishes.operator, factor).await?];
            }
            Part::Fairness => {
                let (honest, flood) = if self.wishes.quick { (30, 1000) } else { (200, 10_000) };
                self.results.fairness = vec![fairness::run(&self.wishes.operator, honest, flood).await?];
            }
            Part::Core => {
                let records = self.wishes.output.join("criterion");
                self.results.core = Some(core::run(&records, self.wishes.quick)?);
                std::fs::remove_dir_all(records)?;
            }
        }
        self.results.save()
    }

    async fn latency(&mut self) -> Result<()> {
        self.results.latency.clear();
        let cases: &[(u64, usize)] = if self.wishes.quick { &[(50, 20)] } else { &[(50, 200), (200, 100)] };
        for (milliseconds, count) in cases {
            for credentials in [Credentials::ServiceAccount, Credentials::ApiKey] {
                let latency = Duration::from_millis(*milliseconds);
                let run = latency::run(&self.wishes.operator, *count, latency, credentials).await?;
                eprintln!("  {} at {milliseconds} ms: p50 {:.0} ms", run.authentication, run.times.p50_ms);
                self.results.latency.push(run);
                self.results.save()?;
            }
        }
        Ok(())
    }

    async fn scale(&mut self) -> Result<()> {
        self.results.scale.clear();
        let quick = self.wishes.quick;
        for Size { people, runs, .. } in self.sizes() {
            for number in 0..runs {
                // What needs long is measured once for each size.
                let idle =
                    (number == 0 && !(quick && people == 1)).then(|| Duration::from_secs(if quick { 21 } else { 63 }));
                let plan = scale::Plan {
                    people,
                    latency: Duration::from_millis(50),
                    // Connections of a burst are closed after ten idle seconds.
                    rest: Duration::from_secs(if quick || people < 1000 { 3 } else { 15 }),
                    raw_writes: if people < 1000 {
                        0
                    } else if quick {
                        300
                    } else {
                        2000
                    },
                    idle,
                };
                let run = scale::run(&self.wishes.operator, plan).await?;
                eprintln!(
                    "  {people} people, run {} of {runs}: {:.1} s, p99 {:.0} ms, {:.1} MB",
                    number + 1,
                    run.invited.total_s,
                    run.invited.times.p99_ms,
                    run.restart.start.usage.rss_mb
                );
                self.results.scale.push(run);
                self.results.save()?;
            }
        }
        Ok(())
    }
}
