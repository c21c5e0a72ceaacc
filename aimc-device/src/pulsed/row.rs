//! One row of an array while pulses arrive: the hot loop over devices.
//!
//! Costly equations ([`PulsedDevice::LANES`]) are stepped a lane at a time: weights and constants of eight devices are
//! gathered, the equation acts on the lane, the weights are put back. A device occurs once in a pulse, so lanes do not
//! overlap. Cheap equations cost less than the gathering and run device by device; the bits are the same.

use pulp::{Arch, Simd, WithSimd};

use crate::lane::{F32x8, Lane, WIDTH};
use crate::pulsed::population::RowPort;
use crate::pulsed::{Cell, Constants, Direction, Extra, PulseCount, PulsedDevice};
use crate::rng::Stream;

/// One row of a population.
pub(super) struct Row<'a, D: PulsedDevice> {
    pub(super) device: &'a D,
    pub(super) arch: Arch,
    pub(super) up: &'a [f32],
    pub(super) down: &'a [f32],
    pub(super) w_max: &'a [f32],
    pub(super) w_min: &'a [f32],
    /// The model's own constants, one list for each.
    pub(super) extra: Vec<&'a [f32]>,
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
    pub(super) noise: Vec<f32>,
    pub(super) hidden_noise: Vec<f32>,
}

/// A pulse on the devices of a row, a lane at a time.
struct LanePulse<'a, 'r, D: PulsedDevice> {
    row: &'a mut Row<'r, D>,
    columns: &'a [u32],
    direction: Direction,
}

impl<D: PulsedDevice> WithSimd for LanePulse<'_, '_, D> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Self { row, columns, direction } = self;
        let (lanes, rest) = columns.as_chunks::<WIDTH>();
        for (k, lane) in lanes.iter().enumerate() {
            let gather = |list: &[f32]| F32x8(std::array::from_fn(|i| list[lane[i] as usize]));
            let xi = F32x8(std::array::from_fn(|i| row.noise[k * WIDTH + i]));
            let stepped = row.stepped(gather, direction, xi);
            for (&column, w) in lane.iter().zip(stepped.0) {
                row.persistent[column as usize] = w;
            }
        }
        row.step_each(rest, lanes.len() * WIDTH, direction);
    }
}

impl<D: PulsedDevice> Row<'_, D> {
    /// The new weights of the devices whose constants and weights `number` takes from their lists.
    #[inline(always)]
    fn stepped<L: Lane>(&self, number: impl Fn(&[f32]) -> L, direction: Direction, xi: L) -> L {
        let (up, down) = (number(self.up), number(self.down));
        let cell = Cell { up, down, w_max: number(self.w_max), w_min: number(self.w_min) };
        let extra: Extra<D, L> = D::Extra::gather(|k| number(self.extra[k]));
        self.device.step(cell, extra, number(self.persistent), direction, xi)
    }

    /// The pulse on each device of `columns`, whose noise begins at `noise`.
    #[inline(always)]
    fn step_each(&mut self, columns: &[u32], noise: usize, direction: Direction) {
        for (k, &column) in columns.iter().enumerate() {
            let j = column as usize;
            self.persistent[j] = self.stepped(|list| list[j], direction, self.noise[noise + k]);
        }
    }

    #[inline(always)]
    fn step_all(&mut self, columns: &[u32], direction: Direction) {
        if D::LANES {
            self.arch.dispatch(LanePulse { row: self, columns, direction });
        } else {
            self.step_each(columns, 0, direction);
        }
    }

    /// The pulse on devices with hidden states, one by one: only those whose state overflows make a step.
    fn step_overflowing(&mut self, columns: &[u32], direction: Direction) {
        for (k, &column) in columns.iter().enumerate() {
            let j = column as usize;
            let extra = D::Extra::of(|k| self.extra[k][j]);
            let (hidden, overflow) =
                self.device.accumulate(extra, self.hidden[j], direction, self.hidden_noise[k]);
            self.hidden[j] = hidden;
            if let Some(direction) = overflow {
                self.persistent[j] = self.stepped(|list| list[j], direction, self.noise[k]);
            }
        }
    }
}

impl<D: PulsedDevice> RowPort for Row<'_, D> {
    fn pulse(&mut self, columns: &[u32], direction: Direction, draws: &mut Stream) {
        self.noise.resize(columns.len(), 0.0);
        if self.noisy {
            draws.fill_normal(&mut self.noise);
        }
        if D::HIDDEN {
            self.hidden_noise.resize(columns.len(), 0.0);
            draws.fill_normal(&mut self.hidden_noise);
            self.step_overflowing(columns, direction);
        } else {
            // The direction is fixed outside the loops, so that they hold no branch on it.
            match direction {
                Direction::Up => self.step_all(columns, Direction::Up),
                Direction::Down => self.step_all(columns, Direction::Down),
            }
        }
        if !self.apparent.is_empty() {
            draws.fill_normal(&mut self.noise);
            for (&column, &xi) in columns.iter().zip(&self.noise) {
                self.apparent[column as usize] = self.persistent[column as usize] + self.write_std * xi;
            }
            if !self.noisy {
                self.noise.fill(0.0);
            }
        }
        self.pulses.count(direction, columns.len() as u64);
        let counts = match direction {
            Direction::Up => &mut self.counts.0,
            Direction::Down => &mut self.counts.1,
        };
        if !counts.is_empty() {
            columns.iter().for_each(|&column| counts[column as usize] += 1);
        }
    }
}
