//! The training loop: stochastic gradient descent, where analog weights change only through their tile's own update and
//! digital parameters by the [`optimizer`](crate::optimizer).
//!
//! With `accumulate` above 1, gradients of several batches are gathered before a step. They are those of the mean loss over
//! all their samples; an analog tile gets their vectors x and d in the order of the samples, as one batch. No step reaches
//! across the end of an epoch.
//!
//! With `distillation` the network also learns from a teacher, see [`aimc_nn::distillation`]; [`Trainer::set_teacher`] gives it.
//!
//! Every draw is addressed by the seed, the purpose and the number of the sample since the start of training,
//! so that neither threads nor an interruption change a bit.

use std::ops::ControlFlow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::pulsed::PulseCount;
use aimc_device::rng::label;
use aimc_nn::{
    AugmentConfig, Dataset, DatasetError, Distillation, Gradients, Loss, Network, NetworkError, score,
};
use aimc_tile::{IdealTile, SampleKeys, Tile};

use crate::optimizer::{LearningRate, Optimizer, OptimizerConfig, Schedule};

/// Samples per forward pass in evaluation; draws do not depend on it.
const EVALUATION_BATCH: usize = 256;

/// How long and how fast to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Passes over the training data.
    pub epochs: usize,
    /// Samples per step; the last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// Learning rate.
    pub learning_rate: f32,
    /// Batches per step.
    pub accumulate: usize,
    /// What is minimised.
    pub loss: Loss,
    /// How a teacher counts beside the labels; none learns from the labels alone. Needs [`Trainer::set_teacher`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distillation: Option<Distillation>,
    /// How digital parameters move.
    pub optimizer: OptimizerConfig,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// Steps in which the learning rate grows linearly to its value; 0 for none.
    pub warmup_steps: u64,
    /// How the samples of a batch are augmented; none leaves them as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub augment: Option<AugmentConfig>,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 15,
            batch_size: 10,
            learning_rate: 0.3,
            accumulate: 1,
            loss: Loss::default(),
            distillation: None,
            optimizer: OptimizerConfig::default(),
            schedule: Schedule::default(),
            warmup_steps: 0,
            augment: None,
        }
    }
}

impl TrainConfig {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require::at_least_one("epochs", self.epochs)?;
        require::at_least_one("batch_size", self.batch_size)?;
        require::positive("learning_rate", self.learning_rate)?;
        require::at_least_one("accumulate", self.accumulate)?;
        self.loss.validate().map_err(|error| error.within("loss"))?;
        self.validate_distillation()?;
        self.optimizer.validate().map_err(|error| error.within("optimizer"))?;
        self.schedule.validate().map_err(|error| error.within("schedule"))?;
        self.augment.as_ref().map_or(Ok(()), AugmentConfig::validate).map_err(|error| error.within("augment"))
    }

    fn validate_distillation(&self) -> Result<(), ConfigError> {
        let Some(distillation) = &self.distillation else { return Ok(()) };
        distillation.validate().map_err(|error| error.within("distillation"))?;
        let probabilities = matches!(self.loss, Loss::NegativeLogLikelihood | Loss::CrossEntropy { .. });
        let requirement = "must be NegativeLogLikelihood or CrossEntropy beside distillation";
        require::that(probabilities, "loss", format!("{:?}", self.loss), requirement)
    }
}

/// What one epoch gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Mean over the samples of the loss seen during the epoch.
    pub train_loss: f64,
    /// Loss on the test data after the epoch.
    pub test_loss: f64,
    /// Share of test samples classified correctly after the epoch.
    pub test_accuracy: f64,
    /// Pulses that all devices have received up to the end of the epoch.
    pub pulses: PulseCount,
}

/// Where training stands, reported after every step.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Samples used so far, over all epochs.
    pub samples: u64,
    /// Samples that the whole training will use.
    pub total: u64,
    /// Mean loss of the current batch.
    pub loss: f64,
    /// Pulses that all devices have received so far.
    pub pulses: PulseCount,
    /// Metrics of the epochs finished so far.
    pub history: &'a [EpochMetrics],
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All epochs were done.
    Finished,
    /// The observer asked to stop.
    Interrupted,
}

/// Training cannot go on.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TrainError {
    /// A parameter was refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data do not fit.
    #[error(transparent)]
    Data(#[from] DatasetError),
    /// A layer refused; with NaN this means that training diverged.
    #[error("step {step}: {source} (if a value is not finite, the learning rate may be too large)")]
    Network {
        /// Step in which it happened, from 0.
        step: u64,
        /// What the layer said.
        source: NetworkError,
    },
}

/// A network in training.
#[derive(Debug)]
pub struct Trainer<T> {
    /// The network.
    pub network: Network<T>,
    config: TrainConfig,
    /// Whose outputs count beside the labels.
    teacher: Option<Network<IdealTile>>,
    seed: u64,
    /// Batches done so far.
    pub(crate) step: u64,
    pub(crate) optimizer: Optimizer,
    /// Batches that wait for their step, with their numbers of samples.
    pub(crate) pending: Vec<(usize, Gradients)>,
    /// Sum over the samples of the current epoch of their loss.
    pub(crate) loss_sum: f64,
    pub(crate) history: Vec<EpochMetrics>,
}

impl<T: Tile> Trainer<T> {
    /// Validates the parameters and makes ready to train.
    pub fn new(mut network: Network<T>, config: TrainConfig, seed: u64) -> Result<Self, ConfigError> {
        config.validate()?;
        let optimizer = Optimizer::new(config.optimizer.clone(), &mut network)?;
        let (pending, history) = (Vec::new(), Vec::new());
        Ok(Self { network, config, teacher: None, seed, step: 0, optimizer, pending, loss_sum: 0.0, history })
    }

    /// Gives the teacher of `distillation`, which stays as it is. It is no part of a checkpoint: give it again to go on.
    pub fn set_teacher(&mut self, teacher: Network<IdealTile>) -> Result<(), ConfigError> {
        let (outputs, own) = (teacher.outputs(), self.network.outputs());
        let requirement = format!("must be {own}, as many as the network in training has");
        require::that(outputs == own, "outputs of the teacher", outputs, &requirement)?;
        self.teacher = Some(teacher);
        Ok(())
    }

    /// The parameters.
    #[must_use]
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// Seed of all draws.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Batches done so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Metrics of the epochs finished so far.
    #[must_use]
    pub fn history(&self) -> &[EpochMetrics] {
        &self.history
    }

    /// Trains until all epochs are done or `observe`, called after every step, asks to stop.
    ///
    /// A stopped trainer goes on where it stopped when this is called again.
    pub fn run(
        &mut self,
        train: &Dataset,
        test: &Dataset,
        observe: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Ending, TrainError> {
        if self.config.distillation.is_some() && self.teacher.is_none() {
            return Err(ConfigError::new("distillation", "", "needs a teacher").into());
        }
        for data in [train, test] {
            let outputs = self.network.outputs();
            let requirement = format!("must be at least {}, one per class of the data", data.classes());
            require::that(outputs >= data.classes(), "outputs of the network", outputs, &requirement)?;
        }
        let steps_per_epoch = train.len().div_ceil(self.config.batch_size) as u64;
        let total_steps = steps_per_epoch * self.config.epochs as u64;
        let mut order = Vec::new();
        while self.step < total_steps {
            let (epoch, batch) = (self.step / steps_per_epoch, (self.step % steps_per_epoch) as usize);
            if batch == 0 || order.is_empty() {
                order = self.key("shuffle").stream(epoch).permutation(train.len());
            }
            let start = batch * self.config.batch_size;
            let end = (start + self.config.batch_size).min(train.len());
            let first = epoch * train.len() as u64 + start as u64;
            let loss = self.train_batch(train, &order[start..end], first)?;
            if self.pending.len() == self.config.accumulate || end == train.len() {
                self.apply(first + (end - start) as u64, steps_per_epoch)?;
            }
            self.step += 1;
            if end == train.len() {
                self.finish_epoch(train.len(), test)?;
            }
            let progress = Progress {
                samples: first + (end - start) as u64,
                total: train.len() as u64 * self.config.epochs as u64,
                loss,
                pulses: self.pulses(),
                history: &self.history,
            };
            if observe(progress).is_break() && self.step < total_steps {
                return Ok(Ending::Interrupted);
            }
        }
        Ok(Ending::Finished)
    }

    /// Gradients of a batch, and its mean loss. `first` numbers its first sample since the start.
    fn train_batch(&mut self, train: &Dataset, indices: &[usize], first: u64) -> Result<f64, TrainError> {
        let (mut x, labels) = train.select(indices)?;
        let draws = |purpose| SampleKeys::new(self.key(purpose)).skip(first);
        let (forward, backward) = (draws("forward"), draws("backward"));
        if let Some(augment) = &self.config.augment {
            augment.apply(&mut x, draws("augment")).map_err(|error| error.within("augment"))?;
        }
        let step = self.step;
        let at = |source| TrainError::Network { step, source };
        let trace = self.network.trace(x.as_view(), forward).map_err(at)?;
        let (mut loss, mut gradient) = self.config.loss.of(trace.output(), &labels);
        if let (Some(distillation), Some(teacher)) = (&self.config.distillation, &self.teacher) {
            let outputs = teacher.forward(x.as_view(), draws("teacher")).map_err(at)?;
            (loss, gradient) = distillation.mix((loss, gradient), trace.output(), &outputs);
        }
        let gradients = self.network.backward(&trace, gradient, backward).map_err(at)?;
        self.pending.push((labels.len(), gradients));
        self.loss_sum += loss * labels.len() as f64;
        Ok(loss)
    }

    /// One step with the pending batches; `end` numbers the sample after their last.
    fn apply(&mut self, end: u64, batches_per_epoch: u64) -> Result<(), TrainError> {
        let (samples, gradients) = gather(std::mem::take(&mut self.pending));
        let draws = SampleKeys::new(self.key("update")).skip(end - samples as u64);
        let steps_per_epoch = batches_per_epoch.div_ceil(self.config.accumulate as u64);
        let rate = LearningRate {
            base: self.config.learning_rate,
            schedule: &self.config.schedule,
            warmup_steps: self.config.warmup_steps,
            steps_per_epoch,
            total: steps_per_epoch * self.config.epochs as u64,
        };
        let rate = rate.at(self.optimizer.steps());
        let end_of_step = self.key("end of step").fold_in(self.step);
        self.optimizer
            .step(&mut self.network, &gradients, rate, draws)
            .map_err(|source| TrainError::Network { step: self.step, source })?;
        self.network.end_of_step(end_of_step);
        Ok(())
    }

    fn finish_epoch(&mut self, samples: usize, test: &Dataset) -> Result<(), TrainError> {
        let epoch = self.history.len() + 1;
        let key = self.key("evaluate").fold_in(epoch as u64);
        let score = score(&self.network, test, &self.config.loss, EVALUATION_BATCH, SampleKeys::new(key))
            .map_err(|source| TrainError::Network { step: self.step, source })?;
        let train_loss = self.loss_sum / samples as f64;
        let (test_loss, test_accuracy) = (score.loss, score.accuracy);
        let pulses = self.pulses();
        self.history.push(EpochMetrics { epoch, train_loss, test_loss, test_accuracy, pulses });
        self.loss_sum = 0.0;
        Ok(())
    }

    fn pulses(&self) -> PulseCount {
        self.network.tiles().map(|(_, tile)| tile.inventory().pulses).sum()
    }

    fn key(&self, purpose: &str) -> RngKey {
        RngKey::root(self.seed).fold_in(label("train")).fold_in(label(purpose))
    }
}

/// The number of samples of `batches`, and the gradient of the mean loss over all of them; each has that of its own mean.
fn gather(mut batches: Vec<(usize, Gradients)>) -> (usize, Gradients) {
    if batches.len() == 1 {
        return batches.swap_remove(0);
    }
    let total: usize = batches.iter().map(|(samples, _)| samples).sum();
    let mut all = Gradients::default();
    for (samples, mut gradients) in batches {
        gradients.scale(samples as f32 / total as f32);
        all.append(gradients);
    }
    (total, all)
}
