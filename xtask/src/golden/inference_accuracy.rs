//! Accuracy over time of given networks in programmed devices.

use aimc_device::RngKey;
use aimc_infer::{Compensation, EvaluationConfig, EvaluationError, InferenceTileConfig, evaluate};
use aimc_nn::{Layer, Network, NetworkConfig};
use aimc_testkit::golden::{Comparison, GoldenFile, Node};
use aimc_tile::{IdealTile, ReadOut};
use nalgebra::{DMatrix, DVector};

use super::inference_stats::compensation_scheme;
use super::training::{architecture, group};
use super::{CaseError, SEED, digits_split, translate};
use crate::interrupt::{self, Interrupted};

/// Slack of the golden README beside the statistical error.
const SLACK: f64 = 0.003;

pub(crate) fn compare(file: &GoldenFile, case: &Node<'_>) -> Result<Comparison, CaseError> {
    let config = case.params("rpu_config")?;
    let tile = InferenceTileConfig {
        compensation: match config.resolved.opt("drift_compensation") {
            None => Compensation::None,
            Some(_) => compensation_scheme(config.resolved.str("drift_compensation.class")?)?,
        },
        ..translate::inference_tile(&config)?
    };
    let (_, data) = digits_split::load(&file.shared("split")?)?;
    let architecture = architecture(&file.shared("arch")?)?;
    let training = file.shared("trainings")?.get(case.str("training")?)?;
    let plan = EvaluationConfig {
        times_seconds: case.vec_f32("t_inference")?,
        repeats: case.usize("n_program")?,
        ..EvaluationConfig::default()
    };
    let theirs = case.get("accuracy")?.items()?;
    let mut comparison = Comparison::new();
    for (i, (stored, theirs)) in training.get("networks")?.items()?.iter().zip(&theirs).enumerate() {
        let network = load(&architecture, stored)?;
        let stop = |_| interrupt::flow();
        let key = RngKey::root(SEED).fold_in(i as u64);
        let result = evaluate(&network, &tile, &data, &plan, key, &stop).map_err(|error| match error {
            EvaluationError::Cancelled => Interrupted.into(),
            other => CaseError::run(other),
        })?;
        let theirs: Vec<Vec<f64>> = theirs.read()?;
        for (k, at) in result.times.iter().enumerate() {
            let accuracies: Vec<f64> = theirs.iter().map(|program| program[k]).collect();
            let label = format!("network {i}, t = {}", at.time_seconds);
            comparison.training(&label, group(&at.accuracies), group(&accuracies), SLACK);
        }
    }
    Ok(comparison)
}

/// A network with the stored weights and biases, one entry per linear layer.
fn load(architecture: &NetworkConfig, stored: &Node<'_>) -> Result<Network<IdealTile>, CaseError> {
    let key = RngKey::root(SEED);
    let mut network = architecture.build(key, |place| IdealTile::new(place.shape))?;
    let linears = network.layers.iter_mut().filter_map(|layer| match layer {
        Layer::Linear(linear) => Some(linear),
        _ => None,
    });
    for (linear, stored) in linears.zip(stored.items()?) {
        let weight = stored.tensor("weight")?;
        let weights = DMatrix::from_row_slice(weight.shape[0], weight.shape[1], &weight.data);
        linear.tile.set_weights(&weights, key).map_err(CaseError::run)?;
        linear.bias = Some(DVector::from_vec(stored.tensor("bias")?.data));
    }
    Ok(network)
}
