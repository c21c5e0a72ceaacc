//! Speed of standard normals, the hottest function: rows as long as those of usual tiles, each with a stream
//! of its own, and one long row.

use std::hint::black_box;

use aimc_device::RngKey;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn fill_normal(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fill_normal");
    for (name, row, rows) in [("rows of 64", 64, 1024), ("rows of 512", 512, 128), ("one row", 65_536, 1)] {
        let mut values = vec![0.0_f32; row * rows];
        group.throughput(Throughput::Elements(values.len() as u64));
        group.bench_function(name, |bencher| {
            let key = RngKey::root(1);
            bencher.iter(|| {
                for (index, row) in values.chunks_mut(row).enumerate() {
                    key.stream(index as u64).fill_normal(row);
                }
                black_box(values.last().copied())
            });
        });
    }
    group.finish();
}

/// The random words alone, of which four normals need three.
fn fill_words(criterion: &mut Criterion) {
    let mut words = vec![0_u32; 65_536];
    let mut group = criterion.benchmark_group("fill_u32");
    group.throughput(Throughput::Elements(words.len() as u64));
    group.bench_function("one row", |bencher| {
        bencher.iter(|| {
            RngKey::root(1).stream(0).fill_u32(&mut words);
            black_box(words.last().copied())
        });
    });
    group.finish();
}

criterion_group!(benches, fill_normal, fill_words);
criterion_main!(benches);
