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
use crate::pulsed::{Cell, Constants, Direction, Extra, PulseCount, PulsedDevice, RowPort, Way};
use crate::rng::Stream;

/// A row is stepped by lanes if at least one device in so many fires.
const SPARSE: usize = 5;

/// The weight after a pulse on devices whose constants are `number`, counted as in [`packed`].
#[inline(always)]
fn step<D: PulsedDevice, L: Lane>(
    device: &D,
    number: impl Fn(usize) -> L,
    (w, xi): (L, L),
    way: impl Way<L>,
) -> L {
    let (up, down) = (number(0), number(1));
    let cell = Cell { up, down, w_max: number(2), w_min: number(3) };
    let extra: Extra<D, L> = D::Extra::gather(|k| number(4 + k));
    device.step(cell, extra, w, way, xi)
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

/// Which devices of a row fire, and which of them upwards: bit k of word n stands for column 64·n + k.
#[derive(Clone, Copy)]
struct Fired<'a> {
    fired: &'a [u64],
    up: &'a [u64],
}

impl Fired<'_> {
    /// Visits the devices from column `first` on in order: place among those that fire, column and direction.
    #[inline(always)]
    fn each(self, first: usize, mut place: usize, mut visit: impl FnMut(usize, usize, Direction)) {
        for (word, (&fired, &up)) in self.fired.iter().zip(self.up).enumerate().skip(first / 64) {
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

/// A pulse on the devices of a row, a lane at a time.
struct LanePulse<'a, 'r, D: PulsedDevice> {
    row: &'a mut Row<'r, D>,
    pulse: Fired<'a>,
}

impl<D: PulsedDevice> WithSimd for LanePulse<'_, '_, D> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (Self { row, pulse }, width) = (self, S::F32_LANES);
        if !LINED_UP.is_multiple_of(width) {
            return row.step_each(pulse, 0, 0);
        }
        let lists = packed::lists::<D::Extra>();
        let (weights, _) = S::as_mut_simd_f32s(row.persistent);
        let (lanes, noise) = (weights.len(), &row.scratch.noise);
        let lane = |numbers: &[f32]| Wide::new(simd, S::as_simd_f32s(&numbers[..width]).0[0]);
        let bits = |words: &[u64], i: usize| {
            let first = i * width;
            (words[first / 64] >> (first % 64)) as usize & ((1 << width) - 1)
        };
        let mut place = 0;
        for (i, weight) in weights.iter_mut().enumerate() {
            let fired = bits(pulse.fired, i);
            if fired == 0 {
                continue;
            }
            let (w, xi) = (Wide::new(simd, *weight), Wide::new(simd, spread(simd, &noise[place..], fired)));
            let neighbours = &row.constants[i * width / LINED_UP * LINED_UP * lists..][..LINED_UP * lists];
            let first = i * width % LINED_UP;
            let number = |list: usize| lane(&neighbours[list * LINED_UP + first..]);
            let way = Signs(lane(&SIGNS[bits(pulse.up, i)]));
            let stepped = step(row.device, number, (w, xi), way);
            *weight = lane(&SIGNS[fired]).if_positive(stepped, w).values;
            place += fired.count_ones() as usize;
        }
        row.step_each(pulse, lanes * width, place);
    }
}

impl<D: PulsedDevice> Row<'_, D> {
    /// The pulse on each device from column `first` on, one by one; `place` of those that fire come before.
    #[inline(always)]
    fn step_each(&mut self, pulse: Fired<'_>, first: usize, place: usize) {
        pulse.each(first, place, |k, j, direction| {
            self.persistent[j] = self.stepped(j, self.scratch.noise[k], direction);
        });
    }

    /// The weight of device `j` after a pulse with noise `xi`.
    #[inline(always)]
    fn stepped(&self, j: usize, xi: f32, direction: Direction) -> f32 {
        let number = |list| self.constants[packed::place::<D::Extra>(list, j)];
        step(self.device, number, (self.persistent[j], xi), direction)
    }

    /// The pulse on devices with hidden states, one by one: only those whose state overflows make a step.
    fn step_overflowing(&mut self, pulse: Fired<'_>) {
        pulse.each(0, 0, |k, j, direction| {
            let extra = D::Extra::of(|k| self.constants[packed::place::<D::Extra>(4 + k, j)]);
            let (hidden, overflow) =
                self.device.accumulate(extra, self.hidden[j], direction, self.scratch.hidden[k]);
            self.hidden[j] = hidden;
            if let Some(direction) = overflow {
                self.persistent[j] = self.stepped(j, self.scratch.noise[k], direction);
            }
        });
    }

    /// Draws write noise anew for the devices that fired.
    fn write(&mut self, pulse: Fired<'_>, count: usize, draws: &mut Stream) {
        draws.fill_normal(&mut self.scratch.noise[..count]);
        pulse.each(0, 0, |k, j, _| {
            self.apparent[j] = self.persistent[j] + self.write_std * self.scratch.noise[k];
        });
        if !self.noisy {
            self.scratch.noise.fill(0.0);
        }
    }
}

impl<D: PulsedDevice> RowPort for Row<'_, D> {
    fn columns(&self) -> usize {
        self.persistent.len()
    }

    fn pulse_where(&mut self, fired: &[u64], up: &[u64], draws: &mut Stream) {
        let pulse = Fired { fired, up };
        let count: usize = fired.iter().map(|word| word.count_ones() as usize).sum();
        if count == 0 {
            return;
        }
        self.scratch.noise.resize(count + LINED_UP, 0.0);
        if self.noisy {
            draws.fill_normal(&mut self.scratch.noise[..count]);
        }
        if D::HIDDEN {
            self.scratch.hidden.resize(count, 0.0);
            draws.fill_normal(&mut self.scratch.hidden);
            self.step_overflowing(pulse);
        } else if count * SPARSE < self.persistent.len() {
            self.step_each(pulse, 0, 0);
        } else {
            self.arch.dispatch(LanePulse { row: self, pulse });
        }
        if !self.apparent.is_empty() {
            self.write(pulse, count, draws);
        }
        let ups: u32 = fired.iter().zip(up).map(|(fired, up)| (fired & up).count_ones()).sum();
        self.pulses += PulseCount { up: u64::from(ups), down: count as u64 - u64::from(ups) };
        if !self.counts.0.is_empty() {
            pulse.each(0, 0, |_, j, direction| match direction {
                Direction::Up => self.counts.0[j] += 1,
                Direction::Down => self.counts.1[j] += 1,
            });
        }
    }
}
