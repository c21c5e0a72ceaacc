//! Drop-connect: weights are missing at random, as with devices that failed.
//!
//! ```text
//! W' = W·1[u ≥ p],  u uniform in [0, 1)
//! ```
//!
//! E W' = (1 - p)W, Var W' = p(1 - p)W². Weights that stay are not scaled up. Comes after any other modifier; `DropConnect` and
//! `Copy` stand for this one alone.
//!
//! Reference: L. Wan et al. 2013, *Regularization of Neural Networks using DropConnect*, ICML, PMLR 28(3):1058.

/// The weight that is left of `w`.
///
/// ```
/// use aimc_tile::hardware_aware::weight_modifier::drop_connect::modified;
/// assert_eq!((modified(0.5, 0.25, 0.2), modified(0.5, 0.25, 0.25)), (0.0, 0.5));
/// ```
#[inline(always)]
#[must_use]
pub fn modified(w: f32, pdrop: f32, u: f32) -> f32 {
    if u < pdrop { 0.0 } else { w }
}
