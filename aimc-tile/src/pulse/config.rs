//! The record of a pulsed update.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};

use crate::periphery::quantiser::fraction;

/// How the outer product lr·d xᵀ reaches the devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PulseType {
    /// Exactly, as numbers; devices then have neither bounds nor spread.
    None,
    /// Exactly, as numbers, vector after vector; then cut to what the devices can hold.
    NoneWithDevice,
    /// By coincidence of stochastic pulse trains; each line carries one train, whatever its sign.
    #[default]
    StochasticCompressed,
    /// By coincidence of stochastic pulse trains; the lines with x > 0 and those with x < 0 fire one after the other
    /// in each slot. As every line has one sign, this is the law of `StochasticCompressed`.
    Stochastic,
    /// A whole number of pulses for each line, whose products are rounded for each device.
    MeanCount,
    /// The product of the pulse probabilities rounded to a whole number of pulses for each device.
    DeterministicImplicit,
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
    /// Resolution of the pulse probabilities of all types but `DeterministicImplicit`: width of a bin, or number of bins
    /// if above 1; 0 or below is off.
    pub res: f32,
    /// Resolution on the x side for `DeterministicImplicit`, as `res`.
    pub x_res_implicit: f32,
    /// Resolution on the d side for `DeterministicImplicit`, as `res`.
    pub d_res_implicit: f32,
    /// Round probabilities stochastically.
    pub sto_round: bool,
    /// Take resolutions above 1 for widths, as AIHWKit does: no line then ever fires.
    pub literal_res: bool,
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
            res: 0.0,
            x_res_implicit: 0.0,
            d_res_implicit: 0.0,
            sto_round: false,
            literal_res: false,
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

    /// Bin widths of the pulse probabilities on the x and on the d side; 0 is no binning.
    #[must_use]
    pub(crate) fn bins(&self) -> (f32, f32) {
        let width = |res: f32| if self.literal_res { res.max(0.0) } else { fraction(res) };
        match self.pulse_type {
            PulseType::DeterministicImplicit => (width(self.x_res_implicit), width(self.d_res_implicit)),
            _ => (width(self.res), width(self.res)),
        }
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
        require::finite("res", self.res)?;
        require::finite("x_res_implicit", self.x_res_implicit)?;
        require::finite("d_res_implicit", self.d_res_implicit)?;
        require::positive("um_grad_scale", self.um_grad_scale)
    }
}
