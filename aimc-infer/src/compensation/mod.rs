//! Drift compensation: one digital factor that undoes what all devices have lost together.
//!
//! Right after programming and again at time t the tile is read with one-hot vectors, through all its circuits;
//! the ratio α of the two readouts multiplies the outputs, after all scales and before the digital bias. The
//! readout has its own random draws. One file per scheme; [`recalibration`] says when it happens.

pub mod exact_reference;
pub mod global;
pub mod per_column;
pub mod recalibration;

use std::fmt;

use pulp::Arch;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::RngKey;
use aimc_tile::matmul::Weights;
use aimc_tile::{AnalogMvm, SampleKeys, TileError};

pub use recalibration::{CompensationReads, Recalibration};

/// How drift is compensated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Compensation {
    /// Not at all: α = 1.
    None,
    /// One factor for the whole tile, see [`global`].
    #[default]
    Global,
    /// One factor for the whole tile, which brings it back to the exact weights, see [`exact_reference`].
    GlobalWithExactReference,
    /// One factor per output, see [`per_column`].
    PerColumn,
}

impl fmt::Display for Compensation {
    /// As people say it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "no compensation",
            Self::Global => "global compensation",
            Self::GlobalWithExactReference => "global compensation with exact reference",
            Self::PerColumn => "compensation per column",
        })
    }
}

/// What a readout found: one number per output.
#[derive(Clone, Debug, PartialEq)]
pub struct Readout(Vec<f32>);

impl Readout {
    /// The factor α of every output that brings the readout `now` back to this one.
    #[must_use]
    pub fn factors(&self, now: &Self) -> Vec<f32> {
        self.0.iter().zip(&now.0).map(|(baseline, now)| baseline / now).collect()
    }
}

impl Compensation {
    /// What later readouts are compared with, right after programming `target`, which gave `programmed`.
    pub fn baseline(
        self,
        mvm: &AnalogMvm,
        target: Weights<'_>,
        programmed: Weights<'_>,
        key: RngKey,
    ) -> Result<Readout, TileError> {
        if self == Self::GlobalWithExactReference {
            return Ok(Readout(vec![exact_reference::readout(target); target.outputs()]));
        }
        self.read_out(mvm, programmed, key)
    }

    /// Products of the array that one readout costs; the tile does nothing else meanwhile.
    #[must_use]
    pub fn reads_per_calibration(self, inputs: usize) -> usize {
        if self == Self::None { 0 } else { inputs }
    }

    /// Products that the baseline costs, once per programming event.
    #[must_use]
    pub fn reads_for_baseline(self, inputs: usize) -> usize {
        if self == Self::GlobalWithExactReference { 0 } else { self.reads_per_calibration(inputs) }
    }

    /// Reads out a tile of these circuits and weights.
    pub fn read_out(self, mvm: &AnalogMvm, weights: Weights<'_>, key: RngKey) -> Result<Readout, TileError> {
        let outputs = weights.outputs();
        Ok(Readout(match self {
            Self::None => vec![1.0; outputs],
            Self::PerColumn => per_column::readout(&mean_responses(mvm, weights, key)?),
            Self::Global | Self::GlobalWithExactReference => {
                vec![global::readout(&mean_responses(mvm, weights, key)?); outputs]
            }
        }))
    }
}

/// Mean |y| of every output over all one-hot inputs.
fn mean_responses(mvm: &AnalogMvm, weights: Weights<'_>, key: RngKey) -> Result<Vec<f64>, TileError> {
    let (outputs, inputs) = (weights.outputs(), weights.inputs());
    let sums = mvm.read_each_line(weights, SampleKeys::new(key), |y| {
        let mut sums = vec![0.0; outputs];
        Arch::new().dispatch(|| {
            for responses in y.as_slice().chunks(outputs) {
                sums.iter_mut().zip(responses).for_each(|(sum, y)| *sum += f64::from(y.abs()));
            }
        });
        sums
    })?;
    let mean = |output: usize| sums.iter().map(|sums| sums[output]).sum::<f64>() / inputs as f64;
    Ok((0..outputs).map(mean).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_tile::{IoConfig, Shape};
    use nalgebra::DMatrix;

    /// Every output's mean |y| over a product of the whole array with all one-hot vectors, whether the circuits let single lines be
    /// read as if there were no others or not.
    #[test]
    fn lines_are_read_as_in_the_whole_array() {
        let (shape, key) = (Shape { outputs: 7, inputs: 31 }, RngKey::root(3));
        let values: Vec<f32> = (0..7 * 31).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0).collect();
        let weights = Weights::new(&values, 7, 31);
        for inp_noise in [0.0, 0.1] {
            let io = IoConfig { inp_noise, out_noise: 0.1, ..IoConfig::default() };
            let mvm = AnalogMvm::forward(&io, shape, key).unwrap();
            assert_eq!(mvm.reads_lines_alone(), inp_noise == 0.0);
            let (x, mut y) = (DMatrix::identity(31, 31), DMatrix::zeros(7, 31));
            mvm.multiply(weights, &x.as_view(), &mut y.as_view_mut(), SampleKeys::new(key)).unwrap();
            let mut sums = [0.0; 7];
            for y in y.column_iter() {
                sums.iter_mut().zip(y.iter()).for_each(|(sum, y)| *sum += f64::from(y.abs()));
            }
            assert_eq!(mean_responses(&mvm, weights, key).unwrap(), sums.map(|sum| sum / 31.0));
        }
    }
}
