//! Gradient-descent programming: the array is read by products with random inputs, and their error moves the devices.
//!
//! ```text
//! X: inputs x B, uniform in ±1         E = tile(X) - W X         Ĝ = (3/B) E Xᵀ,  whose mean is W̃ - W
//! Δg_s = -η Ĝ c_s/Σ c²,  c_s = ∂w/∂g_s        n_s = ⌊Δg_s/Δg⌉ pulses, at most `max_pulses_per_iteration`
//! ```
//!
//! | symbol | field | unit | |
//! |---|---|---|---|
//! | B | `batch_size` | 1 | products per iteration |
//! | η | `learning_rate` | 1 | share of the estimated error that an iteration corrects; falls to 0 linearly |
//! | | `iterations` | 1 | number of iterations |
//! | c_s | | 1/µS | what slice s adds to the weight |
//!
//! Inputs are uniform, so that no DAC of range 1 cuts them (their mean square is 1/3, hence the 3). Products go through all
//! circuits, so that what is minimised is the error of the *products*: gain errors, IR drop and crosstalk are compensated as
//! far as weights can, unlike by device-by-device verification. In exchange an iteration sees each weight through the errors of
//! all others of its row: with p inputs and rms error e, Ĝ has a variance of about e²p/B, so that the squared error changes by
//! (1 - η)² + η²p/B per iteration; it falls for η < 2B/(B + p). Errors below Δg/2 are out of reach of single pulses.
//! Slices that all outputs share stay as they were started.
//!
//! The devices start by program-and-verify (`start`), as in the paper. Not modelled: pulse amplitudes chosen by the size of the
//! gradient.
//!
//! References: J. Büchel et al. 2023, IEEE J. Emerg. Sel. Topics Circuits Syst. 13:1052, doi:10.1109/JETCAS.2023.3256561;
//! J. Büchel et al. 2022, IEEE IEDM, doi:10.1109/IEDM45625.2022.10019486.

use nalgebra::{DMatrix, DMatrixView};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::programmed::ProgrammedArray;
use aimc_device::rng::label;
use aimc_tile::SampleKeys;
use aimc_tile::matmul::Weights;

use super::pulsed_slice::{PulsedSlice, settle_all};
use super::{Effort, Job, WriteVerify};
use crate::converter::{Converter, to_weights};
use crate::error::InferenceError;
use crate::program::slice_key;

/// Gradient-descent programming, see the [module](self).
///
/// ```
/// use aimc_device::RngKey;
/// use aimc_infer::programming::{GradientDescent, Programming};
/// use aimc_infer::{InferenceTileConfig, ProgrammedTile};
/// use nalgebra::DMatrix;
/// let programming = Programming::GradientDescent(GradientDescent { iterations: 5, ..GradientDescent::default() });
/// let config = InferenceTileConfig { programming, ..InferenceTileConfig::default() };
/// let weights = DMatrix::from_row_slice(2, 2, &[1.0, -0.5, 0.0, 0.25]);
/// let report = *ProgrammedTile::program(&weights, &config, RngKey::root(1))?.report();
/// assert_eq!(report.effort.products, 5 * 256);
/// # Ok::<(), aimc_infer::InferenceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GradientDescent {
    /// How the devices are brought near their targets first; the devices are those given there.
    pub start: WriteVerify,
    /// Number of iterations.
    pub iterations: u32,
    /// Products per iteration.
    pub batch_size: usize,
    /// Share of the estimated error that the first iteration corrects.
    pub learning_rate: f32,
    /// Most pulses of a device per iteration.
    pub max_pulses_per_iteration: u32,
}

impl Default for GradientDescent {
    fn default() -> Self {
        Self {
            start: WriteVerify::default(),
            iterations: 100,
            batch_size: 256,
            learning_rate: 0.3,
            max_pulses_per_iteration: 64,
        }
    }
}

impl GradientDescent {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.start.validate().map_err(|error| error.within("start"))?;
        require::at_least_one("iterations", self.iterations as usize)?;
        require::at_least_one("batch_size", self.batch_size)?;
        require::positive("learning_rate", self.learning_rate)?;
        let most = self.max_pulses_per_iteration;
        let countable = most >= 1 && i32::try_from(most).is_ok();
        require::that(countable, "max_pulses_per_iteration", most, "must be at least 1 and below 2³¹")
    }

    pub(crate) fn write(
        &self,
        job: &Job<'_>,
        key: RngKey,
    ) -> Result<(Vec<ProgrammedArray>, Effort), InferenceError> {
        let (mut slices, mut effort) = self.start.write_slices(job, key)?;
        let target = DMatrix::from_row_slice(job.shape.outputs, job.shape.inputs, job.weights);
        let shares = shares(job);
        for iteration in 0..self.iterations {
            let key = key.fold_in(label("iteration")).fold_in(u64::from(iteration));
            let gradient = self.gradient(job, &slices, target.as_view(), key)?;
            let rate = self.learning_rate * (1.0 - iteration as f32 / self.iterations as f32);
            effort.products += self.batch_size as u64;
            for (i, (slice, share)) in slices.iter_mut().zip(&shares).enumerate() {
                if *share != 0.0 {
                    let counts = self.counts(&gradient, -rate * share / slice.step());
                    effort.pulses += counts.iter().map(|n| u64::from(n.unsigned_abs())).sum::<u64>();
                    slice.pulse(&counts, slice_key(key, i));
                }
            }
        }
        Ok((settle_all(&slices, job, key), effort))
    }

    /// Ĝ, row by row.
    fn gradient(
        &self,
        job: &Job<'_>,
        slices: &[PulsedSlice],
        target: DMatrixView<f32>,
        key: RngKey,
    ) -> Result<Vec<f32>, InferenceError> {
        let held: Vec<_> = slices.iter().map(PulsedSlice::conductances).collect();
        let weights = to_weights(job.converter, &held, job.gain);
        let mut x = DMatrix::zeros(job.shape.inputs, self.batch_size);
        for (sample, mut column) in x.column_iter_mut().enumerate() {
            let mut uniform = key.fold_in(label("inputs")).stream(sample as u64);
            column.iter_mut().for_each(|x| *x = 2.0 * uniform.uniform() - 1.0);
        }
        let mut y = DMatrix::zeros(job.shape.outputs, self.batch_size);
        let matrix = Weights::new(&weights, job.shape.outputs, job.shape.inputs);
        let draws = SampleKeys::new(key.fold_in(label("products")));
        job.mvm.multiply(matrix, &x.as_view(), &mut y.as_view_mut(), draws)?;
        let error = y - target * &x;
        // The transpose of E Xᵀ, column by column: rows of weights.
        let gradient = x * error.transpose() * (3.0 / self.batch_size as f32);
        Ok(gradient.as_slice().to_vec())
    }

    /// Pulses that change conductances by the `gradient` times `rate`, which is in steps.
    fn counts(&self, gradient: &[f32], rate: f32) -> Vec<i32> {
        let most = self.max_pulses_per_iteration as f32;
        gradient.iter().map(|g| (g * rate).round_ties_even().clamp(-most, most) as i32).collect()
    }
}

/// c_s/Σ c² (µS per unit of weight) of every slice; 0 for those that all outputs share. Weights are linear in conductances.
fn shares(job: &Job<'_>) -> Vec<f32> {
    let n = job.targets.len();
    let weight = |g: &[f32]| job.converter.weight(g, job.gain);
    let none = weight(&vec![0.0; n]);
    let slope = |i| {
        let one: Vec<f32> = (0..n).map(|j| if i == j { 1.0 } else { 0.0 }).collect();
        if job.converter.is_shared(i) { 0.0 } else { weight(&one) - none }
    };
    let slopes: Vec<f32> = (0..n).map(slope).collect();
    let squares: f32 = slopes.iter().map(|c| c * c).sum();
    slopes.iter().map(|c| c / squares).collect()
}

#[cfg(test)]
#[path = "gradient_descent_tests.rs"]
mod tests;
