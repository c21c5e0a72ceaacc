//! Additive Gaussian noise: a network that bears it has flat minima, whatever the device.
//!
//! ```text
//! W' = W + σξ,  σ = A·std_dev
//! ```
//!
//! E W' = W, Var W' = σ². W may leave ± A. Not modelled: any dependence of the noise on the weight, see
//! [`super::polynomial`].
//!
//! Reference: V. Joshi et al. 2020, Nat. Commun. 11:2473, doi:10.1038/s41467-020-16108-9.

/// The modified weight; `std` is σ, `xi` standard normal.
///
/// ```
/// use aimc_tile::hardware_aware::weight_modifier::additive_normal::modified;
/// assert_eq!(modified(0.5, 0.25, -1.0), 0.25);
/// ```
#[inline(always)]
#[must_use]
pub fn modified(w: f32, std: f32, xi: f32) -> f32 {
    w + std * xi
}
