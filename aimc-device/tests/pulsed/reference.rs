//! Devices that are read against a reference.

use super::{ROUNDOFF, UNIFORM, array, constant, pulse_all, pulse_randomly, set_all};
use aimc_device::RngKey;
use aimc_device::pulsed::Direction::{Down, Up};
use aimc_testkit::stats::expect_mean;

const MODELS: [&str; 2] = ["SoftBoundsReference", "PowStepReference"];

/// With the symmetry point subtracted, up and down steps cancel at w = 0 on every device of a spread
/// population: 20 roundings of steps, weights and references below 2.
#[test]
fn zero_is_the_symmetry_point() {
    let entries =
        "dw_min = 0.05\ndw_min_std = 0\nup_down_dtod = 0.2\nw_max = 0.8\nsubtract_symmetry_point = true";
    for model in MODELS {
        let mut array = array(model, entries, (10, 20), 1);
        let steps = [Up, Down].map(|direction| {
            set_all(array.as_mut(), 0.0);
            pulse_all(array.as_mut(), direction, RngKey::root(1));
            array.persistent_weights().to_vec()
        });
        assert!(constant(array.as_ref(), "reference").iter().any(|r| r.abs() > 0.05));
        for (i, (up, down)) in steps[0].iter().zip(&steps[1]).enumerate() {
            assert!(f64::from((up + down).abs()) <= 20.0 * 2.0 * ROUNDOFF, "{model} {i}: {up} {down}");
        }
    }
}

/// Random pulses then lead to w = 0, where devices with the same point but no reference go to it instead.
#[test]
fn random_pulses_lead_to_zero() {
    let lopsided = format!("{UNIFORM}dw_min = 0.02\nup_down = 0.5\n");
    let after = |subtract: bool| {
        let entries = format!("{lopsided}subtract_symmetry_point = {subtract}");
        let mut array = array("SoftBoundsReference", &entries, (50, 200), 1);
        (0..600).for_each(|n| pulse_randomly(array.as_mut(), RngKey::root(3).fold_in(n)));
        array.persistent_weights().to_vec()
    };
    // SP = 0.01/(0.02/0.6 + 0.01/0.6) = 0.2; p + q = 0.05, so that 600 pulses forget the start by e^-15.
    let (p, q) = (0.02 / 0.6, 0.01 / 0.6);
    let step = 0.02 * (1.0 - 0.2 / 0.6);
    let std = step / (1.0 - 0.5 * ((1.0_f64 - p).powi(2) + (1.0_f64 - q).powi(2))).sqrt();
    expect_mean(&after(true), 0.0, std);
    assert!(0.2 * (1.0_f64 - 0.5 * (p + q)).powi(600) < 0.01 * std / 100.0);
    expect_mean(&after(false), 0.2, std);
}

/// The consistent rule cuts w + ref to the bounds and resets to `reset`; AIHWKit's cuts w, which the next
/// pulse then snaps back, and adds the symmetry point to the reset weight.
#[test]
fn the_two_rules_differ_where_stated() {
    for model in MODELS {
        let entries = format!("{UNIFORM}dw_min = 0.001\nw_max = 0.5\nw_min = -0.5\nreference_mean = 0.25\n");
        let mut consistent = array(model, &entries, (1, 2), 1);
        set_all(consistent.as_mut(), 1.0);
        assert_eq!(consistent.persistent_weights(), [0.25; 2]);
        let mut aihwkit = array(model, &format!("{entries}reference_rule = \"Aihwkit\""), (1, 2), 1);
        set_all(aihwkit.as_mut(), 1.0);
        assert_eq!(aihwkit.persistent_weights(), [0.5; 2]);
        pulse_all(aihwkit.as_mut(), Up, RngKey::root(1));
        assert_eq!(aihwkit.persistent_weights(), [0.25; 2], "{model}: an up pulse that lowers the weight");
    }
}

/// w after reset = reset, under AIHWKit's rule reset + symmetry point.
#[test]
fn only_aihwkit_resets_to_the_symmetry_point() {
    for model in MODELS {
        let entries = format!(
            "{UNIFORM}up_down = 0.25\nreset = 0.125\nreset_std = 0\nsubtract_symmetry_point = true\n"
        );
        let bias = |rule: &str| {
            let mut array = array(model, &format!("{entries}reference_rule = \"{rule}\""), (1, 1), 1);
            array.reset(0..1, 1.0, RngKey::root(1));
            (array.persistent_weights()[0], constant(array.as_ref(), "reference")[0])
        };
        assert_eq!(bias("Consistent").0, 0.125);
        let (after, point) = bias("Aihwkit");
        assert!(point > 0.01 && after == 0.125 + point, "{model}");
    }
}
