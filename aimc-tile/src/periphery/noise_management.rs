//! Noise management: scales a vector into the range of the DAC, so that small signals are not lost in noise.
//!
//! The array sees x/α, the result is multiplied by α. Output noise thus becomes proportional to α (Gokmen, Onen &
//! Haensch 2017, Front. Neurosci. 11:538, doi:10.3389/fnins.2017.00538). With θ = `nm_thres` (0: no limit):
//!
//! | type | α |
//! |---|---|
//! | `None` | 1 |
//! | `AbsMax` | max \|x\|, at most θ |
//! | `Max` | max x, at most θ: for signals without a sign; max \|x\| where nothing is above 0 |
//! | `Constant` | θ, or 1 where that is 0 |
//! | `AbsMaxNPSum` | a = max \|x\|, at most θ; raised to S·w/`out_bound`, but not above a·`max_bm_res`/Δ |
//! | `AverageAbsMax` | running mean of max \|x\| over the vectors that the tile has seen |
//!
//! `AbsMaxNPSum` keeps the output within range even if all weights are w = `nm_assumed_wmax`: S is the larger of the
//! sums of positive and of negative inputs, Δ the step of the DAC. The running mean starts with the first vector and
//! follows m ← (1 - `nm_decay`)·m + `nm_decay`·max |x|, vector after vector, forward and backward alike.
//!
//! A vector with α ≤ 0 carries no signal: its outputs are exactly 0.

use std::sync::{Mutex, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::state::{State, StateError, StatePart};

use crate::periphery::io::IoConfig;
use crate::periphery::quantiser::step;
use crate::signals::largest_size;

/// How α follows from the input vector, see the [module](self).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NoiseManagement {
    /// α = 1.
    None,
    /// The largest size.
    #[default]
    AbsMax,
    /// The largest value.
    Max,
    /// A fixed scale.
    Constant,
    /// The largest size, raised such that no output exceeds the range.
    AbsMaxNPSum,
    /// Running mean of the largest size.
    AverageAbsMax,
}

/// The rule by which a vector is scaled, after validation.
#[derive(Clone, Copy, Debug)]
pub struct Scaling {
    kind: NoiseManagement,
    threshold: f32,
    /// Largest size of an input over the largest sum that the outputs can bear.
    sum_factor: f32,
    /// Largest factor by which α is raised.
    most: f32,
    decay: f32,
    zero_without_positive: bool,
}

impl Scaling {
    /// The rule of these circuits.
    #[must_use]
    pub fn new(io: &IoConfig) -> Self {
        let dac_step = step(io.inp_res, io.inp_bound);
        let out_bound = if io.out_bound > 0.0 { io.out_bound } else { 1.0 };
        Self {
            kind: io.noise_management,
            threshold: io.nm_thres,
            sum_factor: io.nm_assumed_wmax / out_bound,
            most: if dac_step > 0.0 { io.max_bm_res / dac_step } else { f32::INFINITY },
            decay: io.nm_decay,
            zero_without_positive: io.nm_max_zeroes_negative,
        }
    }

    fn limited(&self, scale: f32) -> f32 {
        if self.threshold > 0.0 { scale.min(self.threshold) } else { scale }
    }

    /// The scale α of one vector; 0 or below where it carries no signal. Only `AverageAbsMax` uses `average`.
    #[must_use]
    pub fn of(&self, x: &[f32], average: &RunningScale) -> f32 {
        match self.kind {
            NoiseManagement::None => 1.0,
            NoiseManagement::AbsMax => self.limited(largest_size(x)),
            NoiseManagement::Max => {
                let largest = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let signed = largest > 0.0 || self.zero_without_positive;
                self.limited(if signed { largest } else { largest_size(x) })
            }
            NoiseManagement::Constant if self.threshold > 0.0 => self.threshold,
            NoiseManagement::Constant => 1.0,
            NoiseManagement::AbsMaxNPSum => self.worst_case(x),
            NoiseManagement::AverageAbsMax => average.follow(largest_size(x), self.decay),
        }
    }

    /// The scale of `AbsMaxNPSum`, to which bound management resorts, too; without noise management it is 1.
    #[must_use]
    pub fn worst_case(&self, x: &[f32]) -> f32 {
        if self.kind == NoiseManagement::None {
            return 1.0;
        }
        let size = self.limited(largest_size(x));
        let sum = |sign: f32| x.iter().map(|x| (sign * x).max(0.0)).sum::<f32>();
        let needed = sum(1.0).max(sum(-1.0)) * self.sum_factor;
        size.max(needed.min(size * self.most))
    }
}

/// The running mean of `AverageAbsMax`: the one thing of a tile that a read changes.
///
/// Vectors count in the order in which they are read, so the reads of one tile must not run concurrently if results
/// are to be reproducible; within a call the order is that of the samples, at any number of threads.
#[derive(Debug, Default)]
pub struct RunningScale(Mutex<Option<f32>>);

impl RunningScale {
    /// The mean so far, if any vector has been seen.
    #[must_use]
    pub fn mean(&self) -> Option<f32> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a vector into account; gives the new mean.
    fn follow(&self, size: f32, decay: f32) -> f32 {
        let mut mean = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = mean.map_or(size, |mean| (1.0 - decay) * mean + decay * size);
        *mean = Some(next);
        next
    }

    /// For a checkpoint.
    pub(crate) fn state(&self) -> State {
        let mut state = State::default();
        state.put("mean", self.mean().map_or(Vec::new(), |mean| vec![mean]));
        state
    }

    /// Takes over what [`RunningScale::state`] gave.
    pub(crate) fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        let mean = state.floats("mean", 1).map(|mean| mean[0]).ok();
        if mean.is_none() {
            state.floats("mean", 0)?;
        }
        *self = Self(Mutex::new(mean));
        Ok(())
    }
}

impl Clone for RunningScale {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.mean()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [f32; 4] = [0.5, -2.0, 1.0, 0.25];

    fn scale(kind: NoiseManagement, nm_thres: f32, x: &[f32]) -> f32 {
        let io = IoConfig {
            noise_management: kind,
            nm_thres,
            out_bound: 1.2,
            inp_res: 1.0 / 128.0,
            ..IoConfig::default()
        };
        Scaling::new(&io).of(x, &RunningScale::default())
    }

    /// α = 1; max |x| or max x, at most θ; θ, or 1 for θ = 0; max |x| raised to S·w/`out_bound`, at most `max_bm_res`/Δ times.
    #[test]
    fn scales_by_hand() {
        use NoiseManagement as Nm;
        for (kind, free, limited) in
            [(Nm::None, 1.0, 1.0), (Nm::AbsMax, 2.0, 0.75), (Nm::Max, 1.0, 0.75), (Nm::Constant, 1.0, 0.75)]
        {
            assert_eq!((scale(kind, 0.0, &X), scale(kind, 0.75, &X)), (free, limited), "{kind:?}");
        }
        // Sums 1.75 and 2: the larger times 0.6/1.2 is below max |x|; ten times as many inputs are above.
        assert_eq!(scale(Nm::AbsMaxNPSum, 0.0, &X), 2.0);
        assert_eq!(scale(Nm::AbsMaxNPSum, 0.0, &X.repeat(10)), 10.0);
        // At most a·0.25·64 = 16·a.
        assert_eq!(scale(Nm::AbsMaxNPSum, 0.0, &X.repeat(100)), 32.0);
    }

    /// max x ≤ 0: α = max |x|, or no output with nm_max_zeroes_negative.
    #[test]
    fn vectors_without_positive_inputs_are_scaled_by_size_or_vanish() {
        assert_eq!(scale(NoiseManagement::Max, 0.0, &[-1.0, -2.0]), 2.0);
        let io = IoConfig {
            noise_management: NoiseManagement::Max,
            nm_max_zeroes_negative: true,
            ..IoConfig::default()
        };
        assert_eq!(Scaling::new(&io).of(&[-1.0, -2.0], &RunningScale::default()), -1.0);
    }

    /// m₁ = max |x₁|, mₜ = mₜ₋₁(1 - d) + d·max |xₜ|, here with d = ½.
    #[test]
    fn the_running_mean_starts_with_the_first_vector() {
        let io = IoConfig {
            noise_management: NoiseManagement::AverageAbsMax,
            nm_decay: 0.5,
            ..IoConfig::default()
        };
        let (rule, mean) = (Scaling::new(&io), RunningScale::default());
        assert_eq!([1.0, 3.0, 0.0].map(|x| rule.of(&[x], &mean)), [1.0, 2.0, 1.0]);
        let mut restored = RunningScale::default();
        restored.restore(&mean.state().root()).unwrap();
        assert_eq!(restored.mean(), Some(1.0));
    }
}
