//! The calibration of a whole network.

use std::ops::Range;

use nalgebra::DVector;

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_nn::{Dataset, Linear, Network};
use aimc_tile::{IdealTile, MatVec, ReadOut, SampleKeys};

use super::inputs::{TileInputs, Watched, unseen, watch};
use super::matrix_bench::MatrixBench;
use super::{Calibration, CalibrationConfig, Through};
use crate::config::InferenceTileConfig;
use crate::error::EvaluationError;
use crate::matrix::{Arrays, ideal_arrays};
use crate::network::{BATCH, network_at, place_bias, program_network};
use crate::settings::with_settings;

/// Finds the ranges of all tiles that `network` would have with the configuration `tile`, on samples of `data`: not the test data.
///
/// ```
/// use aimc_device::RngKey;
/// use aimc_infer::calibration::{CalibrationConfig, InputRule, calibrate};
/// use aimc_infer::{InferenceTileConfig, program_network, with_settings};
/// use aimc_nn::{Activation, Dataset, NetworkConfig};
/// use aimc_tile::IdealTile;
/// use nalgebra::DMatrix;
/// let network = NetworkConfig::mlp(&[2, 3], Activation::Tanh)
///     .build(RngKey::root(1), |place| IdealTile::new(place.shape))?;
/// let data = Dataset::new(DMatrix::from_row_slice(2, 2, &[0.5, -2.5, 1.0, 0.0]), vec![0, 1], 3)?;
/// let mut chip = InferenceTileConfig::default();
/// chip.periphery.input_range.enable = true;
/// let plan = CalibrationConfig { input: InputRule::Max, ..CalibrationConfig::default() };
/// let found = calibrate(&network, &chip, &data, &plan, RngKey::root(2))?;
/// assert_eq!(found.matrices[0].tiles[0].after.input, Some(2.5));
/// let programmed = program_network(&with_settings(&network, &found.settings())?, &chip, RngKey::root(3))?;
/// # assert_eq!(programmed.tiles().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn calibrate<T: MatVec + ReadOut + Clone>(
    network: &Network<T>,
    tile: &InferenceTileConfig,
    data: &Dataset,
    plan: &CalibrationConfig,
    key: RngKey,
) -> Result<Calibration, EvaluationError> {
    calibrate_in_batches(network, tile, data, plan, (key, BATCH))
}

/// As [`calibrate`], so many samples at a time.
pub(super) fn calibrate_in_batches<T: MatVec + ReadOut + Clone>(
    network: &Network<T>,
    tile: &InferenceTileConfig,
    data: &Dataset,
    plan: &CalibrationConfig,
    (key, batch_size): (RngKey, usize),
) -> Result<Calibration, EvaluationError> {
    let samples = samples(tile, data, plan)?;
    let mut run = Run { network, tile, plan, key, batch_size, samples, found: Calibration::default() };
    match plan.through {
        Through::Exact => run.through_exact_tiles()?,
        Through::Analog => run.through_analog_tiles()?,
    }
    Ok(run.found)
}

/// The samples that `plan` takes of `data`, after everything has been validated.
pub(crate) fn samples(
    tile: &InferenceTileConfig,
    data: &Dataset,
    plan: &CalibrationConfig,
) -> Result<Dataset, EvaluationError> {
    tile.validate().map_err(|error| error.within("tile"))?;
    plan.validate()?;
    plan.check_tile(tile)?;
    let wanted = if plan.samples == 0 { data.len() } else { plan.samples.min(data.len()) };
    // The range is not empty and within the data, so that nothing can be refused.
    Ok(data.range(0..wanted).unwrap_or_else(|_| data.clone()))
}

/// What becomes of a layer that was only looked at.
const VISITED: Linear<()> = Linear { tile: (), bias: None };

/// A calibration on its way.
struct Run<'a, T> {
    network: &'a Network<T>,
    tile: &'a InferenceTileConfig,
    plan: &'a CalibrationConfig,
    key: RngKey,
    batch_size: usize,
    samples: Dataset,
    found: Calibration,
}

impl<T: MatVec + ReadOut + Clone> Run<'_, T> {
    fn draws(&self) -> SampleKeys {
        SampleKeys::new(self.key.fold_in(label("samples")))
    }

    fn arrays(&self, name: &str, linear: &Linear<T>) -> Result<Arrays<IdealTile>, EvaluationError> {
        let (config, on_tile, _) = place_bias(linear, self.tile);
        let (weights, settings) = (linear.tile.weights(), linear.tile.settings());
        let key = self.key.fold_in(label(name));
        ideal_arrays(&weights, on_tile.as_deref(), &settings, &config, key)
            .map_err(|source| EvaluationError::Tile { name: name.to_owned(), source })
    }

    fn through_exact_tiles(&mut self) -> Result<(), EvaluationError> {
        let exact = self.network.try_map(|name, linear| {
            let inputs = unseen(self.plan, &self.arrays(name, linear)?);
            let tile = Watched::new(IdealTile::holding(&linear.tile.weights()), inputs);
            Ok::<_, EvaluationError>(Linear { tile, bias: linear.any_bias().map(DVector::from_vec) })
        })?;
        let mut seen = watch(exact, &self.samples, self.batch_size, self.draws())?;
        let network = self.network;
        network.try_map(|name, linear| {
            let inputs = seen.remove(name).unwrap_or_default();
            self.matrix(name, linear, &inputs)?;
            Ok::<_, EvaluationError>(VISITED)
        })?;
        Ok(())
    }

    fn through_analog_tiles(&mut self) -> Result<(), EvaluationError> {
        let network = self.network;
        network.try_map(|wanted, linear| {
            let so_far = with_settings(self.network, &self.found.settings())?;
            let programmed = program_network(&so_far, self.tile, self.key.fold_in(label("program")))?;
            let analog = network_at(&programmed, 0.0, self.key.fold_in(label("read")))?;
            let unseen = unseen(self.plan, &self.arrays(wanted, linear)?);
            let mut unseen = Some(unseen);
            let watched = analog.try_map_tiles(|name, tile| {
                let inputs = if name == wanted { unseen.take() } else { None };
                Ok::<_, EvaluationError>(Watched::new(tile.clone(), inputs.unwrap_or_default()))
            })?;
            let mut seen = watch(watched, &self.samples, self.batch_size, self.draws())?;
            let inputs = seen.remove(wanted).unwrap_or_default();
            self.matrix(wanted, linear, &inputs)?;
            Ok::<_, EvaluationError>(VISITED)
        })?;
        Ok(())
    }

    /// Calibrates the tiles of one matrix.
    fn matrix(
        &mut self,
        name: &str,
        linear: &Linear<T>,
        inputs: &[(Range<usize>, TileInputs)],
    ) -> Result<(), EvaluationError> {
        let bench =
            MatrixBench { name, arrays: &self.arrays(name, linear)?, settings: &linear.tile.settings() };
        let found = bench.calibrate((self.tile, self.plan), inputs, self.key.fold_in(label(name)));
        self.found.matrices.push(found?);
        Ok(())
    }
}
