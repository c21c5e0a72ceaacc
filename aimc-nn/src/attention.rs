//! Multi-head attention over sequences of shape \[steps, features\].
//!
//! ```text
//! Q, K, V = W_q x + b_q, W_k x + b_k, W_v x + b_v        four tiles, the fourth for the output
//! y = W_o·(softmax over keys of (QᵀK/√n) applied to V) + b_o
//! ```
//!
//! n is the number of features of a head. Projections are products of tiles, everything between them is digital: its
//! operands are data, not weights. Vaswani et al. 2017, arXiv:1706.03762.

use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};
use aimc_device::rng::label;
use aimc_tile::{MatVec, ReadOut, SampleKeys, Shape, Tile, gathered};

use crate::layer::{Layer, Record, Site};
use crate::linear::{Convert, Linear, yes};
use crate::module::{
    Backward, Gradients, LayerError, Module, Saved, Visit, VisitMut, check_features, join, reread,
};

/// Attention of every step of a sequence to its steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttentionConfig {
    /// Number of heads, which share the features equally.
    pub heads: usize,
    /// Whether a step sees only itself and the steps before it.
    #[serde(default)]
    pub causal: bool,
    /// Whether the projections have (digital) biases.
    #[serde(default = "yes")]
    pub bias: bool,
}

impl Record for AttentionConfig {
    fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
        require::that(inputs.len() == 2, "", inputs, "needs sequences of shape [steps, features]")?;
        require::at_least_one("heads", self.heads)?;
        let requirement = format!("must divide the {} features", inputs[1]);
        require::that(inputs[1].is_multiple_of(self.heads), "heads", self.heads, &requirement)?;
        Ok(inputs.to_vec())
    }

    /// Scores and weighted sums: a product and a sum each, for all pairs of steps; softmax: three per score.
    fn operations(&self, inputs: &[usize]) -> u64 {
        let pairs = (inputs[0] * inputs[0]) as u64;
        pairs * (4 * inputs[1] as u64 + 3 * self.heads as u64)
    }

    fn build<T: MatVec + ReadOut>(
        &self,
        inputs: &[usize],
        site: &mut Site<'_, T>,
    ) -> Result<Layer<T>, ConfigError> {
        let shape = Shape { outputs: inputs[1], inputs: inputs[1] };
        let projections = PROJECTIONS.iter().map(|name| site.linear(name, shape, self.bias));
        let projections = projections.collect::<Result<Vec<_>, _>>()?;
        let (heads, causal) = (self.heads, self.causal);
        Ok(Layer::Attention(Attention { projections, heads, causal, steps: inputs[0], features: inputs[1] }))
    }
}

/// Names of the projections.
pub(crate) const PROJECTIONS: [&str; 4] = ["query", "key", "value", "output"];

/// The layer.
#[derive(Clone, Debug)]
pub struct Attention<T> {
    /// W_q, W_k, W_v and W_o.
    pub projections: Vec<Linear<T>>,
    heads: usize,
    causal: bool,
    steps: usize,
    features: usize,
}

/// Queries, keys and values of all steps; what they come to; and the weights of attention, keys x queries for every
/// head of every sample side by side.
struct Attended {
    parts: [DMatrix<f32>; 3],
    context: DMatrix<f32>,
    weights: DMatrix<f32>,
}

impl<T> Attention<T> {
    /// The same layer with other tiles.
    pub fn try_map<U, E>(&self, name: &str, convert: &mut Convert<'_, T, U, E>) -> Result<Attention<U>, E> {
        let named = self.projections.iter().zip(PROJECTIONS);
        let projections = named.map(|(linear, part)| linear.try_map(&join(name, part), convert));
        let projections = projections.collect::<Result<_, E>>()?;
        let Self { heads, causal, steps, features, .. } = *self;
        Ok(Attention { projections, heads, causal, steps, features })
    }

    /// Rows of head `h` and columns of sample `i` of a matrix of all steps.
    fn block(&self, matrix: &DMatrix<f32>, h: usize, i: usize) -> DMatrix<f32> {
        let n = self.features / self.heads;
        gathered(&matrix.view((h * n, i * self.steps), (n, self.steps)))
    }

    /// First column of the weights of head `h` of sample `i`.
    fn weights_at(&self, h: usize, i: usize) -> usize {
        (i * self.heads + h) * self.steps
    }

    fn scale(&self) -> f32 {
        ((self.features / self.heads) as f32).sqrt().recip()
    }

    /// Softmax over the keys (rows) that each query (column) sees.
    fn softmax(&self, scores: &mut DMatrix<f32>) {
        for (query, mut column) in scores.column_iter_mut().enumerate() {
            let seen = if self.causal { query + 1 } else { self.steps };
            let largest = column.rows(0, seen).max();
            let mut sum = 0.0;
            for (key, score) in column.iter_mut().enumerate() {
                *score = if key < seen { (*score - largest).exp() } else { 0.0 };
                sum += *score;
            }
            column /= sum;
        }
    }
}

fn projection_draws(draws: SampleKeys, k: usize) -> SampleKeys {
    draws.fold_in(label(PROJECTIONS[k]))
}

impl<T: MatVec> Attention<T> {
    fn attend(&self, steps: &DMatrix<f32>, draws: SampleKeys) -> Result<Attended, LayerError> {
        let project = |k: usize| {
            self.projections[k].product(steps.as_view(), projection_draws(draws, k).each(self.steps))
        };
        let parts = [project(0)?, project(1)?, project(2)?];
        let samples = steps.ncols() / self.steps;
        let mut context = DMatrix::zeros(self.features, steps.ncols());
        let mut weights = DMatrix::zeros(self.steps, self.steps * self.heads * samples);
        let n = self.features / self.heads;
        for i in 0..samples {
            for h in 0..self.heads {
                let [q, k, v] = parts.each_ref().map(|part| self.block(part, h, i));
                let mut scores = k.tr_mul(&q) * self.scale();
                self.softmax(&mut scores);
                context.view_mut((h * n, i * self.steps), (n, self.steps)).copy_from(&(v * &scores));
                weights.columns_mut(self.weights_at(h, i), self.steps).copy_from(&scores);
            }
        }
        Ok(Attended { parts, context, weights })
    }

    fn output(&self, context: &DMatrix<f32>, draws: SampleKeys) -> Result<DMatrix<f32>, LayerError> {
        let draws = projection_draws(draws, 3).each(self.steps);
        let y = self.projections[3].product(context.as_view(), draws)?;
        Ok(reread(y, self.features * self.steps))
    }

    fn steps(&self, x: &DMatrix<f32>) -> Result<DMatrix<f32>, LayerError> {
        check_features(x, self.steps * self.features)?;
        Ok(reread(x.clone(), self.features))
    }
}

impl<T> Module<T> for Attention<T> {
    fn visit<'a>(&'a self, name: &str, visit: &mut Visit<'_, 'a, T>) {
        for (linear, part) in self.projections.iter().zip(PROJECTIONS) {
            linear.visit(&join(name, part), visit);
        }
    }

    fn visit_mut<'a>(&'a mut self, name: &str, visit: &mut VisitMut<'_, 'a, T>) {
        for (linear, part) in self.projections.iter_mut().zip(PROJECTIONS) {
            linear.visit_mut(&join(name, part), visit);
        }
    }

    fn forward(&self, x: &DMatrix<f32>, draws: SampleKeys) -> Result<DMatrix<f32>, LayerError>
    where
        T: MatVec,
    {
        self.output(&self.attend(&self.steps(x)?, draws)?.context, draws)
    }

    fn trace(&self, x: &DMatrix<f32>, draws: SampleKeys) -> Result<(DMatrix<f32>, Saved), LayerError>
    where
        T: MatVec,
    {
        let Attended { parts: [q, k, v], context, weights } = self.attend(&self.steps(x)?, draws)?;
        let y = self.output(&context, draws)?;
        Ok((y, Saved::Matrices(vec![q, k, v, context, weights])))
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
        let [q, k, v, context, weights] = pass.saved.matrices() else { return Ok(d) };
        let d = reread(d, self.features);
        let draws = |k: usize| projection_draws(pass.draws, k).each(self.steps);
        let d_context = self.projections[3].product_back(d.as_view(), draws(3))?;
        self.projections[3].gradients(&pass.part(PROJECTIONS[3]), context.clone(), d, self.steps, into);
        let mut d_parts = [q, k, v].map(|part| DMatrix::zeros(part.nrows(), part.ncols()));
        let n = self.features / self.heads;
        for i in 0..d_context.ncols() / self.steps {
            for h in 0..self.heads {
                let [q, k, v, dc] = [q, k, v, &d_context].map(|part| self.block(part, h, i));
                let p = gathered(&weights.columns(self.weights_at(h, i), self.steps));
                let mut ds = v.tr_mul(&dc);
                for (mut ds, p) in ds.column_iter_mut().zip(p.column_iter()) {
                    let mean = ds.dot(&p);
                    ds.zip_apply(&p, |ds, p| *ds = p * (*ds - mean));
                }
                ds *= self.scale();
                let back = [&k * &ds, &q * ds.transpose(), dc * p.transpose()];
                for (whole, back) in d_parts.iter_mut().zip(back) {
                    whole.view_mut((h * n, i * self.steps), (n, self.steps)).copy_from(&back);
                }
            }
        }
        let x = reread(pass.x.clone(), self.features);
        let mut dx = DMatrix::zeros(self.features, x.ncols());
        for (j, part) in d_parts.into_iter().enumerate() {
            dx += self.projections[j].product_back(part.as_view(), draws(j))?;
            self.projections[j].gradients(&pass.part(PROJECTIONS[j]), x.clone(), part, self.steps, into);
        }
        Ok(reread(dx, self.features * self.steps))
    }
}
