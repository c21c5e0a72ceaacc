//! The table device repeats the measurement it was made from.

use super::{Experiment, device};
use aimc_device::RngKey;
use aimc_device::measured::{Model, fit};
use aimc_device::pulsed::PulsedDeviceConfig;
use aimc_testkit::assert_close;
use aimc_testkit::stats::{FALSE_ALARM, Moments, assert_p, mean_test};

const DEVICES: usize = 100;

/// Additive noise on a linear step, which a table of nodes expresses exactly: along the sweep the means of
/// the measured and of the simulated devices agree within the errors of both.
#[test]
fn the_table_device_follows_the_measured_trajectory() {
    let text = "model = \"SoftBounds\"\nmult_noise = false\ndw_min = 0.02\ndw_min_dtod = 0\ndw_min_std = 0.5\n\
                up_down_dtod = 0\nw_max = 0.8\nw_min = -0.6\nw_max_dtod = 0\nw_min_dtod = 0";
    let measured = Experiment::run(&device(text), DEVICES, 60, 2, RngKey::root(1));
    let fitted = fit(&measured.table(), Model::TableStep).unwrap();
    assert!(matches!(fitted.config, PulsedDeviceConfig::TableStep(_)));
    let simulated = Experiment::run(&fitted.config, DEVICES, 60, 2, RngKey::root(2));
    for k in (20..=240).step_by(20) {
        let [a, b] = [&measured, &simulated].map(|experiment| Moments::of(&experiment.weights[k]));
        let error = (a.variance() + b.variance()).sqrt();
        let difference = (a.mean() - b.mean()) * (DEVICES as f64).sqrt();
        assert_p(mean_test(&[difference], 0.0, error), FALSE_ALARM);
    }
}

/// Mean and noise at the nodes are those of the device behind the table: 0.02·(1 - w/b) and 0.01.
#[test]
fn nodes_hold_mean_and_noise() {
    let text = "model = \"SoftBounds\"\nmult_noise = false\ndw_min = 0.02\ndw_min_dtod = 0\ndw_min_std = 0.5\n\
                up_down_dtod = 0\nw_max = 0.8\nw_min = -0.8\nw_max_dtod = 0\nw_min_dtod = 0";
    let measured = Experiment::run(&device(text), DEVICES, 60, 2, RngKey::root(3));
    let fitted = fit(&measured.table(), Model::TableStep).unwrap();
    let PulsedDeviceConfig::TableStep(table) = &fitted.config else { panic!() };
    let unit = f64::from(table.dw_min) * (1.0 + f64::from(table.up_down.min(0.0)));
    let steps = fitted.report.steps[0] as f64 / 2.0;
    let n = table.std_up.len();
    for std in &table.std_up {
        // The std at a node rests on at least the steps that a node gets at the very edge, here above one in
        // twenty of a fair share; a normal std from k steps errs by σ/√(2k), and 4.9 of that is one in a million.
        let k = steps / n as f64 / 20.0;
        let slack = 4.9 * 0.01 / (2.0 * k).sqrt();
        assert_close!(f64::from(*std) * unit, 0.01, slack);
    }
}
