//! Accuracy over time of a programmed network, with and without drift compensation.

use std::ops::ControlFlow;

use aimc_device::RngKey;
use aimc_infer::{
    AccuracyOverTime, Compensation, EvaluationConfig, EvaluationError, InferenceTileConfig, Summary, evaluate,
};
use aimc_nn::{Dataset, Network};
use aimc_tile::{MatVec, ReadOut};
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
    /// Without drift compensation.
    pub(crate) uncompensated: AccuracyOverTime,
    /// With global drift compensation.
    pub(crate) compensated: AccuracyOverTime,
}

/// Columns of [`Timeline::rows`].
pub(crate) const TIME_HEADERS: [&str; 5] =
    ["time", "no compensation", "spread (std)", "global compensation", "spread (std)"];

/// A share as percent with its 95 % interval.
pub(crate) fn percent(summary: &Summary) -> String {
    match summary.confidence_95 {
        Some([low, _]) => format!("{:.2} ± {:.2} %", 100.0 * summary.mean, 100.0 * (summary.mean - low)),
        None => format!("{:.2} %", 100.0 * summary.mean),
    }
}

impl Timeline {
    /// Evaluates `network`, whose accuracy in floating point is given, under both conditions.
    pub(crate) fn measure<T: MatVec + ReadOut>(
        network: &Network<T>,
        tile: &InferenceTileConfig,
        plan: &EvaluationConfig,
        floating_point: f64,
        data: &Dataset,
        key: RngKey,
    ) -> Result<Self, TimelineError> {
        let total = 2 * (plan.repeats * plan.times_seconds.len()) as u64;
        let style = ProgressStyle::with_template("  {prefix:18} {bar:32} {percent:>3} %  {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(total).with_style(style).with_prefix("programmed");
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
                if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            evaluate(network, &tile, data, plan, key, &progress).map_err(|error| match error {
                EvaluationError::Cancelled => TimelineError::from(Interrupted),
                other => other.into(),
            })
        };
        let uncompensated = condition(Compensation::None)?;
        let compensated = condition(Compensation::Global)?;
        bar.finish();
        Ok(Self { floating_point, uncompensated, compensated })
    }

    /// A row per time, for [`TIME_HEADERS`].
    pub(crate) fn rows(&self) -> Vec<Vec<String>> {
        let spread =
            |summary: &Summary| summary.std.map_or(String::new(), |std| format!("{:.2} %", 100.0 * std));
        let pairs = self.uncompensated.times.iter().zip(&self.compensated.times);
        pairs
            .map(|(without, with)| {
                vec![
                    spoken(without.time_seconds),
                    percent(&without.summary),
                    spread(&without.summary),
                    percent(&with.summary),
                    spread(&with.summary),
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
