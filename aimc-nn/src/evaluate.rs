//! A network over a whole data set, batch by batch.

use nalgebra::DMatrix;

use aimc_tile::{MatVec, SampleKeys};

use crate::loss::count_correct;
use crate::{Dataset, Loss, Network, NetworkError};

/// Calls `visit` with the outputs (outputs x batch) and labels of consecutive batches of `data`.
///
/// Sample i draws from address i of `draws`, whatever `batch_size` (0 counts as 1) is.
pub fn for_each_batch<T: MatVec>(
    network: &Network<T>,
    data: &Dataset,
    batch_size: usize,
    draws: SampleKeys,
    mut visit: impl FnMut(&DMatrix<f32>, &[usize]),
) -> Result<(), NetworkError> {
    let batch_size = batch_size.max(1);
    for (batch, labels) in data.labels().chunks(batch_size).enumerate() {
        let start = batch * batch_size;
        let x = data.features().columns(start, labels.len());
        visit(&network.forward(x, draws.skip(start as u64))?, labels);
    }
    Ok(())
}

/// How well a network knows a data set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Mean loss of the samples.
    pub loss: f64,
    /// Share of samples classified correctly.
    pub accuracy: f64,
}

/// Scores `network` on `data` by `loss`; the network must have at least as many outputs as there are classes.
pub fn score<T: MatVec>(
    network: &Network<T>,
    data: &Dataset,
    loss: &Loss,
    batch_size: usize,
    draws: SampleKeys,
) -> Result<Score, NetworkError> {
    let (mut sum, mut correct) = (0.0, 0);
    for_each_batch(network, data, batch_size, draws, |outputs, labels| {
        sum += loss.of(outputs, labels).0 * labels.len() as f64;
        correct += count_correct(outputs, labels);
    })?;
    let samples = data.len() as f64;
    Ok(Score { loss: sum / samples, accuracy: correct as f64 / samples })
}
