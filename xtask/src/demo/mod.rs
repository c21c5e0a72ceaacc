//! `cargo xtask demo`: from the pulse response of a device to the accuracy of a chip after ten years.

mod config;
mod inference;
mod page;
mod training;

use std::path::PathBuf;
use std::time::Instant;

use aimc_device::rng::label;
use aimc_device::{ConfigError, RngKey};
use aimc_infer::EvaluationError;
use aimc_nn::NetworkConfig;
use aimc_tile::{TileConfig, UnitCell};

use aimc_train::TrainError;
use clap::Args;
use serde::Serialize;

use crate::config_file::ConfigFileError;
use crate::data::{self, DataArguments, DataError, DataSummary, Split};
use crate::device::pulse_response::{self, Response};
use crate::files::{OutputError, Outputs, check_folder};
use crate::interrupt::Interrupted;
use crate::plot::PlotError;
use crate::report::PROGRAM;
use crate::timeline::{Timeline, TimelineError};

pub(crate) use config::DemoConfig;

/// Options of the demo.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct DemoArguments {
    #[command(flatten)]
    data: DataArguments,
    /// Configuration (.toml or .json) that overrides parts of the default.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Seed of all draws.
    #[arg(long)]
    seed: Option<u64>,
    /// Preset of the good device or tile, e.g. Idealized.
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// Training epochs.
    #[arg(long)]
    epochs: Option<usize>,
    /// Folder for the report and the numbers.
    #[arg(long, value_name = "DIR", default_value = "out/demo")]
    out: PathBuf,
}

/// Why the demo stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    ConfigFile(#[from] ConfigFileError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error(transparent)]
    Training(#[from] TrainError),
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    #[error(transparent)]
    Timeline(#[from] TimelineError),
    #[error(transparent)]
    Plot(#[from] PlotError),
    #[error("the numbers cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Every number of the demo, with all that made them.
#[derive(Debug, Serialize)]
struct Results {
    /// Program and version.
    program: String,
    /// Name and sizes of the data.
    data: DataSummary,
    /// The resolved configuration, seed included.
    config: DemoConfig,
    /// The network.
    network: NetworkConfig,
    /// Pulse responses of the good and the asymmetric device.
    pulse_response: [Option<Response>; 2],
    /// Trainings on floating point, the good and the asymmetric device.
    training: Vec<training::Training>,
    /// Accuracy over time of the first floating-point network.
    inference: Timeline,
    /// Errors of the weights of one programmed copy of it.
    weight_errors: Vec<inference::WeightErrors>,
}

/// Runs the demo and writes its report.
pub(crate) fn run(arguments: &DemoArguments) -> Result<(), DemoError> {
    let start = Instant::now();
    let config = config::load(arguments)?;
    let data = data::load(&arguments.data.choice())?;
    check_folder(&arguments.out)?;
    let results = compute(config, &data)?;
    page::print_tables(&results);
    let mut outputs = Outputs::new();
    outputs.add("report.html", page::render(&results)?);
    outputs.add("results.json", serde_json::to_string_pretty(&results)? + "\n");
    outputs.finish(&arguments.out, start)?;
    Ok(())
}

fn compute(config: DemoConfig, data: &Split) -> Result<Results, DemoError> {
    let (inputs, outputs) = (data.train.feature_count(), data.train.classes());
    let sizes = config.network.sizes(inputs, outputs);
    let network = config.network.network(inputs, outputs);
    println!(
        "{}: {} training and {} test samples; network {sizes:?}, seed {}",
        data.name,
        data.train.len(),
        data.test.len(),
        config.seed
    );

    let key = RngKey::root(config.seed).fold_in(label("pulse response"));
    let respond = |tile| respond(tile, &config.pulse_response, key);
    let pulse_response = [respond(&config.devices.good)?, respond(&config.devices.asymmetric)?];
    println!("\nTraining {} networks on each kind of tile", config.comparison.repeats);
    let training = training::train(&config, &network, data)?;
    println!(
        "\nProgramming the first floating-point network into devices, {} times",
        config.inference.repeats
    );
    let first = &training[0];
    let accuracy = first.histories[0].last().map_or(f64::NAN, |metrics| metrics.test_accuracy);
    let inference = inference::run(&config, &first.networks[0], accuracy, data)?;
    Ok(Results {
        program: PROGRAM.to_owned(),
        data: data.summary(),
        network,
        pulse_response,
        weight_errors: inference::weight_errors(&config, &first.networks[0])?,
        inference,
        training,
        config,
    })
}

/// Pulses a population of the tile's devices; `None` for cells that are not one pulsed device each.
fn respond(
    tile: &TileConfig,
    plan: &config::PulseResponse,
    key: RngKey,
) -> Result<Option<Response>, ConfigError> {
    let UnitCell::Pulsed(device) = &tile.device else { return Ok(None) };
    pulse_response::measure(device, plan.devices, plan.pulses, key).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A demo that is over in a second.
    fn small() -> DemoConfig {
        let mut demo = config::load(&DemoArguments { epochs: Some(1), ..DemoArguments::default() }).unwrap();
        demo.comparison.repeats = 2;
        demo.inference.repeats = 2;
        demo.inference.times_seconds = vec![1.0, 1e6];
        demo.pulse_response = config::PulseResponse { devices: 20, pulses: 50 };
        demo
    }

    fn numbers(threads: usize) -> String {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let data = data::load(&data::DataChoice::Digits).unwrap();
        serde_json::to_string(&pool.install(|| compute(small(), &data)).unwrap()).unwrap()
    }

    #[test]
    fn the_numbers_do_not_depend_on_the_number_of_threads() {
        assert!(numbers(1) == numbers(2));
    }

    #[test]
    fn the_page_holds_every_section_and_no_outside_resource() {
        let data = data::load(&data::DataChoice::Digits).unwrap();
        let page = page::render(&compute(small(), &data).unwrap()).unwrap();
        for part in
            ["The devices", "Training in memory", "Inference over ten years", "Complete configuration"]
        {
            assert!(page.contains(part), "{part} is missing");
        }
        assert_eq!(page.matches("<svg").count(), 6);
        assert!(!page.contains("src=") && !page.contains("<script"));
    }
}
