//! How a transfer tile learns: runs of vectors on the fast array, and the transfers that fall due on the way.
//!
//! Transfers read the fast array and move the others. What they do comes back to it by resets and by the signs of choppers only.
//! Vectors up to the next change of signs are thus one run: they are pulsed into the fast array together, row by row, the columns
//! that will be read are noted as they are in between, and then the transfers follow in their order. The numbers are those of
//! vectors one by one.

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_tile::matmul::Weights;
use aimc_tile::pulse::Note;
use aimc_tile::{AnalogMvm, AnalogTile, MatVec, SampleKeys, Shape, Tile, TileError, gathered, largest_size};

use super::{TransferTile, column, one_hot};
use crate::algorithms::transfer_rule::{Read, Write};

/// An update: inputs x samples, outputs x samples, learning rate, draws.
pub(super) struct Batch<'a> {
    pub(super) x: DMatrixView<'a, f32>,
    pub(super) d: DMatrixView<'a, f32>,
    pub(super) lr: f32,
    pub(super) draws: SampleKeys,
}

/// Vectors of a batch that pass over the fast array together.
struct Run {
    first: usize,
    vectors: usize,
    /// What will be read on the way.
    notes: Vec<Note>,
}

/// The draws of the transfers from array `k` after a vector.
fn of_transfer(draws: SampleKeys, k: usize) -> SampleKeys {
    draws.fold_in(label("transfer")).fold_in(k as u64)
}

/// The draws of a read of such a transfer.
fn of_read(draws: SampleKeys, read: usize) -> SampleKeys {
    draws.fold_in(label("read")).fold_in(read as u64)
}

/// The key of the rule for a read.
fn of_rule(draws: SampleKeys) -> RngKey {
    draws.sample(0).fold_in(label("rule"))
}

impl TransferTile {
    /// The vectors of a batch, run by run.
    pub(super) fn learn(&mut self, batch: &Batch<'_>) -> Result<(), TileError> {
        let mut first = 0;
        while first < batch.x.ncols() {
            let run = self.run(first, batch);
            let (rates, noted) = self.pulse(&run, batch)?;
            let mut noted = noted.column_iter().map(|column| column.as_slice().to_vec());
            for (sample, fast) in (first..).zip(rates) {
                self.vectors += 1;
                let draws = batch.draws.skip(sample as u64);
                for k in 0..self.arrays.len() {
                    if !self.is_due(k, self.vectors, batch) {
                        continue;
                    }
                    self.transfer_from(k, (batch.lr, fast), &mut noted, of_transfer(draws, k))?;
                }
            }
            first += run.vectors;
        }
        Ok(())
    }

    /// Whether array `k` transfers once so many vectors have come since the weights were set.
    fn is_due(&self, k: usize, vectors: u64, batch: &Batch<'_>) -> bool {
        let n = self.arrays.len();
        let period = self.transfer.period(k, n, self.shape, batch.x.ncols(), self.states);
        period > 0 && vectors.is_multiple_of(period) && self.transfer.transfer_rate(k, batch.lr) != 0.0
    }

    /// The slices that a transfer reads whose next one in turn is `next`.
    fn slices(&self, next: usize, draws: SampleKeys) -> impl Iterator<Item = usize> + use<> {
        let (slices, _) = self.transfer.slices(self.shape);
        let start = if self.transfer.random_selection {
            draws.sample(0).fold_in(label("slice")).stream(0).below(slices as u32) as usize
        } else {
            next
        };
        (start..start + self.transfer.reads(self.shape)).map(move |slice| slice % slices)
    }

    /// The run from sample `first` on: up to the end of the batch, or to a read that changes signs; a single vector where
    /// transfers need more of the fast array than columns.
    fn run(&self, first: usize, batch: &Batch<'_>) -> Run {
        let mut run = Run { first, vectors: 1, notes: Vec::new() };
        let alone = self.transfer.transfer_columns && self.reading(0).reads_lines_alone();
        if !alone || self.transfer.with_reset_prob > 0.0 {
            return run;
        }
        let mut next = self.next[0];
        for after in 0..batch.x.ncols() - first {
            run.vectors = after + 1;
            if !self.is_due(0, self.vectors + run.vectors as u64, batch) {
                continue;
            }
            let draws = of_transfer(batch.draws.skip((first + after) as u64), 0);
            let mut steady = true;
            for (read, column) in self.slices(next, draws).enumerate() {
                run.notes.push(Note { after, column });
                steady &= self.rule.keeps_signs(column, of_rule(of_read(draws, read)));
                next = (column + 1) % self.shape.inputs;
            }
            if !steady {
                break;
            }
        }
        run
    }

    /// Pulses a run into the fast array: the learning rates there, and the columns that were noted.
    fn pulse(&mut self, run: &Run, batch: &Batch<'_>) -> Result<(Vec<f32>, DMatrix<f32>), TileError> {
        let mut x = gathered(&batch.x.columns(run.first, run.vectors));
        let mut d = gathered(&batch.d.columns(run.first, run.vectors));
        let (own, rate) = (self.arrays[0].granularity(), self.transfer.fast_rate(batch.lr));
        let pairs = x.column_iter().zip(d.column_iter());
        let sizes = pairs.map(|(x, d)| (largest_size(x.as_slice()), largest_size(d.as_slice())));
        let rates: Vec<f32> =
            sizes.map(|sizes| self.rule.fast_rate(rate, sizes, own, batch.x.ncols())).collect();
        // AIHWKit 1.1 plans the pulses of the fast array with the mean granularity of all arrays.
        let mean = self.arrays.iter().map(AnalogTile::granularity).sum::<f32>() / self.arrays.len() as f32;
        let unit = if self.transfer.as_aihwkit && mean > 0.0 { own / mean } else { 1.0 };
        let planned: Vec<f32> = rates.iter().map(|rate| rate * unit).collect();
        if let Some((along, across)) = self.rule.choppers() {
            let (x_signs, d_signs) =
                if self.transfer.transfer_columns { (along, across) } else { (across, along) };
            chop(&mut x, x_signs);
            chop(&mut d, d_signs);
        }
        let draws = batch.draws.skip(run.first as u64).fold_in(label("fast"));
        let noted = self.arrays[0].update_in_steps(x.as_view(), d.as_view(), &planned, &run.notes, draws)?;
        Ok((rates, noted))
    }

    /// One transfer from array `k` to the next, of what was `noted` of the fast array or else of what the array holds now.
    fn transfer_from(
        &mut self,
        k: usize,
        (lr, fast): (f32, f32),
        noted: &mut impl Iterator<Item = Vec<f32>>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        let mut rate = self.transfer.transfer_rate(k, lr);
        if self.rule.follows_shares() && self.gammas[k] > 0.0 && self.gammas[k + 1] > 0.0 {
            rate *= self.gammas[k] / self.gammas[k + 1];
        }
        let mut start = None;
        for (read, slice) in self.slices(self.next[k], draws).enumerate() {
            let start = *start.get_or_insert(slice);
            let draws = of_read(draws, read);
            let noted = if k == 0 { noted.next() } else { None };
            let values = self.read_slice(k, slice, noted, draws)?;
            self.reset_after_read(k, (start, slice), draws.sample(0).fold_in(label("reset")));
            let granularities = (self.arrays[k].granularity(), self.arrays[k + 1].granularity());
            let key = of_rule(draws);
            let read = Read { array: k, slice, values: &values, rates: (rate, fast), granularities, key };
            if let Some(write) = self.rule.write(read) {
                self.write_slice(k + 1, slice, &write, draws.fold_in(label("write")))?;
            }
            self.next[k] = (slice + 1) % self.transfer.slices(self.shape).0;
        }
        Ok(())
    }

    /// The circuits that read slices of array `k`.
    fn reading(&self, k: usize) -> &AnalogMvm {
        let circuits = self.arrays[k].circuits();
        if self.transfer.transfer_columns { &circuits.forward } else { &circuits.backward }
    }

    /// What a slice of array `k` reads, which holds what was `noted`, or else what it holds now.
    fn read_slice(
        &self,
        k: usize,
        slice: usize,
        noted: Option<Vec<f32>>,
        draws: SampleKeys,
    ) -> Result<Vec<f32>, TileError> {
        let (slices, entries) = self.transfer.slices(self.shape);
        let mut values = vec![0.0; entries];
        let mut read = DMatrixViewMut::from_slice(&mut values, entries, 1);
        let circuits = self.reading(k);
        if circuits.reads_lines_alone() {
            let held = noted.unwrap_or_else(|| self.held(k, slice));
            circuits.multiply(Weights::new(&held, entries, 1), &column(&[1.0]), &mut read, draws)?;
        } else if self.transfer.transfer_columns {
            self.arrays[k].forward(column(&one_hot(slices, slice)), read, draws)?;
        } else {
            self.arrays[k].backward(column(&one_hot(slices, slice)), read, draws)?;
        }
        Ok(values)
    }

    /// What a slice of array `k` holds now.
    fn held(&self, k: usize, slice: usize) -> Vec<f32> {
        let Shape { outputs, inputs } = self.shape;
        let weights = Weights::new(self.arrays[k].conductances(), outputs, inputs);
        let weights = if self.transfer.transfer_columns { weights } else { weights.transpose() };
        weights.lines(slice..slice + 1)
    }

    fn reset_after_read(&mut self, k: usize, (start, slice): (usize, usize), key: RngKey) {
        let probability = self.transfer.with_reset_prob;
        if probability <= 0.0 || key.stream(0).uniform() >= probability {
            return;
        }
        let columns = if self.transfer.as_aihwkit {
            // All columns of the block that is being read; a block that wraps around the edge is two.
            let end = start + self.transfer.reads(self.shape);
            let wrapped = end.saturating_sub(self.shape.inputs);
            if slice < start { 0..wrapped } else { start..end.min(self.shape.inputs) }
        } else {
            slice..slice + 1
        };
        self.arrays[k].reset(columns, 1.0, key.fold_in(label("columns")));
    }

    fn write_slice(
        &mut self,
        k: usize,
        slice: usize,
        write: &Write,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        let probe = one_hot(self.transfer.slices(self.shape).0, slice);
        let values: Vec<f32> = write.values.iter().map(|v| -v).collect();
        let (x, d) = if self.transfer.transfer_columns { (&probe, &values) } else { (&values, &probe) };
        self.arrays[k].update(column(x), column(d), write.lr, draws)
    }
}

/// Turns the signs of lines round, of all vectors alike.
fn chop(lines: &mut DMatrix<f32>, signs: &[f32]) {
    for mut lines in lines.column_iter_mut() {
        lines.iter_mut().zip(signs).for_each(|(line, sign)| *line *= sign);
    }
}
