//! One-sample Kolmogorov-Smirnov test: does the sample follow a given continuous law?

use super::{Outcome, kolmogorov};

/// Tests the sample against the continuous distribution function `cdf`.
///
/// Statistic: `D = sup_x |F_n(x) - F(x)|` (Kolmogorov, 1933); the p-value is the limiting law with
/// Stephens' (1970) finite-sample correction. `F` must be continuous: for a law with atoms use
/// [`super::chi_squared`]. Samples rounded to `f32` are fine, as the rounding moves `F` by some
/// 1e-7 while `D` of 10^6 samples is about 1e-3.
///
/// ```
/// use aimc_testkit::stats::ks_test;
///
/// let exponential_cdf = |x: f64| 1.0 - (-x.max(0.0)).exp();
/// let quantiles: Vec<f64> = (0..100).map(|i| -(1.0 - (f64::from(i) + 0.5) / 100.0).ln()).collect();
/// let outcome = ks_test(&quantiles, exponential_cdf);
/// assert!((outcome.statistic - 0.005).abs() < 1e-12); // half a step of the empirical staircase
/// ```
pub fn ks_test<T: Copy + Into<f64>>(samples: &[T], cdf: impl Fn(f64) -> f64) -> Outcome {
    let n = samples.len();
    let mut sorted: Vec<f64> = samples.iter().map(|&x| x.into()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut distance = if n == 0 { f64::NAN } else { 0.0 };
    for (i, &x) in sorted.iter().enumerate() {
        let f = cdf(x);
        let (below, above) = (i as f64 / n as f64, (i + 1) as f64 / n as f64);
        let gap = (f - below).max(above - f);
        if f.is_nan() || gap > distance {
            distance = if f.is_nan() { f64::NAN } else { gap };
        }
        if f.is_nan() {
            break;
        }
    }
    Outcome {
        test: "Kolmogorov-Smirnov (D)",
        statistic: distance,
        p_value: kolmogorov::p_value(distance, n as f64),
        n,
        finding: kolmogorov::finding(distance, n as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::test_random::SplitMix64;
    use crate::stats::{FALSE_ALARM, assert_p};
    use statrs::distribution::{ContinuousCDF, Normal};

    fn uniform(x: f64) -> f64 {
        x.clamp(0.0, 1.0)
    }

    #[test]
    fn distance_of_a_hand_made_sample() {
        // F_n jumps at 0.1, 0.2, 0.9; the largest gap is 2/3 - 0.2 just after the second jump.
        let outcome = ks_test(&[0.9, 0.1, 0.2], uniform);
        assert!((outcome.statistic - (2.0 / 3.0 - 0.2)).abs() <= f64::EPSILON);
        assert_eq!(outcome.n, 3);
    }

    #[test]
    fn accepts_the_right_law_and_rejects_near_ones() {
        let mut random = SplitMix64::new(1);
        let normal: Vec<f64> = (0..20_000).map(|_| random.normal()).collect();
        let standard = Normal::standard();
        assert_p(ks_test(&normal, |x| standard.cdf(x)), FALSE_ALARM);
        let shifted = Normal::new(0.05, 1.0).unwrap();
        assert!(ks_test(&normal, |x| shifted.cdf(x)).p_value < FALSE_ALARM);
        let wide = Normal::new(0.0, 1.1).unwrap();
        assert!(ks_test(&normal, |x| wide.cdf(x)).p_value < FALSE_ALARM);
    }

    /// p-values of a continuous test are uniform if the hypothesis holds.
    #[test]
    fn p_values_are_uniform() {
        let mut random = SplitMix64::new(2);
        let p: Vec<f64> = (0..2000)
            .map(|_| {
                let sample: Vec<f64> = (0..200).map(|_| random.uniform()).collect();
                ks_test(&sample, uniform).p_value
            })
            .collect();
        assert_p(ks_test(&p, uniform), FALSE_ALARM);
    }

    #[test]
    fn nan_and_empty_have_no_p_value() {
        assert!(ks_test::<f64>(&[], uniform).p_value.is_nan());
        assert!(ks_test(&[0.5, f64::NAN], uniform).p_value.is_nan());
    }
}
