//! One pulsed device per weight.

use std::ops::Range;

use aimc_device::RngKey;
use aimc_device::pulsed::DeviceArray;
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};

use crate::pulse::UpdateConfig;
use crate::pulse::outer_product::{Receiver, pulsed_steps, pulsed_update};
use crate::pulse::single_lines::pulsed_rows;
use crate::tile::SampleKeys;
use crate::unit_cell::{
    CellArray, OuterProducts, RowProducts, Steps, forget, update_by_units, update_one_by_one,
};

/// An array of single devices.
#[derive(Debug)]
pub struct SingleCells(pub(crate) Box<dyn DeviceArray>);

/// Every pulse goes to the devices as it is.
const EVERY: Receiver<'static> = Receiver { noise: label("devices"), takes: &|_| true, route: Some };

impl CellArray for SingleCells {
    fn weights(&self) -> &[f32] {
        self.0.weights()
    }

    fn set_weights(&mut self, values: &[f32], key: RngKey) {
        self.0.set_weights(values, key);
    }

    fn update(&mut self, config: &UpdateConfig, products: OuterProducts<'_>, draws: SampleKeys) {
        let granularity = self.granularity();
        let arrays = (std::slice::from_mut(&mut self.0), &[EVERY][..]);
        pulsed_update(arrays, (config, granularity), products, draws);
    }

    fn update_in_steps(&mut self, config: &UpdateConfig, steps: Steps<'_>, draws: SampleKeys) -> Vec<f32> {
        pulsed_steps((&mut self.0, EVERY), config, steps, draws)
            .unwrap_or_else(|| update_one_by_one(self, config, steps, draws))
    }

    fn update_rows(&mut self, config: &UpdateConfig, products: RowProducts<'_>, draws: SampleKeys) {
        if !pulsed_rows(self.0.as_mut(), &EVERY, config, &products, draws) {
            update_by_units(self, config, products, draws);
        }
    }

    fn end_of_step(&mut self, key: RngKey) {
        forget(self.0.as_mut(), key);
    }

    fn granularity(&self) -> f32 {
        self.0.granularity()
    }

    fn reset(&mut self, columns: Range<usize>, probability: f32, key: RngKey) {
        self.0.reset(columns, probability, key);
    }

    fn devices(&self) -> Vec<&dyn DeviceArray> {
        vec![self.0.as_ref()]
    }

    fn state(&self) -> State {
        self.0.state()
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        self.0.restore(state)
    }
}
