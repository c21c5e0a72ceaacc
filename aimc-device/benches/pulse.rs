//! One pulse on half of the devices of a row of 512, for every kind of step equation: `cargo bench -p aimc-device --bench pulse`.

#![allow(clippy::unwrap_used)]

use aimc_device::pulsed::{Direction, PulsedDeviceConfig};
use aimc_device::{RngKey, config};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const MODELS: &[&str] = &[
    "ConstantStep",
    "SoftBounds",
    "SoftBoundsReference",
    "ExpStep",
    "PowStep",
    "PiecewiseStep",
    "HiddenStep",
];

fn pulses(criterion: &mut Criterion) {
    let columns: Vec<u32> = (0..512).step_by(2).collect();
    let mut group = criterion.benchmark_group("pulse");
    group.throughput(Throughput::Elements(columns.len() as u64));
    for model in MODELS {
        let text = format!("model = \"{model}\"");
        let device: PulsedDeviceConfig = config::from_toml(&text).unwrap();
        let mut array = device.build(1, 512, RngKey::root(1)).unwrap();
        group.bench_function(*model, |bencher| {
            bencher.iter_custom(|rounds| {
                let start = std::time::Instant::now();
                array.for_each_row(false, &|_, port| {
                    let mut draws = RngKey::root(2).stream(0);
                    for round in 0..rounds {
                        let direction = if round % 2 == 0 { Direction::Up } else { Direction::Down };
                        port.pulse(&columns, direction, &mut draws);
                    }
                });
                start.elapsed()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, pulses);
criterion_main!(benches);
