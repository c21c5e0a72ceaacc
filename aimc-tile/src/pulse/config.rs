//! The record of a pulsed update.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};

/// How the outer product lr·d xᵀ reaches the devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PulseType {
    /// Exactly, as numbers; devices then have neither bounds nor spread.
    None,
    /// By coincidence of stochastic pulse trains; each line carries one train, whatever its sign.
    #[default]
    StochasticCompressed,
}

/// Where the chance of stochastic pulses comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PulseSource {
    /// Every line in every slot on its own.
    #[default]
    Independent,
    /// The C library's `rand`, as AIHWKit on a CPU: see [`super::lagged_fibonacci`]. With trains of 31 slots
    /// the pulses of neighbouring lines are correlated, which widens the spread of an update.
    LaggedFibonacci,
}

/// Parameters of the update; defaults are AIHWKit's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateConfig {
    /// Kind of pulse trains.
    pub pulse_type: PulseType,
    /// Where the chance of stochastic pulses comes from.
    pub pulse_source: PulseSource,
    /// Length of a train in time slots, at most this with `update_bl_management`.
    pub desired_bl: u32,
    /// Keep the length fixed; otherwise large learning rates lengthen the train. Without effect under
    /// `update_bl_management`.
    pub fixed_bl: bool,
    /// Shorten each train to the pulses its vectors need.
    pub update_bl_management: bool,
    /// Balance the pulse probabilities of the two sides.
    pub update_management: bool,
    /// Factor on max |d| in update management; below 1 it lets the error side be clipped more.
    pub um_grad_scale: f32,
}

impl Default for UpdateConfig {
    fn default() -> Self {
        Self {
            pulse_type: PulseType::default(),
            pulse_source: PulseSource::default(),
            desired_bl: 31,
            fixed_bl: true,
            update_bl_management: true,
            update_management: true,
            um_grad_scale: 1.0,
        }
    }
}

impl UpdateConfig {
    /// The exact update.
    #[must_use]
    pub fn exact() -> Self {
        Self { pulse_type: PulseType::None, ..Self::default() }
    }

    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let length = self.desired_bl;
        require::that(
            (1..=100_000).contains(&length),
            "desired_bl",
            length,
            "must lie between 1 and 100000",
        )?;
        require::positive("um_grad_scale", self.um_grad_scale)
    }
}
