//! Speed of a 512 x 512 tile with default circuits on one thread: forward, backward and update of batches of
//! 1 and 128, for both pulsed devices.

use aimc_device::rng::RngKey;
use aimc_device::{config, pulsed::PulsedDeviceConfig};
use aimc_tile::UnitCell;
use aimc_tile::{AnalogTile, MatVec, ReadOut, SampleKeys, Shape, Tile, TileConfig};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use nalgebra::DMatrix;

const SIZE: usize = 512;

fn uniform(columns: usize, size: f32, seed: u64) -> DMatrix<f32> {
    let mut values = vec![0.0; SIZE * columns];
    RngKey::root(seed).stream(0).fill_uniform(&mut values);
    DMatrix::from_vec(SIZE, columns, values).map(|u| size * (2.0 * u - 1.0))
}

fn tile(model: &str) -> AnalogTile {
    let device: PulsedDeviceConfig =
        config::from_toml(&format!("model = \"{model}\"")).expect("a registered model");
    let config = TileConfig { device: UnitCell::Pulsed(device), ..TileConfig::default() };
    let shape = Shape { outputs: SIZE, inputs: SIZE };
    let mut tile = config.build(shape, RngKey::root(1)).expect("valid defaults");
    tile.set_weights(&uniform(SIZE, 0.3, 2), RngKey::root(1)).expect("matching size");
    tile
}

fn products(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("product");
    let tile = tile("ConstantStep");
    for batch in [1, 128] {
        group.throughput(Throughput::Elements(batch as u64));
        let (x, d, mut out) = (uniform(batch, 1.0, 3), uniform(batch, 0.1, 4), DMatrix::zeros(SIZE, batch));
        let draws = SampleKeys::new(RngKey::root(5));
        group.bench_function(BenchmarkId::new("forward", batch), |bencher| {
            bencher.iter(|| tile.forward(x.as_view(), out.as_view_mut(), draws).expect("matching size"));
        });
        group.bench_function(BenchmarkId::new("backward", batch), |bencher| {
            bencher.iter(|| tile.backward(d.as_view(), out.as_view_mut(), draws).expect("matching size"));
        });
    }
    group.finish();
}

fn updates(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("update");
    for model in ["ConstantStep", "SoftBounds"] {
        for batch in [1, 128] {
            group.throughput(Throughput::Elements(batch as u64));
            let (x, d) = (uniform(batch, 1.0, 3), uniform(batch, 0.1, 4));
            let (mut tile, draws) = (tile(model), SampleKeys::new(RngKey::root(5)));
            group.bench_function(BenchmarkId::new(model, batch), |bencher| {
                bencher.iter(|| tile.update(x.as_view(), d.as_view(), 0.01, draws).expect("matching size"));
            });
        }
    }
    group.finish();
}

/// All benches on one thread, whatever the machine.
fn on_one_thread(criterion: &mut Criterion) {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("no pool exists yet");
    products(criterion);
    updates(criterion);
}

criterion_group!(benches, on_one_thread);
criterion_main!(benches);
