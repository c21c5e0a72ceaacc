//! `cargo xtask hwa`: does hardware-aware training help? A floating-point network is converted as it is and after hardware-aware
//! retraining; both age on the same inference chips, over several seeds, in one report with intervals.

mod compare;
mod config;
mod page;
mod trainings;

use std::path::{Path, PathBuf};
use std::time::Instant;

use aimc_device::rng::label;
use aimc_device::{ConfigError, RngKey};
use aimc_infer::EvaluationError;
use aimc_nn::{DatasetError, NetworkConfig};
use aimc_train::convert::ConvertError;
use clap::Args;
use indicatif::ProgressBar;
use rayon::ThreadPoolBuildError;
use serde::Serialize;

use crate::config_file::ConfigFileError;
use crate::csv::Columns;
use crate::data::{DataError, DataSummary, Split};
use crate::files::{OutputError, Outputs, check_folder};
use crate::interrupt::Interrupted;
use crate::plot::PlotError;
use crate::report::PROGRAM;
use crate::timeline::{self, Timeline, TimelineError};
use crate::train::session::{Begin, SessionError};
use crate::{progress, workers};

use compare::{At, DeviceResult, Run};
use config::DeviceSection;
pub(crate) use config::{HwaConfig, decode};
use trainings::{Outcome, Pair, Place, Samples};

/// Options of a comparison.
#[derive(Clone, Debug, Args)]
pub(crate) struct HwaArguments {
    /// Configuration (.toml or .json): data, network, both trainings, devices; see examples/hwa.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Seed of the first training, instead of the one in the file.
    #[arg(long)]
    seed: Option<u64>,
    /// Number of trainings, instead of the one in the file.
    #[arg(long)]
    seeds: Option<u64>,
    /// Folder for checkpoints, report and numbers.
    #[arg(long, value_name = "DIR", default_value = "out/hwa")]
    out: PathBuf,
    /// Go on from the checkpoints in the folder; evaluations are done anew.
    #[arg(long, conflicts_with = "restart")]
    resume: bool,
    /// Begin anew where the folder holds checkpoints.
    #[arg(long)]
    restart: bool,
}

/// Why a comparison stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HwaError {
    #[error(transparent)]
    ConfigFile(#[from] ConfigFileError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Samples(#[from] DatasetError),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Convert(#[from] ConvertError),
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    #[error(transparent)]
    Timeline(#[from] TimelineError),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    #[error(transparent)]
    Plot(#[from] PlotError),
    #[error("threads cannot be started: {0}")]
    Threads(#[from] ThreadPoolBuildError),
    #[error("the numbers cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("{}: cannot be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error("{}: {problem}; begin anew with --restart", path.display())]
    Scores { path: PathBuf, problem: &'static str },
    /// The user asked to stop.
    #[error("interrupted; go on with the same command and --resume")]
    Stopped,
}

/// Every number, with all that made them.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    /// Program and version.
    program: String,
    /// Name and sizes of the data.
    data: DataSummary,
    /// Samples of `data` that were held out from training, to stop early by.
    held_out: usize,
    /// The resolved configuration.
    config: HwaConfig,
    /// The network.
    network: NetworkConfig,
    /// Seed by seed, before any device.
    trainings: Vec<Outcome>,
    /// Device by device.
    devices: Vec<DeviceResult>,
}

/// Trains, evaluates and writes the report.
pub(crate) fn run(arguments: &HwaArguments) -> Result<(), HwaError> {
    let start = Instant::now();
    let config = config::load(arguments)?;
    let data = config.data.load()?;
    let summary = data.summary();
    let refused = |source| ConfigFileError::Refused { path: arguments.config.clone(), source };
    let network = network_for(&config, &data).map_err(refused)?;
    let samples = hold_out(&config, data)?;
    check_folder(&arguments.out)?;
    println!(
        "{}: {} training and {} test samples; seeds {} to {}, checkpoints in {}",
        summary.name,
        samples.split.train.len(),
        samples.split.test.len(),
        config.seed,
        config.seed + (config.seeds - 1),
        arguments.out.display()
    );
    let begin = Begin::asked(arguments.resume, arguments.restart);
    let place = Place { out: &arguments.out, begin, quiet: false };
    let results = measure(&place, config, network, &samples, summary)?;
    page::print_tables(&results);
    let mut outputs = Outputs::new();
    outputs.add("report.html", page::render(&results)?);
    outputs.add("results.json", serde_json::to_string_pretty(&results)? + "\n");
    outputs.add("accuracy.csv", csv(&results));
    outputs.finish(&arguments.out, start)?;
    Ok(())
}

/// The network for `data`; refuses what only shows when it is built.
pub(crate) fn network_for(config: &HwaConfig, data: &Split) -> Result<NetworkConfig, ConfigError> {
    let network = config.network(&data.shape, data.train.classes())?;
    config.retraining_stage(config.seed, 1).build(&network)?;
    Ok(network)
}

/// Compares without a word in a folder of its own, or goes on where an interruption has left it.
pub(crate) fn compare_quietly(config: &HwaConfig, data: &Split, out: &Path) -> Result<Results, HwaError> {
    let network = network_for(config, data)?;
    let samples = hold_out(config, data.clone())?;
    let place = Place { out, begin: Begin::Resume, quiet: true };
    measure(&place, config.clone(), network, &samples, data.summary())
}

/// Takes the last training samples away if early stopping needs them.
fn hold_out(config: &HwaConfig, data: Split) -> Result<Samples, HwaError> {
    let Some(stopping) = &config.early_stopping else { return Ok(Samples { split: data, validation: None }) };
    let all = data.train.len();
    let held = ((stopping.validation_share * all as f64).round() as usize).clamp(1, all.saturating_sub(1));
    let train = data.train.range(0..all - held)?;
    let validation = Some(data.train.range(all - held..all)?);
    Ok(Samples { split: Split { train, ..data }, validation })
}

/// All seeds: side by side where there are threads for it, else each with its own progress.
fn measure(
    place: &Place<'_>,
    config: HwaConfig,
    network: NetworkConfig,
    samples: &Samples,
    data: DataSummary,
) -> Result<Results, HwaError> {
    let seeds: Vec<u64> = config.all_seeds().collect();
    let together = seeds.len().min(rayon::current_num_threads()) > 1;
    let own = Place { quiet: place.quiet || together, ..*place };
    let all = (together && !place.quiet).then(|| progress::bar("seeds", seeds.len() as u64));
    let done = workers::each(seeds.len(), |i| {
        if !own.quiet {
            println!("\nSeed {}", seeds[i]);
        }
        let pair = trainings::train(&config, &network, samples, seeds[i], &own)?;
        let age = |device: &DeviceSection| {
            let key = RngKey::root(seeds[i]).fold_in(label("inference")).fold_in(label(&device.name));
            age(&config, &device.tile, &pair, samples, (key, own.quiet))
        };
        let runs = config.device.iter().map(age).collect::<Result<Vec<_>, HwaError>>()?;
        if let Some(bar) = &all {
            tell(bar, &pair.outcome);
        }
        Ok::<_, HwaError>((pair.outcome, runs))
    })?;
    let done: Option<Vec<_>> = done.into_iter().collect();
    let (trainings, by_seed): (Vec<_>, Vec<_>) = done.ok_or(HwaError::Stopped)?.into_iter().unzip();
    let mut runs: Vec<Vec<Run>> = config.device.iter().map(|_| Vec::new()).collect();
    for of_seed in by_seed {
        runs.iter_mut().zip(of_seed).for_each(|(runs, run)| runs.push(run));
    }
    let devices = config.device.iter().zip(runs);
    let devices = devices.map(|(device, runs)| DeviceResult::of(&device.name, runs)).collect();
    let held_out = samples.validation.as_ref().map_or(0, aimc_nn::Dataset::len);
    Ok(Results { program: PROGRAM.to_owned(), data, held_out, config, network, trainings, devices })
}

/// Tells of a seed that is done; without a terminal in a line of its own.
fn tell(bar: &ProgressBar, outcome: &Outcome) {
    let Outcome { seed, floating_point, hardware_aware, .. } = outcome;
    let [before, after] = [floating_point, hardware_aware].map(|share| 100.0 * share);
    let line = format!("seed {seed}: {before:.1} % in floating point, {after:.1} % hardware-aware");
    bar.inc(1);
    if bar.is_hidden() {
        println!("{line}");
    }
    bar.set_message(line);
}

/// Both networks of a seed on one device, with the same draws; with or without a word.
fn age(
    config: &HwaConfig,
    tile: &aimc_infer::InferenceTileConfig,
    pair: &Pair,
    samples: &Samples,
    (key, quiet): (RngKey, bool),
) -> Result<Run, HwaError> {
    let Pair { floating_point, hardware_aware, outcome } = pair;
    let test = &samples.split.test;
    let (plan, exact) = (&config.evaluation, outcome.floating_point);
    let bar = || if quiet { ProgressBar::hidden() } else { timeline::bar(plan) };
    let timeline = |network| Timeline::measure(network, tile, plan, exact, test, key, &bar());
    Ok(Run {
        seed: outcome.seed,
        naive: timeline(floating_point)?,
        hardware_aware: timeline(hardware_aware)?,
    })
}

/// Accuracy over time, for other programs: the times of one device after those of another.
fn csv(results: &Results) -> String {
    let mut columns = Columns::new();
    let devices = || results.devices.iter();
    let number = (1_u32..).zip(devices()).flat_map(|(n, device)| device.compensated.iter().map(move |_| n));
    columns.add("device (number)", number.map(f64::from));
    let times = devices().flat_map(|device| &device.compensated).map(|at| f64::from(at.time_seconds));
    columns.add("time (s)", times);
    type Select = fn(&DeviceResult) -> &Vec<At>;
    let conditions: [(&str, Select); 2] = [
        ("without compensation", |device| &device.uncompensated),
        ("with compensation", |device| &device.compensated),
    ];
    type Of = fn(&At) -> &aimc_infer::Summary;
    let quantities: [(&str, Of); 5] = [
        ("naive accuracy", |at| &at.naive),
        ("hardware-aware accuracy", |at| &at.hardware_aware),
        ("difference", |at| &at.difference),
        ("naive loss", |at| &at.naive_loss),
        ("hardware-aware loss", |at| &at.hardware_aware_loss),
    ];
    for (condition, select) in conditions {
        for (name, of) in quantities {
            let all = || devices().flat_map(&select).map(of);
            let end = |side: usize| all().map(move |s| s.confidence_95.map_or(f64::NAN, |ends| ends[side]));
            columns.add(format!("{name} {condition} (share)"), all().map(|summary| summary.mean));
            columns.add(format!("{name} {condition} 95 % low (share)"), end(0));
            columns.add(format!("{name} {condition} 95 % high (share)"), end(1));
        }
    }
    columns.render()
}

#[cfg(test)]
mod tests;
