//! Ramp conversion: a staircase that all converters of the tile share climbs through the thresholds; each converter counts its
//! steps until its comparator tips.
//!
//! ```text
//! number = -M + index of the first threshold above u (2M if none is)
//! T₀ = -M + ½,  T_{n+1} = T_n + 1 + σ·ξ_n,   scaled such that the last threshold is right
//! ```
//!
//! The steps of the staircase come from elements that differ by the relative std σ; scaled to the ends of the range, the
//! thresholds are a random walk that returns:
//!
//! ```text
//! Var T_n = σ²·n(N - n)/N        for N steps (in steps²)
//! ```
//!
//! All converters err alike, so that columns keep their order; conversion is monotonic, and takes 2M steps of time. A ramp
//! converter per column is common in compute-in-memory arrays: S. Ambrogio et al. 2023, *An analog-AI chip for
//! energy-efficient speech recognition and transcription*, Nature 620:768, doi:10.1038/s41586-023-06337-5. Not modelled:
//! noise of the comparator (use `out_noise`); its offset is `offset_std`.
//!
//! ```
//! use aimc_tile::periphery::adc::ramp::Ramp;
//! assert_eq!(Ramp::number(0.7, &[-0.5, 0.5]), 1);
//! assert_eq!(Ramp::number(0.7, &[-0.5, 0.8]), 0);
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bank::above;

/// Ramp conversion, see the [module](self).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ramp {
    /// Relative std σ of a step of the staircase.
    pub step_std: f32,
}

impl Ramp {
    /// Normal draws become thresholds; the first draw is not needed.
    pub(super) fn fabricate(&self, values: &mut [f32]) {
        let first = 0.5 - (values.len() / 2) as f32;
        let steps = values.len().saturating_sub(1) as f64;
        let mut walk = 0.0;
        let mut walks = Vec::with_capacity(values.len());
        for (n, xi) in values.iter().enumerate() {
            walk += if n > 0 { f64::from(self.step_std) * f64::from(*xi) } else { 0.0 };
            walks.push(walk);
        }
        for (n, (value, deviation)) in values.iter_mut().zip(walks).enumerate() {
            let ideal = n as f64;
            // Scaled by steps/(steps + walk), to the first order exactly the bridge of the module's law.
            let scaled = if steps > 0.0 { (ideal + deviation) * steps / (steps + walk) } else { 0.0 };
            *value = first + scaled as f32;
        }
    }

    /// The number for `u` steps, from the thresholds.
    #[must_use]
    pub fn number(u: f32, thresholds: &[f32]) -> i32 {
        let half = (thresholds.len() / 2) as i32;
        let tips = |(n, threshold): (usize, &f32)| !above(u, *threshold, n as i32 + 1 - half);
        thresholds.iter().enumerate().position(|(n, t)| tips((n, t))).unwrap_or(thresholds.len()) as i32
            - half
    }
}
