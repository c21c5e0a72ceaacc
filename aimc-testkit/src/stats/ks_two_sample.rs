//! Two-sample Kolmogorov-Smirnov test: do two samples follow the same law?

use super::{Outcome, kolmogorov};

/// Tests whether `a` and `b` were drawn from one distribution.
///
/// Statistic: `D = sup_x |F_a(x) - F_b(x)|` (Smirnov, 1939), with the limiting law at the effective
/// size `n_a n_b / (n_a + n_b)`. Ties count at once on both sides, which makes the test conservative
/// for discrete values.
///
/// ```
/// use aimc_testkit::stats::ks_two_sample;
///
/// assert_eq!(ks_two_sample(&[1.0, 2.0], &[3.0, 4.0]).statistic, 1.0);
/// assert_eq!(ks_two_sample(&[1.0, 1.0, 2.0], &[1.0, 1.0, 2.0]).statistic, 0.0);
/// ```
pub fn ks_two_sample<A, B>(a: &[A], b: &[B]) -> Outcome
where
    A: Copy + Into<f64>,
    B: Copy + Into<f64>,
{
    let (a, b) = (sorted(a), sorted(b));
    let (n_a, n_b) = (a.len() as f64, b.len() as f64);
    let effective = n_a * n_b / (n_a + n_b);
    let broken = a.is_empty() || b.is_empty() || a.iter().chain(&b).any(|x| x.is_nan());
    let statistic = if broken { f64::NAN } else { distance(&a, &b) };
    Outcome {
        test: "two-sample Kolmogorov-Smirnov (D)",
        statistic,
        p_value: kolmogorov::p_value(statistic, effective),
        n: effective as usize,
        finding: kolmogorov::finding(statistic, effective),
    }
}

fn sorted<T: Copy + Into<f64>>(samples: &[T]) -> Vec<f64> {
    let mut values: Vec<f64> = samples.iter().map(|&x| x.into()).collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// Largest distance of the two staircases; both slices sorted and without NaN.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    let (mut i, mut j, mut largest) = (0, 0, 0.0_f64);
    while i < a.len() && j < b.len() {
        let x = a[i].min(b[j]);
        i += a[i..].iter().take_while(|&&v| v <= x).count();
        j += b[j..].iter().take_while(|&&v| v <= x).count();
        largest = largest.max((i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs());
    }
    largest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::test_random::SplitMix64;
    use crate::stats::{FALSE_ALARM, assert_p, ks_test};

    #[test]
    fn distance_with_ties() {
        // F_a(1) = 1/2, F_b(1) = 1/4; F_a(2) = 1, F_b(2) = 1/2; F_b reaches 1 at 3.
        let outcome = ks_two_sample(&[1.0, 2.0], &[1.0, 2.0, 3.0, 3.0]);
        assert_eq!(outcome.statistic, 0.5);
    }

    #[test]
    fn same_law_passes_and_a_shift_is_found() {
        let mut random = SplitMix64::new(3);
        let a: Vec<f64> = (0..20_000).map(|_| random.normal()).collect();
        let b: Vec<f64> = (0..30_000).map(|_| random.normal()).collect();
        assert_p(ks_two_sample(&a, &b), FALSE_ALARM);
        let shifted: Vec<f64> = b.iter().map(|x| x + 0.08).collect();
        assert!(ks_two_sample(&a, &shifted).p_value < FALSE_ALARM);
    }

    #[test]
    fn p_values_are_uniform() {
        let mut random = SplitMix64::new(4);
        let p: Vec<f64> = (0..1000)
            .map(|_| {
                let a: Vec<f64> = (0..701).map(|_| random.uniform()).collect();
                let b: Vec<f64> = (0..997).map(|_| random.uniform()).collect();
                ks_two_sample(&a, &b).p_value
            })
            .collect();
        assert_p(ks_test(&p, |x| x.clamp(0.0, 1.0)), FALSE_ALARM);
    }

    #[test]
    fn nan_and_empty_have_no_p_value() {
        assert!(ks_two_sample::<f64, f64>(&[], &[1.0]).p_value.is_nan());
        assert!(ks_two_sample(&[f64::NAN], &[1.0]).p_value.is_nan());
    }
}
