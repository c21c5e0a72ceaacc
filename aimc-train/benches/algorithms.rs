//! Updates of a 512 x 512 tile by 16 vectors with a preset of plain updates and of each training algorithm, one thread:
//! `cargo bench -p aimc-train --bench algorithms`.

#![allow(clippy::unwrap_used)]

use aimc_device::presets::DEVICES;
use aimc_device::{RngKey, config, presets};
use aimc_tile::presets::TILES;
use aimc_tile::{SampleKeys, Shape};
use aimc_train::TrainingTileConfig;
use aimc_train::presets::ALGORITHMS;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nalgebra::DMatrix;
use serde_json::json;

const PRESETS: &[&str] = &[
    "EcRamPreset",
    "TikiTakaEcRamPreset",
    "TTv2EcRamPreset",
    "ChoppedTTv2EcRamPreset",
    "AGADEcRamPreset",
    "MixedPrecisionEcRamPreset",
];
const SIZE: usize = 512;
const BATCH: usize = 16;

fn uniform(size: f32, seed: u64) -> DMatrix<f32> {
    let mut values = vec![0.0; SIZE * BATCH];
    RngKey::root(seed).stream(0).fill_uniform(&mut values);
    DMatrix::from_vec(SIZE, BATCH, values).map(|u| size * (2.0 * u - 1.0))
}

fn updates(criterion: &mut Criterion) {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
    let (x, d) = (uniform(1.0, 1), uniform(0.1, 2));
    let mut group = criterion.benchmark_group("update");
    group.throughput(Throughput::Elements(BATCH as u64)).sample_size(20);
    for preset in PRESETS {
        let tree = presets::resolve(json!({ "preset": preset }), &[ALGORITHMS, TILES, DEVICES]).unwrap();
        let record: TrainingTileConfig = config::decode(tree).unwrap();
        let mut tile = record.build(Shape { outputs: SIZE, inputs: SIZE }, RngKey::root(3)).unwrap();
        let mut done = 0;
        group.bench_function(*preset, |bencher| {
            bencher.iter(|| {
                let draws = SampleKeys::new(RngKey::root(4)).skip(done);
                tile.update(x.as_view(), d.as_view(), 0.01, draws).unwrap();
                done += BATCH as u64;
            });
        });
    }
    group.finish();
}

criterion_group!(benches, updates);
criterion_main!(benches);
