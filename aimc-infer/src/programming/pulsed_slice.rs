//! Pulsed devices as the conductances of one slice of a converter.
//!
//! ```text
//! g = max(w - w_min, 0)·κ,  κ = g_max/(w_max - w_min)       w_min, w_max: nominal bounds of the pulsed device
//! ```
//!
//! Devices start RESET, at the lower of their own bounds. A device whose bounds are narrower than the nominal ones cannot
//! reach all conductances.

use aimc_device::error::{ConfigError, require};
use aimc_device::programmed::{ProgrammedArray, ProgrammedDevice, ProgrammedDeviceConfig};
use aimc_device::pulsed::{Burst, DeviceArray, PulsedDeviceConfig};
use aimc_device::rng::label;
use aimc_device::{RngKey, parallel};

/// Refuses devices that have no range, or no step.
pub(crate) fn validate(device: &PulsedDeviceConfig) -> Result<(), ConfigError> {
    device.validate()?;
    let common = device.common();
    require::that(common.w_max > common.w_min, "w_max", common.w_max, "must be above w_min")?;
    require::positive("dw_min", device.granularity())
}

/// An array of pulsed devices read as conductances.
#[derive(Debug)]
pub(crate) struct PulsedSlice {
    array: Box<dyn DeviceArray>,
    columns: usize,
    /// Weight that stands for 0 µS.
    low: f32,
    /// κ, µS per unit of the pulsed device.
    scale: f32,
}

impl PulsedSlice {
    /// Fabricates `cells` devices in rows of `columns`, all RESET.
    pub(crate) fn fabricate(
        device: &PulsedDeviceConfig,
        (cells, columns): (usize, usize),
        g_max: f32,
        key: RngKey,
    ) -> Result<Self, ConfigError> {
        let mut array = device.build(cells / columns, columns, key.fold_in(label("fabrication")))?;
        let common = device.common();
        // Far below every bound, to which it is cut.
        let lowest = common.w_min - 1e3 * (common.w_max - common.w_min);
        array.set_weights(&vec![lowest; cells], key.fold_in(label("reset")));
        Ok(Self { array, columns, low: common.w_min, scale: g_max / (common.w_max - common.w_min) })
    }

    /// Devices in a row.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Mean step of a pulse (µS).
    pub(crate) fn step(&self) -> f32 {
        self.array.granularity() * self.scale
    }

    /// Conductances (µS) as they are now, without read noise.
    pub(crate) fn conductances(&self) -> Vec<f32> {
        self.array.weights().iter().map(|w| ((w - self.low) * self.scale).max(0.0)).collect()
    }

    /// Gives every device its number of pulses: up where it is positive, down where negative.
    pub(crate) fn pulse(&mut self, counts: &[i32], key: RngKey) {
        let columns = self.columns;
        let total: usize = counts.iter().map(|n| n.unsigned_abs() as usize).sum();
        let rows: Vec<usize> = (0..counts.len() / columns).collect();
        let of = |row: usize| {
            let counts = (0..).zip(&counts[row * columns..(row + 1) * columns]);
            let counts = counts.filter(|(_, pulses)| **pulses != 0);
            counts.map(|(column, pulses)| Burst { column, pulses: *pulses }).collect()
        };
        self.array.pulse_each(&rows, parallel::worthwhile(4 * total), &of, key);
    }

    /// The devices at rest: from now on they drift and are read as `device` does.
    pub(crate) fn settle(&self, device: &ProgrammedDeviceConfig, key: RngKey) -> ProgrammedArray {
        ProgrammedArray::settled(device, self.conductances(), self.columns, key)
    }
}

/// Slices for all `targets`, one key each.
pub(crate) fn fabricate_all(
    device: &PulsedDeviceConfig,
    job: &super::Job<'_>,
    key: RngKey,
) -> Result<Vec<PulsedSlice>, ConfigError> {
    let slices = job.targets.iter().enumerate();
    let fabricate = |(i, targets): (usize, &Vec<f32>)| {
        let key = crate::program::slice_key(key, i);
        PulsedSlice::fabricate(device, (targets.len(), job.shape.inputs), job.device.g_max(), key)
    };
    slices.map(fabricate).collect()
}

/// All slices at rest.
pub(crate) fn settle_all(slices: &[PulsedSlice], job: &super::Job<'_>, key: RngKey) -> Vec<ProgrammedArray> {
    let slices = slices.iter().enumerate();
    slices.map(|(i, slice)| slice.settle(job.device, crate::program::slice_key(key, i))).collect()
}
