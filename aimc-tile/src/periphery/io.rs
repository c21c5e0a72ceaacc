//! The record of a tile's input and output circuits, for one direction.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};

use crate::periphery::adc::AdcBank;
use crate::periphery::bound_management::BoundManagement;
use crate::periphery::ir_drop::IrDropModel;
use crate::periphery::mv_type::MvType;
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
    /// How a product is spread over passes through the array.
    pub mv_type: MvType,
    /// Bits of the lower part in `SplitMode`.
    pub split_mode_bit_shift: u32,
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
    /// Relative spread of that noise from line to line.
    pub out_noise_std: f32,
    /// Resolution of the ADC, as `inp_res`.
    pub out_res: f32,
    /// The converters themselves: architecture, sharing, spread.
    pub adc: AdcBank,
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
    /// Largest scale of noise management, the scale itself for `Constant`; 0 is no limit.
    pub nm_thres: f32,
    /// Largest weight that `AbsMaxNPSum` reckons with.
    pub nm_assumed_wmax: f32,
    /// Share of a new vector in the running mean of `AverageAbsMax`.
    pub nm_decay: f32,
    /// `Max` takes vectors without a positive input for empty, as AIHWKit does.
    pub nm_max_zeroes_negative: bool,
    /// Strength of the weight noise.
    pub w_noise: f32,
    /// Law of the weight noise.
    pub w_noise_type: WeightNoise,
    /// Relative spread of the weights' factor for negative inputs, where these have a pass of their own.
    pub w_read_asymmetry_dtod: f32,
    /// Scale of the IR drop; 0 is none.
    pub ir_drop: f32,
    /// How the resistance of the wires is reckoned with.
    pub ir_drop_model: IrDropModel,
    /// Conductance of a wire segment over that of a device at weight 1.
    pub ir_drop_g_ratio: f32,
    /// Std of the voltage offset of the output lines, of which only positive draws count.
    pub v_offset_std: f32,
    /// Weight of the device without conductance against which a line with offset is read.
    pub v_offset_w_min: f32,
    /// Resistance in series with an output line, in units of the inverse output.
    pub r_series: f32,
    /// Largest load that the series resistance sees.
    pub r_series_max_total: f32,
    /// Strength of the S-shape of the output at `out_bound`.
    pub out_nonlinearity: f32,
    /// Relative spread of that strength from line to line.
    pub out_nonlinearity_std: f32,
    /// Place of unit slope of the S-shape, as a fraction of `out_bound`; 0 leaves it uncalibrated.
    pub slope_calibration: f32,
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
            mv_type: MvType::OnePass,
            split_mode_bit_shift: 3,
            inp_bound: 1.0,
            inp_noise: 0.0,
            inp_res: 1.0 / 126.0,
            inp_sto_round: false,
            inp_asymmetry: 0.0,
            out_bound: 12.0,
            out_noise: 0.06,
            out_noise_std: 0.0,
            out_res: 1.0 / 510.0,
            adc: AdcBank::default(),
            out_sto_round: false,
            out_scale: 1.0,
            out_asymmetry: 0.0,
            bound_management: BoundManagement::Iterative,
            noise_management: NoiseManagement::AbsMax,
            nm_thres: 0.0,
            nm_assumed_wmax: 0.6,
            nm_decay: 1e-3,
            nm_max_zeroes_negative: false,
            w_noise: 0.0,
            w_noise_type: WeightNoise::None,
            w_read_asymmetry_dtod: 0.0,
            ir_drop: 0.0,
            ir_drop_model: IrDropModel::ClosedForm,
            ir_drop_g_ratio: (1.0_f64 / 0.35 / 5e-6) as f32,
            v_offset_std: 0.0,
            v_offset_w_min: -1.0,
            r_series: 0.0,
            r_series_max_total: f32::MAX,
            out_nonlinearity: 0.0,
            out_nonlinearity_std: 0.0,
            slope_calibration: 0.0,
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
            ("out_noise_std", self.out_noise_std),
            ("nm_assumed_wmax", self.nm_assumed_wmax),
            ("w_read_asymmetry_dtod", self.w_read_asymmetry_dtod),
            ("ir_drop", self.ir_drop),
            ("v_offset_std", self.v_offset_std),
            ("r_series", self.r_series),
            ("r_series_max_total", self.r_series_max_total),
            ("out_nonlinearity", self.out_nonlinearity),
            ("out_nonlinearity_std", self.out_nonlinearity_std),
            ("slope_calibration", self.slope_calibration),
        ] {
            require::non_negative(field, value)?;
        }
        require::positive("ir_drop_g_ratio", self.ir_drop_g_ratio)?;
        require::non_positive("v_offset_w_min", self.v_offset_w_min)?;
        require::probability("nm_decay", self.nm_decay)?;
        require::within("inp_asymmetry", self.inp_asymmetry, -1.0, 1.0)?;
        require::within("out_asymmetry", self.out_asymmetry, -1.0, 1.0)?;
        let managed = self.noise_management != NoiseManagement::None;
        require::that(
            !managed || self.inp_bound == 1.0,
            "inp_bound",
            self.inp_bound,
            "must be 1 with noise management",
        )?;
        let timed = self.w_noise_type == WeightNoise::PcmReadDuration;
        require::that(
            !timed || (self.inp_res > 0.0 && self.inp_bound > 0.0),
            "w_noise_type",
            "PCMReadDuration",
            "needs inp_res and inp_bound above 0, which make the shortest pulse",
        )?;
        self.ir_drop_model.validate().map_err(|error| error.within("ir_drop_model"))?;
        self.adc.validate(self).map_err(|error| error.within("adc"))?;
        self.mv_type.validate(self)
    }
}
