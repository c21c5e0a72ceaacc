//! Rounding to a uniform grid of weights, for devices with few levels.
//!
//! ```text
//! W' = Δ·round(W/Δ)              nearest, ties away from 0
//! W' = Δ·⌊W/Δ⌋ + Δ·1[u < frac]    stochastic, frac = W/Δ - ⌊W/Δ⌋
//! Δ = A·r;  r = res, or 1/res where res > 1;  twice that with `res_of_range`
//! ```
//!
//! u is uniform in [0, 1). The nearest rounding is idempotent and leaves at most 2/r + 1 levels in ± A. The stochastic one is
//! unbiased, E W' = W, with Var W' = Δ²·frac(1 - frac), and leaves the levels themselves alone. A resolution of 0 is no grid.
//!
//! AIHWKit's C++ tile takes a resolution above 1 for a width (`literal_res`): all weights become 0. Its torch tile has steps of
//! 2A·r (`res_of_range`), as the converters have.
//!
//! References: S. Gupta et al. 2015, *Deep Learning with Limited Numerical Precision*, arXiv:1502.02551 (stochastic rounding);
//! B. Jacob et al. 2018, CVPR, arXiv:1712.05877 (training through a rounded copy).

/// The multiple of `step` that `v` is rounded to: the nearest one, or by chance with the uniform draw `u` in [0, 1).
#[inline(always)]
#[must_use]
pub fn rounded(v: f32, step: f32, u: Option<f32>) -> f32 {
    if step <= 0.0 {
        return v;
    }
    let steps = v / step;
    let whole = match u {
        None => steps.round(),
        // The fraction is exact, so that levels stay where they are.
        Some(u) => steps.floor() + f32::from(u8::from(u < steps - steps.floor())),
    };
    whole * step
}

/// The modified weight on a grid of steps `wmax`·`res`.
///
/// ```
/// use aimc_tile::hardware_aware::weight_modifier::discretize::modified;
/// assert_eq!(modified(0.625, 1.0, 0.25, None), 0.75); // 2.5 steps, away from 0
/// assert_eq!(modified(-0.625, 1.0, 0.25, Some(0.4)), -0.5); // -2.5 = -3 + 0.5: up, since 0.4 < 0.5
/// ```
#[inline(always)]
#[must_use]
pub fn modified(w: f32, wmax: f32, res: f32, u: Option<f32>) -> f32 {
    if res > 0.0 { wmax * rounded(w / wmax, res, u) } else { w }
}
