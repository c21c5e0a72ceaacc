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

/// Measurements of two levels: several reads of each of several programming events.
///
/// ```text
/// x_ij = μ + p_i + r_ij       std σ_p from event to event, σ_r from read to read of one event
/// s_r² = mean of the variances within events      s_p² = max(variance of the event means - s_r²/m, 0)
/// ```
///
/// Reads of one event share its devices and are not independent: only events are. The interval of μ is therefore that of the
/// *means* of the events ([`Summary::of`] them), whose variance is σ_p² + σ_r²/m; pooling all reads would make it too narrow.
///
/// ```
/// use aimc_infer::summary::Nested;
/// let nested = Nested::of(vec![vec![1.0, 3.0], vec![5.0, 7.0]]);
/// assert_eq!(nested.means(), [2.0, 6.0]);
/// assert_eq!(nested.read_std, Some(2.0_f64.sqrt())); // variances 2 and 2
/// assert_eq!(nested.programming_std, Some(7.0_f64.sqrt())); // 8 - 2/2
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Nested {
    /// Every read of every event.
    pub reads: Vec<Vec<f64>>,
    /// s_r, the std from read to read; `None` for single reads.
    pub read_std: Option<f64>,
    /// s_p, the std from event to event without what reading adds; `None` for single reads or a single event.
    pub programming_std: Option<f64>,
}

impl Nested {
    /// Sums up events with equally many reads each.
    #[must_use]
    pub fn of(reads: Vec<Vec<f64>>) -> Self {
        let summaries: Vec<Summary> = reads.iter().map(|reads| Summary::of(reads)).collect();
        let within: Option<Vec<f64>> = summaries.iter().map(|s| s.std.map(|std| std * std)).collect();
        let within = within.filter(|variances| !variances.is_empty());
        let read_variance = within.map(|variances| variances.iter().sum::<f64>() / variances.len() as f64);
        let means: Vec<f64> = summaries.iter().map(|s| s.mean).collect();
        let programming_std = read_variance.zip(Summary::of(&means).std).map(|(variance, std)| {
            let reads = reads.first().map_or(1, Vec::len) as f64;
            (std * std - variance / reads).max(0.0).sqrt()
        });
        Self { read_std: read_variance.map(f64::sqrt), programming_std, reads }
    }

    /// The mean of the reads of every event.
    #[must_use]
    pub fn means(&self) -> Vec<f64> {
        self.reads.iter().map(|reads| Summary::of(reads).mean).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_device::RngKey;
    use aimc_testkit::assert_close;
    use aimc_testkit::stats::{FALSE_ALARM, assert_p, expect_mean, proportion_test};

    /// Table values of t(0.975; n - 1), to their last digit.
    #[test]
    fn published_quantiles() {
        for (n, t) in [(2, 12.706_205), (5, 2.776_445), (10, 2.262_157), (31, 2.042_272)] {
            let values: Vec<f64> = (0..n).map(f64::from).collect();
            let summary = Summary::of(&values);
            let [low, high] = summary.confidence_95.unwrap();
            let quantile = (high - low) / 2.0 / summary.std.unwrap() * f64::from(n).sqrt();
            assert_close!(quantile, t, 1e-6, "n = {n}");
        }
    }

    /// n = 1: no standard deviation, no interval; equal values: 0 and a point.
    #[test]
    fn one_measurement_says_nothing_about_spread() {
        let summary = Summary::of(&[0.9]);
        assert_eq!((summary.mean, summary.std, summary.confidence_95), (0.9, None, None));
        let equal = Summary::of(&[0.5; 4]);
        assert_eq!((equal.std, equal.confidence_95), (Some(0.0), Some([0.5, 0.5])));
    }

    /// `events` programming events of `reads` reads: μ = 0.9, σ_p = 0.01, σ_r = 0.03.
    fn nested_model(experiment: u64, events: u64, reads: u64) -> Vec<Vec<f64>> {
        let mut draws = RngKey::root(6).stream(experiment);
        let mut normal = |std: f64| std * f64::from(draws.normal());
        let mut event = || {
            let mean = 0.9 + normal(0.01);
            (0..reads).map(|_| mean + normal(0.03)).collect()
        };
        (0..events).map(|_| event()).collect()
    }

    /// The interval over event means covers at its rate; one over all reads together, as if they were independent, does not
    /// where programming dominates (here σ_p² against σ_r²/m = 0.0001 against 0.0009/20).
    #[test]
    fn nested_repeats_are_covered_and_pooled_ones_are_not() {
        let experiments = 10_000;
        let holds = |summary: Summary| {
            let [low, high] = summary.confidence_95.unwrap();
            (low..=high).contains(&0.9)
        };
        for (events, reads) in [(3, 2), (5, 20)] {
            let covers = |i: &u64| holds(Summary::of(&Nested::of(nested_model(*i, events, reads)).means()));
            let covered = (0..experiments).filter(covers).count() as u64;
            assert_p(proportion_test(covered, experiments, 0.95), FALSE_ALARM);
        }
        let pooled = |i: &u64| holds(Summary::of(&nested_model(*i, 5, 20).concat()));
        let covered = (0..experiments).filter(pooled).count();
        assert!(covered < 9 * experiments as usize / 10, "{covered}");
    }

    /// s_r² and s_p² (where it need not be cut at 0) estimate σ_r² and σ_p² without bias: means over many experiments, whose
    /// own spread is that of mean squares, 2σ⁴/degrees of freedom.
    #[test]
    fn the_parts_of_the_spread_are_told_apart() {
        let (experiments, events, reads) = (4000, 10, 20);
        let nested: Vec<Nested> =
            (0..experiments).map(|i| Nested::of(nested_model(i, events, reads))).collect();
        let read: Vec<f64> = nested.iter().map(|n| n.read_std.unwrap().powi(2)).collect();
        let sigma2 = 0.03_f64.powi(2);
        expect_mean(&read, sigma2, sigma2 * (2.0 / (events * (reads - 1)) as f64).sqrt());
        let programming: Vec<f64> = nested.iter().map(|n| n.programming_std.unwrap().powi(2)).collect();
        let of_means = 0.01_f64.powi(2) + sigma2 / reads as f64;
        expect_mean(&programming, 0.01_f64.powi(2), of_means * (2.0 / (events - 1) as f64).sqrt());
    }

    /// Spread of reads needs two reads per event, spread of programming two events.
    #[test]
    fn single_reads_and_single_events_say_less() {
        let single = Nested::of(vec![vec![0.5], vec![0.7]]);
        assert_eq!((single.read_std, single.programming_std), (None, None));
        let one_event = Nested::of(vec![vec![0.5, 0.7]]);
        assert!(one_event.read_std.is_some() && one_event.programming_std.is_none());
        assert_eq!(Summary::of(&one_event.means()).confidence_95, None, "reads are no programming events");
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
