//! How many pulses devices have received, up and down: what writing has cost them.
//!
//! Every array sums up its pulses, whatever it is made of: one addition for each row and slot of a train, which are
//! pulsed as a whole. How many each single device received is counted on demand (`count_pulses`), because that costs
//! an addition in memory for each.

use std::iter::Sum;
use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

use crate::pulsed::Direction;

/// Pulses that any number of devices have received since they were fabricated, those on stuck devices included.
///
/// ```
/// use aimc_device::pulsed::{Direction, PulseCount};
/// let mut pulses = PulseCount { up: 2, down: 5 };
/// pulses.count(Direction::Up, 3);
/// assert_eq!((pulses.up, pulses.total()), (5, 10));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PulseCount {
    /// Up pulses.
    pub up: u64,
    /// Down pulses.
    pub down: u64,
}

impl PulseCount {
    /// Counts `number` pulses in `direction`.
    pub fn count(&mut self, direction: Direction, number: u64) {
        match direction {
            Direction::Up => self.up += number,
            Direction::Down => self.down += number,
        }
    }

    /// Pulses of both directions.
    #[must_use]
    pub fn total(self) -> u64 {
        self.up + self.down
    }
}

impl Add for PulseCount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { up: self.up + other.up, down: self.down + other.down }
    }
}

impl AddAssign for PulseCount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for PulseCount {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |sum, count| sum + count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pulses add up in their own direction; the total is up + down; counts add direction by direction.
    #[test]
    fn pulses_add_up_by_direction() {
        let mut pulses = PulseCount { up: 2, down: 5 };
        pulses.count(Direction::Up, 3);
        pulses.count(Direction::Down, 2);
        assert_eq!(pulses, PulseCount { up: 5, down: 7 });
        assert_eq!(pulses.total(), 12);
        let other = PulseCount { up: 10, down: 100 };
        let both = PulseCount { up: 15, down: 107 };
        assert_eq!(pulses + other, both);
        assert_eq!([pulses, other].into_iter().sum::<PulseCount>(), both);
        pulses += other;
        assert_eq!(pulses, both);
    }
}
