//! The digital rank-update cell: outer products are summed up digitally, rows of the sum are pulsed into the devices.
//!
//! ```text
//! χ ← χ + (outer product)                            every vector; how is the accumulator's business
//! k = granules of χ;  χ ← χ - kε,  W ← W - transfer_lr·ε·k (pulses)      rows in turn, every E mini-batches
//! ```
//!
//! Mixed precision in floating point ([`mixed_precision`](super::mixed_precision)) and in integers
//! ([`mixed_precision_int`](super::mixed_precision_int)) are accumulators of this tile. A row whose largest k exceeds
//! `desired_bl` is written only in part; update and BL management plan the pulses.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::parallel;
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};
use aimc_tile::unit_cell::RowVectors;
use aimc_tile::{
    AnalogTile, Inventory, MatVec, ReadOut, SampleKeys, Shape, Tile, TileConfig, TileError, UpdateConfig,
    check_update,
};

/// When which rows are written, and in what portions.
#[derive(Clone, Debug)]
pub(crate) struct RowTransfers {
    /// Mini-batches between two transfers; 0 is never.
    pub(crate) transfer_every: u64,
    /// Rows written in a transfer; 0 or below is all.
    pub(crate) n_rows_per_transfer: i64,
    /// The first row of a transfer is random; otherwise rows come in turn.
    pub(crate) random_row: bool,
    /// Granule; 0 is the granularity of the device.
    pub(crate) granularity: f32,
    /// Factor of what is written.
    pub(crate) transfer_lr: f32,
    /// Transfer one vector late.
    pub(crate) as_aihwkit: bool,
}

impl RowTransfers {
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        require::non_negative("granularity", self.granularity)?;
        require::positive("transfer_lr", self.transfer_lr)
    }
}

/// A vector pair and the address of its draws.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) d: &'a [f32],
    pub(crate) key: RngKey,
}

/// The digital sum of outer products.
pub(crate) trait Accumulator: std::fmt::Debug + Send + Sync {
    /// Adds the outer products of some vectors, one after another.
    fn add(&mut self, samples: &[Sample<'_>], lr: f32);

    /// Adds outer products, then takes the whole granules out of some rows: gives what does so for each of them.
    fn taking<'a>(
        &'a mut self,
        samples: &'a [Sample<'_>],
        rows: Range<usize>,
        granule: f32,
        lr: f32,
    ) -> Box<RowVectors<'a>>;

    /// Forgets what was not yet written.
    fn clear(&mut self);

    /// Everything needed to continue later.
    fn state(&self) -> State;

    /// Takes over what [`Accumulator::state`] gave; an error changes nothing.
    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError>;
}

/// Gives what calls `take` with the number of any of `rows`, its entries of `sums`, and where its granules belong.
pub(crate) fn row_by_row<'a, T: Send>(
    sums: &'a mut [T],
    shape: Shape,
    rows: Range<usize>,
    take: impl Fn(usize, &mut [T], &mut [f32]) + Sync + 'a,
) -> Box<RowVectors<'a>> {
    let (first, entries) = (rows.start, rows.start * shape.inputs..rows.end * shape.inputs);
    // Every row is taken once, so that no thread waits for another.
    let sums: Vec<_> = sums[entries].chunks_mut(shape.inputs).map(Mutex::new).collect();
    Box::new(move |row, granules| {
        let mut sums = sums[row - first].lock().unwrap_or_else(PoisonError::into_inner);
        take(row, &mut sums, granules);
    })
}

/// A tile that learns by digital rank updates.
#[derive(Debug)]
pub struct DigitalRankUpdateTile {
    rows: RowTransfers,
    accumulator: Box<dyn Accumulator>,
    array: AnalogTile,
    granule: f32,
    vectors: u64,
    next_row: usize,
}

impl DigitalRankUpdateTile {
    /// Validates, then fabricates the array.
    pub(crate) fn new(
        rows: RowTransfers,
        accumulator: Box<dyn Accumulator>,
        tile: &TileConfig,
        shape: Shape,
        key: RngKey,
    ) -> Result<Self, ConfigError> {
        rows.validate()?;
        let managed =
            UpdateConfig { update_management: true, update_bl_management: true, ..tile.update.clone() };
        let array = TileConfig { update: managed, ..tile.clone() }.build(shape, key)?;
        let granule = if rows.granularity > 0.0 { rows.granularity } else { array.granularity() };
        let requirement = "must be above 0: this device has no granularity of its own";
        require::that(granule > 0.0, "granularity", rows.granularity, requirement)?;
        Ok(Self { rows, accumulator, array, granule, vectors: 0, next_row: 0 })
    }

    /// Adds the outer products of some vectors and writes rows.
    fn transfer(&mut self, samples: &[Sample<'_>], lr: f32, draws: SampleKeys) -> Result<(), TileError> {
        let outputs = self.shape().outputs;
        let rows = usize::try_from(self.rows.n_rows_per_transfer).unwrap_or(0);
        let rows = if rows == 0 { outputs } else { rows.min(outputs) };
        let random = self.rows.random_row && rows < outputs;
        let start = if random {
            draws.sample(0).fold_in(label("row")).stream(0).below(outputs as u32) as usize
        } else {
            self.next_row
        };
        let draws = SampleKeys::new(draws.sample(0).fold_in(label("row update")));
        let write_lr = self.granule * self.rows.transfer_lr;
        // Behind the last row comes the first one.
        let end = outputs.min(start + rows);
        let parts = [(start..end, samples, 0), (0..start + rows - end, &[], end - start)];
        for (rows, samples, done) in parts.into_iter().filter(|(rows, ..)| !rows.is_empty()) {
            let granules = self.accumulator.taking(samples, rows.clone(), self.granule, lr);
            self.array.update_each_row(rows, &granules, write_lr, draws.skip(done as u64))?;
        }
        self.next_row = (start + rows) % outputs;
        Ok(())
    }
}

impl MatVec for DigitalRankUpdateTile {
    fn shape(&self) -> Shape {
        self.array.shape()
    }

    fn forward(
        &self,
        x: DMatrixView<f32>,
        y: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        self.array.forward(x, y, draws)
    }
}

impl DigitalRankUpdateTile {
    /// See [`Tile::update`].
    fn learn(
        &mut self,
        x: &DMatrixView<f32>,
        d: &DMatrixView<f32>,
        lr: f32,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        check_update(self.shape(), x, d, lr)?;
        if lr == 0.0 {
            return Ok(());
        }
        let period = self.rows.transfer_every * x.ncols() as u64;
        let (x, d): (Vec<_>, Vec<_>) = (x.column_iter().collect(), d.column_iter().collect());
        // Up to the next transfer all vectors are added at once.
        let mut waiting = Vec::new();
        for (sample, (x, d)) in x.iter().zip(&d).enumerate() {
            waiting.push(Sample { x: x.as_slice(), d: d.as_slice(), key: draws.sample(sample) });
            let seen = self.vectors + u64::from(!self.rows.as_aihwkit);
            if period > 0 && seen > 0 && seen.is_multiple_of(period) {
                let waiting = std::mem::take(&mut waiting);
                self.transfer(&waiting, lr, draws.skip(sample as u64).fold_in(label("transfer")))?;
            }
            self.vectors += 1;
        }
        self.accumulator.add(&waiting, lr);
        Ok(())
    }
}

impl Tile for DigitalRankUpdateTile {
    fn backward(
        &self,
        d: DMatrixView<f32>,
        z: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        self.array.backward(d, z, draws)
    }

    fn update(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: f32,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        let Shape { outputs, inputs } = self.shape();
        parallel::at_once(outputs * inputs, || self.learn(&x, &d, lr, draws))
    }

    fn end_of_step(&mut self, key: RngKey) {
        self.array.end_of_step(key);
    }

    fn inventory(&self) -> Inventory {
        self.array.inventory()
    }

    fn state(&self) -> State {
        let mut state = State::default();
        state.nest("array", self.array.state());
        state.nest("digital", self.accumulator.state());
        state.put("vectors", vec![self.vectors]);
        state.put("next_row", vec![self.next_row as u64]);
        state
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        let (vectors, next_row) = (state.counts("vectors", 1)?[0], state.counts("next_row", 1)?[0]);
        self.array.restore(&state.part("array"))?;
        self.accumulator.restore(&state.part("digital"))?;
        (self.vectors, self.next_row) = (vectors, next_row as usize);
        Ok(())
    }
}

impl ReadOut for DigitalRankUpdateTile {
    fn weights(&self) -> DMatrix<f32> {
        self.array.weights()
    }

    /// What was not yet written is forgotten.
    fn set_weights(&mut self, weights: &DMatrix<f32>, key: RngKey) -> Result<(), TileError> {
        self.array.set_weights(weights, key)?;
        self.accumulator.clear();
        (self.vectors, self.next_row) = (0, 0);
        Ok(())
    }
}
