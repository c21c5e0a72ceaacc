//! Programming noise that cannot change the sign of a weight: one device of a pair holds it, and conductances are positive.
//!
//! ```text
//! W' = sign(W)·|W + A·(σ/g_max)ξ|,  σ = std_dev·Σₖ cₖ (|W|/A)ᵏ,  sign(0) = +
//! ```
//!
//! A folded normal: with s = Aσ/g_max and m = |W|, E|W'| = s√(2/π)·exp(-m²/2s²) + m·erf(m/(s√2)) ≥ m and E W'² = m² + s².
//!
//! cₖ are in the unit of `g_max`. The default coefficients, AIHWKit's, are divided by 25 µS already, so that with the default
//! `g_max` = 25 the noise is 25 times weaker than that of [`super::polynomial`]: give cₖ in µS, or `g_max` = 1.
//!
//! Reference: V. Joshi et al. 2020, Nat. Commun. 11:2473, doi:10.1038/s41467-020-16108-9; coefficients as in
//! [`super::polynomial`].

/// The modified weight; `std` is s, `xi` standard normal.
///
/// ```
/// use aimc_tile::hardware_aware::weight_modifier::programming_noise::modified;
/// assert_eq!(modified(0.25, 1.0, -1.0), 0.75);
/// assert_eq!(modified(-0.25, 1.0, 1.0), -0.75);
/// ```
#[inline(always)]
#[must_use]
pub fn modified(w: f32, std: f32, xi: f32) -> f32 {
    let size = (w + std * xi).abs();
    if w < 0.0 { -size } else { size }
}
