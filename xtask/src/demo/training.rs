//! The same network trained in floating point and on two kinds of devices, several times each.

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_infer::Summary;
use aimc_nn::{Network, NetworkConfig};
use aimc_tile::{AnalogTile, TileConfig};
use aimc_train::{Ending, EpochMetrics, Trainer};
use indicatif::{MultiProgress, ProgressBar};
use rayon::prelude::*;
use serde::Serialize;

use super::DemoError;
use super::config::DemoConfig;
use crate::data::Split;
use crate::interrupt::{self, Interrupted};
use crate::learning_curves;
use crate::plot::{LineChart, Series, SeriesStyle};
use crate::progress;

/// Trainings of the network on one kind of tile.
#[derive(Debug, Serialize)]
pub(crate) struct Training {
    /// What the tile is.
    pub(crate) name: &'static str,
    /// Seed of each training.
    pub(crate) seeds: Vec<u64>,
    /// Metrics of each training, epoch by epoch.
    pub(crate) histories: Vec<Vec<EpochMetrics>>,
    /// Accuracy on the test data after the last epoch, over the trainings.
    pub(crate) final_accuracy: Summary,
    /// Training loss of the last epoch, over the trainings.
    pub(crate) final_loss: Summary,
    /// The trained networks.
    #[serde(skip)]
    pub(crate) networks: Vec<Network<AnalogTile>>,
}

/// Trains on floating point, the good and the asymmetric devices, in this order.
pub(crate) fn train(
    config: &DemoConfig,
    network: &NetworkConfig,
    data: &Split,
) -> Result<Vec<Training>, DemoError> {
    let tiles = [
        ("floating point", TileConfig::ideal()),
        ("good device", config.devices.good.clone()),
        ("asymmetric device", config.devices.asymmetric.clone()),
    ];
    let samples = (config.comparison.repeats * config.training.epochs * data.train.len()) as u64;
    let bars = MultiProgress::new();
    let bars = tiles.each_ref().map(|(name, _)| bars.add(progress::bar(*name, samples)));
    let repeats = config.comparison.repeats;
    let runs = (0..tiles.len() * repeats)
        .into_par_iter()
        .map(|run| {
            let (tile, repeat) = (run / repeats, (run % repeats) as u64);
            one(config, network, &tiles[tile].1, data, config.seed.wrapping_add(repeat), &bars[tile])
        })
        .collect::<Vec<_>>();
    bars.iter().for_each(ProgressBar::finish);
    let mut runs = runs.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter();
    Ok(tiles
        .iter()
        .map(|(name, _)| gather(name, config.seed, runs.by_ref().take(repeats).collect()))
        .collect())
}

/// One training; networks of one seed start from the same weights and see the data in the same order.
fn one(
    config: &DemoConfig,
    network: &NetworkConfig,
    tile: &TileConfig,
    data: &Split,
    seed: u64,
    bar: &ProgressBar,
) -> Result<(Network<AnalogTile>, Vec<EpochMetrics>), DemoError> {
    let key = RngKey::root(seed).fold_in(label("network"));
    let network = network.build(key, |place| tile.build(place.shape, place.key))?;
    let mut trainer = Trainer::new(network, config.training.clone(), seed)?;
    let mut before = 0;
    let mut observe = |progress: aimc_train::Progress| {
        bar.inc(progress.samples - before);
        before = progress.samples;
        if let Some(last) = progress.history.last() {
            bar.set_message(progress::describe(last));
        }
        interrupt::flow()
    };
    match trainer.run(&data.train, &data.test, &mut observe)? {
        Ending::Interrupted => Err(Interrupted.into()),
        Ending::Finished => {
            let history = trainer.history().to_vec();
            Ok((trainer.network, history))
        }
    }
}

fn gather(name: &'static str, seed: u64, runs: Vec<(Network<AnalogTile>, Vec<EpochMetrics>)>) -> Training {
    let (networks, histories): (Vec<_>, Vec<_>) = runs.into_iter().unzip();
    let last = |field: fn(&EpochMetrics) -> f64| {
        Summary::of(&histories.iter().filter_map(|history| history.last().map(field)).collect::<Vec<_>>())
    };
    Training {
        name,
        seeds: (0..networks.len() as u64).map(|repeat| seed.wrapping_add(repeat)).collect(),
        final_accuracy: last(|metrics| metrics.test_accuracy),
        final_loss: last(|metrics| metrics.train_loss),
        networks,
        histories,
    }
}

impl Training {
    /// A quantity over the epochs: mean and 95 % interval over the trainings, then `shown` of all three.
    fn series(&self, field: fn(&EpochMetrics) -> f64, shown: fn(f64) -> f64) -> Series {
        let epochs = self.histories[0].len();
        let summaries = (0..epochs).map(|epoch| {
            Summary::of(&self.histories.iter().map(|history| field(&history[epoch])).collect::<Vec<_>>())
        });
        let (points, band) = summaries
            .enumerate()
            .map(|(epoch, summary)| {
                let [low, high] = summary.confidence_95.unwrap_or([summary.mean; 2]);
                (((epoch + 1) as f64, shown(summary.mean)), (shown(low), shown(high)))
            })
            .unzip();
        Series { name: self.name.to_owned(), points, band: Some(band), style: SeriesStyle::Solid }
    }
}

/// Test accuracy over the epochs.
pub(crate) fn accuracy_chart(trainings: &[Training]) -> LineChart {
    let series =
        |training: &Training| training.series(|metrics| metrics.test_accuracy, |share| 100.0 * share);
    learning_curves::accuracy_chart(trainings.iter().map(series).collect())
}

/// Training loss over the epochs, on a logarithmic scale: means and intervals are those of the logarithm.
pub(crate) fn loss_chart(trainings: &[Training]) -> LineChart {
    let series = |training: &Training| training.series(|metrics| metrics.train_loss.ln(), f64::exp);
    let series = trainings.iter().map(series).collect();
    learning_curves::loss_chart("Training loss", "training loss", "nats per sample", series)
}
