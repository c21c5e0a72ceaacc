//! Accuracy over time: programs a network several times, lets each copy drift and counts correct answers.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::rng::label;
use aimc_nn::Dataset;

use crate::classifier::Classifier;
use crate::config::InferenceTileConfig;
use crate::error::EvaluationError;
use crate::summary::{Nested, Summary};

/// The plan of an evaluation.
///
/// ```
/// use aimc_infer::EvaluationConfig;
/// let plan = EvaluationConfig { times_seconds: vec![60.0, 1.0], ..EvaluationConfig::default() };
/// let error = plan.validate().unwrap_err();
/// assert_eq!(error.to_string(), "times_seconds[1] = 1.0: must be later than the time before it");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluationConfig {
    /// Seconds after programming at which the network is read, ascending.
    pub times_seconds: Vec<f32>,
    /// Number of programming events, each of which draws all devices anew.
    pub repeats: usize,
    /// Reads of all devices at every time of a programming event: passes over the data that differ by read noise alone.
    pub reads: usize,
    /// Samples per forward pass: a matter of memory, not of results.
    pub batch_size: usize,
}

impl Default for EvaluationConfig {
    /// One second, hour, day, month and year; ten programming events, read once at each time.
    fn default() -> Self {
        let times_seconds = vec![1.0, 3600.0, 86_400.0, 2_592_000.0, 31_536_000.0];
        Self { times_seconds, repeats: 10, reads: 1, batch_size: 256 }
    }
}

impl EvaluationConfig {
    /// Refuses a plan without times or repeats, and times that are not ascending, finite and 0 or above.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require::ascending_times("times_seconds", &self.times_seconds)?;
        require::at_least_one("repeats", self.repeats)?;
        require::at_least_one("reads", self.reads)?;
        require::at_least_one("batch_size", self.batch_size)
    }
}

/// One finished measurement, told while the others go on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Which programming event.
    pub repeat: usize,
    /// Seconds after programming.
    pub time_seconds: f32,
    /// Which read at that time.
    pub read: usize,
    /// Fraction of correct answers.
    pub accuracy: f64,
    /// Measurements finished so far, this one included.
    pub done: usize,
    /// Measurements in all.
    pub total: usize,
}

/// The accuracies at one time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AccuracyAt {
    /// Seconds after programming.
    pub time_seconds: f32,
    /// Fraction of correct answers, one per programming event: the mean over its reads.
    pub accuracies: Vec<f64>,
    /// The reads of every event, and what programming and reading contribute to the spread.
    #[serde(flatten)]
    pub nested: Nested,
    /// Over programming events, for this network on these samples: the interval tells how well the mean accuracy
    /// of *this* network is known, and nothing about other networks or other samples.
    #[serde(flatten)]
    pub summary: Summary,
}

/// Result of an evaluation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AccuracyOverTime {
    /// Number of samples classified.
    pub samples: usize,
    /// Number of programming events.
    pub repeats: usize,
    /// One entry per time.
    pub times: Vec<AccuracyAt>,
}

/// Programs `network` into devices `plan.repeats` times and classifies `data` at every time of the plan.
///
/// Event r draws its devices from an address made of `key` and r alone, a read at time t from that event, t and its number.
/// Reads at one time share the devices and differ by what is drawn anew: read noise of devices, noise of circuits, and the
/// factor of drift compensation where it is read out before every read.
/// Hence two evaluations with one key are *paired*: with and without compensation, for example, they see the
/// same devices and the same read noise; and more times, repeats or reads change none of the others. Results have the
/// same bits for any number of threads. `progress` is called after every measurement, from any thread; when it
/// breaks, the evaluation ends with [`EvaluationError::Cancelled`].
pub fn evaluate<C: Classifier>(
    network: &C,
    tile: &InferenceTileConfig,
    data: &Dataset,
    plan: &EvaluationConfig,
    key: RngKey,
    progress: &(dyn Fn(Progress) -> ControlFlow<()> + Sync),
) -> Result<AccuracyOverTime, EvaluationError> {
    plan.validate()?;
    tile.validate()?;
    let total = plan.repeats * plan.times_seconds.len() * plan.reads;
    let run =
        Run { network, tile, data, plan, key, progress, total, done: 0.into(), cancelled: false.into() };
    // Collected before they are judged, so that of several errors always the first is told.
    let repeats: Vec<_> = (0..plan.repeats).into_par_iter().map(|repeat| run.repeat(repeat)).collect();
    let repeats = repeats.into_iter().collect::<Result<Vec<_>, _>>()?;
    run.check()?;
    let times = plan.times_seconds.iter().enumerate().map(|(i, &time_seconds)| {
        let nested = Nested::of(repeats.iter().map(|repeat| repeat[i].clone()).collect());
        let accuracies = nested.means();
        AccuracyAt { time_seconds, summary: Summary::of(&accuracies), accuracies, nested }
    });
    Ok(AccuracyOverTime { samples: data.len(), repeats: plan.repeats, times: times.collect() })
}

/// An evaluation on its way.
struct Run<'a, C> {
    network: &'a C,
    tile: &'a InferenceTileConfig,
    data: &'a Dataset,
    plan: &'a EvaluationConfig,
    key: RngKey,
    progress: &'a (dyn Fn(Progress) -> ControlFlow<()> + Sync),
    total: usize,
    done: AtomicUsize,
    cancelled: AtomicBool,
}

impl<C: Classifier> Run<'_, C> {
    /// The accuracies of one programming event: per time, one per read.
    fn repeat(&self, repeat: usize) -> Result<Vec<Vec<f64>>, EvaluationError> {
        self.check()?;
        let key = self.key.fold_in(label("repeat")).fold_in(repeat as u64);
        let programmed = self.network.program(self.tile, key.fold_in(label("program")))?;
        let times = self.plan.times_seconds.iter();
        let accuracies = times.map(|&t| {
            // Adding 0 makes -0 the same address as 0.
            let key = key.fold_in(label("time")).fold_in(u64::from((t + 0.0).to_bits()));
            (0..self.plan.reads).map(|read| self.read(&programmed, (repeat, t, read), key)).collect()
        });
        accuracies.collect()
    }

    /// The accuracy of one read; the first one needs no number.
    fn read(
        &self,
        programmed: &C::Programmed,
        (repeat, time_seconds, read): (usize, f32, usize),
        key: RngKey,
    ) -> Result<f64, EvaluationError> {
        self.check()?;
        let key = if read == 0 { key } else { key.fold_in(label("read again")).fold_in(read as u64) };
        let batch = self.plan.batch_size;
        let accuracy = self.network.accuracy_at(programmed, time_seconds, (self.data, batch), key)?;
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let progress = Progress { repeat, time_seconds, read, accuracy, done, total: self.total };
        if (self.progress)(progress).is_break() {
            self.cancelled.store(true, Ordering::Relaxed);
        }
        Ok(accuracy)
    }

    fn check(&self) -> Result<(), EvaluationError> {
        if self.cancelled.load(Ordering::Relaxed) { Err(EvaluationError::Cancelled) } else { Ok(()) }
    }
}

#[cfg(test)]
#[path = "evaluate_tests.rs"]
pub(crate) mod tests;
