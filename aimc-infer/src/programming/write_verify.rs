//! Program-and-verify: every device is read, compared with its target and pulsed towards it until it is accepted or its
//! pulses are spent.
//!
//! ```text
//! e = g + σ_v ξ - g_T        |e| ≤ b: accepted, never touched again
//! else  n = clamp(⌊|e|/Δg⌉; 1, `pulses_per_read`) pulses, up where e < 0, down where e > 0
//! ```
//!
//! | symbol | field | unit | |
//! |---|---|---|---|
//! | b | `acceptance` | g_max | half width of the acceptance band |
//! | σ_v | `read_noise` | g_max | std of one verifying read of one device |
//! | | `max_pulses` | 1 | budget of each device |
//! | Δg | | µS | mean step of a pulse at the middle of the range |
//!
//! Without read noise, an accepted device is off by b at most. Steps of more than 2b may jump over the band: then the device
//! ends within one step of it. Small steps enter the band at its edge and stop there: errors gather between -b and -b + Δg if
//! devices come from below, one pulse at a time. Read noise accepts devices that are not within the band.
//!
//! Not modelled: pulses of growing amplitude, relaxation between pulse and read, disturbance of neighbours.
//!
//! Reference: N. Papandreou et al. 2011, IEEE ISCAS p. 329, doi:10.1109/ISCAS.2011.5937569 (iterative programming of
//! phase-change memory; not verified).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::programmed::{ProgrammedArray, ProgrammedDevice};
use aimc_device::pulsed::{ConstantStep, PulsedDeviceConfig};
use aimc_device::rng::label;

use super::pulsed_slice::{self, PulsedSlice, fabricate_all, settle_all};
use super::{Effort, Job};
use crate::error::InferenceError;
use crate::program::slice_key;

/// Program-and-verify, see the [module](self).
///
/// ```
/// use aimc_device::RngKey;
/// use aimc_infer::programming::{Programming, WriteVerify};
/// use aimc_infer::{InferenceTileConfig, ProgrammedTile};
/// use nalgebra::DMatrix;
/// let programming = Programming::WriteVerify(WriteVerify { acceptance: 0.02, ..WriteVerify::default() });
/// let config = InferenceTileConfig { programming, ..InferenceTileConfig::default() };
/// let weights = DMatrix::from_row_slice(2, 2, &[1.0, -0.5, 0.0, 0.25]);
/// let report = *ProgrammedTile::program(&weights, &config, RngKey::root(1))?.report();
/// assert!(report.effort.pulses > 0 && report.effort.device_reads > 0);
/// # Ok::<(), aimc_infer::InferenceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WriteVerify {
    /// The device as pulses see it; its range of weights stands for 0 to g_max.
    pub device: PulsedDeviceConfig,
    /// Half width of the acceptance band, in units of g_max.
    pub acceptance: f32,
    /// Std of one verifying read, in units of g_max.
    pub read_noise: f32,
    /// Most pulses between two reads of a device.
    pub pulses_per_read: u32,
    /// Most pulses of a device.
    pub max_pulses: u32,
}

impl Default for WriteVerify {
    /// A band of ± 1 % of g_max around each target, and devices that all reach the whole range.
    fn default() -> Self {
        Self {
            device: PulsedDeviceConfig::ConstantStep(ConstantStep {
                w_max_dtod: 0.0,
                w_min_dtod: 0.0,
                ..ConstantStep::default()
            }),
            acceptance: 0.01,
            read_noise: 0.002,
            pulses_per_read: 64,
            max_pulses: 4000,
        }
    }
}

impl WriteVerify {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        pulsed_slice::validate(&self.device).map_err(|error| error.within("device"))?;
        require::positive("acceptance", self.acceptance)?;
        require::non_negative("read_noise", self.read_noise)?;
        require::at_least_one("pulses_per_read", self.pulses_per_read as usize)?;
        require::at_least_one("max_pulses", self.max_pulses as usize)?;
        let countable = i32::try_from(self.pulses_per_read).is_ok();
        require::that(countable, "pulses_per_read", self.pulses_per_read, "must be below 2³¹")
    }

    /// Fabricates pulsed devices for all slices, and programs and verifies them.
    pub(super) fn write_slices(
        &self,
        job: &Job<'_>,
        key: RngKey,
    ) -> Result<(Vec<PulsedSlice>, Effort), InferenceError> {
        let mut slices = fabricate_all(&self.device, job, key)?;
        let mut effort = Effort::default();
        for (i, (slice, targets)) in slices.iter_mut().zip(job.targets).enumerate() {
            effort += self.write_slice(slice, targets, job.device.g_max(), slice_key(key, i));
        }
        Ok((slices, effort))
    }

    /// The same, at rest.
    pub(crate) fn write(
        &self,
        job: &Job<'_>,
        key: RngKey,
    ) -> Result<(Vec<ProgrammedArray>, Effort), InferenceError> {
        let (slices, effort) = self.write_slices(job, key)?;
        Ok((settle_all(&slices, job, key), effort))
    }

    /// Rounds of reads and pulses until no device has pulses left; an accepted one gives up its own.
    fn write_slice(&self, slice: &mut PulsedSlice, targets: &[f32], g_max: f32, key: RngKey) -> Effort {
        let mut left = vec![self.max_pulses; targets.len()];
        let mut effort = Effort::default();
        for round in 0.. {
            if left.iter().all(|left| *left == 0) {
                break;
            }
            let key = key.fold_in(label("round")).fold_in(round);
            effort.device_reads += left.iter().filter(|left| **left > 0).count() as u64;
            let errors = self.read_errors(slice, targets, g_max, key.fold_in(label("verify")));
            let counts = self.decide(&errors, slice.step(), self.acceptance * g_max, &mut left);
            effort.pulses += counts.iter().map(|n| u64::from(n.unsigned_abs())).sum::<u64>();
            slice.pulse(&counts, key.fold_in(label("pulses")));
        }
        effort
    }

    /// What one read of every device says about its error (µS).
    fn read_errors(&self, slice: &PulsedSlice, targets: &[f32], g_max: f32, key: RngKey) -> Vec<f32> {
        let std = self.read_noise * g_max;
        let mut noise = vec![0.0; targets.len()];
        if std > 0.0 {
            let rows = noise.chunks_mut(slice.columns()).enumerate();
            rows.for_each(|(row, noise)| key.stream(row as u64).fill_normal(noise));
        }
        let read = slice.conductances();
        read.iter().zip(targets).zip(noise).map(|((g, target), xi)| g - target + std * xi).collect()
    }

    /// Pulses of every device, by its sign the direction; takes them from the budgets.
    fn decide(&self, errors: &[f32], step: f32, band: f32, left: &mut [u32]) -> Vec<i32> {
        let decide = |(error, left): (&f32, &mut u32)| {
            if error.abs() <= band {
                *left = 0;
            }
            let wanted = ((error.abs() / step).round() as u32).clamp(1, self.pulses_per_read);
            let n = wanted.min(*left);
            *left -= n;
            if *error > 0.0 { -(n as i32) } else { n as i32 }
        };
        errors.iter().zip(left).map(decide).collect()
    }
}

#[cfg(test)]
#[path = "write_verify_tests.rs"]
mod tests;
