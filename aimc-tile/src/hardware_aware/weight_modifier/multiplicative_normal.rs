//! Multiplicative Gaussian noise: errors in proportion to the weight.
//!
//! ```text
//! W' = W(1 + ρξ),  ρ = A·std_dev with `mult_of_wmax`, else std_dev
//! ```
//!
//! E W' = W, Var W' = (ρW)². AIHWKit's C++ tile takes ρ times the largest weight A, which only for A = 1 is the relative
//! spread that the name promises; its torch tile does not. A weight of 0 stays 0.
//!
//! Reference: A. F. Murray & P. J. Edwards 1994, IEEE Trans. Neural Netw. 5(5):792, doi:10.1109/72.317730.

/// The modified weight; `relative_std` is ρ, `xi` standard normal.
///
/// ```
/// use aimc_tile::hardware_aware::weight_modifier::multiplicative_normal::modified;
/// assert_eq!(modified(-0.5, 0.5, 1.0), -0.75);
/// ```
#[inline(always)]
#[must_use]
pub fn modified(w: f32, relative_std: f32, xi: f32) -> f32 {
    w + w * relative_std * xi
}
