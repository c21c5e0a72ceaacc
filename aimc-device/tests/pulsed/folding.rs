//! Wide spreads: folding of steps and bounds to their physical sign, or frozen devices without it.

use super::{MODELS, array, constant, normal_cdf, same_bits};
use aimc_testkit::stats::{FALSE_ALARM, assert_p, ks_test, proportion_test};
use aimc_testkit::strategies;
use proptest::prelude::*;

const SIZE: (usize, usize) = (100, 400);

/// Distribution of |μ + σξ|: Φ((x-μ)/σ) - Φ((-x-μ)/σ).
fn folded_cdf(x: f64, mean: f64, std: f64) -> f64 {
    if x < 0.0 { 0.0 } else { normal_cdf((x - mean) / std) - normal_cdf((-x - mean) / std) }
}

/// a± = dw·|1 + σξ| for any spread.
#[test]
fn steps_are_folded_normals() {
    for model in MODELS {
        let array = array(model, "dw_min = 0.5\ndw_min_dtod = 0.9\nup_down_dtod = 0.4", SIZE, 1);
        for name in ["dwmin_up", "dwmin_down"] {
            let outcome =
                ks_test(&constant(array.as_ref(), name), |x| folded_cdf(2.0 * x, 1.0, 0.9_f64.hypot(0.4)));
            assert_p(outcome, FALSE_ALARM);
        }
    }
}

/// With w_min = 0, b⁺ = w_max|1 + σξ| where the draw is positive and 0 where the swap put it below:
/// P(b⁺ = 0) = Φ(-1/σ), and then b⁻ = w_max(1 + σξ).
#[test]
fn a_one_sided_bound_that_is_drawn_negative_changes_sides() {
    for model in MODELS {
        let array = array(model, "w_max = 0.5\nw_max_dtod = 0.8\nw_min = 0", SIZE, 2);
        let (high, low) = (constant(array.as_ref(), "max_bound"), constant(array.as_ref(), "min_bound"));
        let swapped = high.iter().filter(|b| **b == 0.0).count() as u64;
        assert_p(proportion_test(swapped, high.len() as u64, normal_cdf(-1.0 / 0.8)), FALSE_ALARM);
        let drawn: Vec<f64> = high.iter().zip(&low).map(|(h, l)| f64::from(h + l)).collect();
        assert_p(ks_test(&drawn, |x| normal_cdf((2.0 * x - 1.0) / 0.8)), FALSE_ALARM);
    }
}

/// Without folding P(a < 0) = Φ(-1/σ), and P(frozen) = P(b⁻ > b⁺) = Φ(-R/√(σ₊² + σ₋²)) with both bounds
/// at their midpoint.
#[test]
fn without_consistency_inverted_devices_freeze() {
    let entries = "enforce_consistency = false\ndw_min_dtod = 0.9\nup_down_dtod = 0\nw_max = 0.5\nw_min = -0.25\n\
                   w_max_dtod = 0.9\nw_min_dtod = 0.9";
    for model in MODELS {
        let mut array = array(model, entries, SIZE, 3);
        let take = |name| constant(array.as_ref(), name);
        let (up, high, low) = (take("dwmin_up"), take("max_bound"), take("min_bound"));
        let n = up.len() as u64;
        let negative = up.iter().filter(|a| **a < 0.0).count() as u64;
        assert_p(proportion_test(negative, n, normal_cdf(-1.0 / 0.9)), FALSE_ALARM);
        let frozen = high.iter().zip(&low).filter(|(h, l)| h == l).count() as u64;
        let spread = (0.5_f64 * 0.9).hypot(0.25 * 0.9);
        assert_p(proportion_test(frozen, n, normal_cdf(-0.75 / spread)), FALSE_ALARM);
        assert!(high.iter().zip(&low).all(|(h, l)| h >= l));
        super::pulse_all(array.as_mut(), aimc_device::pulsed::Direction::Up, aimc_device::RngKey::root(1));
        let weights = array.persistent_weights();
        assert!((0..weights.len()).filter(|&i| high[i] == low[i]).all(|i| weights[i] == high[i]));
    }
}

proptest! {
    #![proptest_config(strategies::config(64))]

    /// With consistency: a± ≥ 0 and b⁻ ≤ 0 ≤ b⁺, whatever the spreads.
    #[test]
    fn consistent_devices_are_physical(step in 0.0_f32..3.0, asymmetry in 0.0_f32..3.0, high in 0.0_f32..3.0,
                                       low in 0.0_f32..3.0, up_down in -1.0_f32..1.0, seed in strategies::seed()) {
        let entries = format!("dw_min_dtod = {step:?}\nup_down_dtod = {asymmetry:?}\nw_max_dtod = {high:?}\n\
                               w_min_dtod = {low:?}\nup_down = {up_down:?}");
        for model in MODELS {
            let array = array(model, &entries, (3, 16), seed);
            for (name, sign) in [("dwmin_up", 1.0), ("dwmin_down", 1.0), ("max_bound", 1.0), ("min_bound", -1.0)] {
                prop_assert!(constant(array.as_ref(), name).iter().all(|v| sign * v >= 0.0), "{model} {name}");
            }
        }
    }

    /// |·| changes signs only: steps with and without folding agree in size.
    #[test]
    fn folding_keeps_the_size_of_steps(seed in strategies::seed()) {
        for model in MODELS {
            let steps = |fold: bool| {
                let entries = format!("dw_min_dtod = 2\nenforce_consistency = {fold}");
                constant(array(model, &entries, (2, 8), seed).as_ref(), "dwmin_up")
            };
            let unfolded: Vec<f32> = steps(false).iter().map(|a| a.abs()).collect();
            prop_assert!(same_bits(&steps(true), &unfolded));
        }
    }
}
