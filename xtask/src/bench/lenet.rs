//! LeNet-5 in training on the devices of Gokmen & Vlasov: time per batch, and how much of it passes outside the tiles.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};
use aimc_device::{RngKey, config, presets};
use aimc_nn::{Dataset, NetworkConfig};
use aimc_tile::{Inventory, MatVec, ReadOut, SampleKeys, Shape, Tile, TileError, TrainableTile};
use aimc_train::{TrainConfig, Trainer, TrainingTileConfig};
use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};
use serde_json::json;

use super::BenchError;
use crate::config_file::PRESETS;

/// Name of the workload.
pub(super) const NAME: &str = "lenet5/batch8";

const BATCH: usize = 8;
const BATCHES: usize = 50;

const NETWORK: &str = r#"
    input = [1, 28, 28]
    layers = [
        { layer = "Conv", outputs = 6, kernel = 5, padding = 2 },
        { layer = "Activation", function = "tanh" },
        { layer = "Pool", kernel = 2 },
        { layer = "Conv", outputs = 16, kernel = 5 },
        { layer = "Activation", function = "tanh" },
        { layer = "Pool", kernel = 2 },
        { layer = "Flatten" },
        { layer = "Linear", outputs = 120 },
        { layer = "Activation", function = "tanh" },
        { layer = "Linear", outputs = 84 },
        { layer = "Activation", function = "tanh" },
        { layer = "Linear", outputs = 10 },
        { layer = "LogSoftmax" },
    ]"#;

/// What was measured.
pub(super) struct Measured {
    /// Seconds per batch.
    pub(super) batch: f64,
    /// Share of them that passes outside the tiles.
    pub(super) outside: f64,
}

/// Trains on noise images, a quarter of whose pixels are not 0, as in handwriting.
pub(super) fn measure() -> Result<Measured, BenchError> {
    let tree = presets::resolve(json!({ "preset": "GokmenVlasovPreset" }), PRESETS)?;
    let (tile, spent): (TrainingTileConfig, _) = (config::decode(tree)?, Arc::new(AtomicU64::new(0)));
    let description: NetworkConfig = config::from_toml(NETWORK)?;
    let network = description.build(RngKey::root(1), |place| {
        Ok(Timed { tile: tile.build_at(place)?, spent: Arc::clone(&spent) })
    })?;
    let training =
        TrainConfig { epochs: 1, batch_size: BATCH, learning_rate: 0.05, ..TrainConfig::default() };
    let (train, test) = (images(BATCH * BATCHES)?, images(BATCH)?);
    let mut trainer = Trainer::new(network, training, 1)?;
    let start = Instant::now();
    trainer.run(&train, &test, &mut |_| ControlFlow::Continue(()))?;
    let total = start.elapsed().as_secs_f64();
    let inside = spent.load(Ordering::Relaxed) as f64 * 1e-9;
    Ok(Measured { batch: total / BATCHES as f64, outside: 1.0 - inside / total })
}

fn images(count: usize) -> Result<Dataset, BenchError> {
    let mut pixels = vec![0.0; 784 * count];
    RngKey::root(1).fold_in(label("pixels")).stream(count as u64).fill_uniform(&mut pixels);
    let ink = |u: f32| (4.0 * u - 3.0).max(0.0);
    let features = DMatrix::from_vec(784, count, pixels).map(ink);
    Ok(Dataset::new(features, (0..count).map(|sample| sample % 10).collect(), 10)?)
}

/// A tile that adds up the time spent in it.
#[derive(Debug)]
struct Timed {
    tile: Box<dyn TrainableTile>,
    /// Nanoseconds, of all tiles together.
    spent: Arc<AtomicU64>,
}

impl Timed {
    fn count(&self, start: Instant) {
        self.spent.fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
    }
}

impl MatVec for Timed {
    fn shape(&self) -> Shape {
        self.tile.shape()
    }

    fn forward(
        &self,
        x: DMatrixView<f32>,
        y: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        let start = Instant::now();
        self.tile.forward(x, y, draws)?;
        self.count(start);
        Ok(())
    }
}

impl Tile for Timed {
    fn backward(
        &self,
        d: DMatrixView<f32>,
        z: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        let start = Instant::now();
        self.tile.backward(d, z, draws)?;
        self.count(start);
        Ok(())
    }

    fn update(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: f32,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        let start = Instant::now();
        self.tile.update(x, d, lr, draws)?;
        self.count(start);
        Ok(())
    }

    fn end_of_step(&mut self, key: RngKey) {
        let start = Instant::now();
        self.tile.end_of_step(key);
        self.count(start);
    }

    fn inventory(&self) -> Inventory {
        self.tile.inventory()
    }

    fn state(&self) -> State {
        self.tile.state()
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        self.tile.restore(state)
    }
}

impl ReadOut for Timed {
    fn weights(&self) -> DMatrix<f32> {
        self.tile.weights()
    }

    fn set_weights(&mut self, weights: &DMatrix<f32>, key: RngKey) -> Result<(), TileError> {
        self.tile.set_weights(weights, key)
    }

    fn bias(&self) -> Option<Vec<f32>> {
        self.tile.bias()
    }

    fn set_bias(&mut self, bias: &[f32], key: RngKey) -> Result<(), TileError> {
        self.tile.set_bias(bias, key)
    }
}
