//! Where the grid of a quantiser should lie, from the data that pass.
//!
//! | model | range | after the next batch |
//! |---|---|---|
//! | `CurrentMinMax` | extremes of the batch, or its percentiles p and 100 - p | that of the batch |
//! | `AllMinMax` | extremes | those of all batches |
//! | `RunningMinMax` | extremes | m ← momentum·m + (1 - momentum)·new; the first batch as it is |
//! | `Mse` | least squared error of rounding | that of the batch |
//! | `CrossEntropy` | least -Σ softmax(x)·ln softmax(q) over each sample | that of the batch |
//!
//! The running range of a constant input converges geometrically: its error falls by `momentum` per batch. `CrossEntropy` is meant
//! for the last layer, whose outputs are logits.
//!
//! Reference: M. Nagel et al. 2021, *A White Paper on Neural Network Quantization*, arXiv:2106.08295.

use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use aimc_device::config;
use aimc_device::error::{ConfigError, require};

use super::{Quantiser, RangeSearch};
use crate::module::WIDENS;

/// Extremes or percentiles of the batch at hand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CurrentMinMax {
    /// p (%), below 50; left out: the extremes.
    pub percentile: Option<f32>,
}

/// Extremes of all batches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AllMinMax {}

/// Running mean of the extremes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RunningMinMax {
    /// Share of the range before.
    pub momentum: f32,
}

impl Default for RunningMinMax {
    fn default() -> Self {
        Self { momentum: 0.9 }
    }
}

/// How a range is found, chosen by the field `model`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "model")]
pub enum RangeEstimator {
    /// Extremes or percentiles of the batch at hand.
    CurrentMinMax(CurrentMinMax),
    /// Extremes of all batches.
    AllMinMax(AllMinMax),
    /// Running mean of the extremes.
    RunningMinMax(RunningMinMax),
    /// Least squared error.
    Mse(RangeSearch),
    /// Least cross entropy.
    CrossEntropy(RangeSearch),
}

impl Default for RangeEstimator {
    fn default() -> Self {
        Self::RunningMinMax(RunningMinMax::default())
    }
}

impl<'de> Deserialize<'de> for RangeEstimator {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        config::tagged(
            deserializer,
            "model",
            &[
                ("CurrentMinMax", |table| config::decode(table).map(Self::CurrentMinMax)),
                ("AllMinMax", |table| config::decode(table).map(Self::AllMinMax)),
                ("RunningMinMax", |table| config::decode(table).map(Self::RunningMinMax)),
                ("Mse", |table| config::decode(table).map(Self::Mse)),
                ("CrossEntropy", |table| config::decode(table).map(Self::CrossEntropy)),
            ],
        )
    }
}

impl RangeEstimator {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        match self {
            Self::CurrentMinMax(record) => match record.percentile {
                Some(p) => {
                    let requirement = "must be at least 0 and below 50 (%)";
                    require::that((0.0..50.0).contains(&p), "percentile", p, requirement)
                }
                None => Ok(()),
            },
            Self::AllMinMax(_) => Ok(()),
            Self::RunningMinMax(record) => {
                let fits = (0.0..1.0).contains(&record.momentum);
                require::that(fits, "momentum", record.momentum, "must be at least 0 and below 1")
            }
            Self::Mse(search) | Self::CrossEntropy(search) => search.validate(),
        }
    }

    /// The range (low ≤ 0, high ≥ 0) of one batch, a sample per column, for grids of `bits` bits.
    ///
    /// ```
    /// use aimc_nn::quantize::RangeEstimator;
    /// use nalgebra::DMatrix;
    /// let x = DMatrix::from_column_slice(2, 2, &[0.5, -1.0, 2.0, 0.0]);
    /// assert_eq!(RangeEstimator::default().of_batch(&x, 8, true), (-1.0, 2.0));
    /// ```
    #[must_use]
    pub fn of_batch(&self, x: &DMatrix<f32>, bits: u32, symmetric: bool) -> (f32, f32) {
        let extremes = x.iter().fold((0.0_f32, 0.0_f32), |(low, high), x| (low.min(*x), high.max(*x)));
        match self {
            Self::CurrentMinMax(CurrentMinMax { percentile: Some(p) }) => percentiles(x.as_slice(), *p),
            Self::CurrentMinMax(_) | Self::AllMinMax(_) | Self::RunningMinMax(_) => extremes,
            Self::Mse(search) => search.best((bits, symmetric), extremes, |grid| squared_error(x, grid)),
            Self::CrossEntropy(search) => {
                search.best((bits, symmetric), extremes, |grid| cross_entropy(x, grid))
            }
        }
    }

    /// What is measured after a batch with the range `new`, and its share: the range moves to old + share·(measured - old), or
    /// for [`WIDENS`] to what holds both. `old` is none before the first batch.
    #[must_use]
    pub fn measured(&self, old: Option<(f32, f32)>, new: (f32, f32)) -> ((f32, f32), f32) {
        match (self, old) {
            (Self::AllMinMax(_), old) => {
                let old = old.unwrap_or_default();
                ((old.0.min(new.0), old.1.max(new.1)), WIDENS)
            }
            (Self::RunningMinMax(record), Some(_)) => (new, 1.0 - record.momentum),
            _ => (new, 1.0),
        }
    }
}

/// Percentiles p and 100 - p, interpolated, widened to hold 0.
fn percentiles(x: &[f32], p: f32) -> (f32, f32) {
    let mut sorted = x.to_vec();
    sorted.sort_by(f32::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return (0.0, 0.0) };
    let at = |p: f32| {
        let place = p / 100.0 * last as f32;
        let below = place.floor() as usize;
        let above = (below + 1).min(last);
        sorted[below] + (place - below as f32) * (sorted[above] - sorted[below])
    };
    (at(p).min(0.0), at(100.0 - p).max(0.0))
}

fn squared_error(x: &DMatrix<f32>, grid: &Quantiser) -> f64 {
    x.iter().map(|x| f64::from(grid.value(*x) - x).powi(2)).sum()
}

/// -Σ softmax(x)·ln softmax(q(x)), sample by sample.
fn cross_entropy(x: &DMatrix<f32>, grid: &Quantiser) -> f64 {
    let log_partition = |values: &[f64]| {
        let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        largest + values.iter().map(|v| (v - largest).exp()).sum::<f64>().ln()
    };
    let of_sample = |sample: &[f32]| -> f64 {
        let logits: Vec<f64> = sample.iter().map(|x| f64::from(*x)).collect();
        let rounded: Vec<f64> = sample.iter().map(|x| f64::from(grid.value(*x))).collect();
        let (z, zq) = (log_partition(&logits), log_partition(&rounded));
        logits.iter().zip(&rounded).map(|(x, q)| -(x - z).exp() * (q - zq)).sum()
    };
    x.as_slice().chunks(x.nrows().max(1)).map(of_sample).sum()
}
