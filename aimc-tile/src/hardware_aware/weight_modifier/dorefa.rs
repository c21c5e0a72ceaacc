//! DoReFa: weights are squashed by tanh, scaled to a fixed range and rounded.
//!
//! ```text
//! W' = round to r of  c·tanh(W)/tanh(A),  c = dorefa_clip
//! ```
//!
//! The largest weight becomes c, whatever A; so W' is on another scale than W, which is part of the method: the weights that it
//! trains are not those that it uses. r is `res` (1/res where res > 1) in weight units. Rounding is that of [`super::discretize`].
//! A resolution of 0 leaves the weights as they are, as in AIHWKit.
//!
//! Reference: S. Zhou et al. 2016, *DoReFa-Net*, arXiv:1606.06160.

use super::discretize;

/// The factor c/tanh(A) for the largest weight `wmax`.
#[must_use]
pub fn scale(dorefa_clip: f32, wmax: f32) -> f32 {
    (dorefa_clip / wmax.tanh()).abs()
}

/// The modified weight; `scale` is that of [`scale`], `u` a uniform draw if rounding is stochastic.
///
/// ```
/// use aimc_tile::hardware_aware::weight_modifier::dorefa::{modified, scale};
/// assert_eq!(modified(0.8, scale(0.5, 0.8), 0.25, None), 0.5);
/// assert_eq!(modified(0.0, scale(0.5, 0.8), 0.25, None), 0.0);
/// ```
#[inline(always)]
#[must_use]
pub fn modified(w: f32, scale: f32, res: f32, u: Option<f32>) -> f32 {
    if res > 0.0 { discretize::rounded(w.tanh() * scale, res, u) } else { w }
}
