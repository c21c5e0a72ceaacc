//! Whole networks in programmed devices.

use nalgebra::DMatrix;

use aimc_device::RngKey;
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
    network.try_map_tiles(|layer, tile| {
        ProgrammedTile::program(&tile.weights(), config, key.fold_in(layer as u64))
            .map_err(|source| EvaluationError::Tile { layer, source })
    })
}

/// The network `t_seconds` after programming, every device read once, see [`ProgrammedTile::at`].
pub fn network_at(
    network: &Network<ProgrammedTile>,
    t_seconds: f32,
    key: RngKey,
) -> Result<Network<InferenceTile>, EvaluationError> {
    network.try_map_tiles(|layer, tile| {
        tile.at(t_seconds, key.fold_in(layer as u64))
            .map_err(|source| EvaluationError::Tile { layer, source })
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
    let mut correct = 0;
    let batch_size = batch_size.max(1);
    for (batch, labels) in data.labels().chunks(batch_size).enumerate() {
        let start = batch * batch_size;
        let x = data.features().columns(start, labels.len());
        let outputs = network.forward(x, draws.skip(start as u64))?;
        if outputs.nrows() < data.classes() {
            return Err(EvaluationError::Classes { outputs: outputs.nrows(), classes: data.classes() });
        }
        correct += winners(&outputs).zip(labels).filter(|(winner, label)| winner == *label).count();
    }
    Ok(correct as f64 / data.len() as f64)
}

/// The first largest output of every column.
fn winners(outputs: &DMatrix<f32>) -> impl Iterator<Item = usize> {
    outputs.column_iter().map(|column| column.argmax().0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equal_outputs_wins() {
        let outputs = DMatrix::from_row_slice(3, 3, &[1.0, 0.0, -3.0, 1.0, 2.0, -1.0, 0.5, 2.0, -2.0]);
        assert_eq!(winners(&outputs).collect::<Vec<_>>(), [0, 1, 1]);
    }
}
