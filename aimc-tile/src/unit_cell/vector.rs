//! Several devices per weight, W = Σₖ γₖ wₖ, and the device with a reference, W = w₀ - w₁.
//!
//! All devices of a cell share the lines, so one vector makes one set of pulse trains, planned with the mean
//! granularity of the devices. The policy says which device takes the pulses of a vector: all of them (each with
//! its own noise), one after the other, a random one, or always the same. With single devices in turn, n devices
//! of weight 1/n learn 1/n² as fast as a single device; the learning rate is not corrected for that.
//!
//! A reference cell is such a pair with γ = (1, -1) in which only the first device learns.
//!
//! Reference: T. Gokmen & Y. Vlasov 2016, Front. Neurosci. 10:333 (several devices per weight); the policies are
//! those of AIHWKit's `VectorUnitCell`.

use std::ops::Range;

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::pulsed::{DeviceArray, PulsedDeviceConfig};
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::pulse::UpdateConfig;
use crate::pulse::outer_product::{Receiver, pulsed_update};
use crate::tile::{SampleKeys, Shape};
use crate::unit_cell::{CellArray, OuterProducts, forget, reset_all, restore_all, states};

/// Which device of a cell takes the pulses of a vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum UpdatePolicy {
    /// Every device.
    #[default]
    All,
    /// Always the device `first_update_idx`.
    SingleFixed,
    /// The devices in turn; the first vector goes to the one after `first_update_idx`.
    SingleSequential,
    /// A random one.
    SingleRandom,
}

/// Several devices per weight, see the [module](self).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VectorCell {
    /// The devices of a cell.
    pub devices: Vec<PulsedDeviceConfig>,
    /// Which of them takes the pulses of a vector.
    pub update_policy: UpdatePolicy,
    /// Where the policy begins.
    pub first_update_idx: usize,
    /// Weight γₖ of every device; empty gives each 1/n.
    pub gamma_vec: Vec<f32>,
}

impl VectorCell {
    /// Refuses cells without devices, wrong numbers of weights, and devices that are refused themselves.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let n = self.devices.len();
        require::at_least_one("devices", n)?;
        for (k, device) in self.devices.iter().enumerate() {
            device.validate().map_err(|error| error.within(format!("devices[{k}]")))?;
        }
        let first = self.first_update_idx;
        require::that(first < n, "first_update_idx", first, "must be the number of a device, from 0")?;
        let fits = self.gamma_vec.is_empty() || self.gamma_vec.len() == n;
        require::that(fits, "gamma_vec", &self.gamma_vec, "must be empty or hold one number per device")?;
        self.gamma_vec
            .iter()
            .enumerate()
            .try_for_each(|(k, &g)| require::finite(&format!("gamma_vec[{k}]"), g))
    }

    fn gammas(&self) -> Vec<f32> {
        let n = self.devices.len();
        if self.gamma_vec.is_empty() { vec![1.0 / n as f32; n] } else { self.gamma_vec.clone() }
    }
}

/// A device that learns and one that it is compared with, see the [module](self).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReferenceCell {
    /// The device that learns and the reference; one entry serves as both.
    pub devices: Vec<PulsedDeviceConfig>,
}

impl ReferenceCell {
    /// The same as a vector cell.
    pub fn as_vector(&self) -> Result<VectorCell, ConfigError> {
        let devices = match self.devices.as_slice() {
            [both] => vec![both.clone(), both.clone()],
            [device, reference] => vec![device.clone(), reference.clone()],
            other => {
                return Err(ConfigError::new(
                    "devices",
                    format!("{} entries", other.len()),
                    "must hold 1 or 2",
                ));
            }
        };
        let update_policy = UpdatePolicy::SingleFixed;
        Ok(VectorCell { devices, update_policy, first_update_idx: 0, gamma_vec: vec![1.0, -1.0] })
    }
}

/// An array of vector cells.
#[derive(Debug)]
pub struct VectorCells {
    arrays: Vec<Box<dyn DeviceArray>>,
    gammas: Vec<f32>,
    policy: UpdatePolicy,
    first: usize,
    /// Vectors since the weights were set.
    vectors: u64,
    visible: Vec<f32>,
}

impl VectorCells {
    /// Validates, then fabricates cells at weight 0.
    pub fn new(cell: &VectorCell, shape: Shape, key: RngKey) -> Result<Self, ConfigError> {
        cell.validate()?;
        let arrays = cell.devices.iter().enumerate();
        let arrays =
            arrays.map(|(k, device)| device.build(shape.outputs, shape.inputs, key.fold_in(k as u64)));
        let mut cells = Self {
            arrays: arrays.collect::<Result<_, _>>()?,
            gammas: cell.gammas(),
            policy: cell.update_policy,
            first: cell.first_update_idx,
            vectors: 0,
            visible: vec![0.0; shape.outputs * shape.inputs],
        };
        cells.add_up();
        Ok(cells)
    }

    fn add_up(&mut self) {
        self.visible.fill(0.0);
        for (array, gamma) in self.arrays.iter().zip(&self.gammas) {
            self.visible.iter_mut().zip(array.weights()).for_each(|(sum, w)| *sum += gamma * w);
        }
    }

    /// The device that takes the pulses of sample `sample` of a call; `None` for all of them.
    fn chosen(&self, sample: usize, draws: SampleKeys) -> Option<usize> {
        let n = self.arrays.len();
        match self.policy {
            UpdatePolicy::All => None,
            UpdatePolicy::SingleFixed => Some(self.first),
            UpdatePolicy::SingleSequential => {
                let turn = (self.vectors + sample as u64 + 1) % n as u64;
                Some((self.first + turn as usize) % n)
            }
            UpdatePolicy::SingleRandom => {
                let mut chance = draws.sample(sample).fold_in(label("policy")).stream(0);
                Some(chance.below(n as u32) as usize)
            }
        }
    }
}

impl CellArray for VectorCells {
    fn weights(&self) -> &[f32] {
        &self.visible
    }

    fn set_weights(&mut self, values: &[f32], key: RngKey) {
        for (k, array) in self.arrays.iter_mut().enumerate() {
            if self.policy != UpdatePolicy::SingleFixed || k == self.first {
                array.set_weights(values, key.fold_in(k as u64));
            }
        }
        self.vectors = 0;
        self.add_up();
    }

    fn update(&mut self, config: &UpdateConfig, products: OuterProducts<'_>, draws: SampleKeys) {
        let samples = products.x.len() / self.arrays[0].shape().1;
        let chosen: &Vec<Option<usize>> = &(0..samples).map(|sample| self.chosen(sample, draws)).collect();
        let granularity = self.granularity();
        let taken_by = |k| move |sample: usize| chosen[sample].is_none_or(|chosen| chosen == k);
        let takes: Vec<_> = (0..self.arrays.len()).map(taken_by).collect();
        let receivers: Vec<_> = (0..)
            .zip(&takes)
            .map(|(k, takes)| Receiver { noise: label("devices").wrapping_add(k), takes, route: Some })
            .collect();
        pulsed_update((&mut self.arrays, &receivers), (config, granularity), products, draws);
        if products.lr > 0.0 {
            self.vectors += samples as u64;
        }
        self.add_up();
    }

    fn end_of_step(&mut self, key: RngKey) {
        self.arrays
            .iter_mut()
            .enumerate()
            .for_each(|(k, array)| forget(array.as_mut(), key.fold_in(k as u64)));
        self.add_up();
    }

    fn granularity(&self) -> f32 {
        self.arrays.iter().map(|array| array.granularity()).sum::<f32>() / self.arrays.len() as f32
    }

    fn reset(&mut self, columns: Range<usize>, probability: f32, key: RngKey) {
        reset_all(&mut self.arrays, &columns, probability, key);
        self.add_up();
    }

    fn devices(&self) -> Vec<&dyn DeviceArray> {
        self.arrays.iter().map(AsRef::as_ref).collect()
    }

    fn state(&self) -> State {
        let mut state = states(&self.arrays);
        state.put("vectors", vec![self.vectors]);
        state
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        let vectors = state.counts("vectors", 1)?[0];
        restore_all(&mut self.arrays, state)?;
        self.vectors = vectors;
        self.add_up();
        Ok(())
    }
}
