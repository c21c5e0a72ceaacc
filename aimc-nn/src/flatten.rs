//! Flatten: a sample of any shape as a list of features. The numbers stay where they are.

use nalgebra::DMatrix;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};
use aimc_tile::{MatVec, ReadOut, SampleKeys, Tile};

use crate::layer::{Layer, Record, Site};
use crate::module::{Backward, Gradients, LayerError, Module};

/// Forgets the shape of the samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlattenConfig {}

impl Record for FlattenConfig {
    fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
        Ok(vec![inputs.iter().product()])
    }

    fn operations(&self, _inputs: &[usize]) -> u64 {
        0
    }

    fn build<T: MatVec + ReadOut>(
        &self,
        _inputs: &[usize],
        _site: &mut Site<'_, T>,
    ) -> Result<Layer<T>, ConfigError> {
        Ok(Layer::Reshape(Reshape))
    }
}

/// Gives the samples another shape of as many features.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReshapeConfig {
    /// The new shape.
    pub shape: Vec<usize>,
}

impl Record for ReshapeConfig {
    fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
        let features: usize = inputs.iter().product();
        let requirement = format!("must have as many features as before, {features}");
        let fits = !self.shape.is_empty() && self.shape.iter().product::<usize>() == features;
        require::that(fits, "shape", &self.shape, &requirement)?;
        Ok(self.shape.clone())
    }

    fn operations(&self, _inputs: &[usize]) -> u64 {
        0
    }

    fn build<T: MatVec + ReadOut>(
        &self,
        _inputs: &[usize],
        _site: &mut Site<'_, T>,
    ) -> Result<Layer<T>, ConfigError> {
        Ok(Layer::Reshape(Reshape))
    }
}

/// The layer, which does nothing: only descriptions know shapes.
#[derive(Clone, Copy, Debug)]
pub struct Reshape;

impl<T> Module<T> for Reshape {
    fn forward(&self, x: &DMatrix<f32>, _draws: SampleKeys) -> Result<DMatrix<f32>, LayerError> {
        Ok(x.clone())
    }

    fn backward(
        &self,
        _pass: Backward<'_>,
        d: DMatrix<f32>,
        _into: &mut Gradients,
    ) -> Result<DMatrix<f32>, LayerError>
    where
        T: Tile,
    {
        Ok(d)
    }
}
