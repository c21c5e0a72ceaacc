//! Pearson correlation and its test.

use super::band::Law;
use super::{Finding, Outcome, two_sided_normal};

/// Pearson's correlation coefficient of the pairs `(a[i], b[i])`, in [-1, 1].
///
/// NaN when the lengths differ, or when either sample has no variance.
///
/// ```
/// let r = aimc_testkit::stats::correlation(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]);
/// assert!((r - 1.0).abs() < 1e-15);
/// ```
#[must_use]
pub fn correlation<A, B>(a: &[A], b: &[B]) -> f64
where
    A: Copy + Into<f64>,
    B: Copy + Into<f64>,
{
    if a.len() != b.len() {
        return f64::NAN;
    }
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (&x, &y) in a.iter().zip(b) {
        let (x, y) = (x.into() - mean_a, y.into() - mean_b);
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    ab / (aa * bb).sqrt()
}

fn mean<T: Copy + Into<f64>>(samples: &[T]) -> f64 {
    samples.iter().map(|&x| x.into()).sum::<f64>() / samples.len() as f64
}

/// Tests whether the pairs `(a[i], b[i])` have the correlation `rho` (0: uncorrelated).
///
/// Statistic: Fisher's (1921) `z = (atanh r - atanh rho) √(n - 3)`. For `rho = 0` it holds for any
/// independent pairs with n large, for other values only for jointly normal ones.
///
/// ```
/// use aimc_testkit::stats::{FALSE_ALARM, assert_p, correlation_test};
///
/// let a: Vec<f64> = (0..100).map(f64::from).collect();
/// let zigzag: Vec<f64> = (0..100).map(|i| f64::from(i % 2)).collect();
/// assert_p(correlation_test(&a, &zigzag, 0.0), FALSE_ALARM);
/// assert!(correlation_test(&a, &a, 0.0).p_value < FALSE_ALARM);
/// ```
pub fn correlation_test<A, B>(a: &[A], b: &[B], rho: f64) -> Outcome
where
    A: Copy + Into<f64>,
    B: Copy + Into<f64>,
{
    // Rounding can push |r| an ulp above 1, where atanh has no value.
    let r = correlation(a, b).clamp(-1.0, 1.0);
    let se = (a.len() as f64 - 3.0).sqrt().recip();
    let z = (r.atanh() - rho.atanh()) / se;
    let finding = Finding { quantity: "correlation", measured: r, expected: rho, law: Law::Fisher { se } };
    Outcome {
        test: "correlation (Fisher z)",
        statistic: z,
        p_value: two_sided_normal(z),
        n: a.len(),
        finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::test_random::SplitMix64;
    use crate::stats::{FALSE_ALARM, assert_p, ks_test};

    #[test]
    fn exact_small_case() {
        // deviations (-1.5,-.5,.5,1.5) and (-1.5,.5,-.5,1.5): covariance sum 4, variance sums 5
        let outcome = correlation_test(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0], 0.0);
        assert!((outcome.statistic - 0.8_f64.atanh()).abs() <= 8.0 * f64::EPSILON);
    }

    #[test]
    fn p_values_are_uniform_with_and_without_correlation() {
        let mut random = SplitMix64::new(11);
        for rho in [0.0, 0.6, -0.9] {
            let p: Vec<f64> = (0..1000)
                .map(|_| {
                    let a: Vec<f64> = (0..500).map(|_| random.normal()).collect();
                    let rest = f64::sqrt(1.0 - rho * rho);
                    let b: Vec<f64> = a.iter().map(|x| rho * x + rest * random.normal()).collect();
                    correlation_test(&a, &b, rho).p_value
                })
                .collect();
            assert_p(ks_test(&p, |x| x.clamp(0.0, 1.0)), FALSE_ALARM);
        }
    }

    #[test]
    fn a_weak_correlation_is_found() {
        let mut random = SplitMix64::new(12);
        let a: Vec<f64> = (0..10_000).map(|_| random.normal()).collect();
        let b: Vec<f64> = a.iter().map(|x| 0.1 * x + random.normal()).collect();
        assert!(correlation_test(&a, &b, 0.0).p_value < FALSE_ALARM);
    }

    #[test]
    fn undefined_cases_have_no_p_value() {
        assert!(correlation_test(&[1.0, 2.0], &[1.0], 0.0).p_value.is_nan());
        assert!(correlation_test(&[1.0; 10], &[2.0; 10], 0.0).p_value.is_nan());
        assert!(correlation_test::<f64, f64>(&[], &[], 0.0).p_value.is_nan());
    }
}
