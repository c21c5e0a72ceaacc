//! The tile of all transfer algorithms: arrays from fast to slow, and a rule that says what a read slice writes.
//!
//! ```text
//! per vector:   A ← A - λ_A d xᵀ (pulses);   every E vectors: v = A·e_s (a read),  C ← C + rule(v) at slice s (pulses)
//! ```

mod learning;

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::parallel;
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};
use aimc_tile::{
    AnalogTile, Circuits, Inventory, MatVec, ReadOut, SampleKeys, Shape, Tile, TileConfig, TileError,
    UnitCell, check_update,
};

use crate::algorithms::transfer::Transfer;
use crate::algorithms::transfer_rule::{Setting, TransferRule};
use learning::Batch;

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
        parallel::at_once(self.shape.outputs * self.shape.inputs, || {
            check_update(self.shape, &x, &d, lr)?;
            if lr == 0.0 {
                return Ok(());
            }
            self.learn(&Batch { x, d, lr, draws })?;
            self.add_up();
            Ok(())
        })
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
