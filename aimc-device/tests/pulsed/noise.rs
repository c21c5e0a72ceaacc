//! Cycle-to-cycle noise of single pulses.

use super::{UNIFORM, array, defaults, prompt_models, pulse_all, set_all};
use aimc_device::RngKey;
use aimc_device::pulsed::Direction::{self, Down, Up};
use aimc_testkit::stats::{FALSE_ALARM, assert_p, correlation_test, expect_normal};

/// Weight changes of 40000 equal devices by one pulse at `w0`; steps of 2⁻⁵ with 25 % noise between bounds ±1.
fn steps(model: &str, entries: &str, w0: f32, direction: Direction, key: u64) -> Vec<f64> {
    let quiet = UNIFORM.replacen("dw_min_std = 0\n", "", 1);
    let text = format!("{quiet}dw_min_std = 0.25\ndw_min = 0.03125\nw_max = 1\nw_min = -1\n{entries}");
    let mut array = array(model, &text, (100, 400), 1);
    set_all(array.as_mut(), w0);
    pulse_all(array.as_mut(), direction, RngKey::root(key));
    array.persistent_weights().iter().map(|&w| f64::from(w) - f64::from(w0)).collect()
}

const STEP: f64 = 0.03125;

/// ConstantStep: Δw ~ N(±a, a·σc), wherever the weight is.
#[test]
fn constant_steps_are_normal() {
    for (w0, key) in [(0.0, 1), (0.5, 2), (-0.5, 3)] {
        expect_normal(&steps("ConstantStep", "", w0, Up, key), STEP, 0.25 * STEP);
        expect_normal(&steps("ConstantStep", "", w0, Down, key), -STEP, 0.25 * STEP);
    }
}

/// SoftBounds with multiplicative noise: Δw ~ N(Δ, |Δ|·σc), Δ = ±a(1 - w/b±).
#[test]
fn multiplicative_noise_scales_with_the_step() {
    for (w0, key) in [(0.0, 1), (0.5, 2), (-0.75, 3)] {
        for (direction, mean) in [(Up, STEP * (1.0 - f64::from(w0))), (Down, -STEP * (1.0 + f64::from(w0)))] {
            expect_normal(&steps("SoftBounds", "", w0, direction, key), mean, 0.25 * mean.abs());
        }
    }
}

/// SoftBounds with additive noise: Δw ~ N(Δ, a·σc), independent of the weight.
#[test]
fn additive_noise_does_not_depend_on_the_weight() {
    for (w0, key) in [(0.0, 1), (0.5, 2), (-0.5, 3)] {
        for (direction, mean) in [(Up, STEP * (1.0 - f64::from(w0))), (Down, -STEP * (1.0 + f64::from(w0)))] {
            expect_normal(&steps("SoftBounds", "mult_noise = false", w0, direction, key), mean, 0.25 * STEP);
        }
    }
}

/// Noise of different devices and of successive pulses is independent: correlation 0.
#[test]
fn pulses_are_independent() {
    for model in prompt_models() {
        let spread = defaults(model).contains_key("pow_gamma_dtod");
        let quiet = if spread { "pow_gamma_dtod = 0" } else { "" };
        let (first, second) = (steps(model, quiet, 0.0, Up, 1), steps(model, quiet, 0.0, Up, 2));
        assert_p(correlation_test(&first, &second, 0.0), FALSE_ALARM);
        assert_p(correlation_test(&first[1..], &first[..first.len() - 1], 0.0), FALSE_ALARM);
    }
}
