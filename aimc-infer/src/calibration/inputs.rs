//! The inputs of tiles, caught while data pass through a network.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use nalgebra::{DMatrixView, DMatrixViewMut};

use aimc_nn::evaluate::for_each_batch;
use aimc_nn::{Dataset, Network, NetworkError};
use aimc_tile::{MatVec, SampleKeys, Shape, TileError};

use super::reservoir::Reservoir;
use super::{CalibrationConfig, InputRule, Observer};
use crate::matrix::Arrays;

/// What was seen of the inputs of one tile. Vectors of zeros do not count: they say nothing about the range, and often are the padding
/// of an image.
#[derive(Debug)]
pub struct TileInputs {
    observer: Option<Box<dyn Observer>>,
    cache: Reservoir,
}

impl TileInputs {
    /// Nothing yet; `vectors` are cached at most.
    pub(super) fn new(rule: &InputRule, vectors: usize) -> Self {
        Self { observer: rule.observer(), cache: Reservoir::new(vectors) }
    }

    fn see(&mut self, vector: &[f32], draws: SampleKeys, sample: usize) {
        if vector.iter().all(|x| *x == 0.0) {
            return;
        }
        if let Some(observer) = &mut self.observer {
            observer.observe(vector);
        }
        self.cache.offer(vector, draws.sample(sample));
    }

    /// The range that `rule` makes of them.
    #[must_use]
    pub fn range(&self, rule: &InputRule) -> Option<f32> {
        rule.range(self.observer.as_deref(), &self.cache)
    }

    /// The cached vectors.
    #[must_use]
    pub fn cache(&self) -> &Reservoir {
        &self.cache
    }
}

/// The inputs of the tiles of a matrix: one entry for each group of input lines, which tiles above one another share.
pub(crate) type MatrixInputs = Vec<(Range<usize>, TileInputs)>;

/// Nothing seen yet, for the groups of input lines of `arrays`.
pub(crate) fn unseen<T>(plan: &CalibrationConfig, arrays: &Arrays<T>) -> MatrixInputs {
    let mut inputs = MatrixInputs::new();
    for lines in arrays.input_lines() {
        if inputs.iter().all(|(known, _)| *known != lines) {
            inputs.push((lines, TileInputs::new(&plan.input, plan.vectors)));
        }
    }
    inputs
}

/// Where a watched matrix leaves what it has seen.
pub(crate) type Seen = Arc<Mutex<MatrixInputs>>;

/// What has been seen, taken away.
pub(crate) fn taken(seen: &Seen) -> MatrixInputs {
    std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A matrix that shows its inputs.
#[derive(Debug)]
pub(crate) struct Watched<T> {
    tile: T,
    pub(crate) seen: Seen,
}

impl<T> Watched<T> {
    pub(crate) fn new(tile: T, inputs: MatrixInputs) -> Self {
        Self { tile, seen: Arc::new(Mutex::new(inputs)) }
    }
}

impl<T: MatVec> MatVec for Watched<T> {
    fn shape(&self) -> Shape {
        self.tile.shape()
    }

    fn forward(
        &self,
        x: DMatrixView<f32>,
        y: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        self.tile.forward(x, y, draws)?;
        // A network multiplies in a fixed order, so that vectors come in the same order every time.
        let mut inputs = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (sample, vector) in x.column_iter().enumerate() {
            for (lines, inputs) in inputs.iter_mut() {
                inputs.see(&vector.as_slice()[lines.clone()], draws, sample);
            }
        }
        Ok(())
    }
}

/// The inputs of all matrices of `network` while `data` pass, by name.
pub(super) fn watch<T: MatVec>(
    network: Network<Watched<T>>,
    data: &Dataset,
    batch_size: usize,
    draws: SampleKeys,
) -> Result<BTreeMap<String, MatrixInputs>, NetworkError> {
    for_each_batch(&network, data, batch_size, draws, |_, _| {})?;
    Ok(network.tiles().map(|(name, tile)| (name, taken(&tile.seen))).collect())
}
