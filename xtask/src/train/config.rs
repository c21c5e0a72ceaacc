//! The configuration of a training: data, network, training, and a tile for every matrix.
//!
//! | table | what it says |
//! |---|---|
//! | `seed` | seed of all draws |
//! | `[data]` | `set` (digits, mnist, cifar10, npz, text), `path` of its files, `name` for the report |
//! | `[network]` | `layers` and the shape `input` of a sample, or `mlp` with hidden layers alone |
//! | `[training]` | epochs, batches, learning rate, loss, optimizer, schedule |
//! | `[tile]` | the analog tile of every matrix, presets included |
//! | `[hardware_aware]` | instead, their tile for hardware-aware training; with neither matrices are digital |
//! | `[[override]]` | another tile for the matrices whose names fit a pattern; see [`super::tiles`] |

use std::path::PathBuf;

use aimc_device::error::require;
use aimc_device::{ConfigError, config, presets};
use aimc_nn::{LayerConfig, Loss, NetworkConfig};
use aimc_tile::HardwareAwareTileConfig;
use aimc_train::convert::TileOverride;
use aimc_train::{TrainConfig, TrainingTileConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::TrainArguments;
use crate::config_file::{self, ConfigFileError};
use crate::data::{self, DataChoice, DataError, DataName, MNIST_FOLDER, Split};
use crate::network_shape::NetworkShape;

/// Everything that determines the results of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrainingConfig {
    /// Seed of all draws.
    #[serde(default = "one")]
    pub(crate) seed: u64,
    /// What to learn.
    #[serde(default)]
    pub(crate) data: DataSection,
    /// What learns.
    pub(crate) network: NetworkSection,
    /// How it is trained.
    #[serde(default)]
    pub(crate) training: TrainConfig,
    /// The analog tile of every matrix; with neither this nor `hardware_aware` they lie in digital memory: floating point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tile: Option<TrainingTileConfig>,
    /// Their tile for hardware-aware training: digital memory, read through analog circuits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hardware_aware: Option<HardwareAwareTileConfig>,
    /// Other tiles for some matrices; the last that fits a name counts.
    #[serde(default, rename = "override", skip_serializing_if = "Vec::is_empty")]
    pub(crate) overrides: Vec<TileOverride>,
}

fn one() -> u64 {
    1
}

/// Which data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DataSection {
    /// Data set; `mnist` stands for any four IDX files with the names of MNIST's, Fashion-MNIST for one.
    pub(crate) set: DataName,
    /// Folder or file, from the working directory; where `cargo xtask data mnist` puts its files if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<PathBuf>,
    /// Characters of a sample of a text; 32 if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) window: Option<usize>,
    /// What to call the data in the report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

impl DataSection {
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        match (self.set, &self.path) {
            (DataName::Digits, Some(path)) => {
                let requirement = "must be left out: the digits come with the program";
                return Err(ConfigError::new("path", path.display(), requirement));
            }
            (DataName::Cifar10 | DataName::Npz | DataName::Text, None) => {
                return Err(ConfigError::new("path", "", "is missing: where the data are"));
            }
            _ => {}
        }
        match self.window {
            Some(window) if self.set != DataName::Text => {
                Err(ConfigError::new("window", window, "must be left out: only texts are cut into windows"))
            }
            Some(window) => require::at_least_one("window", window),
            None => Ok(()),
        }
    }

    /// The data, by the name they are given here.
    pub(crate) fn load(&self) -> Result<Split, DataError> {
        let mut data = data::load(&self.choice())?;
        if let Some(name) = &self.name {
            data.name.clone_from(name);
        }
        Ok(data)
    }

    fn choice(&self) -> DataChoice {
        self.set.at(self.path.as_deref().unwrap_or(MNIST_FOLDER.as_ref()), self.window.unwrap_or(32))
    }
}

/// The network, layer by layer or by its hidden layers alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NetworkSection {
    /// A multi-layer perceptron by its hidden layers, instead of `layers`; it ends as the loss asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mlp: Option<NetworkShape>,
    /// Shape of a sample: \[features\], \[channels, height, width\], \[steps, features\]; that of the data if left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) input: Vec<usize>,
    /// Layers from input to output.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) layers: Vec<LayerConfig>,
}

/// The configuration that the arguments ask for, validated as far as it can be without the data.
pub(crate) fn load(arguments: &TrainArguments) -> Result<TrainingConfig, ConfigFileError> {
    config_file::read(&arguments.config, |mut tree| {
        if let Some(seed) = arguments.seed {
            config::merge(&mut tree, json!({ "seed": seed }));
        }
        if let Some(epochs) = arguments.epochs {
            config::merge(&mut tree, json!({ "training": { "epochs": epochs } }));
        }
        decode(tree)
    })
}

/// The configuration that a tree stands for.
pub(crate) fn decode(tree: Value) -> Result<TrainingConfig, ConfigError> {
    let config: TrainingConfig = config::decode(presets::resolve(tree, config_file::PRESETS)?)?;
    config.validate()?;
    if config.training.distillation.is_some() {
        let requirement = "must be left out: this command has no teacher; `cargo xtask hwa` has";
        return Err(ConfigError::new("training.distillation", "", requirement));
    }
    Ok(config)
}

impl TrainingConfig {
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        self.data.validate().map_err(|error| error.within("data"))?;
        self.network.validate().map_err(|error| error.within("network"))?;
        self.training.validate().map_err(|error| error.within("training"))?;
        self.rules().validate()
    }

    /// The network for data of `classes` whose samples have `shape`; refuses one that does not fit them or the loss.
    pub(crate) fn network(&self, shape: &[usize], classes: usize) -> Result<NetworkConfig, ConfigError> {
        let network = match &self.network.mlp {
            Some(mlp) => {
                let mut network = mlp.network(shape.iter().product(), classes);
                if self.training.loss != Loss::NegativeLogLikelihood {
                    // The other losses take scores.
                    network.layers.pop();
                }
                network
            }
            None => self.network.for_data(shape).map_err(|error| error.within("network"))?,
        };
        let (_, outputs) = network.validate().map_err(|error| error.within("network"))?;
        let (outputs, wanted) = (
            outputs.iter().product::<usize>(),
            format!("must be at least {classes}, the classes of the data"),
        );
        require::that(outputs >= classes, "network: number of outputs", outputs, &wanted)?;
        self.check_end(&network)?;
        Ok(network)
    }

    /// Losses of log-probabilities and losses of scores need different ends.
    fn check_end(&self, network: &NetworkConfig) -> Result<(), ConfigError> {
        let logs = matches!(network.layers.last(), Some(LayerConfig::LogSoftmax(_)));
        let requirement = match self.training.loss {
            Loss::NegativeLogLikelihood if !logs => {
                "needs a network that ends in LogSoftmax; CrossEntropy takes one without it"
            }
            Loss::MeanSquare | Loss::BinaryCrossEntropy if logs => {
                "needs a network that does not end in LogSoftmax"
            }
            _ => return Ok(()),
        };
        Err(ConfigError::new("training.loss", format!("{:?}", self.training.loss), requirement))
    }
}

impl NetworkSection {
    fn validate(&self) -> Result<(), ConfigError> {
        let layers = self.layers.len();
        match &self.mlp {
            Some(mlp) => {
                mlp.validate().map_err(|error| error.within("mlp"))?;
                let input = &self.input;
                require::that(
                    layers == 0,
                    "layers",
                    format!("{layers} layers"),
                    "must be left out beside mlp",
                )?;
                require::that(
                    input.is_empty(),
                    "input",
                    input,
                    "must be left out beside mlp: the data tell it",
                )
            }
            None if layers == 0 => {
                Err(ConfigError::new("layers", "", "is missing: a list of layers, or mlp with hidden layers"))
            }
            None => Ok(()),
        }
    }

    /// The layers with the shape of their input; refuses one that the data do not have.
    fn for_data(&self, shape: &[usize]) -> Result<NetworkConfig, ConfigError> {
        let (features, layers) = (shape.iter().product::<usize>(), self.layers.clone());
        if self.input.is_empty() {
            let network = NetworkConfig { input: shape.to_vec(), layers };
            // Layers that state their inputs say so themselves where they do not fit.
            network.validate()?;
            return Ok(network);
        }
        let product = self.input.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
        // An image has its channels and sides; lists and sequences may cut its features as they like.
        let fits = product == Some(features) && (self.input.len() < 3 || self.input == shape);
        let requirement = format!("must be {shape:?}, the shape of the data, or [{features}]");
        require::that(fits, "input", &self.input, &requirement)?;
        Ok(NetworkConfig { input: self.input.clone(), layers })
    }
}
