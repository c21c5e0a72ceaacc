//! A training that survives its process: it runs in slices, and after each slice a checkpoint is written.
//!
//! A slice ends after [`Pace::longest`], or with an epoch if [`Pace::shortest`] has passed. The clock decides when to
//! write, never what: a training is a function of its configuration and its data, however often it was interrupted.
//! Whoever goes on must give the same of both; only the number of epochs may change.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aimc_device::ConfigError;
use aimc_device::error::require;
use aimc_tile::TrainableTile;
use aimc_train::{Checkpoint, CheckpointError, Ending, Progress, TrainError, Trainer};
use serde::Serialize;
use serde_json::{Value, json};

use super::config::TrainingConfig;
use super::tiles::AnyNetwork;
use crate::data::Split;
use crate::files::{OutputError, Outputs};

/// Name of the checkpoint in the folder of the results.
pub(crate) const CHECKPOINT: &str = "checkpoint.safetensors";

/// Why a training cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    /// A new training would replace an old one.
    #[error("{} holds a checkpoint; go on with --resume, begin anew with --restart, or give another --out", .0.display())]
    Occupied(PathBuf),
    /// There is nothing to go on with.
    #[error("{} holds no checkpoint; leave out --resume to begin", .0.display())]
    Nothing(PathBuf),
    /// The operating system does not hand out the checkpoint.
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// The checkpoint is damaged or does not fit.
    #[error("{} {source}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: CheckpointError,
    },
    /// The checkpoint belongs to another training.
    #[error("{} was written with {field} = {stored}, now it is {given}; only training.epochs may change", path.display())]
    Differs {
        /// The file.
        path: PathBuf,
        /// The first field that differs.
        field: String,
        /// Its value in the checkpoint.
        stored: String,
        /// Its value in this configuration.
        given: String,
    },
    /// A parameter was refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Training went wrong.
    #[error(transparent)]
    Training(#[from] TrainError),
    /// A checkpoint cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// What to do with a checkpoint that the folder may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// Begin; refuse if there is one.
    New,
    /// Begin anew.
    Restart,
    /// Go on.
    Resume,
}

impl Begin {
    /// What the options `--resume` and `--restart` ask for.
    pub(crate) fn asked(resume: bool, restart: bool) -> Self {
        match (resume, restart) {
            (true, _) => Self::Resume,
            (_, true) => Self::Restart,
            _ => Self::New,
        }
    }
}

/// When checkpoints are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// After so much time at the latest.
    pub(crate) longest: Duration,
    /// At the end of an epoch if so much time has passed.
    pub(crate) shortest: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { longest: Duration::from_secs(10), shortest: Duration::from_secs(1) }
    }
}

/// A training and its place on the disk.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    pub(crate) trainer: Trainer<Box<dyn TrainableTile>>,
    data: &'a Split,
    folder: &'a Path,
    identity: Value,
}

impl<'a> Session<'a> {
    /// Begins or goes on, as `begin` says; a new training leaves its first checkpoint at once.
    pub(crate) fn open(
        config: &TrainingConfig,
        network: AnyNetwork,
        data: &'a Split,
        folder: &'a Path,
        begin: Begin,
    ) -> Result<Self, SessionError> {
        let trainer = Trainer::new(network, config.training.clone(), config.seed);
        let trainer = trainer.map_err(|error| error.within("training"))?;
        let mut session = Self { trainer, data, folder, identity: identity(config, data)? };
        let path = session.path();
        let occupied =
            path.try_exists().map_err(|error| SessionError::Unreadable { path: path.clone(), error })?;
        match (begin, occupied) {
            (Begin::New, true) => return Err(SessionError::Occupied(folder.to_owned())),
            (Begin::Resume, false) => return Err(SessionError::Nothing(folder.to_owned())),
            (Begin::Resume, true) => session.resume(path)?,
            (Begin::New, false) | (Begin::Restart, _) => session.save()?,
        }
        Ok(session)
    }

    fn resume(&mut self, path: PathBuf) -> Result<(), SessionError> {
        let bytes =
            std::fs::read(&path).map_err(|error| SessionError::Unreadable { path: path.clone(), error })?;
        let refused = |source| SessionError::Refused { path: path.clone(), source };
        let checkpoint = Checkpoint::from_bytes(&bytes).map_err(refused)?;
        if let Some((field, stored, given)) = difference(checkpoint.config(), &self.identity) {
            return Err(SessionError::Differs { path, field, stored, given });
        }
        self.take_back(&bytes)?;
        let (done, epochs) = (self.trainer.steps(), self.trainer.config().epochs);
        let per_epoch = self.data.train.len().div_ceil(self.trainer.config().batch_size) as u64;
        let requirement =
            format!("must be at least {}: so far the checkpoint has come", done.div_ceil(per_epoch));
        require::that(done <= per_epoch * epochs as u64, "training.epochs", epochs, &requirement)?;
        Ok(())
    }

    /// The training as it stands.
    pub(crate) fn snapshot(&self) -> Result<Vec<u8>, SessionError> {
        let bytes = self.trainer.checkpoint(&self.identity).to_bytes();
        bytes.map_err(|source| SessionError::Refused { path: self.path(), source })
    }

    /// Back to where [`Session::snapshot`] was taken.
    pub(crate) fn take_back(&mut self, snapshot: &[u8]) -> Result<(), SessionError> {
        let checkpoint = Checkpoint::from_bytes(snapshot);
        checkpoint
            .and_then(|checkpoint| self.trainer.resume(&checkpoint, &self.identity))
            .map_err(|source| SessionError::Refused { path: self.path(), source })
    }

    fn path(&self) -> PathBuf {
        self.folder.join(CHECKPOINT)
    }

    /// Samples that the whole training uses.
    pub(crate) fn total(&self) -> u64 {
        self.data.train.len() as u64 * self.trainer.config().epochs as u64
    }

    /// Samples used so far.
    pub(crate) fn samples(&self) -> u64 {
        let (n, batch) = (self.data.train.len() as u64, self.trainer.config().batch_size as u64);
        let per_epoch = n.div_ceil(batch);
        let (epochs, rest) = (self.trainer.steps() / per_epoch, self.trainer.steps() % per_epoch);
        epochs * n + rest * batch
    }

    /// Trains to the end, or until `observe` asks to stop; either way the last step is in the checkpoint.
    pub(crate) fn run(
        &mut self,
        pace: Pace,
        observe: &mut dyn FnMut(&Progress<'_>) -> ControlFlow<()>,
    ) -> Result<Ending, SessionError> {
        loop {
            let (started, epochs) = (Instant::now(), self.trainer.history().len());
            let mut stop = false;
            let ending = self.trainer.run(&self.data.train, &self.data.test, &mut |progress| {
                stop = observe(&progress).is_break();
                let least = if progress.history.len() > epochs { pace.shortest } else { pace.longest };
                if stop || started.elapsed() >= least {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })?;
            self.save()?;
            if stop || ending == Ending::Finished {
                return Ok(ending);
            }
        }
    }

    fn save(&self) -> Result<(), SessionError> {
        let bytes = self.snapshot()?;
        let mut outputs = Outputs::new();
        outputs.add(CHECKPOINT, bytes);
        outputs.commit(self.folder)?;
        Ok(())
    }
}

/// All that must be the same to go on: the configuration but for the number of epochs, and the data.
fn identity(config: &TrainingConfig, data: &Split) -> Result<Value, ConfigError> {
    let mut tree = resolved(config, data)?;
    if let Some(training) = tree.get_mut("training").and_then(Value::as_object_mut) {
        training.shift_remove("epochs");
    }
    Ok(tree)
}

/// A configuration as a tree, with what its data are in place of where they lie.
pub(crate) fn resolved(config: &impl Serialize, data: &Split) -> Result<Value, ConfigError> {
    let at = |error: serde_json::Error| ConfigError::new("", "", error.to_string());
    // By way of text, which writes 0.1 as such; a tree made directly holds the next double.
    let mut tree: Value = serde_json::from_str(&serde_json::to_string(config).map_err(at)?).map_err(at)?;
    tree["data"] = json!({ "name": data.name, "checksum": data.checksum() });
    Ok(tree)
}

/// The first field, by its path, in which two trees differ, with its value in each.
fn difference(stored: &Value, given: &Value) -> Option<(String, String, String)> {
    let below = |key: &str, stored: &Value, given: &Value| {
        let joint = |path: &str| if path.is_empty() || path.starts_with('[') { "" } else { "." };
        difference(stored, given).map(|(path, a, b)| (format!("{key}{}{path}", joint(&path)), a, b))
    };
    match (stored, given) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            let at = |tree: &serde_json::Map<String, Value>, key| tree.get(key).cloned().unwrap_or_default();
            keys.into_iter().find_map(|key| below(key, &at(a, key), &at(b, key)))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.find_map(|(i, (a, b))| below(&format!("[{i}]"), a, b))
        }
        (a, b) if a == b => None,
        (a, b) => Some((String::new(), short(a), short(b))),
    }
}

/// A value as text; long ones by what they are.
fn short(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(_) => "a table".to_owned(),
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_found_by_its_path() {
        let tree = json!({ "a": { "b": [1, { "c": "x" }] }, "d": 2 });
        assert_eq!(difference(&tree, &tree), None);
        for (given, field, stored, value) in [
            (json!({ "a": { "b": [1, { "c": "y" }] }, "d": 2 }), "a.b[1].c", "\"x\"", "\"y\""),
            (json!({ "a": { "b": [1] }, "d": 2 }), "a.b", "a list of 2", "a list of 1"),
            (json!({ "a": { "b": [1, { "c": "x" }] } }), "d", "2", "nothing"),
            (json!({ "a": { "b": [1, { "c": "x" }], "e": {} }, "d": 2 }), "a.e", "nothing", "a table"),
        ] {
            let (path, a, b) = difference(&tree, &given).unwrap();
            assert_eq!((path.as_str(), a.as_str(), b.as_str()), (field, stored, value));
        }
    }
}
