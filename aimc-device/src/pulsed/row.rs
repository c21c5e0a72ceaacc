//! One row of an array while pulses arrive: the hot loop over devices.

use crate::pulsed::population::RowPort;
use crate::pulsed::{Cell, Direction, PulsedDevice};
use crate::rng::Stream;

/// One row of a population.
pub(super) struct Row<'a, D: PulsedDevice> {
    pub(super) device: &'a D,
    pub(super) up: &'a [f32],
    pub(super) down: &'a [f32],
    pub(super) w_max: &'a [f32],
    pub(super) w_min: &'a [f32],
    pub(super) extra: &'a [D::Extra],
    pub(super) persistent: &'a mut [f32],
    /// What is read; empty without write noise.
    pub(super) apparent: &'a mut [f32],
    /// Hidden states; empty for models without.
    pub(super) hidden: &'a mut [f32],
    pub(super) counts: (&'a mut [u64], &'a mut [u64]),
    pub(super) noisy: bool,
    pub(super) write_std: f32,
    pub(super) noise: Vec<f32>,
    pub(super) hidden_noise: Vec<f32>,
}

impl<D: PulsedDevice> Row<'_, D> {
    #[inline(always)]
    fn step_all(&mut self, columns: &[u32], direction: Direction) {
        for (k, (&column, &xi)) in columns.iter().zip(&self.noise).enumerate() {
            let j = column as usize;
            let mut direction = direction;
            if D::HIDDEN {
                let (device, extra, xi) = (self.device, self.extra[j], self.hidden_noise[k]);
                let (hidden, overflow) = device.accumulate(extra, self.hidden[j], direction, xi);
                self.hidden[j] = hidden;
                let Some(overflow) = overflow else { continue };
                direction = overflow;
            }
            let cell =
                Cell { up: self.up[j], down: self.down[j], w_max: self.w_max[j], w_min: self.w_min[j] };
            self.persistent[j] = self.device.step(cell, self.extra[j], self.persistent[j], direction, xi);
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
        }
        // The direction is fixed outside the loop, so that the loop holds no branch on it.
        match direction {
            Direction::Up => self.step_all(columns, Direction::Up),
            Direction::Down => self.step_all(columns, Direction::Down),
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
        let counts = match direction {
            Direction::Up => &mut self.counts.0,
            Direction::Down => &mut self.counts.1,
        };
        if !counts.is_empty() {
            columns.iter().for_each(|&column| counts[column as usize] += 1);
        }
    }
}
