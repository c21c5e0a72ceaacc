//! What the repeated trainings say together: accuracies of both conversions, and their difference, with intervals.
//!
//! Both networks of a seed see the same programming draws, read draws and test samples, so that their difference is paired. The
//! independent unit is the training: its accuracy is the mean over its programming events, and intervals are those of the mean
//! over trainings (Student's t). With a single training the programming events are the unit, and the intervals tell nothing
//! about other trainings.

use aimc_infer::{AccuracyAt, AccuracyOverTime, Summary};
use serde::Serialize;

use crate::timeline::Timeline;

/// One seed on one device.
#[derive(Debug, Serialize)]
pub(crate) struct Run {
    /// The seed.
    pub(crate) seed: u64,
    /// The network trained in floating point, converted as it is.
    pub(crate) naive: Timeline,
    /// The network that was retrained.
    pub(crate) hardware_aware: Timeline,
}

/// Both networks at one time.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct At {
    /// Seconds after programming.
    pub(crate) time_seconds: f32,
    /// Accuracy after naive conversion.
    pub(crate) naive: Summary,
    /// Accuracy after hardware-aware training.
    pub(crate) hardware_aware: Summary,
    /// Hardware-aware less naive, paired.
    pub(crate) difference: Summary,
    /// What naive conversion loses against floating point, seed by seed.
    pub(crate) naive_loss: Summary,
    /// What is lost against floating point after hardware-aware training; below 0 where it gains.
    pub(crate) hardware_aware_loss: Summary,
}

impl At {
    /// Whether the intervals of both accuracies are apart; `None` without intervals.
    pub(crate) fn accuracies_apart(&self) -> Option<bool> {
        are_apart(&self.naive, &self.hardware_aware)
    }

    /// Whether the intervals of both losses are apart, which the spread of floating-point networks does not blur.
    pub(crate) fn losses_apart(&self) -> Option<bool> {
        are_apart(&self.naive_loss, &self.hardware_aware_loss)
    }
}

fn are_apart(one: &Summary, other: &Summary) -> Option<bool> {
    let ([a, b], [c, d]) = (one.confidence_95?, other.confidence_95?);
    Some(b < c || d < a)
}

/// One device.
#[derive(Debug, Serialize)]
pub(crate) struct DeviceResult {
    /// What it is called.
    pub(crate) name: String,
    /// Without drift compensation.
    pub(crate) uncompensated: Vec<At>,
    /// With global drift compensation.
    pub(crate) compensated: Vec<At>,
    /// What they were made of.
    pub(crate) runs: Vec<Run>,
}

impl DeviceResult {
    /// Sums up.
    pub(crate) fn of(name: &str, runs: Vec<Run>) -> Self {
        let uncompensated = compare(&runs, |timeline| &timeline.uncompensated);
        let compensated = compare(&runs, |timeline| &timeline.compensated);
        Self { name: name.to_owned(), uncompensated, compensated, runs }
    }
}

fn compare(runs: &[Run], of: impl Fn(&Timeline) -> &AccuracyOverTime) -> Vec<At> {
    let times = runs.first().map_or(0, |run| of(&run.naive).times.len());
    let at = |i: usize| {
        let units = |network: fn(&Run) -> &Timeline| -> Vec<f64> {
            let ats: Vec<&AccuracyAt> = runs.iter().map(|run| &of(network(run)).times[i]).collect();
            match ats[..] {
                [only] => only.accuracies.clone(),
                _ => ats.iter().map(|at| at.summary.mean).collect(),
            }
        };
        let (naive, hardware_aware) = (units(|run| &run.naive), units(|run| &run.hardware_aware));
        let difference: Vec<f64> = hardware_aware.iter().zip(&naive).map(|(a, b)| a - b).collect();
        // With a single training every programming event has the same reference.
        let references: Vec<f64> =
            runs.iter().map(|run| run.naive.floating_point).cycle().take(naive.len()).collect();
        let loss = |units: &[f64]| -> Vec<f64> { references.iter().zip(units).map(|(a, b)| a - b).collect() };
        At {
            time_seconds: of(&runs[0].naive).times[i].time_seconds,
            naive: Summary::of(&naive),
            hardware_aware: Summary::of(&hardware_aware),
            difference: Summary::of(&difference),
            naive_loss: Summary::of(&loss(&naive)),
            hardware_aware_loss: Summary::of(&loss(&hardware_aware)),
        }
    };
    (0..times).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_infer::{Compensation, Nested};

    fn over_time(accuracies: &[&[f64]]) -> AccuracyOverTime {
        let times = (1_u8..).zip(accuracies).map(|(t, accuracies)| AccuracyAt {
            time_seconds: f32::from(t),
            accuracies: accuracies.to_vec(),
            nested: Nested::of(accuracies.iter().map(|accuracy| vec![*accuracy]).collect()),
            summary: Summary::of(accuracies),
        });
        AccuracyOverTime { samples: 10, repeats: accuracies[0].len(), times: times.collect() }
    }

    fn timeline(accuracies: &[&[f64]]) -> Timeline {
        Timeline {
            floating_point: 1.0,
            compensation: Compensation::Global,
            compensation_is_configured: true,
            uncompensated: over_time(accuracies),
            compensated: over_time(accuracies),
            gain: Vec::new(),
        }
    }

    fn run(seed: u64, naive: &[&[f64]], hardware_aware: &[&[f64]]) -> Run {
        Run { seed, naive: timeline(naive), hardware_aware: timeline(hardware_aware) }
    }

    #[test]
    fn trainings_are_the_unit_and_differences_are_paired() {
        // Means over events: 0.5 and 0.25 for naive, each 0.25 more for hardware-aware.
        let runs =
            vec![run(1, &[&[0.25, 0.75]], &[&[0.75, 0.75]]), run(2, &[&[0.25, 0.25]], &[&[0.25, 0.75]])];
        let result = DeviceResult::of("chip", runs);
        let [at] = result.compensated[..] else { panic!("one time") };
        assert_eq!((at.naive.mean, at.hardware_aware.mean), (0.375, 0.625));
        assert_eq!((at.difference.mean, at.difference.std), (0.25, Some(0.0)));
        assert_eq!((at.naive_loss.mean, at.hardware_aware_loss.mean), (0.625, 0.375));
        // t(0.975; 1) = 12.7: losses of two trainings tell little, their difference is certain.
        assert_eq!((at.accuracies_apart(), at.losses_apart()), (Some(false), Some(false)));
        assert_eq!(at.difference.confidence_95, Some([0.25, 0.25]));
    }

    #[test]
    fn one_training_is_judged_by_its_programming_events() {
        let result = DeviceResult::of("chip", vec![run(1, &[&[0.5, 0.5]], &[&[0.75, 0.75]])]);
        let at = result.uncompensated[0];
        assert_eq!((at.naive.confidence_95, at.losses_apart()), (Some([0.5, 0.5]), Some(true)));
        assert_eq!(at.time_seconds, 1.0);
    }
}
