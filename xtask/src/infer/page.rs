//! The report of an inference: tables on the terminal, figures and tables on a page.

use super::{Findings, InferConfig, InferError, Results, calibration, chip, cost};
use crate::data::DataSummary;
use crate::report::Report;
use crate::table::print_table;
use crate::timeline::{TIME_CAPTION, Timeline, percent, spoken};

const MATRIX_HEADERS: [&str; 5] =
    ["matrix", "error, first time", "signal to noise", "error, last time", "signal to noise"];
const SENSITIVITY_HEADERS: [&str; 2] = ["matrix on devices", "accuracy, last time"];

fn matrix_rows(found: &Findings) -> Vec<Vec<String>> {
    let pairs = found.matrix_errors[0].iter().zip(&found.matrix_errors[1]);
    let error = |e: &aimc_infer::MatrixError| format!("{:.2} %", 100.0 * e.relative);
    let ratio = |e: &aimc_infer::MatrixError| format!("{:.1} dB", e.signal_to_noise_db());
    pairs.map(|(a, b)| vec![a.name.clone(), error(a), ratio(a), error(b), ratio(b)]).collect()
}

fn sensitivity_rows(found: &Findings) -> Vec<Vec<String>> {
    found.sensitivity.iter().map(|s| vec![s.name.clone(), percent(&s.summary)]).collect()
}

/// What came out, for the terminal.
pub(crate) fn print_tables(found: &Findings) {
    println!("\nFloating point: {:.2} %. On devices:\n", 100.0 * found.timeline.floating_point);
    print_table(&found.timeline.headers(), &found.timeline.rows());
    println!("\n{}", found.timeline.conditions());
    println!();
    print_table(&MATRIX_HEADERS, &matrix_rows(found));
    chip::print(found);
    if !found.sensitivity.is_empty() {
        println!();
        print_table(&SENSITIVITY_HEADERS, &sensitivity_rows(found));
    }
    if let Some(found) = &found.calibration {
        println!();
        print_table(&calibration::HEADERS, &calibration::rows(found));
    }
    println!("\nOne sample on published chips, estimated:\n");
    print_table(&cost::HEADERS, &cost::rows(&found.cost));
}

/// What the page is about.
fn subtitle(model: &str, data: &DataSummary, config: &InferConfig) -> String {
    format!("{model} · {} · {} test samples · seed {}", data.name, data.test_samples, config.seed)
}

/// The figures of accuracy over time.
fn over_time(report: &mut Report, timeline: &Timeline, config: &InferConfig) -> Result<(), InferError> {
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
fn again(report: &mut Report, program: &str, config: &InferConfig) -> Result<(), InferError> {
    report.section("How to get these numbers again");
    report.paragraph(&format!(
        "Program: {program}. All draws follow from the seed {}; the number of threads does not matter. Every number of this \
         page stands in results.json beside it, accuracy over time also in accuracy.csv.",
        config.seed
    ));
    report.details("Complete configuration", &serde_json::to_string_pretty(config)?);
    Ok(())
}

/// What is known of matrices and arrays.
fn layer_by_layer(report: &mut Report, found: &Findings) {
    report.section("Layer by layer");
    report.table(
        &MATRIX_HEADERS,
        &matrix_rows(found),
        "Relative error of the products of each matrix, on the inputs of the exact network: one programmed copy, with drift \
         compensation as configured.",
    );
    if !found.sensitivity.is_empty() {
        report.table(
            &SENSITIVITY_HEADERS,
            &sensitivity_rows(found),
            "Accuracy with one matrix on devices and all others exact: mean ± 95 % interval over programming events.",
        );
    }
    chip::section(report, found);
}

/// The whole page; `network` adds what is known of the network itself.
pub(crate) fn render<N>(
    results: &Results<N>,
    network: impl FnOnce(&mut Report, &N),
) -> Result<String, InferError> {
    let (config, found) = (&results.config, &results.findings);
    let mut report =
        Report::new("Inference in analog memory", subtitle(&results.model, &results.data, config));
    over_time(&mut report, &found.timeline, config)?;
    cost::section(&mut report, &found.cost);
    if let Some(found) = &found.calibration {
        calibration::section(&mut report, found);
    }
    layer_by_layer(&mut report, found);
    network(&mut report, &results.network);
    again(&mut report, results.program, config)?;
    Ok(report.render())
}
