//! Bound management: repeats a product with smaller inputs until no output exceeds the ADC's range.
//!
//! Round k uses x/(α·2ᵏ) and multiplies the result by α·2ᵏ (Gokmen, Onen & Haensch 2017, Front. Neurosci.
//! 11:538, doi:10.3389/fnins.2017.00538). It stops when a further halving would fall below what the DAC
//! resolves or the factor exceeds its limit; the result is then clipped.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What to do about outputs beyond the range. Acts in the forward direction only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum BoundManagement {
    /// Clip.
    None,
    /// Halve the input until nothing exceeds the range.
    #[default]
    Iterative,
}

/// When the halving ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Halving {
    /// Whether to halve at all.
    pub on: bool,
    /// Largest whole reduction factor that may still be doubled.
    pub max_factor: u32,
    /// Largest reduction factor in units of DAC steps that may still be doubled.
    pub max_steps: f32,
}

impl Halving {
    /// Whether a round with reduction `rho` and DAC step `dac_step` may be followed by another.
    #[must_use]
    pub fn may_go_on(&self, rho: f32, dac_step: f32) -> bool {
        self.on
            && rho.trunc() <= self.max_factor as f32
            && (dac_step <= 0.0 || rho <= self.max_steps / dac_step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With 7 bits (Δ = 1/63) the defaults allow the factors 1, 2, 4, 8, 16; without quantisation up to 1024.
    #[test]
    fn default_limits() {
        let halving = Halving { on: true, max_factor: 1000, max_steps: 0.25 };
        let last = |step| (0..).map(|k| 2.0_f32.powi(k)).find(|&rho| !halving.may_go_on(rho, step));
        assert_eq!(last(1.0 / 63.0), Some(16.0));
        assert_eq!(last(0.0), Some(1024.0));
    }
}
