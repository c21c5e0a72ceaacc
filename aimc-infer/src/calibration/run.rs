//! The calibration of a whole network.

use std::ops::Range;

use nalgebra::DVector;

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_nn::{Dataset, Linear, Network};
use aimc_tile::{IdealTile, MatVec, ReadOut, SampleKeys};

use super::inputs::{MatrixInputs, TileInputs, Watched, watch};
use super::test_bench::{Ranges, TestBench};
use super::{Calibration, CalibrationConfig, MatrixCalibration, Through, TileCalibration};
use crate::config::InferenceTileConfig;
use crate::error::{EvaluationError, InferenceError};
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
    tile.validate().map_err(|error| error.within("tile"))?;
    plan.validate()?;
    plan.check_tile(tile)?;
    let wanted = if plan.samples == 0 { data.len() } else { plan.samples.min(data.len()) };
    // The range is not empty and within the data, so that nothing can be refused.
    let samples = data.range(0..wanted).unwrap_or_else(|_| data.clone());
    let mut run = Run { network, tile, plan, key, batch_size, samples, found: Calibration::default() };
    match plan.through {
        Through::Exact => run.through_exact_tiles()?,
        Through::Analog => run.through_analog_tiles()?,
    }
    Ok(run.found)
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

    /// Nothing seen yet, for the groups of input lines of `arrays`.
    fn unseen<U>(&self, arrays: &Arrays<U>) -> MatrixInputs {
        let mut inputs = MatrixInputs::new();
        for lines in arrays.input_lines() {
            if inputs.iter().all(|(known, _)| *known != lines) {
                inputs.push((lines, TileInputs::new(&self.plan.input, self.plan.vectors)));
            }
        }
        inputs
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
            let inputs = self.unseen(&self.arrays(name, linear)?);
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
            let unseen = self.unseen(&self.arrays(wanted, linear)?);
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
        let arrays = self.arrays(name, linear)?;
        let bounds: Vec<_> = linear.tile.settings().iter().map(|settings| settings.out_bound).collect();
        let key = self.key.fold_in(label(name));
        let tiles = arrays.tiles().zip(arrays.input_lines()).zip(0_u64..).map(|((tile, lines), i)| {
            let at = inputs.iter().find(|(known, _)| *known == lines);
            let unseen = TileInputs::new(&self.plan.input, 0);
            let seen = at.map_or(&unseen, |(_, inputs)| inputs);
            let vectors = seen.cache().len();
            let x =
                if vectors == 0 { nalgebra::DMatrix::zeros(lines.len(), 0) } else { seen.cache().matrix() };
            let bench = TestBench::new(tile, &self.tile.forward, x, key.fold_in(i))?;
            let before = bench.present(bounds.get(i as usize).copied().flatten());
            let after = self.ranges(&bench, seen, before)?;
            Ok(TileCalibration {
                before,
                after,
                error_before: bench.error(before)?,
                error_after: bench.error(after)?,
                vectors,
            })
        });
        let tiles: Result<Vec<_>, InferenceError> = tiles.collect();
        let tiles = tiles.map_err(|source| EvaluationError::Tile { name: name.to_owned(), source })?;
        self.found.matrices.push(MatrixCalibration { name: name.to_owned(), tiles });
        Ok(())
    }

    /// The ranges of one tile; those before where nothing was seen.
    fn ranges(
        &self,
        bench: &TestBench<'_>,
        seen: &TileInputs,
        before: Ranges,
    ) -> Result<Ranges, InferenceError> {
        let input = before.input.map(|range| seen.range(&self.plan.input).unwrap_or(range));
        let mut after = Ranges { input, ..before };
        if let Some(adc) = &self.plan.adc {
            after.output = adc.range(bench, after)?.unwrap_or(before.output);
        }
        match &self.plan.joint {
            Some(joint) if !seen.cache().is_empty() => joint.best(bench, &[before, after]),
            _ => Ok(after),
        }
    }
}
