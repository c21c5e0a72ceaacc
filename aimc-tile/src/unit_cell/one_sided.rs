//! One-sided pair, W = g⁺ - g⁻: for devices that can be pulsed gradually in one direction only.
//!
//! Every pulse is an up pulse: of g⁺ where the weight is to rise, of g⁻ where it is to fall. Both devices thus
//! fill up until they are reset (refreshing the pair is not modelled here yet). Setting a weight puts its positive
//! part on g⁺ and its negative part on g⁻.
//!
//! With `copy_inverted`, g⁺ is the mirror image of g⁻ instead of a device of its own: what lowers the one raises the
//! other, so that the pair behaves alike in both directions.
//!
//! Reference: I. Boybat et al. 2018, Nat. Commun. 9:2514, doi:10.1038/s41467-018-04933-y (pairs of phase-change
//! devices).

use std::ops::Range;

use aimc_device::RngKey;
use aimc_device::error::ConfigError;
use aimc_device::pulsed::{DeviceArray, Direction, PulsedDeviceConfig};
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::pulse::UpdateConfig;
use crate::pulse::outer_product::{Receiver, pulsed_update};
use crate::tile::{SampleKeys, Shape};
use crate::unit_cell::{CellArray, OuterProducts, forget, reset_all, restore_all, states};

/// A one-sided pair, see the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneSidedCell {
    /// The device, of which there are two.
    pub device: PulsedDeviceConfig,
    /// Make g⁺ the mirror image of g⁻.
    #[serde(default)]
    pub copy_inverted: bool,
}

/// Which array is which.
const MINUS: usize = 0;
const PLUS: usize = 1;

/// An array of one-sided pairs.
#[derive(Debug)]
pub struct OneSidedCells {
    /// g⁻ and g⁺.
    arrays: Vec<Box<dyn DeviceArray>>,
    visible: Vec<f32>,
}

impl OneSidedCells {
    /// Validates, then fabricates pairs at weight 0.
    pub fn new(cell: &OneSidedCell, shape: Shape, key: RngKey) -> Result<Self, ConfigError> {
        let build = |key| cell.device.build(shape.outputs, shape.inputs, key);
        let at = |error: ConfigError| error.within("device");
        let minus = build(key.fold_in(MINUS as u64)).map_err(at)?;
        let plus = if cell.copy_inverted {
            // The same address fabricates the same devices.
            let mut copy = build(key.fold_in(MINUS as u64)).map_err(at)?;
            copy.mirror(key.fold_in(label("mirror")));
            copy
        } else {
            build(key.fold_in(PLUS as u64)).map_err(at)?
        };
        let visible = vec![0.0; shape.outputs * shape.inputs];
        let mut cells = Self { arrays: vec![minus, plus], visible };
        cells.subtract();
        Ok(cells)
    }

    fn subtract(&mut self) {
        let pairs = self.arrays[PLUS].weights().iter().zip(self.arrays[MINUS].weights());
        self.visible.iter_mut().zip(pairs).for_each(|(w, (plus, minus))| *w = plus - minus);
    }
}

impl CellArray for OneSidedCells {
    fn weights(&self) -> &[f32] {
        &self.visible
    }

    fn set_weights(&mut self, values: &[f32], key: RngKey) {
        for (k, sign) in [(MINUS, -1.0), (PLUS, 1.0)] {
            let part: Vec<f32> = values.iter().map(|w| (sign * w).max(0.0)).collect();
            self.arrays[k].set_weights(&part, key.fold_in(k as u64));
        }
        self.subtract();
    }

    fn update(&mut self, config: &UpdateConfig, products: OuterProducts<'_>, draws: SampleKeys) {
        let granularity = self.granularity();
        let routes: [fn(Direction) -> Option<Direction>; 2] = [
            |wanted| (wanted == Direction::Down).then_some(Direction::Up),
            |wanted| (wanted == Direction::Up).then_some(Direction::Up),
        ];
        for (k, (array, route)) in self.arrays.iter_mut().zip(routes).enumerate() {
            let noise = label("devices").wrapping_add(k as u64);
            let receiver = Receiver { granularity, noise, takes: &|_| true, route };
            pulsed_update(array.as_mut(), &receiver, config, products, draws);
        }
        self.subtract();
    }

    fn end_of_step(&mut self, key: RngKey) {
        self.arrays
            .iter_mut()
            .enumerate()
            .for_each(|(k, array)| forget(array.as_mut(), key.fold_in(k as u64)));
        self.subtract();
    }

    fn granularity(&self) -> f32 {
        0.5 * (self.arrays[PLUS].granularity() + self.arrays[MINUS].granularity())
    }

    fn reset(&mut self, columns: Range<usize>, probability: f32, key: RngKey) {
        reset_all(&mut self.arrays, &columns, probability, key);
        self.subtract();
    }

    fn devices(&self) -> Vec<&dyn DeviceArray> {
        self.arrays.iter().map(AsRef::as_ref).collect()
    }

    fn state(&self) -> State {
        states(&self.arrays)
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        restore_all(&mut self.arrays, state)?;
        self.subtract();
        Ok(())
    }
}
