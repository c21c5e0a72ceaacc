//! The addressed random streams judged by their statistics: the laws of single streams.
//!
//! Dependence between streams is the subject of `rng_independence.rs`. Seeds are fixed; every
//! assertion had a probability of [`FALSE_ALARM`] to fail for perfect randomness.

use aimc_device::rng::{RngKey, Stream, label};
use aimc_testkit::stats::{
    FALSE_ALARM, Kurtosis, assert_p, chi_squared_uniform, correlation_test, expect_normal, ks_test,
    kurtosis_test, mean_test, poisson_test, proportion_test, skewness_test, variance_test,
};
use aimc_testkit::strategies::{config, seed};
use proptest::prelude::*;
use statrs::distribution::{ContinuousCDF, Normal};

fn key(name: &str) -> RngKey {
    RngKey::root(2024).fold_in(label(name))
}

fn normals(stream: &mut Stream, n: usize) -> Vec<f32> {
    let mut out = vec![0.0; n];
    stream.fill_normal(&mut out);
    out
}

fn words(stream: &mut Stream, n: usize) -> Vec<u32> {
    let mut out = vec![0; n];
    stream.fill_u32(&mut out);
    out
}

/// The p-values of independent tests are themselves a uniform sample.
#[track_caller]
fn expect_uniform_p_values(p_values: &[f64]) {
    assert_p(ks_test(p_values, |p| p.clamp(0.0, 1.0)), FALSE_ALARM);
}

/// Counts of `bin(word)` among 2^24 words are flat.
#[track_caller]
fn expect_flat(stream: &mut Stream, bins: usize, bin: impl Fn(u32) -> usize) {
    let mut counts = vec![0_u64; bins];
    for _ in 0..1 << 8 {
        words(stream, 1 << 16).iter().for_each(|&word| counts[bin(word)] += 1);
    }
    assert_p(chi_squared_uniform(&counts), FALSE_ALARM);
}

/// 2²² draws of one stream ~ N(0, 1).
#[test]
fn one_long_stream_is_normal() {
    expect_normal(&normals(&mut key("long").stream(0), 1 << 22), 0.0, 1.0);
}

/// 256 streams of as many keys: each statistic is exact or nearly so, hence its p-values uniform.
#[test]
fn many_streams_are_normal_in_law_and_moments() {
    let standard = Normal::standard();
    let mut p_values: [Vec<f64>; 5] = Default::default();
    for i in 0..256 {
        let z = normals(&mut key("many").fold_in(i).stream(i), 1 << 14);
        let outcomes = [
            ks_test(&z, |x| standard.cdf(x)),
            mean_test(&z, 0.0, 1.0),
            variance_test(&z, 1.0, Kurtosis::Normal),
            skewness_test(&z),
            kurtosis_test(&z),
        ];
        for (list, outcome) in p_values.iter_mut().zip(outcomes) {
            assert_p(outcome, FALSE_ALARM);
            list.push(outcome.p_value);
        }
    }
    p_values.iter().for_each(|list| expect_uniform_p_values(list));
}

/// The first draws of 200,000 streams, labels and seeds ~ N(0, 1).
#[test]
fn first_normals_of_many_addresses_are_normal() {
    let root = key("first");
    let by_stream: Vec<f32> = (0..200_000).map(|i| root.stream(i).normal()).collect();
    expect_normal(&by_stream, 0.0, 1.0);
    let by_label: Vec<f32> = (0..200_000).map(|i| root.fold_in(i).stream(0).normal()).collect();
    expect_normal(&by_label, 0.0, 1.0);
    let by_seed: Vec<f32> = (0..200_000).map(|i| RngKey::root(i).stream(0).normal()).collect();
    expect_normal(&by_seed, 0.0, 1.0);
}

/// Each side's tail beyond 3, 4 and 5 sigma: 2^26 normals expect 19 beyond 5 on each side.
#[test]
fn tails_are_as_heavy_as_those_of_a_normal() {
    let limits = [3.0_f32, 4.0, 5.0];
    let (mut above, mut below, mut total) = ([0_u64; 3], [0_u64; 3], 0_u64);
    for i in 0..64 {
        let mut stream = key("tails").fold_in(i).stream(0);
        for _ in 0..16 {
            let z = normals(&mut stream, 1 << 16);
            total += z.len() as u64;
            for (k, limit) in limits.into_iter().enumerate() {
                above[k] += z.iter().filter(|&&z| z > limit).count() as u64;
                below[k] += z.iter().filter(|&&z| z < -limit).count() as u64;
            }
        }
    }
    for (k, limit) in limits.into_iter().enumerate() {
        let one_side = Normal::standard().sf(f64::from(limit));
        assert_p(proportion_test(above[k], total, one_side), FALSE_ALARM);
        assert_p(proportion_test(below[k], total, one_side), FALSE_ALARM);
        assert_p(proportion_test(above[k] + below[k], total, 2.0 * one_side), FALSE_ALARM);
    }
}

/// The 16 highest and 16 lowest bits of words, the highest 8 and the lowest 4, are uniform.
#[test]
fn top_and_low_bits_are_flat() {
    expect_flat(&mut key("bits").stream(0), 1 << 16, |word| (word >> 16) as usize);
    expect_flat(&mut key("bits").stream(1), 1 << 16, |word| (word & 0xFFFF) as usize);
    expect_flat(&mut key("bits").stream(2), 1 << 8, |word| (word >> 24) as usize);
    expect_flat(&mut key("bits").stream(3), 1 << 4, |word| (word & 0xF) as usize);
}

/// u ~ U[0, 1): law, mean ½ - 2⁻²⁵, variance 1/12, and the lowest 8 bits uniform.
#[test]
fn uniforms_fill_the_unit_interval_down_to_the_last_bit() {
    let mut values = vec![0.0_f32; 1 << 21];
    key("uniform").stream(0).fill_uniform(&mut values);
    assert!(values.iter().all(|u| (0.0..1.0).contains(u)));
    assert_p(ks_test(&values, |u| u.clamp(0.0, 1.0)), FALSE_ALARM);
    let half_step = 0.5 / f64::from(1 << 24); // how far the multiples of 2^-24 below 1 average below 1/2
    assert_p(mean_test(&values, 0.5 - half_step, (1.0_f64 / 12.0).sqrt()), FALSE_ALARM);
    assert_p(variance_test(&values, 1.0 / 12.0, Kurtosis::Known(1.8)), FALSE_ALARM);
    let mut low = [0_u64; 256];
    values.iter().for_each(|u| low[(u * 16_777_216.0) as usize & 0xFF] += 1);
    assert_p(chi_squared_uniform(&low), FALSE_ALARM);
}

/// 3·2^30 values cannot be served evenly by 2^32 words without rejection: a plain product would give
/// every third value twice the weight.
#[test]
fn below_is_unbiased() {
    let mut stream = key("below").stream(0);
    for n in [2, 6, 1000, 3 << 30] {
        let bins = n.min(3 << 10);
        let mut counts = vec![0_u64; bins as usize];
        (0..1 << 20).for_each(|_| counts[(stream.below(n) % bins) as usize] += 1);
        assert_p(chi_squared_uniform(&counts), FALSE_ALARM);
    }
}

/// A block of normals is 16 Box-Muller pairs, the partners 16 apart: lag 16 is the critical one, and
/// the squares are, as partners share their radius.
#[test]
fn no_serial_correlation_at_lags_up_to_64() {
    let z = normals(&mut key("serial").stream(0), 1 << 20);
    let squares: Vec<f32> = z.iter().map(|z| z * z).collect();
    let raw = words(&mut key("serial").stream(1), 1 << 20);
    let (mut of_z, mut of_squares, mut of_words) = (Vec::new(), Vec::new(), Vec::new());
    for lag in 1..=64 {
        let end = z.len() - lag;
        for (list, outcome) in [
            (&mut of_z, correlation_test(&z[..end], &z[lag..], 0.0)),
            (&mut of_squares, correlation_test(&squares[..end], &squares[lag..], 0.0)),
            (&mut of_words, correlation_test(&raw[..end], &raw[lag..], 0.0)),
        ] {
            assert_p(outcome, FALSE_ALARM);
            list.push(outcome.p_value);
        }
    }
    [of_z, of_squares, of_words].iter().for_each(|list| expect_uniform_p_values(list));
}

/// Pairs at the distances where normals share a word pair (16), a register or a block, on a 64 x 64
/// grid of equally probable cells. No normal is in two pairs, as overlapping pairs are not
/// independent and their statistic is not chi-squared.
#[test]
fn pairs_of_normals_fill_the_plane_evenly() {
    let standard = Normal::standard();
    let z = normals(&mut key("pairs").stream(0), 1 << 21);
    let cell: Vec<usize> =
        z.iter().map(|&z| ((standard.cdf(f64::from(z)) * 64.0) as usize).min(63)).collect();
    for lag in [1, 2, 8, 15, 16, 17, 32] {
        let mut counts = vec![0_u64; 64 * 64];
        for group in cell.chunks_exact(2 * lag) {
            let (left, right) = group.split_at(lag);
            left.iter().zip(right).for_each(|(a, b)| counts[64 * a + b] += 1);
        }
        assert_p(chi_squared_uniform(&counts), FALSE_ALARM);
    }
}

/// Birthday spacings (Marsaglia and Tsang, 2002): of m = 4096 birthdays in a year of 2^32 days, the
/// number of repeated spacings is Poisson with mean m^3 / 2^34 = 4.
fn repeated_spacings(mut birthdays: Vec<u32>) -> u64 {
    birthdays.sort_unstable();
    let mut spacings: Vec<u32> = birthdays.windows(2).map(|pair| pair[1] - pair[0]).collect();
    spacings.sort_unstable();
    spacings.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64
}

/// Repeated spacings of 4096 birthdays in 2³² days ~ Poisson(4096³/(4·2³²) = 4) a year.
#[test]
fn birthday_spacings_repeat_as_often_as_they_should() {
    let (years, people) = (500_u64, 4096_u64);
    let root = key("birthdays");
    let along_streams =
        (0..years).map(|i| repeated_spacings(words(&mut root.stream(i), people as usize))).sum();
    let over_indices = (0..years).map(|i| {
        let year = root.fold_in(i);
        repeated_spacings((0..people).map(|k| year.stream(k).next_u32()).collect())
    });
    let over_labels = (0..years).map(|i| {
        let year = root.fold_in(i);
        repeated_spacings((0..people).map(|k| year.fold_in(k).stream(0).next_u32()).collect())
    });
    for count in [along_streams, over_indices.sum(), over_labels.sum()] {
        assert_p(poisson_test(count, 4.0 * years as f64), FALSE_ALARM);
    }
}

#[derive(Debug, Clone, Copy)]
enum Draw {
    Words,
    Uniforms,
    Normals,
}

fn draws() -> impl Strategy<Value = Vec<(Draw, usize)>> {
    let kind = prop::sample::select(vec![Draw::Words, Draw::Uniforms, Draw::Normals]);
    // Short chunks start and end inside a block, long ones cross the internal buffers.
    let length = prop_oneof![6 => 0..100_usize, 1 => 0..5000_usize];
    prop::collection::vec((kind, length), 1..20)
}

proptest! {
    #![proptest_config(config(256))]

    /// Bulk draws = single draws, for any seed, stream and order of kinds.
    #[test]
    fn one_by_one_equals_bulk_for_any_interleaving(seed in seed(), index in seed(), draws in draws()) {
        let key = RngKey::root(seed);
        let (mut bulk, mut single) = (key.stream(index), key.stream(index));
        for (kind, n) in draws {
            let (many, one): (Vec<u32>, Vec<u32>) = match kind {
                Draw::Words => (words(&mut bulk, n), (0..n).map(|_| single.next_u32()).collect()),
                Draw::Uniforms => {
                    let mut many = vec![0.0_f32; n];
                    bulk.fill_uniform(&mut many);
                    let many = many.iter().map(|u| u.to_bits()).collect();
                    (many, (0..n).map(|_| single.uniform().to_bits()).collect())
                }
                Draw::Normals => {
                    let many = normals(&mut bulk, n).iter().map(|z| z.to_bits()).collect();
                    (many, (0..n).map(|_| single.normal().to_bits()).collect())
                }
            };
            prop_assert_eq!(many, one, "{:?} x {}", kind, n);
        }
    }
}
