//! Devices with a hidden state.

use super::{UNIFORM, array, constant, pulse_all, same_bits, set_all};
use aimc_device::RngKey;
use aimc_device::pulsed::Direction::{Down, Up};
use aimc_testkit::stats::{FALSE_ALARM, assert_p, proportion_test};

const QUIET: &str = "hs_dw_min_dtod = 0\nhs_up_down_dtod = 0\ndw_min = 0.03125\nw_max = 4\nw_min = -4\n";

/// Without noise, n equal pulses make ⌊n/(n_h + 1)⌋ steps of n_h·dw (n_h a power of two: 1/n_h is exact).
#[test]
fn steps_come_every_so_many_pulses() {
    for states in [1_u8, 2, 4, 8] {
        let entries = format!("{UNIFORM}{QUIET}hs_hidden_states = {states}");
        let mut array = array("HiddenStep", &entries, (1, 2), 1);
        let step = 0.031_25 * f32::from(states);
        assert_eq!(constant(array.as_ref(), "dwmin_up"), [step; 2]);
        for n in 1..=27_u8 {
            pulse_all(array.as_mut(), Up, RngKey::root(1));
            assert_eq!(array.persistent_weights(), [f32::from(n / (states + 1)) * step; 2], "{states} {n}");
        }
    }
}

/// Setting weights leaves the hidden state: the pulse that was missing releases the step afterwards.
#[test]
fn only_pulses_change_the_hidden_state() {
    let mut array = array("HiddenStep", &format!("{UNIFORM}{QUIET}hs_hidden_states = 2"), (1, 1), 1);
    (0..2).for_each(|_| pulse_all(array.as_mut(), Down, RngKey::root(1)));
    set_all(array.as_mut(), 1.0);
    array.decay(1.0, RngKey::root(1));
    pulse_all(array.as_mut(), Down, RngKey::root(1));
    assert_eq!(array.persistent_weights(), [1.0 - 0.0625]);
}

/// Hidden noise is normal: a first pulse of h(1 + σξ) with h = σ = ½ overflows for ξ > 2.
#[test]
fn hidden_noise_is_normal() {
    let entries = format!("{UNIFORM}{QUIET}hs_hidden_states = 2\nhs_dw_min_std = 0.5");
    let mut array = array("HiddenStep", &entries, (100, 400), 1);
    pulse_all(array.as_mut(), Up, RngKey::root(1));
    let moved = array.persistent_weights().iter().filter(|w| **w != 0.0).count() as u64;
    assert_p(proportion_test(moved, 40_000, super::normal_cdf(-2.0)), FALSE_ALARM);
}

/// A state taken between two pulses of one step continues with the hidden part of it.
#[test]
fn the_hidden_state_is_saved() {
    let entries = "hs_hidden_states = 4\nhs_dw_min_std = 0.2";
    let mut original = array("HiddenStep", entries, (5, 7), 1);
    (0..3).for_each(|n| pulse_all(original.as_mut(), Up, RngKey::root(n)));
    let mut copy = array("HiddenStep", entries, (5, 7), 2);
    copy.restore(&original.state().root()).unwrap();
    let before = original.persistent_weights().to_vec();
    for array in [&mut original, &mut copy] {
        (3..9).for_each(|n| pulse_all(array.as_mut(), Up, RngKey::root(n)));
    }
    assert!(same_bits(original.persistent_weights(), copy.persistent_weights()));
    assert!(!same_bits(original.persistent_weights(), &before));
}
