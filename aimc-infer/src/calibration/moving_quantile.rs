//! Input range by the mean quantile of windows: r = mean over windows of quantile(|x|, q).
//!
//! Needs the memory of one window only, but the mean of quantiles is not the quantile of all: in a window of n numbers the
//! quantile q > 1 - 1/n is nearly the largest, so small windows give small ranges. With q = 1 it is the mean of the largest.
//!
//! AIHWKit takes the quantile of x itself, which halves the tail for inputs of both signs (`signed`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Observer;
use super::cached_quantile::quantile_of;
use super::window::Windows;

/// The rule, see the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MovingQuantile {
    /// q.
    pub quantile: f32,
    /// Vectors of a window; AIHWKit's are those of a batch.
    pub window: usize,
    /// The quantile of x instead of |x|.
    pub signed: bool,
}

impl Default for MovingQuantile {
    fn default() -> Self {
        Self { quantile: 0.99995, window: 256, signed: false }
    }
}

impl MovingQuantile {
    pub(super) fn observer(&self) -> impl Observer + use<> {
        let (q, signed) = (self.quantile, self.signed);
        Windows::new(self.window, move |values| quantile_of(values, q, signed))
    }
}
