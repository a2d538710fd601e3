//! The heart in process, by criterion: a pass that has nothing to do, rosters, and a page of a list.
//!
//! Compiled for speed and not, as the release is, for size; nothing answers from outside the process.

mod nobody;
mod page;
mod synced;

use anyhow::{Context, Result, ensure};
use criterion::Criterion;
use invitation_operator::domain::conclude::{Outcome, conclude};
use invitation_operator::domain::decide::decide;
use invitation_operator::domain::step::Step;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;
use synced::Synced;

/// People of one project.
const PEOPLE: usize = 500;

/// What was measured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Core {
    /// By what was measured.
    pub(crate) times: BTreeMap<String, Estimate>,
}

/// Criterion's median and the interval in which it lies with 95 % confidence, in nanoseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::struct_field_names, reason = "units belong to names")]
pub(crate) struct Estimate {
    pub(crate) median_ns: f64,
    pub(crate) from_ns: f64,
    pub(crate) to_ns: f64,
}

/// Measures all of it; criterion keeps its own records in `folder`.
pub(crate) fn run(folder: &Path, quick: bool) -> Result<Core> {
    let time = Duration::from_millis(if quick { 500 } else { 5000 });
    let mut criterion = Criterion::default()
        .without_plots()
        .output_directory(folder)
        .warm_up_time(time / 5)
        .measurement_time(time)
        .sample_size(if quick { 20 } else { 100 });
    let mut names = Vec::new();
    let mut measure = |name: &str, work: &mut dyn FnMut()| {
        criterion.bench_function(name, |bencher| bencher.iter(&mut *work));
        names.push(name.to_owned());
    };

    for people in [PEOPLE, 20 * PEOPLE] {
        let synced = Synced::people(people)?;
        let mut next = (0..people).cycle();
        measure(&format!("noop_pass_of_{people}"), &mut || {
            let number = next.next().unwrap_or_default();
            black_box(at_once(synced.pass(number)));
        });
    }
    let synced = Synced::people(PEOPLE)?;
    let facts = at_once(synced.facts())?;
    ensure!(decide(&facts).step == Step::Rest, "there is something to do");
    measure("noop_decision", &mut || {
        let facts = black_box(&facts);
        let decision = decide(facts);
        let claim = facts.claim.as_ref();
        black_box(conclude(&decision, Outcome::Done, claim, facts, 0));
    });
    let mut next = (0..PEOPLE).cycle();
    let roster = at_once(synced.roster())?;
    measure("roster_find_of_500", &mut || {
        let person = Synced::person(next.next().unwrap_or_default());
        black_box(roster.find(&person, false, true));
    });
    measure("roster_renewed_of_500", &mut || {
        black_box(at_once(synced.renewed_roster())).ok();
    });
    let page = page::of(&synced)?;
    measure("list_page_of_500_decoded", &mut || {
        black_box(page::decode(black_box(&page))).ok();
    });
    criterion.final_summary();
    let times = names.into_iter().map(|name| Ok((name.clone(), estimate(&folder.join(name))?)));
    Ok(Core { times: times.collect::<Result<_>>()? })
}

/// Runs what has nothing to wait for. Without tokio's budget, which only its own scheduler renews.
fn at_once<F: Future>(work: F) -> F::Output {
    futures::executor::block_on(tokio::task::unconstrained(work))
}

fn estimate(folder: &Path) -> Result<Estimate> {
    let text = fs::read_to_string(folder.join("new/estimates.json")).context("criterion wrote no estimates")?;
    let estimates: Value = serde_json::from_str(&text)?;
    let at = |pointer: &str| estimates.pointer(pointer).and_then(Value::as_f64).context("no median");
    Ok(Estimate {
        median_ns: at("/median/point_estimate")?,
        from_ns: at("/median/confidence_interval/lower_bound")?,
        to_ns: at("/median/confidence_interval/upper_bound")?,
    })
}
