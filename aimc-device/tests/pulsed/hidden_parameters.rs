//! Import of per-device constants.

use super::{REGISTERED, array, constant, same_bits, set_all};
use aimc_device::RngKey;
use aimc_device::pulsed::DeviceArray;
use aimc_testkit::assert_close;
use aimc_testkit::strategies;
use proptest::prelude::*;

fn import(array: &mut dyn DeviceArray, name: &str, values: &[f32]) -> Result<(), String> {
    array.set_constants(&[(name, values)], RngKey::root(9)).map_err(|error| error.to_string())
}

proptest! {
    #![proptest_config(strategies::config(32))]

    /// What one array exports turns another one into it, whatever it was fabricated with; pulses are planned alike,
    /// since the spread of means stays within twice that of the devices.
    #[test]
    fn exported_constants_make_the_same_array(seed in strategies::seed()) {
        for model in REGISTERED {
            let (original, mut copy) = (array(model, "", (4, 5), seed), array(model, "", (4, 5), seed ^ 1));
            let exported = original.constants();
            let named: Vec<(&str, &[f32])> = exported.iter().map(|(name, list)| (*name, &list[..])).collect();
            copy.set_constants(&named, RngKey::root(1)).unwrap();
            for (name, list) in &exported {
                prop_assert!(same_bits(&constant(copy.as_ref(), name), list), "{model} {name}");
            }
            prop_assert_eq!(original.granularity(), copy.granularity());
        }
    }
}

/// Devices twice as strong as configured, beyond twice the spread of 0.3: the unit doubles. Half as strong again
/// lies within the spread. State carries the unit.
#[test]
fn granularity_follows_steps_beyond_their_spread() {
    for model in REGISTERED {
        let mut devices = array(model, "up_down_dtod = 0\ndw_min_dtod = 0", (2, 3), 1);
        let planned = devices.granularity();
        let scaled = |array: &dyn DeviceArray, name, factor| -> Vec<f32> {
            constant(array, name).iter().map(|a| factor * a).collect()
        };
        let (up, down) =
            (scaled(devices.as_ref(), "dwmin_up", 2.0), scaled(devices.as_ref(), "dwmin_down", 2.0));
        let steps: [(&str, &[f32]); 2] = [("dwmin_up", &up), ("dwmin_down", &down)];
        devices.set_constants(&steps, RngKey::root(1)).unwrap();
        // One rounding of the factor and one of the product.
        let relative = f64::from(devices.granularity()) / f64::from(planned);
        assert_close!(relative / 2.0, 1.0, 4.0 * super::ROUNDOFF, "{model}");
        let mut other = array(model, "up_down_dtod = 0\ndw_min_dtod = 0", (2, 3), 2);
        other.restore(&devices.state().root()).unwrap();
        assert_eq!(other.granularity(), devices.granularity(), "{model}");

        let mut spread = array(model, "up_down_dtod = 0", (2, 3), 1);
        let planned = spread.granularity();
        let weaker: Vec<f32> = up.iter().map(|a| 0.75 * a).collect();
        spread.set_constants(&[("dwmin_up", &weaker), ("dwmin_down", &weaker)], RngKey::root(1)).unwrap();
        assert_eq!(spread.granularity(), planned, "{model}");
    }
}

/// w ← min(w, b⁺) when b⁺ is imported.
#[test]
fn weights_are_cut_to_imported_bounds() {
    let mut devices = array("ConstantStep", "w_max = 1\nw_max_dtod = 0", (1, 2), 1);
    set_all(devices.as_mut(), 0.75);
    import(devices.as_mut(), "max_bound", &[0.5, 1.0]).unwrap();
    assert_eq!(devices.weights(), [0.5, 0.75]);
}

#[test]
fn what_does_not_fit_is_refused_by_name_and_changes_nothing() {
    let mut devices = array("SoftBounds", "", (1, 2), 1);
    let before = devices.constants();
    for (name, values, expected) in [
        ("slope", &[0.0, 0.0][..], "constants = \"slope\": must be one of max_bound, min_bound, dwmin_up"),
        ("dwmin_up", &[0.1], "dwmin_up = 1: must have one entry per device: 2"),
        ("reset_bias", &[0.0, f32::NAN], "reset_bias[1] = NaN: must be a finite number"),
        ("min_bound", &[-0.5, 9.0], "min_bound[1] = above max_bound: must not lie above max_bound"),
    ] {
        let error = import(devices.as_mut(), name, values).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
        assert_eq!(devices.constants(), before);
    }
}
