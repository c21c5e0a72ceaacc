//! Which values of a measured quantity pass a test, in the unit of that quantity.

use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};

use super::counts::accepted_counts;
use super::kolmogorov;

/// How the measured quantity is distributed around the expected one, if the hypothesis holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Law {
    /// Normal with this standard error.
    Normal { se: f64 },
    /// The square of the quantity is normal with this standard error.
    NormalSquare { se: f64 },
    /// Standard deviation of a normal sample with these degrees of freedom.
    NormalStd { freedom: f64 },
    /// atanh of the quantity is normal with this standard error.
    Fisher { se: f64 },
    /// Distance of distribution functions for this effective sample size; only large ones fail.
    Kolmogorov { n: f64 },
    /// Chi-squared with as many degrees of freedom as expected; only large values fail.
    ChiSquared,
    /// Share of successes among so many trials.
    Share { trials: u64 },
    /// Poisson count.
    Count,
}

/// What a test measures, and what it should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finding {
    /// Name of the quantity.
    pub quantity: &'static str,
    /// Its value in the sample.
    pub measured: f64,
    /// Its value if the hypothesis holds.
    pub expected: f64,
    pub(crate) law: Law,
}

impl Finding {
    /// The smallest and the largest value that pass at this false-alarm rate.
    ///
    /// ```
    /// use aimc_testkit::stats::mean_test;
    ///
    /// let finding = mean_test(&[1.0, 2.0, 3.0, 6.0], 2.0, 1.0).finding;
    /// let [low, high] = finding.band(0.0455); // two standard errors of 1/√4
    /// assert!((low - 1.0).abs() < 1e-3 && (high - 3.0).abs() < 1e-3 && finding.measured == 3.0);
    /// ```
    #[must_use]
    pub fn band(&self, false_alarm: f64) -> [f64; 2] {
        let (mean, z) = (self.expected, Normal::standard().inverse_cdf(1.0 - false_alarm / 2.0));
        match self.law {
            Law::Normal { se } => [mean - z * se, mean + z * se],
            Law::NormalSquare { se } => [-1.0, 1.0].map(|sign| (mean * mean + sign * z * se).max(0.0).sqrt()),
            Law::NormalStd { freedom } => {
                let tail = |p| chi_squared(freedom, p).map_or(f64::NAN, |x| mean * (x / freedom).sqrt());
                [tail(false_alarm / 2.0), tail(1.0 - false_alarm / 2.0)]
            }
            Law::Fisher { se } => [-1.0, 1.0].map(|sign| (mean.atanh() + sign * z * se).tanh()),
            Law::Kolmogorov { n } => [0.0, kolmogorov::critical(false_alarm, n)],
            Law::ChiSquared => [0.0, chi_squared(mean, 1.0 - false_alarm).unwrap_or(f64::NAN)],
            Law::Share { trials } => {
                accepted_counts(mean, Some(trials), false_alarm).map(|k| k / trials as f64)
            }
            Law::Count => accepted_counts(mean, None, false_alarm),
        }
    }
}

fn chi_squared(freedom: f64, p: f64) -> Option<f64> {
    ChiSquared::new(freedom).ok().map(|law| law.inverse_cdf(p))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Kurtosis, Outcome, chi_squared, correlation_test, ks_test, mean_test, poisson_test};
    use crate::stats::{proportion_test, variance_test};

    const RATE: f64 = 1e-4;

    fn band(outcome: Outcome) -> [f64; 2] {
        outcome.finding.band(RATE)
    }

    /// p-values at the ends of the band are the false-alarm rate; the inverse functions of statrs have some nine digits.
    fn ends_at_the_rate(low: Outcome, high: Outcome) {
        for outcome in [low, high] {
            assert!((outcome.p_value / RATE - 1.0).abs() < 1e-4, "{outcome}");
        }
    }

    #[test]
    fn means() {
        let [low, high] = band(mean_test(&[0.0; 9], 2.0, 1.5));
        ends_at_the_rate(mean_test(&[low; 9], 2.0, 1.5), mean_test(&[high; 9], 2.0, 1.5));
    }

    #[test]
    fn standard_deviations() {
        // ±1 scaled so that the sample has the wanted standard deviation.
        let sample = |std: f64| [-1.0, 1.0, -1.0, 1.0, 0.0].map(|x: f64| x * std);
        for kurtosis in [Kurtosis::Normal, Kurtosis::Known(3.0)] {
            let [low, high] = band(variance_test(&sample(1.0), 4.0, kurtosis));
            if low > 0.0 {
                ends_at_the_rate(
                    variance_test(&sample(low), 4.0, kurtosis),
                    variance_test(&sample(high), 4.0, kurtosis),
                );
            }
            let outside = variance_test(&sample(high * 1.001), 4.0, kurtosis);
            let inside = variance_test(&sample(high * 0.999), 4.0, kurtosis);
            assert!(outside.p_value < RATE && RATE < inside.p_value, "{outside} {inside}");
        }
    }

    #[test]
    fn distances_of_laws() {
        let uniform: Vec<f64> = (0..50).map(|i| (f64::from(i) + 0.5) / 50.0).collect();
        let [_, high] = band(ks_test(&uniform, |x| x));
        // Shifting a staircase of half a step by δ gives the distance δ + 1/100.
        let shifted = |distance: f64| ks_test(&uniform, |x| (x + distance - 0.01).clamp(0.0, 1.0)).p_value;
        assert!(shifted(high * 1.001) < RATE && RATE < shifted(high * 0.999), "{high}");
        let [_, high] = band(chi_squared(&[50, 50], &[0.5, 0.5]));
        assert!(
            (high - 15.1367).abs() < 1e-4,
            "the 1e-4 point of chi-squared with 1 degree of freedom: {high}"
        );
    }

    #[test]
    fn counts_outside_fail_and_counts_inside_pass() {
        let [low, high] = band(proportion_test(30, 100, 0.3)).map(|share| (share * 100.0).round() as u64);
        let p = |k| proportion_test(k, 100, 0.3).p_value;
        assert!(p(low) >= RATE && p(high) >= RATE && p(low - 1) < RATE && p(high + 1) < RATE, "{low} {high}");
        let [low, high] = band(poisson_test(40, 50.0)).map(|count| count as u64);
        let p = |k| poisson_test(k, 50.0).p_value;
        assert!(p(low) >= RATE && p(high) >= RATE && p(low - 1) < RATE && p(high + 1) < RATE, "{low} {high}");
        assert_eq!(band(proportion_test(0, 100, 0.0)), [0.0, 0.0]);
    }

    #[test]
    fn correlations() {
        let a: Vec<f64> = (0..100).map(f64::from).collect();
        let outcome = correlation_test(&a, &a, 0.5);
        let [low, high] = band(outcome);
        let z = Normal::standard().inverse_cdf(1.0 - RATE / 2.0) / 97.0_f64.sqrt();
        assert!(
            (low.atanh() - 0.5_f64.atanh() + z).abs() < 1e-9
                && (high.atanh() - 0.5_f64.atanh() - z).abs() < 1e-9
        );
        assert!(outcome.finding.measured > high);
    }
}
