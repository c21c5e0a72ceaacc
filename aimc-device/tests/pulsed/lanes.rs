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
    fn a_lane_steps_like_its_devices(columns in 1_u32..150, seed in strategies::seed(), sparse: bool) {
        let chosen: Vec<u32> = (0..columns).filter(|c| if sparse { c % 7 == 3 } else { c % 7 != 3 }).collect();
        let direction = |column: &u32| if column % 3 == 1 { Direction::Up } else { Direction::Down };
        let bits = |holds: &dyn Fn(&u32) -> bool| {
            let mut words = vec![0_u64; columns.div_ceil(64) as usize];
            chosen.iter().filter(|c| holds(c)).for_each(|c| words[*c as usize / 64] |= 1 << (c % 64));
            words
        };
        let (fired, up) = (bits(&|_| true), bits(&|c| direction(c) == Direction::Up));
        for model in prompt_models() {
            let pulsed = |work: &(dyn Fn(usize, &mut dyn RowPort) + Sync)| {
                let mut devices = array(model, "", (1, columns as usize), seed);
                (0..3).for_each(|_| devices.for_each_row(false, work));
                devices.persistent_weights().to_vec()
            };
            let draws = || RngKey::root(seed).fold_in(1).stream(0);
            let at_once = pulsed(&|_, port| port.pulse_where(&fired, &up, &mut draws()));
            let in_turn = pulsed(&|_, port| {
                let mut draws = draws();
                chosen.iter().for_each(|&column| port.pulse(&[column], direction(&column), &mut draws));
            });
            prop_assert!(same_bits(&at_once, &in_turn), "{}", model);
        }
    }
}
