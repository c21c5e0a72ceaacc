//! What can be put on a chip and judged over time.

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_nn::{Dataset, Network};
use aimc_tile::{MatVec, ReadOut, SampleKeys};

use crate::config::InferenceTileConfig;
use crate::error::EvaluationError;
use crate::matrix::ProgrammedMatrix;
use crate::network::{accuracy, network_at, program_network};

/// A classifier whose matrices can be programmed into devices.
pub trait Classifier: Sync {
    /// A programmed copy.
    type Programmed: Sync;

    /// Programs every matrix into fresh devices.
    fn program(&self, tile: &InferenceTileConfig, key: RngKey) -> Result<Self::Programmed, EvaluationError>;

    /// Share of right answers on `data`, in batches of the given size, of a copy that is read `t_seconds` after programming
    /// with the draws of `key`.
    fn accuracy_at(
        &self,
        programmed: &Self::Programmed,
        t_seconds: f32,
        data: (&Dataset, usize),
        key: RngKey,
    ) -> Result<f64, EvaluationError>;
}

impl<T: MatVec + ReadOut> Classifier for Network<T> {
    type Programmed = Network<ProgrammedMatrix>;

    fn program(&self, tile: &InferenceTileConfig, key: RngKey) -> Result<Self::Programmed, EvaluationError> {
        program_network(self, tile, key)
    }

    fn accuracy_at(
        &self,
        programmed: &Self::Programmed,
        t_seconds: f32,
        (data, batch_size): (&Dataset, usize),
        key: RngKey,
    ) -> Result<f64, EvaluationError> {
        let network = network_at(programmed, t_seconds, key.fold_in(label("read")))?;
        accuracy(&network, data, batch_size, SampleKeys::new(key.fold_in(label("forward"))))
    }
}
