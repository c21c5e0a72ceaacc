//! The layer that rounds what passes between others.
//!
//! ```text
//! training   range ← range estimator, then  y = q(x)         in the batch that is measured already
//! in use     y = q(x) with the range that training has left
//! backward   d·1[x inside the range];  with `learn_quant_params`, after `init_learning_after` batches:
//!            Δ = e^θ·Δ(range), the range stands still and  θ ← θ - η·Σ d·Δ·∂q/∂Δ
//! ```
//!
//! θ is a digital parameter as any other, so that the optimizer moves it; in the logarithm the step stays positive. The range and
//! the number of batches are measured statistics. Gradients accumulated over several batches measure each of them from the range
//! before the step: `AllMinMax` holds them all, `RunningMinMax` moves by each, of the others the last one counts.
//!
//! References: B. Jacob et al. 2018, CVPR, arXiv:1712.05877; S. K. Esser et al. 2020, ICLR, arXiv:1902.08153.

use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};
use aimc_tile::{MatVec, ReadOut, SampleKeys, Tile};

use super::{Quantiser, RangeEstimator};
use crate::layer::{Layer, Record, Site};
use crate::module::WIDENS;
use crate::module::{Backward, Gradients, LayerError, Module, Part, PartMut, Saved, Visit, VisitMut, join};

/// The layer's record.
///
/// ```
/// use aimc_device::config;
/// use aimc_nn::LayerConfig;
/// let layer: LayerConfig = config::from_toml("layer = \"Quantize\"\nn_bits = 8").unwrap();
/// let error = config::from_toml::<LayerConfig>("layer = \"Quantize\"\nnbits = 8").unwrap_err();
/// assert_eq!(error.field, "nbits");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QuantizeConfig {
    /// Bits of a number; 0 lets everything pass.
    pub n_bits: u32,
    /// Levels lie symmetric about 0; otherwise between the ends of the range.
    pub symmetric: bool,
    /// How the range is found.
    pub range_estimator: RangeEstimator,
    /// Learn the step.
    pub learn_quant_params: bool,
    /// Batches that estimate the range before the step is learnt.
    pub init_learning_after: u64,
}

impl Default for QuantizeConfig {
    fn default() -> Self {
        Self {
            n_bits: 0,
            symmetric: true,
            range_estimator: RangeEstimator::default(),
            learn_quant_params: false,
            init_learning_after: 100,
        }
    }
}

impl Record for QuantizeConfig {
    fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
        let fits = self.n_bits == 0 || (2..=16).contains(&self.n_bits);
        require::that(fits, "n_bits", self.n_bits, "must be 0 (off) or lie between 2 and 16")?;
        let learns_from_data = !self.learn_quant_params || self.init_learning_after > 0;
        require::that(
            learns_from_data,
            "init_learning_after",
            self.init_learning_after,
            "must be at least 1: a step is learnt from a first estimate",
        )?;
        self.range_estimator.validate().map_err(|error| error.within("range_estimator"))?;
        Ok(inputs.to_vec())
    }

    fn build<T: MatVec + ReadOut>(
        &self,
        _inputs: &[usize],
        _site: &mut Site<'_, T>,
    ) -> Result<Layer<T>, ConfigError> {
        let record = self.clone();
        Ok(Layer::Quantize(Quantize {
            record,
            range: vec![0.0; 2],
            batches: vec![0.0],
            log_scale: vec![0.0],
        }))
    }
}

/// The layer.
#[derive(Clone, Debug)]
pub struct Quantize {
    record: QuantizeConfig,
    /// Ends of the range.
    range: Vec<f32>,
    /// Batches that were measured; before the first the range is unknown.
    batches: Vec<f32>,
    /// θ.
    log_scale: Vec<f32>,
}

impl Quantize {
    /// The range, once there is one.
    #[must_use]
    pub fn range(&self) -> Option<(f32, f32)> {
        (self.batches[0] > 0.0).then(|| (self.range[0], self.range[1]))
    }

    /// Sets the range, as calibration does.
    pub fn set_range(&mut self, low: f32, high: f32) -> Result<(), ConfigError> {
        require::non_positive("low", low)?;
        require::non_negative("high", high)?;
        self.range.copy_from_slice(&[low, high]);
        self.batches[0] = self.batches[0].max(1.0);
        Ok(())
    }

    fn learns(&self) -> bool {
        self.record.learn_quant_params && self.batches[0] >= self.record.init_learning_after as f32
    }

    /// The grid over a range, with the step as it was learnt.
    fn grid(&self, range: (f32, f32)) -> Quantiser {
        Quantiser::new(self.record.n_bits, self.record.symmetric, range).scaled(self.log_scale[0].exp())
    }

    /// What a training pass over `x` measures, with its share; none once the step is learnt.
    fn measure(&self, x: &DMatrix<f32>) -> Option<((f32, f32), f32)> {
        if self.learns() {
            return None;
        }
        let new = self.record.range_estimator.of_batch(x, self.record.n_bits, self.record.symmetric);
        Some(self.record.range_estimator.measured(self.range(), new))
    }

    /// The range after that measurement.
    fn next(&self, measured: Option<((f32, f32), f32)>) -> (f32, f32) {
        let (low, high) = (self.range[0], self.range[1]);
        match measured {
            None => (low, high),
            Some((new, share)) if share == WIDENS => new,
            Some((new, share)) => (low + share * (new.0 - low), high + share * (new.1 - high)),
        }
    }

    fn is_off(&self) -> bool {
        self.record.n_bits == 0
    }
}

impl<T> Module<T> for Quantize {
    fn visit<'a>(&'a self, name: &str, visit: &mut Visit<'_, 'a, T>) {
        if self.is_off() {
            return;
        }
        visit(join(name, "range"), Part::Statistics(&self.range));
        visit(join(name, "batches"), Part::Statistics(&self.batches));
        if self.record.learn_quant_params {
            visit(join(name, "log_scale"), Part::Parameters(&self.log_scale));
        }
    }

    fn visit_mut<'a>(&'a mut self, name: &str, visit: &mut VisitMut<'_, 'a, T>) {
        if self.is_off() {
            return;
        }
        visit(join(name, "range"), PartMut::Statistics(&mut self.range));
        visit(join(name, "batches"), PartMut::Statistics(&mut self.batches));
        if self.record.learn_quant_params {
            visit(join(name, "log_scale"), PartMut::Parameters(&mut self.log_scale));
        }
    }

    fn forward(&self, x: &DMatrix<f32>, _draws: SampleKeys) -> Result<DMatrix<f32>, LayerError> {
        if self.is_off() {
            return Ok(x.clone());
        }
        let grid = self.grid(self.range().ok_or(LayerError::RangeUnknown)?);
        Ok(x.map(|x| grid.value(x)))
    }

    fn trace(&self, x: &DMatrix<f32>, _draws: SampleKeys) -> Result<(DMatrix<f32>, Saved), LayerError> {
        if self.is_off() {
            return Ok((x.clone(), Saved::Nothing));
        }
        let measured = self.measure(x);
        let grid = self.grid(self.next(measured));
        let saved = measured.map(|((low, high), share)| DMatrix::from_row_slice(1, 3, &[low, high, share]));
        Ok((x.map(|x| grid.value(x)), Saved::Matrices(saved.into_iter().collect())))
    }

    fn backward(
        &self,
        pass: Backward<'_>,
        d: DMatrix<f32>,
        into: &mut Gradients,
    ) -> Result<DMatrix<f32>, LayerError>
    where
        T: Tile,
    {
        if self.is_off() {
            return Ok(d);
        }
        let measured = pass.saved.matrices().first().map(|saved| ((saved[0], saved[1]), saved[2]));
        let grid = self.grid(self.next(measured));
        if let Some(((low, high), share)) = measured {
            into.measured(pass.part("range"), vec![low, high], share);
        }
        // A count of batches, for which single precision is exact up to 2²⁴.
        into.measured(pass.part("batches"), vec![self.batches[0] + 1.0], 1.0);
        if self.learns() {
            let slope: f64 = pass.x.iter().zip(d.iter()).map(|(x, d)| f64::from(d * grid.slope(*x))).sum();
            into.parameters(pass.part("log_scale"), vec![(slope * f64::from(grid.step)) as f32]);
        }
        Ok(d.zip_map(pass.x, |d, x| if grid.contains(x) { d } else { 0.0 }))
    }
}
