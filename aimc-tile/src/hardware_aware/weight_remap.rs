//! Remapping: once per step the weights of a tile are stretched to its full range, and the digital output scales take the rest.
//!
//! ```text
//! W ← W·s/s',  s ← s'                                W·s, what the tile computes, stays
//! LayerwiseSymmetric     s'ᵢ = sᵢ·max|W|/w           w = remapped_wmax
//! ChannelwiseSymmetric   s'ᵢ = sᵢ·maxⱼ|Wᵢⱼ|/w
//! with ρ = max_scale_range > 0, channelwise:  s'ᵢ = min(sᵢ·maxⱼ|Wᵢⱼ|, ρ·b),  b = max(minᵢ sᵢ, max_scale_ref)
//! ```
//!
//! A maximum of 0 leaves its scale alone. Afterwards max|W| = w, except for outputs whose scale is bounded by ρ: those may
//! exceed 1. AIHWKit's torch tile divides by 0 where all weights of an output are 0.
//!
//! Reference: M. J. Rasch et al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};

use crate::signals::largest_size;

/// Which weights are stretched together, see the [module](self).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum WeightRemapType {
    /// None.
    #[default]
    None,
    /// All weights of a tile.
    LayerwiseSymmetric,
    /// Those of each output.
    ChannelwiseSymmetric,
}

/// Remapping; names and defaults are those of AIHWKit's `WeightRemapParameter`.
///
/// ```
/// use aimc_tile::hardware_aware::{WeightRemapConfig, WeightRemapType};
/// let remap = WeightRemapConfig { kind: WeightRemapType::ChannelwiseSymmetric, ..WeightRemapConfig::default() };
/// // Two outputs with largest weights ½ and 0.
/// assert_eq!(remap.scales(&[0.25, -0.5, 0.0, 0.0], 2, &[4.0, 3.0]), [2.0, 3.0]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WeightRemapConfig {
    /// Which weights are stretched together.
    #[serde(rename = "type")]
    pub kind: WeightRemapType,
    /// Largest |weight| after remapping.
    pub remapped_wmax: f32,
    /// Largest ratio between the scales of outputs (`ChannelwiseSymmetric`); 0 is no limit.
    pub max_scale_range: f32,
    /// Smallest scale to which `max_scale_range` is relative; 0 is none.
    pub max_scale_ref: f32,
}

impl Default for WeightRemapConfig {
    fn default() -> Self {
        Self { kind: WeightRemapType::None, remapped_wmax: 1.0, max_scale_range: 0.0, max_scale_ref: 0.0 }
    }
}

impl WeightRemapConfig {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require::positive("remapped_wmax", self.remapped_wmax)?;
        require::non_negative("max_scale_range", self.max_scale_range)?;
        require::non_negative("max_scale_ref", self.max_scale_ref)?;
        let bounded = self.kind == WeightRemapType::ChannelwiseSymmetric && self.max_scale_range > 0.0;
        require::that(
            !bounded || self.remapped_wmax == 1.0,
            "remapped_wmax",
            self.remapped_wmax,
            "must be 1 where max_scale_range bounds the scales",
        )
    }

    /// The scales s' for `weights`, rows of `inputs` entries, whose scales are `scales`.
    #[must_use]
    pub fn scales(&self, weights: &[f32], inputs: usize, scales: &[f32]) -> Vec<f32> {
        let largest: Vec<f32> = weights.chunks(inputs).map(largest_size).collect();
        let factors = match self.kind {
            WeightRemapType::None => return scales.to_vec(),
            WeightRemapType::LayerwiseSymmetric => {
                vec![largest.iter().copied().fold(0.0, f32::max); largest.len()]
            }
            WeightRemapType::ChannelwiseSymmetric => largest,
        };
        let stretched = scales.iter().zip(&factors).map(|(scale, factor)| {
            let next = scale * (factor / self.remapped_wmax);
            // Too small to be divided by: such weights stay as they are.
            if next.is_normal() { next } else { *scale }
        });
        let limit = self.limit(scales);
        stretched.map(|scale| scale.min(limit)).collect()
    }

    /// The largest scale that is allowed.
    fn limit(&self, scales: &[f32]) -> f32 {
        if self.kind != WeightRemapType::ChannelwiseSymmetric || self.max_scale_range <= 0.0 {
            return f32::INFINITY;
        }
        let smallest = scales.iter().copied().fold(f32::INFINITY, f32::min);
        if smallest > 0.0 { self.max_scale_range * smallest.max(self.max_scale_ref) } else { f32::INFINITY }
    }
}
