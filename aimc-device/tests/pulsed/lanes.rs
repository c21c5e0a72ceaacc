//! The loop over devices may step a lane of them at once: nothing else may follow from it.

use super::{array, prompt_models, same_bits};
use aimc_device::RngKey;
use aimc_device::pulsed::{Direction, RowPort};
use aimc_testkit::strategies;
use proptest::prelude::*;

proptest! {
    #![proptest_config(strategies::config(32))]

    /// A pulse on many devices at once equals pulses on one after another, bit for bit: the draws of a stream in bulk
    /// are those one by one.
    #[test]
    fn a_lane_steps_like_its_devices(columns in 1_u32..40, seed in strategies::seed(), up: bool) {
        let direction = if up { Direction::Up } else { Direction::Down };
        let chosen: Vec<u32> = (0..columns).filter(|column| column % 7 != 3).rev().collect();
        for model in prompt_models() {
            let pulsed = |work: &(dyn Fn(usize, &mut dyn RowPort) + Sync)| {
                let mut devices = array(model, "", (1, columns as usize), seed);
                (0..3).for_each(|_| devices.for_each_row(false, work));
                devices.persistent_weights().to_vec()
            };
            let draws = || RngKey::root(seed).fold_in(1).stream(0);
            let at_once = pulsed(&|_, port| port.pulse(&chosen, direction, &mut draws()));
            let in_turn = pulsed(&|_, port| {
                let mut draws = draws();
                chosen.iter().for_each(|&column| port.pulse(&[column], direction, &mut draws));
            });
            prop_assert!(same_bits(&at_once, &in_turn), "{}", model);
        }
    }
}
