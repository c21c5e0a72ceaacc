//! Single pair: one device holds the positive, another the negative part of a weight.
//!
//! ```text
//! k = (g_max - g_min) / max|W|
//! g⁺ = g_min + k·max(W, 0)      g⁻ = g_min + k·max(-W, 0)      W = (g⁺ - g⁻)/k
//! ```
//!
//! | symbol | field | unit | |
//! |---|---|---|---|
//! | g_min | `g_min` | µS | conductance of an unused device |
//! | g_max | | µS | conductance of the largest weight; a property of the device |
//! | k | | µS per unit of weight | gain, one per tile |
//!
//! Limits: max|W| below 1e-7 counts as 1e-7, so that a tile of zeros converts. Not modelled: devices of unequal
//! g_max, pairs of unequal significance.
//!
//! Reference: G. W. Burr et al. 2015, IEEE Trans. Electron Devices 62:3498, doi:10.1109/TED.2015.2439635
//! (weights as differences of two phase-change conductances).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};
use aimc_tile::largest_size;

use crate::converter::{Converter, Gain, SMALLEST_WEIGHT};

/// One device for positive, one for negative weights, see the [module](self).
///
/// ```
/// use aimc_infer::converter::{Converter, SinglePair};
/// let pair = SinglePair { g_min: 1.0 };
/// let gain = pair.gain(&[0.5, -2.0], 25.0);
/// assert_eq!(gain.scale, 12.0); // (25 - 1)/2
/// let mut g = [0.0; 2];
/// pair.conductances(0.5, gain, 25.0, &mut g);
/// assert_eq!(g, [7.0, 1.0]); // 1 + 12·0.5, and an unused device
/// assert_eq!(pair.weight(&g, gain), 0.5);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SinglePair {
    /// Conductance of an unused device (µS).
    pub g_min: f32,
}

impl Converter for SinglePair {
    fn validate(&self, g_max: f32) -> Result<(), ConfigError> {
        require::that(
            (0.0..g_max).contains(&self.g_min),
            "g_min",
            self.g_min,
            &format!("must be 0 or above and below g_max = {g_max} µS of the device"),
        )
    }

    fn slices(&self) -> usize {
        2
    }

    fn gain(&self, weights: &[f32], g_max: f32) -> Gain {
        Gain::linear((g_max - self.g_min) / largest_size(weights).max(SMALLEST_WEIGHT))
    }

    #[inline]
    fn conductances(&self, w: f32, gain: Gain, g_max: f32, slices: &mut [f32]) {
        // The upper cut removes a rounding of the largest weight beyond g_max.
        slices[0] = ((gain.scale * w).max(0.0) + self.g_min).min(g_max);
        slices[1] = ((-gain.scale * w).max(0.0) + self.g_min).min(g_max);
    }

    #[inline]
    fn weight(&self, slices: &[f32], gain: Gain) -> f32 {
        (slices[0] - slices[1]) / gain.scale
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::converter::{to_conductances, to_weights};
    use aimc_testkit::assert_close;

    use aimc_testkit::strategies::{config, vector};
    use proptest::prelude::*;

    /// w = 0: g⁺ = g⁻ = g_min, and back to 0.
    #[test]
    fn weights_of_zero_convert_and_come_back() {
        let pair = SinglePair { g_min: 2.0 };
        let gain = pair.gain(&[0.0; 3], 25.0);
        let slices = to_conductances(&pair, &[0.0; 3], gain, 25.0);
        assert_eq!(slices, [[2.0; 3], [2.0; 3]]);
        assert_eq!(to_weights(&pair, &slices, gain), [0.0; 3]);
    }

    #[test]
    fn a_range_that_is_empty_is_refused() {
        for g_min in [-1.0, 25.0, f32::NAN] {
            assert_eq!(SinglePair { g_min }.validate(25.0).unwrap_err().field, "g_min");
        }
    }

    proptest! {
        #![proptest_config(config(256))]

        /// With u = 2⁻²⁴, the roundings are: gain·w (u), + g_min (u of at most g_max), the cut (at most 3 u of the
        /// largest weight, which gain·w exceeds by no more), the difference (u) and the division (u); with
        /// c = g_max/(g_max - g_min) their sum is (6 + c) u max|W|, and one more u covers products of roundings.
        #[test]
        fn conversion_has_an_exact_inverse(weights in vector(1..=40, -3.0..=3.0), share in 0.0..0.9_f32, g_max in 1.0..100.0_f32) {
            let pair = SinglePair { g_min: share * g_max };
            let gain = pair.gain(&weights, g_max);
            let slices = to_conductances(&pair, &weights, gain, g_max);
            let c = g_max / (g_max - pair.g_min);
            let tolerance = (7.0 + c) * 0.5 * f32::EPSILON * largest_size(&weights).max(SMALLEST_WEIGHT);
            for (back, w) in to_weights(&pair, &slices, gain).iter().zip(&weights) {
                assert_close!(*back, *w, tolerance);
            }
            prop_assert!(slices.iter().flatten().all(|g| (pair.g_min..=g_max).contains(g)));
            // Of each pair, one device is unused.
            prop_assert!(slices[0].iter().zip(&slices[1]).all(|(p, m)| p.min(*m) == pair.g_min));
        }
    }
}
