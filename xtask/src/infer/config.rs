//! The configuration of an inference: the data, the chip, and when and how often to look.

use aimc_device::programmed::ProgrammedDevice;
use aimc_device::{ConfigError, config, presets};
use aimc_infer::programming::WeightProgramming;
use aimc_infer::{CalibrationConfig, EvaluationConfig, InferenceTileConfig, Technology};
use aimc_nn::NetworkConfig;
use aimc_nn::import::Names;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::InferArguments;
use crate::config_file::{self, ConfigFileError};
use crate::train::DataSection;

/// Everything that determines the results, beside the model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct InferConfig {
    /// Seed of all draws.
    pub(crate) seed: u64,
    /// Data to judge by: their test samples.
    pub(crate) data: DataSection,
    /// The network, for files that do not describe it: state dicts of PyTorch, saved as safetensors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) network: Option<NetworkConfig>,
    /// Shape of a sample for ONNX graphs, where it is not that of the data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) input: Vec<usize>,
    /// Which module of such a file is which layer (`layer0 = "conv1"`), where the order does not tell.
    pub(crate) names: Names,
    /// The tiles of the chip; measured without drift compensation and with the one given here (global, where it is none).
    pub(crate) tile: InferenceTileConfig,
    /// Search for a converter that suits the devices and the weights, and takes the place of that of the tiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) weight_programming: Option<WeightProgramming>,
    /// Calibration of the ranges of converters, on training samples; none if it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) calibration: Option<CalibrationConfig>,
    /// Chips whose energy, latency and area are estimated; the published ones if it is left out.
    #[serde(default = "Technology::published")]
    pub(crate) cost: Vec<Technology>,
    /// When and how often.
    pub(crate) evaluation: EvaluationConfig,
    /// Programming events of the sensitivity to single layers; 0 leaves it out.
    pub(crate) sensitivity_repeats: usize,
}

/// The configuration that the arguments ask for, validated.
pub(crate) fn load(arguments: &InferArguments) -> Result<InferConfig, ConfigFileError> {
    config_file::read(&arguments.config, |mut tree| {
        if let Some(seed) = arguments.seed {
            config::merge(&mut tree, json!({ "seed": seed }));
        }
        decode(tree)
    })
}

/// The configuration that a tree stands for.
pub(crate) fn decode(tree: Value) -> Result<InferConfig, ConfigError> {
    let config: InferConfig = config::decode(presets::resolve(tree, config_file::PRESETS)?)?;
    config.validate()?;
    Ok(config)
}

impl InferConfig {
    fn validate(&self) -> Result<(), ConfigError> {
        self.data.validate().map_err(|error| error.within("data"))?;
        if let Some(network) = &self.network {
            network.validate().map_err(|error| error.within("network"))?;
        }
        self.tile.validate().map_err(|error| error.within("tile"))?;
        if let Some(wanted) = &self.weight_programming {
            wanted.validate(self.tile.device.g_max()).map_err(|error| error.within("weight_programming"))?;
        }
        if let Some(calibration) = &self.calibration {
            calibration.validate().map_err(|error| error.within("calibration"))?;
            calibration.check_tile(&self.tile)?;
        }
        for (i, technology) in self.cost.iter().enumerate() {
            technology.validate().map_err(|error| error.within(format!("cost[{i}]")))?;
        }
        self.evaluation.validate().map_err(|error| error.within("evaluation"))
    }
}
