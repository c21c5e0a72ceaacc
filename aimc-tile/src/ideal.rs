//! The ideal tile: exact products and updates, the reference for every other tile.

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::parallel;
use aimc_device::state::{State, StateError, StatePart};

use crate::matmul::{Weights, subtract_outer_products};
use crate::signals::{check_lines, check_shape};
use crate::tile::{MatVec, ReadOut, SampleKeys, Shape, Tile, TileError};

/// A matrix in exact single-precision arithmetic.
///
/// ```
/// use aimc_device::RngKey;
/// use aimc_tile::{IdealTile, MatVec, ReadOut, SampleKeys, Shape};
/// use nalgebra::DMatrix;
/// let mut tile = IdealTile::new(Shape { outputs: 2, inputs: 3 })?;
/// tile.set_weights(&DMatrix::from_row_slice(2, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), RngKey::root(0))?;
/// let x = DMatrix::from_column_slice(3, 1, &[1.0, 0.0, -1.0]);
/// let mut y = DMatrix::zeros(2, 1);
/// tile.forward(x.as_view(), y.as_view_mut(), SampleKeys::new(RngKey::root(0)))?;
/// assert_eq!(y.as_slice(), [-2.0, -2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct IdealTile {
    shape: Shape,
    weights: Vec<f32>,
}

impl IdealTile {
    /// A tile of zeros.
    pub fn new(shape: Shape) -> Result<Self, ConfigError> {
        require::at_least_one("outputs", shape.outputs)?;
        require::at_least_one("inputs", shape.inputs)?;
        Ok(Self { shape, weights: vec![0.0; shape.outputs * shape.inputs] })
    }

    /// A tile that holds `weights`, outputs x inputs, whatever they are.
    #[must_use]
    pub fn holding(weights: &DMatrix<f32>) -> Self {
        let shape = Shape { outputs: weights.nrows(), inputs: weights.ncols() };
        Self { shape, weights: by_rows(weights) }
    }

    /// The weights, row by row.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.weights
    }

    /// The same, to be changed.
    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        &mut self.weights
    }

    fn matrix(&self) -> Weights<'_> {
        Weights::new(&self.weights, self.shape.outputs, self.shape.inputs)
    }
}

/// The columns of `lines`, one after another.
pub(crate) fn gather(lines: &DMatrixView<f32>) -> Vec<f32> {
    let mut gathered = Vec::with_capacity(lines.len());
    lines.column_iter().for_each(|column| gathered.extend_from_slice(column.as_slice()));
    gathered
}

/// The same lines in a matrix of their own: what `into_owned` of nalgebra does number by number, column by column.
///
/// ```
/// use nalgebra::DMatrix;
/// let lines = DMatrix::from_fn(3, 2, |i, j| (i + 10 * j) as f32);
/// assert_eq!(aimc_tile::gathered(&lines.rows(1, 2)).as_slice(), [1.0, 2.0, 11.0, 12.0]);
/// ```
#[must_use]
pub fn gathered(lines: &DMatrixView<f32>) -> DMatrix<f32> {
    DMatrix::from_vec(lines.nrows(), lines.ncols(), gather(lines))
}

/// Multiplies every line by its factor; nothing happens where all are 1.
///
/// ```
/// use nalgebra::DMatrix;
/// let mut lines = DMatrix::from_column_slice(2, 2, &[1.0, 2.0, 3.0, 4.0]);
/// aimc_tile::scale_lines(&mut lines.as_view_mut(), &[1.0, 0.5]);
/// assert_eq!(lines.as_slice(), [1.0, 1.0, 3.0, 2.0]);
/// ```
pub fn scale_lines(lines: &mut DMatrixViewMut<f32>, factors: &[f32]) {
    if factors.iter().any(|factor| *factor != 1.0) {
        for mut lines in lines.column_iter_mut() {
            lines.as_mut_slice().iter_mut().zip(factors).for_each(|(line, factor)| *line *= factor);
        }
    }
}

/// `out` = W `lines`, exactly.
pub(crate) fn exact_product(weights: Weights<'_>, lines: &DMatrixView<f32>, out: &mut DMatrixViewMut<f32>) {
    let mut product = vec![0.0; out.len()];
    weights.multiply(&gather(lines), &mut product);
    let columns = product.chunks_exact(weights.outputs());
    out.column_iter_mut()
        .zip(columns)
        .for_each(|(mut out, values)| out.as_mut_slice().copy_from_slice(values));
}

/// Weights of a tile as a matrix.
pub(crate) fn to_matrix(weights: &[f32], shape: Shape) -> DMatrix<f32> {
    DMatrix::from_row_slice(shape.outputs, shape.inputs, weights)
}

/// A matrix as weights of a tile, row by row, after checking its size and values.
pub(crate) fn from_matrix(weights: &DMatrix<f32>, shape: Shape) -> Result<Vec<f32>, TileError> {
    check_lines("weights", &weights.as_view(), shape.outputs, shape.inputs)?;
    Ok(by_rows(weights))
}

/// The numbers of a matrix, row by row.
///
/// ```
/// use nalgebra::DMatrix;
/// let matrix = DMatrix::from_row_slice(2, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// assert_eq!(aimc_tile::by_rows(&matrix), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// ```
#[must_use]
pub fn by_rows(matrix: &DMatrix<f32>) -> Vec<f32> {
    // Squares whose lines fill what the processor fetches at a time: strides of powers of two collide in its cache.
    const SIDE: usize = 16;
    let (rows, columns) = matrix.shape();
    let fill = |(band, values): (usize, &mut [f32])| {
        let first = band * SIDE;
        let mut square = [[0.0; SIDE]; SIDE];
        for left in (0..columns).step_by(SIDE) {
            let right = columns.min(left + SIDE);
            for (part, column) in square.iter_mut().zip(left..right) {
                let numbers = &matrix.as_slice()[column * rows..][first..rows.min(first + SIDE)];
                match numbers.as_array() {
                    Some(numbers) => *part = *numbers,
                    None => part[..numbers.len()].copy_from_slice(numbers),
                }
            }
            for (row, values) in values.chunks_mut(columns).enumerate() {
                values[left..right].iter_mut().zip(&square).for_each(|(value, part)| *value = part[row]);
            }
        }
    };
    parallel::list(matrix.len(), matrix.len(), (SIDE * columns).max(1), fill)
}

impl MatVec for IdealTile {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn forward(
        &self,
        x: DMatrixView<f32>,
        mut y: DMatrixViewMut<f32>,
        _draws: SampleKeys,
    ) -> Result<(), TileError> {
        check_lines("x", &x, self.shape.inputs, x.ncols())?;
        check_shape("y", y.shape(), (self.shape.outputs, x.ncols()))?;
        exact_product(self.matrix(), &x, &mut y);
        Ok(())
    }
}

impl Tile for IdealTile {
    fn backward(
        &self,
        d: DMatrixView<f32>,
        mut z: DMatrixViewMut<f32>,
        _draws: SampleKeys,
    ) -> Result<(), TileError> {
        check_lines("d", &d, self.shape.outputs, d.ncols())?;
        check_shape("z", z.shape(), (self.shape.inputs, d.ncols()))?;
        exact_product(self.matrix().transpose(), &d, &mut z);
        Ok(())
    }

    fn update(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: f32,
        _draws: SampleKeys,
    ) -> Result<(), TileError> {
        check_update(self.shape, &x, &d, lr)?;
        subtract_outer_products(
            &mut self.weights,
            self.shape.outputs,
            self.shape.inputs,
            &gather(&x),
            &gather(&d),
            lr,
        );
        Ok(())
    }

    fn end_of_step(&mut self, _key: RngKey) {}

    fn digital_weights(&mut self) -> Option<&mut [f32]> {
        Some(&mut self.weights)
    }

    fn state(&self) -> State {
        let mut state = State::default();
        state.put("weights", self.weights.clone());
        state
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        self.weights = state.floats("weights", self.weights.len())?.to_vec();
        Ok(())
    }
}

/// Refuses the arguments of an update that no tile can carry out: `x` is inputs x batch, `d` outputs x batch, `lr` at least 0.
pub fn check_update(
    shape: Shape,
    x: &DMatrixView<f32>,
    d: &DMatrixView<f32>,
    lr: f32,
) -> Result<(), TileError> {
    check_lines("x", x, shape.inputs, x.ncols())?;
    check_lines("d", d, shape.outputs, x.ncols())?;
    check_rate(lr)
}

/// Refuses a learning rate that pulses cannot express.
pub(crate) fn check_rate(lr: f32) -> Result<(), TileError> {
    if lr.is_finite() && lr >= 0.0 { Ok(()) } else { Err(TileError::LearningRate(lr)) }
}

impl ReadOut for IdealTile {
    fn weights(&self) -> DMatrix<f32> {
        to_matrix(&self.weights, self.shape)
    }

    fn set_weights(&mut self, weights: &DMatrix<f32>, _key: RngKey) -> Result<(), TileError> {
        self.weights = from_matrix(weights, self.shape)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Number r·columns + c of the list is entry (r, c), for sizes below, at and above a square and for work worth threads.
    #[test]
    fn rows_one_after_another() {
        for (rows, columns) in [(1, 1), (3, 40), (16, 16), (17, 33), (40, 1), (200, 250), (0, 5), (5, 0)] {
            let matrix = DMatrix::from_fn(rows, columns, |r, c| (r * columns + c) as f32);
            let expected: Vec<f32> = (0..rows * columns).map(|number| number as f32).collect();
            assert_eq!(by_rows(&matrix), expected, "{rows} x {columns}");
        }
    }
}
