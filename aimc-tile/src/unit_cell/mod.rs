//! Unit cells: what sits at every crossing. One device, several devices that add up to one weight, or ideal storage.
//!
//! | cell | weight |
//! |---|---|
//! | one pulsed device ([`single`]) | its own |
//! | several devices ([`vector`]) | weighted sum |
//! | device and reference ([`vector`]) | difference, only one of them learns |
//! | one-sided pair ([`one_sided`]) | difference, one device for each direction |
//! | ideal storage ([`ideal`]) | a number |

pub mod config;
pub mod ideal;
pub mod one_sided;
pub mod single;
pub mod vector;

use std::ops::Range;

use aimc_device::RngKey;
use aimc_device::pulsed::DeviceArray;
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};

use crate::pulse::{Note, UpdateConfig};
use crate::tile::SampleKeys;

pub use config::UnitCell;
pub use one_sided::OneSidedCell;
pub use vector::{ReferenceCell, UpdatePolicy, VectorCell};

/// The vectors of an update, one sample after another, and how fast to follow them.
#[derive(Clone, Copy, Debug)]
pub struct OuterProducts<'a> {
    /// Inputs, inputs · samples entries.
    pub x: &'a [f32],
    /// Errors, outputs · samples entries.
    pub d: &'a [f32],
    /// Learning rate.
    pub lr: f32,
}

/// Rows that are to be updated, each by a vector of its own and an error of 1 on this row only.
#[derive(Clone)]
pub struct RowProducts<'a> {
    /// The rows.
    pub rows: Range<usize>,
    /// Entries of a vector.
    pub inputs: usize,
    /// Where vectors come from.
    pub x: &'a RowVectors<'a>,
    /// Learning rate, 0 or above.
    pub lr: f32,
}

impl std::fmt::Debug for RowProducts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowProducts").field("rows", &self.rows).field("lr", &self.lr).finish_non_exhaustive()
    }
}

/// Fills in the vector x of a row, given its number: once for each row, on any thread.
pub type RowVectors<'a> = dyn Fn(usize, &mut [f32]) + Sync + 'a;

/// Vectors that arrive in steps: each with a learning rate of its own, and columns that are noted on the way.
#[derive(Clone, Copy, Debug)]
pub struct Steps<'a> {
    /// Inputs, inputs · samples entries.
    pub x: &'a [f32],
    /// Errors, outputs · samples entries.
    pub d: &'a [f32],
    /// Learning rates of the samples, 0 or above.
    pub lr: &'a [f32],
    /// What to note, in ascending order of samples.
    pub notes: &'a [Note],
}

/// An array of unit cells: outputs x inputs weights, stored row by row.
pub trait CellArray: std::fmt::Debug + Send + Sync {
    /// The weights as they are read now.
    fn weights(&self) -> &[f32];

    /// Writes all weights as far as the devices allow.
    fn set_weights(&mut self, values: &[f32], key: RngKey);

    /// W ← W - lr·d xᵀ, sample after sample.
    fn update(&mut self, config: &UpdateConfig, products: OuterProducts<'_>, draws: SampleKeys);

    /// The same step by step: gives the weights that were noted, column after column.
    fn update_in_steps(&mut self, config: &UpdateConfig, steps: Steps<'_>, draws: SampleKeys) -> Vec<f32> {
        update_one_by_one(self, config, steps, draws)
    }

    /// The same for some rows. Draws are those of a sample for each row.
    fn update_rows(&mut self, config: &UpdateConfig, products: RowProducts<'_>, draws: SampleKeys) {
        update_by_units(self, config, products, draws);
    }

    /// What happens once per mini-batch: diffusion, then decay.
    fn end_of_step(&mut self, key: RngKey);

    /// Mean weight change of one pulse, in whose units updates are planned; 0 for ideal storage.
    fn granularity(&self) -> f32;

    /// Resets the devices of some columns, each with the given probability; ideal storage becomes 0.
    fn reset(&mut self, columns: Range<usize>, probability: f32, key: RngKey);

    /// The pulsed devices, array by array; none for ideal storage.
    fn devices(&self) -> Vec<&dyn DeviceArray>;

    /// Everything needed to continue later.
    fn state(&self) -> State;

    /// Takes over a state that [`CellArray::state`] gave.
    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError>;
}

/// [`CellArray::update_in_steps`] by [`CellArray::update`].
fn update_one_by_one(
    cells: &mut (impl CellArray + ?Sized),
    config: &UpdateConfig,
    Steps { x, d, lr, notes }: Steps<'_>,
    draws: SampleKeys,
) -> Vec<f32> {
    let (inputs, outputs) = (x.len() / lr.len().max(1), d.len() / lr.len().max(1));
    let (mut noted, mut notes) = (Vec::with_capacity(notes.len() * outputs), notes.iter().peekable());
    let samples = x.chunks(inputs.max(1)).zip(d.chunks(outputs.max(1))).zip(lr);
    for (sample, ((x, d), lr)) in samples.enumerate() {
        cells.update(config, OuterProducts { x, d, lr: *lr }, draws.skip(sample as u64));
        while let Some(note) = notes.next_if(|note| note.after == sample) {
            noted.extend(cells.weights().iter().skip(note.column).step_by(inputs));
        }
    }
    noted
}

/// [`CellArray::update_rows`] by [`CellArray::update`].
fn update_by_units(
    cells: &mut (impl CellArray + ?Sized),
    config: &UpdateConfig,
    RowProducts { rows, inputs, x: vector, lr }: RowProducts<'_>,
    draws: SampleKeys,
) {
    let outputs = cells.weights().len() / inputs;
    let (mut x, mut d) = (vec![0.0; rows.len() * inputs], vec![0.0; rows.len() * outputs]);
    for ((row, x), d) in rows.zip(x.chunks_mut(inputs)).zip(d.chunks_mut(outputs)) {
        vector(row, x);
        d[row] = 1.0;
    }
    cells.update(config, OuterProducts { x: &x, d: &d, lr }, draws);
}

/// Diffusion and decay of one device array, where its record asks for them.
fn forget(array: &mut dyn DeviceArray, key: RngKey) {
    let (decays, diffuses) = array.forgets();
    if diffuses {
        array.diffuse(key.fold_in(label("diffusion")));
    }
    if decays {
        array.decay(1.0, key.fold_in(label("decay")));
    }
}

/// Resets the same columns of several device arrays, each device on its own.
fn reset_all(arrays: &mut [Box<dyn DeviceArray>], columns: &Range<usize>, probability: f32, key: RngKey) {
    for (k, array) in arrays.iter_mut().enumerate() {
        array.reset(columns.clone(), probability, key.fold_in(k as u64));
    }
}

/// The state of several device arrays, numbered.
fn states(arrays: &[Box<dyn DeviceArray>]) -> State {
    let mut state = State::default();
    for (k, array) in arrays.iter().enumerate() {
        state.nest(&format!("device{k}"), array.state());
    }
    state
}

/// The inverse of [`states`].
fn restore_all(arrays: &mut [Box<dyn DeviceArray>], state: &StatePart<'_>) -> Result<(), StateError> {
    arrays.iter_mut().enumerate().try_for_each(|(k, array)| array.restore(&state.part(&format!("device{k}"))))
}
