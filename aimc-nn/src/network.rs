//! A network: layers in sequence over any kind of tile, as data that can be walked and converted.

use std::collections::BTreeMap;

use nalgebra::{DMatrix, DMatrixView};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};
use aimc_tile::{MatVec, ReadOut, SampleKeys, Tile, TileError, gathered};

use crate::activation::{Activation, ActivationConfig};
use crate::chain::{self, At, Passed};
use crate::layer::{Layer, LayerConfig, Place, Record, Site};
use crate::linear::{Linear, LinearConfig};
use crate::log_softmax::LogSoftmax;
use crate::module::{Gradients, LayerError, Part, PartMut, TileGradient};

/// The description of a network.
///
/// ```
/// use aimc_nn::{Activation, NetworkConfig};
/// let mlp = NetworkConfig::mlp(&[64, 48, 10], Activation::Sigmoid);
/// assert_eq!(mlp.layers.len(), 4);
/// assert_eq!(mlp.validate().unwrap(), (vec![64], vec![10]));
/// ```
///
/// Images and sequences need their shape; what follows is worked out:
///
/// ```
/// use aimc_device::config;
/// use aimc_nn::NetworkConfig;
/// let text = r#"
///     input = [1, 28, 28]
///     layers = [
///         { layer = "Conv", outputs = 6, kernel = 5, padding = 2 },
///         { layer = "Pool", kernel = 2 },
///         { layer = "Flatten" },
///         { layer = "Linear", outputs = 10 },
///     ]"#;
/// let network: NetworkConfig = config::from_toml(text).unwrap();
/// assert_eq!(network.shapes().unwrap(), [vec![1, 28, 28], vec![6, 28, 28], vec![6, 14, 14], vec![1176], vec![10]]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Shape of a sample: \[features\], \[channels, height, width\], \[steps, features\] …; not needed where the first
    /// layer is a `Linear` that states its inputs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub input: Vec<usize>,
    /// Layers from input to output.
    pub layers: Vec<LayerConfig>,
}

impl NetworkConfig {
    /// A multi-layer perceptron with biases, `activation` between its layers and log-softmax at the end.
    #[must_use]
    pub fn mlp(sizes: &[usize], activation: Activation) -> Self {
        let mut layers: Vec<LayerConfig> = Vec::new();
        for (i, pair) in sizes.windows(2).enumerate() {
            if i > 0 {
                layers.push(ActivationConfig { function: activation }.into());
            }
            layers.push(LinearConfig { inputs: Some(pair[0]), outputs: pair[1], bias: true }.into());
        }
        layers.push(LogSoftmax::default().into());
        Self { input: Vec::new(), layers }
    }

    /// Shape of a sample before the first layer and after every layer; refuses layers that do not fit together.
    pub fn shapes(&self) -> Result<Vec<Vec<usize>>, ConfigError> {
        let mut shapes = vec![self.input_shape()?];
        for (i, layer) in self.layers.iter().enumerate() {
            let shape = layer.outputs(&shapes[i]).map_err(|error| error.within(format!("layers[{i}]")))?;
            shapes.push(shape);
        }
        Ok(shapes)
    }

    fn input_shape(&self) -> Result<Vec<usize>, ConfigError> {
        let Some(first) = self.layers.first() else {
            return Err(ConfigError::new("layers", "", "must hold at least one layer"));
        };
        match (self.input.is_empty(), first) {
            (false, _) => {
                for (i, size) in self.input.iter().enumerate() {
                    require::at_least_one(&format!("input[{i}]"), *size)?;
                }
                Ok(self.input.clone())
            }
            (true, LayerConfig::Linear(LinearConfig { inputs: Some(inputs), .. })) => {
                require::at_least_one("inputs", *inputs).map_err(|error| error.within("layers[0]"))?;
                Ok(vec![*inputs])
            }
            _ => Err(ConfigError::new("input", "", "is missing: the shape of a sample")),
        }
    }

    /// Refuses layers that do not fit together; gives the shapes of input and output.
    pub fn validate(&self) -> Result<(Vec<usize>, Vec<usize>), ConfigError> {
        let shapes = self.shapes()?;
        Ok((shapes[0].clone(), shapes[shapes.len() - 1].clone()))
    }

    /// Validates, then builds the network on tiles that `tile` makes. Weights and biases start uniform in ± 1/√inputs.
    pub fn build<T: MatVec + ReadOut>(
        &self,
        key: RngKey,
        mut tile: impl FnMut(&Place<'_>) -> Result<T, ConfigError>,
    ) -> Result<Network<T>, ConfigError> {
        let shapes = self.shapes()?;
        let mut layers = Vec::with_capacity(self.layers.len());
        for (i, layer) in self.layers.iter().enumerate() {
            let mut site = Site::new(layer_name(i), key.fold_in(i as u64), &mut tile);
            layers.push(layer.build(&shapes[i], &mut site)?);
        }
        let outputs = shapes[shapes.len() - 1].iter().product();
        Ok(Network { layers, outputs })
    }
}

pub(crate) fn layer_name(i: usize) -> String {
    format!("layer{i}")
}

/// Layers in sequence.
#[derive(Clone, Debug)]
pub struct Network<T> {
    /// Layers from input to output.
    pub layers: Vec<Layer<T>>,
    outputs: usize,
}

/// What is done with one tile in a step.
pub type StepTile<'a, T> = dyn FnMut(&str, &mut T, &TileGradient, SampleKeys) -> Result<(), TileError> + 'a;

/// What is done with some digital parameters in a step: name, values, gradient.
pub type StepParameters<'a> = dyn FnMut(&str, &mut [f32], &[f32]) + 'a;

/// A layer of the network refused its part.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("layer {layer}: {source}")]
pub struct NetworkError {
    /// Number of the layer.
    pub layer: usize,
    /// What it said.
    pub source: LayerError,
}

impl From<At> for NetworkError {
    fn from((layer, source): At) -> Self {
        Self { layer, source }
    }
}

impl<T> Network<T> {
    /// Number of outputs.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// All tiles and digital numbers with their names, in a fixed order.
    #[must_use]
    pub fn parts(&self) -> Vec<(String, Part<'_, T>)> {
        let mut parts = Vec::new();
        for (i, layer) in self.layers.iter().enumerate() {
            layer.module().visit(&layer_name(i), &mut |name, part| parts.push((name, part)));
        }
        parts
    }

    /// The same, to be changed.
    pub fn parts_mut(&mut self) -> Vec<(String, PartMut<'_, T>)> {
        let mut parts = Vec::new();
        for (i, layer) in self.layers.iter_mut().enumerate() {
            layer.module_mut().visit_mut(&layer_name(i), &mut |name, part| parts.push((name, part)));
        }
        parts
    }

    /// The tiles with their names.
    pub fn tiles(&self) -> impl Iterator<Item = (String, &T)> {
        self.parts().into_iter().filter_map(|(name, part)| match part {
            Part::Tile(tile) => Some((name, tile)),
            _ => None,
        })
    }

    /// The tiles with their names, to be changed.
    pub fn tiles_mut(&mut self) -> impl Iterator<Item = (String, &mut T)> {
        self.parts_mut().into_iter().filter_map(|(name, part)| match part {
            PartMut::Tile(tile) => Some((name, tile)),
            _ => None,
        })
    }

    /// The digital parameters with their names, to be changed.
    pub fn parameters_mut(&mut self) -> impl Iterator<Item = (String, &mut [f32])> {
        self.parts_mut().into_iter().filter_map(|(name, part)| match part {
            PartMut::Parameters(values) => Some((name, values)),
            _ => None,
        })
    }

    /// The same network with every tile replaced by what `convert` makes of it and its name.
    pub fn try_map_tiles<U, E>(
        &self,
        mut convert: impl FnMut(&str, &T) -> Result<U, E>,
    ) -> Result<Network<U>, E> {
        self.try_map(|name, linear| {
            Ok(Linear { tile: convert(name, &linear.tile)?, bias: linear.bias.clone() })
        })
    }

    /// The same network with every tile and its digital bias replaced by what `convert` makes of them and the tile's name.
    pub fn try_map<U, E>(
        &self,
        mut convert: impl FnMut(&str, &Linear<T>) -> Result<Linear<U>, E>,
    ) -> Result<Network<U>, E> {
        let layers = self.layers.iter().enumerate();
        let layers = layers.map(|(i, layer)| layer.try_map(&layer_name(i), &mut convert));
        Ok(Network { layers: layers.collect::<Result<_, E>>()?, outputs: self.outputs })
    }
}

impl<T: MatVec> Network<T> {
    /// Output for every column of `x`, inputs x batch.
    pub fn forward(&self, x: DMatrixView<f32>, draws: SampleKeys) -> Result<DMatrix<f32>, NetworkError> {
        Ok(chain::forward(&self.layers, &gathered(&x), draws)?)
    }

    /// As [`Network::forward`] in training, keeping what the backward pass needs.
    pub fn trace(&self, x: DMatrixView<f32>, draws: SampleKeys) -> Result<Passed, NetworkError> {
        Ok(chain::trace(&self.layers, gathered(&x), draws.in_training())?)
    }
}

impl<T: Tile> Network<T> {
    /// Gradients of all parts, from the gradient `d` with respect to the output.
    ///
    /// Nothing is propagated further back than the first layer that learns.
    pub fn backward(
        &self,
        passed: &Passed,
        d: DMatrix<f32>,
        draws: SampleKeys,
    ) -> Result<Gradients, NetworkError> {
        let mut gradients = Gradients::default();
        chain::backward(&self.layers, passed, (&layer_name, draws, false), d, &mut gradients)?;
        Ok(gradients)
    }

    /// One step of plain gradient descent: tiles through their own updates, digital parameters exactly.
    pub fn update(&mut self, gradients: &Gradients, lr: f32, draws: SampleKeys) -> Result<(), NetworkError> {
        self.update_tiles(gradients, lr, draws)?;
        self.step_parameters(gradients, &mut |_, values, gradient| {
            values.iter_mut().zip(gradient).for_each(|(value, d)| *value -= lr * d);
        });
        self.update_statistics(gradients);
        Ok(())
    }

    /// The part of a step that concerns tiles: W ← W - lr·d xᵀ through their own updates.
    pub fn update_tiles(
        &mut self,
        gradients: &Gradients,
        lr: f32,
        draws: SampleKeys,
    ) -> Result<(), NetworkError> {
        self.step_tiles(gradients, draws, &mut |_, tile, gradient, draws| {
            tile.update(gradient.x.as_view(), gradient.d.as_view(), lr, draws)
        })
    }

    /// Calls `step` with the name of every tile that has a gradient, the tile, its gradient, and the addresses of the draws.
    pub fn step_tiles(
        &mut self,
        gradients: &Gradients,
        draws: SampleKeys,
        step: &mut StepTile<'_, T>,
    ) -> Result<(), NetworkError> {
        let by_name: BTreeMap<&str, _> = gradients.tiles.iter().map(|g| (g.name.as_str(), g)).collect();
        for (i, layer) in self.layers.iter_mut().enumerate() {
            let mut outcome = Ok(());
            layer.module_mut().visit_mut(&layer_name(i), &mut |name, part| {
                if let (PartMut::Tile(tile), Some(gradient), Ok(())) =
                    (part, by_name.get(name.as_str()), &outcome)
                {
                    let draws = draws.fold_in(label(&name)).each(gradient.per_sample);
                    outcome = step(&name, tile, gradient, draws);
                }
            });
            outcome.map_err(|error| NetworkError { layer: i, source: error.into() })?;
        }
        Ok(())
    }

    /// Calls `step` with the name of all digital parameters that have a gradient, the parameters and the gradient.
    pub fn step_parameters(&mut self, gradients: &Gradients, step: &mut StepParameters<'_>) {
        let by_name: BTreeMap<&str, &[f32]> =
            gradients.digital.iter().map(|g| (g.name.as_str(), g.values.as_slice())).collect();
        for (name, values) in self.parameters_mut() {
            if let Some(gradient) = by_name.get(name.as_str()) {
                step(&name, values, gradient);
            }
        }
    }

    /// The part of a step that concerns measured statistics: they move by their share towards those of the batch.
    pub fn update_statistics(&mut self, gradients: &Gradients) {
        for measured in &gradients.statistics {
            for (name, part) in self.parts_mut() {
                if let PartMut::Statistics(values) = part
                    && name == measured.name
                {
                    measured.apply(values);
                }
            }
        }
    }

    /// What happens to the devices once per mini-batch.
    pub fn end_of_step(&mut self, key: RngKey) {
        for (name, tile) in self.tiles_mut() {
            tile.end_of_step(key.fold_in(label(&name)));
        }
    }

    /// Everything needed to continue later.
    #[must_use]
    pub fn state(&self) -> State {
        let mut state = State::default();
        for (name, part) in self.parts() {
            match part {
                Part::Tile(tile) => state.nest(&name, tile.state()),
                Part::Parameters(values) | Part::Statistics(values) => state.put(&name, values.to_vec()),
            }
        }
        state
    }

    /// Takes over a state that [`Network::state`] gave on a network of the same configuration.
    pub fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        for (name, part) in self.parts_mut() {
            match part {
                PartMut::Tile(tile) => tile.restore(&state.part(&name))?,
                PartMut::Parameters(values) | PartMut::Statistics(values) => {
                    values.copy_from_slice(state.floats(&name, values.len())?);
                }
            }
        }
        Ok(())
    }
}
