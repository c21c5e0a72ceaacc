//! `cargo xtask bench`: the speed of products, updates, programming and training; alone, or against AIHWKit.

mod cases;
mod epoch;
mod lenet;
mod page;
mod peer;

use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aimc_device::ConfigError;
use aimc_infer::InferenceError;
use aimc_tile::TileError;
use clap::Args;

use crate::data::DataError;
use crate::files::{OutputError, Outputs, check_folder};
use crate::interrupt::{self, Interrupted};
use crate::table::print_table;
use cases::Work;
use page::{Measured, Versus};

/// Our place for the comparison.
const DOCUMENT: &str = "docs/performance.md";

/// Options of a measurement.
#[derive(Clone, Debug, Args)]
pub(crate) struct BenchArguments {
    /// Only the workloads whose names contain this.
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// How long to repeat every workload, in seconds (at least five calls in any case).
    #[arg(long, value_name = "SECONDS", default_value_t = 1.5)]
    seconds: f64,
    /// Print {name: seconds per call} as JSON.
    #[arg(long, conflicts_with = "versus")]
    json: bool,
    /// Time AIHWKit, too, in this Python with aihwkit==1.1.0 and torch==2.10.0; prints the ratios.
    #[arg(long, value_name = "PYTHON")]
    versus: Option<PathBuf>,
    /// With --versus: write the table to this file as well; docs/performance.md unless --filter leaves workloads out.
    #[arg(long, value_name = "FILE", requires = "versus")]
    write: Option<PathBuf>,
    /// Folder for report.html and bench.csv; without it nothing is written there.
    #[arg(long, value_name = "DIR", conflicts_with = "json")]
    out: Option<PathBuf>,
}

/// Why a measurement stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Tile(#[from] TileError),
    #[error(transparent)]
    Inference(#[from] InferenceError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Dataset(#[from] aimc_nn::DatasetError),
    #[error(transparent)]
    Train(#[from] aimc_train::TrainError),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    #[error("{program} cannot be started: {source}")]
    Start { program: String, source: std::io::Error },
    #[error("{program} failed: {message}")]
    Failed { program: String, message: String },
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error("no threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    #[error("the numbers cannot be read or written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("no workload's name contains \"{0}\"; leave --filter out to see them all")]
    Nothing(String),
}

/// Median seconds per call, by workload.
type Times = BTreeMap<String, f64>;

/// Measures and prints.
pub(crate) fn run(arguments: &BenchArguments) -> Result<(), BenchError> {
    let start = Instant::now();
    if let Some(out) = &arguments.out {
        check_folder(out)?;
    }
    let cases: Vec<_> =
        cases::all().into_iter().filter(|case| case.name.contains(&arguments.filter)).collect();
    let epoch = epoch::NAME.contains(&arguments.filter);
    let lenet = lenet::NAME.contains(&arguments.filter);
    if cases.is_empty() && !epoch && !lenet {
        return Err(BenchError::Nothing(arguments.filter.clone()));
    }
    if lenet {
        tell_lenet()?;
    }
    let mut order: Vec<String> = cases.iter().map(|case| case.name.clone()).collect();
    let measure = |chosen: &dyn Fn(&str) -> bool| -> Result<Times, BenchError> {
        let times = cases.iter().filter(|case| chosen(&case.name)).map(|case| {
            interrupt::check()?;
            Ok((case.name.clone(), median_time((case.prepare)()?, arguments.seconds)?))
        });
        times.collect()
    };
    let Some(python) = &arguments.versus else {
        let mut ours = measure(&|_| true)?;
        if epoch {
            ours.insert(epoch::NAME.to_owned(), epoch::ours()?);
            order.push(epoch::NAME.to_owned());
        }
        print_alone(arguments, &order, &ours)?;
        return write(arguments, start, &Measured { order: &order, ours: &ours, versus: None });
    };
    compare(arguments, python, start, order, epoch, &measure)
}

/// What a workload has in common with those of other batches.
fn group(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(group, _)| group)
}

/// Measures ours, AIHWKit, and ours once more and on one thread, group by group, so that little time lies between the sides.
fn compare(
    arguments: &BenchArguments,
    python: &Path,
    start: Instant,
    mut order: Vec<String>,
    epoch: bool,
    measure: &(impl Fn(&dyn Fn(&str) -> bool) -> Result<Times, BenchError> + Sync),
) -> Result<(), BenchError> {
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let (mut ours, mut theirs, mut single, mut versions) =
        (Times::new(), Times::new(), Times::new(), String::new());
    let groups: BTreeSet<&str> = order.iter().map(|name| group(name)).collect();
    for chosen in groups {
        let chosen_group = |name: &str| group(name) == chosen;
        ours.extend(measure(&chosen_group)?);
        let (times, what) = peer::times(python, arguments.seconds, chosen)?;
        theirs.extend(times.into_iter().filter(|(name, _)| chosen_group(name)));
        versions = what;
        // Once more, and the slower of the two counts: a machine that others use, too, may have changed in between.
        for (name, time) in measure(&chosen_group)? {
            ours.entry(name).and_modify(|before| *before = before.max(time));
        }
        single.extend(alone.install(|| measure(&chosen_group))?);
    }
    if versions.is_empty() {
        versions = peer::times(python, arguments.seconds, &arguments.filter)?.1;
    }
    if epoch {
        let (our, their) = (epoch::ours()?, epoch::theirs(python)?);
        ours.insert(epoch::NAME.to_owned(), our);
        theirs.insert(epoch::NAME.to_owned(), their);
        order.push(epoch::NAME.to_owned());
    }
    let versus = Versus { theirs: &theirs, versions: &versions, single: &single };
    let measured = Measured { order: &order, ours: &ours, versus: Some(versus) };
    let (headers, rows) = measured.table();
    print_table(headers, &rows);
    if let Some(path) = document(arguments) {
        write_document(&path, &rows, &versions)?;
    }
    write(arguments, start, &measured)
}

fn tell_lenet() -> Result<(), BenchError> {
    let lenet::Measured { batch, outside } = lenet::measure()?;
    let (name, batch) = (lenet::NAME, page::duration(batch));
    eprintln!("{name}: {batch}, of which {:.1} % outside the tiles", 100.0 * outside);
    Ok(())
}

/// Where the table goes: in a checkout, that of all workloads has its place.
fn document(arguments: &BenchArguments) -> Option<PathBuf> {
    let own = || Some(PathBuf::from(DOCUMENT)).filter(|path| arguments.filter.is_empty() && path.is_file());
    arguments.write.clone().or_else(own)
}

/// Replaces the table of the document; what stands below it stays.
fn write_document(path: &Path, rows: &[Vec<String>], versions: &str) -> Result<(), BenchError> {
    let before = std::fs::read_to_string(path).unwrap_or_default();
    let text = page::render(rows, versions) + page::sections(&before);
    std::fs::write(path, text).map_err(|source| BenchError::File { path: path.to_owned(), source })?;
    println!("\nWritten: {}", path.display());
    Ok(())
}

/// Writes the page and the numbers, if a folder is given.
fn write(arguments: &BenchArguments, start: Instant, measured: &Measured<'_>) -> Result<(), BenchError> {
    let Some(out) = &arguments.out else { return Ok(()) };
    let mut outputs = Outputs::new();
    outputs.add("report.html", page::report(measured)).add("bench.csv", page::csv(measured));
    Ok(outputs.finish(out, start)?)
}

fn print_alone(arguments: &BenchArguments, order: &[String], ours: &Times) -> Result<(), BenchError> {
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(ours)?);
    } else {
        let (headers, rows) = Measured { order, ours, versus: None }.table();
        print_table(headers, &rows);
    }
    Ok(())
}

/// The median time of a call, after two calls that do not count.
fn median_time(mut work: Work, seconds: f64) -> Result<f64, BenchError> {
    const MOST: usize = 2000;
    work()?;
    work()?;
    let (mut times, begin) = (Vec::new(), Instant::now());
    while times.len() < 5 || begin.elapsed() < Duration::from_secs_f64(seconds.max(0.0)) && times.len() < MOST
    {
        let start = Instant::now();
        black_box(work())?;
        times.push(start.elapsed().as_secs_f64());
    }
    Ok(median(times))
}

/// The median of at least one time.
fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
