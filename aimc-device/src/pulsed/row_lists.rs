//! What changes of an array while pulses arrive, given out row by row, so that several threads may work on it.

use crate::pulsed::PulseCount;

/// What changes of one row.
pub(super) struct RowLists<'a> {
    /// Its number.
    pub(super) row: usize,
    pub(super) persistent: &'a mut [f32],
    /// What is read; empty without write noise.
    pub(super) apparent: &'a mut [f32],
    /// Hidden states; empty for models without.
    pub(super) hidden: &'a mut [f32],
    /// Pulses of every device; empty unless counted.
    pub(super) counts: (&'a mut [u64], &'a mut [u64]),
    /// Pulses of the row since it was opened.
    pub(super) pulses: PulseCount,
}

/// What changes of an array, or of its rows up to some row.
pub(super) struct ArrayLists<'a> {
    pub(super) persistent: Rows<'a, f32>,
    pub(super) apparent: Rows<'a, f32>,
    pub(super) hidden: Rows<'a, f32>,
    pub(super) ups: Rows<'a, u64>,
    pub(super) downs: Rows<'a, u64>,
}

impl<'a> ArrayLists<'a> {
    /// The next row.
    pub(super) fn row(&mut self, row: usize) -> RowLists<'a> {
        RowLists {
            row,
            persistent: self.persistent.row(row),
            apparent: self.apparent.row(row),
            hidden: self.hidden.row(row),
            counts: (self.ups.row(row), self.downs.row(row)),
            pulses: PulseCount::default(),
        }
    }

    /// The lists of the next rows up to `last`.
    pub(super) fn up_to(&mut self, last: usize) -> Self {
        Self {
            persistent: self.persistent.up_to(last),
            apparent: self.apparent.up_to(last),
            hidden: self.hidden.up_to(last),
            ups: self.ups.up_to(last),
            downs: self.downs.up_to(last),
        }
    }
}

/// The rows of a list, given out in ascending order; empty ones where the list is.
pub(super) struct Rows<'a, T> {
    rest: &'a mut [T],
    columns: usize,
    /// Number of the first row of the rest.
    next: usize,
}

impl<'a, T> Rows<'a, T> {
    pub(super) fn new(list: &'a mut [T], columns: usize) -> Self {
        Self { rest: list, columns, next: 0 }
    }

    fn up_to(&mut self, last: usize) -> Self {
        let (next, columns) = (self.next, self.columns);
        self.next = last + 1;
        let numbers = if self.rest.is_empty() { 0 } else { (self.next - next) * columns };
        let (taken, rest) = std::mem::take(&mut self.rest).split_at_mut(numbers);
        self.rest = rest;
        Self { rest: taken, columns, next }
    }

    fn row(&mut self, row: usize) -> &'a mut [T] {
        let Self { rest, next, .. } = self.up_to(row);
        if rest.is_empty() { rest } else { &mut rest[(row - next) * self.columns..] }
    }
}
