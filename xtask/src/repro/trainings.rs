//! Trainings that differ in their tiles, over several seeds.

use aimc_device::{config, presets};
use aimc_infer::Summary;
use serde_json::{Value, json};

use super::claim::{Basis, Claim};
use super::{Context, ReproError};
use crate::config_file::PRESETS;
use crate::interrupt::Interrupted;
use crate::plot::{Axis, LineChart, Series, SeriesStyle};
use crate::sweep::cache::Entry;
use crate::sweep::command::{self, Inputs};
use crate::{progress, workers};

/// Seeds of every training.
const SEEDS: u64 = 3;

/// What is trained.
pub(super) struct Variant {
    /// What to call it.
    pub(super) name: String,
    /// What it overrides of the common training, as TOML.
    pub(super) text: String,
}

impl Variant {
    pub(super) fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

/// A variant, trained.
pub(super) struct Arm {
    pub(super) name: String,
    /// Test accuracy after the last epoch, over seeds.
    pub(super) accuracy: Summary,
    /// Mean test accuracy after every epoch (%).
    curve: Vec<(f64, f64)>,
}

/// All variants, trained.
pub(super) struct Arms {
    pub(super) arms: Vec<Arm>,
    /// The configuration of each, with the last seed.
    pub(super) parameters: Value,
    /// Samples that accuracy is judged by.
    test_samples: f64,
}

/// Trains every variant of the common training with every seed.
pub(super) fn train(context: &Context, variants: &[Variant]) -> Result<Arms, ReproError> {
    train_from(context, &context.training(), variants)
}

/// Trains every variant of `base` with every seed.
pub(super) fn train_from(context: &Context, base: &Value, variants: &[Variant]) -> Result<Arms, ReproError> {
    let (mut trees, mut parameters) = (Vec::new(), serde_json::Map::new());
    for variant in variants {
        let mut tree = base.clone();
        config::merge(&mut tree, config::parse_toml(&variant.text)?);
        for seed in 1..=SEEDS {
            tree["seed"] = json!(seed);
            trees.push(tree.clone());
        }
        parameters.insert(variant.name.clone(), presets::resolve(tree, PRESETS)?);
    }
    let results = run_all(context, "train", trees)?;
    let test_samples = results[0]["data"]["test_samples"].as_f64().unwrap_or(f64::NAN);
    let runs = results.chunks(SEEDS as usize);
    let arms = variants.iter().zip(runs).map(|(variant, runs)| arm(&variant.name, runs)).collect();
    Ok(Arms { arms, parameters: parameters.into(), test_samples })
}

/// Runs a command for every configuration; what is in the cache is not run again.
pub(super) fn run_all(
    context: &Context,
    command: &'static str,
    trees: Vec<Value>,
) -> Result<Vec<Value>, ReproError> {
    let (command, mut inputs) = (command::find(command)?, Inputs::new(None));
    let jobs = trees.into_iter().map(|tree| (command.job)(tree, &mut inputs).map_err(ReproError::Run));
    let jobs = jobs.collect::<Result<Vec<_>, _>>()?;
    let bar = progress::bar("runs", jobs.len() as u64);
    let results = workers::each(jobs.len(), |i| {
        let entry = Entry::of(command.name, &*jobs[i]);
        let done = context.cache.run(&entry, &*jobs[i]).map_err(ReproError::Run)?;
        bar.inc(1);
        done.ok_or(ReproError::Interrupted(Interrupted))
    })?;
    bar.finish();
    let results: Option<Vec<Value>> = results.into_iter().collect();
    Ok(results.ok_or(Interrupted)?)
}

fn arm(name: &str, runs: &[Value]) -> Arm {
    let accuracies = |run: &Value| -> Vec<f64> {
        let history = run["history"].as_array().map_or(&[][..], Vec::as_slice);
        history.iter().map(|epoch| epoch["test_accuracy"].as_f64().unwrap_or(f64::NAN)).collect()
    };
    let runs: Vec<Vec<f64>> = runs.iter().map(accuracies).collect();
    let last: Vec<f64> = runs.iter().map(|run| run.last().copied().unwrap_or(f64::NAN)).collect();
    let epochs = runs.iter().map(Vec::len).min().unwrap_or(0);
    let mean = |epoch: usize| 100.0 * runs.iter().map(|run| run[epoch]).sum::<f64>() / runs.len() as f64;
    let curve = (0..epochs).map(|epoch| ((epoch + 1) as f64, mean(epoch))).collect();
    Arm { name: name.to_owned(), accuracy: Summary::of(&last), curve }
}

/// See [`Arms::sampling`].
pub(super) fn sampling(test_samples: f64) -> f64 {
    200.0 * (2.0 * 0.9 * 0.1 / test_samples).sqrt()
}

impl Arms {
    /// Mean accuracy of a variant (%).
    pub(super) fn accuracy(&self, index: usize) -> f64 {
        100.0 * self.arms[index].accuracy.mean
    }

    /// Two standard deviations of the difference of two accuracies (%) near 90 % on these test samples, both binomial:
    /// 2·√(2·0.9·0.1/n). Differences of that size are not told apart by one test set.
    pub(super) fn sampling(&self) -> f64 {
        sampling(self.test_samples)
    }

    /// The claim that a variant loses at most `published` (%) against another, up to the sampling of the test data.
    pub(super) fn loses_at_most(
        &self,
        [variant, against]: [usize; 2],
        published: f64,
        (basis, why): (Basis, &str),
    ) -> Claim {
        let sampling = self.sampling();
        let why = format!(
            "{why} The band is {published:.2} % and twice the sampling of the test data, {sampling:.2} %."
        );
        self.loses([variant, against], (f64::NEG_INFINITY, published + sampling), (basis, &why))
    }

    fn loses(&self, [variant, against]: [usize; 2], band: (f64, f64), reason: (Basis, &str)) -> Claim {
        let what = format!("{} below {} (% accuracy)", self.arms[variant].name, self.arms[against].name);
        Claim::new(what, band, reason, self.accuracy(against) - self.accuracy(variant))
    }

    /// The claim that a variant loses at least `published` (%) against another.
    pub(super) fn loses_at_least(
        &self,
        [variant, against]: [usize; 2],
        published: f64,
        (basis, why): (Basis, &str),
    ) -> Claim {
        self.loses([variant, against], (published, f64::INFINITY), (basis, why))
    }

    /// Learning curves.
    pub(super) fn chart(&self, title: &str) -> (LineChart, String) {
        let y = Axis::linear("test accuracy", "%");
        let mut chart = LineChart::new(title, Axis::linear("epoch", "number"), y);
        chart.series = self.arms.iter().map(series).collect();
        let caption = format!(
            "Means over {SEEDS} seeds. Values of the publication are not drawn: its data are others."
        );
        (chart, caption)
    }
}

fn series(arm: &Arm) -> Series {
    Series::new(arm.name.as_str(), arm.curve.clone(), SeriesStyle::Solid)
}
