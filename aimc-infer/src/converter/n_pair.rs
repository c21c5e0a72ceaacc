//! N pairs of unequal significance; a higher pair is used only when the lower ones are exhausted.
//!
//! ```text
//! k = Σₚ fₚ (g_max - g_min)/max|W|            bₚ = Σ_{q<p} f_q (g_max - g_min)
//! gₚ± = clip((max(±kW, 0) - bₚ)/fₚ + g_min; g_min, g_max)
//! W = Σₚ fₚ (gₚ⁺ - gₚ⁻)/k
//! ```
//!
//! | symbol | field | unit | |
//! |---|---|---|---|
//! | fₚ | `f_lst` | 1 | significance of pair p, in the order in which pairs are filled |
//! | g_min, g_max | `g_min`, device | µS | conductance of an unused and of an exhausted device |
//! | k | | µS per unit of weight | gain, one per tile |
//!
//! Slices are g₁⁺, g₁⁻, g₂⁺, g₂⁻ … A dual pair has two factors. Limits and what is not modelled: as for the
//! [single pair](super::single_pair), which is N = 1, f = 1.
//!
//! Reference: I. Boybat et al. 2018, Nat. Commun. 9:2514, doi:10.1038/s41467-018-04933-y (several devices per
//! synapse). The order of filling is that of AIHWKit's `NPairConductanceConverter`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};
use aimc_tile::largest_size;

use crate::converter::{Converter, Gain, SMALLEST_WEIGHT};

/// Several pairs per weight, see the [module](self).
///
/// ```
/// use aimc_infer::converter::{Converter, NPair};
/// let dual = NPair { f_lst: vec![1.0, 4.0], g_min: 1.0 };
/// let gain = dual.gain(&[1.0], 25.0);
/// assert_eq!(gain.scale, 120.0); // (1 + 4)·24
/// let mut g = [0.0; 4];
/// dual.conductances(0.5, gain, 25.0, &mut g);
/// assert_eq!(g, [25.0, 1.0, 10.0, 1.0]); // 60 = 1·24 + 4·9
/// assert_eq!(dual.weight(&g, gain), 0.5);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NPair {
    /// Significance of every pair.
    pub f_lst: Vec<f32>,
    /// Conductance of an unused device (µS).
    pub g_min: f32,
}

impl Default for NPair {
    /// Two pairs of equal significance.
    fn default() -> Self {
        Self { f_lst: vec![1.0, 1.0], g_min: 0.0 }
    }
}

impl Converter for NPair {
    fn validate(&self, g_max: f32) -> Result<(), ConfigError> {
        let fits = (0.0..g_max).contains(&self.g_min);
        let range = format!("must be 0 or above and below g_max = {g_max} µS of the device");
        require::that(fits, "g_min", self.g_min, &range)?;
        require::that(!self.f_lst.is_empty(), "f_lst", &self.f_lst, "must hold at least one factor")?;
        let mut factors = self.f_lst.iter().enumerate();
        factors.try_for_each(|(p, &f)| require::positive(&format!("f_lst[{p}]"), f))
    }

    fn slices(&self) -> usize {
        2 * self.f_lst.len()
    }

    fn gain(&self, weights: &[f32], g_max: f32) -> Gain {
        let sum: f32 = self.f_lst.iter().sum();
        Gain::linear(sum * (g_max - self.g_min) / largest_size(weights).max(SMALLEST_WEIGHT))
    }

    #[inline]
    fn conductances(&self, w: f32, gain: Gain, g_max: f32, slices: &mut [f32]) {
        let mut below = 0.0;
        for (pair, f) in slices.chunks_exact_mut(2).zip(&self.f_lst) {
            for (g, part) in pair.iter_mut().zip([gain.scale * w, -gain.scale * w]) {
                *g = ((part.max(0.0) - below) / f + self.g_min).clamp(self.g_min, g_max);
            }
            below += f * (g_max - self.g_min);
        }
    }

    #[inline]
    fn weight(&self, slices: &[f32], gain: Gain) -> f32 {
        weighted(&self.f_lst, slices) / gain.scale
    }
}

/// Σₚ fₚ (gₚ⁺ - gₚ⁻).
#[inline]
pub(crate) fn weighted(factors: &[f32], slices: &[f32]) -> f32 {
    slices.chunks_exact(2).zip(factors).map(|(pair, f)| f * (pair[0] - pair[1])).sum()
}
