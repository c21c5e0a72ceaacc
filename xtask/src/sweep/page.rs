//! The page of a sweep.

use aimc_infer::Summary;

use super::Results;
use super::config::Goal;
use super::points::{describe, spoken};
use super::table::PointResult;
use crate::plot::{Axis, LineChart, Series, SeriesStyle};
use crate::report::{PROGRAM, Report};

/// More lines than this in one chart cannot be told apart.
const MOST_SERIES: usize = 7;
/// From this ratio of the largest to the smallest on, an axis is logarithmic.
const LOG_FROM: f64 = 20.0;

/// The page.
pub(super) fn render(results: &Results) -> Result<String, super::SweepError> {
    let (config, points) = (&results.config, &results.points);
    let runs = points.len() as u64 * config.seeds;
    let subtitle = format!("{} points, {runs} runs of cargo xtask {}", points.len(), config.command);
    let mut report = Report::new("Sweep", subtitle);
    let best = best(results);
    let best: Vec<(&str, &str)> = best.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    report.highlights(&best);
    let headers = headers(results);
    if points.iter().any(|point| point.on_front) {
        let caption = "Points that no other beats: none is at least as good in every goal and better in one. Means over runs ± half of their 95 % interval.";
        report.section("Pareto front");
        if let Some(chart) = front_chart(results) {
            report.figure(&chart.render()?, "Means over the runs of every point.");
        }
        report.table(&headers, &rows(results, |point| point.on_front), caption);
    }
    report.section("Axis by axis");
    for chart in axis_charts(results) {
        report.figure(
            &chart.render()?,
            "Means over the runs of every point, with 95 % intervals where there are several.",
        );
    }
    report.section("All points");
    report.table(&headers, &rows(results, |_| true), "Means over runs ± half of their 95 % interval.");
    report.section("How to get this again");
    report.paragraph(&format!("{PROGRAM}, cargo xtask sweep FILE with this file:"));
    report.details("Sweep", &serde_json::to_string_pretty(config)?);
    report.details("Base", &serde_json::to_string_pretty(&results.base)?);
    Ok(report.render())
}

/// Columns of [`rows`].
pub(super) fn headers(results: &Results) -> Vec<String> {
    let axes = results.config.axis.iter().map(|axis| axis.field.clone());
    let columns = results.config.column.iter().map(|column| column.name.clone());
    std::iter::once("point".to_owned()).chain(axes).chain(columns).collect()
}

/// Rows of the points that `keep` keeps.
pub(super) fn rows(results: &Results, keep: fn(&PointResult) -> bool) -> Vec<Vec<String>> {
    let kept = results.points.iter().enumerate().filter(|(_, point)| keep(point));
    let row = |(i, point): (usize, &PointResult)| {
        let coordinates = point.coordinates.iter().map(spoken);
        let means = point.summaries.iter().map(with_interval);
        std::iter::once((i + 1).to_string()).chain(coordinates).chain(means).collect()
    };
    kept.map(row).collect()
}

fn with_interval(summary: &Summary) -> String {
    match summary.confidence_95 {
        Some([low, _]) => format!("{:.4} ± {:.4}", summary.mean, summary.mean - low),
        None => format!("{:.4}", summary.mean),
    }
}

/// For every goal its name and the best mean with its point.
fn best(results: &Results) -> Vec<(String, String)> {
    let goals = results.config.goals().into_iter();
    let best = goals.filter_map(|(column, goal)| {
        let mean = |point: &PointResult| point.summaries[column].mean;
        let better = |a: &&PointResult, b: &&PointResult| match goal {
            Goal::Maximise => mean(b).total_cmp(&mean(a)),
            Goal::Minimise => mean(a).total_cmp(&mean(b)),
        };
        let point = results.points.iter().filter(|point| !mean(point).is_nan()).min_by(better)?;
        let value = format!("{:.4} at {}", mean(point), describe(&results.config.axis, &point.coordinates));
        Some((format!("best {}", results.config.column[column].name), value))
    });
    best.collect()
}

/// The first two goals against each other.
fn front_chart(results: &Results) -> Option<LineChart> {
    let goals = results.config.goals();
    let [(a, _), (b, _), ..] = goals[..] else { return None };
    let at = |point: &PointResult| (point.summaries[a].mean, point.summaries[b].mean);
    let is_number = |point: &(f64, f64)| point.0.is_finite() && point.1.is_finite();
    let all: Vec<(f64, f64)> = results.points.iter().map(at).filter(is_number).collect();
    let mut front: Vec<(f64, f64)> =
        results.points.iter().filter(|point| point.on_front).map(at).filter(is_number).collect();
    front.sort_by(|p, q| p.0.total_cmp(&q.0));
    if front.is_empty() {
        return None;
    }
    let axis = |column: usize, values: Vec<f64>| axis(&results.config.column[column].name, &values);
    let (x, y) = (axis(a, all.iter().map(|p| p.0).collect()), axis(b, all.iter().map(|p| p.1).collect()));
    let mut chart = LineChart::new("Pareto front", x, y);
    chart.series.push(Series::new("Pareto front", front, SeriesStyle::Solid));
    chart.series.push(Series::new("all points", all, SeriesStyle::Markers));
    Some(chart)
}

/// Linear, or logarithmic where the values ask for it.
fn axis(label: &str, values: &[f64]) -> Axis {
    let (low, high) = values.iter().fold((f64::INFINITY, 0.0_f64), |(l, h), &v| (l.min(v), h.max(v)));
    if low > 0.0 && high >= LOG_FROM * low { Axis::log10(label, "") } else { Axis::linear(label, "") }
}

/// Every column against every axis of numbers.
fn axis_charts(results: &Results) -> Vec<LineChart> {
    let axes = 0..results.config.axis.len();
    let numeric = axes.filter(|&i| {
        let values: Option<Vec<f64>> = results.points.iter().map(|p| p.coordinates[i].as_f64()).collect();
        values.is_some_and(|values| values.iter().any(|v| *v != values[0]))
    });
    let pairs = numeric.flat_map(|i| (0..results.config.column.len()).map(move |column| (i, column)));
    pairs.filter_map(|(i, column)| axis_chart(results, i, column)).collect()
}

/// A column against an axis: a line for every combination of the other axes, or markers alone where these are too many.
fn axis_chart(results: &Results, along: usize, column: usize) -> Option<LineChart> {
    let axes = &results.config.axis;
    let others = |point: &PointResult| {
        let pairs = point.coordinates.iter().enumerate().filter(|(i, _)| *i != along);
        let words: Vec<String> =
            pairs.map(|(i, value)| format!("{} = {}", last(&axes[i].field), spoken(value))).collect();
        words.join(", ")
    };
    let mut groups: Vec<(String, Vec<&PointResult>)> = Vec::new();
    for point in results.points.iter().filter(|point| point.summaries[column].mean.is_finite()) {
        let name = others(point);
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, points)) => points.push(point),
            None => groups.push((name, vec![point])),
        }
    }
    let mut style = SeriesStyle::Solid;
    if groups.len() > MOST_SERIES {
        let all = groups.into_iter().flat_map(|(_, points)| points).collect();
        groups = vec![(String::new(), all)];
        style = SeriesStyle::Markers;
    }
    let place = |point: &PointResult| point.coordinates[along].as_f64().unwrap_or(f64::NAN);
    let all = groups.iter().flat_map(|(_, points)| points.iter().copied());
    let xs: Vec<f64> = all.map(place).collect();
    if xs.is_empty() {
        return None;
    }
    let name = &results.config.column[column].name;
    let (x, y) = (axis(&axes[along].field, &xs), Axis::linear(name, ""));
    let mut chart = LineChart::new(format!("{name} against {}", axes[along].field), x, y);
    for (name, mut points) in groups {
        points.sort_by(|a, b| place(a).total_cmp(&place(b)));
        let (points, band) =
            points.into_iter().map(|point| with_band(place(point), &point.summaries[column])).unzip();
        let band = (results.config.seeds > 1).then_some(band);
        chart.series.push(Series { name, points, band, style });
    }
    Some(chart)
}

fn with_band(x: f64, summary: &Summary) -> ((f64, f64), (f64, f64)) {
    let [low, high] = summary.confidence_95.unwrap_or([summary.mean; 2]);
    ((x, summary.mean), (low, high))
}

/// The last part of a path.
fn last(field: &str) -> &str {
    field.rsplit('.').next().unwrap_or(field)
}
