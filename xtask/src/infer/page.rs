//! The report of an inference: tables on the terminal, figures and tables on a page.

use aimc_infer::{Calibration, Estimate};

use super::{InferConfig, InferError, Results, calibration, chip, cost};
use crate::data::DataSummary;
use crate::report::Report;
use crate::table::print_table;
use crate::timeline::{TIME_CAPTION, Timeline, percent, spoken};

const MATRIX_HEADERS: [&str; 5] =
    ["matrix", "error, first time", "signal to noise", "error, last time", "signal to noise"];
const SENSITIVITY_HEADERS: [&str; 2] = ["matrix on devices", "accuracy, last time"];

fn matrix_rows(results: &Results) -> Vec<Vec<String>> {
    let pairs = results.matrix_errors[0].iter().zip(&results.matrix_errors[1]);
    let error = |e: &aimc_infer::MatrixError| format!("{:.2} %", 100.0 * e.relative);
    let ratio = |e: &aimc_infer::MatrixError| format!("{:.1} dB", e.signal_to_noise_db());
    pairs.map(|(a, b)| vec![a.name.clone(), error(a), ratio(a), error(b), ratio(b)]).collect()
}

fn sensitivity_rows(results: &Results) -> Vec<Vec<String>> {
    results.sensitivity.iter().map(|s| vec![s.name.clone(), percent(&s.summary)]).collect()
}

/// What came out, for the terminal.
pub(crate) fn print_tables(results: &Results) {
    println!("\nFloating point: {:.2} %. On devices:\n", 100.0 * results.timeline.floating_point);
    print_table(&results.timeline.headers(), &results.timeline.rows());
    println!("\n{}", results.timeline.conditions());
    println!();
    print_table(&MATRIX_HEADERS, &matrix_rows(results));
    chip::print(results);
    if !results.sensitivity.is_empty() {
        println!();
        print_table(&SENSITIVITY_HEADERS, &sensitivity_rows(results));
    }
    print_chip(results.calibration.as_ref(), &results.cost);
}

/// Calibration and cost, for the terminal.
pub(crate) fn print_chip(found: Option<&Calibration>, estimates: &[Estimate]) {
    if let Some(found) = found {
        println!();
        print_table(&calibration::HEADERS, &calibration::rows(found));
    }
    println!("\nOne sample on published chips, estimated:\n");
    print_table(&cost::HEADERS, &cost::rows(estimates));
}

/// What the page is about.
pub(super) fn subtitle(model: &str, data: &DataSummary, config: &InferConfig) -> String {
    format!("{model} · {} · {} test samples · seed {}", data.name, data.test_samples, config.seed)
}

/// The figures of accuracy over time.
pub(super) fn over_time(
    report: &mut Report,
    timeline: &Timeline,
    config: &InferConfig,
) -> Result<(), InferError> {
    let last = |over: &aimc_infer::AccuracyOverTime| {
        over.times.last().map(|at| percent(&at.summary)).unwrap_or_default()
    };
    let end = timeline.compensated.times.last().map_or(String::new(), |at| spoken(at.time_seconds));
    let floating_point = format!("{:.2} %", 100.0 * timeline.floating_point);
    report.highlights(&[
        ("floating point", floating_point.as_str()),
        (&format!("after {end}, compensated"), &last(&timeline.compensated)),
        (&format!("after {end}, uncompensated"), &last(&timeline.uncompensated)),
    ]);
    report.section("Accuracy over time");
    report.paragraph(&format!(
        "The network is programmed {} times into fresh devices and read at every time. Both conditions use the same devices \
         and the same reads.",
        config.evaluation.repeats
    ));
    report.figure(
        &timeline.chart().render()?,
        "Mean over programming events; band: 95 % interval of the mean (Student's t).",
    );
    let caption = format!("{TIME_CAPTION} {}", timeline.conditions());
    report.table(&timeline.headers(), &timeline.rows(), &caption);
    Ok(())
}

/// How to get the numbers again.
pub(super) fn again(report: &mut Report, program: &str, config: &InferConfig) -> Result<(), InferError> {
    report.section("How to get these numbers again");
    report.paragraph(&format!(
        "Program: {program}. All draws follow from the seed {}; the number of threads does not matter. Every number of this \
         page stands in results.json beside it, accuracy over time also in accuracy.csv.",
        config.seed
    ));
    report.details("Complete configuration", &serde_json::to_string_pretty(config)?);
    Ok(())
}

/// The whole page.
pub(crate) fn render(results: &Results) -> Result<String, InferError> {
    let subtitle = subtitle(&results.model, &results.data, &results.config);
    let mut report = Report::new("Inference in analog memory", subtitle);
    over_time(&mut report, &results.timeline, &results.config)?;
    cost::section(&mut report, &results.cost);
    if let Some(found) = &results.calibration {
        calibration::section(&mut report, found);
    }
    report.section("Layer by layer");
    report.table(
        &MATRIX_HEADERS,
        &matrix_rows(results),
        "Relative error of the products of each matrix, on the inputs of the exact network: one programmed copy, with drift \
         compensation as configured.",
    );
    if !results.sensitivity.is_empty() {
        report.table(
            &SENSITIVITY_HEADERS,
            &sensitivity_rows(results),
            "Accuracy with one matrix on devices and all others exact: mean ± 95 % interval over programming events.",
        );
    }
    chip::section(&mut report, results);
    report.details("Tiles and costs", &results.summary.to_string());
    again(&mut report, &results.program, &results.config)?;
    Ok(report.render())
}
