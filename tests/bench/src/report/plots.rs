//! Plots as SVG: time, calls and memory against the number of people, and memory over time.

use super::scale_figures::{each, of, sizes};
use crate::limits::least_seconds;
use crate::results::Results;
use crate::scale::ScaleRun;
use crate::statistics::{number, quantile};
use anyhow::{Result, anyhow};
use plotters::coord::ranged1d::ValueFormatter;
use plotters::prelude::*;
use std::path::Path;

/// A line and its points.
struct Series {
    name: &'static str,
    points: Vec<(f64, f64)>,
}

struct Plot {
    file: &'static str,
    title: &'static str,
    across: &'static str,
    up: &'static str,
    logarithmic: bool,
    series: Vec<Series>,
}

/// Draws what there are results for; returns file names with titles.
pub(crate) fn draw(results: &Results, folder: &Path) -> Result<Vec<(String, String)>> {
    let against = |name, value: &dyn Fn(&ScaleRun) -> Option<f64>| {
        let median = |people| quantile(&each(&of(results, people), value), 0.5).map(|median| (number(people), median));
        Series { name, points: sizes(results).into_iter().filter_map(median).collect() }
    };
    let mut plots = vec![
        Plot {
            file: "time.svg",
            title: "Time until everybody is invited (L = 50 ms)",
            across: "people",
            up: "seconds",
            logarithmic: true,
            series: vec![
                against("all invited", &|run| Some(run.invited.total_s)),
                against("p50 of one", &|run| Some(run.invited.times.p50_ms / 1000.0)),
                against("p99 of one", &|run| Some(run.invited.times.p99_ms / 1000.0)),
                against("raw writes", &|run| least_seconds(&run.rates, run.people)),
                against("restart: ready", &|run| Some(run.restart.start.ready_ms / 1000.0)),
            ],
        },
        Plot {
            file: "calls.svg",
            title: "Calls to MongoDB in an idle hour",
            across: "people",
            up: "calls",
            logarithmic: true,
            series: vec![
                against("all", &|run| {
                    run.idle.as_ref().map(|idle| idle.calls_per_pair_and_hour * number(run.projects))
                }),
                against("per inviter and project", &|run| run.idle.as_ref().map(|idle| idle.calls_per_pair_and_hour)),
                against("one GET each in 5 minutes", &|run| Some(12.0 * number(run.people))),
            ],
        },
        Plot {
            file: "memory.svg",
            title: "Resident memory",
            across: "people",
            up: "MB",
            logarithmic: true,
            series: vec![
                against("after inviting", &|run| Some(run.invited.usage.rss_mb)),
                against("most while inviting", &|run| Some(run.invited.usage.peak_mb)),
                against("after a restart", &|run| Some(run.restart.start.usage.rss_mb)),
                against("most in a restart", &|run| Some(run.restart.start.usage.peak_mb)),
            ],
        },
    ];
    if let Some(largest) = results.scale.iter().max_by_key(|run| run.people) {
        plots.push(over_time(largest));
    }
    let mut drawn = Vec::new();
    for plot in plots {
        if plot.series.iter().any(|series| series.points.len() > 1) {
            plot.draw(folder).map_err(|problem| anyhow!("{} cannot be drawn: {problem}", plot.file))?;
            drawn.push((plot.file.to_owned(), plot.title.to_owned()));
        }
    }
    Ok(drawn)
}

fn over_time(run: &ScaleRun) -> Plot {
    let moments = &run.invited.moments;
    let share = moments.windows(5).filter_map(|window| {
        let (first, last) = (window.first()?, window.last()?);
        Some((last.at_s, 100.0 * (last.cpu_s - first.cpu_s) / (last.at_s - first.at_s).max(0.001)))
    });
    Plot {
        file: "over-time.svg",
        title: "While the most people are invited",
        across: "seconds",
        up: "MB; % of a core",
        logarithmic: false,
        series: vec![
            Series { name: "resident memory, MB", points: moments.iter().map(|at| (at.at_s, at.rss_mb)).collect() },
            Series { name: "processor, %", points: share.collect() },
        ],
    }
}

const COLOURS: [RGBColor; 5] = [
    RGBColor(31, 119, 180),
    RGBColor(214, 39, 40),
    RGBColor(44, 160, 44),
    RGBColor(120, 120, 120),
    RGBColor(148, 103, 189),
];

impl Plot {
    fn draw(&self, folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
        let path = folder.join(self.file);
        let area = SVGBackend::new(&path, (860, 460)).into_drawing_area();
        area.fill(&WHITE)?;
        let all = || self.series.iter().flat_map(|series| series.points.iter().copied());
        let least =
            |value: fn((f64, f64)) -> f64| all().map(value).filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
        let most = |value: fn((f64, f64)) -> f64| all().map(value).fold(0.0, f64::max);
        let (x, y) = (|point: (f64, f64)| point.0, |point: (f64, f64)| point.1);
        let mut chart = ChartBuilder::on(&area);
        chart.caption(self.title, ("sans-serif", 20)).margin(12).x_label_area_size(42).y_label_area_size(64);
        if self.logarithmic {
            let across = (least(x) * 0.8..most(x) * 1.25).log_scale();
            let up = (least(y) * 0.6..most(y) * 2.0).log_scale();
            self.fill(&mut chart.build_cartesian_2d(across, up)?)?;
        } else {
            self.fill(&mut chart.build_cartesian_2d(0.0..most(x) * 1.02, 0.0..most(y) * 1.15)?)?;
        }
        area.present()?;
        Ok(())
    }

    fn fill<'a, X, Y>(
        &self,
        chart: &mut ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, Y>>,
    ) -> Result<(), Box<dyn std::error::Error>>
    where
        X: Ranged<ValueType = f64> + ValueFormatter<f64> + 'a,
        Y: Ranged<ValueType = f64> + ValueFormatter<f64> + 'a,
    {
        chart
            .configure_mesh()
            .x_desc(self.across)
            .y_desc(self.up)
            .x_label_formatter(&|value| super::figures::short(*value))
            .y_label_formatter(&|value| super::figures::short(*value))
            .light_line_style(WHITE)
            .draw()?;
        for (series, colour) in self.series.iter().zip(COLOURS) {
            let points: Vec<_> =
                series.points.iter().copied().filter(|point| point.1 > 0.0 || !self.logarithmic).collect();
            chart
                .draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?
                .label(series.name)
                .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], colour.stroke_width(2)));
            if self.logarithmic {
                chart.draw_series(points.iter().map(|point| Circle::new(*point, 3, colour.filled())))?;
            }
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .draw()?;
        Ok(())
    }
}
