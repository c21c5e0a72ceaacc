//! Ideal storage: weights are numbers, updates are exact.

use std::ops::Range;

use aimc_device::RngKey;
use aimc_device::pulsed::DeviceArray;
use aimc_device::pulsed::ideal::IdealArray;
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};

use crate::matmul::subtract_outer_products;
use crate::pulse::UpdateConfig;
use crate::tile::{SampleKeys, Shape};
use crate::unit_cell::{CellArray, OuterProducts};

/// Ideal storage for a tile of `shape`.
#[derive(Clone, Debug)]
pub struct IdealCells {
    pub(crate) shape: Shape,
    pub(crate) array: IdealArray,
}

impl CellArray for IdealCells {
    fn weights(&self) -> &[f32] {
        self.array.weights()
    }

    fn set_weights(&mut self, values: &[f32], _key: RngKey) {
        self.array.weights_mut().copy_from_slice(values);
    }

    fn update(&mut self, _config: &UpdateConfig, products: OuterProducts<'_>, _draws: SampleKeys) {
        let Shape { outputs, inputs } = self.shape;
        let OuterProducts { x, d, lr } = products;
        subtract_outer_products(self.array.weights_mut(), outputs, inputs, x, d, lr);
    }

    fn end_of_step(&mut self, key: RngKey) {
        self.array.diffuse(key.fold_in(label("diffusion")));
        self.array.decay(1.0);
    }

    fn granularity(&self) -> f32 {
        0.0
    }

    fn reset(&mut self, columns: Range<usize>, probability: f32, key: RngKey) {
        let (inputs, mut chance) = (self.shape.inputs, vec![0.0; self.shape.inputs]);
        for (row, weights) in self.array.weights_mut().chunks_mut(inputs).enumerate() {
            key.stream(row as u64).fill_uniform(&mut chance);
            let hit = |column: &usize| columns.contains(column) && chance[*column] < probability;
            (0..inputs).filter(hit).for_each(|column| weights[column] = 0.0);
        }
    }

    fn devices(&self) -> Vec<&dyn DeviceArray> {
        Vec::new()
    }

    fn state(&self) -> State {
        self.array.state()
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        self.array.restore(state)
    }
}
