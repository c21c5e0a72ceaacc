//! An ONNX graph on the chip: accuracy over time, and where its nodes are computed.

use std::time::Instant;

use aimc_device::ConfigError;
use aimc_device::error::require;
use aimc_device::rng::label;
use aimc_infer::Classifier;
use aimc_infer::onnx::{Computed, Coverage, OnnxClassifier};
use serde::Serialize;

use super::{Findings, InferArguments, InferConfig, InferError, Results, chip, ends};
use crate::data::Split;
use crate::files::check_folder;
use crate::report::PROGRAM;
use crate::timeline::{self, Timeline};

/// What is known of the graph: a line for every node with name, operation, where it is computed.
#[derive(Debug, Serialize)]
struct Nodes {
    nodes: Vec<Vec<String>>,
}

const HEADERS: [&str; 3] = ["node", "operation", "computed"];

/// Evaluates and writes the report.
pub(super) fn run(arguments: &InferArguments, config: InferConfig, bytes: &[u8]) -> Result<(), InferError> {
    let start = Instant::now();
    refuse(&config)?;
    let data = config.data.load()?;
    check_folder(&arguments.out)?;
    println!("{}: {} test samples; seed {}", data.name, data.test.len(), config.seed);
    let sample = if config.input.is_empty() { &data.shape } else { &config.input };
    let graph = OnnxClassifier::new(bytes, config.evaluation.batch_size, sample)?;
    let coverage = graph.coverage()?;
    println!("\n{coverage}\n");
    let findings = measure(&config, graph, &data)?;
    let (program, model) = (PROGRAM, arguments.model.display().to_string());
    let network = Nodes { nodes: rows(&coverage) };
    let results = Results { program, model, data: data.summary(), config, network, findings };
    results.write(arguments, start, |report, network| {
        report.section("Node by node");
        report.table(&HEADERS, &network.nodes, "Where the graph is computed, and why.");
    })
}

fn measure(config: &InferConfig, graph: OnnxClassifier, data: &Split) -> Result<Findings, InferError> {
    let (key, plan) = (super::key(config), &config.evaluation);
    let weights = graph.matrices()?.into_iter().map(|(_, weights)| weights);
    let (tile, converter) = chip::tile(config, weights, key)?;
    let cost = graph.costs(&tile, &config.cost)?;
    let calibrate = |plan| graph.calibrate(&tile, &data.train, plan, key.fold_in(label("calibration")));
    let calibration = config.calibration.as_ref().map(calibrate).transpose()?;
    let graph = match &calibration {
        Some(found) => graph.with_settings(found.settings())?,
        None => graph,
    };
    let exact = graph.digital_accuracy(&data.test)?;
    let timeline = Timeline::measure(&graph, &tile, plan, exact, &data.test, key, &timeline::bar(plan))?;
    let one = key.fold_in(label("matrix errors"));
    let programmed = graph.program(&tile, one.fold_in(label("program")))?;
    let (first, last) = ends(config);
    let errors_at = |t| graph.matrix_errors(&programmed, t, &data.test, one);
    let matrix_errors = [errors_at(first)?, errors_at(last)?];
    let names = matrix_errors[0].iter().map(|matrix| matrix.name.clone());
    let arrays = chip::arrays(names.zip(&programmed), last);
    let sensitivity = match config.sensitivity_repeats {
        0 => Vec::new(),
        repeats => graph.sensitivity(&tile, &data.test, (last, repeats), key)?,
    };
    Ok(Findings { tile, cost, calibration, timeline, converter, arrays, matrix_errors, sensitivity })
}

/// A graph describes itself.
fn refuse(config: &InferConfig) -> Result<(), ConfigError> {
    let needless = "must be left out: an ONNX graph describes its network";
    require::that(config.network.is_none(), "network", "", needless)
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
