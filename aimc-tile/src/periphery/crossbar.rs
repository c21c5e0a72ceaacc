//! One pass through the array: from voltages on the input lines to currents on the output lines.
//!
//! ```text
//! y = W x̂  →  IR drop  →  voltage offset, series resistance  →  weight noise
//! ```
//!
//! The product of all samples comes first; what follows acts sample by sample and is left out where the record does not
//! ask for it.

use aimc_device::{RngKey, parallel};

use crate::matmul::Weights;
use crate::periphery::buffers;
use crate::periphery::frozen::Frozen;
use crate::periphery::io::IoConfig;
use crate::periphery::ir_drop::IrDropModel;
use crate::periphery::ir_drop::closed_form::{lost_share, position_weight};
use crate::periphery::lines::normals;
use crate::periphery::quantiser::step;
use crate::periphery::voltage_offset::Line;
use crate::periphery::weight_noise::{ReadNoiseLaw, WeightNoise, read_noise_of_duration};

/// The array between the converters, as one pass sees it.
#[derive(Clone, Copy)]
pub(crate) struct Crossbar<'a> {
    pub(crate) io: &'a IoConfig,
    pub(crate) frozen: &'a Frozen,
    pub(crate) weights: Weights<'a>,
}

/// Key and stream of the weight noise of each sample.
type NoiseOf<'a> = dyn Fn(usize) -> (RngKey, u64) + Sync + 'a;

impl Crossbar<'_> {
    /// Currents of all samples for their `lines`; `noise(sample)` gives the key and stream of its weight noise.
    pub(crate) fn currents(&self, lines: &[f32], noise: &NoiseOf<'_>) -> Vec<f32> {
        let mut currents = self.product(lines);
        if self.io.v_offset_std > 0.0 || self.io.r_series > 0.0 {
            self.offset(lines, &mut currents);
        }
        if self.io.w_noise > 0.0 && self.io.w_noise_type != WeightNoise::None {
            self.add_weight_noise(lines, &mut currents, noise);
        }
        currents
    }

    /// y = W x̂, as the wires let it.
    fn product(&self, lines: &[f32]) -> Vec<f32> {
        let samples = lines.len() / self.weights.inputs();
        let ideal = || {
            let mut currents = buffers::take(self.weights.outputs() * samples);
            self.weights.multiply(lines, &mut currents);
            currents
        };
        let scale = self.io.ir_drop;
        match &self.io.ir_drop_model {
            _ if scale == 0.0 => ideal(),
            IrDropModel::ClosedForm => {
                let mut currents = ideal();
                self.drop_voltage(lines, &mut currents);
                currents
            }
            IrDropModel::Ladder(ladder) => {
                ladder.currents(self.weights, lines, scale, step(self.io.inp_res, self.io.inp_bound))
            }
            IrDropModel::Nodal(nodal) => nodal.solve(self.weights, lines, scale).0,
        }
    }

    /// Products of a function of |W| with one of the lines.
    fn by_size(&self, lines: &[f32], size: impl Fn(f32) -> f32, line: impl Fn(f32) -> f32) -> Vec<f32> {
        let sizes: Vec<f32> = self.weights.values().iter().map(|w| size(w.abs())).collect();
        let factors: Vec<f32> = lines.iter().map(|&x| line(x)).collect();
        let mut products = vec![0.0; lines.len() / self.weights.inputs() * self.weights.outputs()];
        self.weights.with_values(&sizes).multiply(&factors, &mut products);
        products
    }

    fn drop_voltage(&self, lines: &[f32], currents: &mut [f32]) {
        let n = self.weights.inputs();
        let place: Vec<f32> = (0..n).map(|j| position_weight(j, n)).collect();
        let placed: Vec<f32> = lines.iter().zip(place.iter().cycle()).map(|(x, place)| x * place).collect();
        let mut lost = vec![0.0; currents.len()];
        self.weights.multiply(&placed, &mut lost);
        let load = self.by_size(lines, |w| w, f32::abs);
        let per_load = n as f32 / self.io.ir_drop_g_ratio;
        for ((y, lost), load) in currents.iter_mut().zip(lost).zip(load) {
            *y -= self.io.ir_drop * lost_share(load * per_load) * lost;
        }
    }

    fn offset(&self, lines: &[f32], currents: &mut [f32]) {
        let (resistance, most) = (self.io.r_series, self.io.r_series_max_total);
        let (inputs, outputs) = (self.weights.inputs(), self.weights.outputs());
        for (lines, currents) in lines.chunks(inputs).zip(currents.chunks_mut(outputs)) {
            let reference = -self.io.v_offset_w_min * lines.iter().sum::<f32>();
            for (i, y) in currents.iter_mut().enumerate() {
                let offset = self.frozen.v_offset.get(i).copied().unwrap_or(0.0);
                *y = Line { offset, resistance, most }.carries(*y, reference);
            }
        }
    }

    fn add_weight_noise(&self, lines: &[f32], currents: &mut [f32], noise: &NoiseOf<'_>) {
        let (inputs, outputs) = (self.weights.inputs(), self.weights.outputs());
        // Of every output of every sample, unless those of a sample share one.
        let variance = match self.io.w_noise_type {
            WeightNoise::AdditiveConstant => None,
            WeightNoise::PcmReadDuration => Some(self.variance_of_duration(lines)),
            WeightNoise::None | WeightNoise::PcmRead => Some(self.by_size(lines, |w| w, |x| x * x)),
        };
        let scale = self.io.w_noise;
        parallel::each_chunk(2 * currents.len(), currents, outputs, |(sample, currents)| {
            let (key, stream) = noise(sample);
            let draws = normals(true, key, stream, outputs);
            let pairs = currents.iter_mut().zip(&draws);
            if let Some(variance) = &variance {
                for ((y, xi), variance) in pairs.zip(&variance[sample * outputs..]) {
                    *y += scale * variance.sqrt() * xi;
                }
            } else {
                let power = lines[sample * inputs..][..inputs].iter().map(|x| x * x).sum::<f32>();
                let std = scale * power.sqrt();
                pairs.for_each(|(y, xi)| *y += std * xi);
            }
        });
    }

    /// Σⱼ (s·k|Wᵢⱼ| + o)² x̂ⱼ²/k², with k µS per unit of weight and the law s, o of the mean pulse of the sample.
    fn variance_of_duration(&self, lines: &[f32]) -> Vec<f32> {
        let (inputs, outputs) = (self.weights.inputs(), self.weights.outputs());
        let k = self.io.ir_drop_model.conductance().per_weight(self.weights);
        let shortest = step(self.io.inp_res, self.io.inp_bound);
        let (squares, sizes) =
            (self.by_size(lines, |w| w * w, |x| x * x), self.by_size(lines, |w| w, |x| x * x));
        let samples = lines.chunks(inputs).zip(squares.chunks(outputs).zip(sizes.chunks(outputs)));
        let variance = |(lines, (squares, sizes)): (&[f32], (&[f32], &[f32]))| {
            let mean = lines.iter().map(|x| x.abs()).sum::<f32>() / inputs as f32;
            let ReadNoiseLaw { slope, offset } = read_noise_of_duration(mean / shortest);
            let (offset, power) = (offset / k, lines.iter().map(|x| x * x).sum::<f32>());
            let of = |(w2, w1): (&f32, &f32)| {
                slope * slope * w2 + 2.0 * slope * offset * w1 + offset * offset * power
            };
            squares.iter().zip(sizes).map(of).collect::<Vec<_>>()
        };
        samples.flat_map(variance).collect()
    }
}
