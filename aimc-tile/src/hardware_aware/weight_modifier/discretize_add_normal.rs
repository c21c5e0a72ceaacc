//! Rounding to a grid, then additive Gaussian noise: few levels, each written with an error.
//!
//! ```text
//! W' = discretize(W) + A·std_dev·ξ
//! ```
//!
//! With nearest rounding E W' is the nearest level and Var W' = (A·std_dev)²; stochastic rounding makes E W' = W and adds its own
//! variance, see [`super::discretize`].
//!
//! Reference: V. Joshi et al. 2020, Nat. Commun. 11:2473, doi:10.1038/s41467-020-16108-9.

use super::{additive_normal, discretize};

/// The modified weight: grid of `wmax`·`res` with the draw `u` if rounding is stochastic, noise of `std` with the normal `xi`.
///
/// ```
/// use aimc_tile::hardware_aware::weight_modifier::discretize_add_normal::modified;
/// assert_eq!(modified(0.625, 1.0, 0.25, None, 0.5, 1.0), 0.75 + 0.5);
/// ```
#[inline(always)]
#[must_use]
pub fn modified(w: f32, wmax: f32, res: f32, u: Option<f32>, std: f32, xi: f32) -> f32 {
    additive_normal::modified(discretize::modified(w, wmax, res, u), std, xi)
}
