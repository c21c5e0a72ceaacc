//! Clipping: outliers are cut once per step, so that the range of the devices is spent on the weights that matter.
//!
//! ```text
//! W ← clip(W, ± c),  if c > 0
//! FixedValue          c = fixed_value
//! LayerGaussian       c = sigma·std(W)                 over all weights of the tile, n - 1, about their mean
//! AverageChannelMax   c = mean over outputs of max|W|
//! ```
//!
//! Where `fixed_value` > 0 it also bounds c of the latter two. W in analog units. Clipping is idempotent for a given c; the
//! last two shrink c at every call, since the cut weights spread less.
//!
//! Reference: M. J. Rasch et al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};

use crate::signals::largest_size;

/// Where weights are cut, see the [module](self).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum WeightClipType {
    /// Nowhere.
    #[default]
    None,
    /// At a given value.
    FixedValue,
    /// At a multiple of the standard deviation.
    LayerGaussian,
    /// At the mean of the largest weights of the outputs.
    AverageChannelMax,
}

/// Clipping; names and defaults are those of AIHWKit's `WeightClipParameter`.
///
/// ```
/// use aimc_tile::hardware_aware::{WeightClipConfig, WeightClipType};
/// let clip = WeightClipConfig { kind: WeightClipType::AverageChannelMax, ..WeightClipConfig::default() };
/// // Two outputs with largest weights 1 and 3.
/// assert_eq!(clip.value(&[1.0, 0.5, -3.0, 0.0], 2), Some(2.0));
/// assert_eq!(WeightClipConfig { fixed_value: 1.5, ..clip }.value(&[1.0, 0.5, -3.0, 0.0], 2), Some(1.5));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WeightClipConfig {
    /// Where weights are cut.
    #[serde(rename = "type")]
    pub kind: WeightClipType,
    /// The value of `FixedValue`, a bound for the others; 0 or below is none.
    pub fixed_value: f32,
    /// Standard deviations that `LayerGaussian` leaves.
    pub sigma: f32,
}

impl Default for WeightClipConfig {
    fn default() -> Self {
        Self { kind: WeightClipType::None, fixed_value: -1.0, sigma: 2.5 }
    }
}

impl WeightClipConfig {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require::finite("fixed_value", self.fixed_value)?;
        require::non_negative("sigma", self.sigma)?;
        require::that(
            self.kind != WeightClipType::FixedValue || self.fixed_value > 0.0,
            "fixed_value",
            self.fixed_value,
            "must be above 0 for type = \"FixedValue\"",
        )
    }

    /// c for `weights`, rows of `inputs` entries; `None` where nothing is cut.
    #[must_use]
    pub fn value(&self, weights: &[f32], inputs: usize) -> Option<f32> {
        let value = match self.kind {
            WeightClipType::None => return None,
            WeightClipType::FixedValue => self.fixed_value,
            WeightClipType::LayerGaussian => self.bounded(self.sigma * standard_deviation(weights)),
            WeightClipType::AverageChannelMax => self.bounded(mean_largest(weights, inputs)),
        };
        (value > 0.0).then_some(value)
    }

    fn bounded(&self, value: f32) -> f32 {
        if self.fixed_value > 0.0 { value.min(self.fixed_value) } else { value }
    }
}

/// The unbiased standard deviation; 0 for a single weight.
fn standard_deviation(weights: &[f32]) -> f32 {
    let n = weights.len() as f64;
    let mean = weights.iter().map(|w| f64::from(*w)).sum::<f64>() / n;
    let squares: f64 = weights.iter().map(|w| (f64::from(*w) - mean).powi(2)).sum();
    (squares / (n - 1.0).max(1.0)).sqrt() as f32
}

/// Mean over the rows of their largest |weight|.
fn mean_largest(weights: &[f32], inputs: usize) -> f32 {
    let largest = |row: &[f32]| f64::from(largest_size(row));
    let rows = weights.chunks(inputs);
    let outputs = rows.len() as f64;
    (rows.map(largest).sum::<f64>() / outputs) as f32
}
