//! Bound management: what happens to products that exceed the ADC's range.
//!
//! | type | what it does |
//! |---|---|
//! | `None` | clips |
//! | `Iterative` | repeats the product with x/(α·2ᵏ), k = 1, 2, …, until nothing exceeds the range; times α·2ᵏ |
//! | `IterativeWorstCase` | repeats it first with the scale of `AbsMaxNPSum`, then as `Iterative` |
//! | `Shift` | moves all outputs of a vector down by what the largest exceeds the range; lower ones may clip |
//!
//! Halving ends where it would fall below what the DAC resolves (`max_bm_res`) or the factor exceeds `max_bm_factor`; the
//! result is then clipped. `Shift` keeps differences between outputs, not their level: made for a softmax, which does
//! not see the level. Gokmen, Onen & Haensch 2017, Front. Neurosci. 11:538, doi:10.3389/fnins.2017.00538.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::periphery::io::IoConfig;

/// What to do about outputs beyond the range. Acts in the forward direction only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum BoundManagement {
    /// Clip.
    None,
    /// Halve the input until nothing exceeds the range.
    #[default]
    Iterative,
    /// Scale the input for the worst case, then halve it until nothing exceeds the range.
    IterativeWorstCase,
    /// Move all outputs of a vector such that the largest stays within the range.
    Shift,
}

/// When products are repeated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Halving {
    /// Whether to repeat at all.
    pub on: bool,
    /// Whether the first repetition is scaled for the worst case instead of halved.
    pub worst_case_first: bool,
    /// Largest whole reduction factor that may still be doubled.
    pub max_factor: u32,
    /// Largest reduction factor in units of DAC steps that may still be doubled.
    pub max_steps: f32,
}

impl Halving {
    /// The rule of these circuits.
    pub(crate) fn new(io: &IoConfig) -> Self {
        let worst_case_first = io.bound_management == BoundManagement::IterativeWorstCase;
        let repeats = worst_case_first || io.bound_management == BoundManagement::Iterative;
        Self {
            on: repeats && io.out_bound > 0.0,
            worst_case_first,
            max_factor: io.max_bm_factor,
            max_steps: io.max_bm_res,
        }
    }

    /// The reduction ρ of a round.
    #[must_use]
    pub fn reduction(&self, round: u64) -> f32 {
        2.0_f32.powi(round.saturating_sub(u64::from(self.worst_case_first)) as i32)
    }

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
        let halving = Halving::new(&IoConfig::default());
        let last = |step| (0..).map(|k| halving.reduction(k)).find(|&rho| !halving.may_go_on(rho, step));
        assert_eq!(last(1.0 / 63.0), Some(16.0));
        assert_eq!(last(0.0), Some(1024.0));
    }

    /// ρ = 1, then 1 with the scale of the worst case, then 2, 4, ….
    #[test]
    fn the_worst_case_comes_before_halving() {
        let io = IoConfig { bound_management: BoundManagement::IterativeWorstCase, ..IoConfig::default() };
        let halving = Halving::new(&io);
        assert_eq!([0, 1, 2, 3].map(|round| halving.reduction(round)), [1.0, 1.0, 2.0, 4.0]);
    }
}
