//! What a sweep has found: a row for every run, and a row for every point with mean and interval over its runs.

use aimc_device::ConfigError;
use aimc_infer::Summary;
use serde::Serialize;
use serde_json::Value;

use super::config::SweepConfig;
use super::field_path::FieldPath;
use super::pareto;
use super::points::{Coordinates, spoken};
use crate::csv::Columns;

/// A point with its runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct PointResult {
    /// A value for every axis.
    pub(crate) coordinates: Coordinates,
    /// Seed of each run.
    pub(crate) seeds: Vec<u64>,
    /// For every column a value of each run; NaN where the results have null.
    pub(crate) values: Vec<Vec<f64>>,
    /// For every column, over the runs.
    pub(crate) summaries: Vec<Summary>,
    /// Whether no other point beats it.
    pub(crate) on_front: bool,
}

/// All points, in order. `results`: those of the runs, seed by seed of the first point, then of the next.
pub(crate) fn gather(
    config: &SweepConfig,
    points: Vec<Coordinates>,
    first_seed: u64,
    results: &[Value],
) -> Result<Vec<PointResult>, ConfigError> {
    let seeds: Vec<u64> = (0..config.seeds).map(|k| first_seed.wrapping_add(k)).collect();
    let point = |(coordinates, results): (Coordinates, &[Value])| {
        let column = |i: usize| results.iter().map(|results| number(config, i, results)).collect();
        let values = (0..config.column.len()).map(column).collect::<Result<Vec<Vec<f64>>, _>>()?;
        let summaries = values.iter().map(|values| Summary::of(values)).collect();
        Ok(PointResult { coordinates, seeds: seeds.clone(), values, summaries, on_front: false })
    };
    let runs = results.chunks(seeds.len());
    let mut found = points.into_iter().zip(runs).map(point).collect::<Result<Vec<_>, ConfigError>>()?;
    let mean = |column: usize| found.iter().map(|point| point.summaries[column].mean).collect();
    let goals: Vec<_> = config.goals().into_iter().map(|(column, goal)| (goal, mean(column))).collect();
    for (point, on_front) in found.iter_mut().zip(pareto::front(&goals)) {
        point.on_front = on_front;
    }
    Ok(found)
}

fn number(config: &SweepConfig, column: usize, results: &Value) -> Result<f64, ConfigError> {
    let path = &config.column[column].path;
    let refused = |requirement: String| ConfigError::new(format!("column[{column}].path"), path, requirement);
    match FieldPath::parse(path)?.get(results) {
        Some(Value::Null) => Ok(f64::NAN),
        Some(value) => {
            value.as_f64().ok_or_else(|| refused("must lead to a number of the results".to_owned()))
        }
        None => {
            let known = results.as_object().map(|table| table.keys().cloned().collect::<Vec<_>>());
            let known = known.unwrap_or_default().join(", ");
            Err(refused(format!("leads nowhere in the results, which have {known}")))
        }
    }
}

/// Coordinates as columns: numbers where all values of an axis are numbers.
fn add_coordinates(columns: &mut Columns, config: &SweepConfig, rows: &[&Coordinates]) {
    for (i, axis) in config.axis.iter().enumerate() {
        let numbers: Option<Vec<f64>> = rows.iter().map(|row| row[i].as_f64()).collect();
        match numbers {
            Some(numbers) => columns.add(axis.field.as_str(), numbers),
            None => columns.add_texts(axis.field.as_str(), rows.iter().map(|row| spoken(&row[i])).collect()),
        };
    }
}

/// A row for every run.
pub(crate) fn runs(config: &SweepConfig, points: &[PointResult]) -> Columns {
    let runs =
        || points.iter().enumerate().flat_map(|(i, point)| (0..point.seeds.len()).map(move |k| (i, k)));
    let mut columns = Columns::new();
    columns.add("point (number)", runs().map(|(i, _)| (i + 1) as f64));
    add_coordinates(&mut columns, config, &runs().map(|(i, _)| &points[i].coordinates).collect::<Vec<_>>());
    // As words: doubles do not hold every seed.
    columns.add_texts("seed", runs().map(|(i, k)| points[i].seeds[k].to_string()).collect());
    for (c, column) in config.column.iter().enumerate() {
        columns.add(column.name.as_str(), runs().map(|(i, k)| points[i].values[c][k]));
    }
    columns
}

/// A row for every point that `keep` keeps, with its number among all.
pub(crate) fn means(config: &SweepConfig, points: &[PointResult], keep: fn(&PointResult) -> bool) -> Columns {
    let kept = || points.iter().enumerate().filter(|(_, point)| keep(point));
    let mut columns = Columns::new();
    columns.add("point (number)", kept().map(|(i, _)| (i + 1) as f64));
    add_coordinates(&mut columns, config, &kept().map(|(_, point)| &point.coordinates).collect::<Vec<_>>());
    columns.add("runs (number)", kept().map(|(_, point)| point.seeds.len() as f64));
    for (c, column) in config.column.iter().enumerate() {
        let end = |side: usize| {
            kept().map(move |(_, p)| p.summaries[c].confidence_95.map_or(f64::NAN, |e| e[side]))
        };
        columns.add(format!("{}, mean", column.name), kept().map(|(_, p)| p.summaries[c].mean));
        let stds = kept().map(|(_, p)| p.summaries[c].std.unwrap_or(f64::NAN));
        columns.add(format!("{}, std", column.name), stds);
        columns.add(format!("{}, 95 % low", column.name), end(0));
        columns.add(format!("{}, 95 % high", column.name), end(1));
    }
    columns.add("on the Pareto front (1: yes)", kept().map(|(_, p)| f64::from(u8::from(p.on_front))));
    columns
}
