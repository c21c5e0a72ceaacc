//! Offset column: one device per weight, and one column of reference devices for the whole tile, whose current
//! is subtracted from that of every output.
//!
//! ```text
//! k = (g_max - g_min)/(2 max|W|)     g_ref = (g_max + g_min)/2     g = g_ref + k W     W = (g - g_ref,j)/k
//! ```
//!
//! | symbol | field | unit | |
//! |---|---|---|---|
//! | g_min | `g_min` | µS | smallest conductance of a device |
//! | g_ref,j | | µS | conductance of the reference device at input j, programmed once, shared by all outputs |
//!
//! The second slice has one row only. Errors of a reference device are common to all outputs: they do not average
//! out between them. Drift moves device and reference together, so that a weight of 0 stays near 0.
//! Limits: max|W| below 10⁻⁷ counts as 10⁻⁷.
//!
//! Reference: A. Shafiee et al. 2016, ISCA p. 14, doi:10.1109/ISCA.2016.12 (biased weights, common offset).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};
use aimc_tile::largest_size;

use crate::converter::{Converter, Gain, SMALLEST_WEIGHT};

/// One device per weight and shared reference devices, see the [module](self).
///
/// ```
/// use aimc_infer::converter::{Converter, OffsetColumn};
/// let column = OffsetColumn { g_min: 5.0 };
/// let gain = column.gain(&[-2.0, 1.0], 25.0);
/// let mut g = [0.0; 2];
/// column.conductances(-2.0, gain, 25.0, &mut g);
/// assert_eq!(g, [5.0, 15.0]);
/// assert_eq!(column.weight(&g, gain), -2.0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OffsetColumn {
    /// Smallest conductance of a device (µS).
    pub g_min: f32,
}

impl Converter for OffsetColumn {
    fn validate(&self, g_max: f32) -> Result<(), ConfigError> {
        let range = format!("must be 0 or above and below g_max = {g_max} µS of the device");
        require::that((0.0..g_max).contains(&self.g_min), "g_min", self.g_min, &range)
    }

    fn slices(&self) -> usize {
        2
    }

    fn is_shared(&self, slice: usize) -> bool {
        slice == 1
    }

    fn gain(&self, weights: &[f32], g_max: f32) -> Gain {
        Gain::linear((g_max - self.g_min) / (2.0 * largest_size(weights).max(SMALLEST_WEIGHT)))
    }

    #[inline]
    fn conductances(&self, w: f32, gain: Gain, g_max: f32, slices: &mut [f32]) {
        let reference = 0.5 * (g_max + self.g_min);
        slices[0] = (reference + gain.scale * w).clamp(self.g_min, g_max);
        slices[1] = reference;
    }

    #[inline]
    fn weight(&self, slices: &[f32], gain: Gain) -> f32 {
        (slices[0] - slices[1]) / gain.scale
    }
}
