//! The input range r of a tile: inputs are cut to ±r and divided by r before they reach the DAC.
//!
//! ```text
//! statistics (first `init_from_data` updates):  r ← (k·r + init_std_alpha·std(x))/(k+1),  k ← k+1
//! learning:  g = Σ min(0, z·1[x≥r]) - Σ max(0, z·1[x≤-r]);  relative: g ← g·r·gradient_scale
//!            output clipping:  g ← g - p·r where 1-p < output_min_percentage,  p = clipped outputs / inputs
//!            decay:            g ← g + decay·r where more than input_min_percentage of |x| lie below r
//!            r ← r - lr·g, or as the optimizer has it
//! ```
//!
//! z is the error with respect to x. Only errors that ask for larger inputs act, so r grows by them and shrinks by
//! decay. The standard deviation is the unbiased one over all values of the batch; a batch without spread is no statistics.
//!
//! Both happen in `update`, since a product changes nothing: the products and the pulses of a step use the range that the
//! step before has left, whereas AIHWKit takes statistics before its product. r and k are part of the state of the tile.
//!
//! Reference: M. J. Rasch et al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4.

use nalgebra::{DMatrix, DMatrixView};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};

/// The range of the inputs, see the [module](self); defaults are AIHWKit's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InputRangeConfig {
    /// Cut inputs to a range.
    pub enable: bool,
    /// Learn the range; otherwise it stays as statistics have left it.
    pub learn_input_range: bool,
    /// Range before any data was seen.
    pub init_value: f32,
    /// Number of updates that take statistics.
    pub init_from_data: u64,
    /// Range over standard deviation of the inputs, for the statistics.
    pub init_std_alpha: f32,
    /// Rate at which a range shrinks that most inputs do not reach.
    pub decay: f32,
    /// Share of inputs below the range above which it shrinks.
    pub input_min_percentage: f32,
    /// Widen the range where many outputs are clipped.
    pub manage_output_clipping: bool,
    /// Share of outputs that should stay within the range of the ADC.
    pub output_min_percentage: f32,
    /// Factor on a relative gradient.
    pub gradient_scale: f32,
    /// The gradient is relative to the range.
    pub gradient_relative: bool,
}

impl Default for InputRangeConfig {
    fn default() -> Self {
        Self {
            enable: false,
            learn_input_range: true,
            init_value: 3.0,
            init_from_data: 100,
            init_std_alpha: 3.0,
            decay: 0.001,
            input_min_percentage: 0.95,
            manage_output_clipping: false,
            output_min_percentage: 0.95,
            gradient_scale: 1.0,
            gradient_relative: true,
        }
    }
}

impl InputRangeConfig {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require::positive("init_value", self.init_value)?;
        require::positive("init_std_alpha", self.init_std_alpha)?;
        require::non_negative("decay", self.decay)?;
        require::probability("input_min_percentage", self.input_min_percentage)?;
        require::probability("output_min_percentage", self.output_min_percentage)?;
        require::non_negative("gradient_scale", self.gradient_scale)
    }
}

/// A range in use.
#[derive(Clone, Debug)]
pub(crate) struct InputRange {
    pub(crate) record: InputRangeConfig,
    /// r.
    pub(crate) value: f32,
    /// Updates that took statistics.
    pub(crate) seen: u64,
}

impl InputRange {
    pub(crate) fn new(record: &InputRangeConfig) -> Self {
        Self { record: record.clone(), value: record.init_value, seen: 0 }
    }

    /// clip(x, ±r)/r.
    pub(crate) fn normalise(&self, x: f32) -> f32 {
        x.clamp(-self.value, self.value) / self.value
    }

    /// Takes statistics of a batch.
    pub(crate) fn observe(&mut self, x: &DMatrixView<f32>) {
        if self.seen >= self.record.init_from_data || x.len() < 2 {
            return;
        }
        let n = x.len() as f64;
        let mean = x.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
        let squares = x.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>();
        let wanted = f64::from(self.record.init_std_alpha) * (squares / (n - 1.0)).sqrt();
        let k = self.seen as f64;
        let next = ((k * f64::from(self.value) + wanted) / (k + 1.0)) as f32;
        if wanted > 0.0 && next.is_normal() {
            self.value = next;
            self.seen += 1;
        }
    }

    /// The gradient g for inputs `x`, their errors `z` and the share p of clipped outputs (per input).
    pub(crate) fn gradient(&self, x: &DMatrixView<f32>, z: &DMatrix<f32>, clipped: f32) -> f32 {
        let (record, r) = (&self.record, self.value);
        let mut g = 0.0_f64;
        for (x, z) in x.iter().zip(z.iter()) {
            if *x >= r {
                g += f64::from(z.min(0.0));
            } else if *x <= -r {
                g -= f64::from(z.max(0.0));
            }
        }
        let mut g = g as f32;
        if record.gradient_relative {
            g *= r * record.gradient_scale;
        }
        if record.manage_output_clipping && 1.0 - clipped < record.output_min_percentage {
            g -= clipped * r;
        }
        let below = x.iter().filter(|x| x.abs() < r).count() as f32 / x.len().max(1) as f32;
        if below > record.input_min_percentage { g + record.decay * r } else { g }
    }

    /// Takes the value that an optimizer asks for; the range stays above 0 and finite.
    pub(crate) fn move_to(&mut self, next: f32) {
        if next.is_normal() && next > 0.0 {
            self.value = next;
        }
    }
}
