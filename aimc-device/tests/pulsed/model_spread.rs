//! Device-to-device laws of the constants that single models add.

use super::{REGISTERED, UNIFORM, array, constant, device};
use aimc_testkit::assert_close;
use aimc_testkit::stats::{FALSE_ALARM, assert_p, correlation_test, expect_normal};

const SIZE: (usize, usize) = (100, 200);

fn constants(model: &str, entries: &str, name: &str) -> Vec<f64> {
    let array = array(model, &format!("{UNIFORM}{entries}"), SIZE, 1);
    constant(array.as_ref(), name).into_iter().map(f64::from).collect()
}

fn scaled(values: Vec<f64>, unit: f64) -> Vec<f64> {
    values.into_iter().map(|v| v / unit).collect()
}

/// γ± = -s±ω±/a± ~ N(gamma, dtod), drawn independently.
#[test]
fn gammas_of_linear_steps_are_normal() {
    let entries = "dw_min = 0.125\nw_max = 0.5\nw_min = -0.25\ngamma_up = 0.75\ngamma_up_dtod = 0.125\n\
                   gamma_down = 0.5\ngamma_down_dtod = 0.0625";
    let up = scaled(constants("LinearStep", entries, "slope_up"), -0.125 / 0.5);
    let down = scaled(constants("LinearStep", entries, "slope_down"), -0.125 / -0.25);
    expect_normal(&up, 0.75, 0.125);
    expect_normal(&down, 0.5, 0.0625);
    assert_p(correlation_test(&up, &down, 0.0), FALSE_ALARM);
}

/// γ± = γ(g ± r + bias) with common g: std γ√(σ² + σr²), correlation (σ² - σr²)/(σ² + σr²).
#[test]
fn exponents_share_their_gain() {
    let entries = "pow_gamma = 2\npow_gamma_dtod = 0.125\npow_up_down = 0.25\npow_up_down_dtod = 0.0625";
    let rho = (0.125_f64.powi(2) - 0.0625_f64.powi(2)) / (0.125_f64.powi(2) + 0.0625_f64.powi(2));
    for model in ["PowStep", "PowStepReference"] {
        let (up, down) = (constants(model, entries, "gamma_up"), constants(model, entries, "gamma_down"));
        expect_normal(&up, 2.0, 2.0 * 0.125_f64.hypot(0.0625));
        expect_normal(&down, 1.5, 2.0 * 0.125_f64.hypot(0.0625));
        assert_p(correlation_test(&up, &down, rho), FALSE_ALARM);
    }
}

/// ref ~ N(reference_mean, reference_std).
#[test]
fn references_are_normal() {
    for model in ["SoftBoundsReference", "PowStepReference"] {
        let entries = "reference_mean = 0.125\nreference_std = 0.25";
        expect_normal(&constants(model, entries, "reference"), 0.125, 0.25);
    }
}

/// Slopes relative to their mean, b/b±, ~ N(1, dtod); up and down are drawn independently.
#[test]
fn slope_variation_divides_the_bounds() {
    let entries = "slope_up_dtod = 0.125\nslope_down_dtod = 0.0625\nw_max = 0.5\nw_min = -0.25";
    let relative = |name, bound: f64| -> Vec<f64> {
        constants("SoftBoundsReference", entries, name).into_iter().map(|b| bound / b).collect()
    };
    let (up, down) = (relative("max_bound", 0.5), relative("min_bound", -0.25));
    expect_normal(&up, 1.0, 0.125);
    expect_normal(&down, 1.0, 0.0625);
    assert_p(correlation_test(&up, &down, 0.0), FALSE_ALARM);
}

/// h± = (g ± r + bias)/n_h with common g.
#[test]
fn hidden_steps_share_their_gain() {
    let entries =
        "hs_hidden_states = 4\nhs_dw_min_dtod = 0.125\nhs_up_down = -0.25\nhs_up_down_dtod = 0.0625";
    let (up, down) =
        (constants("HiddenStep", entries, "hs_scale_up"), constants("HiddenStep", entries, "hs_scale_down"));
    expect_normal(&up, 0.75 / 4.0, 0.125_f64.hypot(0.0625) / 4.0);
    expect_normal(&down, 0.25, 0.125_f64.hypot(0.0625) / 4.0);
}

/// The unit of pulse planning, from mean parameters only.
#[test]
fn granularities_by_hand() {
    let expected = |model: &str| match model {
        "PowStep" | "PowStepReference" => ("pow_gamma = 3\n", 0.125),
        "PiecewiseStep" => ("piecewise_up = [9, 8, 0.5, 7]\npiecewise_down = [1, 1, 1, 1]\n", 0.5),
        // Mean of an up step of ¾ (A = ¼ at z = 0) and a down step of ½·½ (up_down = ½).
        "ExpStep" => ("A_up = 0.25\nA_down = 0.5\nb = 0\nup_down = 0.5\n", 0.5),
        "HiddenStep" => ("hs_hidden_states = 4\n", 1.0),
        _ => ("", 1.0),
    };
    for model in super::MODELS {
        let (entries, share) = expected(model);
        assert_eq!(
            device(model, &format!("dw_min = 0.125\n{entries}")).granularity(),
            0.125 * share,
            "{model}"
        );
    }
    let pmax = device("SoftBoundsPmax", "alpha = 0.001\np_max = 1000");
    let by_hand = 0.001_f64 * (2.0 / (1.0 - (-1.0_f64).exp()) - 1.0);
    // 1 - e^-α is smaller than α by the share α/2.
    assert_close!(f64::from(pmax.granularity()) / by_hand, 1.0, 0.001);
    assert!(REGISTERED.iter().all(|model| device(model, "").granularity() > 0.0));
}
