//! Input range by the spread of windows: r = mean over windows of α·√(mean x²).
//!
//! The spread is that around 0, since the range ±r is symmetric around 0: for inputs without a mean it is the standard deviation, for
//! inputs after a rectifier it is larger. AIHWKit takes the standard deviation around the mean (`signed`), by which the range misses
//! inputs whose mean is large.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Observer;
use super::window::Windows;

/// The rule, see the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MovingStd {
    /// α: range over spread.
    pub std_alpha: f32,
    /// Vectors of a window; AIHWKit's are those of a batch.
    pub window: usize,
    /// The spread around the mean instead of around 0.
    pub signed: bool,
}

impl Default for MovingStd {
    fn default() -> Self {
        Self { std_alpha: 3.0, window: 256, signed: false }
    }
}

impl MovingStd {
    pub(super) fn observer(&self) -> impl Observer + use<> {
        let (alpha, signed) = (f64::from(self.std_alpha), self.signed);
        Windows::new(self.window, move |values| alpha * spread(&values, signed))
    }
}

/// √(mean x²), or the unbiased standard deviation; 0 for a single number, which has none.
fn spread(values: &[f64], signed: bool) -> f64 {
    let n = values.len() as f64;
    if !signed {
        return (values.iter().map(|x| x * x).sum::<f64>() / n).sqrt();
    }
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0)).sqrt()
}
