//! Single device: one conductance per weight, from the smallest weight at g_min to the largest at g_max.
//!
//! ```text
//! k = (g_max - g_min)/(W_max - W_min)      g = g_min + k (W - W_min)      W = (g - g_min)/k + W_min
//! ```
//!
//! | symbol | field | unit | |
//! |---|---|---|---|
//! | g_min | `g_min` | µS | conductance of the smallest weight |
//! | W_min, W_max | | | extremes of the tile's weights |
//!
//! The offset W_min - g_min/k is subtracted digitally and exactly. Where a column of devices does it, see
//! [`offset_column`](super::offset_column). Limits: all weights equal count as a span of 10⁻⁷. As AIHWKit's
//! `SingleDeviceConductanceConverter`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};

use crate::converter::{Converter, Gain, SMALLEST_WEIGHT};

/// One device per weight, see the [module](self).
///
/// ```
/// use aimc_infer::converter::{Converter, SingleDevice};
/// let single = SingleDevice { g_min: 9.0 };
/// let gain = single.gain(&[-1.0, 3.0], 89.0);
/// let mut g = [0.0];
/// single.conductances(0.0, gain, 89.0, &mut g);
/// assert_eq!(g, [29.0]); // 9 + 20·1
/// assert_eq!(single.weight(&g, gain), 0.0);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SingleDevice {
    /// Conductance of the smallest weight (µS).
    pub g_min: f32,
}

impl Default for SingleDevice {
    fn default() -> Self {
        Self { g_min: 9.0 }
    }
}

/// The gain that spreads the span of `weights` over `g_min` to `g_max`.
pub(crate) fn span_gain(weights: &[f32], g_min: f32, g_max: f32) -> Gain {
    let low = weights.iter().copied().fold(f32::INFINITY, f32::min);
    let high = weights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    Gain { scale: (g_max - g_min) / (high - low).max(SMALLEST_WEIGHT), origin: low }
}

impl Converter for SingleDevice {
    fn validate(&self, g_max: f32) -> Result<(), ConfigError> {
        let range = format!("must be 0 or above and below g_max = {g_max} µS of the device");
        require::that((0.0..g_max).contains(&self.g_min), "g_min", self.g_min, &range)
    }

    fn slices(&self) -> usize {
        1
    }

    fn gain(&self, weights: &[f32], g_max: f32) -> Gain {
        span_gain(weights, self.g_min, g_max)
    }

    #[inline]
    fn conductances(&self, w: f32, gain: Gain, g_max: f32, slices: &mut [f32]) {
        slices[0] = (gain.scale * (w - gain.origin) + self.g_min).clamp(self.g_min, g_max);
    }

    #[inline]
    fn weight(&self, slices: &[f32], gain: Gain) -> f32 {
        (slices[0] - self.g_min) / gain.scale + gain.origin
    }
}
