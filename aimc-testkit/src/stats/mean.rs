//! z-test of a mean with a known standard deviation.

use super::band::Law;
use super::{Finding, Moments, Outcome, two_sided_normal, z_score};

/// Tests whether the mean of the sample is `mu`, for a law with standard deviation `sigma`.
///
/// Statistic: `z = (mean - mu) / (sigma / √n)`; p-value two-sided from the standard normal: exact for
/// normal samples, by the central limit theorem otherwise. The theorem is slow in the tails of a
/// skewed law: the relative error of a p-value at `z` is about `γ |z|³ / (6 √n)` with the skewness γ
/// of one sample (Cramér, 1938), so at [`super::FALSE_ALARM`] take `n ≫ 400 γ²`. `sigma = 0` demands
/// the mean exactly.
///
/// ```
/// use aimc_testkit::stats::mean_test;
///
/// let outcome = mean_test(&[1.0, 2.0, 3.0, 6.0], 2.0, 1.0);
/// assert_eq!(outcome.statistic, 2.0); // (3 - 2) / (1 / √4)
/// assert!((outcome.p_value - 0.0455).abs() < 5e-5); // two sigma
/// ```
pub fn mean_test<T: Copy + Into<f64>>(samples: &[T], mu: f64, sigma: f64) -> Outcome {
    let moments = Moments::of(samples);
    let se = sigma / (samples.len() as f64).sqrt();
    let z = z_score(moments.mean() - mu, se);
    let law = Law::Normal { se };
    let finding = Finding { quantity: "mean", measured: moments.mean(), expected: mu, law };
    Outcome { test: "mean (z)", statistic: z, p_value: two_sided_normal(z), n: samples.len(), finding }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::test_random::SplitMix64;
    use crate::stats::{FALSE_ALARM, assert_p, ks_test};

    /// Two-sided tail of the standard normal at the usual table entries.
    #[test]
    fn published_normal_tails() {
        for (z, p) in [(1.959964, 0.05), (2.575829, 0.01), (3.290527, 0.001), (4.891638, 1e-6)] {
            let slope = f64::exp(-0.5 * z * z); // bounds the density of |z|
            assert!((two_sided_normal(z) - p).abs() <= 5e-7 * slope, "{z}");
        }
    }

    #[test]
    fn p_values_are_uniform_and_a_wrong_mean_is_rejected() {
        let mut random = SplitMix64::new(5);
        let mut draw = |n: usize| -> Vec<f64> { (0..n).map(|_| 2.0 + 0.5 * random.normal()).collect() };
        let p: Vec<f64> = (0..2000).map(|_| mean_test(&draw(10), 2.0, 0.5).p_value).collect();
        assert_p(ks_test(&p, |x| x.clamp(0.0, 1.0)), FALSE_ALARM);
        assert!(mean_test(&draw(10_000), 2.05, 0.5).p_value < FALSE_ALARM);
    }

    #[test]
    fn degenerate_cases() {
        assert_eq!(mean_test(&[3.0, 3.0], 3.0, 0.0).p_value, 1.0);
        assert_eq!(mean_test(&[3.0, 3.0], 2.0, 0.0).p_value, 0.0);
        assert!(mean_test::<f64>(&[], 0.0, 1.0).p_value.is_nan());
        assert!(mean_test(&[f64::NAN], 0.0, 1.0).p_value.is_nan());
    }
}
