//! `cargo xtask infer`: a trained network on an inference chip, from the first second to years later.

mod calibration;
mod chip;
mod config;
mod cost;
#[cfg(feature = "onnx")]
mod onnx;
mod page;

use std::path::{Path, PathBuf};
use std::time::Instant;

use aimc_device::rng::label;
use aimc_device::{ConfigError, RngKey};
use aimc_infer::programming::weight_programming::FoundConverter;
use aimc_infer::{
    Calibration, Estimate, EvaluationError, InferenceError, InferenceTileConfig, MatrixError,
    NetworkSettings, Sensitivity, WithSettings, accuracy, calibrate, matrix_errors, network_at,
    program_network, sensitivity, with_settings,
};
use aimc_nn::import::{self, ImportError, Tensors};
use aimc_nn::{Network, NetworkConfig, Summary};
use aimc_tile::{IdealTile, ReadOut, SampleKeys};
use clap::Args;
use indicatif::ProgressBar;
use serde::Serialize;

use crate::config_file::ConfigFileError;
use crate::csv::Columns;
use crate::data::{DataError, DataSummary, Split};
use crate::files::{OutputError, Outputs, check_folder};
use crate::plot::PlotError;
use crate::report::{PROGRAM, Report};
use crate::timeline::{self, Timeline, TimelineError};
use crate::train::model::{self, ModelError};

pub(crate) use config::{InferConfig, decode};

/// Options of an inference.
#[derive(Clone, Debug, Args)]
pub(crate) struct InferArguments {
    /// Trained network: model.safetensors of `cargo xtask train`, a state dict of PyTorch in this format, or an ONNX graph
    /// (feature onnx).
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Configuration (.toml or .json): data, chip, times; see examples/.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Seed of all draws, instead of the one in the file.
    #[arg(long)]
    seed: Option<u64>,
    /// Folder for report and numbers.
    #[arg(long, value_name = "DIR", default_value = "out/infer")]
    out: PathBuf,
}

/// Why an inference stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InferError {
    #[error(transparent)]
    ConfigFile(#[from] ConfigFileError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error("{}: {source}", path.display())]
    Model { path: PathBuf, source: ModelError },
    #[error("{}: {source}", path.display())]
    Import { path: PathBuf, source: ImportError },
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{} does not describe its network; give it as [network] in the configuration", path.display())]
    Undescribed { path: PathBuf },
    #[cfg(not(feature = "onnx"))]
    #[error("ONNX graphs need the feature onnx: cargo run --release -p xtask --features onnx -- infer …")]
    WithoutOnnx,
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    #[error(transparent)]
    WeightProgramming(#[from] InferenceError),
    #[error(transparent)]
    Timeline(#[from] TimelineError),
    #[error(transparent)]
    Plot(#[from] PlotError),
    #[error("the numbers cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Every number, with all that made them. `N`: what is known of the network.
#[derive(Debug, Serialize)]
pub(crate) struct Results<N = Described> {
    /// Program and version.
    program: &'static str,
    /// File of the network.
    model: String,
    /// Name and sizes of the data.
    data: DataSummary,
    /// The resolved configuration.
    config: InferConfig,
    #[serde(flatten)]
    network: N,
    #[serde(flatten)]
    findings: Findings,
}

/// A network of layers.
#[derive(Debug, Serialize)]
pub(crate) struct Described {
    /// The network.
    network: NetworkConfig,
    /// Its tiles and costs.
    summary: Summary,
}

/// What was measured of the network on devices.
#[derive(Debug, Serialize)]
pub(crate) struct Findings {
    /// The tiles, with the converter in use.
    tile: InferenceTileConfig,
    /// Energy, latency and area of a sample on each chip.
    cost: Vec<Estimate>,
    /// Ranges of the converters from data.
    calibration: Option<Calibration>,
    /// Accuracy over time.
    timeline: Timeline,
    /// The converter that weight programming found, if it was asked for.
    converter: Option<FoundConverter>,
    /// The arrays of one programmed copy.
    arrays: Vec<chip::ArrayReport>,
    /// Errors of the products of each matrix of one programmed copy, compensated: at the first time and at the last.
    matrix_errors: [Vec<MatrixError>; 2],
    /// Accuracy with single matrices on devices, at the last time.
    sensitivity: Vec<Sensitivity>,
}

/// Evaluates and writes the report.
pub(crate) fn run(arguments: &InferArguments) -> Result<(), InferError> {
    let start = Instant::now();
    let config = config::load(arguments)?;
    if arguments.model.extension().is_some_and(|extension| extension == "onnx") {
        return run_graph(arguments, config);
    }
    let model = load_model(&arguments.model, &config)?;
    let has_ranges = model.2.values().flatten().any(|tile| tile.input_range.is_some());
    if has_ranges && !config.tile.periphery.input_range.enable {
        println!(
            "The model has learned input ranges, the chip has none: tile.periphery.input_range.enable = false."
        );
    }
    let prepared = prepare(&config, model)?;
    let data = config.data.load()?;
    check_folder(&arguments.out)?;
    println!("{}: {} test samples; seed {}", data.name, data.test.len(), config.seed);
    println!("\n{}\n", prepared.2);
    let bar = timeline::bar(&config.evaluation);
    let results = evaluate(&arguments.model, config, prepared, &data, &bar)?;
    results.write(arguments, start, |report, network| {
        report.details("Tiles and costs", &network.summary.to_string());
    })
}

impl<N: Serialize> Results<N> {
    /// Prints the tables and writes the files; `network` adds to the page what is known of the network.
    fn write(
        &self,
        arguments: &InferArguments,
        start: Instant,
        network: impl FnOnce(&mut Report, &N),
    ) -> Result<(), InferError> {
        page::print_tables(&self.findings);
        let mut outputs = Outputs::new();
        outputs.add("report.html", page::render(self, network)?);
        outputs.add("results.json", serde_json::to_string_pretty(self)? + "\n");
        outputs.add("accuracy.csv", csv(&self.findings.timeline));
        outputs.add("cost.csv", cost::csv(&self.findings.cost));
        outputs.finish(&arguments.out, start)?;
        Ok(())
    }
}

/// A description, its network as it goes onto the chip, its tiles and costs.
type Prepared = (NetworkConfig, Network<WithSettings<IdealTile>>, Summary);

fn prepare(config: &InferConfig, (description, network, learned): Model) -> Result<Prepared, InferError> {
    let summary = description.summary(&config.tile.periphery.mapping)?;
    Ok((description, with_settings(&network, &learned)?, summary))
}

/// Refuses a model that cannot be read or does not fit the configuration.
pub(crate) fn check_model(path: &Path, config: &InferConfig) -> Result<(), InferError> {
    prepare(config, load_model(path, config)?).map(drop)
}

/// Evaluates without a word.
pub(crate) fn infer_quietly(path: &Path, config: &InferConfig, data: &Split) -> Result<Results, InferError> {
    let prepared = prepare(config, load_model(path, config)?)?;
    evaluate(path, config.clone(), prepared, data, &ProgressBar::hidden())
}

#[cfg(feature = "onnx")]
fn run_graph(arguments: &InferArguments, config: InferConfig) -> Result<(), InferError> {
    onnx::run(arguments, config, &read(&arguments.model)?)
}

#[cfg(not(feature = "onnx"))]
fn run_graph(_arguments: &InferArguments, _config: InferConfig) -> Result<(), InferError> {
    Err(InferError::WithoutOnnx)
}

fn read(path: &Path) -> Result<Vec<u8>, InferError> {
    std::fs::read(path).map_err(|source| InferError::Unreadable { path: path.to_owned(), source })
}

/// A description, its network, and what circuits around its tiles have learned.
type Model = (NetworkConfig, Network<IdealTile>, NetworkSettings);

/// The network of a file, ours or PyTorch's.
fn load_model(path: &Path, config: &InferConfig) -> Result<Model, InferError> {
    let at = || path.to_owned();
    let bytes = read(path)?;
    let model = |source| InferError::Model { path: at(), source };
    if let Some((description, settings)) = model::description(&bytes).map_err(model)? {
        let network = model::decode(&bytes, &description).map_err(model)?;
        return Ok((description, network, settings));
    }
    let description = config.network.clone().ok_or_else(|| InferError::Undescribed { path: at() })?;
    let key = RngKey::root(0); // Digital memory draws nothing, and all first weights are replaced.
    let mut network = description.build(key, |place| IdealTile::new(place.shape))?;
    let foreign = |source| InferError::Import { path: at(), source };
    let tensors = Tensors::from_safetensors(&bytes).map_err(foreign)?;
    import::load(&mut network, &tensors, &config.names, key).map_err(foreign)?;
    Ok((description, network, NetworkSettings::new()))
}

fn evaluate(
    path: &Path,
    config: InferConfig,
    (description, network, summary): Prepared,
    data: &Split,
    bar: &ProgressBar,
) -> Result<Results, InferError> {
    let key = key(&config);
    let (tile, converter) = chip::tile(&config, network.tiles().map(|(_, tile)| tile.weights()), key)?;
    let plan = &config.evaluation;
    let cost = config.cost.iter().map(|chip| Estimate::of(&description, &tile, chip));
    let cost = cost.collect::<Result<Vec<_>, _>>()?;
    let calibrate = |plan| calibrate(&network, &tile, &data.train, plan, key.fold_in(label("calibration")));
    let calibration = config.calibration.as_ref().map(calibrate).transpose()?;
    let settings = calibration.as_ref().map(Calibration::settings).unwrap_or_default();
    let network = with_settings(&network, &settings)?;
    let exact = SampleKeys::new(key.fold_in(label("floating point")));
    let floating_point = accuracy(&network, &data.test, plan.batch_size, exact)?;
    let timeline = Timeline::measure(&network, &tile, plan, floating_point, &data.test, key, bar)?;
    let one = key.fold_in(label("matrix errors"));
    let programmed = program_network(&network, &tile, one.fold_in(label("program")))?;
    let (first, last) = ends(&config);
    let errors_at = |t| {
        let aged = network_at(&programmed, t, one.fold_in(label("read")))?;
        matrix_errors(&network, &aged, &data.test, SampleKeys::new(one.fold_in(label("forward"))))
    };
    let arrays = chip::arrays(programmed.tiles(), last);
    let matrix_errors = [errors_at(first)?, errors_at(last)?];
    let sensitivity = match config.sensitivity_repeats {
        0 => Vec::new(),
        repeats => sensitivity(&network, &tile, &data.test, (last, repeats), key)?,
    };
    let findings =
        Findings { tile, cost, calibration, timeline, converter, arrays, matrix_errors, sensitivity };
    let network = Described { network: description, summary };
    let model = path.display().to_string();
    Ok(Results { program: PROGRAM, model, data: data.summary(), config, network, findings })
}

/// Root of all draws.
fn key(config: &InferConfig) -> RngKey {
    RngKey::root(config.seed).fold_in(label("inference"))
}

/// The first time of the evaluation and the last (s).
fn ends(config: &InferConfig) -> (f32, f32) {
    let times = &config.evaluation.times_seconds;
    (times[0], times[times.len() - 1])
}

/// Accuracy over time, for other programs.
fn csv(timeline: &Timeline) -> String {
    let mut columns = Columns::new();
    let without = timeline.uncompensated.times.iter();
    columns.add("time (s)", without.clone().map(|at| f64::from(at.time_seconds)));
    columns.add("accuracy without compensation (share)", without.map(|at| at.summary.mean));
    columns.add(
        "accuracy with compensation (share)",
        timeline.compensated.times.iter().map(|at| at.summary.mean),
    );
    columns.render()
}

#[cfg(test)]
mod tests;
