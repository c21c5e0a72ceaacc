//! Embeddings: a learnt vector for every token, and for every position; digital tables.

use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};
use aimc_device::rng::label;
use aimc_tile::{MatVec, ReadOut, SampleKeys, Tile};

use crate::layer::{Layer, Record, Site};
use crate::module::{
    Backward, Gradients, LayerError, Module, Part, PartMut, Visit, VisitMut, check_features, join,
};
use crate::quantize::few_bits;
use crate::quantize::parameters::{self, is_full};

/// Replaces each of the tokens of a sample, whole numbers below `vocabulary`, by a vector of `features` numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingConfig {
    /// Number of different tokens.
    pub vocabulary: usize,
    /// Length of a vector.
    pub features: usize,
    /// Bits of a number of the vectors; 0 for full precision.
    #[serde(default, skip_serializing_if = "is_full")]
    pub n_bits: u32,
}

impl Record for EmbeddingConfig {
    fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
        require::at_least_one("vocabulary", self.vocabulary)?;
        require::at_least_one("features", self.features)?;
        parameters::validate(self.n_bits)?;
        let requirement = "needs samples of shape [steps], one token for each";
        require::that(inputs.len() == 1, "", inputs, requirement)?;
        Ok(vec![inputs[0], self.features])
    }

    fn operations(&self, _inputs: &[usize]) -> u64 {
        0
    }

    fn build<T: MatVec + ReadOut>(
        &self,
        inputs: &[usize],
        site: &mut Site<'_, T>,
    ) -> Result<Layer<T>, ConfigError> {
        let mut table = vec![0.0; self.vocabulary * self.features];
        site.key.fold_in(label("embedding")).stream(0).fill_normal(&mut table);
        Ok(Layer::Embedding(Embedding {
            steps: inputs[0],
            features: self.features,
            n_bits: self.n_bits,
            table,
        }))
    }
}

/// The layer; its vectors start from the standard normal law, as in PyTorch.
#[derive(Clone, Debug)]
pub struct Embedding {
    steps: usize,
    features: usize,
    n_bits: u32,
    /// The vectors, token after token.
    pub table: Vec<f32>,
}

impl Embedding {
    /// Number of different tokens.
    pub(crate) fn vocabulary(&self) -> usize {
        self.table.len() / self.features
    }

    fn token(&self, x: &DMatrix<f32>, position: usize, sample: usize) -> Result<usize, LayerError> {
        let (token, vocabulary) = (x[(position, sample)], self.vocabulary());
        if token.fract() == 0.0 && token >= 0.0 && token < vocabulary as f32 {
            Ok(token as usize)
        } else {
            Err(LayerError::Token { token, position, sample, vocabulary })
        }
    }
}

impl<T> Module<T> for Embedding {
    fn visit<'a>(&'a self, name: &str, visit: &mut Visit<'_, 'a, T>) {
        visit(join(name, "table"), Part::Parameters(&self.table));
    }

    fn visit_mut<'a>(&'a mut self, name: &str, visit: &mut VisitMut<'_, 'a, T>) {
        visit(join(name, "table"), PartMut::Parameters(&mut self.table));
    }

    fn forward(&self, x: &DMatrix<f32>, _draws: SampleKeys) -> Result<DMatrix<f32>, LayerError> {
        check_features(x, self.steps)?;
        let mut y = DMatrix::zeros(self.steps * self.features, x.ncols());
        let table = few_bits(self.n_bits, &self.table);
        for (i, vector) in y.as_mut_slice().chunks_mut(self.features).enumerate() {
            let token = self.token(x, i % self.steps, i / self.steps)?;
            vector.copy_from_slice(&table[token * self.features..][..self.features]);
        }
        Ok(y)
    }

    /// The gradient with respect to tokens is 0: they are names, not quantities.
    fn backward(
        &self,
        pass: Backward<'_>,
        d: DMatrix<f32>,
        into: &mut Gradients,
    ) -> Result<DMatrix<f32>, LayerError>
    where
        T: Tile,
    {
        let mut table = vec![0.0; self.table.len()];
        for (i, d) in d.as_slice().chunks(self.features).enumerate() {
            let token = self.token(pass.x, i % self.steps, i / self.steps)?;
            let sums = &mut table[token * self.features..][..self.features];
            sums.iter_mut().zip(d).for_each(|(sum, d)| *sum += d);
        }
        into.parameters(pass.part("table"), table);
        Ok(DMatrix::zeros(pass.x.nrows(), pass.x.ncols()))
    }
}

/// Adds a learnt number to every feature: with sequences, a vector for each position.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PositionsConfig {}

impl Record for PositionsConfig {
    fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
        Ok(inputs.to_vec())
    }

    fn build<T: MatVec + ReadOut>(
        &self,
        inputs: &[usize],
        site: &mut Site<'_, T>,
    ) -> Result<Layer<T>, ConfigError> {
        let mut values = vec![0.0; inputs.iter().product()];
        site.key.fold_in(label("positions")).stream(0).fill_normal(&mut values);
        // The usual size in transformers (Devlin et al. 2019): small beside the embedding.
        values.iter_mut().for_each(|value| *value *= 0.02);
        Ok(Layer::Positions(Positions { values }))
    }
}

/// The layer.
#[derive(Clone, Debug)]
pub struct Positions {
    /// One number per feature.
    pub values: Vec<f32>,
}

impl<T> Module<T> for Positions {
    fn visit<'a>(&'a self, name: &str, visit: &mut Visit<'_, 'a, T>) {
        visit(join(name, "values"), Part::Parameters(&self.values));
    }

    fn visit_mut<'a>(&'a mut self, name: &str, visit: &mut VisitMut<'_, 'a, T>) {
        visit(join(name, "values"), PartMut::Parameters(&mut self.values));
    }

    fn forward(&self, x: &DMatrix<f32>, _draws: SampleKeys) -> Result<DMatrix<f32>, LayerError> {
        check_features(x, self.values.len())?;
        let mut y = x.clone();
        for sample in y.as_mut_slice().chunks_mut(self.values.len()) {
            sample.iter_mut().zip(&self.values).for_each(|(y, value)| *y += value);
        }
        Ok(y)
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
        into.parameters(pass.part("values"), d.column_sum().as_slice().to_vec());
        Ok(d)
    }
}
