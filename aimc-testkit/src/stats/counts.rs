//! Exact tests of how often something happened.

use super::band::Law;
use super::{Finding, Outcome};
use statrs::distribution::{Binomial, Discrete, Poisson};

/// Tests whether `successes` out of `trials` fits the probability `p`, by the exact binomial law.
///
/// Statistic: the number of successes. The p-value is twice the smaller tail
/// `min(P(X ≤ k), P(X ≥ k))`, at most 1 (Clopper and Pearson, 1934). NaN for `p` outside [0, 1] or
/// more successes than trials.
///
/// ```
/// use aimc_testkit::stats::proportion_test;
///
/// // 10 heads of 10: 2 / 2^10
/// assert!((proportion_test(10, 10, 0.5).p_value - 2.0 / 1024.0).abs() < 1e-12);
/// ```
pub fn proportion_test(successes: u64, trials: u64, p: f64) -> Outcome {
    let p_value = match Binomial::new(p, trials) {
        Ok(law) if successes <= trials => two_sided(successes, mode(trials, p), trials, |k| law.ln_pmf(k)),
        _ => f64::NAN,
    };
    let measured = successes as f64 / trials as f64;
    let finding = Finding { quantity: "share", measured, expected: p, law: Law::Share { trials } };
    let (test, statistic) = ("proportion (successes)", successes as f64);
    Outcome { test, statistic, p_value, n: trials as usize, finding }
}

/// Tests whether `count` rare events fit a Poisson law with mean `lambda`, by its exact tails.
///
/// p-value as in [`proportion_test`]. `n` of the outcome is the count.
///
/// ```
/// use aimc_testkit::stats::poisson_test;
///
/// assert_eq!(poisson_test(2, 2.0).p_value, 1.0);
/// assert!((poisson_test(0, 3.0).p_value - 2.0 * (-3.0_f64).exp()).abs() < 1e-12);
/// ```
pub fn poisson_test(count: u64, lambda: f64) -> Outcome {
    let p_value = match Poisson::new(lambda) {
        Ok(law) => two_sided(count, lambda as u64, u64::MAX, |k| law.ln_pmf(k)),
        Err(_) => f64::NAN,
    };
    let (quantity, measured) = ("count", count as f64);
    let finding = Finding { quantity, measured, expected: lambda, law: Law::Count };
    Outcome { test: "Poisson count", statistic: measured, p_value, n: count as usize, finding }
}

/// The smallest and the largest count that pass at this false-alarm rate: of so many trials with probability `expected`, or
/// Poisson with mean `expected`.
pub(super) fn accepted_counts(expected: f64, trials: Option<u64>, false_alarm: f64) -> [f64; 2] {
    let passes = |count: u64| match trials {
        Some(trials) => proportion_test(count, trials, expected).p_value >= false_alarm,
        None => poisson_test(count, expected).p_value >= false_alarm,
    };
    let (middle, end) = match trials {
        Some(trials) => (mode(trials, expected).min(trials), trials),
        // Far beyond any count of probability 1e-300.
        None => (expected as u64, (2.0 * expected) as u64 + 2000),
    };
    // p-values only fall from the mode outwards.
    let (mut low, mut high) = ([0, middle], [middle, end]);
    while low[0] < low[1] {
        let tried = low[0].midpoint(low[1]);
        low = if passes(tried) { [low[0], tried] } else { [tried + 1, low[1]] };
    }
    while high[0] < high[1] {
        let tried = high[1] - (high[1] - high[0]) / 2;
        high = if passes(tried) { [tried, high[1]] } else { [high[0], tried - 1] };
    }
    [low[0] as f64, high[0] as f64]
}

/// The most probable number of successes.
fn mode(trials: u64, p: f64) -> u64 {
    ((trials as f64 + 1.0) * p) as u64
}

/// Twice the smaller tail of a unimodal law with the given mode. The tail on the far side of `k` from
/// the mode is summed outwards, where terms only fall, until one no longer changes the sum: some ten
/// standard deviations at most. (The continued fraction behind the distribution function of statrs
/// stops after 140 terms, too few for large counts.)
fn two_sided(k: u64, mode: u64, max: u64, ln_pmf: impl Fn(u64) -> f64) -> f64 {
    let pmf = |k| ln_pmf(k).exp();
    let outer = if k <= mode { falling_sum((0..=k).rev().map(pmf)) } else { falling_sum((k..=max).map(pmf)) };
    let inner = 1.0 - outer + pmf(k);
    (2.0 * outer.min(inner)).min(1.0)
}

fn falling_sum(terms: impl Iterator<Item = f64>) -> f64 {
    let mut sum = 0.0;
    for term in terms {
        if sum + term == sum {
            break;
        }
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{FALSE_ALARM, assert_p, mean_test};

    #[test]
    fn exact_small_cases() {
        let eps = 64.0 * f64::EPSILON;
        // P(X <= 1) = (1 + 5)/32 for five fair coins
        assert!((proportion_test(1, 5, 0.5).p_value - 12.0 / 32.0).abs() <= eps);
        assert_eq!(proportion_test(3, 6, 0.5).p_value, 1.0);
        assert_eq!(proportion_test(0, 100, 0.0).p_value, 1.0);
        assert_eq!(proportion_test(1, 100, 0.0).p_value, 0.0);
        // P(X >= 2) = 1 - 2/e for lambda 1
        let p = 2.0 * (1.0 - 2.0 / std::f64::consts::E);
        assert!((poisson_test(2, 1.0).p_value - p).abs() <= eps);
    }

    /// With ten million trials the binomial is a normal to 1/sqrt(npq) = 6e-4 in probability.
    #[test]
    fn large_counts_match_the_normal_limit() {
        let (n, p) = (10_000_000_u64, 0.3_f64);
        let sigma = (p * (1.0 - p)).sqrt();
        for z in [-4.0, -1.0, 2.0, 4.5] {
            let k = (n as f64 * p + z * (n as f64).sqrt() * sigma).round();
            let exact = proportion_test(k as u64, n, p).p_value;
            let z = (k - n as f64 * p) / ((n as f64).sqrt() * sigma);
            let normal = mean_test(&[z], 0.0, 1.0).p_value;
            assert!((exact - normal).abs() <= 1.0 / ((n as f64).sqrt() * sigma), "{z}: {exact} {normal}");
        }
    }

    #[test]
    fn wrong_rates_are_rejected_and_right_ones_pass() {
        assert_p(proportion_test(50_200, 100_000, 0.5), FALSE_ALARM);
        assert!(proportion_test(51_000, 100_000, 0.5).p_value < FALSE_ALARM);
        assert!(proportion_test(60, 1_000_000, 2e-5).p_value < FALSE_ALARM);
        assert_p(poisson_test(1_050, 1_000.0), FALSE_ALARM);
        assert!(poisson_test(1_200, 1_000.0).p_value < FALSE_ALARM);
        assert!(poisson_test(800, 1_000.0).p_value < FALSE_ALARM);
    }

    #[test]
    fn hopeless_counts_end_with_zero() {
        assert_eq!(proportion_test(0, 1_000_000, 0.5).p_value, 0.0);
        assert_eq!(poisson_test(1_000_000, 10.0).p_value, 0.0);
    }

    #[test]
    fn invalid_arguments_have_no_p_value() {
        assert!(proportion_test(3, 2, 0.5).p_value.is_nan());
        assert!(proportion_test(1, 2, 1.5).p_value.is_nan());
        assert!(poisson_test(1, -1.0).p_value.is_nan());
    }
}
