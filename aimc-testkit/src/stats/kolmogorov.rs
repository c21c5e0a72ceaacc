//! The limiting distribution of the Kolmogorov-Smirnov statistic.

use super::Finding;
use super::band::Law;

use std::f64::consts::PI;

/// `P(K > λ)` for the Kolmogorov distribution (Kolmogorov, 1933; Smirnov, 1948).
///
/// `Q(λ) = 2 Σ_{k≥1} (-1)^{k-1} exp(-2 k² λ²)`. Below λ = 1 that series converges slowly, so there
/// its equal by Jacobi's theta identity is summed,
/// `1 - Q(λ) = √(2π)/λ Σ_{k≥1} exp(-(2k-1)² π² / (8 λ²))`.
///
/// ```
/// // the 5 % point printed in every table
/// assert!((aimc_testkit::stats::kolmogorov_sf(1.3581) - 0.05).abs() < 1e-5);
/// ```
pub fn kolmogorov_sf(lambda: f64) -> f64 {
    if lambda.is_nan() {
        return f64::NAN;
    }
    if lambda <= 0.0 {
        return 1.0;
    }
    // Ten terms leave a remainder below exp(-200) for either series on its side of 1.
    if lambda < 1.0 {
        let exponent = -PI * PI / (8.0 * lambda * lambda);
        let sum: f64 = (0..10).map(|k| (exponent * f64::from(2 * k + 1).powi(2)).exp()).sum();
        1.0 - (2.0 * PI).sqrt() / lambda * sum
    } else {
        let exponent = -2.0 * lambda * lambda;
        let sum: f64 = (1..=10)
            .map(|k: i32| if k % 2 == 1 { 1.0 } else { -1.0 } * (exponent * f64::from(k * k)).exp())
            .sum();
        2.0 * sum
    }
}

/// p-value of the distance `d` for an effective sample size `n`.
///
/// Stephens (1970): `λ = (√n + 0.12 + 0.11/√n) d` brings finite samples onto the limiting law, for
/// tail probabilities with n as small as 5.
pub(super) fn p_value(d: f64, n: f64) -> f64 {
    let root = n.sqrt();
    kolmogorov_sf((root + 0.12 + 0.11 / root) * d)
}

/// The distance at which the p-value is `p`, for p well below 1: the first term of the series, where the second is smaller by
/// `(p/2)³`.
pub(super) fn critical(p: f64, n: f64) -> f64 {
    let root = n.sqrt();
    (-0.5 * (p / 2.0).ln()).sqrt() / (root + 0.12 + 0.11 / root)
}

/// The distance as what a test has found.
pub(super) fn finding(distance: f64, n: f64) -> Finding {
    let (quantity, measured) = ("distance of the distribution functions", distance);
    Finding { quantity, measured, expected: 0.0, law: Law::Kolmogorov { n } }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Critical values of the limiting law, printed to four decimals (Smirnov, 1948). A value is
    /// right to half a unit of its last digit, which bounds the probability through the slope.
    #[test]
    fn published_critical_values() {
        for (alpha, lambda) in
            [(0.20, 1.0728), (0.10, 1.2238), (0.05, 1.3581), (0.01, 1.6276), (0.001, 1.9495)]
        {
            let (low, high) = (kolmogorov_sf(lambda + 6e-5), kolmogorov_sf(lambda - 6e-5));
            assert!(low <= alpha && alpha <= high, "{alpha}: {low} .. {high}");
        }
    }

    #[test]
    fn both_series_agree_where_they_meet() {
        let step = kolmogorov_sf(1.0 - f64::EPSILON) - kolmogorov_sf(1.0);
        // rounding of ten terms of order one, plus the slope (about 1.07) times epsilon
        assert!(step.abs() <= 16.0 * f64::EPSILON, "{step}");
    }

    #[test]
    fn limits() {
        assert_eq!(kolmogorov_sf(0.0), 1.0);
        assert_eq!(kolmogorov_sf(1e-3), 1.0);
        assert!(kolmogorov_sf(5.0) < 1e-20);
        assert!(kolmogorov_sf(f64::NAN).is_nan());
    }

    /// Massey's table of exact critical distances (1951, two decimals or better), n = 10 and 20:
    /// the corrected p-value must cross alpha within the printed digits of the distance.
    #[test]
    fn small_samples_follow_the_exact_table() {
        for (n, alpha, d) in [
            (10.0, 0.10, 0.368),
            (10.0, 0.05, 0.410),
            (10.0, 0.01, 0.490),
            (20.0, 0.10, 0.264),
            (20.0, 0.05, 0.294),
            (20.0, 0.01, 0.356),
        ] {
            assert!(
                p_value(d - 0.005, n) > alpha && p_value(d + 0.005, n) < alpha,
                "n = {n}, alpha = {alpha}"
            );
        }
    }
}
