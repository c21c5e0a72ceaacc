//! The converters of a tile: their architecture, how many columns share one, and how much they differ.
//!
//! With u = y/Δ, the line in steps Δ of the ideal converter, converter c sees
//!
//! ```text
//! u' = u·(1 + gain_std·ξ_c) + offset_std·ξ'_c
//! ```
//!
//! and gives a whole number of steps between -M and M, M = `out_bound`/Δ, as its architecture decides: [`sar`](super::sar),
//! [`ramp`](super::ramp) or [`flash`](super::flash); the ideal one rounds. Draws are frozen at fabrication. An overflow is
//! what the ideal converter would call one.
//!
//! Gain and offset are what is left after calibration; the 64-core chip of M. Le Gallo et al. 2023,
//! doi:10.1038/s41928-023-01010-1, corrects both digitally for each of its converters.

use aimc_device::config;
use aimc_device::error::{ConfigError, require};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Adc, Reading, flash::Flash, ramp::Ramp, sar::Sar};
use crate::periphery::io::IoConfig;
use crate::periphery::quantiser::step;

/// How a converter finds its number, chosen by the field `model`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "model")]
pub enum Architecture {
    /// Rounds.
    #[default]
    Ideal,
    /// Successive approximation.
    Sar(Sar),
    /// Comparison with a ramp that all converters share.
    Ramp(Ramp),
    /// A comparator for every threshold.
    Flash(Flash),
}

impl<'de> Deserialize<'de> for Architecture {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        config::tagged(
            deserializer,
            "model",
            &[
                ("Ideal", |table| config::decode::<config::NoFields>(table).map(|_| Self::Ideal)),
                ("Sar", |table| config::decode(table).map(Self::Sar)),
                ("Ramp", |table| config::decode(table).map(Self::Ramp)),
                ("Flash", |table| config::decode(table).map(Self::Flash)),
            ],
        )
    }
}

/// The converters of a tile, see the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdcBank {
    /// How a converter finds its number.
    pub architecture: Architecture,
    /// Neighbouring columns that share one converter, one after another.
    pub columns_per_adc: usize,
    /// Relative spread of the gain from converter to converter.
    pub gain_std: f32,
    /// Spread of the offset from converter to converter, in steps.
    pub offset_std: f32,
}

impl Default for AdcBank {
    fn default() -> Self {
        Self { architecture: Architecture::Ideal, columns_per_adc: 1, gain_std: 0.0, offset_std: 0.0 }
    }
}

impl AdcBank {
    /// Refuses values outside their range, and architectures without steps.
    pub(crate) fn validate(&self, io: &IoConfig) -> Result<(), ConfigError> {
        require::at_least_one("columns_per_adc", self.columns_per_adc)?;
        require::non_negative("gain_std", self.gain_std)?;
        require::non_negative("offset_std", self.offset_std)?;
        let spread = match &self.architecture {
            Architecture::Ideal => 0.0,
            Architecture::Sar(Sar { capacitor_std }) => *capacitor_std,
            Architecture::Ramp(Ramp { step_std }) => *step_std,
            Architecture::Flash(Flash { threshold_std }) => *threshold_std,
        };
        require::non_negative("architecture", spread)?;
        let steps = largest(io);
        let requirement =
            "needs between 1 and 32767 steps on either side of 0: a positive out_bound and out_res";
        require::that(!self.is_real() || (1.0..32768.0).contains(&steps), "architecture", steps, requirement)
    }

    /// Whether anything differs from ideal converters.
    pub(crate) fn is_real(&self) -> bool {
        self.architecture != Architecture::Ideal || self.gain_std > 0.0 || self.offset_std > 0.0
    }

    /// Number of converters for so many outputs.
    pub(crate) fn converters(&self, outputs: usize) -> usize {
        outputs.div_ceil(self.columns_per_adc)
    }

    /// Numbers that fabrication leaves in the architecture of so many converters.
    pub(crate) fn draws(&self, io: &IoConfig, converters: usize) -> usize {
        let thresholds = 2 * largest(io) as usize;
        match &self.architecture {
            Architecture::Ideal => 0,
            Architecture::Sar(_) => converters * bits(thresholds),
            Architecture::Ramp(_) => thresholds,
            Architecture::Flash(_) => converters * thresholds,
        }
    }

    /// Turns that many standard normal draws into what the architecture needs.
    pub(crate) fn fabricate(&self, io: &IoConfig, values: &mut [f32]) {
        let thresholds = 2 * largest(io) as usize;
        match &self.architecture {
            Architecture::Ideal => {}
            Architecture::Sar(sar) => {
                values.chunks_mut(bits(thresholds)).for_each(|draws| sar.fabricate(draws));
            }
            Architecture::Ramp(ramp) => ramp.fabricate(values),
            Architecture::Flash(flash) => {
                values.chunks_mut(thresholds).for_each(|draws| flash.fabricate(draws));
            }
        }
    }
}

/// M.
fn largest(io: &IoConfig) -> f32 {
    let step = step(io.out_res, io.out_bound);
    if step > 0.0 { (io.out_bound / step).round() } else { 0.0 }
}

/// Bits of a converter with so many thresholds.
fn bits(thresholds: usize) -> usize {
    (usize::BITS - thresholds.leading_zeros()) as usize
}

/// Whether a comparator with the threshold between the numbers `upper` - 1 and `upper` says "above". A tie goes to the even
/// number, as in rounding; it only occurs without spread.
#[inline]
pub(super) fn above(u: f32, threshold: f32, upper: i32) -> bool {
    u > threshold || (u == threshold && upper % 2 == 0)
}

/// The converters with what fabrication left in them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Converters<'a> {
    pub(crate) bank: &'a AdcBank,
    pub(crate) adc: Adc,
    pub(crate) gain: &'a [f32],
    pub(crate) offset: &'a [f32],
    pub(crate) levels: &'a [f32],
}

impl Converters<'_> {
    /// The number for what output `i` shows its converter.
    pub(crate) fn number(&self, i: usize, line: f32, uniform: f32) -> Reading {
        let c = i / self.bank.columns_per_adc;
        let gain = self.gain.get(c).copied().unwrap_or(1.0);
        let offset = self.offset.get(c).copied().unwrap_or(0.0) * self.adc.step;
        let line = line * gain + offset;
        let ideal = self.adc.number(line, uniform);
        let dither = if self.adc.stochastic { uniform - 0.5 } else { 0.0 };
        let (u, thresholds) =
            (line / self.adc.step + dither, 2 * (self.adc.bound / self.adc.step).round() as usize);
        let chunk = |length: usize| &self.levels[c * length..][..length];
        let code = match &self.bank.architecture {
            Architecture::Ideal => return ideal,
            Architecture::Sar(_) => Sar::number(u, chunk(bits(thresholds)), thresholds),
            Architecture::Ramp(_) => Ramp::number(u, self.levels),
            Architecture::Flash(_) => Flash::number(u, chunk(thresholds)),
        };
        let value = (code as f32 * self.adc.step).clamp(-self.adc.bound, self.adc.bound);
        Reading { value, ..ideal }
    }
}
