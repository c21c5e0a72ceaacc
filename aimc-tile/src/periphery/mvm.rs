//! The analog matrix-vector product: the one place where the signal chain is put together.
//!
//! For every sample, with noise-management scale α and reduction ρ = 1, 2, 4, …:
//!
//! ```text
//! x̂ = DAC(x/(αρ))      ŷ = crossbar(x̂)      y = out_scale·αρ·ADC(ŷ)
//! ```
//!
//! in one pass or several ([`mv_type`]), repeated with another α or ρ for the samples whose outputs exceeded the range
//! ([`bound_management`]). All rounds and passes of a sample draw from that sample's own address.
//!
//! [`mv_type`]: super::mv_type
//! [`bound_management`]: super::bound_management

mod currents;
mod lines_alone;

use std::borrow::Cow;

use nalgebra::{DMatrixView, DMatrixViewMut};
use pulp::Arch;

use aimc_device::RngKey;
use aimc_device::error::ConfigError;
use aimc_device::parallel;
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};

use crate::ideal::exact_product;
use crate::matmul::Weights;
use crate::periphery::adc::Adc;
use crate::periphery::adc::bank::Converters;
use crate::periphery::bound_management::{BoundManagement, Halving};
use crate::periphery::buffers;
use crate::periphery::crossbar::Crossbar;
use crate::periphery::dac::Dac;
use crate::periphery::frozen::Frozen;
use crate::periphery::io::IoConfig;
use crate::periphery::ir_drop::IrDropModel;
use crate::periphery::lines::{Convert, Digitise, Drive, Sense, for_each, normals, uniforms};
use crate::periphery::mv_type::{MvType, Part, Pass};
use crate::periphery::noise_management::{RunningScale, Scaling};
use crate::periphery::nonlinearity::bent;
use crate::signals::{check_lines, check_shape};
use crate::tile::{SampleKeys, Shape, TileError};

/// What a random stream of a sample is for; each round of bound management and each pass has its own set.
#[derive(Clone, Copy)]
enum Draw {
    InputDither,
    InputNoise,
    WeightNoise,
    OutputNoise,
    OutputDither,
}

/// Streams per pass: the number of variants of [`Draw`], rounded up.
const STREAMS: u64 = 8;

/// Passes per round: more than any way of spreading a product needs.
const PASSES: u64 = 32;

/// Where the draws of one round and one pass are found.
#[derive(Clone, Copy)]
struct At {
    round: u64,
    pass: usize,
}

impl At {
    fn stream(self, draw: Draw) -> u64 {
        (self.round * PASSES + self.pass as u64) * STREAMS + draw as u64
    }
}

/// The circuits of one direction, ready to multiply.
#[derive(Clone, Debug)]
pub struct AnalogMvm {
    io: IoConfig,
    dac: Dac,
    adc: Adc,
    scaling: Scaling,
    halving: Halving,
    passes: Vec<Pass>,
    frozen: Frozen,
    average: RunningScale,
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
    fn shrink(&self, rho: f32, x: &[f32], lines: &mut [f32]) {
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
    /// Circuits of the forward direction of a tile of `shape`; their frozen quantities are drawn from `key`.
    pub fn forward(io: &IoConfig, shape: Shape, key: RngKey) -> Result<Self, ConfigError> {
        io.validate()?;
        if let (IrDropModel::Ladder(ladder), true) = (&io.ir_drop_model, io.ir_drop > 0.0) {
            ladder.check_rows(shape.inputs).map_err(|error| error.within("ir_drop_model"))?;
        }
        Ok(Self {
            io: io.clone(),
            dac: Dac::new(io),
            adc: Adc::new(io),
            scaling: Scaling::new(io),
            halving: Halving::new(io),
            passes: io.mv_type.passes(io),
            frozen: Frozen::fabricate(io, shape.outputs, shape.outputs * shape.inputs, key),
            average: RunningScale::default(),
        })
    }

    /// Circuits of the backward direction of a tile of `shape`, which have no bound management.
    pub fn backward(io: &IoConfig, shape: Shape, key: RngKey) -> Result<Self, ConfigError> {
        let transposed = Shape { outputs: shape.inputs, inputs: shape.outputs };
        let io = IoConfig { bound_management: BoundManagement::None, ..io.clone() };
        Self::forward(&io, transposed, key.fold_in(label("backward")))
    }

    /// The record these circuits were built from.
    #[must_use]
    pub fn config(&self) -> &IoConfig {
        &self.io
    }

    /// What fabrication has left in these circuits.
    #[must_use]
    pub fn frozen(&self) -> &Frozen {
        &self.frozen
    }

    /// The same, to set measured values.
    pub fn frozen_mut(&mut self) -> &mut Frozen {
        &mut self.frozen
    }

    /// The running mean of `AverageAbsMax`.
    #[must_use]
    pub fn average(&self) -> &RunningScale {
        &self.average
    }

    /// For a checkpoint.
    pub(crate) fn state(&self) -> State {
        let mut state = self.frozen.state();
        state.nest("average", self.average.state());
        state
    }

    /// Takes over what [`AnalogMvm::state`] gave of circuits with the same record.
    pub(crate) fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        self.frozen.restore(state)?;
        self.average.restore(&state.part("average"))
    }

    /// `y` = W `x` through the circuits: `x` is inputs x batch, `y` outputs x batch.
    pub fn multiply(
        &self,
        weights: Weights<'_>,
        x: &DMatrixView<f32>,
        y: &mut DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        self.multiply_following(&self.average, weights, x, y, draws)
    }

    /// The same with the running mean of other circuits: the two directions of a tile share one.
    pub fn multiply_following(
        &self,
        average: &RunningScale,
        weights: Weights<'_>,
        x: &DMatrixView<f32>,
        y: &mut DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        // One vector stays on this thread.
        let operations = if x.ncols() > 1 { weights.outputs() * weights.inputs() } else { 0 };
        parallel::at_once(operations, || {
            check_lines("input", x, weights.inputs(), x.ncols())?;
            check_shape("output", y.shape(), (weights.outputs(), x.ncols()))?;
            if self.io.is_perfect || self.io.mv_type == MvType::Ideal {
                exact_product(weights, x, y);
                y.iter_mut().for_each(|y| *y *= self.io.out_scale);
                return Ok(());
            }
            let mut waiting = self.enter(average, x, y, draws);
            let mut round = 0;
            while !waiting.is_empty() {
                waiting = self.round(weights, x, y, waiting, round);
                round += 1;
            }
            Ok(())
        })
    }

    /// The samples that carry a signal; the outputs of the others are exactly 0.
    fn enter(
        &self,
        average: &RunningScale,
        x: &DMatrixView<f32>,
        y: &mut DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Vec<Sample> {
        let mut samples = Vec::with_capacity(x.ncols());
        for column in 0..x.ncols() {
            let scale = self.scaling.of(x.column(column).as_slice(), average);
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
        let rho = self.halving.reduction(round);
        let mut lines = buffers::take(weights.inputs() * samples.len());
        let whole = At { round, pass: 0 };
        for_each(&mut samples, &mut lines, |sample, lines| {
            sample.again = false;
            sample.shrink(rho, x.column(sample.column).as_slice(), lines);
            self.digitise(sample.key, whole, lines);
            if !self.io.mv_type.is_bit_serial() {
                self.drive(sample.key, whole, lines);
            }
        });
        let currents = self.pass_all(weights, &lines, &mut samples, rho, round);
        let may_go_on = self.halving.may_go_on(rho, self.dac.step);
        for (sample, currents) in samples.iter_mut().zip(currents.chunks(weights.outputs())) {
            sample.again &= may_go_on;
            if !sample.again {
                y.column_mut(sample.column).as_mut_slice().copy_from_slice(currents);
            } else if self.halving.worst_case_first && round == 0 {
                sample.scale = self.scaling.worst_case(x.column(sample.column).as_slice());
            }
        }
        buffers::give(currents);
        buffers::give(lines);
        samples.retain(|sample| sample.again);
        samples
    }

    /// All passes of a round: the numbers of all samples. Marks those that exceeded the range.
    fn pass_all(
        &self,
        weights: Weights<'_>,
        lines: &[f32],
        samples: &mut [Sample],
        rho: f32,
        round: u64,
    ) -> Vec<f32> {
        let digital = self.io.mv_type.sums_digitally();
        let mut total = Vec::new();
        for (index, pass) in self.passes.iter().enumerate() {
            let at = At { round, pass: index };
            let driven = self.part(pass.part, lines, samples, at);
            let values: Cow<'_, [f32]> = match pass.part {
                Part::Negative if !self.frozen.w_asymmetry.is_empty() => {
                    let pairs = weights.values().iter().zip(&self.frozen.w_asymmetry);
                    Cow::Owned(pairs.map(|(w, factor)| w * factor).collect())
                }
                _ => Cow::Borrowed(weights.values()),
            };
            let crossbar =
                Crossbar { io: &self.io, frozen: &self.frozen, weights: weights.with_values(&values) };
            let key = |sample: usize| (samples[sample].key, at.stream(Draw::WeightNoise));
            let mut currents = crossbar.currents(&driven, &key);
            if digital {
                self.read_all(samples, &mut currents, rho, pass.gain, at);
            }
            if total.is_empty() {
                total = currents;
            } else {
                total.iter_mut().zip(currents).for_each(|(total, y)| *total += y);
            }
        }
        if !digital {
            self.read_all(samples, &mut total, rho, 1.0, At { round, pass: 0 });
        }
        total
    }

    /// The lines as one pass drives them.
    fn part<'a>(&self, part: Part, lines: &'a [f32], samples: &mut [Sample], at: At) -> Cow<'a, [f32]> {
        if part == Part::All {
            return Cow::Borrowed(lines);
        }
        let mut driven: Vec<f32> = lines.iter().map(|&line| part.of(line, self.dac.step)).collect();
        if self.io.mv_type.is_bit_serial() {
            for_each(samples, &mut driven, |sample, lines| self.drive(sample.key, at, lines));
        }
        Cow::Owned(driven)
    }

    fn read_all(&self, samples: &mut [Sample], currents: &mut [f32], rho: f32, gain: f32, at: At) {
        for_each(samples, currents, |sample, currents| {
            sample.again |= self.read(sample, rho, gain, at, currents);
        });
    }

    /// The levels of one sample's inputs.
    fn digitise(&self, key: RngKey, at: At, lines: &mut [f32]) {
        let stochastic = self.dac.is_stochastic();
        let dither = uniforms(stochastic, key, at.stream(Draw::InputDither), lines.len());
        Arch::new().dispatch(Digitise { dac: self.dac, lines, dither: &dither });
    }

    /// Puts the levels of one sample on the input lines.
    fn drive(&self, key: RngKey, at: At, lines: &mut [f32]) {
        let noise = normals(self.dac.is_noisy(), key, at.stream(Draw::InputNoise), lines.len());
        Arch::new().dispatch(Drive { dac: self.dac, lines, noise: &noise });
    }

    /// The converters of one sample, each with what fabrication left in it; whether any exceeded the range.
    fn convert(&self, currents: &mut [f32], dither: &[f32], rho: f32, factor: f32) -> bool {
        let Frozen { adc_gain, adc_offset, adc_levels, .. } = &self.frozen;
        let (bank, adc) = (&self.io.adc, self.adc);
        let converters = Converters { bank, adc, gain: adc_gain, offset: adc_offset, levels: adc_levels };
        let mut exceeded = false;
        for (i, current) in currents.iter_mut().enumerate() {
            let reading = converters.number(i, *current, dither.get(i).copied().unwrap_or(0.0));
            exceeded = adc.overflow(exceeded, reading);
            *current = factor * (rho * reading.value);
        }
        exceeded
    }

    /// Reads the output lines of one sample; whether any exceeded the range.
    fn read(&self, sample: &Sample, rho: f32, gain: f32, at: At, currents: &mut [f32]) -> bool {
        let (key, n) = (sample.key, currents.len());
        let dither = uniforms(self.adc.is_stochastic(), key, at.stream(Draw::OutputDither), n);
        let spread = &self.frozen.out_noise;
        let noisy = self.io.out_noise > 0.0 || !spread.is_empty();
        let noise = normals(noisy, key, at.stream(Draw::OutputNoise), n);
        for (y, n) in currents.iter_mut().zip(&self.frozen.nonlinearity) {
            *y = bent(*y, *n, self.frozen.nonlinearity_factor[0]);
        }
        Arch::new().dispatch(Sense {
            adc: self.adc,
            currents,
            noise: &noise,
            std: self.io.out_noise,
            spread,
        });
        if self.io.bound_management == BoundManagement::Shift {
            let largest = currents.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let excess = largest - self.adc.bound();
            currents.iter_mut().filter(|_| excess > 0.0).for_each(|y| *y -= excess);
        }
        let factor = self.io.out_scale * sample.scale * gain;
        if self.io.adc.is_real() {
            return self.convert(currents, &dither, rho, factor);
        }
        Arch::new().dispatch(Convert { adc: self.adc, currents, dither: &dither, rho, factor })
    }
}
