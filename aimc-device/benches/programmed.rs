//! A million devices, programmed and read at ten times after drift, on one thread: `cargo bench -p aimc-device --bench programmed`.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use aimc_device::programmed::{ProgrammedArray, ProgrammedDevice, ProgrammedDeviceConfig};
use aimc_device::{RngKey, config};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const MODELS: &[&str] =
    &["PcmLike", "CustomDriftPcmLike", "Hermes", "ReRamWan2022", "ReRamCmo", "StateIndependent", "Tabulated"];
const DEVICES: usize = 1_000_000;
const TIMES: [f32; 10] = [0.0, 1.0, 60.0, 3600.0, 86_400.0, 6e5, 2.6e6, 3.2e7, 1e8, 3.2e8];

fn program_and_drift(criterion: &mut Criterion) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let mut group = criterion.benchmark_group("a million devices, ten times");
    group.throughput(Throughput::Elements(DEVICES as u64)).sample_size(10);
    for model in MODELS {
        let device: ProgrammedDeviceConfig = config::from_toml(&format!("model = \"{model}\"")).unwrap();
        let targets: Vec<f32> = (0..DEVICES).map(|i| device.g_max() * (i % 1009) as f32 / 1008.0).collect();
        group.bench_function(*model, |bencher| {
            bencher.iter(|| {
                pool.install(|| {
                    let array = ProgrammedArray::program(&device, &targets, 1000, RngKey::root(1));
                    for t in TIMES {
                        black_box(array.read(&device, t, RngKey::root(2)));
                    }
                });
            });
        });
    }
    group.finish();
}

criterion_group!(benches, program_and_drift);
criterion_main!(benches);
