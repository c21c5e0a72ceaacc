//! Whole networks in programmed devices.

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_nn::evaluate::for_each_batch;
use aimc_nn::loss::count_correct;
use aimc_nn::{Dataset, Network};
use aimc_tile::{MatVec, ReadOut, SampleKeys};

use crate::config::InferenceTileConfig;
use crate::error::EvaluationError;
use crate::program::ProgrammedTile;
use crate::timeline::InferenceTile;

/// Programs every tile of `network` into devices; biases stay digital.
pub fn program_network<T: ReadOut>(
    network: &Network<T>,
    config: &InferenceTileConfig,
    key: RngKey,
) -> Result<Network<ProgrammedTile>, EvaluationError> {
    network.try_map_tiles(|name, tile| {
        ProgrammedTile::program(&tile.weights(), config, key.fold_in(label(name)))
            .map_err(|source| EvaluationError::Tile { name: name.to_owned(), source })
    })
}

/// The network `t_seconds` after programming, every device read once, see [`ProgrammedTile::at`].
pub fn network_at(
    network: &Network<ProgrammedTile>,
    t_seconds: f32,
    key: RngKey,
) -> Result<Network<InferenceTile>, EvaluationError> {
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
