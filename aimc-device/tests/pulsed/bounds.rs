//! The invariant of every pulsed device: after any operation b⁻ ≤ persistent weight ≤ b⁺.

use super::{MODELS, array, constant, pulse_all, pulse_randomly};
use aimc_device::RngKey;
use aimc_device::pulsed::{DeviceArray, Direction};
use aimc_testkit::strategies::{self, finite_f32};
use proptest::collection::vec;
use proptest::prelude::*;

const SIZE: (usize, usize) = (3, 5);

/// Anything that can happen to an array.
#[derive(Clone, Debug)]
enum Operation {
    Set(Vec<f32>),
    PulseAll(bool),
    PulseRandomly,
    Decay(f32),
    Diffuse,
    Clip(f32),
    Reset(usize, f32),
    Drift(f32),
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    prop_oneof![
        vec(finite_f32(-3.0..=3.0), SIZE.0 * SIZE.1).prop_map(Set),
        any::<bool>().prop_map(PulseAll),
        Just(PulseRandomly),
        (0.0_f32..2.0).prop_map(Decay),
        Just(Diffuse),
        (-0.1_f32..0.5).prop_map(Clip),
        (0_usize..6, 0.0_f32..=1.0).prop_map(|(end, p)| Reset(end, p)),
        (0.0_f32..1000.0).prop_map(Drift),
    ]
}

fn apply(array: &mut dyn DeviceArray, operation: &Operation, key: RngKey) {
    match operation {
        Operation::Set(values) => array.set_weights(values, key),
        Operation::PulseAll(true) => pulse_all(array, Direction::Up, key),
        Operation::PulseAll(false) => pulse_all(array, Direction::Down, key),
        Operation::PulseRandomly => pulse_randomly(array, key),
        Operation::Decay(alpha) => array.decay(*alpha, key),
        Operation::Diffuse => array.diffuse(key),
        Operation::Clip(limit) => array.clip(*limit, key),
        Operation::Reset(end, probability) => array.reset(0..*end, *probability, key),
        Operation::Drift(elapsed) => array.drift(*elapsed, key),
    }
}

fn check(array: &dyn DeviceArray, what: &str) -> Result<(), TestCaseError> {
    let (high, low) = (constant(array, "max_bound"), constant(array, "min_bound"));
    for (i, w) in array.persistent_weights().iter().enumerate() {
        prop_assert!(low[i] <= *w && *w <= high[i], "{what}: {} <= {w} <= {} fails at {i}", low[i], high[i]);
    }
    prop_assert!(array.weights().iter().all(|w| w.is_finite()), "{what}: a reading is not finite");
    Ok(())
}

proptest! {
    #![proptest_config(strategies::config(256))]

    /// b⁻ ≤ w ≤ b⁺ under any sequence of operations, with large steps, spreads, noise and forgetting.
    #[test]
    fn no_operation_leaves_the_bounds(operations in vec(operation(), 1..20), seed in strategies::seed(), step in 1e-4_f32..1.0,
                                      spread in 0.0_f32..2.0, fold: bool, w_max in 0.0_f32..1.0, w_min in -1.0_f32..0.0) {
        let mut entries = format!(
            "dw_min = {step:?}\ndw_min_dtod = {spread:?}\nw_max_dtod = {spread:?}\nw_min_dtod = {spread:?}\n\
             w_max = {w_max:?}\nw_min = {w_min:?}\nenforce_consistency = {fold}\ncorrupt_devices_prob = 0.2\n\
             diffusion = 0.2\nlifetime = 3\nlifetime_dtod = 1\nreset = 0.3\nreset_dtod = 0.5\nreset_std = 0.5\n");
        for model in MODELS {
            if *model == "SoftBounds" {
                entries += "write_noise_std = 2\n";
            }
            let text = format!("{entries}[drift]\nnu = 0.1\nnu_dtod = 0.5\nnu_std = 0.5\nw_noise_std = 0.1\nw_offset = 0.2");
            let mut array = array(model, &text, SIZE, seed);
            check(array.as_ref(), "fabrication")?;
            for (i, operation) in operations.iter().enumerate() {
                apply(array.as_mut(), operation, RngKey::root(seed).fold_in(i as u64));
                check(array.as_ref(), &format!("{model} {operation:?}"))?;
            }
        }
    }

    /// Setting weights: w = clip(given), exactly.
    #[test]
    fn set_weights_are_cut_to_the_bounds(values in vec(finite_f32(-3.0..=3.0), 15), seed in strategies::seed()) {
        for model in MODELS {
            let mut array = array(model, "", SIZE, seed);
            array.set_weights(&values, RngKey::root(1));
            let (high, low) = (constant(array.as_ref(), "max_bound"), constant(array.as_ref(), "min_bound"));
            for (i, w) in array.persistent_weights().iter().enumerate() {
                prop_assert_eq!(*w, values[i].max(low[i]).min(high[i]));
            }
        }
    }
}

/// New devices hold 0, cut to their bounds, and report the granularity of their record.
#[test]
fn new_devices_hold_zero() {
    for model in MODELS {
        let array = array(model, "", SIZE, 1);
        assert_eq!(array.shape(), SIZE);
        assert_eq!(array.persistent_weights(), [0.0; 15]);
        assert_eq!(array.granularity(), super::device(model, "").granularity());
    }
}

/// No devices, no array: both sizes must be at least 1.
#[test]
fn empty_arrays_are_refused() {
    for model in MODELS {
        for (size, field) in [((0, 3), "rows"), ((3, 0), "columns")] {
            let error = super::device(model, "").build(size.0, size.1, RngKey::root(1)).unwrap_err();
            assert_eq!(error.field, field);
        }
    }
}
