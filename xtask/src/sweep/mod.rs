//! `cargo xtask sweep FILE`: a command over a grid of configurations or a random search, in parallel, over several machines if wanted.
//!
//! Every run is a function of its configuration and lies in a cache under the hash of it. The table is built from the cache alone:
//! it is the same whatever was killed, in whatever order and wherever the runs were done.

pub(crate) mod cache;
pub(crate) mod command;
mod config;
mod field_path;
mod page;
mod pareto;
mod points;
mod shard;
mod table;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use aimc_device::{ConfigError, config as text};
use clap::Args;
use indicatif::ProgressBar;
use parquet::errors::ParquetError;
use rayon::ThreadPoolBuildError;
use serde::Serialize;
use serde_json::Value;

use crate::config_file::{self, ConfigFileError};
use crate::files::{OutputError, Outputs, check_folder};
use crate::plot::PlotError;
use crate::report::PROGRAM;
use crate::table::print_table;
use crate::{interrupt, parquet as table_file, progress, workers};

use cache::{Cache, Entry};
use command::{Inputs, Job, JobError};
pub(crate) use config::SweepConfig;
use points::Coordinates;
use shard::Shard;
use table::PointResult;

/// Options of a sweep.
#[derive(Clone, Debug, Args)]
pub(crate) struct SweepArguments {
    /// Sweep file (.toml or .json): command, base configuration, axes, columns; see examples/sweeps.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Folder for tables and report.
    #[arg(long, value_name = "DIR", default_value = "out/sweep")]
    out: PathBuf,
    /// Folder for the results of runs, shared by all shards; DIR/cache below the output folder if left out.
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Do only the I-th of N parts (I from 1), and no table: for arrays of jobs.
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Build the table; refuse where runs are missing, instead of doing them.
    #[arg(long, conflicts_with = "shard")]
    join: bool,
}

/// Why a sweep stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SweepError {
    #[error(transparent)]
    ConfigFile(#[from] ConfigFileError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{count} of {total} points are refused; nothing was run\n{list}")]
    Refused { count: usize, total: usize, list: String },
    #[error("{point}: {error}; what is done is kept")]
    Run { point: String, error: JobError },
    #[error("{missing} of {total} runs are missing in {}; do them without --join", cache.display())]
    Missing { missing: usize, total: usize, cache: PathBuf },
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error(transparent)]
    Plot(#[from] PlotError),
    #[error("the table cannot be written as Parquet: {0}")]
    Parquet(#[from] ParquetError),
    #[error("the numbers cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("threads cannot be started: {0}")]
    Threads(#[from] ThreadPoolBuildError),
    /// The user asked to stop.
    #[error("interrupted; {done} of {total} runs are done, go on with the same command")]
    Interrupted { done: usize, total: usize },
}

/// Every number, with all that made them.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    /// Program and version.
    program: String,
    /// The sweep file.
    config: SweepConfig,
    /// The configuration at which it begins.
    base: Value,
    /// Point by point.
    points: Vec<PointResult>,
}

/// A run of a point.
struct Run {
    point: usize,
    entry: Entry,
    job: Box<dyn Job>,
}

/// A sweep, checked.
struct Plan {
    config: SweepConfig,
    base: Value,
    first_seed: u64,
    points: Vec<Coordinates>,
    /// All seeds of the first point, then of the next.
    runs: Vec<Run>,
}

/// Does what is missing and writes the table.
pub(crate) fn run(arguments: &SweepArguments) -> Result<(), SweepError> {
    let start = Instant::now();
    let plan = Plan::read(&arguments.file)?;
    let folder = arguments.cache.clone().unwrap_or_else(|| arguments.out.join("cache"));
    let cache = Cache::new(folder);
    let mut missing = plan.missing(&cache);
    let (points, runs) = (plan.points.len(), plan.runs.len());
    println!(
        "{points} points, {runs} runs, {} not done yet; cache in {}",
        missing.len(),
        cache.folder().display()
    );
    if arguments.join && !missing.is_empty() {
        let cache = cache.folder().to_owned();
        return Err(SweepError::Missing { missing: missing.len(), total: runs, cache });
    }
    if let Some(shard) = arguments.shard {
        missing.retain(|run| shard.has(&run.entry.hash));
    }
    check_folder(cache.folder())?;
    check_folder(&arguments.out)?;
    plan.check(&missing)?;
    plan.work(&cache, &missing)?;
    if let Some(shard) = arguments.shard {
        println!(
            "Shard {shard} is done: {} runs. With all shards done, --join builds the table.",
            missing.len()
        );
        return Ok(());
    }
    let results = plan.gather(&cache)?;
    print_table(&page::headers(&results), &page::rows(&results, |_| true));
    outputs(&results)?.finish(&arguments.out, start)?;
    Ok(())
}

fn outputs(results: &Results) -> Result<Outputs, SweepError> {
    let Results { config, points, .. } = results;
    let runs = table::runs(config, points);
    let means = table::means(config, points, |_| true);
    let mut outputs = Outputs::new();
    outputs.add("report.html", page::render(results)?);
    outputs.add("results.json", serde_json::to_string_pretty(results)? + "\n");
    outputs.add("runs.csv", runs.render());
    outputs.add("runs.parquet", table_file::encode(&runs)?);
    outputs.add("points.csv", means.render());
    outputs.add("points.parquet", table_file::encode(&means)?);
    outputs.add("pareto.csv", table::means(config, points, |point| point.on_front).render());
    Ok(outputs)
}

impl Plan {
    /// Reads the sweep file and all that it names; refuses every point that is no configuration.
    fn read(file: &Path) -> Result<Self, SweepError> {
        let config = config_file::read(file, |tree| {
            let config: SweepConfig = text::decode(tree)?;
            config.validate()?;
            Ok(config)
        })?;
        let refused = |source| ConfigFileError::Refused { path: file.to_owned(), source };
        let beside = |name: &Path| file.parent().unwrap_or(Path::new("")).join(name);
        let base = match &config.base {
            Value::String(name) => config_file::read(&beside(name.as_ref()), Ok)?,
            table => table.clone(),
        };
        let first_seed = match base.get("seed") {
            Some(seed) => {
                let whole = || ConfigError::new("base.seed", seed, "must be a whole number of 0 or above");
                seed.as_u64().ok_or_else(|| refused(whole()))?
            }
            None => 1,
        };
        let command = command::find(&config.command).map_err(refused)?;
        let model = config.model.as_deref().map(beside);
        let mut plan = Self { points: points::of(&config), config, base, first_seed, runs: Vec::new() };
        plan.prepare(command, Inputs::new(model))?;
        Ok(plan)
    }

    fn prepare(&mut self, command: command::Command, mut inputs: Inputs) -> Result<(), SweepError> {
        let mut refusals = Vec::new();
        for (point, coordinates) in self.points.iter().enumerate() {
            for k in 0..self.config.seeds {
                let seed = self.first_seed.wrapping_add(k);
                let tree = points::tree(&self.base, &self.config.axis, coordinates, seed);
                match tree.map_err(JobError::from).and_then(|tree| (command.job)(tree, &mut inputs)) {
                    Ok(job) => self.runs.push(Run { point, entry: Entry::of(command.name, &*job), job }),
                    Err(error) => {
                        refusals.push((point, error));
                        break;
                    }
                }
            }
        }
        self.refuse(&refusals)
    }

    fn name(&self, point: usize) -> String {
        format!("point {} ({})", point + 1, points::describe(&self.config.axis, &self.points[point]))
    }

    fn refuse(&self, refusals: &[(usize, JobError)]) -> Result<(), SweepError> {
        if refusals.is_empty() {
            return Ok(());
        }
        let line = |(point, error): &(usize, JobError)| format!("  {}: {error}", self.name(*point));
        let list = refusals.iter().map(line).collect::<Vec<_>>().join("\n");
        Err(SweepError::Refused { count: refusals.len(), total: self.points.len(), list })
    }

    /// Runs that are not in the cache, each once even where two points are the same.
    fn missing(&self, cache: &Cache) -> Vec<&Run> {
        let mut seen = HashSet::new();
        let runs = self.runs.iter().filter(|run| seen.insert(run.entry.hash.as_str()));
        runs.filter(|run| cache.get(&run.entry).is_none()).collect()
    }

    /// Refuses points whose networks cannot be built; seeds of one point stand for each other.
    fn check(&self, missing: &[&Run]) -> Result<(), SweepError> {
        let mut seen = HashSet::new();
        let first: Vec<&&Run> = missing.iter().filter(|run| seen.insert(run.point)).collect();
        let checked = workers::each(first.len(), |i| Ok::<_, SweepError>(first[i].job.check().err()))?;
        let found = first.iter().zip(checked);
        let refusals: Vec<_> = found.filter_map(|(run, error)| Some((run.point, error??))).collect();
        self.refuse(&refusals)
    }

    fn work(&self, cache: &Cache, missing: &[&Run]) -> Result<(), SweepError> {
        let bar = progress::bar("runs", missing.len() as u64);
        let done = workers::each(missing.len(), |i| {
            let run = missing[i];
            let failed = |error| SweepError::Run { point: self.name(run.point), error };
            let done = cache.run(&run.entry, &*run.job).map_err(failed)?.is_some();
            tell(&bar, &self.name(run.point), done);
            Ok::<_, SweepError>(done)
        })?;
        bar.finish();
        let done = done.into_iter().filter(|done| *done == Some(true)).count();
        if interrupt::requested() && done < missing.len() {
            return Err(SweepError::Interrupted { done, total: missing.len() });
        }
        Ok(())
    }

    fn gather(self, cache: &Cache) -> Result<Results, SweepError> {
        let results: Option<Vec<Value>> = self.runs.iter().map(|run| cache.get(&run.entry)).collect();
        let results = results.ok_or_else(|| {
            let (missing, cache) = (self.missing(cache).len(), cache.folder().to_owned());
            SweepError::Missing { missing, total: self.runs.len(), cache }
        })?;
        let Self { config, base, first_seed, points, .. } = self;
        let points = table::gather(&config, points, first_seed, &results)?;
        Ok(Results { program: PROGRAM.to_owned(), config, base, points })
    }
}

fn tell(bar: &ProgressBar, point: &str, done: bool) {
    if done {
        bar.inc(1);
        bar.set_message(point.to_owned());
        if bar.is_hidden() {
            println!("done: {point}");
        }
    }
}

#[cfg(test)]
mod process_tests;
#[cfg(test)]
mod tests;
