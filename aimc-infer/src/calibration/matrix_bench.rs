//! The tiles of one matrix on the bench, whatever network it belongs to.

use std::ops::Range;

use nalgebra::DMatrix;

use aimc_device::RngKey;
use aimc_tile::{IdealTile, TileSettings};

use super::inputs::TileInputs;
use super::test_bench::{Ranges, TestBench};
use super::{CalibrationConfig, MatrixCalibration, TileCalibration};
use crate::config::InferenceTileConfig;
use crate::error::{EvaluationError, InferenceError};
use crate::matrix::Arrays;

/// A matrix whose inputs have been seen.
pub(crate) struct MatrixBench<'a> {
    pub(crate) name: &'a str,
    /// Its tiles, with ideal devices.
    pub(crate) arrays: &'a Arrays<IdealTile>,
    /// What its circuits know so far.
    pub(crate) settings: &'a [TileSettings],
}

impl MatrixBench<'_> {
    /// Finds the ranges of all tiles; `inputs` are those of the groups of input lines.
    pub(crate) fn calibrate(
        &self,
        (tile, plan): (&InferenceTileConfig, &CalibrationConfig),
        inputs: &[(Range<usize>, TileInputs)],
        key: RngKey,
    ) -> Result<MatrixCalibration, EvaluationError> {
        let places = self.arrays.tiles().zip(self.arrays.input_lines()).enumerate();
        let tiles = places.map(|(i, (array, lines))| {
            let at = inputs.iter().find(|(known, _)| *known == lines);
            let unseen = TileInputs::new(&plan.input, 0);
            let seen = at.map_or(&unseen, |(_, inputs)| inputs);
            let vectors = seen.cache().len();
            let x = if vectors == 0 { DMatrix::zeros(lines.len(), 0) } else { seen.cache().matrix() };
            let bench = TestBench::new(array, &tile.forward, x, key.fold_in(i as u64))?;
            let before = bench.present(self.settings.get(i).and_then(|settings| settings.out_bound));
            let after = ranges(plan, &bench, seen, before)?;
            let (error_before, error_after) = (bench.error(before)?, bench.error(after)?);
            Ok(TileCalibration { before, after, error_before, error_after, vectors })
        });
        let tiles: Result<Vec<_>, InferenceError> = tiles.collect();
        let tiles = tiles.map_err(|source| EvaluationError::Tile { name: self.name.to_owned(), source })?;
        Ok(MatrixCalibration { name: self.name.to_owned(), tiles })
    }
}

/// The ranges of one tile; those before where nothing was seen.
fn ranges(
    plan: &CalibrationConfig,
    bench: &TestBench<'_>,
    seen: &TileInputs,
    before: Ranges,
) -> Result<Ranges, InferenceError> {
    let input = before.input.map(|range| seen.range(&plan.input).unwrap_or(range));
    let mut after = Ranges { input, ..before };
    if let Some(adc) = &plan.adc {
        after.output = adc.range(bench, after)?.unwrap_or(before.output);
    }
    match &plan.joint {
        Some(joint) if !seen.cache().is_empty() => joint.best(bench, &[before, after]),
        _ => Ok(after),
    }
}
