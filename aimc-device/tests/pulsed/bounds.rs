//! The invariant of every pulsed device: after any operation b⁻ ≤ persistent weight ≤ b⁺, less the reference
//! for devices that are read against one.

use super::{MODELS, REGISTERED, array, constant, defaults, pulse_all, pulse_randomly};
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
    let reference = array.constants().into_iter().find(|(name, _)| *name == "reference");
    let reference = reference.map_or_else(|| vec![0.0; low.len()], |(_, values)| values);
    for (i, w) in array.persistent_weights().iter().enumerate() {
        let (low, high) = (low[i] - reference[i], high[i] - reference[i]);
        prop_assert!(low <= *w && *w <= high, "{what}: {low} <= {w} <= {high} fails at {i}");
    }
    prop_assert!(array.weights().iter().all(|w| w.is_finite()), "{what}: a reading is not finite");
    Ok(())
}

/// Entries that let everything vary which a model adds to the common fields.
fn own_spread(model: &str) -> String {
    let fields = defaults(model);
    let spread = [
        "write_noise_std = 2",
        "reference_mean = 0.1",
        "reference_std = 0.3",
        "subtract_symmetry_point = true",
        "slope_up_dtod = 0.5",
        "slope_down_dtod = 0.5",
        "gamma_up = 0.5",
        "gamma_up_dtod = 1",
        "allow_increasing = true",
        "pow_gamma_dtod = 1",
        "pow_up_down_dtod = 0.5",
        "dw_min_std_add = 0.1",
        "piecewise_up = [0.5, 2, 0]",
        "piecewise_down = [0, 1, 3]",
        "hs_dw_min_std = 1",
    ];
    let known = spread.iter().filter(|entry| fields.contains_key(entry.split(' ').next().unwrap()));
    known.map(|entry| format!("{entry}\n")).collect()
}

proptest! {
    #![proptest_config(strategies::config(256))]

    /// b⁻ ≤ w + ref ≤ b⁺ under any sequence of operations, with large steps, spreads, noise and forgetting.
    #[test]
    fn no_operation_leaves_the_bounds(operations in vec(operation(), 1..20), seed in strategies::seed(), step in 1e-4_f32..1.0,
                                      spread in 0.0_f32..2.0, fold: bool, w_max in 0.0_f32..1.0, w_min in -1.0_f32..0.0) {
        let entries = format!(
            "dw_min_dtod = {spread:?}\nw_max_dtod = {spread:?}\nw_min_dtod = {spread:?}\n\
             enforce_consistency = {fold}\ncorrupt_devices_prob = 0.2\n\
             diffusion = 0.2\nlifetime = 3\nlifetime_dtod = 1\nreset = 0.3\nreset_dtod = 0.5\nreset_std = 0.5\n");
        let means = format!("dw_min = {step:?}\nw_max = {w_max:?}\nw_min = {w_min:?}\n");
        let range = format!("alpha = {step:?}\nrange_max = {:?}\nrange_min = {w_min:?}\n", w_max + 1e-3);
        for model in REGISTERED {
            let own = own_spread(model);
            let means = if MODELS.contains(model) { &means } else { &range };
            let text = format!("{means}{own}{entries}[drift]\nnu = 0.1\nnu_dtod = 0.5\nnu_std = 0.5\nw_noise_std = 0.1\nw_offset = 0.2");
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
        for model in REGISTERED {
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
    for model in REGISTERED {
        let array = array(model, "", SIZE, 1);
        assert_eq!(array.shape(), SIZE);
        assert_eq!(array.persistent_weights(), [0.0; 15]);
        assert_eq!(array.granularity(), super::device(model, "").granularity());
    }
}

/// No devices, no array: both sizes must be at least 1.
#[test]
fn empty_arrays_are_refused() {
    for model in REGISTERED {
        for (size, field) in [((0, 3), "rows"), ((3, 0), "columns")] {
            let error = super::device(model, "").build(size.0, size.1, RngKey::root(1)).unwrap_err();
            assert_eq!(error.field, field);
        }
    }
}
