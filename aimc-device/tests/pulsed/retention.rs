//! Forgetting: decay, diffusion, reset and clipping, each against its closed form.

use super::{MODELS, ROUNDOFF, UNIFORM, array, constant, same_bits, set_all};
use aimc_device::RngKey;
use aimc_testkit::assert_close;
use aimc_testkit::stats::{FALSE_ALARM, assert_p, correlation_test, expect_normal, proportion_test};
use aimc_testkit::strategies;
use proptest::prelude::*;

proptest! {
    #![proptest_config(strategies::config(64))]

    /// Decay: w_n = β + (w0 - β)(1 + α(D-1))ⁿ per device; 5 roundings of numbers below 1 a call.
    #[test]
    fn decay_is_geometric(w0 in -0.4_f32..0.4, lifetime in 1.5_f32..100.0, alpha in 0.0_f32..1.0, n in 0_u32..100) {
        let entries = format!("w_max_dtod = 0\nw_min_dtod = 0\nlifetime = {lifetime:?}\nlifetime_dtod = 0.1\n\
                               reset = 0.1\nreset_dtod = 0.02");
        for model in MODELS {
            let mut array = array(model, &entries, (3, 4), 1);
            set_all(array.as_mut(), w0);
            (0..n).for_each(|i| array.decay(alpha, RngKey::root(u64::from(i))));
            let (scale, reset) = (constant(array.as_ref(), "decay_scales"), constant(array.as_ref(), "reset_bias"));
            for (i, w) in array.persistent_weights().iter().enumerate() {
                let (beta, scale) = (f64::from(reset[i]), f64::from(scale[i]));
                let factor = 1.0 + f64::from(alpha) * (scale - 1.0);
                let expected = beta + (f64::from(w0) - beta) * factor.powi(n as i32);
                assert_close!(f64::from(*w), expected, 5.0 * ROUNDOFF * f64::from(n));
            }
        }
    }

    /// clip(c): w ← min(max(w, -c), c); a negative limit changes nothing.
    #[test]
    fn clipping_cuts_to_the_limit(limit in -0.5_f32..0.7, seed in strategies::seed()) {
        for model in MODELS {
            let mut array = array(model, "reset_std = 0.4", (4, 6), seed);
            array.reset(0..6, 1.0, RngKey::root(seed));
            let before = array.persistent_weights().to_vec();
            array.clip(limit, RngKey::root(1));
            for (new, old) in array.persistent_weights().iter().zip(before) {
                let cut = if limit < 0.0 { old } else { old.max(-limit).min(limit) };
                prop_assert_eq!(*new, cut);
            }
        }
    }
}

/// Diffusion: n calls add N(0, nρ²) to every weight, independent from call to call.
#[test]
fn diffusion_adds_the_variance_of_a_random_walk() {
    for model in MODELS {
        let mut array =
            array(model, &format!("{UNIFORM}w_max = 2\nw_min = -2\ndiffusion = 0.03125"), (100, 200), 1);
        set_all(array.as_mut(), 0.25);
        let mut snapshots = vec![array.persistent_weights().to_vec()];
        for n in 0..16 {
            array.diffuse(RngKey::root(2).fold_in(n));
            snapshots.push(array.persistent_weights().to_vec());
        }
        // 16 calls: std 4·0.03125; the bounds are 14 std away.
        expect_normal(&snapshots[16], 0.25, 0.125);
        let step = |n: usize| -> Vec<f32> {
            snapshots[n + 1].iter().zip(&snapshots[n]).map(|(b, a)| b - a).collect()
        };
        expect_normal(&step(7), 0.0, 0.03125);
        assert_p(correlation_test(&step(7), &step(8), 0.0), FALSE_ALARM);
    }
}

/// Reset of some columns: w ~ N(β, reset_std) there, untouched elsewhere.
#[test]
fn reset_draws_new_weights_in_its_columns_only() {
    for model in MODELS {
        let entries = format!("{UNIFORM}w_max = 4\nw_min = -4\nreset = 0.25\nreset_std = 0.5");
        let mut array = array(model, &entries, (200, 200), 1);
        set_all(array.as_mut(), -1.0);
        array.reset(50..150, 1.0, RngKey::root(3));
        let weights = array.persistent_weights();
        let (hit, rest): (Vec<_>, Vec<_>) = (0..weights.len()).partition(|i| (50..150).contains(&(i % 200)));
        expect_normal(&hit.iter().map(|&i| weights[i]).collect::<Vec<_>>(), 0.25, 0.5);
        assert!(rest.iter().all(|&i| weights[i] == -1.0));
    }
}

/// Reset with a probability hits a binomial number of devices; with 0 none, with 1 all.
#[test]
fn reset_hits_with_its_probability() {
    for model in MODELS {
        for (probability, seed) in [(0.0_f32, 1), (0.3, 2), (1.0, 3)] {
            let mut array = array(model, UNIFORM, (100, 200), 1);
            set_all(array.as_mut(), 0.5);
            array.reset(0..200, probability, RngKey::root(seed));
            let hit = array.persistent_weights().iter().filter(|w| **w != 0.5).count() as u64;
            assert_p(proportion_test(hit, 20_000, f64::from(probability)), FALSE_ALARM);
        }
    }
}

/// Whether a device is hit and where it lands are independent: the hit ones are N(β, reset_std) too.
#[test]
fn the_chance_of_a_reset_does_not_select_its_noise() {
    for model in MODELS {
        let mut array = array(model, &format!("{UNIFORM}reset_std = 0.0625"), (200, 200), 1);
        set_all(array.as_mut(), 0.5);
        array.reset(0..200, 0.5, RngKey::root(4));
        let hit: Vec<f32> = array.persistent_weights().iter().copied().filter(|w| *w != 0.5).collect();
        expect_normal(&hit, 0.0, 0.0625);
    }
}

/// The array forgets by itself only what its record asks for.
#[test]
fn forgetting_is_asked_for_by_the_record() {
    for model in MODELS {
        let forgets = |entries| array(model, entries, (1, 1), 1).forgets();
        assert_eq!(forgets(""), (false, false));
        assert_eq!(forgets("lifetime = 3"), (true, false));
        assert_eq!(forgets("diffusion = 0.1"), (false, true));
    }
}

/// Without lifetime and diffusion the calls change no bit.
#[test]
fn switched_off_forgetting_does_nothing() {
    for model in MODELS {
        let mut array = array(model, "reset_std = 0.3", (4, 6), 1);
        array.reset(0..6, 1.0, RngKey::root(1));
        let before = array.persistent_weights().to_vec();
        array.diffuse(RngKey::root(2));
        array.decay(0.0, RngKey::root(3));
        array.drift(100.0, RngKey::root(4));
        assert!(same_bits(array.persistent_weights(), &before));
    }
}
