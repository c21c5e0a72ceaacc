//! The configuration of a comparison: what is trained, how, and on which devices it is judged.
//!
//! | table | what it says |
//! |---|---|
//! | `seed`, `seeds` | first seed, and number of independent trainings |
//! | `[data]`, `[network]` | as in `cargo xtask train` |
//! | `[baseline]` | training in floating point: its weights are where both retrainings begin |
//! | `[retraining]` | hardware-aware training; with `distillation` the baseline is its teacher |
//! | `equal_training` | retrain also what is converted naively, but in floating point; else the baseline is converted |
//! | `noise_ramp_epochs` | epochs of retraining in which the weight modifier grows to its strength |
//! | `[hardware_aware]` | the tile of every matrix in retraining, presets included; `[[override]]` as in `train` |
//! | `[early_stopping]` | keep the network that was best on drifted devices, judged by held out training samples |
//! | `[[device]]` | a name and the tile of an inference chip |
//! | `[evaluation]` | when and how often to look |

use aimc_device::error::require;
use aimc_device::{ConfigError, config, presets};
use aimc_infer::{EvaluationConfig, InferenceTileConfig};
use aimc_nn::NetworkConfig;
use aimc_tile::HardwareAwareTileConfig;
use aimc_tile::hardware_aware::WeightModifierConfig;
use aimc_train::convert::TileOverride;
use aimc_train::{EarlyStopping, TrainConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::HwaArguments;
use crate::config_file::{self, ConfigFileError};
use crate::train::{DataSection, NetworkSection, TrainingConfig};

/// Everything that determines the results.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HwaConfig {
    /// Seed of the first training; the others follow it by one.
    #[serde(default = "one")]
    pub(crate) seed: u64,
    /// Number of independent trainings; intervals are those of their mean.
    #[serde(default = "five")]
    pub(crate) seeds: u64,
    /// What to learn.
    pub(crate) data: DataSection,
    /// What learns.
    pub(crate) network: NetworkSection,
    /// Training in floating point.
    pub(crate) baseline: TrainConfig,
    /// Hardware-aware training, from the weights of the baseline on.
    pub(crate) retraining: TrainConfig,
    /// Whether the network that is converted naively is retrained as well, with the same batches, rates and teacher but without
    /// hardware: then both networks differ by the hardware alone, not by the length of training.
    #[serde(default = "yes")]
    pub(crate) equal_training: bool,
    /// Epochs of retraining in which the weight modifier grows linearly to its strength; 0 for none.
    pub(crate) noise_ramp_epochs: usize,
    /// The tile of every matrix in retraining.
    pub(crate) hardware_aware: HardwareAwareTileConfig,
    /// Other tiles for some matrices in retraining; the last that fits a name counts.
    #[serde(rename = "override", skip_serializing_if = "Vec::is_empty")]
    pub(crate) overrides: Vec<TileOverride>,
    /// When to end retraining early; none trains to the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) early_stopping: Option<StoppingSection>,
    /// The inference chips; compensation is switched on and off.
    pub(crate) device: Vec<DeviceSection>,
    /// When and how often to look.
    pub(crate) evaluation: EvaluationConfig,
}

fn one() -> u64 {
    1
}

fn yes() -> bool {
    true
}

fn five() -> u64 {
    5
}

/// An inference chip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceSection {
    /// What to call it.
    pub(crate) name: String,
    /// Its tiles.
    #[serde(default)]
    pub(crate) tile: InferenceTileConfig,
}

/// Early stopping by the accuracy on drifted devices, those of the first `[[device]]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StoppingSection {
    /// How often to look and how long to wait.
    pub(crate) rule: EarlyStopping,
    /// Seconds after programming.
    pub(crate) time_seconds: f32,
    /// Programming events, whose mean counts.
    pub(crate) repeats: usize,
    /// Share of the training samples that is held out from both trainings, to look at.
    pub(crate) validation_share: f64,
}

impl Default for StoppingSection {
    fn default() -> Self {
        Self { rule: EarlyStopping::default(), time_seconds: 86_400.0, repeats: 3, validation_share: 0.1 }
    }
}

impl StoppingSection {
    /// When and how often to look.
    pub(crate) fn plan(&self) -> EvaluationConfig {
        let (times_seconds, repeats) = (vec![self.time_seconds], self.repeats);
        EvaluationConfig { times_seconds, repeats, ..EvaluationConfig::default() }
    }

    fn validate(&self, epochs: usize) -> Result<(), ConfigError> {
        self.rule.validate().map_err(|error| error.within("rule"))?;
        let every = self.rule.every_epochs;
        let requirement = format!("must be at most {epochs}, the epochs of retraining");
        require::that(every <= epochs, "rule.every_epochs", every, &requirement)?;
        require::non_negative("time_seconds", self.time_seconds)?;
        require::at_least_one("repeats", self.repeats)?;
        let share = self.validation_share;
        require::that(
            share > 0.0 && share < 1.0,
            "validation_share",
            share,
            "must lie between 0 and 1, both excluded",
        )
    }
}

/// The configuration that the arguments ask for, validated as far as it can be without the data.
pub(crate) fn load(arguments: &HwaArguments) -> Result<HwaConfig, ConfigFileError> {
    config_file::read(&arguments.config, |mut tree| {
        if let Some(seed) = arguments.seed {
            config::merge(&mut tree, json!({ "seed": seed }));
        }
        if let Some(seeds) = arguments.seeds {
            config::merge(&mut tree, json!({ "seeds": seeds }));
        }
        decode(tree)
    })
}

/// The configuration that a tree stands for.
pub(crate) fn decode(tree: Value) -> Result<HwaConfig, ConfigError> {
    let config: HwaConfig = config::decode(presets::resolve(tree, config_file::PRESETS)?)?;
    config.validate()?;
    Ok(config)
}

impl HwaConfig {
    fn validate(&self) -> Result<(), ConfigError> {
        require::that(self.seeds >= 1, "seeds", self.seeds, "must be at least 1")?;
        let last = self.seed.checked_add(self.seeds - 1);
        require::that(last.is_some(), "seed", self.seed, "must leave room for the seeds after it")?;
        self.baseline.validate().map_err(|error| error.within("baseline"))?;
        if self.baseline.distillation.is_some() {
            let requirement = "must be left out: the baseline is the teacher";
            return Err(ConfigError::new("baseline.distillation", "", requirement));
        }
        self.retraining.validate().map_err(|error| error.within("retraining"))?;
        self.validate_ramp()?;
        // Data, network and tiles are judged as those of a training.
        self.baseline_stage(self.seed).validate()?;
        self.retraining_stage(self.seed, 1).validate()?;
        if let Some(stopping) = &self.early_stopping {
            stopping.validate(self.retraining.epochs).map_err(|error| error.within("early_stopping"))?;
        }
        if self.device.is_empty() {
            return Err(ConfigError::new("device", "", "is missing: at least one [[device]]"));
        }
        for (i, device) in self.device.iter().enumerate() {
            device.tile.validate().map_err(|error| error.within(format!("device[{i}].tile")))?;
            let unique = self.device[..i].iter().all(|other| other.name != device.name);
            let field = format!("device[{i}].name");
            require::that(unique, &field, &device.name, "must differ from the names before it")?;
        }
        self.evaluation.validate().map_err(|error| error.within("evaluation"))
    }

    fn validate_ramp(&self) -> Result<(), ConfigError> {
        if self.noise_ramp_epochs == 0 {
            return Ok(());
        }
        let modifiers = || self.clone().into_modifiers();
        let requirement = "must be 0 where no weight modifier grows";
        let any = modifiers().iter().any(WeightModifierConfig::is_active);
        require::that(any, "noise_ramp_epochs", self.noise_ramp_epochs, requirement)?;
        let own = modifiers().iter().any(|modifier| modifier.warmup_steps > 0);
        let requirement = "must be 0 where a modifier has warmup_steps of its own";
        require::that(!own, "noise_ramp_epochs", self.noise_ramp_epochs, requirement)
    }

    fn into_modifiers(mut self) -> Vec<WeightModifierConfig> {
        self.modifiers_mut().map(|modifier| modifier.clone()).collect()
    }

    fn modifiers_mut(&mut self) -> impl Iterator<Item = &mut WeightModifierConfig> {
        let others = self.overrides.iter_mut().filter_map(|other| other.hardware_aware.as_mut());
        [&mut self.hardware_aware].into_iter().chain(others).map(|tile| &mut tile.modifier)
    }

    /// The seeds of the trainings.
    pub(crate) fn all_seeds(&self) -> impl Iterator<Item = u64> + use<> {
        self.seed..=self.seed + (self.seeds - 1)
    }

    /// The training in floating point.
    pub(crate) fn baseline_stage(&self, seed: u64) -> TrainingConfig {
        TrainingConfig {
            seed,
            data: self.data.clone(),
            network: self.network.clone(),
            training: self.baseline.clone(),
            tile: None,
            hardware_aware: None,
            overrides: Vec::new(),
        }
    }

    /// The retraining in floating point.
    pub(crate) fn equal_stage(&self, seed: u64) -> TrainingConfig {
        TrainingConfig { training: self.retraining.clone(), ..self.baseline_stage(seed) }
    }

    /// The hardware-aware training on `samples` samples.
    pub(crate) fn retraining_stage(&self, seed: u64, samples: usize) -> TrainingConfig {
        let mut ramped = self.clone();
        let TrainConfig { batch_size, accumulate, .. } = self.retraining;
        let per_epoch = samples.div_ceil(batch_size).div_ceil(accumulate);
        if self.noise_ramp_epochs > 0 {
            let steps = (self.noise_ramp_epochs * per_epoch) as u64;
            ramped.modifiers_mut().for_each(|modifier| modifier.warmup_steps = steps);
        }
        TrainingConfig {
            hardware_aware: Some(ramped.hardware_aware),
            overrides: ramped.overrides,
            ..self.equal_stage(seed)
        }
    }

    /// The network for the data; both trainings must want the same.
    pub(crate) fn network(&self, shape: &[usize], classes: usize) -> Result<NetworkConfig, ConfigError> {
        let of = |stage: TrainingConfig, name: &str| {
            stage.network(shape, classes).map_err(|mut error| {
                if let Some(rest) = error.field.strip_prefix("training.") {
                    error.field = format!("{name}.{rest}");
                }
                error
            })
        };
        let network = of(self.baseline_stage(self.seed), "baseline")?;
        let same = of(self.retraining_stage(self.seed, 1), "retraining")? == network;
        let loss = format!("{:?}", self.retraining.loss);
        require::that(
            same,
            "retraining.loss",
            loss,
            "must suit the network that the loss of baseline suits",
        )?;
        Ok(network)
    }
}
