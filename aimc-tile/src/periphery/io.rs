//! The record of a tile's input and output circuits, for one direction.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};

use crate::periphery::bound_management::BoundManagement;
use crate::periphery::noise_management::NoiseManagement;
use crate::periphery::weight_noise::WeightNoise;

/// Converters, noise and range management of one direction of a tile.
///
/// Weights are nominally within ±1, inputs within ± `inp_bound`; defaults are AIHWKit's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IoConfig {
    /// Exact products; only `out_scale` still acts.
    pub is_perfect: bool,
    /// Range of the DAC; 0 or below is infinite. Must be 1 with noise management.
    pub inp_bound: f32,
    /// Std of the noise on each input line.
    pub inp_noise: f32,
    /// Resolution of the DAC: fraction of the full range, or number of steps if above 1; 0 or below is off.
    pub inp_res: f32,
    /// The DAC rounds stochastically.
    pub inp_sto_round: bool,
    /// Negative inputs are weaker by this fraction.
    pub inp_asymmetry: f32,
    /// Range of the ADC; 0 or below is infinite.
    pub out_bound: f32,
    /// Std of the noise on each output line.
    pub out_noise: f32,
    /// Resolution of the ADC, as `inp_res`.
    pub out_res: f32,
    /// The ADC rounds stochastically.
    pub out_sto_round: bool,
    /// Digital factor on every output.
    pub out_scale: f32,
    /// Negative outputs are weaker by this fraction.
    pub out_asymmetry: f32,
    /// What to do about outputs beyond the range (forward only).
    pub bound_management: BoundManagement,
    /// How inputs are scaled into the range.
    pub noise_management: NoiseManagement,
    /// Largest scale of `AbsMax`; 0 is no limit.
    pub nm_thres: f32,
    /// Strength of the weight noise.
    pub w_noise: f32,
    /// Law of the weight noise.
    pub w_noise_type: WeightNoise,
    /// Bound management doubles its factor only up to this one.
    pub max_bm_factor: u32,
    /// Bound management doubles its factor only up to this many times the DAC's levels.
    pub max_bm_res: f32,
    /// Bound management watches the lower bound too.
    pub bm_test_negative_bound: bool,
    /// Without `bm_test_negative_bound`: an output below the lower bound also cancels the overflow of the
    /// outputs before it, as AIHWKit's CPU code does.
    pub bm_negative_overflow_cancels: bool,
}

impl Default for IoConfig {
    fn default() -> Self {
        Self {
            is_perfect: false,
            inp_bound: 1.0,
            inp_noise: 0.0,
            inp_res: 1.0 / 126.0,
            inp_sto_round: false,
            inp_asymmetry: 0.0,
            out_bound: 12.0,
            out_noise: 0.06,
            out_res: 1.0 / 510.0,
            out_sto_round: false,
            out_scale: 1.0,
            out_asymmetry: 0.0,
            bound_management: BoundManagement::Iterative,
            noise_management: NoiseManagement::AbsMax,
            nm_thres: 0.0,
            w_noise: 0.0,
            w_noise_type: WeightNoise::None,
            max_bm_factor: 1000,
            max_bm_res: 0.25,
            bm_test_negative_bound: true,
            bm_negative_overflow_cancels: false,
        }
    }
}

impl IoConfig {
    /// Exact products.
    #[must_use]
    pub fn perfect() -> Self {
        Self { is_perfect: true, ..Self::default() }
    }

    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        for (field, value) in [
            ("inp_bound", self.inp_bound),
            ("inp_res", self.inp_res),
            ("out_bound", self.out_bound),
            ("out_res", self.out_res),
            ("out_scale", self.out_scale),
        ] {
            require::finite(field, value)?;
        }
        for (field, value) in [
            ("inp_noise", self.inp_noise),
            ("out_noise", self.out_noise),
            ("nm_thres", self.nm_thres),
            ("w_noise", self.w_noise),
            ("max_bm_res", self.max_bm_res),
        ] {
            require::non_negative(field, value)?;
        }
        require::within("inp_asymmetry", self.inp_asymmetry, -1.0, 1.0)?;
        require::within("out_asymmetry", self.out_asymmetry, -1.0, 1.0)?;
        let managed = self.noise_management != NoiseManagement::None;
        require::that(
            !managed || self.inp_bound == 1.0,
            "inp_bound",
            self.inp_bound,
            "must be 1 with noise management",
        )
    }
}
