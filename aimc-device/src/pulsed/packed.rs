//! The constants of devices as the loop over devices reads them: those of sixteen neighbours lie together.
//!
//! ```text
//! row 0:  up × 16, down × 16, w_max × 16, w_min × 16, the model's own × 16 each;  the same of the next sixteen devices;  …
//! ```
//!
//! A copy of [`Cells`]: with one place to read from instead of one per list, the loop gets by with the registers there are.

use crate::pulsed::Constants;
use crate::pulsed::fabrication::Cells;
use crate::pulsed::spread::LINED_UP;

/// The copy, row by row.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    values: Vec<f32>,
    /// Numbers of a row; unused ones fill up the last neighbours.
    row: usize,
}

/// Number of lists of a model.
#[inline(always)]
pub(super) const fn lists<E: Constants>() -> usize {
    4 + E::NAMES.len()
}

/// Place of list `list` of device `column` among the numbers of a row.
#[inline(always)]
pub(super) fn place<E: Constants>(list: usize, column: usize) -> usize {
    (column / LINED_UP * lists::<E>() + list) * LINED_UP + column % LINED_UP
}

impl Packed {
    pub(super) fn of<E: Constants>(cells: &Cells<E>, columns: usize) -> Self {
        let row = columns.div_ceil(LINED_UP) * LINED_UP * lists::<E>();
        let mut values = vec![0.0; cells.up.len() / columns * row];
        let common = [&cells.up, &cells.down, &cells.w_max, &cells.w_min];
        for (list, numbers) in common.into_iter().chain(&cells.extra).enumerate() {
            for (index, number) in numbers.iter().enumerate() {
                values[index / columns * row + place::<E>(list, index % columns)] = *number;
            }
        }
        Self { values, row }
    }

    /// The numbers of a row.
    pub(super) fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.row..(row + 1) * self.row]
    }
}
