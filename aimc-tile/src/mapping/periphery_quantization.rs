//! The digital circuits around a tile in few bits: scales and bias are constants on a grid.
//!
//! ```text
//! y = Q(α·s·r)·tile + Q_b(b)           all scales of a tile are one factor per output; the bias is added after the grid of tiles
//! ```
//!
//! Q and Q_b are [uniform grids](crate::uniform_quantiser) over what they round: symmetric ones reach to the largest |value|. In
//! training errors pass straight through them and are scaled in full precision, and what learns are scales and bias in full
//! precision. Both are known exactly, so there
//! is no range to estimate, and none to learn. Rounding of the outputs themselves is a layer of the network
//! (`aimc_nn::quantize`), and that of the outputs of single tiles the converter of each.
//!
//! Not modelled: rounding of scales that lie in a hardware-aware tile, which asks for full precision there.
//!
//! Reference: B. Jacob et al. 2018, CVPR, arXiv:1712.05877.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};

use crate::uniform_quantiser::Quantiser;

/// Precision of the digital circuits, see the [module](self).
///
/// ```
/// use aimc_tile::mapping::PeripheryQuantization;
/// let three_bits = PeripheryQuantization { n_bits: 3, symmetric: true };
/// assert_eq!(*three_bits.round(&[-0.3, 0.75]), [-0.25, 0.75]);
/// assert_eq!(*PeripheryQuantization::default().round(&[-0.3, 0.75]), [-0.3, 0.75]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PeripheryQuantization {
    /// Bits of a number; 0 for full precision.
    pub n_bits: u32,
    /// Levels lie symmetric about 0; otherwise between the extremes.
    pub symmetric: bool,
}

impl Default for PeripheryQuantization {
    fn default() -> Self {
        Self { n_bits: 0, symmetric: true }
    }
}

impl PeripheryQuantization {
    /// Refuses numbers of bits that are no grid.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let fits = self.n_bits == 0 || (2..=16).contains(&self.n_bits);
        require::that(fits, "n_bits", self.n_bits, "must be 0 (off) or lie between 2 and 16")
    }

    /// `values` on the grid over their extremes.
    #[must_use]
    pub fn round<'a>(&self, values: &'a [f32]) -> Cow<'a, [f32]> {
        if self.n_bits == 0 {
            return Cow::Borrowed(values);
        }
        let grid = Quantiser::over(self.n_bits, self.symmetric, values);
        Cow::Owned(values.iter().map(|value| grid.value(*value)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::assert_close;
    use aimc_testkit::strategies;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(strategies::config(64))]

        /// Nothing moves by more than half a step (an asymmetric grid lies on whole steps: one step), and the extreme of a
        /// symmetric grid stays; rounding twice is rounding once.
        #[test]
        fn values_move_by_half_a_step(values in strategies::vector(2..=20, -3.0..=3.0), n_bits in 2_u32..=12, symmetric in any::<bool>()) {
            let record = PeripheryQuantization { n_bits, symmetric };
            let rounded = record.round(&values).into_owned();
            let step = Quantiser::over(n_bits, symmetric, &values).step;
            let most = if symmetric { 0.5 } else { 1.0 } * step + 8.0 * f32::EPSILON * 3.0;
            for (a, b) in values.iter().zip(&rounded) {
                assert_close!(*a, *b, most);
            }
            if symmetric {
                let again = record.round(&rounded).into_owned();
                for (a, b) in rounded.iter().zip(&again) {
                    assert_close!(*a, *b, 8.0 * f32::EPSILON * 3.0);
                }
            }
        }
    }

    #[test]
    fn bits_that_are_no_grid_are_refused() {
        for n_bits in [1, 17] {
            let error = PeripheryQuantization { n_bits, symmetric: true }.validate().unwrap_err();
            assert_eq!(error.field, "n_bits");
        }
    }
}
