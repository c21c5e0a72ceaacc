//! Weight scaling: fits weights of any size into the range in which a tile works best.
//!
//! ```text
//! tile holds W/s,   y = s·tile(x),   s = max|W|/ω
//! ```
//!
//! with the maximum over the tile, or over each output's own row. ω (`weight_scaling_omega`) is the largest
//! |weight| on the tile; 0 leaves weights as they are, s = 1. A maximum of 0 gives s = 1. Without noise the
//! product does not depend on ω; with output noise of fixed size its relative weight falls as ω grows.
//!
//! Reference: M. J. Rasch et al. 2021, IEEE AICAS, doi:10.1109/AICAS51828.2021.9458494 (AIHWKit).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};
use aimc_tile::mapping::scales;

/// How weights are scaled, see the [module](self).
///
/// ```
/// use aimc_infer::MappingConfig;
/// let weights = [0.5, -2.0, 0.25, 0.1]; // 2 outputs x 2 inputs
/// let mut mapping = MappingConfig { weight_scaling_omega: 0.5, ..MappingConfig::default() };
/// assert_eq!(mapping.scales(&weights, 2), [4.0, 4.0]);
/// mapping.weight_scaling_columnwise = true;
/// assert_eq!(mapping.scales(&weights, 2), [4.0, 0.5]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MappingConfig {
    /// Largest |weight| on the tile (ω); 0 switches scaling off.
    pub weight_scaling_omega: f32,
    /// One scale per output instead of one per tile.
    pub weight_scaling_columnwise: bool,
}

impl MappingConfig {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require::non_negative("weight_scaling_omega", self.weight_scaling_omega)
    }

    /// The scale s of every output, for weights stored row by row with `inputs` entries per row.
    #[must_use]
    pub fn scales(&self, weights: &[f32], inputs: usize) -> Vec<f32> {
        scales(weights, inputs, self.weight_scaling_omega, self.weight_scaling_columnwise)
    }
}

/// max |w|.
pub(crate) fn largest(weights: &[f32]) -> f32 {
    weights.iter().fold(0.0, |largest, w| largest.max(w.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_or_without_weights_the_scale_is_one() {
        assert_eq!(MappingConfig::default().scales(&[3.0, 4.0], 1), [1.0, 1.0]);
        let mapping = MappingConfig { weight_scaling_omega: 1.0, weight_scaling_columnwise: true };
        assert_eq!(mapping.scales(&[0.0, 0.0, 0.0, -4.0], 2), [1.0, 4.0]);
        let mapping = MappingConfig { weight_scaling_columnwise: false, ..mapping };
        assert_eq!(mapping.scales(&[0.0; 4], 2), [1.0, 1.0]);
    }

    #[test]
    fn a_negative_omega_is_refused() {
        let mapping = MappingConfig { weight_scaling_omega: -1.0, ..MappingConfig::default() };
        assert_eq!(mapping.validate().unwrap_err().field, "weight_scaling_omega");
    }
}
