//! Stuck devices.

use super::{MODELS, array, constant, pulse_randomly, same_bits};
use aimc_device::RngKey;
use aimc_testkit::stats::{FALSE_ALARM, assert_p, correlation_test, ks_test, proportion_test};

const SIZE: (usize, usize) = (100, 400);
const STUCK: &str =
    "w_max_dtod = 0\nw_min_dtod = 0\ncorrupt_devices_prob = 0.2\ncorrupt_devices_range = 0.3\n";

/// The number of stuck devices is binomial with the stated probability; stuck means b⁺ = b⁻ and a± = 0.
#[test]
fn the_stuck_fraction_is_binomial() {
    for model in MODELS {
        let array = array(model, STUCK, SIZE, 1);
        let take = |name| constant(array.as_ref(), name);
        let (up, down, high, low) =
            (take("dwmin_up"), take("dwmin_down"), take("max_bound"), take("min_bound"));
        let stuck: Vec<usize> = (0..up.len()).filter(|&i| high[i] == low[i]).collect();
        assert_p(proportion_test(stuck.len() as u64, up.len() as u64, 0.2), FALSE_ALARM);
        assert!(stuck.iter().all(|&i| up[i] == 0.0 && down[i] == 0.0));
    }
}

/// Stuck weights are uniform in [max(b⁻, -c), min(b⁺, c)].
#[test]
fn stuck_weights_are_uniform_within_range_and_bounds() {
    for model in MODELS {
        for (bounds, low, high) in [("", -0.3, 0.3), ("w_max = 0.1\nw_min = -0.2\n", -0.2, 0.1)] {
            let array = array(model, &format!("{STUCK}{bounds}"), SIZE, 2);
            let stuck: Vec<f32> = constant(array.as_ref(), "max_bound")
                .into_iter()
                .zip(constant(array.as_ref(), "min_bound"))
                .filter_map(|(high, low)| (high == low).then_some(high))
                .collect();
            assert_p(ks_test(&stuck, |x| ((x - low) / (high - low)).clamp(0.0, 1.0)), FALSE_ALARM);
        }
    }
}

/// Being stuck at one place says nothing about the neighbour: correlation 0 of the indicator.
#[test]
fn stuck_devices_do_not_cluster() {
    let bounds = |name| constant(array("ConstantStep", STUCK, SIZE, 3).as_ref(), name);
    let stuck: Vec<f64> = bounds("max_bound")
        .iter()
        .zip(bounds("min_bound"))
        .map(|(h, l)| f64::from(u8::from(*h == l)))
        .collect();
    assert_p(correlation_test(&stuck[1..], &stuck[..stuck.len() - 1], 0.0), FALSE_ALARM);
}

/// Nothing moves a stuck device: its weight is b⁺ = b⁻ after every operation.
#[test]
fn stuck_devices_never_move() {
    let entries = "corrupt_devices_prob = 1\ndiffusion = 0.1\nlifetime = 5\n[drift]\nnu = 0.1";
    for model in MODELS {
        let mut array = array(model, entries, (4, 8), 4);
        let stuck = constant(array.as_ref(), "max_bound");
        let key = RngKey::root(9);
        assert!(same_bits(array.persistent_weights(), &stuck), "after fabrication");
        pulse_randomly(array.as_mut(), key);
        array.diffuse(key);
        array.decay(1.0, key);
        array.reset(0..8, 1.0, key);
        array.drift(100.0, key);
        array.set_weights(&[0.5; 32], key);
        assert!(same_bits(array.persistent_weights(), &stuck), "{model}");
    }
}

/// Switching corruption on changes no device that is not hit.
#[test]
fn corruption_leaves_the_others_as_they_were() {
    for model in MODELS {
        let steps = |probability: f32| {
            let entries = format!("corrupt_devices_prob = {probability:?}");
            constant(array(model, &entries, (10, 20), 5).as_ref(), "dwmin_up")
        };
        let (clean, hit) = (steps(0.0), steps(0.5));
        let changed: Vec<f32> = hit.iter().zip(&clean).filter(|(h, c)| h != c).map(|(h, _)| *h).collect();
        assert!(!changed.is_empty() && changed.iter().all(|step| *step == 0.0));
    }
}
