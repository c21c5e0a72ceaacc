//! One row of an array while pulses arrive: the hot loop over devices.
//!
//! Where many devices fire, the row is stepped a lane of neighbours at a time: the equation acts on all of the lane, and
//! those that fire keep what it gives. Where few fire, device by device. Each device has its own draw of noise, so that
//! the bits are the same either way.

use pulp::{Arch, Simd, WithSimd};

use crate::lane::{Lane, Wide};
use crate::pulsed::direction::Signs;
use crate::pulsed::packed;
use crate::pulsed::spread::{LINED_UP, SIGNS, spread};
use crate::pulsed::{Cell, Constants, Direction, Extra, PulseCount, PulsedDevice, RowPort};
use crate::rng::Stream;

/// A row is stepped by lanes if at least one device in so many fires.
const SPARSE: usize = 6;

/// Slots that are stepped at a time: their draws stay in the first-level cache.
const TOGETHER: usize = 8;

/// Lanes that are stepped side by side.
const ABREAST: usize = 2;

/// The constants of a device or a lane of them: list by list what `number` gives, counted as in [`packed`].
#[inline(always)]
fn gather<D: PulsedDevice, L: Lane>(number: impl Fn(usize) -> L) -> (Cell<L>, Extra<D, L>) {
    let (up, down) = (number(0), number(1));
    (Cell { up, down, w_max: number(2), w_min: number(3) }, D::Extra::gather(|k| number(4 + k)))
}

/// The constants of a lane of neighbours.
type Neighbours<D, S> = (Cell<Wide<S>>, Extra<D, Wide<S>>);

/// Bits of the lane of devices from column `column` on.
#[inline(always)]
fn bits<S: Simd>(words: &[u64], column: usize) -> usize {
    (words[column / 64] >> (column % 64)) as usize & ((1 << S::F32_LANES.min(LINED_UP)) - 1)
}

/// One row of a population.
pub(super) struct Row<'a, D: PulsedDevice> {
    pub(super) device: &'a D,
    pub(super) arch: Arch,
    /// See [`packed`].
    pub(super) constants: &'a [f32],
    pub(super) persistent: &'a mut [f32],
    /// What is read; empty without write noise.
    pub(super) apparent: &'a mut [f32],
    /// Hidden states; empty for models without.
    pub(super) hidden: &'a mut [f32],
    /// Pulses of every device; empty unless counted.
    pub(super) counts: (&'a mut [u64], &'a mut [u64]),
    /// Pulses of the row since it was opened.
    pub(super) pulses: PulseCount,
    pub(super) noisy: bool,
    pub(super) write_std: f32,
    pub(super) scratch: Scratch,
}

/// Memory for the draws of the devices that fire, one after another.
#[derive(Default)]
pub(super) struct Scratch {
    /// With some room behind, so that a lane may be read anywhere.
    noise: Vec<f32>,
    hidden: Vec<f32>,
    /// Devices that fired in any slot.
    any: Vec<u64>,
}

/// The rows of a list, given out in ascending order; empty ones where the list is.
pub(super) struct Rows<'a, T> {
    rest: &'a mut [T],
    columns: usize,
    /// Number of the first row of the rest.
    next: usize,
}

impl<'a, T> Rows<'a, T> {
    pub(super) fn new(list: &'a mut [T], columns: usize) -> Self {
        Self { rest: list, columns, next: 0 }
    }

    pub(super) fn take(&mut self, row: usize) -> &'a mut [T] {
        if self.rest.is_empty() {
            return &mut [];
        }
        let (_, rest) = std::mem::take(&mut self.rest).split_at_mut((row - self.next) * self.columns);
        let (taken, rest) = rest.split_at_mut(self.columns);
        (self.rest, self.next) = (rest, row + 1);
        taken
    }
}

/// Which devices of a row fire in some slots, and which of them upwards: bit k of word n stands for column 64·n + k.
#[derive(Clone, Copy)]
struct Slots<'a> {
    /// Slot after slot, as many words for each as `up` has.
    fired: &'a [u64],
    up: &'a [u64],
}

impl<'a> Slots<'a> {
    fn each(self) -> impl Iterator<Item = &'a [u64]> {
        self.fired.chunks_exact(self.up.len())
    }

    /// Where the draws of each slot begin, if they lie one slot after another.
    fn starts(self) -> [usize; TOGETHER] {
        let (mut starts, mut next) = ([0; TOGETHER], 0);
        for (start, fired) in starts.iter_mut().zip(self.each()) {
            *start = next;
            next += count(fired);
        }
        starts
    }

    /// Visits the devices from column `first` on that fire in `fired`, in order: number among these, column and direction.
    #[inline(always)]
    fn visit(self, fired: &[u64], first: usize, mut visit: impl FnMut(usize, usize, Direction)) {
        let mut place = 0;
        for (word, (&fired, &up)) in fired.iter().zip(self.up).enumerate().skip(first / 64) {
            let mut left = if word == first / 64 { fired >> (first % 64) << (first % 64) } else { fired };
            while left != 0 {
                let bit = left.trailing_zeros();
                let direction = if up >> bit & 1 == 1 { Direction::Up } else { Direction::Down };
                visit(place, 64 * word + bit as usize, direction);
                place += 1;
                left &= left - 1;
            }
        }
    }
}

/// Number of bits that are set.
fn count(words: &[u64]) -> usize {
    words.iter().map(|word| word.count_ones() as usize).sum()
}

/// A few slots of pulses on the devices of a row, some lanes at a time.
struct LanePulses<'a, 'r, D: PulsedDevice> {
    row: &'a mut Row<'r, D>,
    pulses: Slots<'a>,
}

impl<D: PulsedDevice> WithSimd for LanePulses<'_, '_, D> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { row, pulses } = self;
        let mut places = pulses.starts();
        if !LINED_UP.is_multiple_of(S::F32_LANES) {
            return row.step_each(pulses, 0, &places);
        }
        let lanes = row.persistent.len() / S::F32_LANES;
        // A single slot is over before lanes side by side pay, and leaves many of them alone.
        let single = pulses.fired.len() == pulses.up.len();
        let blocks = if single { 0 } else { lanes / ABREAST * ABREAST };
        for lane in (0..blocks).step_by(ABREAST) {
            row.step_lanes::<S, ABREAST>(simd, pulses, lane, &mut places);
        }
        for lane in blocks..lanes {
            if single && bits::<S>(pulses.fired, lane * S::F32_LANES) == 0 {
                continue;
            }
            row.step_lanes::<S, 1>(simd, pulses, lane, &mut places);
        }
        row.step_each(pulses, lanes * S::F32_LANES, &places);
    }
}

impl<D: PulsedDevice> Row<'_, D> {
    /// A lane of the devices from column `column` on: constants, which way to go, weights.
    #[inline(always)]
    fn lane<S: Simd>(
        &self,
        simd: S,
        up: &[u64],
        column: usize,
    ) -> (Neighbours<D, S>, Signs<Wide<S>>, Wide<S>) {
        let (start, lists) = (packed::place::<D::Extra>(0, column), packed::lists::<D::Extra>());
        let numbers = &self.constants[start..][..(lists - 1) * LINED_UP + S::F32_LANES];
        (
            gather::<D, _>(|list| Wide::load(simd, &numbers[list * LINED_UP..])),
            Signs(Wide::load(simd, &SIGNS[bits::<S>(up, column)])),
            Wide::load(simd, &self.persistent[column..]),
        )
    }

    /// The slots on `N` lanes from lane `first` on, which stay in registers meanwhile: their steps do not wait for each
    /// other. `places` is where the next draws of each slot lie.
    #[inline(always)]
    fn step_lanes<S: Simd, const N: usize>(
        &mut self,
        simd: S,
        pulses: Slots<'_>,
        first: usize,
        places: &mut [usize; TOGETHER],
    ) {
        let column = |lane: usize| (first + lane) * S::F32_LANES;
        let mut lanes = [self.lane(simd, pulses.up, column(0)); N];
        for (k, lane) in lanes.iter_mut().enumerate().skip(1) {
            *lane = self.lane(simd, pulses.up, column(k));
        }
        let (device, noise) = (self.device, self.scratch.noise.as_slice());
        for (fired, next) in pulses.each().zip(places) {
            let mut place = *next;
            for (k, ((cell, extra), way, w)) in lanes.iter_mut().enumerate() {
                let fired = bits::<S>(fired, column(k));
                let xi = Wide::new(simd, spread(simd, &noise[place..], fired));
                let stepped = device.step(*cell, *extra, *w, *way, xi);
                *w = Wide::load(simd, &SIGNS[fired]).if_positive(stepped, *w);
                place += fired.count_ones() as usize;
            }
            *next = place;
        }
        for (k, (_, _, w)) in lanes.iter().enumerate() {
            S::as_mut_simd_f32s(&mut self.persistent[column(k)..][..S::F32_LANES]).0[0] = w.values;
        }
    }

    /// The slots on each device from column `first` on, one by one; `places` as for lanes.
    #[inline(always)]
    fn step_each(&mut self, pulses: Slots<'_>, first: usize, places: &[usize; TOGETHER]) {
        if first == self.persistent.len() {
            return;
        }
        for (fired, place) in pulses.each().zip(places) {
            pulses.visit(fired, first, |k, j, direction| {
                self.persistent[j] = self.stepped(j, self.scratch.noise[place + k], direction);
            });
        }
    }

    /// The weight of device `j` after a pulse with noise `xi`.
    #[inline(always)]
    fn stepped(&self, j: usize, xi: f32, direction: Direction) -> f32 {
        let (cell, extra) = gather::<D, _>(|list| self.constants[packed::place::<D::Extra>(list, j)]);
        self.device.step(cell, extra, self.persistent[j], direction, xi)
    }

    /// Some slots on devices without hidden states.
    fn step(&mut self, pulses: Slots<'_>, draws: &mut Stream) {
        let number = count(pulses.fired);
        self.scratch.noise.resize(number + LINED_UP, 0.0);
        if self.noisy {
            draws.fill_normal(&mut self.scratch.noise[..number]);
        }
        if number * SPARSE < pulses.each().count() * self.persistent.len() {
            self.step_each(pulses, 0, &pulses.starts());
        } else {
            self.arch.dispatch(LanePulses { row: self, pulses });
        }
    }

    /// A slot on devices with hidden states, one by one: only those whose state overflows make a step.
    fn step_overflowing(&mut self, pulses: Slots<'_>, draws: &mut Stream) {
        let number = count(pulses.fired);
        self.scratch.noise.resize(number, 0.0);
        if self.noisy {
            draws.fill_normal(&mut self.scratch.noise);
        }
        self.scratch.hidden.resize(number, 0.0);
        draws.fill_normal(&mut self.scratch.hidden);
        pulses.visit(pulses.fired, 0, |k, j, direction| {
            let extra = D::Extra::of(|k| self.constants[packed::place::<D::Extra>(4 + k, j)]);
            let (hidden, overflow) =
                self.device.accumulate(extra, self.hidden[j], direction, self.scratch.hidden[k]);
            self.hidden[j] = hidden;
            if let Some(direction) = overflow {
                self.persistent[j] = self.stepped(j, self.scratch.noise[k], direction);
            }
        });
    }

    /// Draws write noise anew for the devices that fired at all: what is read depends on the last pulse only.
    fn write(&mut self, pulses: Slots<'_>, draws: &mut Stream) {
        let mut any = std::mem::take(&mut self.scratch.any);
        any.clear();
        any.resize(pulses.up.len(), 0);
        pulses.each().for_each(|fired| any.iter_mut().zip(fired).for_each(|(any, fired)| *any |= fired));
        let number = count(&any);
        self.scratch.noise.resize(number, 0.0);
        draws.fill_normal(&mut self.scratch.noise);
        pulses.visit(&any, 0, |k, j, _| {
            self.apparent[j] = self.persistent[j] + self.write_std * self.scratch.noise[k];
        });
        if !self.noisy {
            self.scratch.noise.fill(0.0);
        }
        self.scratch.any = any;
    }

    /// Counts the pulses of all slots.
    fn count(&mut self, pulses: Slots<'_>) {
        let ups: usize = pulses
            .each()
            .map(|fired| {
                fired.iter().zip(pulses.up).map(|(f, up)| (f & up).count_ones() as usize).sum::<usize>()
            })
            .sum();
        self.pulses += PulseCount { up: ups as u64, down: (count(pulses.fired) - ups) as u64 };
        if self.counts.0.is_empty() {
            return;
        }
        for fired in pulses.each() {
            pulses.visit(fired, 0, |_, j, direction| match direction {
                Direction::Up => self.counts.0[j] += 1,
                Direction::Down => self.counts.1[j] += 1,
            });
        }
    }
}

impl<D: PulsedDevice> RowPort for Row<'_, D> {
    fn columns(&self) -> usize {
        self.persistent.len()
    }

    fn pulse_where(&mut self, fired: &[u64], up: &[u64], draws: &mut Stream) {
        if fired.iter().all(|word| *word == 0) {
            return;
        }
        let slots = if D::HIDDEN { 1 } else { TOGETHER };
        for fired in fired.chunks(slots * up.len()) {
            let pulses = Slots { fired, up };
            if D::HIDDEN { self.step_overflowing(pulses, draws) } else { self.step(pulses, draws) }
        }
        let pulses = Slots { fired, up };
        if !self.apparent.is_empty() {
            self.write(pulses, draws);
        }
        self.count(pulses);
    }
}
