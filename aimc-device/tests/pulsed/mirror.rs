//! The mirror image of a device.

use super::{array, same_bits};
use aimc_device::RngKey;
use aimc_device::pulsed::Direction::{Down, Up};
use aimc_testkit::strategies;
use proptest::prelude::*;

/// Models whose shape lies in the constants of their devices, all of them. The others read shapes of up and down steps from
/// the record, which a mirror image shares.
const MIRRORED: [&str; 8] = [
    "ConstantStep",
    "LinearStep",
    "SoftBounds",
    "SoftBoundsPmax",
    "SoftBoundsReference",
    "PowStep",
    "PowStepReference",
    "HiddenStep",
];

proptest! {
    #![proptest_config(strategies::config(32))]

    /// What raises the one lowers the other: w'(-w, down) = -w(w, up), bit for bit, since a change of sign is exact.
    #[test]
    fn a_mirror_image_moves_the_other_way(seed in strategies::seed(), start in -0.5_f32..0.5, ups in 0_u64..8) {
        for model in MIRRORED {
            let fresh = || array(model, "dw_min_std = 0\nup_down_dtod = 0.3", (2, 5), seed);
            let (mut device, mut image) = (fresh(), fresh());
            image.mirror(RngKey::root(1));
            device.set_weights(&[start; 10], RngKey::root(2));
            image.set_weights(&[-start; 10], RngKey::root(2));
            for (array, ways) in [(&mut device, [Up, Down]), (&mut image, [Down, Up])] {
                for pulse in 0..12 {
                    let way = ways[usize::from(pulse >= ups)];
                    super::pulse_all(array.as_mut(), way, RngKey::root(pulse));
                }
            }
            let negative: Vec<f32> = image.persistent_weights().iter().map(|w| 0.0 - w).collect();
            let weights: Vec<f32> = device.persistent_weights().iter().map(|w| w + 0.0).collect();
            prop_assert!(same_bits(&weights, &negative), "{}: {:?} {:?}", model, weights, negative);
        }
    }
}
