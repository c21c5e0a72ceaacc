//! Tests of skewness and kurtosis against the normal law.

use super::band::Law;
use super::{Finding, Moments, Outcome, two_sided_normal};

/// Tests whether the skewness of the sample is that of a normal law, 0.
///
/// D'Agostino's (1970) transformation `z = δ asinh(Y/α)` of the sample skewness, which is normal to
/// a good approximation from n = 8 on; the plain `√(6/n)` needs thousands of samples.
///
/// ```
/// use aimc_testkit::stats::skewness_test;
///
/// let outcome = skewness_test(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8000.0]);
/// assert!((outcome.statistic - 3.5718).abs() < 5e-5);
/// ```
pub fn skewness_test<T: Copy + Into<f64>>(samples: &[T]) -> Outcome {
    let n = samples.len() as f64;
    let z = if samples.len() < 8 { f64::NAN } else { skewness_z(Moments::of(samples).skewness(), n) };
    outcome("skewness of a normal (z)", "skewness (z)", z, samples.len())
}

/// The outcome of a shape that has been transformed into a standard normal number.
fn outcome(test: &'static str, quantity: &'static str, z: f64, n: usize) -> Outcome {
    let finding = Finding { quantity, measured: z, expected: 0.0, law: Law::Normal { se: 1.0 } };
    Outcome { test, statistic: z, p_value: two_sided_normal(z), n, finding }
}

fn skewness_z(skewness: f64, n: f64) -> f64 {
    let y = skewness * ((n + 1.0) * (n + 3.0) / (6.0 * (n - 2.0))).sqrt();
    let beta2 = 3.0 * (n * n + 27.0 * n - 70.0) * (n + 1.0) * (n + 3.0)
        / ((n - 2.0) * (n + 5.0) * (n + 7.0) * (n + 9.0));
    let w2 = (2.0 * (beta2 - 1.0)).sqrt() - 1.0;
    let delta = (0.5 * w2.ln()).sqrt().recip();
    let alpha = (2.0 / (w2 - 1.0)).sqrt();
    delta * (y / alpha).asinh()
}

/// Tests whether the kurtosis of the sample is that of a normal law, 3.
///
/// Anscombe and Glynn's (1983) cube-root transformation of the sample kurtosis, good from n = 20 on.
///
/// ```
/// use aimc_testkit::stats::kurtosis_test;
///
/// let flat: Vec<f64> = (0..20).map(f64::from).collect();
/// assert!((kurtosis_test(&flat).statistic + 1.7058).abs() < 5e-5);
/// ```
pub fn kurtosis_test<T: Copy + Into<f64>>(samples: &[T]) -> Outcome {
    let n = samples.len() as f64;
    let z = if samples.len() < 20 { f64::NAN } else { kurtosis_z(Moments::of(samples).kurtosis(), n) };
    outcome("kurtosis of a normal (z)", "kurtosis (z)", z, samples.len())
}

fn kurtosis_z(kurtosis: f64, n: f64) -> f64 {
    let mean = 3.0 * (n - 1.0) / (n + 1.0);
    let variance = 24.0 * n * (n - 2.0) * (n - 3.0) / ((n + 1.0).powi(2) * (n + 3.0) * (n + 5.0));
    let x = (kurtosis - mean) / variance.sqrt();
    let skew = 6.0 * (n * n - 5.0 * n + 2.0) / ((n + 7.0) * (n + 9.0))
        * (6.0 * (n + 3.0) * (n + 5.0) / (n * (n - 2.0) * (n - 3.0))).sqrt();
    let a = 6.0 + 8.0 / skew * (2.0 / skew + (1.0 + 4.0 / (skew * skew)).sqrt());
    let scale = 2.0 / (9.0 * a);
    let ratio = (1.0 - 2.0 / a) / (1.0 + x * (2.0 / (a - 4.0)).sqrt());
    (1.0 - scale - ratio.cbrt()) / scale.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::test_random::SplitMix64;
    use crate::stats::{FALSE_ALARM, assert_p, ks_test};

    /// Values printed in SciPy's documentation of `skewtest` and `kurtosistest`; the last printed
    /// digits may differ by the rounding of some ten operations. The p-values go through the erfc of
    /// statrs, whose tables have ten digits.
    #[test]
    fn documented_values() {
        let (rounding, erfc_error) = (1e3 * f64::EPSILON, 1e-10);
        let eight: Vec<f64> = (1..=8).map(f64::from).collect();
        assert!(skewness_test(&eight).statistic.abs() <= rounding);
        let skewed = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8000.0];
        let outcome = skewness_test(&skewed);
        assert!((outcome.statistic - 3.571773510360407).abs() <= rounding);
        assert!((outcome.p_value - 0.0003545719905823133).abs() <= erfc_error * outcome.p_value);
        let outcome = skewness_test(&[2.0, 8.0, 0.0, 4.0, 1.0, 9.0, 9.0, 0.0]);
        assert!((outcome.statistic - 0.44626385374196975).abs() <= rounding);
        let flat: Vec<f64> = (0..20).map(f64::from).collect();
        let outcome = kurtosis_test(&flat);
        assert!((outcome.statistic + 1.7058104152122062).abs() <= rounding);
        assert!((outcome.p_value - 0.08804338332528348).abs() <= erfc_error * outcome.p_value);
    }

    #[test]
    fn normals_pass_with_uniform_p_values() {
        let mut random = SplitMix64::new(9);
        let (mut skewness, mut kurtosis) = (Vec::new(), Vec::new());
        for _ in 0..2000 {
            let sample: Vec<f64> = (0..500).map(|_| random.normal()).collect();
            skewness.push(skewness_test(&sample).p_value);
            kurtosis.push(kurtosis_test(&sample).p_value);
        }
        assert_p(ks_test(&skewness, |x| x.clamp(0.0, 1.0)), FALSE_ALARM);
        assert_p(ks_test(&kurtosis, |x| x.clamp(0.0, 1.0)), FALSE_ALARM);
    }

    #[test]
    fn other_laws_are_rejected() {
        let mut random = SplitMix64::new(10);
        let uniform: Vec<f64> = (0..1000).map(|_| random.uniform()).collect();
        assert!(kurtosis_test(&uniform).p_value < FALSE_ALARM);
        let exponential: Vec<f64> = uniform.iter().map(|u| -u.ln()).collect();
        assert!(skewness_test(&exponential).p_value < FALSE_ALARM);
    }

    #[test]
    fn too_few_samples_have_no_p_value() {
        assert!(skewness_test(&[1.0; 7]).p_value.is_nan());
        assert!(kurtosis_test(&[1.0; 19]).p_value.is_nan());
    }
}
