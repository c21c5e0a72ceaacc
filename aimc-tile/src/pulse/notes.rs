//! Weights that are noted while pulses arrive: a column as it is between two samples of an update.
//!
//! A transfer reads a column of an array after each vector or so. Where columns are noted, the vectors need not be applied one by one
//! for that: all of them pass over a row before the next row, and what the column held in between is not lost.

use std::sync::atomic::{AtomicU32, Ordering};

use aimc_device::pulsed::RowPort;

/// A column to be noted once a sample has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// Number of the sample.
    pub after: usize,
    /// Which column.
    pub column: usize,
}

/// Notes that are being taken by rows on several threads, each place by one of them.
pub(crate) struct Notebook<'a> {
    notes: &'a [Note],
    /// Bits of the weights, column after column.
    weights: Vec<AtomicU32>,
    rows: usize,
}

impl<'a> Notebook<'a> {
    pub(crate) fn new(notes: &'a [Note], rows: usize) -> Self {
        let weights = std::iter::repeat_with(AtomicU32::default).take(notes.len() * rows).collect();
        Self { notes, weights, rows }
    }

    /// Whether anything is to be noted after samples from `first` up to `last`.
    pub(crate) fn has(&self, first: usize, last: usize) -> bool {
        self.notes.iter().any(|note| (first..=last).contains(&note.after))
    }

    /// The notes that are due from a sample on.
    pub(crate) fn due_from(&self, first: usize) -> &'a [Note] {
        &self.notes[self.number_before(first)..]
    }

    /// Keeps what a row has noted from sample `first` on.
    pub(crate) fn keep(&self, row: usize, first: usize, noted: &[f32]) {
        for (number, weight) in (self.number_before(first)..).zip(noted) {
            self.weights[number * self.rows + row].store(weight.to_bits(), Ordering::Relaxed);
        }
    }

    fn number_before(&self, sample: usize) -> usize {
        self.notes.partition_point(|note| note.after < sample)
    }

    /// The weights that were noted, column after column.
    pub(crate) fn into_weights(self) -> Vec<f32> {
        self.weights.into_iter().map(|bits| f32::from_bits(bits.into_inner())).collect()
    }
}

/// Lets a row note what is `due` before a sample arrives, which then is not due any more.
pub(crate) fn take_before(sample: usize, due: &mut &[Note], port: &mut dyn RowPort) {
    while let Some((note, rest)) = due.split_first()
        && note.after < sample
    {
        port.note(note.column);
        *due = rest;
    }
}
