//! The trainings of one seed: in floating point, then on from its weights, hardware-aware and, to compare, without hardware.
//!
//! Each has a folder with its checkpoint below that of the results, so that an interrupted comparison goes on where it was.

use std::path::{Path, PathBuf};

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_infer::{InferenceTileConfig, evaluate};
use aimc_nn::{Dataset, NetworkConfig};
use aimc_train::convert::{ReadBack, to_digital};
use aimc_train::{Ending, Progress};
use serde::{Deserialize, Serialize};

use super::HwaError;
use super::config::{HwaConfig, StoppingSection};
use crate::data::Split;
use crate::files::Outputs;
use crate::interrupt::{self, Interrupted};
use crate::train::session::{Begin, CHECKPOINT, Session, SessionError};
use crate::train::tiles::AnyNetwork;
use crate::train::{TrainingConfig, follow, follow_quietly};

/// The data of a comparison.
#[derive(Debug)]
pub(crate) struct Samples {
    /// To learn from and to judge by.
    pub(crate) split: Split,
    /// Held out for early stopping.
    pub(crate) validation: Option<Dataset>,
}

/// Where trainings lie and how they begin.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    /// The folder of the results.
    pub(crate) out: &'a Path,
    /// What the user wants.
    pub(crate) begin: Begin,
    /// Without a word.
    pub(crate) quiet: bool,
}

impl Place<'_> {
    /// Trains to the end, to Ctrl-C, or to where `pause` holds.
    fn run(
        &self,
        session: &mut Session<'_>,
        name: &'static str,
        pause: &dyn Fn(&Progress<'_>) -> bool,
    ) -> Result<Ending, SessionError> {
        if self.quiet { follow_quietly(session, pause) } else { follow(session, name, pause) }
    }
}

/// What one seed gave.
#[derive(Debug)]
pub(crate) struct Pair {
    /// Trained in floating point to the end: what is converted naively.
    pub(crate) floating_point: AnyNetwork,
    /// Retrained, on its tiles.
    pub(crate) hardware_aware: AnyNetwork,
    /// Accuracies on the test data, before any device.
    pub(crate) outcome: Outcome,
}

/// What the trainings of one seed came to.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Outcome {
    /// The seed.
    pub(crate) seed: u64,
    /// Test accuracy in floating point, where retraining begins.
    pub(crate) baseline: f64,
    /// Test accuracy in floating point of what is converted naively.
    pub(crate) floating_point: f64,
    /// Test accuracy of the retrained network through the circuits of its tiles, with clean weights.
    pub(crate) hardware_aware: f64,
    /// Epochs of retraining behind the network that is used.
    pub(crate) epochs: usize,
    /// Scores of early stopping.
    pub(crate) scores: Vec<f64>,
}

/// Scores so far, beside the checkpoint they belong to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Scores {
    stopping: StoppingSection,
    scores: Vec<f64>,
}

const SCORES: &str = "scores.json";
/// The checkpoint with the best score.
const BEST: &str = "best.safetensors";

/// Trains, or goes on.
pub(crate) fn train(
    config: &HwaConfig,
    network: &NetworkConfig,
    samples: &Samples,
    seed: u64,
    place: &Place<'_>,
) -> Result<Pair, HwaError> {
    let folder = |name: &str| place.out.join(format!("seed{seed}")).join(name);
    let (first, second) = (folder("baseline"), folder("hardware_aware"));
    let stage = config.baseline_stage(seed);
    let mut session = open(&stage, stage.build(network)?, samples, &first, place)?;
    finish(place.run(&mut session, "floating point", &|_| false)?)?;
    let (baseline_accuracy, baseline) = (last_accuracy(&session), session.trainer.network);

    let key = RngKey::root(seed).fold_in(label("retraining"));
    let teach = |session: &mut Session<'_>| -> Result<(), HwaError> {
        if config.retraining.distillation.is_some() {
            session.trainer.set_teacher(to_digital(
                &baseline,
                ReadBack::Ideal,
                key.fold_in(label("teacher")),
            )?)?;
        }
        Ok(())
    };
    let equal = if config.equal_training {
        let stage = config.equal_stage(seed);
        let start = stage.rules().to_analog(&baseline, key.fold_in(label("floating point")))?;
        let on = folder("floating_point");
        let mut session = open(&stage, start, samples, &on, place)?;
        teach(&mut session)?;
        finish(place.run(&mut session, "floating point, on", &|_| false)?)?;
        Some((last_accuracy(&session), session.trainer.network))
    } else {
        None
    };
    let stage = config.retraining_stage(seed, samples.split.train.len());
    let start = stage.rules().to_analog(&baseline, key.fold_in(label("convert")))?;
    let mut session = open(&stage, start, samples, &second, place)?;
    teach(&mut session)?;
    let scores = match (&config.early_stopping, &samples.validation) {
        (Some(stopping), Some(validation)) => {
            let key = key.fold_in(label("early stopping"));
            let judge = Judge { stopping, validation, tile: &config.device[0].tile, key, folder: &second };
            judge.retrain(&mut session, place)?
        }
        _ => {
            finish(place.run(&mut session, "hardware-aware", &|_| false)?)?;
            Vec::new()
        }
    };
    let (accuracy, floating_point) = equal.unwrap_or((baseline_accuracy, baseline));
    let outcome = Outcome {
        seed,
        baseline: baseline_accuracy,
        floating_point: accuracy,
        hardware_aware: last_accuracy(&session),
        epochs: session.trainer.history().len(),
        scores,
    };
    Ok(Pair { floating_point, hardware_aware: session.trainer.network, outcome })
}

/// A session in its folder; of several trainings some may not have begun when the user wants to go on.
fn open<'a>(
    stage: &TrainingConfig,
    network: AnyNetwork,
    samples: &'a Samples,
    folder: &'a Path,
    place: &Place<'_>,
) -> Result<Session<'a>, HwaError> {
    let begun = folder.join(CHECKPOINT).exists();
    let begin = if place.begin == Begin::Resume && !begun { Begin::New } else { place.begin };
    Ok(Session::open(stage, network, &samples.split, folder, begin)?)
}

fn last_accuracy(session: &Session<'_>) -> f64 {
    session.trainer.history().last().map_or(f64::NAN, |metrics| metrics.test_accuracy)
}

fn finish(ending: Ending) -> Result<(), HwaError> {
    if ending == Ending::Finished { Ok(()) } else { Err(HwaError::Stopped) }
}

/// Who scores networks on drifted devices.
struct Judge<'a> {
    stopping: &'a StoppingSection,
    validation: &'a Dataset,
    tile: &'a InferenceTileConfig,
    key: RngKey,
    folder: &'a Path,
}

impl Judge<'_> {
    /// Trains until the rule ends it; the session then holds the best network. Gives the scores.
    fn retrain(&self, session: &mut Session<'_>, place: &Place<'_>) -> Result<Vec<f64>, HwaError> {
        let rule = &self.stopping.rule;
        let mut scores = self.begin(place.begin == Begin::Resume)?;
        let mut finished = false;
        loop {
            let due = session.trainer.history().len() / rule.every_epochs;
            if due > scores.len() + 1 {
                return Err(self.foreign("does not belong to the checkpoint beside it"));
            }
            if due > scores.len() {
                scores.push(self.score(&session.trainer.network)?);
                self.keep(session, &scores)?;
            }
            if finished || rule.verdict(&scores).ends {
                break;
            }
            let known = scores.len();
            let ending = place.run(session, "hardware-aware", &|progress| {
                rule.is_due(progress.history.len()) && progress.history.len() / rule.every_epochs > known
            })?;
            if interrupt::requested() {
                return Err(HwaError::Stopped);
            }
            finished = ending == Ending::Finished;
        }
        let best = self.path(BEST);
        let bytes = std::fs::read(&best).map_err(|error| HwaError::Unreadable { path: best, error })?;
        session.take_back(&bytes)?;
        Ok(scores)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn foreign(&self, problem: &'static str) -> HwaError {
        HwaError::Scores { path: self.path(SCORES), problem }
    }

    /// The scores of the checkpoint; none where a training begins.
    fn begin(&self, resumes: bool) -> Result<Vec<f64>, HwaError> {
        let path = self.path(SCORES);
        if !resumes || !path.exists() {
            let mut outputs = Outputs::new();
            outputs.add(SCORES, self.text(&[])?);
            outputs.commit(self.folder)?;
            return Ok(Vec::new());
        }
        let text = std::fs::read_to_string(&path).map_err(|error| HwaError::Unreadable { path, error })?;
        let Scores { stopping, scores } =
            serde_json::from_str(&text).map_err(|_| self.foreign("is no list of scores of this program"))?;
        if stopping != *self.stopping {
            return Err(self.foreign("was made with another early_stopping"));
        }
        Ok(scores)
    }

    fn text(&self, scores: &[f64]) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Scores { stopping: self.stopping.clone(), scores: scores.to_vec() })
    }

    /// Writes the scores, and the network if its is the best.
    fn keep(&self, session: &Session<'_>, scores: &[f64]) -> Result<(), HwaError> {
        let mut outputs = Outputs::new();
        outputs.add(SCORES, self.text(scores)?);
        if self.stopping.rule.verdict(scores).best == Some(scores.len() - 1) {
            outputs.add(BEST, session.snapshot()?);
        }
        outputs.commit(self.folder)?;
        Ok(())
    }

    /// Mean accuracy on drifted devices, the same devices for every network of a training.
    fn score(&self, network: &AnyNetwork) -> Result<f64, HwaError> {
        let go_on = |_| interrupt::flow();
        let result = evaluate(network, self.tile, self.validation, &self.stopping.plan(), self.key, &go_on);
        match result {
            Ok(over_time) => Ok(over_time.times[0].summary.mean),
            Err(aimc_infer::EvaluationError::Cancelled) => Err(HwaError::Interrupted(Interrupted)),
            Err(other) => Err(other.into()),
        }
    }
}
