//! Mean, spread and confidence interval of repeated measurements.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Of all intervals computed this way, the fraction that holds the true mean.
const CONFIDENCE: f64 = 0.95;

/// What n independent measurements say about their mean.
///
/// ```
/// use aimc_infer::Summary;
/// // Mean 3, std √2.5, t(0.975; 4) = 2.776445: 3 ± 2.776445·√(2.5/5).
/// let summary = Summary::of(&[1.0, 2.0, 3.0, 4.0, 5.0]);
/// assert_eq!(summary.mean, 3.0);
/// let [low, high] = summary.confidence_95.unwrap();
/// assert!((low - 1.036_757).abs() < 1e-6 && (high - 4.963_243).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Arithmetic mean.
    pub mean: f64,
    /// Sample std, √(Σ(x - mean)²/(n - 1)); `None` for a single measurement.
    pub std: Option<f64>,
    /// 95 % confidence interval of the mean, mean ± t(0.975; n - 1)·std/√n with Student's t; `None` for a single
    /// measurement.
    ///
    /// If the whole experiment was repeated many times, 95 % of the intervals would hold the true mean: exactly so
    /// for normal measurements, nearly so for others. It is no range for single measurements; those spread by
    /// `std`.
    pub confidence_95: Option<[f64; 2]>,
}

impl Summary {
    /// Sums up independent measurements; the mean of none is NaN.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let std = (values.len() > 1)
            .then(|| (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt());
        let confidence_95 = std.and_then(|std| {
            let law = StudentsT::new(0.0, 1.0, n - 1.0).ok()?;
            let half = law.inverse_cdf(0.5 + CONFIDENCE / 2.0) * std / n.sqrt();
            Some([mean - half, mean + half])
        });
        Self { mean, std, confidence_95 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_device::RngKey;
    use aimc_testkit::stats::{FALSE_ALARM, assert_p, proportion_test};

    /// Table values of t(0.975; n - 1), to their last digit.
    #[test]
    fn published_quantiles() {
        for (n, t) in [(2, 12.706_205), (5, 2.776_445), (10, 2.262_157), (31, 2.042_272)] {
            let values: Vec<f64> = (0..n).map(f64::from).collect();
            let summary = Summary::of(&values);
            let [low, high] = summary.confidence_95.unwrap();
            let quantile = (high - low) / 2.0 / summary.std.unwrap() * f64::from(n).sqrt();
            assert!((quantile - t).abs() <= 1e-6, "n = {n}: {quantile} {t}");
        }
    }

    #[test]
    fn one_measurement_says_nothing_about_spread() {
        let summary = Summary::of(&[0.9]);
        assert_eq!((summary.mean, summary.std, summary.confidence_95), (0.9, None, None));
        let equal = Summary::of(&[0.5; 4]);
        assert_eq!((equal.std, equal.confidence_95), (Some(0.0), Some([0.5, 0.5])));
    }

    /// On a known normal model 95 % of the intervals hold the true mean, for any n: a binomial count.
    #[test]
    fn the_interval_covers_as_often_as_it_says() {
        for n in [2, 4, 10] {
            let experiments = 20_000;
            let covers = (0..experiments).filter(|&i| {
                let mut draws = RngKey::root(5).fold_in(n).stream(i);
                let values: Vec<f64> = (0..n).map(|_| 0.9 + 0.02 * f64::from(draws.normal())).collect();
                let [low, high] = Summary::of(&values).confidence_95.unwrap();
                (low..=high).contains(&0.9)
            });
            assert_p(proportion_test(covers.count() as u64, experiments, 0.95), FALSE_ALARM);
        }
    }
}
