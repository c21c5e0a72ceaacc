//! Bursts: pulses that a device gets one after another, while most of its row gets none.
//!
//! What programs devices one by one, the refresh of pairs or write and verify, knows how many pulses each of them needs. Those of
//! a row are gathered in lanes, wherever they lie, so that they are stepped side by side.

use pulp::{Simd, WithSimd};

use crate::pulsed::device_lane::Devices;
use crate::pulsed::row::Row;
use crate::pulsed::slots::WORD;
use crate::pulsed::spread::LINED_UP;
use crate::pulsed::{PulseCount, PulsedDevice};
use crate::rng::Stream;

/// The pulses of one device of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// The device.
    pub column: u32,
    /// How many: upwards where above 0, downwards where below.
    pub pulses: i32,
}

impl Burst {
    #[inline(always)]
    fn number(&self) -> usize {
        self.pulses.unsigned_abs() as usize
    }

    /// Adds the bit of the column.
    #[inline(always)]
    fn mark(&self, bits: &mut [u64]) {
        bits[self.column as usize / WORD] |= 1 << (self.column as usize % WORD);
    }
}

/// The slots of bursts among so many columns: which fire, slot after slot, and which go up.
pub(super) fn slots(bursts: &[Burst], columns: usize) -> (Vec<u64>, Vec<u64>) {
    let words = columns.div_ceil(WORD);
    let most = bursts.iter().map(Burst::number).max().unwrap_or(0);
    let (mut fired, mut up) = (vec![0; most * words], vec![0; words]);
    for burst in bursts {
        fired.chunks_exact_mut(words).take(burst.number()).for_each(|slot| burst.mark(slot));
        if burst.pulses > 0 {
            burst.mark(&mut up);
        }
    }
    (fired, up)
}

/// Bursts that a row gets now; nothing else may wait.
pub(super) struct Bursts<'a, 'r, D: PulsedDevice> {
    pub(super) row: &'a mut Row<'r, D>,
    pub(super) bursts: &'a [Burst],
    pub(super) draws: &'a mut Stream,
}

impl<D: PulsedDevice> WithSimd for Bursts<'_, '_, D> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { row, bursts, draws } = self;
        let mut memory = std::mem::take(&mut row.scratch.bursts);
        memory.draw(bursts, row.noisy.then_some(draws));
        for pair in bursts.chunks(2 * S::F32_LANES) {
            row.step_bursts(simd, pair, &mut memory);
        }
        row.scratch.bursts = memory;
    }
}

/// Memory for the bursts of a row.
#[derive(Default)]
pub(super) struct Memory {
    /// Draws, slot by slot in the order of the columns, with some room behind so that a lane may be read anywhere.
    noise: Vec<f32>,
    /// For each slot, where the next ones lie.
    places: Vec<usize>,
    /// For each slot, which devices of two lanes fire.
    fired: Vec<u32>,
}

impl Memory {
    #[inline(always)]
    fn draw(&mut self, bursts: &[Burst], draws: Option<&mut Stream>) {
        self.places.clear();
        for burst in bursts {
            if self.places.len() < burst.number() {
                self.places.resize(burst.number(), 0);
            }
            for firing in &mut self.places[..burst.number()] {
                *firing += 1;
            }
        }
        let mut total = 0;
        for place in &mut self.places {
            (*place, total) = (total, total + *place);
        }
        if let Some(draws) = draws {
            self.noise.resize(total + LINED_UP, 0.0);
            draws.fill_normal(&mut self.noise[..total]);
        } else {
            self.noise.clear();
            self.noise.resize(total + LINED_UP, 0.0);
        }
    }
}

impl<D: PulsedDevice> Row<'_, D> {
    /// The bursts of up to two lanes of devices, whose steps do not wait for each other.
    #[inline(always)]
    fn step_bursts<S: Simd>(&mut self, simd: S, bursts: &[Burst], memory: &mut Memory) {
        let (mut up, fired) = (0, &mut memory.fired);
        fired.clear();
        for (place, burst) in bursts.iter().enumerate() {
            up |= u64::from(burst.pulses > 0) << place;
            if fired.len() < burst.number() {
                fired.resize(burst.number(), 0);
            }
            for fired in &mut fired[..burst.number()] {
                *fired |= 1 << place;
            }
        }
        let (first, second) = bursts.split_at(bursts.len().min(S::F32_LANES));
        let mut a = self.gathered_lane(simd, first);
        let mut b = self.gathered_lane(simd, second);
        for (fired, place) in fired.iter().zip(&mut memory.places) {
            let fired = u64::from(*fired);
            a.pulse(simd, self.device, (fired, up), &memory.noise, place);
            let shift = S::F32_LANES;
            b.pulse(simd, self.device, (fired >> shift, up >> shift), &memory.noise, place);
        }
        self.put_back(first, a);
        self.put_back(second, b);
    }

    #[inline(always)]
    fn put_back<S: Simd>(&mut self, bursts: &[Burst], devices: Devices<D, S>) {
        let mut weights = [0.0; LINED_UP];
        devices.weights.store_some(&mut weights);
        for (burst, weight) in bursts.iter().zip(weights) {
            self.persistent[burst.column as usize] = weight;
        }
    }

    /// Counts the pulses of bursts.
    pub(super) fn count_bursts(&mut self, bursts: &[Burst]) {
        for burst in bursts {
            let pulses = burst.number() as u64;
            let (up, down) = if burst.pulses > 0 { (pulses, 0) } else { (0, pulses) };
            *self.pulses += PulseCount { up, down };
            if !self.counts.0.is_empty() {
                self.counts.0[burst.column as usize] += up;
                self.counts.1[burst.column as usize] += down;
            }
        }
    }
}
