//! Input range by the quantile of cached vectors: r = quantile(|x|, q) over a fair choice of all vectors.
//!
//! The choice is that of [`reservoir`](super::reservoir), of `vectors` vectors. With n numbers of a continuous law F the rank of the
//! quantile is binomial: F(r) lies within q ± z·√(q(1-q)/n) nearly with the confidence of z.
//!
//! AIHWKit takes the quantile of x itself, which halves the tail for inputs of both signs (`signed`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reservoir::Reservoir;
use crate::quantile::quantile;

/// The rule, see the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CachedQuantile {
    /// q.
    pub quantile: f32,
    /// The quantile of x instead of |x|.
    pub signed: bool,
}

impl Default for CachedQuantile {
    fn default() -> Self {
        Self { quantile: 0.99995, signed: false }
    }
}

impl CachedQuantile {
    /// The range; `None` without any vector.
    pub(super) fn range(&self, cache: &Reservoir) -> Option<f64> {
        let values: Vec<f64> = cache.values().map(f64::from).collect();
        (!values.is_empty()).then(|| quantile_of(values, self.quantile, self.signed))
    }
}

/// The quantile q of at least one value, or of their sizes.
pub(super) fn quantile_of(mut values: Vec<f64>, q: f32, signed: bool) -> f64 {
    if !signed {
        values.iter_mut().for_each(|value| *value = value.abs());
    }
    values.sort_unstable_by(f64::total_cmp);
    quantile(&values, f64::from(q))
}
