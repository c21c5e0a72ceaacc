//! Looking through the numbers on the lines of a tile: their largest size, where signals are, whether all are finite.

use std::ops::ControlFlow;

use nalgebra::DMatrixView;
use pulp::{Arch, Simd, WithSimd};

use aimc_device::parallel;

use crate::tile::TileError;

/// Numbers of a long list that one thread looks through at a time, and as many as are worth an elementary operation (see
/// [`parallel::worthwhile`]).
const PART: usize = 1 << 15;
const PER_OPERATION: usize = 8;

/// max |v|; 0 for nothing. NaN does not count.
#[must_use]
pub fn largest_size(values: &[f32]) -> f32 {
    let of = |values: &[f32]| Arch::new().dispatch(LargestSize(values));
    if values.len() <= PART {
        return of(values);
    }
    let parts: Vec<_> = values.chunks(PART).collect();
    parallel::map(values.len() / PER_OPERATION, &parts, |part| of(part)).into_iter().fold(0.0, f32::max)
}

struct LargestSize<'a>(&'a [f32]);

impl WithSimd for LargestSize<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> f32 {
        // As whole numbers, which sizes are ordered like, so that it vectorises.
        let mut largest = 0;
        for v in self.0 {
            let size = v.abs().to_bits();
            largest = largest.max(if size > f32::INFINITY.to_bits() { 0 } else { size });
        }
        f32::from_bits(largest)
    }
}

/// Visits the places and values of the entries that are not 0, in order, until told to stop; many zeros at a time are passed
/// over.
#[inline]
pub(crate) fn visit_signals(values: &[f32], mut visit: impl FnMut(usize, f32) -> ControlFlow<()>) {
    const TOGETHER: usize = 16;
    for (chunk, values) in values.chunks(TOGETHER).enumerate() {
        if values.iter().fold(0, |bits, v| bits | v.to_bits() << 1) == 0 {
            continue;
        }
        for (line, value) in (TOGETHER * chunk..).zip(values) {
            if *value != 0.0 && visit(line, *value).is_break() {
                return;
            }
        }
    }
}

/// Refuses a matrix that is not `rows` x `columns` or holds a number that is not finite; the error calls it `what`.
///
/// ```
/// use nalgebra::DMatrix;
/// let x = DMatrix::from_column_slice(2, 2, &[0.0, 1.0, f32::NAN, 0.0]);
/// let error = aimc_tile::check_lines("x", &x.as_view(), 2, 2).unwrap_err();
/// assert_eq!(error.to_string(), "x: line 0 of sample 1 carries NaN, which is not finite");
/// ```
pub fn check_lines(
    what: &'static str,
    lines: &DMatrixView<f32>,
    rows: usize,
    columns: usize,
) -> Result<(), TileError> {
    check_shape(what, lines.shape(), (rows, columns))?;
    // The place is looked for only when there is one.
    if all_finite(lines) {
        return Ok(());
    }
    match lines.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => {
            let (sample, line) = (at / rows, at % rows);
            Err(TileError::NotFinite { what, sample, line, value: lines[(line, sample)] })
        }
    }
}

/// Refuses a vector, number `sample` of those that arrive, that holds a number that is not finite.
pub(crate) fn check_line(what: &'static str, vector: &[f32], sample: usize) -> Result<(), TileError> {
    let lines = DMatrixView::from_slice(vector, vector.len(), 1);
    check_lines(what, &lines, vector.len(), 1).map_err(|error| match error {
        TileError::NotFinite { what, line, value, .. } => TileError::NotFinite { what, sample, line, value },
        other => other,
    })
}

/// Whether a matrix holds finite numbers only.
fn all_finite(lines: &DMatrixView<f32>) -> bool {
    let (numbers, columns) = (lines.len(), lines.ncols());
    if numbers <= PART {
        return Arch::new().dispatch(AllFinite { lines });
    }
    let wide = PART.div_ceil(lines.nrows());
    let parts: Vec<_> = (0..columns).step_by(wide).collect();
    let finite = |first: &usize| {
        Arch::new().dispatch(AllFinite { lines: &lines.columns(*first, wide.min(columns - first)) })
    };
    parallel::map(numbers / PER_OPERATION, &parts, finite).into_iter().all(|finite| finite)
}

/// The same of a part, without an early end, so that it vectorises.
struct AllFinite<'a, 'b> {
    lines: &'a DMatrixView<'b, f32>,
}

impl WithSimd for AllFinite<'_, '_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> bool {
        let without_sign = |v: f32| v.to_bits() << 1;
        let mut largest = 0;
        for column in self.lines.column_iter() {
            for v in column.as_slice() {
                largest = largest.max(without_sign(*v));
            }
        }
        largest < without_sign(f32::INFINITY)
    }
}

/// Refuses a matrix of the wrong size.
pub(crate) fn check_shape(
    what: &'static str,
    found: (usize, usize),
    expected: (usize, usize),
) -> Result<(), TileError> {
    if found == expected { Ok(()) } else { Err(TileError::Shape { what, expected, found }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::DMatrix;

    /// Long lists, which several threads look through, as single numbers do; the place of what is not finite is found in any part.
    #[test]
    fn long_lists_are_looked_through_as_a_whole() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let (rows, columns) = (601, 1000);
        let mut x = DMatrix::from_fn(rows, columns, |i, j| ((i * 7919 + j * 104_729) % 1000) as f32 / 999.0);
        for at in [0, PART, 3 * PART + 17, rows * columns - 1] {
            x[at] = -2.0;
            assert_eq!(pool.install(|| largest_size(x.as_slice())), 2.0);
            assert!(pool.install(|| check_lines("x", &x.as_view(), rows, columns)).is_ok());
            x[at] = f32::NEG_INFINITY;
            let error = pool.install(|| check_lines("x", &x.as_view(), rows, columns)).unwrap_err();
            assert!(matches!(error, TileError::NotFinite { sample, line, .. } if sample * rows + line == at));
            x[at] = 0.0;
        }
    }
}
