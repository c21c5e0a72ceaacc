//! Deterministic pulse counts: every device gets as many pulses as its product asks for, rounded.
//!
//! ```text
//! MeanCount:             nᵢⱼ = rint((cᵢ/BL)·cⱼ)      c = sign·min(rint(BL·p), BL) for each line
//! DeterministicImplicit: nᵢⱼ = rint(BL·qᵢ·qⱼ)        q = sign·min(p, 1) for each line
//! ```
//!
//! with the pulse probabilities p of [`management`](super::management), ties to even. The pulses of a device follow one
//! after another, each with noise of its own. Without resolution and clipping, DeterministicImplicit errs by at most
//! half a pulse.

use crate::pulse::PulseType;
use crate::pulse::probabilities::Probabilities;

/// The counts of one vector pair, as factors of lines: n = rint(row factor · column factor).
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    rows: Vec<f32>,
    columns: Vec<f32>,
}

impl Counts {
    /// The counts of trains of a length; `None` where trains are of another type.
    pub(crate) fn new(
        pulse_type: PulseType,
        length: u32,
        x: &Probabilities<'_>,
        d: &Probabilities<'_>,
    ) -> Option<Self> {
        match pulse_type {
            PulseType::MeanCount => Some(Self::mean_count(length, &x.singles(), &d.singles())),
            PulseType::DeterministicImplicit => Some(Self::implicit(length, &x.singles(), &d.singles())),
            _ => None,
        }
    }

    /// `MeanCount`, from signed pulse probabilities.
    fn mean_count(length: u32, x: &[f32], d: &[f32]) -> Self {
        let length = length as f32;
        let count = |p: &f32| (length * p).round_ties_even().clamp(-length, length);
        Self { rows: d.iter().map(|p| count(p) / length).collect(), columns: x.iter().map(count).collect() }
    }

    /// `DeterministicImplicit`, from signed pulse probabilities.
    fn implicit(length: u32, x: &[f32], d: &[f32]) -> Self {
        let length = length as f32;
        Self {
            rows: d.iter().map(|p| length * p.clamp(-1.0, 1.0)).collect(),
            columns: x.iter().map(|p| p.clamp(-1.0, 1.0)).collect(),
        }
    }

    /// Signed number of pulses at a crossing.
    fn at(&self, row: usize, column: usize) -> f32 {
        (self.rows[row] * self.columns[column]).round_ties_even()
    }

    /// Number of pulses of each row at a column.
    pub(crate) fn on_column(&self, column: usize) -> Vec<u32> {
        (0..self.rows.len()).map(|row| self.at(row, column).abs() as u32).collect()
    }

    /// Rows that carry anything, in ascending order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.rows).filter(|(_, factor)| **factor != 0.0).map(|(row, _)| row)
    }

    /// Largest possible number of pulses, for judging the amount of work.
    pub(crate) fn work(&self) -> usize {
        let sum = |factors: &[f32]| factors.iter().map(|f| f.abs()).sum::<f32>();
        (sum(&self.rows) * sum(&self.columns)) as usize
    }

    /// The columns whose product with a row is above 0, a bit for each.
    pub(crate) fn positive(&self, row: usize) -> Vec<u64> {
        self.lines(row, |count| count > 0.0)
    }

    /// The pulses of a row, round after round: in each, the columns that still want one.
    pub(crate) fn deliver(&self, row: usize, mut emit: impl FnMut(&[u64])) {
        let mut round = 1.0;
        loop {
            let wanting = self.lines(row, |count| count.abs() >= round);
            if wanting.iter().all(|word| *word == 0) {
                return;
            }
            emit(&wanting);
            round += 1.0;
        }
    }

    /// The columns whose count at a row has a property.
    fn lines(&self, row: usize, property: impl Fn(f32) -> bool) -> Vec<u64> {
        let columns = self.columns.len();
        let words = (0..columns).step_by(64);
        words.map(|start| bits((start..columns.min(start + 64)).map(|j| property(self.at(row, j))))).collect()
    }
}

/// Up to 64 bits, the first one lowest.
fn bits(values: impl Iterator<Item = bool>) -> u64 {
    values.enumerate().fold(0, |bits, (k, value)| bits | u64::from(value) << k)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(counts: &Counts, row: usize, columns: usize) -> Vec<i32> {
        let mut totals = vec![0; columns];
        let positive = counts.positive(row);
        counts.deliver(row, |fired| {
            for (column, total) in totals.iter_mut().enumerate() {
                let bit = |words: &[u64]| (words[column / 64] >> (column % 64) & 1) as i32;
                *total += bit(fired) * (2 * bit(&positive) - 1);
            }
        });
        totals
    }

    /// n = round(BL·x·d) per device, lines cut to a probability of 1.
    #[test]
    fn counts_by_hand() {
        let (x, d) = ([0.5, -1.0, 0.125, 3.0], [0.75, -0.25, 0.0]);
        let implicit = Counts::implicit(8, &x, &d);
        assert_eq!(totals(&implicit, 0, 4), [3, -6, 1, 6]);
        // -2·0.125 = -0.25 rounds to none, -2·0.5 to one.
        assert_eq!(totals(&implicit, 1, 4), [-1, 2, 0, -2]);
        assert_eq!(implicit.rows().collect::<Vec<_>>(), [0, 1]);
        let mean = Counts::mean_count(8, &x, &d);
        // Lines carry 4, -8, 1, 8 and 6/8, -2/8 pulses.
        assert_eq!(totals(&mean, 0, 4), [3, -6, 1, 6]);
        assert_eq!(totals(&mean, 1, 4), [-1, 2, 0, -2]);
    }
}
