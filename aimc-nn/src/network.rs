//! A network: layers in sequence over any kind of tile, as data that can be walked and converted.

use nalgebra::{DMatrix, DMatrixView, DVector};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};
use aimc_tile::{MatVec, ReadOut, SampleKeys, Shape, Tile, TileError};

use crate::activation::Activation;
use crate::linear::Linear;
use crate::log_softmax;

/// One layer of a description.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "layer", deny_unknown_fields)]
pub enum LayerConfig {
    /// Fully connected, W on a tile.
    Linear {
        /// Number of inputs.
        inputs: usize,
        /// Number of outputs.
        outputs: usize,
        /// Whether there is a (digital) bias.
        bias: bool,
    },
    /// Element-wise function.
    Activation {
        /// Which one.
        function: Activation,
    },
    /// Log-probabilities over the classes.
    LogSoftmax,
}

/// The description of a network.
///
/// ```
/// use aimc_nn::{Activation, NetworkConfig};
/// let mlp = NetworkConfig::mlp(&[64, 48, 10], Activation::Sigmoid);
/// assert_eq!(mlp.layers.len(), 4);
/// assert_eq!(mlp.validate().unwrap(), (64, 10));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Layers from input to output.
    pub layers: Vec<LayerConfig>,
}

impl NetworkConfig {
    /// A multi-layer perceptron with biases, `activation` between its layers and log-softmax at the end.
    #[must_use]
    pub fn mlp(sizes: &[usize], activation: Activation) -> Self {
        let mut layers = Vec::new();
        for (i, pair) in sizes.windows(2).enumerate() {
            if i > 0 {
                layers.push(LayerConfig::Activation { function: activation });
            }
            layers.push(LayerConfig::Linear { inputs: pair[0], outputs: pair[1], bias: true });
        }
        layers.push(LayerConfig::LogSoftmax);
        Self { layers }
    }

    /// Refuses layers that do not fit together; gives the number of inputs and outputs.
    pub fn validate(&self) -> Result<(usize, usize), ConfigError> {
        let mut ends: Option<(usize, usize)> = None;
        for (i, layer) in self.layers.iter().enumerate() {
            let LayerConfig::Linear { inputs, outputs, .. } = *layer else { continue };
            let at = |error: ConfigError| error.within(format!("layers[{i}]"));
            require::at_least_one("inputs", inputs).map_err(at)?;
            require::at_least_one("outputs", outputs).map_err(at)?;
            if let Some((_, before)) = ends
                && before != inputs
            {
                return Err(at(ConfigError::new(
                    "inputs",
                    inputs,
                    format!("must be {before}, the outputs before it"),
                )));
            }
            ends = Some((ends.map_or(inputs, |(first, _)| first), outputs));
        }
        ends.ok_or_else(|| ConfigError::new("layers", "", "must hold at least one Linear layer"))
    }

    /// Validates, then builds the network on tiles that `tile` makes: it gets the number of the layer, its
    /// shape and the key of its devices. Weights and biases start uniform in ± 1/√inputs.
    pub fn build<T: MatVec + ReadOut>(
        &self,
        key: RngKey,
        mut tile: impl FnMut(usize, Shape, RngKey) -> Result<T, ConfigError>,
    ) -> Result<Network<T>, ConfigError> {
        self.validate()?;
        let mut layers = Vec::with_capacity(self.layers.len());
        for (i, layer) in self.layers.iter().enumerate() {
            layers.push(match *layer {
                LayerConfig::Linear { inputs, outputs, bias } => {
                    let key = key.fold_in(i as u64);
                    let tile = tile(i, Shape { outputs, inputs }, key.fold_in(label("devices")))?;
                    let bias = bias.then(|| DVector::zeros(outputs));
                    let mut linear = Linear { tile, bias };
                    linear
                        .initialise(key.fold_in(label("initial weights")))
                        .map_err(|error| ConfigError::new(format!("layers[{i}]"), "", error.to_string()))?;
                    Layer::Linear(linear)
                }
                LayerConfig::Activation { function } => Layer::Activation(function),
                LayerConfig::LogSoftmax => Layer::LogSoftmax,
            });
        }
        Ok(Network { layers })
    }
}

/// One layer of a network over tiles of type `T`.
#[derive(Clone, Debug)]
pub enum Layer<T> {
    /// Fully connected.
    Linear(Linear<T>),
    /// Element-wise function.
    Activation(Activation),
    /// Log-probabilities over the classes.
    LogSoftmax,
}

/// Layers in sequence.
#[derive(Clone, Debug)]
pub struct Network<T> {
    /// Layers from input to output.
    pub layers: Vec<Layer<T>>,
}

/// A tile of the network refused its part.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("layer {layer}: {source}")]
pub struct NetworkError {
    /// Number of the layer.
    pub layer: usize,
    /// What its tile said.
    pub source: TileError,
}

/// What a forward pass leaves behind for the backward pass: the input of every layer, and the output.
#[derive(Clone, Debug)]
pub struct Trace {
    values: Vec<DMatrix<f32>>,
}

impl Trace {
    /// The output of the network, outputs x batch.
    ///
    /// # Panics
    /// Never: a trace holds at least the input.
    #[must_use]
    pub fn output(&self) -> &DMatrix<f32> {
        &self.values[self.values.len() - 1]
    }
}

/// The vectors that an update of one linear layer needs.
#[derive(Clone, Debug)]
pub struct Gradient {
    /// Number of the layer.
    pub layer: usize,
    /// Its inputs, inputs x batch.
    pub x: DMatrix<f32>,
    /// Gradient with respect to its outputs, outputs x batch.
    pub d: DMatrix<f32>,
}

impl<T> Network<T> {
    /// The linear layers with their numbers.
    pub fn linears(&self) -> impl Iterator<Item = (usize, &Linear<T>)> {
        self.layers.iter().enumerate().filter_map(|(i, layer)| match layer {
            Layer::Linear(linear) => Some((i, linear)),
            _ => None,
        })
    }

    /// The linear layers with their numbers, to be changed.
    pub fn linears_mut(&mut self) -> impl Iterator<Item = (usize, &mut Linear<T>)> {
        self.layers.iter_mut().enumerate().filter_map(|(i, layer)| match layer {
            Layer::Linear(linear) => Some((i, linear)),
            _ => None,
        })
    }

    /// The same network with every tile replaced by what `convert` makes of it.
    pub fn try_map_tiles<U, E>(
        &self,
        mut convert: impl FnMut(usize, &T) -> Result<U, E>,
    ) -> Result<Network<U>, E> {
        let layers = self.layers.iter().enumerate().map(|(i, layer)| {
            Ok(match layer {
                Layer::Linear(Linear { tile, bias }) => {
                    Layer::Linear(Linear { tile: convert(i, tile)?, bias: bias.clone() })
                }
                Layer::Activation(function) => Layer::Activation(*function),
                Layer::LogSoftmax => Layer::LogSoftmax,
            })
        });
        Ok(Network { layers: layers.collect::<Result<_, E>>()? })
    }
}

impl<T: MatVec> Network<T> {
    /// Number of outputs; 0 without linear layers.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.linears().last().map_or(0, |(_, linear)| linear.tile.shape().outputs)
    }

    /// Output for every column of `x`, inputs x batch.
    pub fn forward(&self, x: DMatrixView<f32>, draws: SampleKeys) -> Result<DMatrix<f32>, NetworkError> {
        let mut value = x.into_owned();
        for (i, layer) in self.layers.iter().enumerate() {
            value = layer.forward(i, &value, draws)?;
        }
        Ok(value)
    }

    /// As [`Network::forward`], keeping what the backward pass needs.
    pub fn trace(&self, x: DMatrixView<f32>, draws: SampleKeys) -> Result<Trace, NetworkError> {
        let mut values = vec![x.into_owned()];
        for (i, layer) in self.layers.iter().enumerate() {
            values.push(layer.forward(i, &values[i], draws)?);
        }
        Ok(Trace { values })
    }
}

impl<T: MatVec> Layer<T> {
    fn forward(&self, i: usize, x: &DMatrix<f32>, draws: SampleKeys) -> Result<DMatrix<f32>, NetworkError> {
        Ok(match self {
            Self::Linear(linear) => linear
                .forward(x.as_view(), draws.fold_in(i as u64))
                .map_err(|source| NetworkError { layer: i, source })?,
            Self::Activation(function) => x.map(|x| function.value(x)),
            Self::LogSoftmax => log_softmax::forward(x),
        })
    }
}

impl<T: Tile> Network<T> {
    /// Gradients of all linear layers, from the gradient `d` with respect to the output.
    ///
    /// Nothing is propagated further back than the first linear layer.
    pub fn backward(
        &self,
        trace: &Trace,
        d: DMatrix<f32>,
        draws: SampleKeys,
    ) -> Result<Vec<Gradient>, NetworkError> {
        let first = self.linears().next().map_or(0, |(i, _)| i);
        let mut gradients = Vec::new();
        let mut d = d;
        for (i, layer) in self.layers.iter().enumerate().skip(first).rev() {
            let (x, y) = (&trace.values[i], &trace.values[i + 1]);
            d = match layer {
                Layer::Linear(linear) => {
                    let gradient = Gradient { layer: i, x: x.clone(), d };
                    let back = if i > first {
                        let draws = draws.fold_in(i as u64);
                        linear
                            .backward(gradient.d.as_view(), draws)
                            .map_err(|source| NetworkError { layer: i, source })?
                    } else {
                        DMatrix::zeros(0, 0)
                    };
                    gradients.push(gradient);
                    back
                }
                Layer::Activation(function) => function.backward(y, &d),
                Layer::LogSoftmax => log_softmax::backward(y, &d),
            };
        }
        Ok(gradients)
    }

    /// One step of gradient descent in every linear layer, through the tiles' own updates.
    pub fn update(&mut self, gradients: &[Gradient], lr: f32, draws: SampleKeys) -> Result<(), NetworkError> {
        for gradient in gradients {
            let i = gradient.layer;
            if let Layer::Linear(linear) = &mut self.layers[i] {
                let (x, d) = (gradient.x.as_view(), gradient.d.as_view());
                linear
                    .update(x, d, lr, draws.fold_in(i as u64))
                    .map_err(|source| NetworkError { layer: i, source })?;
            }
        }
        Ok(())
    }

    /// What happens to the devices once per mini-batch.
    pub fn end_of_step(&mut self, key: RngKey) {
        for (i, linear) in self.linears_mut() {
            linear.tile.end_of_step(key.fold_in(i as u64));
        }
    }

    /// Everything needed to continue later.
    #[must_use]
    pub fn state(&self) -> State {
        let mut state = State::default();
        for (i, linear) in self.linears() {
            state.nest(&format!("layer{i}"), linear.state());
        }
        state
    }

    /// Takes over a state that [`Network::state`] gave on a network of the same configuration.
    pub fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        for (i, linear) in self.linears_mut() {
            linear.restore(&state.part(&format!("layer{i}")))?;
        }
        Ok(())
    }
}
