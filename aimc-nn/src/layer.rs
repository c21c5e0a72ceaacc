//! All layers, listed once: the description of a layer, the layer itself, and how one becomes the other.
//!
//! To add a layer: write its file (a record that is a [`Record`], a layer that is a [`Module`]), then add one line to each
//! of the lists below.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use aimc_device::RngKey;
use aimc_device::config;
use aimc_device::error::ConfigError;
use aimc_device::rng::label;
use aimc_tile::{MatVec, ReadOut, Shape};

use crate::activation::{Activation, ActivationConfig};
use crate::attention::{Attention, AttentionConfig};
use crate::composite::{Branches, ConcatConfig, EachStep, EachStepConfig, ResidualConfig};
use crate::conv::{Conv, ConvConfig};
use crate::dropout::Dropout;
use crate::embedding::{Embedding, EmbeddingConfig, Positions, PositionsConfig};
use crate::flatten::{FlattenConfig, Reshape, ReshapeConfig};
use crate::linear::{Convert, Linear, LinearConfig};
use crate::log_softmax::LogSoftmax;
use crate::module::{Module, join};
use crate::norm::{BatchNorm, BatchNormConfig, LayerNorm, LayerNormConfig};
use crate::pool::{AdaptivePoolConfig, Pool, PoolConfig};
use crate::quantize::{Quantize, QuantizeConfig};
use crate::recurrent::{Recurrent, RecurrentConfig};
use crate::transposed_conv::{TransposedConv, TransposedConvConfig};

/// The description of a layer.
pub trait Record {
    /// Shape of the outputs for samples of shape `inputs`; refuses parameters and shapes that do not fit.
    fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError>;

    /// Digital operations per sample (sums, products, comparisons and functions of one number each) beside the products of
    /// tiles and biases, for samples of a shape that [`Record::outputs`] has accepted; one per output unless a layer says more.
    fn operations(&self, inputs: &[usize]) -> u64 {
        self.outputs(inputs).map_or(0, |outputs| outputs.iter().product::<usize>() as u64)
    }

    /// The layer; [`Record::outputs`] has been asked before.
    fn build<T: MatVec + ReadOut>(
        &self,
        inputs: &[usize],
        site: &mut Site<'_, T>,
    ) -> Result<Layer<T>, ConfigError>;
}

/// What a tile is wanted for.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Name of the tile.
    pub name: &'a str,
    /// Size of the matrix.
    pub shape: Shape,
    /// Whether the layer has a bias, which the tile may hold; where it does not, the layer does.
    pub bias: bool,
    /// Key of the devices.
    pub key: RngKey,
}

/// Makes the tile for a place.
pub type MakeTile<'a, T> = dyn FnMut(&Place<'_>) -> Result<T, ConfigError> + 'a;

/// Where a layer is built: its name, the key of its draws, and who makes its tiles.
pub struct Site<'a, T> {
    /// Name of the layer.
    pub name: String,
    /// Key of its devices and first weights.
    pub key: RngKey,
    make: &'a mut MakeTile<'a, T>,
}

impl<T> std::fmt::Debug for Site<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<'a, T> Site<'a, T> {
    /// The site of a whole network.
    pub fn new(name: String, key: RngKey, make: &'a mut MakeTile<'a, T>) -> Self {
        Self { name, key, make }
    }
}

impl<T: MatVec + ReadOut> Site<'_, T> {
    /// The site of a part of the layer; the part without a name is the layer itself.
    pub fn part(&mut self, part: &str) -> Site<'_, T> {
        let (name, key) = match part {
            "" => (self.name.clone(), self.key),
            part => (join(&self.name, part), self.key.fold_in(label(part))),
        };
        Site { name, key, make: &mut *self.make }
    }

    /// A tile with a bias, both at their first weights.
    pub fn linear(&mut self, part: &str, shape: Shape, bias: bool) -> Result<Linear<T>, ConfigError> {
        let site = self.part(part);
        let name = join(&site.name, "tile");
        let place = Place { name: &name, shape, bias, key: site.key.fold_in(label("devices")) };
        let tile = (site.make)(&place)?;
        Linear::new(tile, bias, site.key.fold_in(label("initial weights")))
            .map_err(|error| ConfigError::new(&site.name, "", error.to_string()))
    }

    /// Several of them alike; a single one is the layer itself.
    pub fn groups(&mut self, count: usize, shape: Shape, bias: bool) -> Result<Vec<Linear<T>>, ConfigError> {
        let part = |g| if count == 1 { String::new() } else { format!("group{g}") };
        (0..count).map(|g| self.linear(&part(g), shape, bias)).collect()
    }
}

/// Lists the descriptions once: from it follow the enum, its parser, and the way to the layers.
macro_rules! records {
    ($($(#[$doc:meta])* $name:ident($record:ty),)*) => {
        /// The description of a layer, chosen by the field `layer`.
        #[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
        #[serde(tag = "layer")]
        pub enum LayerConfig {
            $($(#[$doc])* $name($record),)*
        }

        impl<'de> Deserialize<'de> for LayerConfig {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                config::tagged(deserializer, "layer", &[
                    $((stringify!($name), |table| config::decode(table).map(Self::$name)),)*
                ])
            }
        }

        impl LayerConfig {
            /// What the field `layer` says.
            #[must_use]
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($name),)* }
            }
        }

        impl Record for LayerConfig {
            fn operations(&self, inputs: &[usize]) -> u64 {
                match self { $(Self::$name(record) => record.operations(inputs),)* }
            }

            fn outputs(&self, inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
                match self { $(Self::$name(record) => record.outputs(inputs),)* }
            }

            fn build<T: MatVec + ReadOut>(
                &self,
                inputs: &[usize],
                site: &mut Site<'_, T>,
            ) -> Result<Layer<T>, ConfigError> {
                match self { $(Self::$name(record) => record.build(inputs, site),)* }
            }
        }

        $(impl From<$record> for LayerConfig {
            fn from(record: $record) -> Self {
                Self::$name(record)
            }
        })*
    };
}

records! {
    /// Fully connected, W on a tile.
    Linear(LinearConfig),
    /// Convolution, W on a tile.
    Conv(ConvConfig),
    /// Transposed convolution, W on a tile.
    TransposedConv(TransposedConvConfig),
    /// RNN, LSTM or GRU, weights on tiles.
    Recurrent(RecurrentConfig),
    /// Multi-head attention, projections on tiles.
    Attention(AttentionConfig),
    /// Element-wise function.
    Activation(ActivationConfig),
    /// Log-probabilities over the classes.
    LogSoftmax(LogSoftmax),
    /// Largest or mean value under a window.
    Pool(PoolConfig),
    /// Mean of a wanted number of parts.
    AdaptivePool(AdaptivePoolConfig),
    /// Normalisation over the samples.
    BatchNorm(BatchNormConfig),
    /// Normalisation over the features.
    LayerNorm(LayerNormConfig),
    /// Loses features while training.
    Dropout(Dropout),
    /// Rounds to few bits.
    Quantize(QuantizeConfig),
    /// Vectors for tokens.
    Embedding(EmbeddingConfig),
    /// Vectors added to positions.
    Positions(PositionsConfig),
    /// A list of features.
    Flatten(FlattenConfig),
    /// Another shape.
    Reshape(ReshapeConfig),
    /// The input added to what layers make of it.
    Residual(ResidualConfig),
    /// Branches side by side.
    Concat(ConcatConfig),
    /// Layers for every step of a sequence.
    EachStep(EachStepConfig),
}

/// Lists the layers once: those that hold tiles, then those that do not.
macro_rules! layers {
    ($($(#[$doc:meta])* $tiled:ident,)* ; $($(#[$digital_doc:meta])* $digital:ident,)*) => {
        /// One layer of a network over tiles of type `T`.
        #[derive(Clone, Debug)]
        pub enum Layer<T> {
            $($(#[$doc])* $tiled($tiled<T>),)*
            $($(#[$digital_doc])* $digital($digital),)*
        }

        impl<T> Layer<T> {
            /// What the layer does.
            #[must_use]
            pub fn module(&self) -> &dyn Module<T> {
                match self {
                    $(Self::$tiled(layer) => layer,)*
                    $(Self::$digital(layer) => layer,)*
                }
            }

            /// The same, to be changed.
            pub fn module_mut(&mut self) -> &mut dyn Module<T> {
                match self {
                    $(Self::$tiled(layer) => layer,)*
                    $(Self::$digital(layer) => layer,)*
                }
            }

            /// The same layer with every tile replaced by what `convert` makes of it and its name.
            pub fn try_map<U, E>(
                &self,
                name: &str,
                convert: &mut Convert<'_, T, U, E>,
            ) -> Result<Layer<U>, E> {
                Ok(match self {
                    $(Self::$tiled(layer) => Layer::$tiled(layer.try_map(name, convert)?),)*
                    $(Self::$digital(layer) => Layer::$digital(layer.clone()),)*
                })
            }
        }
    };
}

layers! {
    /// Fully connected.
    Linear,
    /// Convolution.
    Conv,
    /// Transposed convolution.
    TransposedConv,
    /// RNN, LSTM or GRU.
    Recurrent,
    /// Multi-head attention.
    Attention,
    /// Chains of layers on the same input.
    Branches,
    /// Layers for every step of a sequence.
    EachStep,
    ;
    /// Element-wise function.
    Activation,
    /// Log-probabilities over the classes.
    LogSoftmax,
    /// Largest or mean values.
    Pool,
    /// Normalisation over the samples.
    BatchNorm,
    /// Normalisation over the features.
    LayerNorm,
    /// Loses features while training.
    Dropout,
    /// Rounds to few bits.
    Quantize,
    /// Vectors for tokens.
    Embedding,
    /// Vectors added to positions.
    Positions,
    /// Another shape of the same numbers.
    Reshape,
}

/// Shape of the outputs of layers one after the other.
pub(crate) fn chain_outputs(layers: &[LayerConfig], inputs: &[usize]) -> Result<Vec<usize>, ConfigError> {
    let mut shape = inputs.to_vec();
    for (i, layer) in layers.iter().enumerate() {
        shape = layer.outputs(&shape).map_err(|error| error.within(format!("[{i}]")))?;
    }
    Ok(shape)
}

/// Digital operations of layers one after the other, whose shapes have been checked.
pub(crate) fn chain_operations(layers: &[LayerConfig], inputs: &[usize]) -> u64 {
    let mut shape = inputs.to_vec();
    let mut sum = 0;
    for layer in layers {
        sum += layer.operations(&shape);
        shape = layer.outputs(&shape).unwrap_or_default();
    }
    sum
}

/// Layers one after the other; their shapes have been checked.
pub(crate) fn build_chain<T: MatVec + ReadOut>(
    layers: &[LayerConfig],
    inputs: &[usize],
    site: &mut Site<'_, T>,
) -> Result<Vec<Layer<T>>, ConfigError> {
    let mut shape = inputs.to_vec();
    let mut built = Vec::with_capacity(layers.len());
    for (i, layer) in layers.iter().enumerate() {
        let mut inner = site.part("");
        inner.name = join(&inner.name, &i.to_string());
        inner.key = inner.key.fold_in(i as u64);
        built.push(layer.build(&shape, &mut inner)?);
        shape = layer.outputs(&shape)?;
    }
    Ok(built)
}
