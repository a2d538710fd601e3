//! One row of the table: a figure, its spread, its goal and its limit.

use crate::limits::{self, Rates};
use crate::results::Results;
use crate::statistics::Spread;
use std::fmt::Write as _;

/// A figure over several runs or samples.
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) spread: Option<Spread>,
    /// `ms`, `MB` and the like.
    pub(crate) unit: &'static str,
    /// No more than this is the goal.
    pub(crate) at_most: Option<f64>,
    /// What the machine allowed in the same runs.
    pub(crate) limit: Option<f64>,
}

impl Figure {
    pub(crate) fn of(what: impl Into<String>, unit: &'static str, values: &[f64]) -> Self {
        Self { what: what.into(), spread: Spread::of(values), unit, at_most: None, limit: None }
    }

    pub(crate) fn goal(self, at_most: f64) -> Self {
        Self { at_most: Some(at_most), ..self }
    }

    pub(crate) fn limit(self, limit: Option<f64>) -> Self {
        Self { limit, ..self }
    }
}

/// A table of figures; those without a value are left out.
pub(crate) fn table(figures: &[Figure]) -> String {
    let mut text =
        String::from("| figure | runs | median | from – to | goal | met | limit |\n|---|---|---|---|---|---|---|\n");
    for figure in figures {
        let Some(spread) = &figure.spread else { continue };
        let with_unit = |value: f64| format!("{} {}", short(value), figure.unit).trim_end().to_owned();
        let met = figure.at_most.map_or("", |goal| if spread.median <= goal { "yes" } else { "**no**" });
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} – {} | {} | {met} | {} |",
            figure.what,
            spread.runs,
            with_unit(spread.median),
            short(spread.least),
            short(spread.most),
            figure.at_most.map(|goal| format!("≤ {}", with_unit(goal))).unwrap_or_default(),
            figure.limit.map(with_unit).unwrap_or_default(),
        );
    }
    text
}

/// Three digits that mean something, but no fraction of what is large.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size < 0.01 => format!("{value:.5}"),
        size if size < 1.0 => format!("{value:.3}"),
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// One person at a time.
pub(crate) fn latency(results: &Results) -> Vec<Figure> {
    let mut figures = Vec::new();
    for run in &results.latency {
        let (l, is_oauth) = (run.latency_ms, run.authentication == "oauth");
        let name = if is_oauth { "OAuth" } else { "digest" };
        let limit = alone(&run.rates).map(|writes| if is_oauth { 3.0 * l + writes } else { 6.0 * l + writes });
        let mut p50 = Figure::of(
            format!("apply → Invited, {name}, L = {l:.0} ms, p50 of {}", run.times.count),
            "ms",
            &[run.times.p50_ms],
        )
        .limit(limit);
        let mut p99 = Figure::of("the same, p99", "ms", &[run.times.p99_ms]);
        if is_oauth {
            p50 = p50.goal(3.0 * l + 20.0);
            p99 = p99.goal(3.0 * l + 120.0);
        }
        let requests = f64::from(u32::try_from(run.calls.total + run.calls.challenges).unwrap_or(u32::MAX));
        let people = crate::statistics::number(run.times.count);
        figures.push(p50);
        figures.push(p99);
        figures.push(Figure::of("the same, HTTP requests each, challenges included", "", &[requests / people]));
        figures.push(
            Figure::of("the same, Kubernetes writes each, its event included", "", &[run.writes_per_invitation])
                .goal(6.0),
        );
    }
    figures
}

/// The writes of one invitation in their order over one connection: object, claim, claim, status.
fn alone(rates: &[Rates]) -> Option<f64> {
    let one = rates.iter().find(|rates| rates.connections == 1)?;
    Some(2000.0 / one.creates_per_s + 2000.0 / one.status_patches_per_s)
}

/// Under the throttle, and beside a flood.
pub(crate) fn sharing(results: &Results) -> Vec<Figure> {
    let mut figures = Vec::new();
    for run in &results.throttle {
        let scaled = if run.factor == 1 { String::new() } else { format!(", all times divided by {}", run.factor) };
        let (delivered, throttled) = (run.delivery.undelivered, run.calls.throttled);
        figures.push(
            Figure::of(
                format!("{} new under {} a minute{scaled}: from the first to the last", run.people, run.per_minute),
                "s",
                &[run.took_s],
            )
            .limit(Some(run.allowed_s)),
        );
        figures.push(Figure::of("the same, later than the throttle allows", "%", &[run.late * 100.0]).goal(5.0));
        figures.push(Figure::of("the same, not delivered", "", &[crate::statistics::number(delivered)]).goal(0.0));
        figures.push(
            Figure::of(
                "the same, answers of the throttle",
                "",
                &[f64::from(u32::try_from(throttled).unwrap_or(u32::MAX))],
            )
            .goal(0.0),
        );
    }
    for run in &results.fairness {
        figures.push(Figure::of(
            format!("honest namespace alone, p99 of {}", run.alone.count),
            "ms",
            &[run.alone.p99_ms],
        ));
        figures.push(
            Figure::of(
                format!("beside {} objects of another one, p99 of {}", run.flood, run.beside.count),
                "ms",
                &[run.beside.p99_ms],
            )
            .goal(2.0 * run.alone.p99_ms),
        );
        figures.push(Figure::of("the same, p50", "ms", &[run.beside.p50_ms]));
        figures.push(Figure::of(
            format!(
                "those of them while the objects were created, {:.0} s: p99 of {}",
                run.applied_s, run.while_applied.count
            ),
            "ms",
            &[run.while_applied.p99_ms],
        ));
        figures.push(Figure::of(
            format!("those after that: p99 of {}", run.afterwards.count),
            "ms",
            &[run.afterwards.p99_ms],
        ));
        figures.push(Figure::of("until the flood was over", "s", &[run.flood_s]));
    }
    figures
}

/// In process.
pub(crate) fn core(results: &Results) -> Vec<Figure> {
    let Some(core) = &results.core else { return Vec::new() };
    let figure = |(name, estimate): (&String, &crate::core::Estimate)| {
        let values = [estimate.from_ns / 1000.0, estimate.median_ns / 1000.0, estimate.to_ns / 1000.0];
        let figure = Figure::of(name.replace('_', " "), "µs", &values);
        // 20,000 a second.
        if name.starts_with("noop") { figure.goal(50.0) } else { figure }
    };
    core.times.iter().map(figure).collect()
}

/// What the API server takes raw.
pub(crate) fn raw(results: &Results) -> Vec<Figure> {
    let all: Vec<_> = results
        .scale
        .iter()
        .flat_map(|run| &run.rates)
        .chain(results.latency.iter().flat_map(|run| &run.rates))
        .collect();
    let mut figures = Vec::new();
    for connections in [1, 8, 32] {
        let of = |rate: fn(&limits::Rates) -> f64| -> Vec<_> {
            all.iter().filter(|rates| rates.connections == connections).map(|rates| rate(rates)).collect()
        };
        figures.push(Figure::of(
            format!("creations of an object, {connections} connections"),
            "/s",
            &of(|rates| rates.creates_per_s),
        ));
        figures.push(Figure::of(
            format!("merge patches of its status, {connections} connections"),
            "/s",
            &of(|rates| rates.status_patches_per_s),
        ));
    }
    let syncs: Vec<_> = results.settings.values().map(|setting| setting.disk.p50_ms).collect();
    figures.push(Figure::of("fdatasync of 4 kB on the disk, p50", "ms", &syncs));
    let syncs: Vec<_> = results.settings.values().map(|setting| setting.disk.p99_ms).collect();
    figures.push(Figure::of("the same, p99", "ms", &syncs));
    figures
}
