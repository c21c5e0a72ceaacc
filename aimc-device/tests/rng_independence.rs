//! The addressed random streams judged by their statistics: neighbouring addresses know nothing of
//! each other.
//!
//! Seeds are fixed; every assertion had a probability of [`FALSE_ALARM`] to fail for perfect
//! randomness. No stream is in two pairs of one test, as overlapping pairs are not independent.

use aimc_device::rng::{RngKey, Stream, label};
use aimc_testkit::stats::{FALSE_ALARM, assert_p, chi_squared_uniform, correlation_test};

/// The plane of a pair of words is cut into `GRID` x `GRID` cells, 6 bits each way.
const GRID: usize = 64;

/// Words and normals of many pairs of streams, joined; pair `i` comes from `pair(i)`.
struct Pairs {
    words: [Vec<u32>; 2],
    normals: [Vec<f32>; 2],
}

impl Pairs {
    fn draw(count: u64, length: usize, pair: &impl Fn(u64) -> [Stream; 2]) -> Self {
        let size = count as usize * length;
        let mut words = [vec![0; size], vec![0; size]];
        let mut normals = [vec![0.0; size], vec![0.0; size]];
        for i in 0..count {
            let range = i as usize * length..(i as usize + 1) * length;
            for (side, mut stream) in pair(i).into_iter().enumerate() {
                stream.fill_u32(&mut words[side][range.clone()]);
                stream.fill_normal(&mut normals[side][range.clone()]);
            }
        }
        Self { words, normals }
    }

    /// Counts of the pairs of `bin(word)` on the square grid are flat.
    #[track_caller]
    fn expect_flat_plane(&self, bin: impl Fn(u32) -> usize) {
        let mut counts = vec![0_u64; GRID * GRID];
        for (&a, &b) in self.words[0].iter().zip(&self.words[1]) {
            counts[GRID * bin(a) + bin(b)] += 1;
        }
        assert_p(chi_squared_uniform(&counts), FALSE_ALARM);
    }

    #[track_caller]
    fn expect_independence(&self) {
        let square = |z: &Vec<f32>| -> Vec<f32> { z.iter().map(|z| z * z).collect() };
        let [a, b] = &self.normals;
        assert_p(correlation_test(a, b, 0.0), FALSE_ALARM);
        assert_p(correlation_test(&square(a), &square(b), 0.0), FALSE_ALARM);
        let [a, b] = &self.words;
        assert_p(correlation_test(a, b, 0.0), FALSE_ALARM);
        self.expect_flat_plane(|word| (word >> 26) as usize);
        self.expect_flat_plane(|word| (word & 63) as usize);
        // Equal or inverted bits anywhere would show in the bytes of the difference.
        for shift in [0, 8, 16, 24] {
            let mut counts = [0_u64; 256];
            a.iter().zip(b).for_each(|(a, b)| counts[((a ^ b) >> shift & 0xFF) as usize] += 1);
            assert_p(chi_squared_uniform(&counts), FALSE_ALARM);
        }
    }
}

/// Tests the beginnings of very many pairs and the long run of a few.
#[track_caller]
fn expect_independent(pair: impl Fn(u64) -> [Stream; 2]) {
    Pairs::draw(1 << 15, 32, &pair).expect_independence();
    Pairs::draw(1 << 4, 1 << 16, &pair).expect_independence();
}

fn key(name: &str) -> RngKey {
    RngKey::root(2025).fold_in(label(name))
}

/// A scattered number and its neighbour by one flipped bit, each bit in turn.
fn one_bit_apart(i: u64) -> [u64; 2] {
    let number = i.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    [number, number ^ 1 << (i % 64)]
}

/// Streams 2i and 2i + 1, 2i + 1 and 2i + 2, and of indices one bit apart are independent.
#[test]
fn neighbouring_streams() {
    let root = key("streams");
    expect_independent(|i| [root.stream(2 * i), root.stream(2 * i + 1)]);
    expect_independent(|i| [root.stream(2 * i + 1), root.stream(2 * i + 2)]);
    expect_independent(|i| one_bit_apart(i).map(|index| root.stream(index)));
}

/// Seeds 2i and 2i + 1, 2i + 1 and 2i + 2 give independent streams.
#[test]
fn neighbouring_seeds() {
    expect_independent(|i| [RngKey::root(2 * i).stream(0), RngKey::root(2 * i + 1).stream(0)]);
    expect_independent(|i| [RngKey::root(2 * i + 1).stream(0), RngKey::root(2 * i + 2).stream(0)]);
}

/// Seeds i and i ⊕ 2ᵏ, and i and its complement, give independent streams.
#[test]
fn seeds_one_bit_apart_or_complementary() {
    expect_independent(|i| one_bit_apart(i).map(|seed| RngKey::root(seed).stream(0)));
    expect_independent(|i| [RngKey::root(i).stream(0), RngKey::root(!i).stream(0)]);
}

/// A key and the keys folded from it give independent streams.
#[test]
fn parent_and_child() {
    let root = key("parent");
    expect_independent(|i| [root.fold_in(i).stream(0), root.fold_in(i).fold_in(0).stream(0)]);
    expect_independent(|i| [root.fold_in(i).stream(0), root.fold_in(i).fold_in(i).stream(0)]);
    expect_independent(|i| [root.stream(i), root.fold_in(i).stream(0)]);
}

/// Keys of neighbouring labels, and of labels one bit apart, give independent streams.
#[test]
fn sibling_labels() {
    let root = key("siblings");
    expect_independent(|i| [root.fold_in(2 * i).stream(0), root.fold_in(2 * i + 1).stream(0)]);
    expect_independent(|i| [root.fold_in(2 * i + 1).stream(0), root.fold_in(2 * i + 2).stream(0)]);
    expect_independent(|i| one_bit_apart(i).map(|label| root.fold_in(label).stream(0)));
}

/// Paths (a, b) and (b, a), and (i, 1) and (i + 1), give independent streams.
#[test]
fn paths_with_swapped_or_joined_labels() {
    let root = key("paths");
    let path = |a, b| root.fold_in(a).fold_in(b).stream(0);
    expect_independent(|i| [path(i, i + 1), path(i + 1, i)]);
    expect_independent(|i| [path(i, 1), root.fold_in(i + 1).stream(0)]);
}

/// The same words at different addresses would make two noises one. Any two of 10^6 addresses share
/// their first 64 bits with probability 10^12 / 2^65 = 3e-8.
#[test]
fn a_million_addresses_begin_differently() {
    let root = key("distinct");
    let first = |mut stream: Stream| u64::from(stream.next_u32()) << 32 | u64::from(stream.next_u32());
    let streams = (0..250_000).map(|i| root.stream(i));
    let seeds = (0..250_000).map(|i| RngKey::root(i).stream(0));
    let labels = (0..250_000).map(|i| root.fold_in(i).stream(0));
    let paths = (0..500).flat_map(|a| (0..500).map(move |b| root.fold_in(a).fold_in(b).stream(0)));
    let mut seen: Vec<u64> = streams.chain(seeds).chain(labels).chain(paths).map(first).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 1_000_000);
}
