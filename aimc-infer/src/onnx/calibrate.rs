//! Calibration of the tiles of a graph, as [`calibrate`](crate::calibrate()) does it for networks of our own layers.

use nalgebra::DMatrix;

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_nn::Dataset;
use aimc_tile::{IdealTile, MatVec};

use super::OnnxClassifier;
use super::classifier::with_digital_biases;
use crate::calibration::inputs::{MatrixInputs, Seen, Watched, taken, unseen};
use crate::calibration::matrix_bench::MatrixBench;
use crate::calibration::run::samples;
use crate::calibration::{Calibration, CalibrationConfig, Through};
use crate::config::InferenceTileConfig;
use crate::error::{EvaluationError, InferenceError};
use crate::matrix::{Arrays, ProgrammedMatrix, ideal_arrays};

impl OnnxClassifier {
    /// Finds the ranges of all tiles that the graph would have with the configuration `tile`, on samples of `data`: not the test data.
    ///
    /// Only full batches are used, because what fills up the last one is no data.
    pub fn calibrate(
        &self,
        tile: &InferenceTileConfig,
        data: &Dataset,
        plan: &CalibrationConfig,
        key: RngKey,
    ) -> Result<Calibration, EvaluationError> {
        let samples = self.full_batches(&samples(tile, data, plan)?, "calibration.samples")?;
        let run = Run { graph: self, tile: with_digital_biases(tile), plan, key, samples };
        match plan.through {
            Through::Exact => run.through_exact_tiles(),
            Through::Analog => run.through_analog_tiles(),
        }
    }
}

/// A matrix of the graph before programming.
struct Matrix {
    name: String,
    weights: DMatrix<f32>,
    arrays: Arrays<IdealTile>,
}

/// A tile, and what it is to show of its inputs.
type Made = (Box<dyn MatVec>, MatrixInputs);

struct Run<'a> {
    graph: &'a OnnxClassifier,
    tile: InferenceTileConfig,
    plan: &'a CalibrationConfig,
    key: RngKey,
    samples: Dataset,
}

impl Run<'_> {
    fn matrices(&self) -> Result<Vec<Matrix>, EvaluationError> {
        let all = self.graph.matrices()?.into_iter().map(|(name, weights)| {
            let (settings, key) = (self.graph.settings_of(&name), self.key.fold_in(label(&name)));
            match ideal_arrays(&weights, None, settings, &self.tile, key) {
                Ok(arrays) => Ok(Matrix { name, weights, arrays }),
                Err(source) => Err(EvaluationError::Tile { name, source }),
            }
        });
        all.collect()
    }

    /// What the tiles that `make` gives for the matrices, by their numbers, see of the samples.
    fn watch(
        &self,
        mut make: impl FnMut(usize) -> Result<Made, InferenceError>,
    ) -> Result<Vec<MatrixInputs>, EvaluationError> {
        let mut seen: Vec<Seen> = Vec::new();
        let mut model = self.graph.graph.on_tiles(|_, _| {
            let (tile, inputs) = make(seen.len())?;
            let watched = Watched::new(tile, inputs);
            seen.push(watched.seen.clone());
            Ok(Box::new(watched))
        })?;
        self.graph.each_batch(&mut model, &self.samples, self.key.fold_in(label("samples")), |_, _| {})?;
        Ok(seen.iter().map(taken).collect())
    }

    fn calibrate_one(
        &self,
        matrix: &Matrix,
        inputs: &MatrixInputs,
        found: &mut Calibration,
    ) -> Result<(), EvaluationError> {
        let Matrix { name, arrays, .. } = matrix;
        let bench = MatrixBench { name, arrays, settings: self.graph.settings_of(name) };
        let ranges = bench.calibrate((&self.tile, self.plan), inputs, self.key.fold_in(label(name)))?;
        found.matrices.push(ranges);
        Ok(())
    }

    fn through_exact_tiles(&self) -> Result<Calibration, EvaluationError> {
        let (matrices, mut found) = (self.matrices()?, Calibration::default());
        let seen = self.watch(|i| {
            let Matrix { weights, arrays, .. } = &matrices[i];
            Ok((Box::new(IdealTile::holding(weights)), unseen(self.plan, arrays)))
        })?;
        for (matrix, inputs) in matrices.iter().zip(&seen) {
            self.calibrate_one(matrix, inputs, &mut found)?;
        }
        Ok(found)
    }

    /// One pass for each matrix, so that it sees the inputs that the calibrated tiles before it give.
    fn through_analog_tiles(&self) -> Result<Calibration, EvaluationError> {
        let (matrices, mut found) = (self.matrices()?, Calibration::default());
        for (wanted, matrix) in matrices.iter().enumerate() {
            let so_far = found.settings();
            let mut seen = self.watch(|i| {
                let Matrix { name, weights, arrays } = &matrices[i];
                let settings = so_far.get(name).map_or(self.graph.settings_of(name), Vec::as_slice);
                let keys = ["program", "read"].map(|what| self.key.fold_in(label(what)).fold_in(label(name)));
                let programmed =
                    ProgrammedMatrix::program_with(weights, None, settings, &self.tile, keys[0])?;
                let inputs = if i == wanted { unseen(self.plan, arrays) } else { MatrixInputs::new() };
                Ok((Box::new(programmed.at(0.0, keys[1])?), inputs))
            })?;
            self.calibrate_one(matrix, &seen.swap_remove(wanted), &mut found)?;
        }
        Ok(found)
    }
}
