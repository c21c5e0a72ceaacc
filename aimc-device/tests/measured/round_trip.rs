//! Round trips: simulate a known device, fit the table, and find its parameters within the intervals.
//!
//! [`TRIALS`] experiments with fresh devices each; the number of intervals that hold the truth is binomial
//! with p = 0.95 and must not lie in its lower tail of one in a million. Intervals may be too wide, where the
//! truth is a spread of 0.

use super::{Experiment, device};
use aimc_device::RngKey;
use aimc_device::measured::{Estimate, Fit, Model, fit};
use aimc_testkit::stats::FALSE_ALARM;
use serde_json::Value;
use statrs::distribution::{Binomial, DiscreteCDF};
use std::collections::BTreeMap;

const TRIALS: u64 = 100;
const DEVICES: usize = 12;

/// One model: its record, the experiment and the parameters that a fit must find.
struct Trip {
    model: Model,
    text: &'static str,
    each_way: usize,
    cycles: usize,
    seed: u64,
}

const TRIPS: &[Trip] = &[
    Trip {
        model: Model::SoftBounds,
        text: "model = \"SoftBounds\"\ndw_min = 0.02\ndw_min_dtod = 0.1\ndw_min_std = 0.3\nup_down = 0.1\n\
               up_down_dtod = 0.02\nw_max = 0.8\nw_min = -0.6\nw_max_dtod = 0.1\nw_min_dtod = 0.05",
        each_way: 100,
        cycles: 2,
        seed: 1,
    },
    Trip {
        model: Model::SoftBounds,
        text: "model = \"SoftBounds\"\nmult_noise = false\ndw_min = 0.02\ndw_min_dtod = 0.1\ndw_min_std = 0.5\n\
               up_down = -0.2\nup_down_dtod = 0.02\nw_max = 0.8\nw_min = -0.6\nw_max_dtod = 0.1\nw_min_dtod = 0.05",
        each_way: 100,
        cycles: 3,
        seed: 2,
    },
    Trip {
        model: Model::LinearStep,
        text: "model = \"LinearStep\"\ndw_min = 0.02\ndw_min_dtod = 0.1\ndw_min_std = 0.3\nup_down = 0.1\n\
               up_down_dtod = 0.02\nw_max = 0.8\nw_min = -0.6\nw_max_dtod = 0.05\nw_min_dtod = 0.05\n\
               gamma_up = 0.5\ngamma_down = 0.3\ngamma_up_dtod = 0.05\ngamma_down_dtod = 0.05",
        each_way: 150,
        cycles: 3,
        seed: 3,
    },
    Trip {
        model: Model::ExpStep,
        text: "model = \"ExpStep\"\ndw_min = 0.02\ndw_min_dtod = 0.1\ndw_min_std = 0.3\nup_down = 0.1\n\
               up_down_dtod = 0.02\nw_max = 0.8\nw_min = -0.6\nw_max_dtod = 0\nw_min_dtod = 0\n\
               A_up = 0.3\nA_down = 0.2\ngamma_up = 1.2\ngamma_down = 2\na = 0.7\nb = 0",
        each_way: 200,
        cycles: 3,
        seed: 4,
    },
    Trip {
        model: Model::PowStep,
        text: "model = \"PowStep\"\ndw_min = 0.03\ndw_min_dtod = 0.1\ndw_min_std = 0.3\nup_down = 0.1\n\
               up_down_dtod = 0.02\nw_max = 0.8\nw_min = -0.6\nw_max_dtod = 0.05\nw_min_dtod = 0.05\n\
               pow_gamma = 1.5\npow_up_down = 0.2\npow_gamma_dtod = 0.05\npow_up_down_dtod = 0.02",
        each_way: 200,
        cycles: 3,
        seed: 5,
    },
    Trip {
        model: Model::PiecewiseStep,
        text: "model = \"PiecewiseStep\"\ndw_min = 0.02\ndw_min_dtod = 0.1\ndw_min_std = 0.3\nup_down = 0.1\n\
               up_down_dtod = 0.02\nw_max = 0.8\nw_min = -0.6\nw_max_dtod = 0.05\nw_min_dtod = 0.05\n\
               piecewise_up = [1.3, 1.25, 1.2, 1.15, 1.1, 1, 0.8, 0.7, 0.5]\n\
               piecewise_down = [0.5, 0.7, 0.8, 1, 1.1, 1.15, 1.2, 1.25, 1.3]",
        each_way: 200,
        cycles: 3,
        seed: 6,
    },
];

/// The true value of a parameter of the record, such as `dw_min` or `piecewise_up[3]`.
fn truth(record: &Value, name: &str) -> f64 {
    match name.split_once('[') {
        Some((list, index)) => record[list][index.trim_end_matches(']').parse::<usize>().unwrap()].as_f64(),
        None => record[name].as_f64(),
    }
    .unwrap()
}

/// The true value of a constant of the first device.
fn device_truth(trip: &Trip, experiment: &Experiment, name: &str) -> f64 {
    let take = |name: &str| experiment.constant(name);
    match (name, trip.model) {
        ("a_up", _) => take("dwmin_up"),
        ("a_down", _) => take("dwmin_down"),
        ("w_max", _) => take("max_bound"),
        ("w_min", _) => take("min_bound"),
        ("gamma_up" | "gamma_down", Model::PowStep) => take(name),
        _ => panic!("{name}"),
    }
}

fn holds(estimate: &Estimate, truth: f64) -> bool {
    // Values that are read off agree up to the rounding of a weight to single precision.
    let [low, high] = estimate.interval_95.unwrap_or([estimate.value; 2]);
    let rounding = 2.0 * f64::from(f32::EPSILON);
    low - rounding <= truth && truth <= high + rounding
}

fn tally(hits: &mut BTreeMap<String, u64>, name: &str, hit: bool) {
    *hits.entry(name.to_owned()).or_default() += u64::from(hit);
}

/// Intervals of 95 % hold the true parameter in Binomial(trials, 0.95) of the trials, at least.
#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    for trip in TRIPS {
        let record = device(trip.text);
        let tree = serde_json::to_value(&record).unwrap();
        let mut hits = BTreeMap::new();
        for trial in 0..TRIALS {
            let key = RngKey::root(trip.seed).fold_in(trial);
            let experiment = Experiment::run(&record, DEVICES, trip.each_way, trip.cycles, key);
            // A sample that the fit refuses, since noise puts a bound at the largest weight seen, counts as missed by all.
            let Ok(Fit { config, report }) = fit(&experiment.table(), trip.model) else { continue };
            config.validate().unwrap();
            for estimate in &report.parameters {
                tally(&mut hits, &estimate.name, holds(estimate, truth(&tree, &estimate.name)));
            }
            // The gamma of one linear device refers to the mean bound of the sample, not of the law.
            for estimate in &report.devices[0].parameters {
                if trip.model != Model::LinearStep || estimate.name.starts_with('a') {
                    let truth = device_truth(trip, &experiment, &estimate.name);
                    tally(&mut hits, &format!("{} of a device", estimate.name), holds(estimate, truth));
                }
            }
            let scales = tree.get("mult_noise").is_none_or(|flag| flag == true);
            assert_eq!(report.noise_scales_with_step, scales, "{:?}", trip.model);
        }
        assert!(!hits.is_empty(), "{:?}: every sample was refused", trip.model);
        let law = Binomial::new(0.95, TRIALS).unwrap();
        println!("{:?}: {hits:?}", trip.model);
        for (name, hits) in hits {
            assert!(law.cdf(hits) >= FALSE_ALARM, "{:?}: {name}: {hits} of {TRIALS}", trip.model);
        }
    }
}
