//! Short-term noise of the weights during a read, referred to the outputs.
//!
//! Each product sees weights W + ξ afresh; summed over a line this is Gaussian noise on the output, drawn
//! there directly: the law is the same, at the cost of one draw per line instead of one per device.
//!
//! `PcmReadDuration` is the read noise of phase-change cells under inputs that are pulses of different lengths. The std of a
//! cell of conductance g (µS) is s(L)·g + o(L), L = log₁₀ of the mean length in units of the shortest pulse:
//!
//! ```text
//! s = 2.1926·10⁻⁴ L⁴ - 1.87352·10⁻³ L³ + 6.55714·10⁻³ L² - 0.0146159 L + 0.02578764
//! o = 1.11906167·10⁻³ L⁴ - 9.08576764·10⁻³ L³ + 0.0307015063 L² - 0.0677079241 L + 0.117763144   (µS)
//! ```
//!
//! The mean is that of the sample (AIHWKit: of the batch), at least one unit; conductances are those of the model of the
//! wires ([`ir_drop`](super::ir_drop)). Correlation between the samples of a batch is not modelled.
//!
//! Reference: M. J. Rasch et al. 2021, IEEE AICAS, doi:10.1109/AICAS51828.2021.9458494 (AIHWKit,
//! `apply_xdep_pcm_read_noise`, whose coefficients these are).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the noise of a weight depends on its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum WeightNoise {
    /// No noise.
    #[default]
    None,
    /// Std `w_noise` for every weight: output std w_noise·‖x̂‖₂.
    AdditiveConstant,
    /// Std `w_noise`·√|W|, as 1/f noise of phase-change memory: output std w_noise·√(Σⱼ|Wᵢⱼ|x̂ⱼ²).
    #[serde(rename = "PCMRead")]
    PcmRead,
    /// `w_noise` times the noise of phase-change memory read by pulses of different lengths; needs `inp_res`.
    #[serde(rename = "PCMReadDuration")]
    PcmReadDuration,
}

/// Std of a cell of conductance g: `slope`·g + `offset`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReadNoiseLaw {
    /// Per conductance.
    pub slope: f32,
    /// Of an empty cell (µS).
    pub offset: f32,
}

/// The law of [`WeightNoise::PcmReadDuration`] for pulses of this mean length, in units of the shortest.
///
/// ```
/// use aimc_tile::periphery::weight_noise::read_noise_of_duration;
/// let shortest = read_noise_of_duration(1.0);
/// assert_eq!((shortest.slope, shortest.offset), (0.025_787_64, 0.117_763_144_f64 as f32));
/// assert!(read_noise_of_duration(10.0).slope < shortest.slope);
/// ```
#[must_use]
pub fn read_noise_of_duration(mean_length: f32) -> ReadNoiseLaw {
    let l = f64::from(mean_length.max(1.0)).log10();
    let polynomial = |c: [f64; 5]| c.iter().rev().fold(0.0, |sum, c| sum * l + c) as f32;
    let slope = [0.025_787_64, -0.014_615_9, 6.557_14e-3, -1.873_52e-3, 2.192_6e-4];
    let offset = [0.117_763_144, -0.067_707_924_1, 0.030_701_506_3, -9.085_767_64e-3, 1.119_061_67e-3];
    ReadNoiseLaw { slope: polynomial(slope), offset: polynomial(offset) }
}
