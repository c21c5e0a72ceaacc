//! The programming event: weights become conductances and drift exponents that stay for life.

use nalgebra::DMatrix;

use aimc_device::RngKey;
use aimc_device::error::require;
use aimc_device::parallel;
use aimc_device::programmed::{ProgrammedArray, ProgrammedDevice, ProgrammedDeviceConfig};
use aimc_device::rng::label;
use aimc_tile::matmul::Weights;
use aimc_tile::{AnalogMvm, Shape, by_rows, check_lines};

use crate::compensation::{Compensation, Readout, Recalibration};
use crate::config::{DriftConversion, InferenceTileConfig};
use crate::converter::{Converter, ConverterConfig, Gain, to_conductances};
use crate::error::InferenceError;
use crate::programming::{Job, ProgrammingReport};

/// One array right after programming. To be read it needs a time, see [`ProgrammedTile::at`].
///
/// Its weights are those on the array; what lies around it is in [`matrix`](crate::matrix).
///
/// ```
/// use aimc_device::RngKey;
/// use aimc_infer::{InferenceTileConfig, ProgrammedTile};
/// use nalgebra::DMatrix;
/// let weights = DMatrix::from_row_slice(2, 2, &[1.0, -0.5, 0.0, 0.25]);
/// let tile = ProgrammedTile::program(&weights, &InferenceTileConfig::default(), RngKey::root(1))?;
/// // Two devices per weight: at 25 µS per unit the targets of the positive ones were 25, 0, 0, 6.25 µS.
/// assert_eq!(tile.gain(), 25.0);
/// assert!((tile.slices()[0].conductances()[0] - 25.0).abs() < 7.0 * 1.06);
/// # Ok::<(), aimc_infer::InferenceError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ProgrammedTile {
    pub(crate) shape: Shape,
    pub(crate) device: ProgrammedDeviceConfig,
    pub(crate) converter: ConverterConfig,
    pub(crate) mvm: AnalogMvm,
    pub(crate) compensation: Compensation,
    pub(crate) recalibration: Recalibration,
    /// From which read-outs at instants of their own draw.
    pub(crate) recalibration_key: RngKey,
    report: ProgrammingReport,
    /// Weights right after programming, row by row.
    programmed: Vec<f32>,
    slices: Vec<ProgrammedArray>,
    pub(crate) gain: Gain,
    pub(crate) baseline: Readout,
}

impl ProgrammedTile {
    /// Validates, then programs `weights`, outputs x inputs, into devices; `periphery` and `slices` have no part in it.
    ///
    /// The same key programs the same devices, whatever `forward` (unless the procedure reads products), `compensation`,
    /// `recalibration` and `drift_conversion` are.
    pub fn program(
        weights: &DMatrix<f32>,
        config: &InferenceTileConfig,
        key: RngKey,
    ) -> Result<Self, InferenceError> {
        config.validate()?;
        parallel::at_once(weights.len(), || Self::with_valid(weights, config, key))
    }

    /// The same with a record that has been validated.
    fn with_valid(
        weights: &DMatrix<f32>,
        config: &InferenceTileConfig,
        key: RngKey,
    ) -> Result<Self, InferenceError> {
        let shape = check_matrix(weights)?;
        let values = by_rows(weights);
        let (device, converter) = (&config.device, &config.converter);
        let gain = converter.gain(&values, device.g_max());
        let targets = device_targets(converter, &values, gain, device.g_max(), shape);
        let mvm = AnalogMvm::forward(&config.forward, shape, key.fold_in(label("circuits")))?;
        let job = Job { device, converter, gain, mvm: &mvm, shape, weights: &values, targets: &targets };
        let (slices, programmed, report) = config.programming.write(&job, key)?;
        let (slices, gain) = match config.drift_conversion {
            DriftConversion::Physical => (slices, gain),
            DriftConversion::Reconverted => reconvert(config, &programmed, &slices, shape),
        };
        let matrix = Weights::new(&programmed, shape.outputs, shape.inputs);
        let target = Weights::new(&values, shape.outputs, shape.inputs);
        let baseline = config.compensation.baseline(&mvm, target, matrix, key.fold_in(label("baseline")))?;
        Ok(Self {
            shape,
            device: device.clone(),
            converter: converter.clone(),
            mvm,
            compensation: config.compensation,
            recalibration: config.recalibration.clone(),
            recalibration_key: key.fold_in(label("recalibration")),
            report,
            programmed,
            slices,
            gain,
            baseline,
        })
    }

    /// Size of the weight matrix.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The weights right after programming, without drift and read noise: outputs x inputs.
    #[must_use]
    pub fn programmed_weights(&self) -> DMatrix<f32> {
        DMatrix::from_row_slice(self.shape.outputs, self.shape.inputs, &self.programmed)
    }

    /// What programming has reached and cost.
    #[must_use]
    pub fn report(&self) -> &ProgrammingReport {
        &self.report
    }

    /// The devices, one array per slice of the converter: where drift starts, and with which exponents.
    #[must_use]
    pub fn slices(&self) -> &[ProgrammedArray] {
        &self.slices
    }

    /// µS per unit of weight on the tile, in [`ProgrammedTile::slices`].
    #[must_use]
    pub fn gain(&self) -> f32 {
        self.gain.scale
    }
}

/// Refuses what is no matrix of finite numbers; its shape.
pub(crate) fn check_matrix(weights: &DMatrix<f32>) -> Result<Shape, InferenceError> {
    let shape = Shape { outputs: weights.nrows(), inputs: weights.ncols() };
    require::at_least_one("outputs", shape.outputs)?;
    require::at_least_one("inputs", shape.inputs)?;
    check_lines("weights", &weights.as_view(), shape.outputs, shape.inputs)?;
    Ok(shape)
}

/// The targets of all devices: of slices that all outputs share, one row.
pub(crate) fn device_targets(
    converter: &ConverterConfig,
    weights: &[f32],
    gain: Gain,
    g_max: f32,
    shape: Shape,
) -> Vec<Vec<f32>> {
    let mut targets = to_conductances(converter, weights, gain, g_max);
    for (i, slice) in targets.iter_mut().enumerate() {
        if converter.is_shared(i) {
            slice.truncate(shape.inputs);
        }
    }
    targets
}

/// [`DriftConversion::Reconverted`]: new conductances from the programmed weights, and the gain they have.
fn reconvert(
    config: &InferenceTileConfig,
    programmed: &[f32],
    slices: &[ProgrammedArray],
    shape: Shape,
) -> (Vec<ProgrammedArray>, Gain) {
    let g_max = config.device.g_max();
    let gain = config.converter.gain(programmed, g_max);
    let conductances = device_targets(&config.converter, programmed, gain, g_max, shape);
    let arrays = conductances.into_iter().zip(slices).map(|(conductances, slice)| {
        ProgrammedArray::from_parts(conductances, slice.drift_exponents().to_vec(), shape.inputs)
    });
    (arrays.collect(), gain)
}

/// The address of the draws of one slice.
pub(crate) fn slice_key(key: RngKey, slice: usize) -> RngKey {
    key.fold_in(label("slice")).fold_in(slice as u64)
}

#[cfg(test)]
#[path = "program_tests.rs"]
pub(crate) mod tests;
