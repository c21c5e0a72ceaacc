//! What a programmed array has become after some time: a matrix that can be read, and only read.

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_tile::matmul::Weights;
use aimc_tile::{AnalogMvm, IoConfig, MatVec, SampleKeys, Shape, TileError, scale_lines};

use crate::compensation::recalibration::Valid;
use crate::compensation::{Compensation, CompensationReads};
use crate::converter::to_weights;
use crate::error::InferenceError;
use crate::program::{ProgrammedTile, check_matrix, slice_key};

impl ProgrammedTile {
    /// The tile `t_seconds` after programming: its devices have drifted and are read once, with fresh noise.
    ///
    /// Drift compensation uses the factor of the last readout ([`Recalibration`](crate::Recalibration)), by default one of
    /// the tile as it is then. Different keys are different reads of the same devices.
    pub fn at(&self, t_seconds: f32, key: RngKey) -> Result<InferenceTile, InferenceError> {
        if !(t_seconds.is_finite() && t_seconds >= 0.0) {
            return Err(InferenceError::Time(t_seconds));
        }
        let weights = self.read_devices(t_seconds, key);
        let alpha = match self.recalibration.valid_at(t_seconds) {
            Valid::Now => self.factors(&weights, key)?,
            Valid::Since(instant) => self.factors_since(instant)?,
            // The baseline was read just then; only an exact reference was not.
            Valid::None if self.compensation == Compensation::GlobalWithExactReference => {
                self.factors_since(0.0)?
            }
            Valid::None => vec![1.0; self.shape.outputs],
        };
        Ok(InferenceTile { shape: self.shape, weights, mvm: self.mvm.clone(), alpha })
    }

    /// Products that drift compensation costs until `t_seconds` after programming.
    #[must_use]
    pub fn compensation_reads(&self, t_seconds: f32) -> CompensationReads {
        let per_readout = self.compensation.reads_per_calibration(self.shape.inputs) as u64;
        let first = self.compensation == Compensation::GlobalWithExactReference
            && self.recalibration.valid_at(0.0) == Valid::None;
        let readouts = self.recalibration.readouts_until(t_seconds).map(|n| n + u64::from(first));
        let baseline = self.compensation.reads_for_baseline(self.shape.inputs) as u64;
        CompensationReads { baseline, per_readout, readouts }
    }

    /// The weights as one read of all devices finds them.
    fn read_devices(&self, t_seconds: f32, key: RngKey) -> Vec<f32> {
        let slices = self.slices().iter().enumerate();
        let read: Vec<_> =
            slices.map(|(i, array)| array.read(&self.device, t_seconds, slice_key(key, i))).collect();
        to_weights(&self.converter, &read, self.gain)
    }

    /// The factors that a readout of the devices as they hold `weights` gives.
    fn factors(&self, weights: &[f32], key: RngKey) -> Result<Vec<f32>, InferenceError> {
        let matrix = Weights::new(weights, self.shape.outputs, self.shape.inputs);
        let now = self.compensation.read_out(&self.mvm, matrix, key.fold_in(label("readout")))?;
        Ok(self.baseline.factors(&now))
    }

    /// The factors that were read out at `instant`; the same for every later read.
    fn factors_since(&self, instant: f32) -> Result<Vec<f32>, InferenceError> {
        if self.compensation == Compensation::None {
            return Ok(vec![1.0; self.shape.outputs]);
        }
        let key = self.recalibration_key.fold_in(u64::from((instant + 0.0).to_bits()));
        self.factors(&self.read_devices(instant, key), key)
    }
}

/// A programmed array at one moment: y = α·tile(x), with the tile's own circuits and noise.
///
/// It is a [`MatVec`] and nothing more: it cannot be updated.
///
/// ```
/// use aimc_device::RngKey;
/// use aimc_infer::{InferenceTile, InferenceTileConfig, ProgrammedTile};
/// use aimc_tile::{MatVec, SampleKeys};
/// use nalgebra::DMatrix;
/// let key = RngKey::root(1);
/// let weights = DMatrix::from_row_slice(1, 2, &[1.0, -0.5]);
/// let tile = ProgrammedTile::program(&weights, &InferenceTileConfig::default(), key)?;
/// let a_day: InferenceTile = tile.at(86_400.0, key)?;
/// let (x, mut y) = (DMatrix::from_element(2, 1, 1.0), DMatrix::zeros(1, 1));
/// a_day.forward(x.as_view(), y.as_view_mut(), SampleKeys::new(key))?;
/// assert!((y[0] - 0.5_f32).abs() < 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// ```compile_fail,E0277
/// fn learns<T: aimc_tile::Tile>() {}
/// learns::<aimc_infer::InferenceTile>();
/// ```
///
/// ```compile_fail,E0599
/// use aimc_infer::InferenceTile;
/// use aimc_tile::{SampleKeys, Tile};
/// use nalgebra::DMatrixView;
/// fn update(tile: &mut InferenceTile, x: DMatrixView<f32>, d: DMatrixView<f32>, draws: SampleKeys) {
///     tile.update(x, d, 0.1, draws);
/// }
/// ```
#[derive(Clone, Debug)]
pub struct InferenceTile {
    shape: Shape,
    /// As read, row by row, before α.
    weights: Vec<f32>,
    mvm: AnalogMvm,
    alpha: Vec<f32>,
}

impl InferenceTile {
    /// An array whose devices hold `weights`, outputs x inputs, exactly and forever: its circuits make all errors.
    pub fn with_ideal_devices(
        weights: &DMatrix<f32>,
        forward: &IoConfig,
        key: RngKey,
    ) -> Result<Self, InferenceError> {
        let shape = check_matrix(weights)?;
        Ok(Self {
            shape,
            weights: weights.transpose().as_slice().to_vec(),
            mvm: AnalogMvm::forward(forward, shape, key.fold_in(label("circuits")))?,
            alpha: vec![1.0; shape.outputs],
        })
    }

    /// What the converters see of the products with `x`, inputs x batch, see [`AnalogMvm::currents`].
    pub fn currents(&self, x: DMatrixView<f32>, draws: SampleKeys) -> Result<DMatrix<f32>, TileError> {
        let weights = Weights::new(&self.weights, self.shape.outputs, self.shape.inputs);
        self.mvm.currents(weights, &x, draws)
    }

    /// The weights as read, without drift compensation: outputs x inputs.
    #[must_use]
    pub fn weights(&self) -> DMatrix<f32> {
        DMatrix::from_row_slice(self.shape.outputs, self.shape.inputs, &self.weights)
    }

    /// The same with drift compensation: each output times its α.
    #[must_use]
    pub fn compensated_weights(&self) -> DMatrix<f32> {
        let mut weights = self.weights();
        weights.row_iter_mut().zip(&self.alpha).for_each(|(mut row, alpha)| row *= *alpha);
        weights
    }

    /// The drift compensation factor α of every output.
    #[must_use]
    pub fn alpha(&self) -> &[f32] {
        &self.alpha
    }
}

impl MatVec for InferenceTile {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn forward(
        &self,
        x: DMatrixView<f32>,
        mut y: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        let weights = Weights::new(&self.weights, self.shape.outputs, self.shape.inputs);
        self.mvm.multiply(weights, &x, &mut y, draws)?;
        scale_lines(&mut y, &self.alpha);
        Ok(())
    }
}

#[cfg(test)]
#[path = "timeline_tests.rs"]
mod tests;
