//! Pulse counters: every device knows how many pulses it received.

use super::{REGISTERED, array, pulse_all};
use aimc_device::RngKey;
use aimc_device::pulsed::Direction::{Down, Up};
use aimc_device::pulsed::PulseCount;

/// Counters equal the pulses sent, per device and direction, and survive a checkpoint.
#[test]
fn pulses_are_counted_per_device_and_direction() {
    for model in REGISTERED {
        let mut array = array(model, "count_pulses = true", (3, 4), 1);
        let (mut ups, mut downs) = ([0_u64; 12], [0_u64; 12]);
        for round in 0..50_u64 {
            let chosen = |row: usize| -> Vec<u32> {
                (0..4).filter(|j| !(round + u64::from(*j) * 3 + row as u64).is_multiple_of(3)).collect()
            };
            let direction = if round % 4 == 0 { Down } else { Up };
            array.for_each_row(false, &|row, port| {
                port.pulse(&chosen(row), direction, &mut RngKey::root(round).stream(row as u64));
            });
            for row in 0..3 {
                let counts = if direction == Up { &mut ups } else { &mut downs };
                chosen(row).iter().for_each(|&j| counts[row * 4 + j as usize] += 1);
            }
        }
        assert_eq!(array.pulse_counts().unwrap(), (&ups[..], &downs[..]));
        let all = PulseCount { up: ups.iter().sum(), down: downs.iter().sum() };
        assert_eq!(array.pulses(), all);
        let state = array.state();
        let mut other = super::array(model, "count_pulses = true", (3, 4), 2);
        other.restore(&state.root()).unwrap();
        assert_eq!(other.pulse_counts().unwrap(), (&ups[..], &downs[..]));
        assert_eq!(other.pulses(), all);
    }
}

/// A pulse on a stuck device counts as well; without the switch only the sum is counted.
#[test]
fn counting_is_a_matter_of_the_record() {
    for model in REGISTERED {
        let mut stuck = array(model, "count_pulses = true\ncorrupt_devices_prob = 1", (2, 2), 1);
        pulse_all(stuck.as_mut(), Up, RngKey::root(1));
        assert_eq!(stuck.pulse_counts().unwrap(), (&[1; 4][..], &[0; 4][..]));
        assert_eq!(stuck.pulses(), PulseCount { up: 4, down: 0 });
        let mut plain = array(model, "", (2, 2), 1);
        pulse_all(plain.as_mut(), Down, RngKey::root(1));
        assert!(plain.pulse_counts().is_none());
        assert_eq!(plain.pulses(), PulseCount { up: 0, down: 4 });
    }
}
