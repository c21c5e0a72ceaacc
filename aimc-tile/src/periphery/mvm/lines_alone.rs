//! Lines that carry the only signal: what drift compensation and the refresh of pairs read, one line after another.

use nalgebra::DMatrix;

use aimc_device::parallel;

use super::AnalogMvm;
use crate::matmul::Weights;
use crate::periphery::IoConfig;
use crate::periphery::noise_management::NoiseManagement;
use crate::periphery::weight_noise::WeightNoise;
use crate::tile::{SampleKeys, TileError};

/// Lines that one thread reads at a time: their outputs stay in its cache.
const TOGETHER: usize = 32;

impl AnalogMvm {
    /// Whether a line that alone carries a signal reads its own devices only, as if there were no others: the same outputs from the
    /// same draws. Noise or dither of inputs, IR drop, read noise that counts the lines and devices that differ by sign know of all.
    ///
    /// ```
    /// use aimc_device::RngKey;
    /// use aimc_tile::{AnalogMvm, IoConfig, Shape};
    /// let shape = Shape { outputs: 2, inputs: 3 };
    /// let alone = |io: &IoConfig| AnalogMvm::forward(io, shape, RngKey::root(1)).unwrap().reads_lines_alone();
    /// assert!(alone(&IoConfig { out_noise: 0.1, ..IoConfig::default() }));
    /// assert!(!alone(&IoConfig { inp_noise: 0.1, ..IoConfig::default() }));
    /// ```
    #[must_use]
    pub fn reads_lines_alone(&self) -> bool {
        let IoConfig { ir_drop, w_noise, w_noise_type, .. } = self.io;
        let counts_lines = w_noise > 0.0 && w_noise_type == WeightNoise::PcmReadDuration;
        let differ = !self.frozen.w_asymmetry.is_empty();
        !(self.dac.is_noisy() || self.dac.is_stochastic() || ir_drop > 0.0 || counts_lines || differ)
    }

    /// Reads every input line with a signal of 1 there and none elsewhere; line k takes the draws of sample k. Gives what `of` makes
    /// of the outputs, outputs x lines, of some neighbours at a time, in the order of lines.
    ///
    /// ```
    /// use aimc_device::RngKey;
    /// use aimc_tile::matmul::Weights;
    /// use aimc_tile::{AnalogMvm, IoConfig, SampleKeys, Shape};
    /// let circuits = AnalogMvm::forward(&IoConfig::perfect(), Shape { outputs: 2, inputs: 3 }, RngKey::root(1))?;
    /// let weights = Weights::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3);
    /// let read = circuits.read_each_line(weights, SampleKeys::new(RngKey::root(2)), |y| y.as_slice().to_vec())?;
    /// assert_eq!(read.concat(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read_each_line<R: Send>(
        &self,
        weights: Weights<'_>,
        draws: SampleKeys,
        of: impl Fn(DMatrix<f32>) -> R + Sync + Send,
    ) -> Result<Vec<R>, TileError> {
        let (outputs, inputs, alone) = (weights.outputs(), weights.inputs(), self.reads_lines_alone());
        let read = |first: &usize| {
            let lines = *first..inputs.min(first + TOGETHER);
            // Where the other lines do not matter, an array without them.
            let present = if alone { lines.clone() } else { 0..inputs };
            let held = alone.then(|| weights.lines(present.clone()));
            let weights = match &held {
                Some(held) => Weights::new(held, outputs, present.len()),
                None => weights,
            };
            let mut x = DMatrix::zeros(present.len(), lines.len());
            lines.clone().enumerate().for_each(|(sample, line)| x[(line - present.start, sample)] = 1.0);
            let mut y = DMatrix::zeros(outputs, lines.len());
            self.multiply(weights, &x.as_view(), &mut y.as_view_mut(), draws.skip(lines.start as u64))?;
            Ok(of(y))
        };
        // The running mean counts vectors in their order.
        let in_order = self.io.noise_management == NoiseManagement::AverageAbsMax;
        let batches: Vec<_> = (0..inputs).step_by(TOGETHER).collect();
        let read = parallel::map(if in_order { 0 } else { inputs * outputs }, &batches, read);
        read.into_iter().collect()
    }
}
