//! Chi-squared goodness of fit of binned counts.

use super::band::Law;
use super::{Finding, Outcome};
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Smallest expected count of a bin; neighbouring bins are pooled until they reach it.
///
/// The chi-squared law is a limit for large expected counts. How far off it is was enumerated for
/// independent Poisson bins: at a nominal false-alarm rate of 1e-6 the true rate is up to 7e-6 with
/// 25 expected in each of 1 to 4 bins (2e-6 with 64 bins), 3e-6 with 100, 1.5e-6 with 400. Cochran's
/// (1954) usual minimum of 5 is made for 5 % tests: here it would give 7e-5.
pub const MIN_EXPECTED: f64 = 25.0;

/// Tests whether the counts fit the probabilities of their bins (Pearson, 1900).
///
/// Statistic: `Σ (observed - expected)² / expected`, chi-squared with (bins after pooling - 1)
/// degrees of freedom. `probabilities` must be as long as `observed` and sum to 1 within rounding;
/// otherwise, or if fewer than two bins are left after pooling up to [`MIN_EXPECTED`], the p-value
/// is NaN. A count in a bin of probability 0 gives the p-value 0.
///
/// ```
/// use aimc_testkit::stats::{FALSE_ALARM, assert_p, chi_squared};
///
/// let outcome = chi_squared(&[315, 108, 101, 32], &[9.0 / 16.0, 3.0 / 16.0, 3.0 / 16.0, 1.0 / 16.0]);
/// assert!((outcome.statistic - 0.470).abs() < 5e-4); // Mendel's peas
/// assert_p(outcome, FALSE_ALARM);
/// ```
pub fn chi_squared(observed: &[u64], probabilities: &[f64]) -> Outcome {
    let n: u64 = observed.iter().sum();
    let total: f64 = probabilities.iter().sum();
    let rounding = probabilities.len() as f64 * f64::EPSILON;
    let valid = observed.len() == probabilities.len()
        && probabilities.iter().all(|&p| p >= 0.0)
        && (total - 1.0).abs() <= rounding;
    if !valid {
        return outcome(f64::NAN, f64::NAN, n, f64::NAN);
    }
    if observed.iter().zip(probabilities).any(|(&k, &p)| k > 0 && p == 0.0) {
        return outcome(f64::INFINITY, 0.0, n, observed.len() as f64 - 1.0);
    }
    let bins = pool(observed, probabilities, n as f64);
    let statistic = bins.iter().map(|(k, e)| (k - e).powi(2) / e).sum();
    let freedom = bins.len() as f64 - 1.0;
    let p_value = match ChiSquared::new(freedom) {
        Ok(law) => law.sf(statistic),
        Err(_) => f64::NAN,
    };
    outcome(statistic, p_value, n, freedom)
}

/// [`chi_squared`] with equally probable bins.
///
/// ```
/// use aimc_testkit::stats::chi_squared_uniform;
///
/// assert_eq!(chi_squared_uniform(&[40, 60]).statistic, 4.0);
/// ```
pub fn chi_squared_uniform(observed: &[u64]) -> Outcome {
    let p = 1.0 / observed.len() as f64;
    chi_squared(observed, &vec![p; observed.len()])
}

fn outcome(statistic: f64, p_value: f64, n: u64, freedom: f64) -> Outcome {
    let finding =
        Finding { quantity: "chi-squared", measured: statistic, expected: freedom, law: Law::ChiSquared };
    Outcome { test: "chi-squared", statistic, p_value, n: n as usize, finding }
}

/// (observed, expected) of neighbouring bins joined until each expects at least [`MIN_EXPECTED`];
/// what is left over at the end joins the last.
fn pool(observed: &[u64], probabilities: &[f64], n: f64) -> Vec<(f64, f64)> {
    let mut bins: Vec<(f64, f64)> = Vec::with_capacity(observed.len());
    let (mut count, mut expected) = (0.0, 0.0);
    for (&k, &p) in observed.iter().zip(probabilities) {
        count += k as f64;
        expected += p * n;
        if expected >= MIN_EXPECTED {
            bins.push((count, expected));
            (count, expected) = (0.0, 0.0);
        }
    }
    match bins.last_mut() {
        Some(last) => *last = (last.0 + count, last.1 + expected),
        None => bins.push((count, expected)),
    }
    bins
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::test_random::SplitMix64;
    use crate::stats::{FALSE_ALARM, assert_p, ks_test};

    /// 5 %, 1 % and 0.1 % points of the chi-squared law, as printed in the tables (3 decimals).
    #[test]
    fn published_critical_values() {
        for (freedom, alpha, point) in [
            (1.0, 0.05, 3.841),
            (1.0, 0.01, 6.635),
            (5.0, 0.05, 11.070),
            (10.0, 0.01, 23.209),
            (100.0, 0.05, 124.342),
            (100.0, 0.001, 149.449),
        ] {
            let law = ChiSquared::new(freedom).unwrap();
            let (low, high) = (law.sf(point + 6e-4), law.sf(point - 6e-4));
            assert!(low <= alpha && alpha <= high, "{freedom} {alpha}: {low} {high}");
        }
    }

    #[test]
    fn pooling_keeps_every_count() {
        let bins = pool(&[1, 2, 3, 90, 4], &[0.05, 0.10, 0.15, 0.65, 0.05], 100.0);
        assert_eq!(bins.len(), 2);
        assert_eq!(bins.iter().map(|b| b.0).sum::<f64>(), 100.0);
        assert!(bins.iter().all(|b| b.1 >= MIN_EXPECTED));
    }

    #[test]
    fn p_values_are_uniform() {
        let mut random = SplitMix64::new(13);
        let p: Vec<f64> = (0..1000)
            .map(|_| {
                let mut counts = [0_u64; 32];
                for _ in 0..6400 {
                    counts[(random.next() >> 59) as usize] += 1;
                }
                chi_squared_uniform(&counts).p_value
            })
            .collect();
        assert_p(ks_test(&p, |x| x.clamp(0.0, 1.0)), FALSE_ALARM);
    }

    #[test]
    fn many_degrees_of_freedom_work() {
        let mut random = SplitMix64::new(14);
        let mut counts = vec![0_u64; 1 << 14];
        for _ in 0..1 << 20 {
            counts[(random.next() >> 50) as usize] += 1;
        }
        assert_p(chi_squared_uniform(&counts), FALSE_ALARM);
        counts.iter_mut().step_by(2).for_each(|k| *k += 8); // an eighth more in every other bin
        assert!(chi_squared_uniform(&counts).p_value < FALSE_ALARM);
    }

    #[test]
    fn wrong_probabilities_are_rejected() {
        assert!(chi_squared(&[600, 400], &[0.5, 0.5]).p_value < FALSE_ALARM);
        assert_eq!(chi_squared(&[999, 1], &[1.0, 0.0]).p_value, 0.0);
    }

    #[test]
    fn invalid_arguments_have_no_p_value() {
        assert!(chi_squared(&[1, 2], &[1.0]).p_value.is_nan());
        assert!(chi_squared(&[100, 100], &[0.5, 0.6]).p_value.is_nan());
        assert!(chi_squared(&[1, 2], &[0.5, 0.5]).p_value.is_nan()); // too few to judge
        assert!(chi_squared_uniform(&[]).p_value.is_nan());
    }
}
