//! The loop over devices may step a lane of them at once: nothing else may follow from it.

use super::{MODELS, array, models_with, prompt_models, same_bits};
use aimc_device::pulsed::{Direction, RowPort};
use aimc_device::{RngKey, Stream};
use aimc_testkit::strategies;
use proptest::prelude::*;

proptest! {
    #![proptest_config(strategies::config(32))]

    /// A pulse on many devices at once equals pulses on one after another, bit for bit: the draws of a stream in bulk
    /// are those one by one.
    #[test]
    fn a_lane_steps_like_its_devices(columns in 1_u32..150, seed in strategies::seed(), sparse: bool) {
        let chosen: Vec<u32> = (0..columns).filter(|c| if sparse { c % 13 == 3 } else { c % 7 != 3 }).collect();
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
            let key = RngKey::root(seed).fold_in(1);
            let at_once = pulsed(&|_, port| port.pulse_where(&fired, &up, key));
            let in_turn = pulsed(&|_, port| {
                let mut draws = key.stream(0);
                chosen.iter().for_each(|&column| port.pulse(&[column], direction(&column), &mut draws));
            });
            prop_assert!(same_bits(&at_once, &in_turn), "{}", model);
        }
    }

    /// Pulses of many vector pairs wait for each other, and write noise is drawn where it lasts: to the devices it is as
    /// though each pair had come alone.
    #[test]
    fn vector_pairs_that_wait_act_as_if_they_came_alone(
        columns in 1_usize..150, pairs in 1_u64..20, seed in strategies::seed(), density in 1_u32..20,
    ) {
        let key = |pair| RngKey::root(seed).fold_in(pair);
        let words = |draws: &mut Stream| -> Vec<u64> {
            let bit = |column: usize, draws: &mut Stream| u64::from(draws.below(density) == 0) << (column % 64);
            (0..columns).collect::<Vec<_>>().chunks(64)
                .map(|word| word.iter().fold(0, |bits, column| bits | bit(*column, draws)))
                .collect()
        };
        // Which fire, slot after slot, and which go up.
        let trains: Vec<(Vec<u64>, Vec<u64>)> = (0..pairs).map(|pair| {
            let mut draws = key(pair).stream(9);
            let slots = 1 + draws.below(20);
            ((0..slots).flat_map(|_| words(&mut draws)).collect(), words(&mut draws))
        }).collect();
        let entries = |model: &str| if models_with("write_noise_std").any(|m| m == model) { "write_noise_std = 3" } else { "" };
        for model in MODELS {
            let fresh = || array(model, &format!("count_pulses = true\n{}", entries(model)), (2, columns), seed);
            let (mut together, mut alone) = (fresh(), fresh());
            together.for_each_row(false, &|_, port| {
                (0..).zip(&trains).for_each(|(pair, (fired, up))| port.pulse_where(fired, up, key(pair)));
            });
            for (pair, (fired, up)) in (0..).zip(&trains) {
                alone.for_each_row(false, &|_, port| port.pulse_where(fired, up, key(pair)));
            }
            prop_assert!(same_bits(together.persistent_weights(), alone.persistent_weights()), "{}", model);
            prop_assert!(same_bits(together.weights(), alone.weights()), "{} as read", model);
            prop_assert_eq!(together.pulse_counts(), alone.pulse_counts());
        }
    }
}
