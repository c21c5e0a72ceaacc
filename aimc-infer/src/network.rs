//! Whole networks in programmed devices.

use nalgebra::DVector;

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_nn::evaluate::for_each_batch;
use aimc_nn::loss::count_correct;
use aimc_nn::{Dataset, Linear, Network};
use aimc_tile::{MatVec, ReadOut, SampleKeys};

use crate::config::InferenceTileConfig;
use crate::error::EvaluationError;
use crate::matrix::{InferenceMatrix, ProgrammedMatrix};

/// Samples per forward pass where the caller has no say: a matter of memory, not of results.
pub(crate) const BATCH: usize = 256;

/// Programs every tile of `network` into devices, and its bias with it if the mapping has `digital_bias = false`.
///
/// Layers without bias stay without, whatever the mapping says. What the circuits around the tiles of `network` have learned goes
/// with the weights, see [`ProgrammedMatrix::program_with`].
pub fn program_network<T: ReadOut>(
    network: &Network<T>,
    config: &InferenceTileConfig,
    key: RngKey,
) -> Result<Network<ProgrammedMatrix>, EvaluationError> {
    network.try_map(|name, linear| {
        let (config, on_tile, beside) = place_bias(linear, config);
        let key = key.fold_in(label(name));
        let (weights, settings) = (linear.tile.weights(), linear.tile.settings());
        ProgrammedMatrix::program_with(&weights, on_tile.as_deref(), &settings, &config, key)
            .map(|tile| Linear { tile, bias: beside.map(DVector::from_vec) })
            .map_err(|source| EvaluationError::Tile { name: name.to_owned(), source })
    })
}

/// The configuration of the tiles of a layer, its bias on them, and its bias beside them.
pub(crate) fn place_bias<T: ReadOut>(
    linear: &Linear<T>,
    config: &InferenceTileConfig,
) -> (InferenceTileConfig, Option<Vec<f32>>, Option<Vec<f32>>) {
    let mut config = config.clone();
    let mapping = &mut config.periphery.mapping;
    let bias = linear.any_bias();
    let (on_tile, beside) = if mapping.digital_bias { (None, bias) } else { (bias, None) };
    mapping.digital_bias = on_tile.is_none();
    (config, on_tile, beside)
}

/// The network `t_seconds` after programming, every device read once, see [`ProgrammedMatrix::at`].
pub fn network_at(
    network: &Network<ProgrammedMatrix>,
    t_seconds: f32,
    key: RngKey,
) -> Result<Network<InferenceMatrix>, EvaluationError> {
    network.try_map_tiles(|name, tile| {
        tile.at(t_seconds, key.fold_in(label(name)))
            .map_err(|source| EvaluationError::Tile { name: name.to_owned(), source })
    })
}

/// Fraction of the samples of `data` whose largest output is that of their class.
///
/// Sample i of the data set draws from address i, whatever `batch_size` (0 counts as 1) is.
pub fn accuracy<T: MatVec>(
    network: &Network<T>,
    data: &Dataset,
    batch_size: usize,
    draws: SampleKeys,
) -> Result<f64, EvaluationError> {
    let outputs = network.outputs();
    if outputs < data.classes() {
        return Err(EvaluationError::Classes { outputs, classes: data.classes() });
    }
    let mut correct = 0;
    for_each_batch(network, data, batch_size, draws, |outputs, labels| {
        correct += count_correct(outputs, labels)
    })?;
    Ok(correct as f64 / data.len() as f64)
}
