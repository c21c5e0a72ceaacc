//! The record of a weight modifier.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};

use crate::periphery::quantiser::fraction;

/// What is done to the weights, see the [module](super).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum WeightModifierType {
    /// Nothing; `pdrop` must be 0.
    #[default]
    None,
    /// Additive Gaussian noise.
    AddNormal,
    /// Gaussian noise in proportion to the weight.
    MultNormal,
    /// Rounding to a uniform grid.
    Discretize,
    /// Rounding to a uniform grid, then additive Gaussian noise.
    DiscretizeAddNormal,
    /// tanh of the weights, scaled and rounded.
    DoReFa,
    /// Gaussian noise, its spread a polynomial of the weight.
    Poly,
    /// The same, reflected at 0.
    ProgNoise,
    /// Phase-change memory some time after programming.
    #[serde(rename = "PCMNoise")]
    PcmNoise,
    /// Only `pdrop`.
    DropConnect,
    /// The same; the name of AIHWKit's plain copy.
    Copy,
}

/// A weight modifier; names and defaults are those of AIHWKit's `WeightModifierParameter`.
///
/// ```
/// use aimc_device::config;
/// use aimc_tile::hardware_aware::WeightModifierConfig;
/// let noise: WeightModifierConfig = config::from_toml("type = \"AddNormal\"\nstd_dev = 0.1").unwrap();
/// assert!(noise.validate().is_ok());
/// let error = WeightModifierConfig { pdrop: 1.5, ..noise }.validate().unwrap_err();
/// assert_eq!(error.field, "pdrop");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WeightModifierConfig {
    /// What is done to the weights.
    #[serde(rename = "type")]
    pub kind: WeightModifierType,
    /// Strength of the noise, relative to the largest weight; scale of the noise of `Poly`, `ProgNoise` and `PCMNoise`.
    pub std_dev: f32,
    /// Every input vector sees a modified matrix of its own; otherwise all vectors between two steps share one.
    pub per_batch_sample: bool,
    /// Steps in which `std_dev` and `pdrop` grow linearly to their values; 0 for none. Noise that comes late finds a network
    /// that has learnt something.
    pub warmup_steps: u64,
    /// Modify from the first mini-batch on; otherwise from the first step on, as AIHWKit's C++ tile does.
    pub from_first_batch: bool,
    /// Step of a grid relative to the largest weight (`DoReFa`: in weight units), or steps per largest weight if above 1;
    /// 0 is no grid.
    pub res: f32,
    /// Take `res` above 1 for a width, as AIHWKit's C++ tile does: all weights then become 0.
    pub literal_res: bool,
    /// Take `res` relative to the whole range from -A to A, as AIHWKit's torch tile and all converters do.
    pub res_of_range: bool,
    /// Round by chance, without bias.
    pub sto_round: bool,
    /// Largest weight after `DoReFa`.
    pub dorefa_clip: f32,
    /// Probability that a weight is missing.
    pub pdrop: f32,
    /// Use the modified copy in evaluation, too.
    pub enable_during_test: bool,
    /// A is the largest |weight| of the tile; otherwise `assumed_wmax`.
    pub rel_to_actual_wmax: bool,
    /// A if it is not taken from the weights.
    pub assumed_wmax: f32,
    /// The spread of `MultNormal` is A·`std_dev`, as in AIHWKit's C++ tile; otherwise `std_dev`.
    pub mult_of_wmax: bool,
    /// Leave the last column alone, which is the analog bias.
    pub copy_last_column: bool,
    /// Coefficients of |W|/A⁰, |W|/A¹, … for `Poly` (relative to A) and `ProgNoise` (in the unit of `g_max`).
    pub coeffs: Vec<f32>,
    /// Largest conductance for `ProgNoise` and `PCMNoise` (µS).
    pub g_max: f32,
    /// `PCMNoise`: weights below this many standard deviations of an empty device are 0.
    pub pcm_zero_thres: f32,
    /// `PCMNoise`: time since programming (s).
    pub pcm_t_inference: f32,
    /// `PCMNoise`: probability that a device is stuck at 0.
    pub pcm_prob_at_reset: f32,
    /// `PCMNoise`: probability that one of a pair is stuck at `g_max`.
    pub pcm_prob_at_gmax: f32,
    /// `PCMNoise`: probability that a pair is stuck anywhere.
    pub pcm_prob_at_random: f32,
    /// `PCMNoise`: time of the first read after programming (s).
    pub pcm_t0: f32,
}

impl Default for WeightModifierConfig {
    fn default() -> Self {
        Self {
            kind: WeightModifierType::None,
            std_dev: 0.0,
            per_batch_sample: false,
            warmup_steps: 0,
            from_first_batch: false,
            res: 0.0,
            literal_res: false,
            res_of_range: false,
            sto_round: false,
            dorefa_clip: 0.6,
            pdrop: 0.0,
            enable_during_test: false,
            rel_to_actual_wmax: true,
            assumed_wmax: 1.0,
            mult_of_wmax: true,
            copy_last_column: false,
            coeffs: vec![0.010_539_2, 0.0768, -0.046_925],
            g_max: 25.0,
            pcm_zero_thres: 0.0,
            pcm_t_inference: 0.0,
            pcm_prob_at_reset: 0.0,
            pcm_prob_at_gmax: 0.0,
            pcm_prob_at_random: 0.0,
            pcm_t0: 20.0,
        }
    }
}

/// Shortest time of a first read (s): the width of a read pulse of PCM.
const T_READ: f32 = 250e-9;

impl WeightModifierConfig {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require::non_negative("std_dev", self.std_dev)?;
        require::non_negative("res", self.res)?;
        require::positive("dorefa_clip", self.dorefa_clip)?;
        require::probability("pdrop", self.pdrop)?;
        require::that(
            self.kind != WeightModifierType::None || self.pdrop == 0.0,
            "pdrop",
            self.pdrop,
            "must be 0 where nothing is modified; choose type = \"DropConnect\"",
        )?;
        require::positive("assumed_wmax", self.assumed_wmax)?;
        for (k, &c) in self.coeffs.iter().enumerate() {
            require::finite(&format!("coeffs[{k}]"), c)?;
        }
        require::that(!self.coeffs.is_empty(), "coeffs", &self.coeffs, "must hold at least one coefficient")?;
        require::positive("g_max", self.g_max)?;
        self.validate_pcm()
    }

    fn validate_pcm(&self) -> Result<(), ConfigError> {
        require::non_negative("pcm_zero_thres", self.pcm_zero_thres)?;
        require::non_negative("pcm_t_inference", self.pcm_t_inference)?;
        require::probability("pcm_prob_at_reset", self.pcm_prob_at_reset)?;
        require::probability("pcm_prob_at_gmax", self.pcm_prob_at_gmax)?;
        require::probability("pcm_prob_at_random", self.pcm_prob_at_random)?;
        let fits = self.pcm_t0.is_finite() && self.pcm_t0 >= T_READ;
        require::that(fits, "pcm_t0", self.pcm_t0, "must be a finite time, at least a read pulse of 250 ns")
    }

    /// Whether a training pass sees other weights than the clean ones.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.kind != WeightModifierType::None
    }

    /// The modifier after `steps` steps of training.
    ///
    /// ```
    /// use aimc_tile::hardware_aware::WeightModifierConfig;
    /// let record = WeightModifierConfig { std_dev: 0.5, warmup_steps: 4, ..WeightModifierConfig::default() };
    /// assert_eq!([0, 1, 4, 9].map(|steps| record.after(steps).std_dev), [0.0, 0.125, 0.5, 0.5]);
    /// ```
    #[must_use]
    pub fn after(&self, steps: u64) -> Self {
        let share = if steps < self.warmup_steps { steps as f32 / self.warmup_steps as f32 } else { 1.0 };
        Self { std_dev: share * self.std_dev, pdrop: share * self.pdrop, ..self.clone() }
    }

    /// Step of a grid relative to A; 0 for none.
    pub(super) fn step(&self) -> f32 {
        let step = if self.literal_res { self.res } else { fraction(self.res) };
        // Only the grid that is relative to A has a range.
        let ranged = self.kind != WeightModifierType::DoReFa && self.res_of_range;
        if ranged { 2.0 * step } else { step }
    }
}
