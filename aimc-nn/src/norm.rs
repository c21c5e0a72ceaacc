//! Normalisation: batch norm over samples, layer norm over features; digital.
//!
//! ```text
//! y = γ·(x - μ)/√(σ² + ε) + β
//! ```
//!
//! Batch norm (Ioffe & Szegedy 2015, arXiv:1502.03167): μ and σ² of a channel over all its points in the batch while
//! training, running means of them in use; γ and β per channel. The running variance is the unbiased one, as in
//! PyTorch. Layer norm (Ba, Kiros & Hinton 2016, arXiv:1607.06450): μ and σ² over the last dimension of a sample,
//! γ and β per feature of it.

use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};
use aimc_tile::{MatVec, ReadOut, SampleKeys, Tile};

use crate::layer::{Layer, Record, Site};
use crate::module::{
    Backward, Gradients, LayerError, Module, Part, PartMut, Saved, Visit, VisitMut, check_features, join,
};
use crate::quantize::few_bits;
use crate::quantize::parameters::{self, is_full};

/// Batch norm of samples of shape \[channels, …\].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BatchNormConfig {
    /// ε.
    pub epsilon: f32,
    /// Share of a batch in the running mean and variance.
    pub momentum: f32,
    /// Whether γ and β are learnt; else they stay 1 and 0.
    pub affine: bool,
    /// Bits of a factor γ; 0 for full precision.
    #[serde(skip_serializing_if = "is_full")]
    pub n_bits: u32,
}

impl Default for BatchNormConfig {
    fn default() -> Self {
        Self { epsilon: 1e-5, momentum: 0.1, affine: true, n_bits: 0 }
    }
}

impl Record for BatchNormConfig {
    fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
        require::positive("epsilon", self.epsilon)?;
        require::probability("momentum", self.momentum)?;
        parameters::validate(self.n_bits)?;
        Ok(inputs.to_vec())
    }

    /// A product and a sum per number: mean and variance are constants of the trained layer.
    fn operations(&self, inputs: &[usize]) -> u64 {
        2 * inputs.iter().product::<usize>() as u64
    }

    fn build<T: MatVec + ReadOut>(
        &self,
        inputs: &[usize],
        _site: &mut Site<'_, T>,
    ) -> Result<Layer<T>, ConfigError> {
        let channels = inputs[0];
        Ok(Layer::BatchNorm(BatchNorm {
            config: self.clone(),
            area: inputs[1..].iter().product(),
            weight: vec![1.0; channels],
            bias: vec![0.0; channels],
            running: [vec![0.0; channels], vec![1.0; channels]].concat(),
        }))
    }
}

/// The layer.
#[derive(Clone, Debug)]
pub struct BatchNorm {
    config: BatchNormConfig,
    area: usize,
    /// γ, one per channel.
    pub weight: Vec<f32>,
    /// β, one per channel.
    pub bias: Vec<f32>,
    /// Running means of all channels, then running variances.
    pub running: Vec<f32>,
}

impl BatchNorm {
    /// Whether γ and β are learnt.
    pub(crate) fn is_affine(&self) -> bool {
        self.config.affine
    }

    /// Calls `visit` with channel number and points of every channel of every sample.
    fn each(&self, x: &DMatrix<f32>, mut visit: impl FnMut(usize, &[f32])) {
        let channels = self.weight.len();
        x.as_slice().chunks(self.area).enumerate().for_each(|(i, points)| visit(i % channels, points));
    }

    /// Applies `function` of channel number and value to all values.
    fn map(&self, x: &DMatrix<f32>, function: impl Fn(usize, f32) -> f32) -> DMatrix<f32> {
        let (channels, mut y) = (self.weight.len(), x.clone());
        for (i, points) in y.as_mut_slice().chunks_mut(self.area).enumerate() {
            points.iter_mut().for_each(|value| *value = function(i % channels, *value));
        }
        y
    }

    /// Means of a function of channel number and value, channel by channel.
    fn means(&self, x: &DMatrix<f32>, function: impl Fn(usize, f32) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.weight.len()];
        self.each(x, |c, points| sums[c] += points.iter().map(|&value| function(c, value)).sum::<f64>());
        let count = (x.ncols() * self.area) as f64;
        sums.iter_mut().for_each(|sum| *sum /= count);
        sums
    }

    fn check(&self, x: &DMatrix<f32>) -> Result<(), LayerError> {
        check_features(x, self.weight.len() * self.area)
    }
}

impl<T> Module<T> for BatchNorm {
    fn visit<'a>(&'a self, name: &str, visit: &mut Visit<'_, 'a, T>) {
        if self.config.affine {
            visit(join(name, "weight"), Part::Parameters(&self.weight));
            visit(join(name, "bias"), Part::Parameters(&self.bias));
        }
        visit(join(name, "running"), Part::Statistics(&self.running));
    }

    fn visit_mut<'a>(&'a mut self, name: &str, visit: &mut VisitMut<'_, 'a, T>) {
        if self.config.affine {
            visit(join(name, "weight"), PartMut::Parameters(&mut self.weight));
            visit(join(name, "bias"), PartMut::Parameters(&mut self.bias));
        }
        visit(join(name, "running"), PartMut::Statistics(&mut self.running));
    }

    fn forward(&self, x: &DMatrix<f32>, _draws: SampleKeys) -> Result<DMatrix<f32>, LayerError> {
        self.check(x)?;
        let (mean, variance) = self.running.split_at(self.weight.len());
        let scale: Vec<f32> = variance.iter().map(|v| 1.0 / (v + self.config.epsilon).sqrt()).collect();
        let gamma = few_bits(self.config.n_bits, &self.weight);
        Ok(self.map(x, |c, value| gamma[c] * (value - mean[c]) * scale[c] + self.bias[c]))
    }

    fn trace(&self, x: &DMatrix<f32>, _draws: SampleKeys) -> Result<(DMatrix<f32>, Saved), LayerError> {
        self.check(x)?;
        let mean = self.means(x, |_, value| f64::from(value));
        let variance = self.means(x, |c, value| (f64::from(value) - mean[c]).powi(2));
        let scale = variance.iter().map(|v| (1.0 / (v + f64::from(self.config.epsilon)).sqrt()) as f32);
        let scale: Vec<f32> = scale.collect();
        let normal = self.map(x, |c, value| (f64::from(value) - mean[c]) as f32 * scale[c]);
        let gamma = few_bits(self.config.n_bits, &self.weight);
        let y = self.map(&normal, |c, value| gamma[c] * value + self.bias[c]);
        let count = (x.ncols() * self.area) as f64;
        let unbiased = if count > 1.0 { count / (count - 1.0) } else { 1.0 };
        let batch = mean.iter().copied().chain(variance.iter().map(|v| v * unbiased)).map(|v| v as f32);
        let batch = DMatrix::from_iterator(2 * mean.len(), 1, batch);
        let scale = DMatrix::from_vec(scale.len(), 1, scale);
        Ok((y, Saved::Matrices(vec![normal, scale, batch])))
    }

    /// dx = γ/σ·(d - mean(d) - x̂·mean(d·x̂)), means over the batch.
    fn backward(
        &self,
        pass: Backward<'_>,
        d: DMatrix<f32>,
        into: &mut Gradients,
    ) -> Result<DMatrix<f32>, LayerError>
    where
        T: Tile,
    {
        let [normal, scale, batch] = pass.saved.matrices() else { return Ok(d) };
        let count = (d.ncols() * self.area) as f64;
        let mean_d = self.means(&d, |_, value| f64::from(value));
        let product = d.component_mul(normal);
        let mean_dx = self.means(&product, |_, value| f64::from(value));
        if self.config.affine {
            into.parameters(pass.part("weight"), mean_dx.iter().map(|mean| (mean * count) as f32).collect());
            into.parameters(pass.part("bias"), mean_d.iter().map(|mean| (mean * count) as f32).collect());
        }
        into.measured(pass.part("running"), batch.as_slice().to_vec(), self.config.momentum);
        let centred = self.map(&d, |c, value| (f64::from(value) - mean_d[c]) as f32);
        let gamma = few_bits(self.config.n_bits, &self.weight);
        let along = self.map(normal, |c, value| (f64::from(value) * mean_dx[c]) as f32);
        Ok(self.map(&(centred - along), |c, value| gamma[c] * scale[c] * value))
    }
}

/// Layer norm over the last dimension of the samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LayerNormConfig {
    /// ε.
    pub epsilon: f32,
    /// Whether γ and β are learnt; else they stay 1 and 0.
    pub affine: bool,
    /// Bits of a factor γ; 0 for full precision.
    #[serde(skip_serializing_if = "is_full")]
    pub n_bits: u32,
}

impl Default for LayerNormConfig {
    fn default() -> Self {
        Self { epsilon: 1e-5, affine: true, n_bits: 0 }
    }
}

impl Record for LayerNormConfig {
    fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
        require::positive("epsilon", self.epsilon)?;
        parameters::validate(self.n_bits)?;
        Ok(inputs.to_vec())
    }

    /// Mean, deviation, its square and their sum, and the scaling: seven per number.
    fn operations(&self, inputs: &[usize]) -> u64 {
        7 * inputs.iter().product::<usize>() as u64
    }

    fn build<T: MatVec + ReadOut>(
        &self,
        inputs: &[usize],
        _site: &mut Site<'_, T>,
    ) -> Result<Layer<T>, ConfigError> {
        let features = inputs[inputs.len() - 1];
        let total = inputs.iter().product();
        let (weight, bias) = (vec![1.0; features], vec![0.0; features]);
        Ok(Layer::LayerNorm(LayerNorm { config: self.clone(), total, weight, bias }))
    }
}

/// The layer.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    config: LayerNormConfig,
    total: usize,
    /// γ, one per feature.
    pub weight: Vec<f32>,
    /// β, one per feature.
    pub bias: Vec<f32>,
}

impl LayerNorm {
    /// Whether γ and β are learnt.
    pub(crate) fn is_affine(&self) -> bool {
        self.config.affine
    }

    /// The normalised values and, for every vector, 1/σ.
    fn normalise(&self, x: &DMatrix<f32>) -> Result<(DMatrix<f32>, Vec<f32>), LayerError> {
        check_features(x, self.total)?;
        let (n, mut normal) = (self.weight.len() as f64, x.clone());
        let vectors = normal.as_mut_slice().chunks_mut(self.weight.len());
        let scales = vectors.map(|vector| {
            let mean = vector.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
            let variance = vector.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
            let scale = 1.0 / (variance + f64::from(self.config.epsilon)).sqrt();
            vector.iter_mut().for_each(|v| *v = ((f64::from(*v) - mean) * scale) as f32);
            scale as f32
        });
        let scales = scales.collect();
        Ok((normal, scales))
    }

    fn affine(&self, normal: &DMatrix<f32>) -> DMatrix<f32> {
        let (mut y, gamma) = (normal.clone(), few_bits(self.config.n_bits, &self.weight));
        for vector in y.as_mut_slice().chunks_mut(self.weight.len()) {
            for (value, (weight, bias)) in vector.iter_mut().zip(gamma.iter().zip(&self.bias)) {
                *value = weight * *value + bias;
            }
        }
        y
    }
}

impl<T> Module<T> for LayerNorm {
    fn visit<'a>(&'a self, name: &str, visit: &mut Visit<'_, 'a, T>) {
        if self.config.affine {
            visit(join(name, "weight"), Part::Parameters(&self.weight));
            visit(join(name, "bias"), Part::Parameters(&self.bias));
        }
    }

    fn visit_mut<'a>(&'a mut self, name: &str, visit: &mut VisitMut<'_, 'a, T>) {
        if self.config.affine {
            visit(join(name, "weight"), PartMut::Parameters(&mut self.weight));
            visit(join(name, "bias"), PartMut::Parameters(&mut self.bias));
        }
    }

    fn forward(&self, x: &DMatrix<f32>, _draws: SampleKeys) -> Result<DMatrix<f32>, LayerError> {
        Ok(self.affine(&self.normalise(x)?.0))
    }

    fn trace(&self, x: &DMatrix<f32>, _draws: SampleKeys) -> Result<(DMatrix<f32>, Saved), LayerError> {
        let (normal, scales) = self.normalise(x)?;
        let y = self.affine(&normal);
        let scales = DMatrix::from_vec(1, scales.len(), scales);
        Ok((y, Saved::Matrices(vec![normal, scales])))
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
        let [normal, scales] = pass.saved.matrices() else { return Ok(d) };
        let n = self.weight.len();
        let gamma = few_bits(self.config.n_bits, &self.weight);
        let (mut weight, mut bias, mut dx) = (vec![0.0; n], vec![0.0; n], d);
        let vectors = dx.as_mut_slice().chunks_mut(n).zip(normal.as_slice().chunks(n)).zip(scales);
        for ((d, normal), scale) in vectors {
            let (mut sum, mut along) = (0.0, 0.0);
            for i in 0..n {
                weight[i] += d[i] * normal[i];
                bias[i] += d[i];
                d[i] *= gamma[i];
                sum += d[i];
                along += d[i] * normal[i];
            }
            let (mean, along) = (sum / n as f32, along / n as f32);
            d.iter_mut().zip(normal).for_each(|(d, normal)| *d = scale * (*d - mean - normal * along));
        }
        if self.config.affine {
            into.parameters(pass.part("weight"), weight);
            into.parameters(pass.part("bias"), bias);
        }
        Ok(dx)
    }
}
