//! Gaussian noise whose spread is a polynomial of the weight: what programming noise of a device looks like.
//!
//! ```text
//! W' = W + A·σξ,  σ = std_dev·Σₖ cₖ (|W|/A)ᵏ
//! ```
//!
//! E W' = W, Var W' = (Aσ)². The default coefficients are those of phase-change memory (µS) divided by 25 µS, except the middle
//! one: AIHWKit has 0.0768 where 1.9650/25 = 0.0786. A weight may change its sign; see [`super::programming_noise`].
//!
//! References: S. R. Nandakumar et al. 2019, IEEE ICECS p. 727, doi:10.1109/ICECS46596.2019.8964852 (polynomial);
//! V. Joshi et al. 2020, Nat. Commun. 11:2473, doi:10.1038/s41467-020-16108-9.

/// σ of the weight `w`.
///
/// ```
/// use aimc_tile::hardware_aware::weight_modifier::polynomial::std;
/// assert_eq!(std(-0.5, 1.0, &[0.25, 1.0, -0.5], 2.0), 2.0 * (0.25 + 0.5 - 0.125));
/// ```
#[inline]
#[must_use]
pub fn std(w: f32, wmax: f32, coeffs: &[f32], std_dev: f32) -> f32 {
    let a = w.abs() / wmax;
    std_dev * coeffs.iter().rev().fold(0.0, |sum, c| sum * a + c)
}

/// The modified weight; `std` is that of [`std()`], `xi` standard normal.
///
/// ```
/// use aimc_tile::hardware_aware::weight_modifier::polynomial::modified;
/// assert_eq!(modified(0.5, 2.0, 0.25, 1.0), 1.0);
/// ```
#[inline(always)]
#[must_use]
pub fn modified(w: f32, wmax: f32, std: f32, xi: f32) -> f32 {
    w + wmax * std * xi
}
