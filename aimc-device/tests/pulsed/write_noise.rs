//! Write noise: what is read differs from what is stored.

use super::{UNIFORM, array, constant, models_with, pulse_all, same_bits, set_all};
use aimc_device::RngKey;
use aimc_device::pulsed::{DeviceArray, Direction::Up};
use aimc_testkit::stats::expect_normal;

const NOISY: &str = "write_noise_std = 40\ndw_min = 0.0078125\nw_max = 0.5\nw_min = -0.5\n";
/// write_noise_std·dw_min of the above.
const STD: f64 = 40.0 * 0.007_812_5;

fn gap(array: &dyn DeviceArray) -> Vec<f64> {
    let pairs = array.weights().iter().zip(array.persistent_weights());
    pairs.map(|(apparent, persistent)| f64::from(*apparent) - f64::from(*persistent)).collect()
}

/// apparent - persistent ~ N(0, write_noise_std·dw_min) after setting, after a pulse and after decay; reading
/// may leave the bounds.
#[test]
fn what_is_read_scatters_about_what_is_stored() {
    for model in models_with("write_noise_std") {
        let mut array = array(model, &format!("{UNIFORM}{NOISY}lifetime = 10"), (100, 400), 1);
        set_all(array.as_mut(), 0.25);
        expect_normal(&gap(array.as_ref()), 0.0, STD);
        let before = array.weights().to_vec();
        pulse_all(array.as_mut(), Up, RngKey::root(2));
        expect_normal(&gap(array.as_ref()), 0.0, STD);
        assert!(array.weights().iter().zip(&before).all(|(new, old)| new != old));
        array.decay(1.0, RngKey::root(3));
        expect_normal(&gap(array.as_ref()), 0.0, STD);
        assert!(array.weights().iter().any(|w| w.abs() > 0.5), "40000 draws of 0.6 bounds std");
    }
}

/// At w = 0 what is read is write_noise_std·dw_min·ξ: twice either is twice as much, bit for bit.
#[test]
fn the_spread_is_a_multiple_of_the_mean_step() {
    for model in models_with("write_noise_std") {
        let read = |std: f32, dw_min: f32| {
            let entries = format!("{UNIFORM}write_noise_std = {std:?}\ndw_min = {dw_min:?}");
            let mut array = array(model, &entries, (2, 5), 1);
            set_all(array.as_mut(), 0.0);
            array.weights().to_vec()
        };
        let one = read(1.0, 0.007_812_5);
        let two: Vec<f32> = one.iter().map(|w| 2.0 * w).collect();
        assert!(one.iter().all(|w| *w != 0.0), "{model}: {one:?}");
        assert!(same_bits(&read(2.0, 0.007_812_5), &two), "{model}");
        assert!(same_bits(&read(1.0, 0.015_625), &two), "{model}");
    }
}

/// The persistent weight is what it would be without write noise, bit for bit.
#[test]
fn the_stored_weight_knows_nothing_of_write_noise() {
    for model in models_with("write_noise_std") {
        let run = |std: f32| {
            let mut array = array(model, &format!("dw_min_std = 0\nwrite_noise_std = {std:?}"), (10, 20), 1);
            (0..20).for_each(|i| super::pulse_randomly_up(array.as_mut(), i));
            array.decay(0.5, RngKey::root(5));
            array.persistent_weights().to_vec()
        };
        assert!(same_bits(&run(0.0), &run(3.0)), "{model}");
    }
}

/// A pulse redraws the noise of the pulsed devices only.
#[test]
fn untouched_devices_keep_their_reading() {
    for model in models_with("write_noise_std") {
        let mut array = array(model, NOISY, (2, 6), 1);
        let before = array.weights().to_vec();
        array.for_each_row(false, &|row, port| {
            if row == 0 {
                port.pulse(&[1, 4], Up, &mut RngKey::root(1).stream(0));
            }
        });
        for (i, (new, old)) in array.weights().iter().zip(&before).enumerate() {
            assert_eq!(new != old, i == 1 || i == 4, "{model}: device {i}");
        }
    }
}

/// Without apply_write_noise_on_set a set weight is read exactly, cut to the bounds.
#[test]
fn setting_without_write_noise_is_exact() {
    for model in models_with("apply_write_noise_on_set") {
        let entries = format!("{NOISY}apply_write_noise_on_set = false");
        let mut array = array(model, &entries, (3, 7), 1);
        set_all(array.as_mut(), 0.375);
        assert!(same_bits(array.weights(), array.persistent_weights()));
        let high = constant(array.as_ref(), "max_bound");
        assert!(array.weights().iter().zip(high).all(|(w, high)| *w == high.min(0.375)));
    }
}
