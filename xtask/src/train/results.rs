//! Every number of a training, with all that made them; the same for the same configuration, however it was run.

use aimc_device::pulsed::PulseCount;
use aimc_nn::{Loss, NetworkConfig};
use aimc_tile::{MatVec, Tile};
use aimc_train::EpochMetrics;
use serde::Serialize;

use super::config::TrainingConfig;
use super::tiles::{AnyNetwork, describe_tile};
use crate::csv::Columns;
use crate::data::DataSummary;

/// What `results.json` holds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Results {
    /// Program and version.
    pub(crate) program: String,
    /// Name and sizes of the data.
    pub(crate) data: DataSummary,
    /// The resolved configuration, seed included.
    pub(crate) config: TrainingConfig,
    /// The network.
    pub(crate) network: NetworkConfig,
    /// The matrices of the network.
    pub(crate) matrices: Vec<Matrix>,
    /// Metrics, epoch by epoch.
    pub(crate) history: Vec<EpochMetrics>,
}

/// A matrix of the network and what it lies on.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Matrix {
    /// Its name.
    pub(crate) name: String,
    /// Rows.
    pub(crate) outputs: usize,
    /// Columns.
    pub(crate) inputs: usize,
    /// Algorithm and device, or digital.
    pub(crate) kind: String,
    /// Crossbars.
    pub(crate) arrays: u64,
    /// Devices in them.
    pub(crate) devices: u64,
    /// Pulses that these have received.
    pub(crate) pulses: PulseCount,
}

/// The matrices of `network` in the order of its layers.
pub(crate) fn matrices(config: &TrainingConfig, network: &AnyNetwork) -> Vec<Matrix> {
    let rules = config.rules();
    let matrix = |(name, tile): (String, &_)| {
        let (shape, inventory) = (MatVec::shape(tile), Tile::inventory(tile));
        Matrix {
            kind: describe_tile(&rules, &name),
            name,
            outputs: shape.outputs,
            inputs: shape.inputs,
            arrays: inventory.arrays,
            devices: inventory.devices,
            pulses: inventory.pulses,
        }
    };
    network.tiles().map(matrix).collect()
}

/// Unit of a loss.
pub(crate) fn unit(loss: Loss) -> &'static str {
    match loss {
        Loss::MeanSquare => "mean square per output",
        Loss::BinaryCrossEntropy => "nats per output",
        Loss::NegativeLogLikelihood | Loss::CrossEntropy { .. } => "nats per sample",
    }
}

impl Results {
    /// Pulses of every epoch alone.
    pub(crate) fn pulses_per_epoch(&self) -> Vec<PulseCount> {
        let mut before = PulseCount::default();
        let each = self.history.iter().map(|metrics| {
            let PulseCount { up, down } = metrics.pulses;
            let own = PulseCount { up: up - before.up, down: down - before.down };
            before = metrics.pulses;
            own
        });
        each.collect()
    }

    /// Devices of the whole network.
    pub(crate) fn devices(&self) -> u64 {
        self.matrices.iter().map(|matrix| matrix.devices).sum()
    }

    /// The metrics as a table of numbers.
    pub(crate) fn csv(&self) -> String {
        let unit = unit(self.config.training.loss);
        let column = |field: fn(&EpochMetrics) -> f64| self.history.iter().map(field);
        let pulses = self.pulses_per_epoch();
        let mut columns = Columns::new();
        columns
            .add("epoch (number)", column(|metrics| metrics.epoch as f64))
            .add(format!("training loss ({unit})"), column(|metrics| metrics.train_loss))
            .add(format!("test loss ({unit})"), column(|metrics| metrics.test_loss))
            .add("test accuracy (share)", column(|metrics| metrics.test_accuracy))
            .add("up pulses of the epoch (number)", pulses.iter().map(|pulses| pulses.up as f64))
            .add("down pulses of the epoch (number)", pulses.iter().map(|pulses| pulses.down as f64));
        columns.render()
    }
}
