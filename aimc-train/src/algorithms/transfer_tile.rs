//! The tile of all transfer algorithms: arrays from fast to slow, and a rule that says what a read slice writes.
//!
//! ```text
//! per vector:   A ← A - λ_A d xᵀ (pulses);   every E vectors: v = A·e_s (a read),  C ← C + rule(v) at slice s (pulses)
//! ```

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};
use aimc_tile::{
    AnalogTile, Circuits, Inventory, MatVec, ReadOut, SampleKeys, Shape, Tile, TileConfig, TileError,
    UnitCell, check_update,
};

use crate::algorithms::transfer::Transfer;
use crate::algorithms::transfer_rule::{Read, Setting, TransferRule, Write};

/// A tile that learns by transfer.
#[derive(Debug)]
pub struct TransferTile {
    shape: Shape,
    transfer: Transfer,
    rule: Box<dyn TransferRule>,
    /// The arrays, from fast to slow.
    arrays: Vec<AnalogTile>,
    gammas: Vec<f32>,
    /// States of the fast device.
    states: f32,
    /// What reads the weight.
    circuits: Circuits,
    /// The weight; empty where the last array alone is the weight.
    visible: Vec<f32>,
    /// Vectors since the weights were set.
    vectors: u64,
    /// Next slice of each array.
    next: Vec<usize>,
}

/// Number of states (w_max - w_min)/granularity of a single device; 0 for other cells.
fn states(cell: &UnitCell) -> f32 {
    match cell {
        UnitCell::Pulsed(device) => device.common().n_states(device.granularity()),
        UnitCell::Compound(_) => 0.0,
    }
}

/// Refuses arrays of ideal storage, which have no granules in which buffers could count.
fn check_granules(arrays: &[AnalogTile]) -> Result<(), ConfigError> {
    let requirement = "must have a granularity above 0 where a buffer counts in it; ideal storage has none";
    arrays.iter().enumerate().try_for_each(|(k, array)| {
        let granularity = array.granularity();
        require::that(granularity > 0.0, &format!("devices[{k}]"), granularity, requirement)
    })
}

impl TransferTile {
    /// Validates, then fabricates the arrays; `tile` gives the circuits of the weight, the pulses of the fast array and
    /// the device, unless `transfer` lists devices.
    pub(crate) fn new(
        tile: &TileConfig,
        transfer: Transfer,
        rule: impl FnOnce(Setting) -> Box<dyn TransferRule>,
        shape: Shape,
        key: RngKey,
    ) -> Result<Self, ConfigError> {
        let own = vec![tile.device.clone(); transfer.arrays];
        let devices = if transfer.devices.is_empty() { &own } else { &transfer.devices };
        let n = devices.len();
        transfer.validate(n)?;
        for (k, device) in devices.iter().enumerate() {
            device.validate().map_err(|error| error.within(format!("devices[{k}]")))?;
        }
        let states = states(&devices[0]);
        require::that(
            transfer.transfer_every >= 0.0 || states > 0.0,
            "transfer_every",
            transfer.transfer_every,
            "must not be negative: only single devices have a number of states to count in",
        )?;
        let arrays = devices.iter().enumerate().map(|(k, device)| {
            let update = if k == 0 { tile.update.clone() } else { transfer.transfer_update.clone() };
            let config = TileConfig {
                device: device.clone(),
                forward: transfer.reading(),
                backward: transfer.reading(),
                update,
            };
            config.build(shape, key.fold_in(label("array")).fold_in(k as u64))
        });
        let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
        let circuits = Circuits::new(&tile.forward, &tile.backward, shape, key.fold_in(label("circuits")))?;
        let (slices, entries) = transfer.slices(shape);
        let rule = rule(Setting { slices, entries, fast_bl: tile.update.desired_bl });
        if rule.counts_granules() {
            check_granules(&arrays)?;
        }
        let gammas = transfer.gammas(n);
        let hidden = gammas[..n - 1].iter().all(|gamma| *gamma == 0.0) && gammas[n - 1] == 1.0;
        let visible = vec![0.0; if hidden { 0 } else { shape.outputs * shape.inputs }];
        let next = vec![0; n];
        let mut built =
            Self { shape, transfer, rule, arrays, gammas, states, circuits, visible, vectors: 0, next };
        built.add_up();
        Ok(built)
    }

    /// The arrays, from fast to slow.
    #[must_use]
    pub fn arrays(&self) -> &[AnalogTile] {
        &self.arrays
    }

    fn weight(&self) -> &[f32] {
        let slow = self.arrays.last().map_or(&[][..], |slow| slow.conductances());
        if self.visible.is_empty() { slow } else { &self.visible }
    }

    /// W = Σ γₖ wₖ, the fast array with the signs under which it has learnt.
    fn add_up(&mut self) {
        if self.visible.is_empty() {
            return;
        }
        self.visible.fill(0.0);
        for (array, gamma) in self.arrays.iter().zip(&self.gammas) {
            self.visible.iter_mut().zip(array.conductances()).for_each(|(w, a)| *w += gamma * a);
        }
        let Some((along, across)) = self.rule.choppers().filter(|_| !self.transfer.as_aihwkit) else {
            return;
        };
        let (inputs, columns, gamma) = (self.shape.inputs, self.transfer.transfer_columns, self.gammas[0]);
        for (index, (w, a)) in self.visible.iter_mut().zip(self.arrays[0].conductances()).enumerate() {
            let (i, j) = (index / inputs, index % inputs);
            let sign = if columns { across[i] * along[j] } else { along[i] * across[j] };
            *w += gamma * (sign - 1.0) * a;
        }
    }

    /// One vector: pulses on the fast array, then the transfers that are due.
    fn learn(
        &mut self,
        x: &[f32],
        d: &[f32],
        lr: f32,
        batch: usize,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        let largest = |values: &[f32]| values.iter().fold(0.0_f32, |largest, v| largest.max(v.abs()));
        let own = self.arrays[0].granularity();
        let rate = self.transfer.fast_rate(lr);
        let rate = self.rule.fast_rate(rate, (largest(x), largest(d)), own, batch);
        // AIHWKit 1.1 plans the pulses of the fast array with the mean granularity of all arrays.
        let mean = self.arrays.iter().map(AnalogTile::granularity).sum::<f32>() / self.arrays.len() as f32;
        let planned = if self.transfer.as_aihwkit && mean > 0.0 { rate * (own / mean) } else { rate };
        let (mut x, mut d) = (x.to_vec(), d.to_vec());
        if let Some((along, across)) = self.rule.choppers() {
            let (x_signs, d_signs) =
                if self.transfer.transfer_columns { (along, across) } else { (across, along) };
            x.iter_mut().zip(x_signs).for_each(|(x, sign)| *x *= sign);
            d.iter_mut().zip(d_signs).for_each(|(d, sign)| *d *= sign);
        }
        self.arrays[0].update(column(&x), column(&d), planned, draws.fold_in(label("fast")))?;
        self.vectors += 1;
        let n = self.arrays.len();
        for k in 0..n {
            let period = self.transfer.period(k, n, self.shape, batch, self.states);
            if period > 0 && self.vectors.is_multiple_of(period) {
                self.transfer_from(k, (lr, rate), draws.fold_in(label("transfer")).fold_in(k as u64))?;
            }
        }
        Ok(())
    }

    /// One transfer from array `k` to the next.
    fn transfer_from(
        &mut self,
        k: usize,
        (lr, fast): (f32, f32),
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        let mut rate = self.transfer.transfer_rate(k, lr);
        if rate == 0.0 {
            return Ok(());
        }
        if self.rule.follows_shares() && self.gammas[k] > 0.0 && self.gammas[k + 1] > 0.0 {
            rate *= self.gammas[k] / self.gammas[k + 1];
        }
        let (slices, _) = self.transfer.slices(self.shape);
        let reads = self.transfer.reads(self.shape);
        let key = draws.sample(0);
        let start = if self.transfer.random_selection {
            key.fold_in(label("slice")).stream(0).below(slices as u32) as usize
        } else {
            self.next[k]
        };
        for read in 0..reads {
            let slice = (start + read) % slices;
            let draws = draws.fold_in(label("read")).fold_in(read as u64);
            let values = self.read_slice(k, slice, draws)?;
            self.reset_after_read(k, (start, slice), draws.sample(0).fold_in(label("reset")));
            let granularities = (self.arrays[k].granularity(), self.arrays[k + 1].granularity());
            let key = draws.sample(0).fold_in(label("rule"));
            let read = Read { array: k, slice, values: &values, rates: (rate, fast), granularities, key };
            if let Some(write) = self.rule.write(read) {
                self.write_slice(k + 1, slice, &write, draws.fold_in(label("write")))?;
            }
        }
        self.next[k] = (start + reads) % slices;
        Ok(())
    }

    fn read_slice(&self, k: usize, slice: usize, draws: SampleKeys) -> Result<Vec<f32>, TileError> {
        let (slices, entries) = self.transfer.slices(self.shape);
        let mut values = vec![0.0; entries];
        let (probe, read) = (one_hot(slices, slice), DMatrixViewMut::from_slice(&mut values, entries, 1));
        if self.transfer.transfer_columns {
            self.arrays[k].forward(column(&probe), read, draws)?;
        } else {
            self.arrays[k].backward(column(&probe), read, draws)?;
        }
        Ok(values)
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

/// A vector as a matrix of one column.
pub(crate) fn column(values: &[f32]) -> DMatrixView<'_, f32> {
    DMatrixView::from_slice(values, values.len(), 1)
}

/// 1 at `place`, 0 elsewhere.
pub(crate) fn one_hot(length: usize, place: usize) -> Vec<f32> {
    let mut values = vec![0.0; length];
    values[place] = 1.0;
    values
}

impl MatVec for TransferTile {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn forward(
        &self,
        x: DMatrixView<f32>,
        y: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        self.circuits.read(self.weight(), x, y, draws)
    }
}

impl Tile for TransferTile {
    fn backward(
        &self,
        d: DMatrixView<f32>,
        z: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        self.circuits.read_back(self.weight(), d, z, draws)
    }

    fn update(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: f32,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        check_update(self.shape, &x, &d, lr)?;
        if lr == 0.0 {
            return Ok(());
        }
        let batch = x.ncols();
        for sample in 0..batch {
            let (x, d) = (x.column(sample), d.column(sample));
            self.learn(x.as_slice(), d.as_slice(), lr, batch, draws.skip(sample as u64))?;
        }
        self.add_up();
        Ok(())
    }

    fn end_of_step(&mut self, key: RngKey) {
        for (k, array) in self.arrays.iter_mut().enumerate() {
            array.end_of_step(key.fold_in(k as u64));
        }
        self.add_up();
    }

    fn inventory(&self) -> Inventory {
        self.arrays.iter().map(Tile::inventory).sum()
    }

    fn state(&self) -> State {
        let mut state = State::default();
        for (k, array) in self.arrays.iter().enumerate() {
            state.nest(&format!("array{k}"), array.state());
        }
        state.nest("circuits", self.circuits.state());
        state.nest("rule", self.rule.state());
        state.put("vectors", vec![self.vectors]);
        state.put("next", self.next.iter().map(|&slice| slice as u64).collect::<Vec<u64>>());
        state
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        let vectors = state.counts("vectors", 1)?[0];
        let next = state.counts("next", self.next.len())?.iter().map(|&slice| slice as usize).collect();
        self.circuits.restore(&state.part("circuits"))?;
        self.rule.restore(&state.part("rule"))?;
        for (k, array) in self.arrays.iter_mut().enumerate() {
            array.restore(&state.part(&format!("array{k}")))?;
        }
        (self.vectors, self.next) = (vectors, next);
        self.add_up();
        Ok(())
    }
}

impl ReadOut for TransferTile {
    fn weights(&self) -> DMatrix<f32> {
        DMatrix::from_row_slice(self.shape.outputs, self.shape.inputs, self.weight())
    }

    /// The last array takes the weights, the others are set to 0; digital buffers stay as they are.
    fn set_weights(&mut self, weights: &DMatrix<f32>, key: RngKey) -> Result<(), TileError> {
        let n = self.arrays.len();
        let last = weights / self.gammas[n - 1];
        for (k, array) in self.arrays.iter_mut().enumerate() {
            let zeros = weights.map(|w| if w.is_finite() { 0.0 } else { w });
            array.set_weights(if k + 1 == n { &last } else { &zeros }, key.fold_in(k as u64))?;
        }
        self.vectors = 0;
        self.next.fill(0);
        self.add_up();
        Ok(())
    }
}
