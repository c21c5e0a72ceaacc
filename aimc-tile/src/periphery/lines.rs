//! The loops over the lines of one sample, compiled for the vector units of the machine, and their draws.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use aimc_device::{RngKey, parallel};

use crate::periphery::adc::{Adc, Reading};
use crate::periphery::dac::Dac;

/// The loop over the inputs of one sample; no closure, so that it is inlined where vector units are on.
pub(super) struct Digitise<'a> {
    pub(super) dac: Dac,
    pub(super) lines: &'a mut [f32],
    pub(super) dither: &'a [f32],
}

impl WithSimd for Digitise<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        each(self.lines, self.dither, |line, dither| self.dac.level(line, dither));
    }
}

/// The loop over the input lines of one sample.
pub(super) struct Drive<'a> {
    pub(super) dac: Dac,
    pub(super) lines: &'a mut [f32],
    pub(super) noise: &'a [f32],
}

impl WithSimd for Drive<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        each(self.lines, self.noise, |line, noise| self.dac.line(line, noise));
    }
}

/// The loop over the output lines of one sample, up to what the converters see.
pub(super) struct Sense<'a> {
    pub(super) adc: Adc,
    pub(super) currents: &'a mut [f32],
    pub(super) noise: &'a [f32],
    /// Of the noise of all lines, unless `spread` says it for each.
    pub(super) std: f32,
    pub(super) spread: &'a [f32],
}

impl WithSimd for Sense<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Self { adc, currents, noise, std, spread } = self;
        if spread.is_empty() {
            return each(currents, noise, |current, xi| adc.line(current, xi * std));
        }
        for ((current, xi), std) in currents.iter_mut().zip(noise).zip(spread) {
            *current = adc.line(*current, xi * std);
        }
    }
}

/// The loop over the converters of one sample: whether any exceeded the range.
pub(super) struct Convert<'a> {
    pub(super) adc: Adc,
    pub(super) currents: &'a mut [f32],
    pub(super) dither: &'a [f32],
    pub(super) rho: f32,
    pub(super) factor: f32,
}

impl WithSimd for Convert<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> bool {
        let Self { adc, currents, dither, rho, factor } = self;
        // ρ goes first: it is exact, and αρ alone might overflow.
        let number = |reading: Reading| factor * (rho * reading.value);
        if adc.order_matters() {
            let mut exceeded = false;
            each(currents, dither, |current, dither| {
                let reading = adc.number(current, dither);
                exceeded = adc.overflow(exceeded, reading);
                number(reading)
            });
            return exceeded;
        }
        // As numbers, so that the loop vectorises.
        let (mut above, mut below) = (0_u32, 0_u32);
        each(currents, dither, |current, dither| {
            let reading = adc.number(current, dither);
            above |= u32::from(reading.above);
            below |= u32::from(reading.below);
            number(reading)
        });
        adc.overflow(false, Reading { value: 0.0, above: above > 0, below: below > 0 })
    }
}

/// Changes every line, given its draw: 0 where none were needed.
#[inline(always)]
fn each(lines: &mut [f32], draws: &[f32], mut change: impl FnMut(f32, f32) -> f32) {
    if draws.is_empty() {
        lines.iter_mut().for_each(|line| *line = change(*line, 0.0));
    } else {
        lines.iter_mut().zip(draws).for_each(|(line, draw)| *line = change(*line, *draw));
    }
}

/// Runs `work` on the lines of every sample; samples may go to different threads.
pub(super) fn for_each<S: Send>(
    samples: &mut [S],
    lines: &mut [f32],
    work: impl Fn(&mut S, &mut [f32]) + Sync,
) {
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

/// `n` normal draws of a stream; none where none are needed.
pub(super) fn normals(needed: bool, key: RngKey, stream: u64, n: usize) -> Vec<f32> {
    let mut values = vec![0.0; if needed { n } else { 0 }];
    if needed {
        key.stream(stream).fill_normal(&mut values);
    }
    values
}

/// The same, uniform in [0, 1).
pub(super) fn uniforms(needed: bool, key: RngKey, stream: u64, n: usize) -> Vec<f32> {
    let mut values = vec![0.0; if needed { n } else { 0 }];
    if needed {
        key.stream(stream).fill_uniform(&mut values);
    }
    values
}
