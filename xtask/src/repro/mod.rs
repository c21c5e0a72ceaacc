//! `cargo xtask repro NAME`: published results, one file each, with the band that the physics or the publication's claim sets.
//!
//! A band is written down before anything is measured, and is never moved to where a measurement fell: what lies outside is
//! reported, and the command fails. To add a reproduction: write its file, then add one line to [`ALL`].

mod adc_bits;
mod claim;
mod gokmen_2017;
mod gokmen_2021;
mod gokmen_haensch_2020;
mod gokmen_vlasov_2016;
mod ir_drop;
mod joshi_2020;
mod kim_2019;
mod nandakumar_2020;
mod page;
mod rasch_2023;
mod rasch_2024;
mod trainings;
mod wan_2022;

use std::path::PathBuf;
use std::time::Instant;

use aimc_device::ConfigError;
use aimc_infer::{EvaluationError, InferenceError};
use aimc_tile::TileError;
use clap::Args;
use rayon::ThreadPoolBuildError;
use serde_json::{Value, json};

use crate::data::{DataError, MNIST_FOLDER};
use crate::files::{OutputError, Outputs, check_folder};
use crate::interrupt::Interrupted;
use crate::plot::PlotError;
use crate::sweep::cache::Cache;
use crate::sweep::command::JobError;
use crate::table::print_table;
use crate::train::TrainCommandError;

use claim::Outcome;

/// Options of the command.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReproArguments {
    /// Which result; `--list` names all.
    #[arg(value_name = "NAME", required_unless_present_any = ["list", "all"])]
    name: Option<String>,
    /// Name all results.
    #[arg(long, conflicts_with_all = ["name", "all"])]
    list: bool,
    /// Reproduce all of them, one after the other.
    #[arg(long, conflicts_with = "name")]
    all: bool,
    /// On MNIST with the networks of the publications, instead of minutes on the packaged digits.
    #[arg(long)]
    full: bool,
    /// Folder with the MNIST IDX files for --full.
    #[arg(long, value_name = "DIR", default_value = MNIST_FOLDER)]
    data_dir: PathBuf,
    /// Folder for reports and the results of trainings, which are not repeated.
    #[arg(long, value_name = "DIR", default_value = "out/repro")]
    out: PathBuf,
}

/// Why a reproduction stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReproError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Tile(#[from] TileError),
    #[error(transparent)]
    Inference(#[from] InferenceError),
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    #[error(transparent)]
    ZeroShifting(#[from] aimc_train::zero_shifting::ZeroShiftingError),
    #[error(transparent)]
    Training(#[from] TrainCommandError),
    #[error(transparent)]
    Run(JobError),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error(transparent)]
    Plot(#[from] PlotError),
    #[error("the numbers cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("threads cannot be started: {0}")]
    Threads(#[from] ThreadPoolBuildError),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// A published result.
struct Reproduction {
    /// What to call it on the command line.
    name: &'static str,
    /// Authors, year, title, place.
    citation: &'static str,
    /// What is reproduced.
    what: &'static str,
    /// Minutes of the quick mode on two cores, at most.
    minutes: u32,
    run: fn(&Context) -> Result<Outcome, ReproError>,
}

const ALL: &[Reproduction] = &[
    ir_drop::REPRODUCTION,
    adc_bits::REPRODUCTION,
    wan_2022::REPRODUCTION,
    kim_2019::REPRODUCTION,
    gokmen_haensch_2020::REPRODUCTION,
    rasch_2024::REPRODUCTION,
    nandakumar_2020::REPRODUCTION,
    gokmen_2021::REPRODUCTION,
    gokmen_vlasov_2016::REPRODUCTION,
    gokmen_2017::REPRODUCTION,
    joshi_2020::REPRODUCTION,
    rasch_2023::REPRODUCTION,
];

/// Name of every reproduction, and what it is of.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALL.iter().map(|one| (one.name, one.what))
}

/// What a reproduction works with.
#[derive(Debug)]
struct Context {
    full: bool,
    data_dir: PathBuf,
    cache: Cache,
}

impl Context {
    /// The training on which devices are compared: a multi-layer perceptron on digits.
    fn training(&self) -> Value {
        if self.full {
            return json!({
                "data": { "set": "mnist", "path": self.data_dir },
                "network": { "mlp": { "hidden": [256, 128], "activation": "sigmoid" } },
                "training": { "epochs": 30, "batch_size": 10, "learning_rate": 0.1 },
            });
        }
        json!({
            "data": { "set": "digits" },
            "network": { "mlp": { "hidden": [48], "activation": "sigmoid" } },
            "training": { "epochs": 40, "batch_size": 10, "learning_rate": 0.3 },
        })
    }
}

/// Reproduces; false if something lies outside its band.
pub(crate) fn run(arguments: &ReproArguments) -> Result<bool, ReproError> {
    if arguments.list {
        let rows = ALL.iter().map(|one| {
            vec![
                one.name.to_owned(),
                format!("{} min", one.minutes),
                one.what.to_owned(),
                one.citation.to_owned(),
            ]
        });
        print_table(&["name", "at most", "what", "citation"], &rows.collect::<Vec<_>>());
        return Ok(true);
    }
    let chosen: Vec<&Reproduction> = match &arguments.name {
        Some(name) => vec![find(name)?],
        None => ALL.iter().collect(),
    };
    check_folder(&arguments.out)?;
    let mut outside = Vec::new();
    for one in &chosen {
        if !reproduce(one, arguments)? {
            outside.push(one.name);
        }
    }
    if !outside.is_empty() {
        println!("\nOutside their bands: {}", outside.join(", "));
    }
    Ok(outside.is_empty())
}

fn find(name: &str) -> Result<&'static Reproduction, ConfigError> {
    let known = || ALL.iter().map(|one| one.name).collect::<Vec<_>>().join(", ");
    let found = ALL.iter().find(|one| one.name == name);
    found.ok_or_else(|| ConfigError::new("NAME", name, format!("is unknown; known are {}", known())))
}

fn reproduce(one: &Reproduction, arguments: &ReproArguments) -> Result<bool, ReproError> {
    let start = Instant::now();
    println!("\n{}: {}\n{}\n", one.name, one.what, one.citation);
    let cache = Cache::new(arguments.out.join("cache"));
    let context = Context { full: arguments.full, data_dir: arguments.data_dir.clone(), cache };
    let outcome = (one.run)(&context)?;
    print_table(&claim::HEADERS, &outcome.rows());
    let mut outputs = Outputs::new();
    outputs.add("report.html", page::render(one, &outcome, arguments.full)?);
    outputs.add("results.json", serde_json::to_string_pretty(&outcome)? + "\n");
    outputs.finish(&arguments.out.join(one.name), start)?;
    Ok(outcome.holds())
}

#[cfg(test)]
mod tests;
