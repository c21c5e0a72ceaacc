//! Limits in which a model becomes a simpler one, on the same devices and with the same noise.
//!
//! Devices of all models draw their common constants alike, so that equal seeds give equal cells.

use super::{ROUNDOFF, array, same_bits};
use aimc_device::RngKey;

/// Weights of 12 x 16 devices of a model after 60 random pulses with noise.
fn run(model: &str, entries: &str) -> Vec<f32> {
    let mut array = array(model, &format!("dw_min = 0.02\n{entries}"), (12, 16), 5);
    (0..60).for_each(|n| super::pulse_randomly(array.as_mut(), RngKey::root(6).fold_in(n)));
    array.persistent_weights().to_vec()
}

#[track_caller]
fn assert_same(a: (&str, &str), b: (&str, &str)) {
    assert!(same_bits(&run(a.0, a.1), &run(b.0, b.1)), "{a:?} {b:?}");
}

/// Equal up to roundings: 60 pulses of at most 12 operations on numbers below 2.
#[track_caller]
fn assert_close(a: (&str, &str), b: (&str, &str)) {
    for (a, b) in run(a.0, a.1).iter().zip(run(b.0, b.1)) {
        assert!(f64::from((a - b).abs()) <= 60.0 * 12.0 * 2.0 * ROUNDOFF, "{a} {b}");
    }
}

/// γ = 0: the step does not depend on the weight.
#[test]
fn a_linear_step_without_slope_is_constant() {
    assert_same(("LinearStep", "gamma_up_dtod = 0\ngamma_down_dtod = 0"), ("ConstantStep", ""));
}

/// γ = 1 at the device's own bounds: soft bounds, with either kind of noise and reversed too.
#[test]
fn a_linear_step_that_vanishes_at_its_bounds_has_soft_bounds() {
    let linear = "gamma_up = 1\ngamma_down = 1\ngamma_up_dtod = 0\ngamma_down_dtod = 0\nmean_bound_reference = false\n";
    for own in ["", "mult_noise = false", "reverse_up = true", "reverse_down = true\nreverse_offset = 0.1"] {
        assert_same(("LinearStep", &format!("{linear}{own}")), ("SoftBounds", own));
    }
}

/// ref = 0: nothing is subtracted.
#[test]
fn a_reference_of_zero_changes_nothing() {
    assert_close(("SoftBoundsReference", "mult_noise = true"), ("SoftBounds", ""));
    assert_close(("SoftBoundsReference", ""), ("SoftBounds", "mult_noise = false"));
    let power = "pow_gamma = 1.5\npow_gamma_dtod = 0";
    assert_same(("PowStepReference", power), ("PowStep", power));
}

/// γ = 0: the step does not depend on the distance.
#[test]
fn a_power_step_of_power_zero_is_constant() {
    assert_same(("PowStep", "pow_gamma = 0"), ("ConstantStep", ""));
}

/// Between symmetric bounds of equal devices, γ = 1 is soft bounds with half the step: a|b|/R = a/2.
#[test]
fn a_power_step_of_power_one_has_soft_bounds() {
    let equal = "w_max_dtod = 0\nw_min_dtod = 0\n";
    let power = ("PowStep", format!("{equal}pow_gamma_dtod = 0"));
    let soft = format!("{equal}dw_min = 0.01");
    let run_soft = {
        let mut array = array("SoftBounds", &soft, (12, 16), 5);
        (0..60).for_each(|n| super::pulse_randomly(array.as_mut(), RngKey::root(6).fold_in(n)));
        array.persistent_weights().to_vec()
    };
    for (a, b) in run(power.0, &power.1).iter().zip(run_soft) {
        assert!(f64::from((a - b).abs()) <= 60.0 * 12.0 * 2.0 * ROUNDOFF, "{a} {b}");
    }
}

/// A table of equal factors scales the step; factors falling to 0 at the bound are a power step of power 1.
#[test]
fn tables_of_simple_shape_are_simple_models() {
    assert_same(("PiecewiseStep", ""), ("ConstantStep", ""));
    let half = "piecewise_up = [0.5, 0.5, 0.5]\npiecewise_down = [0.5, 0.5, 0.5]\nup_down_dtod = 0";
    let mut scaled = array("ConstantStep", "dw_min = 0.01\nup_down_dtod = 0", (12, 16), 5);
    (0..60).for_each(|n| super::pulse_randomly(scaled.as_mut(), RngKey::root(6).fold_in(n)));
    assert_eq!(run("PiecewiseStep", half), scaled.persistent_weights());
    let line = "piecewise_up = [1, 0.5, 0]\npiecewise_down = [0, 0.5, 1]";
    assert_close(("PiecewiseStep", line), ("PowStep", "pow_gamma_dtod = 0"));
}

/// A = 0: nothing is cut off. The constant step is multiplied and added with one rounding, the exponential one with two.
#[test]
fn an_exponential_step_without_loss_is_constant() {
    assert_close(("ExpStep", "A_up = 0\nA_down = 0"), ("ConstantStep", ""));
}
