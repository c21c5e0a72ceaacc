//! Accuracy over time of a programmed network, with and without drift compensation.

use aimc_device::RngKey;
use aimc_infer::{
    AccuracyAt, AccuracyOverTime, Classifier, Compensation, EvaluationConfig, EvaluationError,
    InferenceTileConfig, Summary, evaluate,
};
use aimc_nn::Dataset;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::interrupt::{self, Interrupted};
use crate::plot::{Axis, LineChart, Mark, Series, SeriesStyle};

/// Why there is no timeline.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TimelineError {
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Accuracy over time of one network under both conditions, on the same devices.
#[derive(Debug, Serialize)]
pub(crate) struct Timeline {
    /// Accuracy of the network in floating point.
    pub(crate) floating_point: f64,
    /// The scheme of `compensated`.
    pub(crate) compensation: Compensation,
    /// Whether the tiles are configured with that scheme; else they have none, and the global one is there to compare.
    pub(crate) compensation_is_configured: bool,
    /// Without drift compensation.
    pub(crate) uncompensated: AccuracyOverTime,
    /// With drift compensation.
    pub(crate) compensated: AccuracyOverTime,
    /// What compensation gains, over programming events: on the same devices, so the interval is that of differences.
    pub(crate) gain: Vec<Summary>,
}

/// What the table of [`Timeline::rows`] shows.
pub(crate) const TIME_CAPTION: &str = "Test accuracy: mean ± 95 % interval of the mean, and standard deviation over \
    programming events (and of single reads about the mean of their event, where there are several). Gain: differences on the same devices.";

/// The scheme with which "no compensation" is compared, and whether it is the configured one.
pub(crate) fn compared_with(configured: Compensation) -> (Compensation, bool) {
    match configured {
        Compensation::None => (Compensation::Global, false),
        scheme => (scheme, true),
    }
}

/// A share as percent with its 95 % interval.
pub(crate) fn percent(summary: &Summary) -> String {
    match summary.confidence_95 {
        Some([low, _]) => format!("{:.2} ± {:.2} %", 100.0 * summary.mean, 100.0 * (summary.mean - low)),
        None => format!("{:.2} %", 100.0 * summary.mean),
    }
}

/// A bar for [`Timeline::measure`].
pub(crate) fn bar(plan: &EvaluationConfig) -> ProgressBar {
    let total = 2 * (plan.repeats * plan.times_seconds.len() * plan.reads) as u64;
    let style = ProgressStyle::with_template("  {prefix:18} {bar:32} {percent:>3} %  {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style).with_prefix("programmed")
}

impl Timeline {
    /// Evaluates `network`, whose accuracy in floating point is given, under both conditions.
    pub(crate) fn measure<C: Classifier>(
        network: &C,
        tile: &InferenceTileConfig,
        plan: &EvaluationConfig,
        floating_point: f64,
        data: &Dataset,
        key: RngKey,
        bar: &ProgressBar,
    ) -> Result<Self, TimelineError> {
        // One key for both conditions: they see the same devices and the same read noise.
        let condition = |compensation| {
            let tile = InferenceTileConfig { compensation, ..tile.clone() };
            let progress = |progress: aimc_infer::Progress| {
                bar.inc(1);
                bar.set_message(format!(
                    "{:.1} % after {} s",
                    100.0 * progress.accuracy,
                    progress.time_seconds
                ));
                interrupt::flow()
            };
            evaluate(network, &tile, data, plan, key, &progress).map_err(|error| match error {
                EvaluationError::Cancelled => TimelineError::from(Interrupted),
                other => other.into(),
            })
        };
        let (compensation, compensation_is_configured) = compared_with(tile.compensation);
        let uncompensated = condition(Compensation::None)?;
        let compensated = condition(compensation)?;
        bar.finish();
        let gain = gain(&uncompensated, &compensated);
        Ok(Self {
            floating_point,
            compensation,
            compensation_is_configured,
            uncompensated,
            compensated,
            gain,
        })
    }

    /// Columns of [`Timeline::rows`].
    pub(crate) fn headers(&self) -> Vec<String> {
        let with = self.compensation.to_string();
        let headers = ["time", "no compensation", "spread (std)", &with, "spread (std)", "gain"];
        headers.map(str::to_owned).to_vec()
    }

    /// What the second condition is, for a caption.
    pub(crate) fn conditions(&self) -> String {
        if self.compensation_is_configured {
            format!("Compared with {}, as configured.", self.compensation)
        } else {
            format!("No compensation is configured; {} is there to compare.", self.compensation)
        }
    }

    /// A row per time, for [`Timeline::headers`].
    pub(crate) fn rows(&self) -> Vec<Vec<String>> {
        let share = |std: f64| format!("{:.2} %", 100.0 * std);
        let spread = |at: &AccuracyAt| {
            let events = at.summary.std.map_or(String::new(), share);
            at.nested.read_std.map_or(events.clone(), |std| format!("{events} (reads {})", share(std)))
        };
        let pairs = self.uncompensated.times.iter().zip(&self.compensated.times).zip(&self.gain);
        pairs
            .map(|((without, with), gain)| {
                vec![
                    spoken(without.time_seconds),
                    percent(&without.summary),
                    spread(without),
                    percent(&with.summary),
                    spread(with),
                    percent(gain),
                ]
            })
            .collect()
    }

    /// Accuracy over time with intervals.
    pub(crate) fn chart(&self) -> LineChart {
        let mut chart = LineChart::new(
            "Accuracy after programming",
            Axis::log_seconds("time since programming"),
            Axis::linear("test accuracy", "%"),
        );
        for (name, result) in
            [(self.compensation, &self.compensated), (Compensation::None, &self.uncompensated)]
        {
            let (points, band) = result
                .times
                .iter()
                .map(|at| {
                    let [low, high] = at.summary.confidence_95.unwrap_or([at.summary.mean; 2]);
                    let t = f64::from(at.time_seconds);
                    ((t, 100.0 * at.summary.mean), (100.0 * low, 100.0 * high))
                })
                .unzip();
            chart.series.push(Series {
                name: name.to_string(),
                points,
                band: Some(band),
                style: SeriesStyle::Solid,
            });
        }
        chart.references.push(Mark::new(100.0 * self.floating_point, "floating point"));
        chart
    }
}

/// Differences of the two conditions, event by event.
fn gain(without: &AccuracyOverTime, with: &AccuracyOverTime) -> Vec<Summary> {
    let pairs = without.times.iter().zip(&with.times);
    let summary = pairs.map(|(without, with)| {
        let events = without.accuracies.iter().zip(&with.accuracies);
        Summary::of(&events.map(|(without, with)| with - without).collect::<Vec<_>>())
    });
    summary.collect()
}

/// A time in the unit people would say it in.
pub(crate) fn spoken(seconds: f32) -> String {
    const UNITS: [(f64, &str); 6] = [
        (31_536_000.0, "year"),
        (2_592_000.0, "month"),
        (86_400.0, "day"),
        (3600.0, "hour"),
        (60.0, "minute"),
        (1.0, "second"),
    ];
    let seconds = f64::from(seconds);
    let (size, unit) = UNITS.into_iter().find(|(size, _)| seconds >= *size).unwrap_or((1.0, "second"));
    let count = (seconds / size * 10.0).round() / 10.0;
    format!("{count} {unit}{}", if count == 1.0 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::ops::ControlFlow;

    use aimc_nn::{Activation, Network, NetworkConfig};
    use aimc_tile::{IdealTile, MatVec, ReadOut};
    use nalgebra::DMatrix;

    /// A network of random weights, and data of random labels.
    fn problem() -> (Network<IdealTile>, Dataset) {
        let mut network = NetworkConfig::mlp(&[6, 3], Activation::Tanh)
            .build(RngKey::root(1), |place| IdealTile::new(place.shape))
            .unwrap();
        let mut draws = RngKey::root(2).stream(0);
        for (_, tile) in network.tiles_mut() {
            let shape = tile.shape();
            let weights = DMatrix::from_fn(shape.outputs, shape.inputs, |_, _| draws.normal());
            tile.set_weights(&weights, RngKey::root(0)).unwrap();
        }
        let features = DMatrix::from_fn(6, 200, |_, _| draws.normal());
        (network, Dataset::new(features, (0..200).map(|i| i % 3).collect(), 3).unwrap())
    }

    /// The second condition is the configured scheme, and the first always none.
    #[test]
    fn the_configured_scheme_is_the_one_that_is_measured() {
        let (network, data) = problem();
        let plan = EvaluationConfig { times_seconds: vec![3e7], repeats: 4, ..EvaluationConfig::default() };
        let tile = |compensation| InferenceTileConfig { compensation, ..InferenceTileConfig::default() };
        let go_on = |_: aimc_infer::Progress| ControlFlow::Continue(());
        let alone =
            |scheme| evaluate(&network, &tile(scheme), &data, &plan, RngKey::root(3), &go_on).unwrap();
        for (configured, measured, is_configured) in [
            (Compensation::PerColumn, Compensation::PerColumn, true),
            (Compensation::GlobalWithExactReference, Compensation::GlobalWithExactReference, true),
            (Compensation::None, Compensation::Global, false),
        ] {
            let timeline = Timeline::measure(
                &network,
                &tile(configured),
                &plan,
                1.0,
                &data,
                RngKey::root(3),
                &ProgressBar::hidden(),
            )
            .unwrap();
            assert_eq!(timeline.compensated, alone(measured));
            assert_eq!(timeline.uncompensated, alone(Compensation::None));
            assert_eq!(
                (timeline.compensation, timeline.compensation_is_configured),
                (measured, is_configured)
            );
            assert!(timeline.headers().contains(&measured.to_string()));
            assert_eq!(timeline.conditions().contains("as configured"), is_configured);
        }
        // Schemes differ on this network, so that a wrong one would be noticed.
        assert_ne!(alone(Compensation::PerColumn), alone(Compensation::Global));
    }

    #[test]
    fn times_as_people_say_them() {
        for (seconds, text) in [
            (1.0, "1 second"),
            (0.5, "0.5 seconds"),
            (3600.0, "1 hour"),
            (315_360_000.0, "10 years"),
            (604_800.0, "7 days"),
        ] {
            assert_eq!(spoken(seconds), text);
        }
    }
}
