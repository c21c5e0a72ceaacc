//! The noise-free response to pulses against closed forms.
//!
//! Tolerances count roundings: one pulse of an affine device has at most 5 operations on numbers no larger
//! than the weight range w, so it errs by at most 5·u·w (u = 2⁻²⁴); n pulses of a contraction by n times that.

use super::{ROUNDOFF, UNIFORM, array, constant, device, pulse_all, same_bits, set_all};
use aimc_device::RngKey;
use aimc_device::pulsed::Direction::{self, Down, Up};
use aimc_device::pulsed::affine::Slopes;
use aimc_device::pulsed::{Cell, DeviceArray, PulsedDevice, RowPort, SoftBounds};
use aimc_testkit::assert_close;
use aimc_testkit::strategies;
use proptest::prelude::*;

/// The weight of a single quiet device after `n` equal pulses, starting from `w0`.
fn after(model: &str, entries: &str, w0: f32, direction: Direction, n: u32) -> f64 {
    let mut array = array(model, &format!("{UNIFORM}{entries}"), (1, 1), 1);
    set_all(array.as_mut(), w0);
    (0..n).for_each(|_| pulse_all(array.as_mut(), direction, RngKey::root(2)));
    f64::from(array.persistent_weights()[0])
}

proptest! {
    #![proptest_config(strategies::config(256))]

    /// ConstantStep: w_n = min(w0 + n·a, b⁺) up and max(w0 - n·a, b⁻) down.
    #[test]
    fn constant_steps_add_up_to_the_bound(a in 1e-4_f32..0.1, high in 0.1_f32..1.0, low in 0.1_f32..1.0,
                                          start in 0.0_f32..=1.0, n in 0_u32..200) {
        let w0 = -low + start * (high + low);
        let entries = format!("dw_min = {a:?}\nw_max = {high:?}\nw_min = {:?}", -low);
        let walk = f64::from(n) * f64::from(a);
        let slack = 5.0 * ROUNDOFF * f64::from(n);
        let w0 = w0.clamp(-low, high);
        let up = (f64::from(w0) + walk).min(f64::from(high));
        let down = (f64::from(w0) - walk).max(f64::from(-low));
        assert_close!(after("ConstantStep", &entries, w0, Up, n), up, slack);
        assert_close!(after("ConstantStep", &entries, w0, Down, n), down, slack);
    }

    /// SoftBounds: w_n = b + (w0 - b)(1 - a/|b|)^n, with b = b⁺ up and b⁻ down.
    #[test]
    fn soft_bounds_are_approached_geometrically(a in 1e-4_f32..0.05, high in 0.1_f32..1.0, low in 0.1_f32..1.0,
                                                start in 0.0_f32..=1.0, n in 0_u32..200) {
        let w0 = (-low + start * (high + low)).clamp(-low, high);
        let entries = format!("dw_min = {a:?}\nw_max = {high:?}\nw_min = {:?}", -low);
        for (direction, b) in [(Up, high), (Down, -low)] {
            let (b, w0_, a) = (f64::from(b), f64::from(w0), f64::from(a));
            let expected = b + (w0_ - b) * (1.0 - a / b.abs()).powi(n as i32);
            let found = after("SoftBounds", &entries, w0, direction, n);
            assert_close!(found, expected, 5.0 * ROUNDOFF * f64::from(n));
        }
    }

    /// Reversed soft bounds: w_n = z + (w0 - z)(1 + a/|z|)^n until b, z = b⁻ - offset up and b⁺ + offset down.
    #[test]
    fn reversed_soft_bounds_run_away_from_the_far_bound(a in 1e-3_f32..0.02, offset in 0.0_f32..0.1,
                                                        start in 0.0_f32..=1.0, n in 0_u32..40) {
        let w0 = start - 0.5;
        let entries = format!("dw_min = {a:?}\nw_max = 0.5\nw_min = -0.5\nreverse_up = true\nreverse_down = true\n\
                               reverse_offset = {offset:?}");
        for (direction, sign) in [(Up, 1.0), (Down, -1.0)] {
            // Mirrored such that both directions read as up; an error grows at most as the weight does.
            let (zero, w0) = (-0.5 - f64::from(offset), sign * f64::from(w0));
            let growth = (1.0 + f64::from(a) / -zero).powi(n as i32);
            let expected = (zero + (w0 - zero) * growth).min(0.5);
            let found = sign * after("SoftBounds", &entries, (sign * w0) as f32, direction, n);
            assert_close!(found, expected, 5.0 * ROUNDOFF * f64::from(n) * growth);
        }
    }

    /// Alternating pulses: after k pairs w_k - f = ((1-p)(1-q))^k (w0 - f), with p = a⁺/b⁺, q = a⁻/|b⁻| and
    /// f = ((1-q)a⁺ - a⁻)/(1 - (1-p)(1-q)).
    #[test]
    fn alternating_pulses_settle_at_the_fixed_point(up_down in -0.9_f32..0.9, high in 0.2_f32..1.0, start in 0.0_f32..1.0,
                                                    pairs in 0_u32..100) {
        let entries = format!("{UNIFORM}dw_min = 0.02\nup_down = {up_down:?}\nw_max = {high:?}\nw_min = -0.5");
        let mut array = array("SoftBounds", &entries, (1, 1), 1);
        let w0 = -0.5 + start * (high + 0.5);
        set_all(array.as_mut(), w0);
        for _ in 0..pairs {
            pulse_all(array.as_mut(), Up, RngKey::root(1));
            pulse_all(array.as_mut(), Down, RngKey::root(1));
        }
        let take = |name| f64::from(constant(array.as_ref(), name)[0]);
        let (p, q) = (take("dwmin_up") / take("max_bound"), take("dwmin_down") / -take("min_bound"));
        let shrink = (1.0 - p) * (1.0 - q);
        let fixed = ((1.0 - q) * take("dwmin_up") - take("dwmin_down")) / (1.0 - shrink);
        let expected = fixed + shrink.powi(pairs as i32) * (f64::from(w0) - fixed);
        let found = f64::from(array.persistent_weights()[0]);
        assert_close!(found, expected, 10.0 * ROUNDOFF * f64::from(pairs.max(1)));
    }

    /// Only devices that are addressed move.
    #[test]
    fn pulses_reach_the_addressed_columns_only(mask in prop::collection::vec(any::<bool>(), 12), seed in strategies::seed()) {
        let columns: Vec<u32> = (0..12).filter(|&j| mask[j as usize]).collect();
        for model in super::prompt_models() {
            let mut array = array(model, "", (2, 12), seed);
            let before = array.persistent_weights().to_vec();
            array.for_each_row(false, &|row, port| {
                if row == 1 {
                    port.pulse(&columns, Up, &mut RngKey::root(seed).stream(0));
                }
            });
            for (i, (new, old)) in array.persistent_weights().iter().zip(&before).enumerate() {
                prop_assert_eq!(new != old, i >= 12 && mask[i % 12], "{} {}", model, i);
            }
        }
    }
}

/// A soft bound of 0 gives a constant step in that direction: one-sided devices.
#[test]
fn a_bound_at_zero_has_no_slope() {
    let array = array("SoftBounds", &format!("{UNIFORM}w_min = 0\nw_max = 0.5"), (1, 2), 1);
    assert_eq!(constant(array.as_ref(), "slope_down"), [0.0; 2]);
    assert_eq!(after("SoftBounds", "dw_min = 0.125\nw_min = 0\nw_max = 0.5", 0.5, Down, 3), 0.125);
}

/// A bound so small that -a/b overflows counts as 0, so that slopes stay finite.
#[test]
fn a_bound_next_to_zero_has_no_slope() {
    let array = array("SoftBounds", &format!("{UNIFORM}w_max = 1e-42\nw_min = -1e-42"), (1, 2), 1);
    assert_eq!(constant(array.as_ref(), "slope_up"), [0.0; 2]);
    assert_eq!(constant(array.as_ref(), "slope_down"), [0.0; 2]);
}

/// Bounds far away make SoftBounds a ConstantStep: steps differ by the fraction |w|/b, here at most
/// 2⁻²⁰ of all that was walked, besides 5 roundings a pulse.
#[test]
fn wide_soft_bounds_are_constant_steps() {
    let bound = 1_048_576.0_f32;
    let entries =
        format!("{UNIFORM}dw_min_std = 0.3\nw_max = {bound:?}\nw_min = {:?}\ndw_min = 0.01", -bound)
            .replacen("dw_min_std = 0\n", "", 1);
    let run = |model| {
        let mut array = array(model, &entries, (8, 32), 3);
        for i in 0..50 {
            super::pulse_randomly(array.as_mut(), RngKey::root(4).fold_in(i));
        }
        array.persistent_weights().to_vec()
    };
    // 50 steps of 0.01, each at most 1 + 0.3·6.8 as large: |w| and the walked length stay below 1.52.
    let (walked, pulses) = (50.0 * 0.01 * (1.0 + 0.3 * 6.8), 50.0);
    let slack = walked * walked / f64::from(bound) + 5.0 * ROUNDOFF * walked * pulses;
    for (soft, hard) in run("SoftBounds").iter().zip(run("ConstantStep")) {
        assert!(f64::from((soft - hard).abs()) <= slack);
        assert!(hard != 0.0);
    }
}

/// Additive noise has no meaning on reversed slopes and is refused.
#[test]
fn reversed_slopes_refuse_additive_noise() {
    for reverse in ["reverse_up", "reverse_down"] {
        let config = device("SoftBounds", &format!("{reverse} = true\nmult_noise = false"));
        assert_eq!(config.validate().unwrap_err().field, "mult_noise");
        device("SoftBounds", &format!("{reverse} = true")).validate().unwrap();
    }
}

/// Threads change no bit, time after time: every row draws from its own stream. There may be no rows at all.
#[test]
fn rows_may_go_to_any_thread() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    for model in super::MODELS {
        let run = |parallel| {
            let mut array: Box<dyn DeviceArray> = array(model, "diffusion = 0.01", (300, 200), 7);
            let all: Vec<u32> = (0..200).collect();
            for round in 0..3 {
                let pulse = |row, port: &mut dyn RowPort| {
                    port.pulse(&all, Up, &mut RngKey::root(round).stream(row as u64))
                };
                array.for_each_row(parallel, &pulse);
                array.for_rows(&[], parallel, &pulse);
                array.for_rows(&[0, 17, 60, 299], parallel, &pulse);
            }
            array.diffuse(RngKey::root(2));
            array.persistent_weights().to_vec()
        };
        assert!(same_bits(&run(false), &pool.install(|| run(true))), "{model}");
    }
}

/// The step of the equation and the step of the array are the same function.
#[test]
fn the_array_applies_the_equation() {
    let soft = SoftBounds { dw_min_std: 0.0, ..SoftBounds::default() };
    let mut array = array("SoftBounds", "dw_min_std = 0", (3, 5), 8);
    let before = array.persistent_weights().to_vec();
    pulse_all(array.as_mut(), Up, RngKey::root(1));
    let take = |name| constant(array.as_ref(), name);
    let (up, down, high, low) = (take("dwmin_up"), take("dwmin_down"), take("max_bound"), take("min_bound"));
    let (slope_up, slope_down) = (take("slope_up"), take("slope_down"));
    for i in 0..before.len() {
        let cell = Cell { up: up[i], down: down[i], w_max: high[i], w_min: low[i] };
        let slopes = Slopes { up: slope_up[i], down: slope_down[i] };
        assert_eq!(soft.step(cell, slopes, before[i], Up, 0.0), array.persistent_weights()[i]);
    }
}
