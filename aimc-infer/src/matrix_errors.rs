//! How far the products of each matrix are from the exact ones, on the data of the network.
//!
//! ```text
//! relative error = √(Σ|y - Wx|²/Σ|Wx|²)      signal to noise = -20·log₁₀(relative error) dB
//! ```
//!
//! over all products that the samples cause. Every matrix sees the inputs of the *exact* network, so that its error is its
//! own and not that of the layers before. y includes scales and drift compensation, not the digital bias.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aimc_device::ConfigError;
use aimc_nn::evaluate::for_each_batch;
use aimc_nn::{Dataset, Network};
use aimc_tile::{IdealTile, MatVec, ReadOut, SampleKeys, Shape, TileError};
use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};
use serde::Serialize;

use crate::error::EvaluationError;
use crate::matrix::InferenceMatrix;
use crate::network::BATCH;

/// The error of the products of one matrix, see the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MatrixError {
    /// Name of the tile.
    pub name: String,
    /// Relative error; NaN where all exact products are 0.
    pub relative: f64,
}

impl MatrixError {
    /// The error that `sums` tell.
    pub(crate) fn of(name: String, sums: &Sums) -> Self {
        let (error, signal) = *sums.lock().unwrap_or_else(PoisonError::into_inner);
        Self { name, relative: (error / signal).sqrt() }
    }

    /// Signal to noise (dB).
    #[must_use]
    pub fn signal_to_noise_db(&self) -> f64 {
        -20.0 * self.relative.log10()
    }
}

/// Σ|y - Wx|² and Σ|Wx|² of a matrix. A network multiplies in a fixed order, so that the sums have the same bits every time.
pub(crate) type Sums = Arc<Mutex<(f64, f64)>>;

/// A matrix that multiplies exactly and compares.
#[derive(Debug)]
pub(crate) struct Compared<A> {
    exact: IdealTile,
    analog: A,
    pub(crate) sums: Sums,
}

impl<A> Compared<A> {
    pub(crate) fn new(weights: &DMatrix<f32>, analog: A) -> Self {
        Self { exact: IdealTile::holding(weights), analog, sums: Sums::default() }
    }
}

impl<A: MatVec> MatVec for Compared<A> {
    fn shape(&self) -> Shape {
        self.exact.shape()
    }

    fn forward(
        &self,
        x: DMatrixView<f32>,
        mut y: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        self.exact.forward(x, y.as_view_mut(), draws)?;
        let mut analog = DMatrix::zeros(y.nrows(), y.ncols());
        self.analog.forward(x, analog.as_view_mut(), draws)?;
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        for (y, analog) in y.iter().zip(analog.iter()) {
            sums.0 += (f64::from(*analog) - f64::from(*y)).powi(2);
            sums.1 += f64::from(*y).powi(2);
        }
        Ok(())
    }
}

/// The errors of all matrices of `analog`, which was programmed from `network`, on the samples of `data`.
///
/// A matrix whose bias is analog is compared without it: its error then counts the bias as noise, so keep biases digital here.
pub fn matrix_errors<T: ReadOut>(
    network: &Network<T>,
    analog: &Network<InferenceMatrix>,
    data: &Dataset,
    draws: SampleKeys,
) -> Result<Vec<MatrixError>, EvaluationError> {
    let matrices: BTreeMap<String, &InferenceMatrix> = analog.tiles().collect();
    let compared = network.try_map_tiles(|name, tile| {
        let requirement = "is not in the programmed network";
        let analog = *matrices.get(name).ok_or_else(|| ConfigError::new("matrix", name, requirement))?;
        Ok::<_, EvaluationError>(Compared::new(&tile.weights(), analog))
    })?;
    for_each_batch(&compared, data, BATCH, draws, |_, _| {})?;
    Ok(compared.tiles().map(|(name, tile)| MatrixError::of(name, &tile.sums)).collect())
}

#[cfg(test)]
#[path = "matrix_errors_tests.rs"]
mod tests;
