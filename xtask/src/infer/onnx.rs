//! An ONNX graph on the chip: accuracy over time, and where its nodes are computed.

use std::time::Instant;

use aimc_device::rng::label;
use aimc_device::{ConfigError, RngKey};
use aimc_infer::onnx::{Computed, Coverage, OnnxClassifier};
use aimc_infer::{Calibration, Estimate};
use serde::Serialize;

use super::{InferArguments, InferConfig, InferError, calibration, cost, csv, page};
use crate::data::DataSummary;
use crate::files::{Outputs, check_folder};
use crate::report::{PROGRAM, Report};
use crate::table::print_table;
use crate::timeline::{self, Timeline};

/// Every number, with all that made them.
#[derive(Debug, Serialize)]
struct Results<'a> {
    program: &'a str,
    model: String,
    data: DataSummary,
    config: &'a InferConfig,
    /// A node in a line: name, operation, where it is computed.
    nodes: Vec<Vec<String>>,
    /// Energy, latency and area of a sample on each chip.
    cost: Vec<Estimate>,
    /// Ranges of the converters from data.
    calibration: Option<Calibration>,
    timeline: Timeline,
}

const HEADERS: [&str; 3] = ["node", "operation", "computed"];

/// Evaluates and writes the report.
pub(super) fn run(arguments: &InferArguments, config: &InferConfig, bytes: &[u8]) -> Result<(), InferError> {
    let start = Instant::now();
    refuse(config)?;
    let data = config.data.load()?;
    check_folder(&arguments.out)?;
    println!("{}: {} test samples; seed {}", data.name, data.test.len(), config.seed);
    let sample = if config.input.is_empty() { &data.shape } else { &config.input };
    let graph = OnnxClassifier::new(bytes, config.evaluation.batch_size, sample)?;
    let coverage = graph.coverage()?;
    println!("\n{coverage}\n");
    let key = RngKey::root(config.seed).fold_in(label("inference"));
    let cost = graph.costs(&config.tile, &config.cost)?;
    let calibrate = |plan| graph.calibrate(&config.tile, &data.train, plan, calibration::key(key));
    let calibration = config.calibration.as_ref().map(calibrate).transpose()?;
    let graph = match &calibration {
        Some(found) => graph.with_settings(found.settings())?,
        None => graph,
    };
    let exact = graph.digital_accuracy(&data.test)?;
    let (plan, bar) = (&config.evaluation, timeline::bar(&config.evaluation));
    let timeline = Timeline::measure(&graph, &config.tile, plan, exact, &data.test, key, &bar)?;
    let (model, nodes) = (arguments.model.display().to_string(), rows(&coverage));
    let results =
        Results { program: PROGRAM, model, data: data.summary(), config, nodes, cost, calibration, timeline };
    println!("\nFloating point: {:.2} %. On devices:\n", 100.0 * exact);
    print_table(&results.timeline.headers(), &results.timeline.rows());
    println!("\n{}", results.timeline.conditions());
    page::print_chip(results.calibration.as_ref(), &results.cost);
    let mut outputs = Outputs::new();
    outputs.add("report.html", render(&results)?);
    outputs.add("results.json", serde_json::to_string_pretty(&results)? + "\n");
    outputs.add("accuracy.csv", csv(&results.timeline));
    outputs.add("cost.csv", cost::csv(&results.cost));
    outputs.finish(&arguments.out, start)?;
    Ok(())
}

/// Refuses what needs a network of our own layers.
fn refuse(config: &InferConfig) -> Result<(), ConfigError> {
    let needless = "must be left out: it needs a network of this program's layers, not an ONNX graph";
    let given = [
        ("network", config.network.is_some()),
        ("weight_programming", config.weight_programming.is_some()),
        ("sensitivity_repeats", config.sensitivity_repeats > 0),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        Some((field, _)) => Err(ConfigError::new(field, "", needless)),
        None => Ok(()),
    }
}

fn rows(coverage: &Coverage) -> Vec<Vec<String>> {
    let place = |computed: &Computed| match computed {
        Computed::Analog { matrices, products } => {
            let sizes: Vec<_> =
                matrices.iter().map(|shape| format!("{} x {}", shape.outputs, shape.inputs)).collect();
            format!("on tiles: {}; {products} products in a batch", sizes.join(", "))
        }
        Computed::Digital(reason) => format!("digital: {reason}"),
        Computed::Unsupported(reason) => format!("unsupported: {reason}"),
    };
    let nodes = coverage.nodes.iter();
    nodes.map(|node| vec![node.name.clone(), node.operator.clone(), place(&node.computed)]).collect()
}

fn render(results: &Results<'_>) -> Result<String, InferError> {
    let mut report = Report::new(
        "Inference in analog memory",
        page::subtitle(&results.model, &results.data, results.config),
    );
    page::over_time(&mut report, &results.timeline, results.config)?;
    if let Some(found) = &results.calibration {
        calibration::section(&mut report, found);
    }
    cost::section(&mut report, &results.cost);
    report.section("Node by node");
    report.table(&HEADERS, &results.nodes, "Where the graph is computed, and why.");
    page::again(&mut report, results.program, results.config)?;
    Ok(report.render())
}
