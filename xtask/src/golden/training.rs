//! Training of a small network on the digits: accuracy and loss over seeds.

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_nn::{Activation, NetworkConfig};
use aimc_testkit::golden::{Comparison, GoldenFile, GroupMean, Node};
use aimc_train::{EpochMetrics, TrainConfig, Trainer};
use rayon::prelude::*;

use super::{CaseError, SEED, digits_split, translate};
use crate::interrupt;

/// Slack of the golden README beside the statistical error.
const SLACK: f64 = 0.005;

pub(crate) fn compare(_file: &GoldenFile, case: &Node<'_>) -> Result<Comparison, CaseError> {
    let tile = translate::tile(&case.params("rpu_config")?)?;
    let (train, test) = digits_split::load(&case.get("split")?)?;
    let network = architecture(&case.get("arch")?)?;
    let config = TrainConfig {
        epochs: case.usize("epochs")?,
        batch_size: case.usize("batch")?,
        learning_rate: case.f32("lr")?,
        ..TrainConfig::default()
    };
    // Twice their number of seeds: it is their spread that limits the comparison, not ours.
    let seeds = 2 * case.usize("n_seeds")?;
    let histories = (0..seeds as u64)
        .into_par_iter()
        .map(|seed| -> Result<Vec<EpochMetrics>, CaseError> {
            let key = RngKey::root(SEED).fold_in(seed).fold_in(label("network"));
            let network = network.build(key, |place| tile.build_at(place))?;
            let mut trainer = Trainer::new(network, config.clone(), SEED + seed)?;
            let mut observe = |_: aimc_train::Progress| interrupt::flow();
            trainer.run(&train, &test, &mut observe).map_err(CaseError::run)?;
            interrupt::check()?;
            Ok(trainer.history().to_vec())
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut comparison = Comparison::new();
    let theirs = |values: Vec<f64>| group(&values);
    let last3 = |values: &[f64]| values[values.len() - 3..].iter().sum::<f64>() / 3.0;
    let our_accuracy = histories.iter().map(|h| last3(&column(h, |m| m.test_accuracy))).collect::<Vec<_>>();
    let their_accuracy = case.matrix_f64("test_accuracy")?.iter().map(|run| last3(run)).collect();
    comparison.training("last3_accuracy", group(&our_accuracy), theirs(their_accuracy), SLACK);
    let their_loss = case.matrix_f64("train_loss")?;
    for epoch in 0..config.epochs {
        let ours = histories.iter().map(|history| history[epoch].train_loss).collect::<Vec<_>>();
        let loss = their_loss.iter().map(|run| run[epoch]).collect();
        comparison.training(&format!("train_loss[{epoch}]"), group(&ours), theirs(loss), SLACK);
    }
    Ok(comparison)
}

fn column(history: &[EpochMetrics], field: fn(&EpochMetrics) -> f64) -> Vec<f64> {
    history.iter().map(field).collect()
}

/// Mean and standard deviation over runs.
pub(crate) fn group(values: &[f64]) -> GroupMean {
    let n = values.len();
    let mean = values.iter().sum::<f64>() / n as f64;
    let square = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
    GroupMean { mean, std: (square / (n as f64 - 1.0)).sqrt(), n }
}

/// The network of an `arch` object: `{sizes, activation}`.
pub(crate) fn architecture(arch: &Node<'_>) -> Result<NetworkConfig, CaseError> {
    let activation = match arch.str("activation")? {
        "sigmoid" => Activation::Sigmoid,
        "tanh" => Activation::Tanh,
        "relu" => Activation::Relu,
        other => return Err(CaseError::NotBuilt(format!("activation {other}"))),
    };
    Ok(NetworkConfig::mlp(&arch.vec_usize("sizes")?, activation))
}
