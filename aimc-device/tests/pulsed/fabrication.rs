//! Device-to-device laws of steps, bounds and retention constants, away from folding.

use super::{MODELS, UNIFORM, array, constant, models_with, same_bits};
use aimc_testkit::stats::{FALSE_ALARM, assert_p, correlation_test, expect_normal};

const SIZE: (usize, usize) = (100, 400);
/// Spreads so small that a negative step (10σ) or bound occurs with a probability below 1e-20.
const NARROW: &str = "dw_min = 0.01\ndw_min_dtod = 0.08\nup_down_dtod = 0.06\nw_max = 0.8\nw_min = -0.5\n\
                      w_max_dtod = 0.1\nw_min_dtod = 0.07\n";

fn scaled(values: &[f32], unit: f64) -> Vec<f64> {
    values.iter().map(|&v| f64::from(v) / unit).collect()
}

/// a± ~ N(dw, dw√(σg² + σr²)), b⁺ ~ N(w_max, w_max·σ), b⁻ ~ N(w_min, |w_min|·σ).
#[test]
fn steps_and_bounds_are_normal_with_the_stated_moments() {
    for model in MODELS {
        let array = array(model, NARROW, SIZE, 1);
        let step_std = 0.08_f64.hypot(0.06);
        for name in ["dwmin_up", "dwmin_down"] {
            expect_normal(&scaled(&constant(array.as_ref(), name), 0.01), 1.0, step_std);
        }
        expect_normal(&scaled(&constant(array.as_ref(), "max_bound"), 0.8), 1.0, 0.1);
        expect_normal(&scaled(&constant(array.as_ref(), "min_bound"), -0.5), 1.0, 0.07);
    }
}

/// corr(a⁺, a⁻) = (σg² - σr²)/(σg² + σr²); everything else is drawn independently.
#[test]
fn up_and_down_steps_share_the_gain_only() {
    let (gain, asymmetry) = (0.08_f64.powi(2), 0.06_f64.powi(2));
    for model in MODELS {
        let array = array(model, NARROW, SIZE, 2);
        let take = |name| constant(array.as_ref(), name);
        let rho = (gain - asymmetry) / (gain + asymmetry);
        assert_p(correlation_test(&take("dwmin_up"), &take("dwmin_down"), rho), FALSE_ALARM);
        let names = ["max_bound", "min_bound"];
        assert_p(correlation_test(&take(names[0]), &take(names[1]), 0.0), FALSE_ALARM);
        for (step, bound) in [("dwmin_up", names[0]), ("dwmin_down", names[1]), ("dwmin_up", names[1])] {
            assert_p(correlation_test(&take(step), &take(bound), 0.0), FALSE_ALARM);
        }
    }
}

/// Neighbours in a row and in a column are independent: correlation 0 at distance 1.
#[test]
fn neighbours_are_independent() {
    let (_, columns) = SIZE;
    let steps = constant(array("ConstantStep", NARROW, SIZE, 3).as_ref(), "dwmin_up");
    assert_p(correlation_test(&steps[1..], &steps[..steps.len() - 1], 0.0), FALSE_ALARM);
    assert_p(correlation_test(&steps[columns..], &steps[..steps.len() - columns], 0.0), FALSE_ALARM);
}

/// a⁺ = dw(1 + min(u, 0)), a⁻ = dw(1 - max(u, 0)): only one side is weakened.
#[test]
fn systematic_asymmetry_weakens_one_side() {
    for model in MODELS {
        for (up_down, up, down) in [(0.25_f32, 1.0, 0.75), (-0.25, 0.75, 1.0), (1.0, 1.0, 0.0)] {
            let entries = format!("{UNIFORM}dw_min = 0.5\nup_down = {up_down:?}");
            let array = array(model, &entries, (2, 3), 1);
            assert_eq!(constant(array.as_ref(), "dwmin_up"), [0.5 * up; 6]);
            assert_eq!(constant(array.as_ref(), "dwmin_down"), [0.5 * down; 6]);
        }
    }
}

/// ln(a/dw) ~ N(0, σ) with a log-normal gain, hence E[a] = dw·exp(σ²/2).
#[test]
fn log_normal_gain_is_not_mean_corrected() {
    for model in MODELS {
        let entries = "dw_min = 0.01\ndw_min_dtod = 0.5\ndw_min_dtod_log_normal = true\nup_down_dtod = 0";
        let array = array(model, entries, SIZE, 4);
        let (up, down) = (constant(array.as_ref(), "dwmin_up"), constant(array.as_ref(), "dwmin_down"));
        let logs: Vec<f64> = scaled(&up, 0.01).into_iter().map(f64::ln).collect();
        expect_normal(&logs, 0.0, 0.5);
        assert!(same_bits(&up, &down), "without asymmetry the gain is common");
    }
}

/// The last column holds dw and bounds 100·w_max, 100·w_min, whatever the spread and the corruption.
#[test]
fn the_perfect_bias_column_is_perfect() {
    for model in MODELS {
        let entries = "perfect_bias = true\ncorrupt_devices_prob = 1\nw_max = 0.5\nw_min = -0.25";
        let array = array(model, entries, (20, 5), 5);
        let take = |name| constant(array.as_ref(), name);
        let (up, down, high, low) =
            (take("dwmin_up"), take("dwmin_down"), take("max_bound"), take("min_bound"));
        for i in 0..up.len() {
            if i % 5 == 4 {
                assert_eq!([up[i], down[i], high[i], low[i]], [0.001, 0.001, 50.0, -25.0]);
            } else {
                assert!(up[i] == 0.0 && down[i] == 0.0 && high[i] == low[i]);
            }
        }
    }
}

/// A construction seed fixes the devices whatever the seed of the experiment; without it they differ.
#[test]
fn the_construction_seed_fixes_the_devices() {
    for model in MODELS {
        let steps = |entries, seed| constant(array(model, entries, (3, 4), seed).as_ref(), "dwmin_up");
        let seeded = "construction_seed = 7";
        assert!(same_bits(&steps(seeded, 1), &steps(seeded, 2)));
        assert!(!same_bits(&steps(seeded, 1), &steps("construction_seed = 8", 1)));
        assert!(!same_bits(&steps("", 1), &steps("", 2)));
        assert!(same_bits(&steps("", 1), &steps("", 1)));
    }
}

/// Adding rows or columns leaves the devices that were there as they were.
#[test]
fn a_larger_array_keeps_its_first_devices() {
    for model in MODELS {
        let bounds = |size| constant(array(model, "", size, 1).as_ref(), "max_bound");
        let (small, large) = (bounds((2, 3)), bounds((4, 7)));
        for (row, cells) in small.chunks(3).enumerate() {
            assert!(same_bits(cells, &large[row * 7..row * 7 + 3]));
        }
    }
}

/// β ~ N(reset, reset_dtod), ρ ~ N(diffusion, diffusion·dtod), t = 1/(1-D) ~ N(T, T·dtod), ν ~ N(nu, nu·dtod).
#[test]
fn retention_constants_are_normal_with_the_stated_moments() {
    let entries = "reset = 0.02\nreset_dtod = 0.04\ndiffusion = 0.01\ndiffusion_dtod = 0.1\nlifetime = 50\n\
                   lifetime_dtod = 0.1\n[drift]\nnu = 0.1\nnu_dtod = 0.3";
    for model in MODELS {
        let array = array(model, entries, SIZE, 6);
        let take = |name| constant(array.as_ref(), name);
        expect_normal(&take("reset_bias"), f64::from(0.02_f32), f64::from(0.04_f32));
        expect_normal(&scaled(&take("diffusion_rates"), 0.01), 1.0, 0.1);
        let lifetimes: Vec<f64> = take("decay_scales").iter().map(|&d| 1.0 / (1.0 - f64::from(d))).collect();
        expect_normal(&lifetimes, 50.0, 5.0);
        expect_normal(&scaled(&take("drift_nu"), 0.1), 1.0, 0.3);
    }
}

/// D = 1 without a lifetime; D = 0, immediate loss, for a lifetime of at most one mini-batch.
#[test]
fn degenerate_lifetimes() {
    for model in models_with("lifetime") {
        let scales = |lifetime: f32| {
            constant(array(model, &format!("lifetime = {lifetime:?}"), (1, 2), 1).as_ref(), "decay_scales")
        };
        assert_eq!((scales(0.0), scales(0.5), scales(1.0)), (vec![1.0; 2], vec![0.0; 2], vec![0.0; 2]));
    }
}
