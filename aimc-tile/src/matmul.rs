//! Dense products: the only door to the `gemm` crate, and the only `unsafe` of this crate.
//!
//! # Why `unsafe`, and why it is sound
//! nalgebra's own product is 60 times slower than `gemm` for a single vector and 1.2 times for batches
//! (measured on 512x512). `gemm` takes raw pointers with strides; both functions here first assert that the
//! slices hold exactly the rows x columns that the strides span, so no access leaves them, and the output is
//! borrowed exclusively; bands of its rows that threads share are disjoint. Results do not depend on the number of threads.
#![allow(unsafe_code)]

use std::ops::{ControlFlow, Range};

use aimc_device::parallel;
use gemm::{Parallelism, gemm};
use pulp::Arch;
use rayon::prelude::*;

use crate::signals::visit_signals;

/// Rows up to which `gemm` arranges a matrix that lies row by row on one thread, before the others begin: the fewer the rows, the
/// more of the time that is. Bands of rows, each on a thread of its own, share that work.
const ARRANGED_ALONE: usize = 256;

/// Rows that `gemm` takes at a time.
const ROWS: usize = 16;

/// Vectors up to which `gemm` may add in another order where rows are few: bits must not depend on the bands.
const SMALL: usize = 64;

/// Vectors and outputs of a part of the products of single columns. It is made in memory of its own: strides of powers of two
/// collide in the processor's cache.
const VECTORS: usize = 64;
const OUTPUTS: usize = 32;

/// Where products go, to be written by several threads.
#[derive(Clone, Copy)]
struct Output(*mut f32);

// SAFETY: each thread writes rows of its own only.
unsafe impl Send for Output {}
// SAFETY: as above.
unsafe impl Sync for Output {}

/// A weight matrix stored row by row, read as it is or transposed.
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    transposed: bool,
}

impl<'a> Weights<'a> {
    /// `rows` x `columns` weights; `values` has rows · columns entries.
    ///
    /// # Panics
    /// If the length does not match, which is an error of the calling tile.
    #[must_use]
    pub fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns, "weights must fill the matrix");
        Self { values, rows, columns, transposed: false }
    }

    /// The transposed matrix, for the backward direction.
    #[must_use]
    pub fn transpose(self) -> Self {
        Self { transposed: !self.transposed, ..self }
    }

    /// Length of a product.
    #[must_use]
    pub fn outputs(&self) -> usize {
        if self.transposed { self.columns } else { self.rows }
    }

    /// Length of a factor.
    #[must_use]
    pub fn inputs(&self) -> usize {
        if self.transposed { self.rows } else { self.columns }
    }

    /// All values, in storage order.
    #[must_use]
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// Place of the weight from `input` to `output` among the values.
    #[must_use]
    pub fn index(&self, output: usize, input: usize) -> usize {
        if self.transposed { input * self.columns + output } else { output * self.columns + input }
    }

    /// The weight from `input` to `output`.
    #[must_use]
    pub fn at(&self, output: usize, input: usize) -> f32 {
        self.values[self.index(output, input)]
    }

    /// The weights from some `inputs`, row by row: an array of these lines only.
    ///
    /// # Panics
    /// If there are no such inputs, which is an error of the caller.
    #[must_use]
    pub fn lines(&self, inputs: Range<usize>) -> Vec<f32> {
        let mut values = Vec::with_capacity(self.outputs() * inputs.len());
        for output in 0..self.outputs() {
            if self.transposed {
                values.extend(inputs.clone().map(|input| self.at(output, input)));
            } else {
                values
                    .extend_from_slice(&self.values[output * self.columns..][..self.columns][inputs.clone()]);
            }
        }
        values
    }

    /// A matrix of the same layout over other values.
    #[must_use]
    pub fn with_values<'b>(&self, values: &'b [f32]) -> Weights<'b> {
        Weights { transposed: self.transposed, ..Weights::new(values, self.rows, self.columns) }
    }

    /// y = W x for `batch` vectors one after another: `x` has inputs · batch, `y` outputs · batch entries.
    ///
    /// # Panics
    /// If the lengths do not match, which is an error of the calling tile.
    pub fn multiply(&self, x: &[f32], y: &mut [f32]) {
        let (m, k) = (self.outputs(), self.inputs());
        let batch = x.len() / k;
        assert!(x.len() == k * batch && y.len() == m * batch, "vectors must match the matrix");
        if let Some(lines) = x.chunks(k).map(only_line).collect::<Option<Vec<_>>>() {
            return self.scale_columns(&lines, y);
        }
        let parallelism = threads(m * k * batch);
        let y = Output(y.as_mut_ptr());
        // SAFETY: x and y span k · batch and m · batch values, as asserted; bands are disjoint and within 0..m.
        let product = |rows, parallelism| unsafe { self.multiply_rows(rows, batch, x, y, parallelism) };
        if matches!(parallelism, Parallelism::None) || self.transposed || m > ARRANGED_ALONE || batch <= SMALL
        {
            return product(0..m, parallelism);
        }
        let band = m.div_ceil(rayon::current_num_threads()).next_multiple_of(ROWS);
        let bands: Vec<_> = (0..m).step_by(band).map(|first| first..m.min(first + band)).collect();
        bands.into_par_iter().for_each(|rows| product(rows, Parallelism::None));
    }

    /// Some rows of the product of all vectors.
    ///
    /// # Safety
    /// `rows` lie within the outputs, `x` holds inputs · batch values, `y` points to outputs · batch, and no other thread uses
    /// these rows meanwhile.
    unsafe fn multiply_rows(
        &self,
        rows: Range<usize>,
        batch: usize,
        x: &[f32],
        y: Output,
        parallelism: Parallelism,
    ) {
        let (m, k) = (self.outputs(), self.inputs());
        let (row_stride, column_stride) =
            if self.transposed { (1, self.columns as isize) } else { (self.columns as isize, 1) };
        // SAFETY: lhs spans the rows of the rows · columns values, rhs and dst what the caller guarantees.
        unsafe {
            gemm(
                rows.len(),
                batch,
                k,
                y.0.add(rows.start),
                m as isize,
                1,
                false,
                self.values.as_ptr().offset(rows.start as isize * row_stride),
                column_stride,
                row_stride,
                x.as_ptr(),
                k as isize,
                1,
                0.0,
                1.0,
                false,
                false,
                false,
                parallelism,
            );
        }
    }

    /// The products with vectors of one entry that is not 0, given its place and value, as when single columns are read: the
    /// other terms are exactly 0.
    fn scale_columns(&self, lines: &[(usize, f32)], y: &mut [f32]) {
        let m = self.outputs();
        // A line alone has all of its weights side by side.
        if self.inputs() == 1 {
            return parallel::each_chunk(y.len(), y, m, |(sample, y)| {
                y.iter_mut().zip(self.values).for_each(|(y, w)| *y = 0.0 + lines[sample].1 * w);
            });
        }
        parallel::each_chunk(y.len(), y, m * VECTORS, |(number, y)| {
            let lines = &lines[number * VECTORS..];
            let lines = &lines[..lines.len().min(VECTORS)];
            let first = lines.iter().map(|(input, _)| *input).min().unwrap_or(0);
            let neighbours = lines.iter().all(|(input, _)| input - first < VECTORS);
            let (mut rows, mut products) = ([[0.0; VECTORS]; OUTPUTS], [[0.0; OUTPUTS]; VECTORS]);
            for output in (0..m).step_by(OUTPUTS) {
                let outputs = output..m.min(output + OUTPUTS);
                if neighbours && !self.transposed {
                    self.copy_pieces(outputs.clone(), first, &mut rows);
                    for ((input, x), products) in lines.iter().zip(&mut products) {
                        products.iter_mut().zip(&rows).for_each(|(y, row)| *y = 0.0 + x * row[input - first]);
                    }
                } else {
                    for ((input, x), products) in lines.iter().zip(&mut products) {
                        let weights = outputs.clone().map(|output| self.at(output, *input));
                        products.iter_mut().zip(weights).for_each(|(y, w)| *y = 0.0 + x * w);
                    }
                }
                for (y, products) in y.chunks_mut(m).zip(&products) {
                    y[outputs.clone()].copy_from_slice(&products[..outputs.len()]);
                }
            }
        });
    }

    /// The weights of some outputs from input `first` on. Copied as a whole, many rows are on their way from memory at a time.
    fn copy_pieces(&self, outputs: Range<usize>, first: usize, pieces: &mut [[f32; VECTORS]; OUTPUTS]) {
        for (piece, output) in pieces.iter_mut().zip(outputs) {
            let row = &self.values[output * self.columns..][first..self.columns.min(first + VECTORS)];
            match row.as_array() {
                Some(row) => *piece = *row,
                None => piece[..row.len()].copy_from_slice(row),
            }
        }
    }
}

/// Place and value of the only entry of a vector that is not 0, any place if there is none; `None` if there are several.
fn only_line(x: &[f32]) -> Option<(usize, f32)> {
    let (mut number, mut first) = (0, (0, 0.0));
    visit_signals(x, |line, value| {
        number += 1;
        first = (line, value);
        if number > 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    (number < 2).then_some(first)
}

/// W ← W - lr·Σ d xᵀ over `batch` vectors: `w` is d-length rows by x-length columns, stored row by row.
///
/// # Panics
/// If the lengths do not match, which is an error of the calling tile.
pub fn subtract_outer_products(w: &mut [f32], rows: usize, columns: usize, x: &[f32], d: &[f32], lr: f32) {
    let batch = x.len() / columns;
    assert!(
        w.len() == rows * columns && x.len() == columns * batch && d.len() == rows * batch,
        "sizes must match"
    );
    if batch == 1 {
        return subtract_outer_product(w, x, d, lr);
    }
    // SAFETY: dst spans rows · columns values, lhs rows · batch, rhs batch · columns, as asserted.
    unsafe {
        gemm(
            rows,
            columns,
            batch,
            w.as_mut_ptr(),
            1,
            columns as isize,
            true,
            d.as_ptr(),
            rows as isize,
            1,
            x.as_ptr(),
            1,
            columns as isize,
            1.0,
            -lr,
            false,
            false,
            false,
            threads(rows * columns * batch),
        );
    }
}

/// The same for a single vector pair: less work than to arrange it for a product of matrices.
fn subtract_outer_product(w: &mut [f32], x: &[f32], d: &[f32], lr: f32) {
    // Rows that are worth a task; it does not matter to the result.
    const TOGETHER: usize = 16;
    parallel::each_chunk(w.len(), w, TOGETHER * x.len(), |(number, rows)| {
        Arch::new().dispatch(|| {
            for (row, d) in rows.chunks_mut(x.len()).zip(&d[TOGETHER * number..]) {
                row.iter_mut().zip(x).for_each(|(w, x)| *w -= lr * (d * x));
            }
        });
    });
}

fn threads(operations: usize) -> Parallelism {
    if parallel::worthwhile(operations / 8) { Parallelism::Rayon(0) } else { Parallelism::None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::strategies;
    use proptest::prelude::*;

    const W: [f32; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];

    /// Y = W X and Z = Wᵀ X.
    #[test]
    fn products_by_hand() {
        let w = Weights::new(&W, 2, 3);
        let mut y = [0.0; 4];
        w.multiply(&[1.0, 0.0, -1.0, 0.5, 1.0, 0.0], &mut y);
        assert_eq!(y, [-2.0, -2.0, 2.5, 7.0]);
        let mut z = [0.0; 3];
        w.transpose().multiply(&[1.0, -1.0], &mut z);
        assert_eq!(z, [-3.0, -3.0, -3.0]);
    }

    /// W (0, 0, 2) is twice the last column of W; all zeros give zeros.
    #[test]
    fn single_columns_by_hand() {
        let w = Weights::new(&W, 2, 3);
        let mut y = [f32::NAN; 4];
        w.multiply(&[0.0, 0.0, 2.0, 0.0, 0.0, 0.0], &mut y);
        assert_eq!(y, [6.0, 12.0, 0.0, 0.0]);
        let mut z = [f32::NAN; 3];
        w.transpose().multiply(&[0.0, -1.0], &mut z);
        assert_eq!(z, [-4.0, -5.0, -6.0]);
    }

    proptest! {
        #![proptest_config(strategies::config(32))]

        /// Bits do not depend on the number of threads, which decides who multiplies which rows.
        #[test]
        fn threads_change_no_bit(rows in 1_usize..300, columns in 300_usize..900, batch in 1_usize..140, seed in strategies::seed()) {
            let uniform = |n: usize, stream: u64| {
                let mut values = vec![0.0; n];
                aimc_device::RngKey::root(seed).stream(stream).fill_uniform(&mut values);
                values
            };
            let (w, x) = (uniform(rows * columns, 0), uniform(columns * batch, 1));
            let product = |threads| {
                let mut y = vec![f32::NAN; rows * batch];
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| Weights::new(&w, rows, columns).multiply(&x, &mut y));
                y
            };
            let one = product(1);
            prop_assert!(one.iter().all(|y| y.is_finite()));
            prop_assert_eq!(&product(2), &one);
            prop_assert_eq!(&product(5), &one);
        }

        /// Vectors with one entry at most give that column times the entry: neighbours and others, more of them and of the outputs
        /// than are made at a time, and fewer.
        #[test]
        fn single_columns_are_columns(
            rows in 1_usize..150,
            columns in 1_usize..150,
            lines in prop::collection::vec((any::<prop::sample::Index>(), -2.0_f32..2.0), 1..150),
            neighbours: bool,
            transposed: bool,
            seed in strategies::seed(),
        ) {
            let mut values = vec![0.0; rows * columns];
            aimc_device::RngKey::root(seed).stream(0).fill_uniform(&mut values);
            let w = Weights::new(&values, rows, columns);
            let w = if transposed { w.transpose() } else { w };
            let mut x = vec![0.0; w.inputs() * lines.len()];
            let mut expected = Vec::new();
            for (sample, (x, (place, value))) in x.chunks_mut(w.inputs()).zip(&lines).enumerate() {
                let input = if neighbours { sample % w.inputs() } else { place.index(w.inputs()) };
                x[input] = *value;
                expected.extend((0..w.outputs()).map(|output| value * w.at(output, input)));
            }
            let mut y = vec![f32::NAN; expected.len()];
            w.multiply(&x, &mut y);
            prop_assert_eq!(y, expected);
        }
    }

    /// W ← W - η Σ d xᵀ.
    #[test]
    fn outer_products_by_hand() {
        let mut w = W;
        subtract_outer_products(&mut w, 2, 3, &[1.0, 2.0, 0.0, 0.0, 0.0, 1.0], &[1.0, 0.0, 0.0, 2.0], 0.5);
        assert_eq!(w, [0.5, 1.0, 3.0, 4.0, 5.0, 5.0]);
        subtract_outer_products(&mut w, 2, 3, &[0.0, -2.0, 1.0], &[1.0, 0.5], 1.0);
        assert_eq!(w, [0.5, 3.0, 2.0, 4.0, 6.0, 4.5]);
    }
}
