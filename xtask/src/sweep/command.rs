//! Commands that can be swept. One line in [`COMMANDS`] enrols another: a function that turns the tree of a configuration into a
//! [`Job`].

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aimc_device::ConfigError;
use aimc_device::error::require;
use serde::Serialize;
use serde_json::{Value, json};

use super::cache::hash;
use crate::data::{DataError, Split};
use crate::hwa::{self, HwaConfig};
use crate::infer::{self, InferConfig};
use crate::interrupt;
use crate::train::session::resolved;
use crate::train::{self, DataSection, TrainingConfig};

/// What may go wrong in a run; told with the point it belongs to.
pub(crate) type JobError = Box<dyn Error + Send + Sync>;

/// One run of a command.
pub(crate) trait Job: Send + Sync {
    /// Everything that determines the results, beside the program: the complete configuration, and what its files hold.
    fn identity(&self) -> &Value;

    /// Refuses what only shows when the network is built.
    fn check(&self) -> Result<(), JobError>;

    /// Runs to the end; none if Ctrl-C stops it. `scratch` is a folder for what an interrupted run wants to find again.
    fn run(&self, scratch: &Path) -> Result<Option<Value>, JobError>;
}

/// Turns the tree of a configuration into a run.
type Prepare = fn(Value, &mut Inputs) -> Result<Box<dyn Job>, JobError>;

/// A command by its name.
#[derive(Clone, Copy)]
pub(crate) struct Command {
    /// As in `cargo xtask NAME`.
    pub(crate) name: &'static str,
    /// The run that the tree of a configuration stands for, validated.
    pub(crate) job: Prepare,
}

/// All commands that can be swept.
pub(crate) const COMMANDS: &[Command] = &[
    Command { name: "train", job: Training::prepare },
    Command { name: "infer", job: Inference::prepare },
    Command { name: "hwa", job: Comparison::prepare },
];

/// The command `name`.
pub(crate) fn find(name: &str) -> Result<Command, ConfigError> {
    let known = || COMMANDS.iter().map(|command| command.name).collect::<Vec<_>>().join(", ");
    let found = COMMANDS.iter().find(|command| command.name == name).copied();
    found.ok_or_else(|| ConfigError::new("command", name, format!("must be one of {}", known())))
}

/// Files that runs share, each read once.
#[derive(Debug)]
pub(crate) struct Inputs {
    model: Option<PathBuf>,
    data: Vec<(DataSection, Arc<Split>)>,
}

impl Inputs {
    /// Nothing read yet; `model`: the trained network of `infer`.
    pub(crate) fn new(model: Option<PathBuf>) -> Self {
        Self { model, data: Vec::new() }
    }

    fn data(&mut self, section: &DataSection) -> Result<Arc<Split>, DataError> {
        if let Some((_, data)) = self.data.iter().find(|(known, _)| known == section) {
            return Ok(Arc::clone(data));
        }
        let data = Arc::new(section.load()?);
        self.data.push((section.clone(), Arc::clone(&data)));
        Ok(data)
    }
}

/// A tree of results by way of text: what comes from the cache and what was just computed are then the same bits.
fn tree(results: &impl Serialize) -> Result<Value, serde_json::Error> {
    serde_json::from_str(&serde_json::to_string(results)?)
}

/// Refuses a trained network where training begins.
fn no_model(inputs: &Inputs) -> Result<(), ConfigError> {
    let requirement = "must be left out: trainings begin with none";
    require::that(inputs.model.is_none(), "model", "", requirement)
}

/// `cargo xtask train`.
struct Training {
    config: TrainingConfig,
    data: Arc<Split>,
    identity: Value,
}

impl Training {
    fn prepare(tree: Value, inputs: &mut Inputs) -> Result<Box<dyn Job>, JobError> {
        no_model(inputs)?;
        let config = train::decode(tree)?;
        let data = inputs.data(&config.data)?;
        let identity = resolved(&config, &data)?;
        Ok(Box::new(Self { config, data, identity }))
    }
}

impl Job for Training {
    fn identity(&self) -> &Value {
        &self.identity
    }

    fn check(&self) -> Result<(), JobError> {
        let network = self.config.network(&self.data.shape, self.data.train.classes())?;
        self.config.build(&network)?;
        Ok(())
    }

    fn run(&self, scratch: &Path) -> Result<Option<Value>, JobError> {
        let results = train::train_quietly(&self.config, &self.data, scratch)?;
        Ok(results.as_ref().map(self::tree).transpose()?)
    }
}

/// `cargo xtask hwa`, one seed a run.
struct Comparison {
    config: HwaConfig,
    data: Arc<Split>,
    identity: Value,
}

impl Comparison {
    fn prepare(tree: Value, inputs: &mut Inputs) -> Result<Box<dyn Job>, JobError> {
        no_model(inputs)?;
        let config = hwa::decode(tree)?;
        let requirement = "must be 1: the sweep counts seeds, and its own would be counted twice";
        require::that(config.seeds == 1, "seeds", config.seeds, requirement)?;
        let data = inputs.data(&config.data)?;
        let identity = resolved(&config, &data)?;
        Ok(Box::new(Self { config, data, identity }))
    }
}

impl Job for Comparison {
    fn identity(&self) -> &Value {
        &self.identity
    }

    fn check(&self) -> Result<(), JobError> {
        Ok(hwa::network_for(&self.config, &self.data).map(drop)?)
    }

    fn run(&self, scratch: &Path) -> Result<Option<Value>, JobError> {
        unless_interrupted(hwa::compare_quietly(&self.config, &self.data, scratch))
    }
}

/// Results as a tree; none if Ctrl-C is why there are none.
fn unless_interrupted<E: Error + Send + Sync + 'static>(
    results: Result<impl Serialize, E>,
) -> Result<Option<Value>, JobError> {
    match results {
        Ok(results) => Ok(Some(tree(&results)?)),
        Err(_) if interrupt::requested() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// `cargo xtask infer`.
struct Inference {
    config: InferConfig,
    model: PathBuf,
    data: Arc<Split>,
    identity: Value,
}

impl Inference {
    fn prepare(tree: Value, inputs: &mut Inputs) -> Result<Box<dyn Job>, JobError> {
        let config = infer::decode(tree)?;
        let data = inputs.data(&config.data)?;
        let missing = || ConfigError::new("model", "", "is missing: the file of the trained network");
        let model = inputs.model.clone().ok_or_else(missing)?;
        let bytes = std::fs::read(&model).map_err(|error| format!("{}: {error}", model.display()))?;
        let identity = json!({ "model": hash(&bytes), "config": resolved(&config, &data)? });
        Ok(Box::new(Self { config, model, data, identity }))
    }
}

impl Job for Inference {
    fn identity(&self) -> &Value {
        &self.identity
    }

    fn check(&self) -> Result<(), JobError> {
        Ok(infer::check_model(&self.model, &self.config)?)
    }

    fn run(&self, _scratch: &Path) -> Result<Option<Value>, JobError> {
        unless_interrupted(infer::infer_quietly(&self.model, &self.config, &self.data))
    }
}
