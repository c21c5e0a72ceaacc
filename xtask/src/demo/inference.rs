//! The floating-point network on an inference chip: accuracy from the first second to ten years.

use std::ops::ControlFlow;

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_infer::{
    AccuracyOverTime, Compensation, EvaluationError, InferenceTileConfig, evaluate, network_at,
    program_network,
};
use aimc_nn::Network;
use aimc_tile::{AnalogTile, ReadOut};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::DemoError;
use super::config::DemoConfig;
use crate::data::Split;
use crate::interrupt::{self, Interrupted};
use crate::plot::{Axis, Group, Histogram, LineChart, Mark, Series, SeriesStyle};

/// Accuracy over time of one network under both conditions, on the same devices.
#[derive(Debug, Serialize)]
pub(crate) struct Timeline {
    /// Accuracy of the network in floating point.
    pub(crate) floating_point: f64,
    /// Without drift compensation.
    pub(crate) uncompensated: AccuracyOverTime,
    /// With global drift compensation.
    pub(crate) compensated: AccuracyOverTime,
}

/// How far the weights are from what they should be, at one time.
#[derive(Debug, Serialize)]
pub(crate) struct WeightErrors {
    /// When, and whether compensated.
    name: String,
    /// Error of every weight as read, in units of the largest weight of its tile.
    errors: Vec<f32>,
}

/// Errors of one programmed copy of `network`: at the first time, and at the last with and without compensation.
pub(crate) fn weight_errors(
    config: &DemoConfig,
    network: &Network<AnalogTile>,
) -> Result<Vec<WeightErrors>, DemoError> {
    let key = RngKey::root(config.seed).fold_in(label("weight errors"));
    let tile = InferenceTileConfig { compensation: Compensation::Global, ..config.inference.tile.clone() };
    let programmed = program_network(network, &tile, key.fold_in(label("program")))?;
    let times = &config.inference.times_seconds;
    let (first, last) = (times[0], times[times.len() - 1]);
    let mut all = Vec::new();
    for (t, compensated) in [(first, false), (last, false), (last, true)] {
        let aged = network_at(&programmed, t, key.fold_in(label("read")))?;
        let mut errors = Vec::new();
        for ((_, target), (_, aged)) in network.tiles().zip(aged.tiles()) {
            let target = target.weights();
            let read = if compensated { aged.compensated_weights() } else { aged.weights() };
            errors.extend((read - &target).iter().map(|error| error / target.amax()));
        }
        let name = format!("{}{}", spoken(t), if compensated { ", compensated" } else { "" });
        all.push(WeightErrors { name, errors });
    }
    Ok(all)
}

/// Distribution of the weight errors.
pub(crate) fn error_chart(errors: &[WeightErrors]) -> Histogram {
    let group = |errors: &WeightErrors| Group {
        name: errors.name.clone(),
        values: errors.errors.iter().map(|&error| 100.0 * f64::from(error)).collect(),
    };
    Histogram {
        title: "Errors of the weights".to_owned(),
        x: Axis::linear("weight error", "% of the largest weight"),
        groups: errors.iter().map(group).collect(),
        bins: Some(60),
        marks: Vec::new(),
    }
}

/// Evaluates `network`, whose accuracy in floating point is given.
pub(crate) fn run(
    config: &DemoConfig,
    network: &Network<AnalogTile>,
    floating_point: f64,
    data: &Split,
) -> Result<Timeline, DemoError> {
    let plan = config.inference.plan();
    let total = 2 * (plan.repeats * plan.times_seconds.len()) as u64;
    let style = ProgressStyle::with_template("  {prefix:18} {bar:32} {percent:>3} %  {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(total).with_style(style).with_prefix("programmed PCM");
    // One key for both conditions: they see the same devices and the same read noise.
    let key = RngKey::root(config.seed).fold_in(label("inference"));
    let condition = |compensation| {
        let tile = InferenceTileConfig { compensation, ..config.inference.tile.clone() };
        let progress = |progress: aimc_infer::Progress| {
            bar.inc(1);
            bar.set_message(format!("{:.1} % after {} s", 100.0 * progress.accuracy, progress.time_seconds));
            if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        evaluate(network, &tile, &data.test, &plan, key, &progress).map_err(|error| match error {
            EvaluationError::Cancelled => DemoError::from(Interrupted),
            other => other.into(),
        })
    };
    let uncompensated = condition(Compensation::None)?;
    let compensated = condition(Compensation::Global)?;
    bar.finish();
    Ok(Timeline { floating_point, uncompensated, compensated })
}

impl Timeline {
    /// Accuracy over time with intervals.
    pub(crate) fn chart(&self) -> LineChart {
        let mut chart = LineChart::new(
            "Accuracy after programming",
            Axis::log_seconds("time since programming"),
            Axis::linear("test accuracy", "%"),
        );
        for (name, result) in
            [("global drift compensation", &self.compensated), ("no compensation", &self.uncompensated)]
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
                name: name.to_owned(),
                points,
                band: Some(band),
                style: SeriesStyle::Solid,
            });
        }
        chart.references.push(Mark::new(100.0 * self.floating_point, "floating point"));
        chart
    }
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
