//! The analog matrix-vector product: the one place where the signal chain is put together.
//!
//! For every sample, with noise-management scale α and reduction ρ = 1, 2, 4, …:
//!
//! ```text
//! x̂ = DAC(x/(αρ))      ŷ = W x̂ + weight noise      y = out_scale·αρ·ADC(ŷ)
//! ```
//!
//! repeated with doubled ρ for the samples whose outputs exceeded the range ([`bound_management`]).
//! All rounds of a sample draw from that sample's own address.
//!
//! [`bound_management`]: super::bound_management

use nalgebra::{DMatrixView, DMatrixViewMut};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use aimc_device::error::ConfigError;
use aimc_device::{RngKey, parallel};

use crate::ideal::exact_product;
use crate::matmul::Weights;
use crate::periphery::adc::Adc;
use crate::periphery::bound_management::{BoundManagement, Halving};
use crate::periphery::dac::Dac;
use crate::periphery::io::IoConfig;
use crate::periphery::weight_noise::WeightNoise;
use crate::tile::{SampleKeys, TileError, check_lines, check_shape};

/// What a random stream of a sample is for; each round of bound management has its own set.
#[derive(Clone, Copy)]
enum Draw {
    InputDither,
    InputNoise,
    WeightNoise,
    OutputNoise,
    OutputDither,
}

/// Streams per round: the number of variants of [`Draw`], rounded up.
const STREAMS: u64 = 8;

/// The circuits of one direction, ready to multiply.
#[derive(Clone, Debug)]
pub struct AnalogMvm {
    io: IoConfig,
    dac: Dac,
    adc: Adc,
    halving: Halving,
}

/// A sample on its way through the array.
struct Sample {
    /// Column of the caller's matrices.
    column: usize,
    /// Noise-management scale α.
    scale: f32,
    key: RngKey,
    /// Whether the round showed that a smaller input is needed.
    again: bool,
}

impl Sample {
    /// `line` = x/(αρ). The reciprocal of an extreme scale is no normal number; only then divide.
    fn shrink(&self, rho: f32, x: impl Iterator<Item = f32>, lines: &mut [f32]) {
        let factor = 1.0 / (self.scale * rho);
        let lines = lines.iter_mut().zip(x);
        if factor.is_normal() {
            lines.for_each(|(line, x)| *line = x * factor);
        } else {
            lines.for_each(|(line, x)| *line = x / self.scale / rho);
        }
    }
}

impl AnalogMvm {
    /// Circuits of the forward direction.
    pub fn forward(io: &IoConfig) -> Result<Self, ConfigError> {
        io.validate()?;
        let halving = Halving {
            on: io.bound_management == BoundManagement::Iterative && io.out_bound > 0.0,
            max_factor: io.max_bm_factor,
            max_steps: io.max_bm_res,
        };
        Ok(Self { io: io.clone(), dac: Dac::new(io), adc: Adc::new(io), halving })
    }

    /// Circuits of the backward direction, which has no bound management.
    pub fn backward(io: &IoConfig) -> Result<Self, ConfigError> {
        let mut circuits = Self::forward(io)?;
        circuits.halving.on = false;
        Ok(circuits)
    }

    /// The record these circuits were built from.
    #[must_use]
    pub fn config(&self) -> &IoConfig {
        &self.io
    }

    /// `y` = W `x` through the circuits: `x` is inputs x batch, `y` outputs x batch.
    pub fn multiply(
        &self,
        weights: Weights<'_>,
        x: &DMatrixView<f32>,
        y: &mut DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        check_lines("input", x, weights.inputs(), x.ncols())?;
        check_shape("output", y.shape(), (weights.outputs(), x.ncols()))?;
        if self.io.is_perfect {
            exact_product(weights, x, y);
            y.iter_mut().for_each(|y| *y *= self.io.out_scale);
            return Ok(());
        }
        let mut waiting = self.enter(x, y, draws);
        let mut round = 0;
        while !waiting.is_empty() {
            waiting = self.round(weights, x, y, waiting, round);
            round += 1;
        }
        Ok(())
    }

    /// The samples that carry a signal; the outputs of the others are exactly 0.
    fn enter(&self, x: &DMatrixView<f32>, y: &mut DMatrixViewMut<f32>, draws: SampleKeys) -> Vec<Sample> {
        let mut samples = Vec::with_capacity(x.ncols());
        for column in 0..x.ncols() {
            let lines = x.column(column);
            let scale = self.io.noise_management.scale(lines.iter().copied(), self.io.nm_thres);
            if scale > 0.0 {
                samples.push(Sample { column, scale, key: draws.sample(column), again: false });
            } else {
                y.column_mut(column).fill(0.0);
            }
        }
        samples
    }

    /// One product of all waiting samples; gives back those that must be repeated.
    fn round(
        &self,
        weights: Weights<'_>,
        x: &DMatrixView<f32>,
        y: &mut DMatrixViewMut<f32>,
        mut samples: Vec<Sample>,
        round: u64,
    ) -> Vec<Sample> {
        let rho = 2.0_f32.powi(round as i32);
        let mut lines = vec![0.0; weights.inputs() * samples.len()];
        for_each(&mut samples, &mut lines, |sample, lines| {
            sample.shrink(rho, x.column(sample.column).iter().copied(), lines);
            self.drive(sample.key, round, lines);
        });
        let mut currents = vec![0.0; weights.outputs() * samples.len()];
        weights.multiply(&lines, &mut currents);
        self.add_weight_noise(weights, &samples, &lines, &mut currents, round);
        let may_go_on = self.halving.may_go_on(rho, self.dac.step);
        for_each(&mut samples, &mut currents, |sample, currents| {
            let exceeded = self.read(sample, rho, round, currents);
            sample.again = exceeded && may_go_on;
        });
        for (sample, currents) in samples.iter().zip(currents.chunks(weights.outputs())) {
            if !sample.again {
                y.column_mut(sample.column).iter_mut().zip(currents).for_each(|(y, value)| *y = *value);
            }
        }
        samples.retain(|sample| sample.again);
        samples
    }

    /// Puts one sample on the input lines.
    fn drive(&self, key: RngKey, round: u64, lines: &mut [f32]) {
        let stochastic = self.dac.is_stochastic();
        let dither = uniforms(stochastic, key, round, Draw::InputDither, lines.len());
        let noise = normals(self.dac.is_noisy(), key, round, Draw::InputNoise, lines.len());
        Arch::new().dispatch(Drive { dac: self.dac, lines, dither: &dither, noise: &noise });
    }

    /// Reads the output lines of one sample; whether any exceeded the range.
    fn read(&self, sample: &Sample, rho: f32, round: u64, currents: &mut [f32]) -> bool {
        let key = sample.key;
        let dither = uniforms(self.adc.is_stochastic(), key, round, Draw::OutputDither, currents.len());
        let noise = normals(self.adc.is_noisy(), key, round, Draw::OutputNoise, currents.len());
        let factor = self.io.out_scale * sample.scale;
        Arch::new().dispatch(Read { adc: self.adc, currents, dither: &dither, noise: &noise, rho, factor })
    }

    fn add_weight_noise(
        &self,
        weights: Weights<'_>,
        samples: &[Sample],
        lines: &[f32],
        currents: &mut [f32],
        round: u64,
    ) {
        let (inputs, outputs) = (weights.inputs(), weights.outputs());
        if self.io.w_noise <= 0.0 || self.io.w_noise_type == WeightNoise::None {
            return;
        }
        let squares: Vec<f32> = lines.iter().map(|x| x * x).collect();
        let mut variance = vec![0.0; currents.len()];
        if self.io.w_noise_type == WeightNoise::AdditiveConstant {
            for (variance, squares) in variance.chunks_mut(outputs).zip(squares.chunks(inputs)) {
                variance.fill(squares.iter().sum());
            }
        } else {
            let sizes: Vec<f32> = weights.values().iter().map(|w| w.abs()).collect();
            weights.with_values(&sizes).multiply(&squares, &mut variance);
        }
        for (sample, (currents, variance)) in
            samples.iter().zip(currents.chunks_mut(outputs).zip(variance.chunks(outputs)))
        {
            let noise = normals(true, sample.key, round, Draw::WeightNoise, outputs);
            for (current, (variance, xi)) in currents.iter_mut().zip(variance.iter().zip(noise)) {
                *current += self.io.w_noise * variance.sqrt() * xi;
            }
        }
    }
}

/// The loop over the input lines of one sample; no closure, so that it is inlined where vector units are on.
struct Drive<'a> {
    dac: Dac,
    lines: &'a mut [f32],
    dither: &'a [f32],
    noise: &'a [f32],
}

impl WithSimd for Drive<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        for (i, line) in self.lines.iter_mut().enumerate() {
            *line = self.dac.convert(*line, at(self.dither, i), at(self.noise, i));
        }
    }
}

/// The loop over the output lines of one sample: whether any exceeded the range.
struct Read<'a> {
    adc: Adc,
    currents: &'a mut [f32],
    dither: &'a [f32],
    noise: &'a [f32],
    rho: f32,
    factor: f32,
}

impl WithSimd for Read<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> bool {
        let mut exceeded = false;
        for (i, current) in self.currents.iter_mut().enumerate() {
            let reading = self.adc.convert(*current, at(self.dither, i), at(self.noise, i));
            exceeded = self.adc.overflow(exceeded, reading);
            // ρ goes first: it is exact, and αρ alone might overflow.
            *current = self.factor * (self.rho * reading.value);
        }
        exceeded
    }
}

/// Runs `work` on the lines of every sample; samples may go to different threads.
fn for_each(samples: &mut [Sample], lines: &mut [f32], work: impl Fn(&mut Sample, &mut [f32]) + Sync) {
    let width = lines.len() / samples.len();
    if parallel::worthwhile(2 * lines.len()) {
        samples
            .par_iter_mut()
            .zip(lines.par_chunks_mut(width))
            .for_each(|(sample, lines)| work(sample, lines));
    } else {
        samples.iter_mut().zip(lines.chunks_mut(width)).for_each(|(sample, lines)| work(sample, lines));
    }
}

fn normals(needed: bool, key: RngKey, round: u64, draw: Draw, n: usize) -> Vec<f32> {
    let mut values = vec![0.0; if needed { n } else { 0 }];
    if needed {
        key.stream(round * STREAMS + draw as u64).fill_normal(&mut values);
    }
    values
}

fn uniforms(needed: bool, key: RngKey, round: u64, draw: Draw, n: usize) -> Vec<f32> {
    let mut values = vec![0.0; if needed { n } else { 0 }];
    if needed {
        key.stream(round * STREAMS + draw as u64).fill_uniform(&mut values);
    }
    values
}

/// Draw number `i`, or 0 where none were needed.
#[inline(always)]
fn at(draws: &[f32], i: usize) -> f32 {
    draws.get(i).copied().unwrap_or(0.0)
}
