//! `cargo xtask train`: any network on any tiles, as a configuration file says; goes on after an interruption.

mod config;
pub(crate) mod model;
mod page;
mod results;
pub(crate) mod session;
pub(crate) mod tiles;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use aimc_device::ConfigError;
use aimc_nn::NetworkConfig;
use aimc_train::{Ending, Progress, Trainer};
use clap::Args;
use indicatif::{HumanCount, ProgressBar};

use crate::config_file::ConfigFileError;
use crate::data::{DataError, Split};
use crate::files::{OutputError, Outputs, check_folder};
use crate::interrupt::{self, Interrupted as Stopped};
use crate::plot::PlotError;
use crate::progress;
use crate::report::PROGRAM;

pub(crate) use config::{DataSection, NetworkSection, TrainingConfig, decode};
pub(crate) use results::Results;
use session::{Begin, CHECKPOINT, Pace, Session, SessionError};
use tiles::AnyNetwork;

/// Options of a training.
#[derive(Clone, Debug, Args)]
pub(crate) struct TrainArguments {
    /// Configuration (.toml or .json): data, network, training and tiles; see examples/.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Seed of all draws, instead of the one in the file.
    #[arg(long)]
    seed: Option<u64>,
    /// Training epochs, instead of those in the file.
    #[arg(long)]
    epochs: Option<usize>,
    /// Folder for checkpoint, report and numbers.
    #[arg(long, value_name = "DIR", default_value = "out/train")]
    out: PathBuf,
    /// Go on from the checkpoint in the folder.
    #[arg(long, conflicts_with = "restart")]
    resume: bool,
    /// Begin anew where the folder holds a checkpoint.
    #[arg(long)]
    restart: bool,
}

/// Why a training stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrainCommandError {
    #[error(transparent)]
    ConfigFile(#[from] ConfigFileError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Plot(#[from] PlotError),
    #[error("the numbers cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the network cannot be written: {0}")]
    Model(#[from] safetensors::SafeTensorError),
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The user asked to stop.
    #[error("interrupted after {samples} of {total} samples; go on with the same command and --resume")]
    Interrupted { samples: HumanCount, total: HumanCount },
}

impl TrainArguments {
    /// A mistake that showed only with the data, as one of the file.
    fn refused(&self, source: ConfigError) -> ConfigFileError {
        ConfigFileError::Refused { path: self.config.clone(), source }
    }
}

/// Trains and writes the report.
pub(crate) fn run(arguments: &TrainArguments) -> Result<(), TrainCommandError> {
    let start = Instant::now();
    let config = config::load(arguments)?;
    let data = config.data.load()?;
    let refused = |error| arguments.refused(error);
    let network = config.network(&data.shape, data.train.classes()).map_err(refused)?;
    let built = config.build(&network).map_err(refused)?;
    check_folder(&arguments.out)?;
    let mut session = Session::open(
        &config,
        built,
        &data,
        &arguments.out,
        Begin::asked(arguments.resume, arguments.restart),
    )?;
    println!(
        "{}: {} training and {} test samples; seed {}, checkpoints in {}",
        data.name,
        data.train.len(),
        data.test.len(),
        config.seed,
        arguments.out.display()
    );
    if follow(&mut session, "training", &|_| false)? == Ending::Interrupted {
        let (samples, total) = (HumanCount(session.samples()), HumanCount(session.total()));
        return Err(TrainCommandError::Interrupted { samples, total });
    }
    let results = gather(config, network, &session, &data);
    page::print_tables(&results);
    let mut outputs = Outputs::new();
    outputs.add("report.html", page::render(&results)?);
    outputs.add("results.json", serde_json::to_string_pretty(&results)? + "\n");
    outputs.add("metrics.csv", results.csv());
    outputs.add("model.safetensors", model::encode(&session.trainer.network, &results.network)?);
    outputs.finish(&arguments.out, start)?;
    Ok(())
}

/// Trains without a word in a folder of its own, or goes on where an interruption has left it; none if Ctrl-C stops it.
pub(crate) fn train_quietly(
    config: &TrainingConfig,
    data: &Split,
    folder: &Path,
) -> Result<Option<Results>, TrainCommandError> {
    let (network, built) = build(config, data)?;
    let begun = folder.join(CHECKPOINT).exists();
    let mut session = Session::open(config, built, data, folder, Begin::asked(begun, false))?;
    let ending = follow_quietly(&mut session, &|_| false)?;
    Ok((ending == Ending::Finished).then(|| gather(config.clone(), network, &session, data)))
}

/// The network for `data`, on its tiles.
fn build(config: &TrainingConfig, data: &Split) -> Result<(NetworkConfig, AnyNetwork), SessionError> {
    let network = config.network(&data.shape, data.train.classes())?;
    let built = config.build(&network)?;
    Ok((network, built))
}

/// The network of a training without a word and without a checkpoint.
pub(crate) fn trained(config: &TrainingConfig, data: &Split) -> Result<AnyNetwork, TrainCommandError> {
    let (_, built) = build(config, data)?;
    let mut trainer =
        Trainer::new(built, config.training.clone(), config.seed).map_err(SessionError::from)?;
    let ending =
        trainer.run(&data.train, &data.test, &mut |_| interrupt::flow()).map_err(SessionError::from)?;
    if ending == Ending::Interrupted {
        return Err(Stopped.into());
    }
    Ok(trainer.network)
}

/// Trains without a word to the end, to Ctrl-C, or to where `pause` holds.
pub(crate) fn follow_quietly(
    session: &mut Session<'_>,
    pause: &dyn Fn(&Progress<'_>) -> bool,
) -> Result<Ending, SessionError> {
    session.run(Pace::default(), &mut |progress| stop_if(pause(progress)))
}

fn stop_if(paused: bool) -> ControlFlow<()> {
    if paused { ControlFlow::Break(()) } else { interrupt::flow() }
}

/// Trains with progress on the terminal, to the end, to Ctrl-C, or to where `pause` holds.
pub(crate) fn follow(
    session: &mut Session<'_>,
    name: &'static str,
    pause: &dyn Fn(&Progress<'_>) -> bool,
) -> Result<Ending, SessionError> {
    let epochs = session.trainer.config().epochs;
    let bar = progress::bar(name, session.total()).with_position(session.samples());
    // What was done before must not count as speed.
    bar.reset_eta();
    let mut shown = session.trainer.history().len();
    let ending = session.run(Pace::default(), &mut |progress| {
        show(&bar, progress, epochs, &mut shown);
        stop_if(pause(progress))
    })?;
    bar.finish();
    Ok(ending)
}

/// Shows where the training stands; without a terminal, one line for every epoch.
fn show(bar: &ProgressBar, progress: &Progress<'_>, epochs: usize, shown: &mut usize) {
    let last = progress.history.last();
    let metrics = last.map_or_else(|| format!("loss {:.3}", progress.loss), progress::describe);
    let done = progress.history.len();
    let pulses = page::spoken(progress.pulses.total());
    bar.set_position(progress.samples);
    bar.set_prefix(format!("epoch {}/{epochs}", (done + 1).min(epochs)));
    bar.set_message(format!("{metrics}{pulses}"));
    if done > *shown {
        *shown = done;
        if bar.is_hidden() {
            println!("epoch {done}/{epochs}: {metrics}{pulses}");
        }
    }
}

fn gather(config: TrainingConfig, network: NetworkConfig, session: &Session<'_>, data: &Split) -> Results {
    Results {
        program: PROGRAM.to_owned(),
        data: data.summary(),
        matrices: results::matrices(&config, &session.trainer.network),
        history: session.trainer.history().to_vec(),
        config,
        network,
    }
}

#[cfg(test)]
mod process_tests;
#[cfg(test)]
mod tests;
