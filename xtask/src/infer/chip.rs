//! What programming has reached on every array, and what drift compensation costs.

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_infer::programming::weight_programming::FoundConverter;
use aimc_infer::{
    CompensationReads, InferenceError, InferenceTileConfig, ProgrammedMatrix, ProgrammingReport,
};
use nalgebra::DMatrix;
use serde::Serialize;

use super::{Findings, InferConfig};
use crate::report::Report;
use crate::table::print_table;
use crate::timeline::spoken;

/// One array of devices.
#[derive(Debug, Serialize)]
pub(crate) struct ArrayReport {
    /// Matrix to which it belongs.
    matrix: String,
    /// Its number there: tile by tile, the most significant slice of each first.
    array: usize,
    /// Outputs and inputs.
    shape: (usize, usize),
    /// What programming has reached and cost.
    programming: ProgrammingReport,
    /// Products that drift compensation costs until the last time of the evaluation.
    compensation: CompensationReads,
}

/// All arrays of programmed matrices; `until`: last time (s).
pub(crate) fn arrays<'a>(
    matrices: impl Iterator<Item = (String, &'a ProgrammedMatrix)>,
    until: f32,
) -> Vec<ArrayReport> {
    let mut arrays = Vec::new();
    for (name, matrix) in matrices {
        arrays.extend(matrix.tiles().enumerate().map(|(array, tile)| ArrayReport {
            matrix: name.clone(),
            array,
            shape: (tile.shape().outputs, tile.shape().inputs),
            programming: *tile.report(),
            compensation: tile.compensation_reads(until),
        }));
    }
    arrays
}

/// The tiles, with the converter that weight programming finds for `matrices`, if it is asked for.
pub(crate) fn tile(
    config: &InferConfig,
    matrices: impl Iterator<Item = DMatrix<f32>>,
    key: RngKey,
) -> Result<(InferenceTileConfig, Option<FoundConverter>), InferenceError> {
    let mut tile = config.tile.clone();
    let Some(wanted) = &config.weight_programming else { return Ok((tile, None)) };
    let normed = |weights: DMatrix<f32>| {
        let unit = weights.amax().max(f32::MIN_POSITIVE);
        weights.iter().map(|w| w / unit).collect::<Vec<_>>()
    };
    let weights: Vec<f32> = matrices.flat_map(normed).collect();
    let found = wanted.find(&weights, &tile, key.fold_in(label("weight programming")))?;
    tile.converter = found.converter.clone();
    Ok((tile, Some(found)))
}

const PROGRAMMING_HEADERS: [&str; 10] = [
    "matrix",
    "array",
    "devices",
    "rms error (µS)",
    "max error (µS)",
    "rms weight error",
    "within band",
    "pulses/device",
    "reads/device",
    "products",
];
const COMPENSATION_HEADERS: [&str; 6] =
    ["matrix", "array", "products for the baseline", "per readout", "readouts", "products in all"];

fn programming_rows(arrays: &[ArrayReport]) -> Vec<Vec<String>> {
    let row = |array: &ArrayReport| {
        let programming = &array.programming;
        let per_device = |count: u64| format!("{:.1}", count as f64 / programming.devices as f64);
        let share = |share: f64| format!("{:.2} %", 100.0 * share);
        vec![
            array.matrix.clone(),
            array.array.to_string(),
            programming.devices.to_string(),
            format!("{:.3}", programming.conductance_error.rms),
            format!("{:.3}", programming.conductance_error.max),
            share(programming.weight_error.rms),
            programming.within_band.map_or("-".to_owned(), share),
            per_device(programming.effort.pulses),
            per_device(programming.effort.device_reads),
            programming.effort.products.to_string(),
        ]
    };
    arrays.iter().map(row).collect()
}

fn compensation_rows(arrays: &[ArrayReport]) -> Vec<Vec<String>> {
    let count = |n: Option<u64>, else_: &str| n.map_or(else_.to_owned(), |n| n.to_string());
    let row = |array: &ArrayReport| {
        let reads = &array.compensation;
        let readouts = count(reads.readouts, "one per evaluation");
        let (baseline, per_readout) = (reads.baseline.to_string(), reads.per_readout.to_string());
        vec![
            array.matrix.clone(),
            array.array.to_string(),
            baseline,
            per_readout,
            readouts,
            count(reads.total(), "-"),
        ]
    };
    arrays.iter().map(row).collect()
}

/// What weight programming found, in words.
fn found(found: &FoundConverter) -> String {
    let better = if found.improved { "is better than" } else { "does not beat" };
    format!(
        "Weight programming: the best of {} candidates {better} the configured converter on fresh devices (loss {:.4} in use, {:.4} \
         configured; mean squared error of the weights in units of a tenth of the largest).",
        found.evaluations, found.loss, found.baseline_loss
    )
}

/// Products of drift compensation of all arrays together, in words.
fn total(findings: &Findings) -> String {
    let sum = |count: &dyn Fn(&CompensationReads) -> u64| -> u64 {
        findings.arrays.iter().map(|array| count(&array.compensation)).sum()
    };
    let per_readout = sum(&|reads| reads.per_readout);
    let all: Option<u64> = findings.arrays.iter().map(|array| array.compensation.total()).sum();
    let times = &findings.timeline.compensated.times;
    let until = times.last().map_or(String::new(), |at| spoken(at.time_seconds));
    let all = all.map_or(String::new(), |all| format!(" and {all} until {until} after programming"));
    format!(
        "Drift compensation ({}) costs {} products right after programming, {per_readout} for each readout{all}, of all {} arrays \
         together.",
        findings.tile.compensation,
        sum(&|reads| reads.baseline),
        findings.arrays.len()
    )
}

/// For the terminal.
pub(crate) fn print(findings: &Findings) {
    println!();
    print_table(&PROGRAMMING_HEADERS, &programming_rows(&findings.arrays));
    println!("\n{}", total(findings));
    if let Some(converter) = &findings.converter {
        println!("{}", found(converter));
    }
}

/// For the page.
pub(crate) fn section(report: &mut Report, findings: &Findings) {
    report.section("Programming and calibration");
    if let Some(converter) = &findings.converter {
        report.paragraph(&found(converter));
    }
    report.table(
        &PROGRAMMING_HEADERS,
        &programming_rows(&findings.arrays),
        "One programmed copy of the network, right after programming: errors of conductances and of weights (in units of the \
         largest weight of the array), and what it has cost. One-shot noise laws do not tell their costs.",
    );
    report.paragraph(&total(findings));
    report.table(
        &COMPENSATION_HEADERS,
        &compensation_rows(&findings.arrays),
        "Costs of drift compensation in products of the array, until the last time of the evaluation.",
    );
}
