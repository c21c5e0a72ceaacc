//! Fully connected layer: a tile for the weights, and a bias that is digital unless the tile has a column for it.

use nalgebra::{DMatrix, DMatrixView, DVector};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::rng::label;
use aimc_tile::{MatVec, ReadOut, SampleKeys, Shape, Tile, TileError};

use crate::layer::{Layer, Record, Site};
use crate::module::{Backward, Gradients, LayerError, Module, Part, PartMut, Visit, VisitMut, join};

/// y = W x + b; W on a tile, b in digital memory or in a column of the tile, as the tile has it. The input may have any shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinearConfig {
    /// Number of inputs; as many as the layer before gives if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<usize>,
    /// Number of outputs.
    pub outputs: usize,
    /// Whether there is a bias.
    #[serde(default = "yes")]
    pub bias: bool,
}

pub(crate) fn yes() -> bool {
    true
}

impl Record for LinearConfig {
    fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
        require::at_least_one("outputs", self.outputs)?;
        let given: usize = inputs.iter().product();
        if let Some(stated) = self.inputs {
            require::at_least_one("inputs", stated)?;
            let requirement = format!("must be {given}, the outputs before it");
            require::that(stated == given, "inputs", stated, &requirement)?;
        }
        Ok(vec![self.outputs])
    }

    fn operations(&self, _inputs: &[usize]) -> u64 {
        0
    }

    fn build<T: MatVec + ReadOut>(
        &self,
        inputs: &[usize],
        site: &mut Site<'_, T>,
    ) -> Result<Layer<T>, ConfigError> {
        let shape = Shape { outputs: self.outputs, inputs: inputs.iter().product() };
        site.linear("", shape, self.bias).map(Layer::Linear)
    }
}

/// Makes another layer of the one whose tile has the given name.
pub type Convert<'a, T, U, E> = dyn FnMut(&str, &Linear<T>) -> Result<Linear<U>, E> + 'a;

/// The layer.
#[derive(Clone, Debug)]
pub struct Linear<T> {
    /// The tile that holds W, outputs x inputs.
    pub tile: T,
    /// The digital bias, one value per output; `None` for a layer without bias, or with one on the tile.
    pub bias: Option<DVector<f32>>,
}

impl<T> Linear<T> {
    /// What `convert` makes of the layer.
    pub fn try_map<U, E>(&self, name: &str, convert: &mut Convert<'_, T, U, E>) -> Result<Linear<U>, E> {
        convert(&join(name, "tile"), self)
    }
}

impl<T: ReadOut> Linear<T> {
    /// The bias, wherever it lies; `None` for a layer without.
    #[must_use]
    pub fn any_bias(&self) -> Option<Vec<f32>> {
        self.bias.as_ref().map(|bias| bias.as_slice().to_vec()).or_else(|| self.tile.bias())
    }

    /// Puts a bias into the column that the tile has for it, else into digital memory.
    pub fn set_bias(&mut self, values: DVector<f32>, key: RngKey) -> Result<(), TileError> {
        if self.tile.bias().is_some() {
            return self.tile.set_bias(values.as_slice(), key);
        }
        self.bias = Some(values);
        Ok(())
    }
}

impl<T: MatVec> Linear<T> {
    /// y = W x + b for every column of `x`, inputs x batch; b in the precision of the circuits around the tile.
    pub fn product(&self, x: DMatrixView<f32>, draws: SampleKeys) -> Result<DMatrix<f32>, TileError> {
        let mut y = DMatrix::zeros(self.tile.shape().outputs, x.ncols());
        self.tile.forward(x, y.as_view_mut(), draws)?;
        if let Some(bias) = &self.bias {
            let bias = self.tile.periphery_precision().round(bias.as_slice()).into_owned();
            let bias = DVector::from_vec(bias);
            y.column_iter_mut().for_each(|mut y| y += &bias);
        }
        Ok(y)
    }
}

impl<T: Tile> Linear<T> {
    /// Gradient with respect to the input, from `d` with respect to the output, outputs x batch.
    pub fn product_back(&self, d: DMatrixView<f32>, draws: SampleKeys) -> Result<DMatrix<f32>, TileError> {
        let mut z = DMatrix::zeros(self.tile.shape().inputs, d.ncols());
        self.tile.backward(d, z.as_view_mut(), draws)?;
        Ok(z)
    }

    /// Adds the gradients of tile and bias, `per_sample` vectors for each sample.
    pub fn gradients(
        &self,
        name: &str,
        x: DMatrix<f32>,
        d: DMatrix<f32>,
        per_sample: usize,
        into: &mut Gradients,
    ) {
        if self.bias.is_some() {
            into.parameters(join(name, "bias"), d.column_sum().as_slice().to_vec());
        }
        into.tile(join(name, "tile"), x, d, per_sample);
    }
}

impl<T> Module<T> for Linear<T> {
    fn visit<'a>(&'a self, name: &str, visit: &mut Visit<'_, 'a, T>) {
        visit(join(name, "tile"), Part::Tile(&self.tile));
        if let Some(bias) = &self.bias {
            visit(join(name, "bias"), Part::Parameters(bias.as_slice()));
        }
    }

    fn visit_mut<'a>(&'a mut self, name: &str, visit: &mut VisitMut<'_, 'a, T>) {
        visit(join(name, "tile"), PartMut::Tile(&mut self.tile));
        if let Some(bias) = &mut self.bias {
            visit(join(name, "bias"), PartMut::Parameters(bias.as_mut_slice()));
        }
    }

    fn forward(&self, x: &DMatrix<f32>, draws: SampleKeys) -> Result<DMatrix<f32>, LayerError>
    where
        T: MatVec,
    {
        Ok(self.product(x.as_view(), draws)?)
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
        let back = match pass.wants_input {
            true => self.product_back(d.as_view(), pass.draws)?,
            false => DMatrix::zeros(0, 0),
        };
        self.gradients(pass.name, pass.x.clone(), d, 1, into);
        Ok(back)
    }
}

impl<T: MatVec + ReadOut> Linear<T> {
    /// The layer on a new tile, with a digital bias if it is to have one and the tile has no column for it.
    ///
    /// Weights and bias start uniform in ± 1/√inputs, as far as the devices allow.
    pub fn new(tile: T, bias: bool, key: RngKey) -> Result<Self, TileError> {
        let shape = tile.shape();
        let limit = 1.0 / (shape.inputs as f32).sqrt();
        let uniform = |values: &mut [f32], purpose| {
            key.fold_in(label(purpose)).stream(0).fill_uniform(values);
            values.iter_mut().for_each(|v| *v = (2.0 * *v - 1.0) * limit);
        };
        let mut weights = DMatrix::zeros(shape.outputs, shape.inputs);
        uniform(weights.as_mut_slice(), "weights");
        let mut linear = Self { tile, bias: None };
        linear.tile.set_weights(&weights, key.fold_in(label("write")))?;
        if bias {
            let mut values = DVector::zeros(shape.outputs);
            uniform(values.as_mut_slice(), "bias");
            linear.set_bias(values, key.fold_in(label("write bias")))?;
        }
        Ok(linear)
    }
}
