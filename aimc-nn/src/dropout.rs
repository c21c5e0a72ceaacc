//! Dropout: while training every feature is lost with probability p, the others grow by 1/(1 - p).
//!
//! Srivastava et al. 2014, J. Mach. Learn. Res. 15:1929. In use nothing is lost. What is lost is drawn from the address of
//! the sample, so that splitting a batch changes nothing.

use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};
use aimc_device::rng::label;
use aimc_tile::{MatVec, ReadOut, SampleKeys, Tile};

use crate::layer::{Layer, Record, Site};
use crate::module::{Backward, Gradients, LayerError, Module, Saved};

/// The layer and its record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// p, below 1.
    pub probability: f32,
}

impl Record for Dropout {
    fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
        check_probability("probability", self.probability)?;
        Ok(inputs.to_vec())
    }

    fn operations(&self, _inputs: &[usize]) -> u64 {
        0
    }

    fn build<T: MatVec + ReadOut>(
        &self,
        _inputs: &[usize],
        _site: &mut Site<'_, T>,
    ) -> Result<Layer<T>, ConfigError> {
        Ok(Layer::Dropout(self.clone()))
    }
}

/// Refuses what is no probability below 1.
pub(crate) fn check_probability(field: &str, p: f32) -> Result<(), ConfigError> {
    require::that((0.0..1.0).contains(&p), field, p, "must be a probability, at least 0 and below 1")
}

/// Factors for every feature of every sample: 0 or 1/(1 - p).
pub(crate) fn mask(probability: f32, (rows, columns): (usize, usize), draws: SampleKeys) -> DMatrix<f32> {
    let mut mask = DMatrix::zeros(rows, columns);
    let kept = 1.0 / (1.0 - probability);
    for (i, values) in mask.as_mut_slice().chunks_mut(rows.max(1)).enumerate() {
        draws.sample(i).fold_in(label("dropout")).stream(0).fill_uniform(values);
        values.iter_mut().for_each(|v| *v = if *v < probability { 0.0 } else { kept });
    }
    mask
}

impl<T> Module<T> for Dropout {
    fn forward(&self, x: &DMatrix<f32>, _draws: SampleKeys) -> Result<DMatrix<f32>, LayerError> {
        Ok(x.clone())
    }

    fn trace(&self, x: &DMatrix<f32>, draws: SampleKeys) -> Result<(DMatrix<f32>, Saved), LayerError> {
        let mask = mask(self.probability, x.shape(), draws);
        Ok((x.component_mul(&mask), Saved::Matrices(vec![mask])))
    }

    fn backward(
        &self,
        pass: Backward<'_>,
        d: DMatrix<f32>,
        _into: &mut Gradients,
    ) -> Result<DMatrix<f32>, LayerError>
    where
        T: Tile,
    {
        Ok(match pass.saved.matrices() {
            [mask] => d.component_mul(mask),
            _ => d,
        })
    }
}
