//! Assertions for the everyday questions: mean, spread, normality.

use super::{
    FALSE_ALARM, Kurtosis, assert_p, ks_test, kurtosis_test, mean_test, skewness_test, variance_test,
};
use statrs::distribution::{ContinuousCDF, Normal};

/// Panics unless the mean of the sample fits `mu`, for a law with standard deviation `sigma`
/// ([`mean_test`] at [`FALSE_ALARM`]).
///
/// ```should_panic
/// aimc_testkit::stats::expect_mean(&[1.0_f32; 100], 0.0, 1.0);
/// ```
#[track_caller]
pub fn expect_mean<T: Copy + Into<f64>>(samples: &[T], mu: f64, sigma: f64) {
    assert_p(mean_test(samples, mu, sigma), FALSE_ALARM);
}

/// Panics unless the standard deviation of the sample fits `std` ([`variance_test`] of its square
/// at [`FALSE_ALARM`]); `kurtosis` says what is known about the tails.
///
/// ```
/// use aimc_testkit::stats::{Kurtosis, expect_std};
///
/// let uniform: Vec<f64> = (0..100).map(|i| f64::from(i) / 100.0).collect();
/// expect_std(&uniform, (1.0_f64 / 12.0).sqrt(), Kurtosis::Known(9.0 / 5.0));
/// ```
#[track_caller]
pub fn expect_std<T: Copy + Into<f64>>(samples: &[T], std: f64, kurtosis: Kurtosis) {
    assert_p(variance_test(samples, std * std, kurtosis), FALSE_ALARM);
}

/// Panics unless the sample fits a normal law with this mean and standard deviation, in its
/// distribution function, mean, standard deviation, skewness and kurtosis. Five tests, so the
/// false-alarm rate is at most 5 [`FALSE_ALARM`]. Needs 20 samples or more, and `std > 0`.
///
/// ```
/// use statrs::distribution::{ContinuousCDF, Normal};
///
/// let law = Normal::new(1.0, 0.5).unwrap();
/// let quantiles: Vec<f64> = (0..1000).map(|i| law.inverse_cdf((f64::from(i) + 0.5) / 1000.0)).collect();
/// aimc_testkit::stats::expect_normal(&quantiles, 1.0, 0.5);
/// ```
#[track_caller]
pub fn expect_normal<T: Copy + Into<f64>>(samples: &[T], mean: f64, std: f64) {
    assert!(std > 0.0 && std.is_finite(), "a normal law needs a positive standard deviation, not {std}");
    assert_p(mean_test(samples, mean, std), FALSE_ALARM);
    assert_p(variance_test(samples, std * std, Kurtosis::Normal), FALSE_ALARM);
    assert_p(skewness_test(samples), FALSE_ALARM);
    assert_p(kurtosis_test(samples), FALSE_ALARM);
    let standard = Normal::standard();
    assert_p(ks_test(samples, |x| standard.cdf((x - mean) / std)), FALSE_ALARM);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::test_random::SplitMix64;

    fn normals(seed: u64) -> Vec<f64> {
        let mut random = SplitMix64::new(seed);
        (0..10_000).map(|_| 3.0 + 2.0 * random.normal()).collect()
    }

    #[test]
    fn the_right_law_passes() {
        let sample = normals(15);
        expect_normal(&sample, 3.0, 2.0);
        expect_mean(&sample, 3.0, 2.0);
        expect_std(&sample, 2.0, Kurtosis::Sample);
    }

    #[test]
    #[should_panic(expected = "mean (z)")]
    fn a_shifted_mean_is_named() {
        expect_normal(&normals(16), 3.2, 2.0);
    }

    #[test]
    #[should_panic(expected = "variance of a normal")]
    fn a_wrong_spread_is_named() {
        expect_normal(&normals(17), 3.0, 2.2);
    }

    #[test]
    #[should_panic(expected = "kurtosis of a normal")]
    fn a_uniform_of_equal_mean_and_spread_is_named() {
        let mut random = SplitMix64::new(18);
        let sample: Vec<f64> = (0..10_000).map(|_| (random.uniform() - 0.5) * 12.0_f64.sqrt()).collect();
        expect_normal(&sample, 0.0, 1.0);
    }

    #[test]
    #[should_panic(expected = "variance, known kurtosis")]
    fn a_wrong_std_is_named() {
        expect_std(&normals(19), 2.2, Kurtosis::Known(3.0));
    }
}
