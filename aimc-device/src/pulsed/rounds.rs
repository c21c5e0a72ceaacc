//! Pulses of sparse slots, gathered in rounds: in each round a device gets the next of its pulses.
//!
//! Devices do not learn of each other's slots. Where few of them fire in a slot, those of many slots fill the lanes of a few
//! rounds; each device gets its pulses in their order, with their draws, as it would slot by slot.

use std::slice::Iter;

use pulp::Simd;

use crate::lane::Wide;
use crate::pulsed::row::Row;
use crate::pulsed::slots::{WORD, direction, visit};
use crate::pulsed::spread::all;
use crate::pulsed::{Direction, PulsedDevice};

/// Rounds that are delivered together.
pub(super) const MOST: usize = 32;

/// Whether so few pulses come to the devices of some slots that to gather them costs less than the steps that it saves.
#[inline(always)]
pub(super) fn pay<D: PulsedDevice>(pulses: usize, devices: usize) -> bool {
    let sparse = if D::COSTLY { 5 } else { 9 };
    sparse * pulses <= devices
}

/// The rounds of [`WORD`] columns.
#[derive(Clone, Copy)]
pub(super) struct Group {
    /// Which devices get a pulse in each round, and which of them upwards.
    pub(super) fired: [u64; MOST],
    pub(super) up: [u64; MOST],
    /// The draws of those that do.
    pub(super) noise: [[f32; WORD]; MOST],
    /// Pulses of each device.
    counts: [u8; WORD],
}

impl Group {
    const EMPTY: Self =
        Self { fired: [0; MOST], up: [0; MOST], noise: [[0.0; WORD]; MOST], counts: [0; WORD] };

    /// Adds a pulse on a device, upwards where `up` says so, and returns how many rounds it now has.
    #[inline(always)]
    fn add(&mut self, column: usize, up: u64, noise: f32) -> usize {
        let bit = 1 << column;
        let round = usize::from(self.counts[column]) % MOST;
        self.counts[column] += 1;
        self.fired[round] |= bit;
        self.up[round] |= up & bit;
        self.noise[round][column] = noise;
        round + 1
    }

    /// Nothing waits any more.
    #[inline(always)]
    fn clear(&mut self) {
        (self.fired, self.up, self.counts) = ([0; MOST], [0; MOST], [0; WORD]);
    }
}

/// The pulses that wait for the devices of a row.
#[derive(Default)]
pub(super) struct Rounds {
    groups: Vec<Group>,
    /// Rounds that are begun.
    number: usize,
}

impl Rounds {
    /// Whether a slot may come.
    #[inline(always)]
    pub(super) fn has_room(&self) -> bool {
        self.number < MOST
    }

    /// Whether nothing waits.
    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        self.number == 0
    }

    /// Adds a slot, for which there is room: which columns fire and which of them upwards. Those that fire take the next of `noise`,
    /// or 0 where there is none.
    #[inline(always)]
    pub(super) fn push(&mut self, fired: &[u64], up: &[u64], noise: &mut Iter<'_, f32>) {
        if self.groups.len() < up.len() {
            self.groups.resize(up.len(), Group::EMPTY);
        }
        for (group, (fired, up)) in self.groups.iter_mut().zip(fired.iter().zip(up)) {
            visit([*fired].into_iter(), |_, column| {
                let begun = group.add(column, *up, noise.next().copied().unwrap_or(0.0));
                self.number = self.number.max(begun);
            });
        }
    }

    /// Appends the pulses that wait for a device, in order, with their draws.
    #[inline(always)]
    pub(super) fn append_on(&self, column: usize, pulses: &mut Vec<(Direction, f32)>) {
        let (Some(group), place) = (self.groups.get(column / WORD), column % WORD) else { return };
        for round in 0..usize::from(group.counts[place]) {
            pulses.push((direction(group.up[round], place), group.noise[round][place]));
        }
    }
}

impl<D: PulsedDevice> Row<'_, '_, D> {
    /// The pulses that wait in rounds, lane by lane; nothing waits afterwards.
    #[inline(always)]
    pub(super) fn step_rounds<S: Simd>(&mut self, simd: S, rounds: &mut Rounds) {
        let row = std::mem::take(&mut self.lists.persistent);
        let groups = row.chunks_mut(WORD).zip(&rounds.groups).enumerate();
        for (number, (weights, group)) in groups.filter(|(_, (_, group))| group.fired[0] != 0) {
            for (lane, weights) in weights.chunks_mut(S::F32_LANES).enumerate() {
                let shift = lane * S::F32_LANES;
                let here = |round: usize| group.fired[round] >> shift & all::<S>();
                if here(0) == 0 {
                    continue;
                }
                let mut devices = self.lane(simd, number * WORD + shift, weights);
                for round in (0..MOST).take_while(|round| here(*round) != 0) {
                    let up = group.up[round] >> shift & all::<S>();
                    let xi = Wide::load(simd, &group.noise[round][shift..]);
                    devices.step(simd, self.shared.device, (here(round), up), xi);
                }
                devices.weights.store_some(weights);
            }
        }
        self.lists.persistent = row;
        rounds.groups.iter_mut().filter(|group| group.fired[0] != 0).for_each(Group::clear);
        rounds.number = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every device gets its pulses in the order of the slots, each with its draw; rounds are full before the next one begins.
    #[test]
    fn pulses_keep_their_order() {
        let mut rounds = Rounds::default();
        rounds.push(&[0b101, 1 << 63], &[0b001, u64::MAX], &mut [1.0, 2.0, 3.0].iter());
        rounds.push(&[0b100, 0], &[0b100, 0], &mut [4.0].iter());
        rounds.push(&[0b101, 0], &[0, 0], &mut [].iter());
        let of = |column| {
            let mut pulses = Vec::new();
            rounds.append_on(column, &mut pulses);
            pulses
        };
        assert_eq!(of(0), [(Direction::Up, 1.0), (Direction::Down, 0.0)]);
        assert_eq!(of(1), []);
        assert_eq!(of(2), [(Direction::Down, 2.0), (Direction::Up, 4.0), (Direction::Down, 0.0)]);
        assert_eq!(of(127), [(Direction::Up, 3.0)]);
        assert_eq!(rounds.groups[0].fired[..4], [0b101, 0b101, 0b100, 0]);
        assert!(rounds.has_room() && !rounds.is_empty());
        for _ in 3..MOST {
            rounds.push(&[0b100, 0], &[0b100, 0], &mut [0.0].iter());
        }
        assert!(!rounds.has_room());
    }
}
