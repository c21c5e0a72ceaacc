//! A matrix of 1024 x 1024 weights in phase-change memory, on one thread: programming with the baseline of drift compensation,
//! and the array a day later. `cargo bench -p aimc-infer --bench inference`.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use aimc_device::RngKey;
use aimc_infer::{Compensation, InferenceTileConfig, ProgrammedTile};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nalgebra::DMatrix;

const SIZE: usize = 1024;
const A_DAY: f32 = 86_400.0;

fn inference(criterion: &mut Criterion) {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
    let mut values = vec![0.0; SIZE * SIZE];
    RngKey::root(1).stream(0).fill_uniform(&mut values);
    let weights = DMatrix::from_vec(SIZE, SIZE, values).map(|u: f32| 2.0 * u - 1.0);
    let mut group = criterion.benchmark_group("inference");
    group.throughput(Throughput::Elements((SIZE * SIZE) as u64)).sample_size(20);
    for compensation in [Compensation::None, Compensation::Global] {
        let config = InferenceTileConfig { compensation, ..InferenceTileConfig::default() };
        let program = |seed| ProgrammedTile::program(&weights, &config, RngKey::root(seed)).unwrap();
        group.bench_function(format!("program, {compensation}"), |bencher| {
            bencher.iter(|| black_box(program(1)));
        });
        let tile = program(1);
        group.bench_function(format!("drift, {compensation}"), |bencher| {
            bencher.iter(|| black_box(tile.at(A_DAY, RngKey::root(2)).unwrap()));
        });
    }
    group.finish();
}

criterion_group!(benches, inference);
criterion_main!(benches);
