//! Reading the weights of a tile as hardware can: from its products, by least squares.
//!
//! ```text
//! X: inputs x n, uniform in ±1, and a row of ones      Y = tile(X)      [Ŵ b̂] = Y Xᵀ (X Xᵀ)⁻¹
//! ```
//!
//! b̂ is what the tile adds to every product: an analog bias, offsets of its converters. Unbiased where the circuits are
//! linear. Output noise of std σ gives every weight of a tile with p inputs the variance σ²·3/(n - p - 2) to first order (1/3
//! is the mean square of an input): ten vectors per input leave about 0.6 σ/√p.
//! Inputs stay within ±1, so that no DAC cuts them. Deviations that follow the inputs, as IR drop does, become part of Ŵ.
//!
//! Reference: the normal equations of linear regression; AIHWKit's `read_weights` uses normal inputs, which a DAC of
//! range 1 cuts.

use nalgebra::{DMatrix, DMatrixViewMut};

use aimc_device::RngKey;
use aimc_device::rng::label;

use crate::tile::{MatVec, SampleKeys, TileError};

/// Vectors that are read at a time, for the sake of memory.
const BATCH: usize = 256;

/// What products tell about a tile.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Ŵ, outputs x inputs.
    pub weights: DMatrix<f32>,
    /// b̂, one value per output.
    pub offsets: Vec<f32>,
}

/// Reads the tile by `vectors_per_input`·(inputs + 1) products, at least two per input.
///
/// ```
/// use aimc_device::RngKey;
/// use aimc_tile::{IdealTile, ReadOut, Shape, estimate::estimate_weights};
/// use nalgebra::DMatrix;
/// let weights = DMatrix::from_row_slice(2, 3, &[0.5, -0.25, 1.0, 0.0, 0.75, -1.0]);
/// let tile = IdealTile::holding(&weights);
/// let found = estimate_weights(&tile, 10, RngKey::root(1))?;
/// assert!((found.weights - weights).amax() < 1e-6);
/// # Ok::<(), aimc_tile::TileError>(())
/// ```
pub fn estimate_weights(
    tile: &(impl MatVec + ?Sized),
    vectors_per_input: usize,
    key: RngKey,
) -> Result<Estimate, TileError> {
    let shape = tile.shape();
    let parameters = shape.inputs + 1;
    let n = vectors_per_input.max(2) * parameters;
    let draws = SampleKeys::new(key.fold_in(label("products")));
    let mut squares = DMatrix::<f64>::zeros(parameters, parameters);
    let mut products = DMatrix::<f64>::zeros(shape.outputs, parameters);
    for first in (0..n).step_by(BATCH) {
        let batch = BATCH.min(n - first);
        let mut x = DMatrix::zeros(shape.inputs, batch);
        for (sample, mut column) in x.column_iter_mut().enumerate() {
            let mut uniform = key.fold_in(label("probes")).stream((first + sample) as u64);
            column.iter_mut().for_each(|x| *x = 2.0 * uniform.uniform() - 1.0);
        }
        let mut y = DMatrix::zeros(shape.outputs, batch);
        tile.forward(x.as_view(), DMatrixViewMut::from(&mut y), draws.skip(first as u64))?;
        let x = x.map(f64::from).insert_row(shape.inputs, 1.0);
        squares += &x * x.transpose();
        products += y.map(f64::from) * x.transpose();
    }
    // Random inputs make X Xᵀ positive definite; the ridge, far above rounding and far below 1/n, makes sure of it.
    let ridge = 1e-12 * squares.trace();
    (0..parameters).for_each(|i| squares[(i, i)] += ridge);
    let solved = squares.cholesky().map(|factors| factors.solve(&products.transpose()).transpose());
    // Should it fail all the same, the result is refused wherever it is used.
    let solved = solved.unwrap_or_else(|| products.map(|_| f64::NAN)).map(|w| w as f32);
    let offsets = solved.column(shape.inputs).iter().copied().collect();
    Ok(Estimate { weights: solved.columns(0, shape.inputs).into_owned(), offsets })
}
