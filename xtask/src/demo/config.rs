//! The configuration of the demo: the default text, a user's file over it, the command line over both.

use aimc_device::error::require;
use aimc_device::{ConfigError, config, presets};
use aimc_infer::{EvaluationConfig, InferenceTileConfig};
use aimc_tile::TileConfig;
use aimc_train::TrainConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{DemoArguments, DemoError};
use crate::config_file;
use crate::network_shape::NetworkShape;

const DEFAULT: &str = include_str!("default.toml");

/// Everything that determines the results of the demo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DemoConfig {
    /// Seed of all draws.
    pub(crate) seed: u64,
    /// Shape of the network.
    pub(crate) network: NetworkShape,
    /// How each network is trained.
    pub(crate) training: TrainConfig,
    /// How the trainings are compared.
    pub(crate) comparison: Comparison,
    /// The tiles to train on, beside floating point.
    pub(crate) devices: Devices,
    /// The picture of the device population.
    pub(crate) pulse_response: PulseResponse,
    /// The inference chip.
    pub(crate) inference: Inference,
}

/// How trainings are compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Comparison {
    /// Independent trainings per tile.
    pub(crate) repeats: usize,
}

/// The two tiles that floating point is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Devices {
    /// Good devices.
    pub(crate) good: TileConfig,
    /// Devices whose up and down steps differ.
    pub(crate) asymmetric: TileConfig,
}

/// The picture of the device population.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PulseResponse {
    /// Number of devices.
    pub(crate) devices: usize,
    /// Pulses in each direction; 0 means as many as take the mean device across its range.
    pub(crate) pulses: usize,
}

/// The inference chip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inference {
    /// Its tiles; measured without drift compensation and with the one given here (global, where it is none).
    pub(crate) tile: InferenceTileConfig,
    /// Number of programming events.
    pub(crate) repeats: usize,
    /// Seconds after programming at which accuracy is measured.
    pub(crate) times_seconds: Vec<f32>,
}

impl Inference {
    /// The plan of the evaluation.
    pub(crate) fn plan(&self) -> EvaluationConfig {
        EvaluationConfig {
            times_seconds: self.times_seconds.clone(),
            repeats: self.repeats,
            ..EvaluationConfig::default()
        }
    }
}

/// The configuration that the arguments ask for, validated.
pub(crate) fn load(arguments: &DemoArguments) -> Result<DemoConfig, DemoError> {
    let mut tree = config::parse_toml(DEFAULT)?;
    match &arguments.config {
        Some(file) => Ok(config_file::read(file, |over| {
            config::merge(&mut tree, over);
            read(tree, arguments)
        })?),
        None => Ok(read(tree, arguments)?),
    }
}

fn read(mut tree: Value, arguments: &DemoArguments) -> Result<DemoConfig, ConfigError> {
    if let Some(seed) = arguments.seed {
        config::merge(&mut tree, json!({ "seed": seed }));
    }
    if let Some(epochs) = arguments.epochs {
        config::merge(&mut tree, json!({ "training": { "epochs": epochs } }));
    }
    if let Some(name) = &arguments.preset {
        tree["devices"]["good"] = preset_tile(name)?;
    }
    let tree = presets::resolve(tree, config_file::PRESETS)?;
    let demo: DemoConfig = config::decode(tree)?;
    demo.validate()?;
    Ok(demo)
}

/// A tile of that preset, be it one of a whole tile or of a device.
fn preset_tile(name: &str) -> Result<Value, ConfigError> {
    let has = |list: &[presets::Preset]| list.iter().any(|preset| preset.name == name);
    let is_device = has(presets::DEVICES);
    let is_tile = name.ends_with("Preset") && has(aimc_tile::presets::TILES);
    if is_tile {
        Ok(json!({ "preset": name }))
    } else if is_device {
        Ok(json!({ "device": { "preset": name } }))
    } else {
        let tiles = aimc_tile::presets::TILES.iter().filter(|preset| preset.name.ends_with("Preset"));
        let known: Vec<&str> = tiles.chain(presets::DEVICES).map(|preset| preset.name).collect();
        Err(ConfigError::new("--preset", name, format!("is unknown; known are {}", known.join(", "))))
    }
}

impl DemoConfig {
    fn validate(&self) -> Result<(), ConfigError> {
        self.network.validate().map_err(|error| error.within("network"))?;
        self.training.validate().map_err(|error| error.within("training"))?;
        require::that(
            self.comparison.repeats >= 2,
            "comparison.repeats",
            self.comparison.repeats,
            "must be at least 2, for an error bar",
        )?;
        self.devices.good.validate().map_err(|error| error.within("devices.good"))?;
        self.devices.asymmetric.validate().map_err(|error| error.within("devices.asymmetric"))?;
        require::at_least_one("pulse_response.devices", self.pulse_response.devices)?;
        self.inference.tile.validate().map_err(|error| error.within("inference.tile"))?;
        require::that(
            self.inference.repeats >= 2,
            "inference.repeats",
            self.inference.repeats,
            "must be at least 2, for an error bar",
        )?;
        self.inference.plan().validate().map_err(|error| error.within("inference"))?;
        let first = self.inference.times_seconds[0];
        require::positive("inference.times_seconds[0]", first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments() -> DemoArguments {
        DemoArguments::default()
    }

    #[test]
    fn the_default_is_valid_and_names_its_presets_values() {
        let demo = load(&arguments()).unwrap();
        assert_eq!(demo.devices.good.forward.out_bound, 20.0);
        assert_eq!(demo.inference.tile.forward.out_bound, 10.0);
    }

    #[test]
    fn the_command_line_overrides() {
        let demo = load(&DemoArguments {
            seed: Some(9),
            epochs: Some(2),
            preset: Some("Idealized".into()),
            ..arguments()
        })
        .unwrap();
        assert_eq!((demo.seed, demo.training.epochs), (9, 2));
        let error = load(&DemoArguments { preset: Some("Nope".into()), ..arguments() }).unwrap_err();
        assert!(error.to_string().contains("GokmenVlasov"), "{error}");
    }

    /// Every mistake is answered by one line with the full path of the field.
    #[test]
    fn mistakes_in_a_file_are_named() {
        for (text, expected) in [
            (
                "[devices.good.device]\ndw_min = -1.0",
                "devices.good.device.dw_min = -1.0: must be a finite number above 0",
            ),
            ("[devices.good.device]\ndw_mim = 1.0", "devices.good.device.dw_mim: is no known field"),
            ("[training]\nlearning_rate = nan", "training.learning_rate = NaN: must be a finite number"),
            ("[training]\nepochs = 0", "training.epochs = 0: must be at least 1"),
            ("[training]\nepochs = \"ten\"", "training.epochs = \"ten\": invalid type"),
            (
                "[inference.tile.device]\nmodel = \"Flux\"",
                "inference.tile.device.model = \"Flux\": must be one of",
            ),
            ("[devices.good]\npreset = \"Flux\"", "devices.good.preset = \"Flux\": is unknown"),
            ("seed = ", "is no valid TOML"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("demo.toml");
            std::fs::write(&file, text).unwrap();
            let message = load(&DemoArguments { config: Some(file), ..arguments() }).unwrap_err().to_string();
            assert!(message.contains(expected) && message.lines().count() == 1, "{text}: {message}");
        }
    }
}
