//! S-shaped output stage: large currents saturate.
//!
//! ```text
//! y ← F·y/(1 + |n·y|)        n = |out_nonlinearity/out_bound·(1 + out_nonlinearity_std·ξ)| for each line
//! F = (1 + (mean n + r_series)·slope_calibration·out_bound)²
//! ```
//!
//! F calibrates the curve to the slope 1 at y = `slope_calibration`·`out_bound` (exactly so where all n are equal and there
//! is no series resistance); without calibration F = 1. The curve is odd and bounded by F/n. An infinite range
//! counts as 1.

/// The curve with strength `n` and calibration `factor`.
#[inline(always)]
#[must_use]
pub fn bent(y: f32, n: f32, factor: f32) -> f32 {
    factor * y / (1.0 + (n * y).abs())
}

/// The calibration F for a mean strength, the series resistance and the place y of unit slope.
#[must_use]
pub fn calibration(mean_strength: f32, r_series: f32, place: f32) -> f32 {
    let root = 1.0 + (mean_strength + r_series) * place;
    root * root
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::assert_close;
    use aimc_testkit::strategies;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(strategies::config(256))]

        /// d/dy F·y/(1 + n·y) = F/(1 + n·y)² = 1 at the calibrated place: the quotient over ±h errs by at most the third
        /// derivative 6F·n²/(1 + n·y)⁴·h²/6 and the rounding of two values over 2h.
        #[test]
        fn the_slope_is_one_at_the_calibrated_place(n in 0.01_f32..1.0, place in 0.1_f32..5.0) {
            let factor = calibration(n, 0.0, place);
            let h = 0.02 * place;
            let slope = (bent(place + h, n, factor) - bent(place - h, n, factor)) / (2.0 * h);
            let bent_slack = factor * n * n * h * h / (1.0 + n * (place - h)).powi(4);
            let rounding = 8.0 * f32::EPSILON * bent(place, n, factor) / h;
            assert_close!(slope, 1.0, bent_slack + rounding);
        }

        /// f(-y) = -f(y), |f(y)| ≤ factor/n.
        #[test]
        fn the_curve_is_odd_and_bounded(y in -1e4_f32..1e4, n in 0.01_f32..1.0, factor in 1.0_f32..5.0) {
            prop_assert_eq!(bent(-y, n, factor), -bent(y, n, factor));
            prop_assert!(bent(y, n, factor).abs() <= factor / n);
        }
    }
}
