//! Forward and backward of layers on exact tiles, one thread: what convolution, recurrence and attention cost around their
//! products. `cargo bench -p aimc-nn --bench layers`.

#![allow(clippy::unwrap_used)]

use aimc_device::{RngKey, config};
use aimc_nn::NetworkConfig;
use aimc_tile::{IdealTile, SampleKeys};
use criterion::{Criterion, criterion_group, criterion_main};
use nalgebra::DMatrix;

/// Networks of one layer.
const LAYERS: &[(&str, &str)] = &[
    ("linear", "input = [512]\nlayers = [{ layer = \"Linear\", outputs = 512 }]"),
    ("conv", "input = [16, 28, 28]\nlayers = [{ layer = \"Conv\", outputs = 32, kernel = 5 }]"),
    ("lstm", "input = [28, 28]\nlayers = [{ layer = \"Recurrent\", cell = \"Lstm\", hidden = 64 }]"),
    ("attention", "input = [16, 64]\nlayers = [{ layer = \"Attention\", heads = 4 }]"),
];
const BATCH: usize = 8;

fn layers(criterion: &mut Criterion) {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().unwrap();
    let draws = SampleKeys::new(RngKey::root(1));
    for (name, text) in LAYERS {
        let record: NetworkConfig = config::from_toml(text).unwrap();
        let (input, output) = record.validate().unwrap();
        let network = record.build(RngKey::root(2), |place| IdealTile::new(place.shape)).unwrap();
        let numbers =
            |size: usize| DMatrix::from_fn(size, BATCH, |i, j| ((i * 7 + j * 3) % 19) as f32 / 19.0);
        let (x, d) = (numbers(input.iter().product()), numbers(output.iter().product()));
        let mut group = criterion.benchmark_group(*name);
        group.bench_function("forward", |bencher| {
            bencher.iter(|| network.forward(x.as_view(), draws).unwrap());
        });
        let passed = network.trace(x.as_view(), draws).unwrap();
        group.bench_function("backward", |bencher| {
            bencher.iter(|| network.backward(&passed, d.clone(), draws).unwrap());
        });
        group.finish();
    }
}

criterion_group!(benches, layers);
criterion_main!(benches);
