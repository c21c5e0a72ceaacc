//! Test of a variance (and so of a standard deviation).

use super::band::Law;
use super::{Finding, Moments, Outcome, two_sided_normal, z_score};
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// What is known about the tails of the law whose variance is tested: the standard error of a
/// variance follows from the fourth moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kurtosis {
    /// The law is normal: the exact chi-squared test, valid for every n.
    Normal,
    /// The law has the kurtosis `E[(x-μ)⁴]/σ⁴` (normal 3, uniform 9/5, two-point ±1: 1, Laplace 6).
    Known(f64),
    /// Take the fourth moment of the sample. For n in the thousands, and only for laws whose
    /// eighth moment is small enough that the sample's fourth has settled.
    Sample,
}

/// Tests whether the variance of the sample is `variance`.
///
/// For [`Kurtosis::Normal`] the statistic is `(n-1) s² / σ²`, chi-squared with `n - 1` degrees of
/// freedom, p-value twice the smaller tail. Otherwise it is `z = (s² - σ²) / se`, with
/// `se² = σ⁴ (κ - (n-3)/(n-1)) / n` (Cramér, 1946), normal for large n.
///
/// ```
/// use aimc_testkit::stats::{Kurtosis, variance_test};
///
/// let sample = [0.5_f32, -0.5, 0.5, -0.5];
/// assert!((variance_test(&sample, 0.25, Kurtosis::Normal).statistic - 4.0).abs() < 1e-12);
/// ```
pub fn variance_test<T: Copy + Into<f64>>(samples: &[T], variance: f64, kurtosis: Kurtosis) -> Outcome {
    let moments = Moments::of(samples);
    let n = samples.len() as f64;
    let (statistic, p_value, test, law) = match kurtosis {
        Kurtosis::Normal => {
            let statistic = z_score((n - 1.0) * moments.variance(), variance);
            let p_value = chi_squared_two_sided(statistic, n - 1.0);
            (statistic, p_value, "variance of a normal (chi-squared)", Law::NormalStd { freedom: n - 1.0 })
        }
        Kurtosis::Known(kappa) => {
            let se = variance * relative_se(kappa, n);
            let z = z_score(moments.variance() - variance, se);
            (z, two_sided_normal(z), "variance, known kurtosis (z)", Law::NormalSquare { se })
        }
        Kurtosis::Sample => {
            let se = 2.0 * moments.std() * moments.std_se();
            let z = z_score(moments.variance() - variance, se);
            (z, two_sided_normal(z), "variance, sample kurtosis (z)", Law::NormalSquare { se })
        }
    };
    let (quantity, measured) = ("standard deviation", moments.std());
    let finding = Finding { quantity, measured, expected: variance.sqrt(), law };
    Outcome { test, statistic, p_value, n: samples.len(), finding }
}

/// Relative standard error of the unbiased variance of `n` samples with kurtosis `kappa`.
fn relative_se(kappa: f64, n: f64) -> f64 {
    ((kappa - (n - 3.0) / (n - 1.0)) / n).sqrt()
}

fn chi_squared_two_sided(statistic: f64, freedom: f64) -> f64 {
    match ChiSquared::new(freedom) {
        Ok(_) if statistic.is_nan() => f64::NAN,
        Ok(_) if statistic.is_infinite() => 0.0,
        Ok(law) => (2.0 * law.cdf(statistic).min(law.sf(statistic))).min(1.0),
        Err(_) => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::test_random::SplitMix64;
    use crate::stats::{FALSE_ALARM, assert_p, ks_test};

    fn is_uniform(p: &[f64]) {
        assert_p(ks_test(p, |x| x.clamp(0.0, 1.0)), FALSE_ALARM);
    }

    /// Table values: 5 % and 95 % points of chi-squared with 10 degrees of freedom.
    #[test]
    fn published_chi_squared_points() {
        for x in [3.940, 18.307] {
            let (outside, inside) = (x - 5e-4 * (x - 11.0_f64).signum(), x + 5e-4 * (x - 11.0_f64).signum());
            let p = [chi_squared_two_sided(outside, 10.0), chi_squared_two_sided(inside, 10.0)];
            assert!(p[0].min(p[1]) <= 0.1 && 0.1 <= p[0].max(p[1]), "{x}: {p:?}");
        }
    }

    #[test]
    fn p_values_of_normals_are_uniform_even_for_small_samples() {
        let mut random = SplitMix64::new(6);
        let p: Vec<f64> = (0..2000)
            .map(|_| {
                let sample: Vec<f64> = (0..5).map(|_| 3.0 * random.normal()).collect();
                variance_test(&sample, 9.0, Kurtosis::Normal).p_value
            })
            .collect();
        is_uniform(&p);
    }

    #[test]
    fn p_values_of_uniforms_are_uniform_for_large_samples() {
        let mut random = SplitMix64::new(7);
        for kurtosis in [Kurtosis::Known(1.8), Kurtosis::Sample] {
            let p: Vec<f64> = (0..1000)
                .map(|_| {
                    let sample: Vec<f64> = (0..1000).map(|_| random.uniform()).collect();
                    variance_test(&sample, 1.0 / 12.0, kurtosis).p_value
                })
                .collect();
            is_uniform(&p);
        }
    }

    #[test]
    fn a_large_sample_keeps_its_digits_and_a_wrong_variance_is_rejected() {
        let mut random = SplitMix64::new(8);
        let sample: Vec<f64> = (0..400_000).map(|_| random.normal()).collect();
        for kurtosis in [Kurtosis::Normal, Kurtosis::Known(3.0), Kurtosis::Sample] {
            assert_p(variance_test(&sample, 1.0, kurtosis), FALSE_ALARM);
            assert!(variance_test(&sample, 1.02, kurtosis).p_value < FALSE_ALARM);
            assert!(variance_test(&sample, 0.98, kurtosis).p_value < FALSE_ALARM);
        }
        // With n this large the exact and the asymptotic test must tell the same story.
        let exact = variance_test(&sample, 1.0, Kurtosis::Normal).p_value;
        let asymptotic = variance_test(&sample, 1.0, Kurtosis::Known(3.0)).p_value;
        assert!((exact - asymptotic).abs() <= 5.0 / (sample.len() as f64).sqrt(), "{exact} {asymptotic}");
    }

    #[test]
    fn degenerate_cases() {
        let flat = [2.0, 2.0, 2.0];
        for kurtosis in [Kurtosis::Known(3.0), Kurtosis::Sample] {
            assert_eq!(variance_test(&flat, 0.0, kurtosis).p_value, 1.0);
        }
        assert_eq!(variance_test(&flat, 1.0, Kurtosis::Sample).p_value, 0.0);
        for kurtosis in [Kurtosis::Normal, Kurtosis::Known(3.0), Kurtosis::Sample] {
            assert!(variance_test(&[1.0], 1.0, kurtosis).p_value.is_nan());
            assert!(variance_test(&[1.0, f64::NAN, 2.0], 1.0, kurtosis).p_value.is_nan());
        }
    }
}
