//! Bit-slicing: exact decomposition, the shift-and-add, its noise, and how slices learn.

use super::{backward, eighths, forward, keys, same_bits, transparent, uniform};
use aimc_device::RngKey;
use aimc_testkit::stats::expect_normal;
use aimc_testkit::strategies;
use aimc_tile::periphery::noise_management::NoiseManagement;
use aimc_tile::sliced::{SliceConfig, SliceUpdate, SlicedTile};
use aimc_tile::{
    AnalogTile, IdealTile, IoConfig, MatVec, ReadOut, Shape, Tile, TileConfig, TileError, UnitCell,
    UpdateConfig,
};
use nalgebra::DMatrix;
use proptest::prelude::*;

fn ideal(config: &SliceConfig, weights: &DMatrix<f32>) -> SlicedTile<IdealTile> {
    let shape = Shape { outputs: weights.nrows(), inputs: weights.ncols() };
    let mut tile = config.build(shape, RngKey::root(1), |shape, _| IdealTile::new(shape)).unwrap();
    tile.set_weights(weights, RngKey::root(1)).unwrap();
    tile
}

fn analog(config: &SliceConfig, tile: &TileConfig, weights: &DMatrix<f32>) -> SlicedTile<AnalogTile> {
    let shape = Shape { outputs: weights.nrows(), inputs: weights.ncols() };
    let mut tile = config.build(shape, RngKey::root(1), |shape, key| tile.build(shape, key)).unwrap();
    tile.set_weights(weights, RngKey::root(1)).unwrap();
    tile
}

fn any_config() -> impl Strategy<Value = SliceConfig> {
    (1_u32..4, 1_u32..6).prop_map(|(slices, bits_per_slice)| SliceConfig {
        slices,
        bits_per_slice,
        ..SliceConfig::default()
    })
}

proptest! {
    #![proptest_config(strategies::config(128))]

    /// The slices of any weight add up to it bit for bit; upper ones are digits, lower ones fill half of their range.
    #[test]
    fn decomposition_is_exact(config in any_config(), seed in 0_u64..1000) {
        let weights = uniform(5, 7, seed);
        let tile = ideal(&config, &weights);
        prop_assert!(same_bits(&tile.weights(), &weights));
        let base = (1_u32 << config.bits_per_slice) as f32;
        let last = tile.slices().len() - 1;
        for (k, slice) in tile.slices().iter().enumerate() {
            let held = slice.weights();
            prop_assert!(k == last || held.iter().all(|w| (w * base).fract() == 0.0));
            let most = if k == 0 { 1.0 } else { 0.5 };
            prop_assert!(held.amax() <= most);
        }
    }

    /// Perfect slices multiply like one tile, exactly where the sums are exact.
    #[test]
    fn perfect_slices_are_one_tile(config in any_config(), seed in 0_u64..1000) {
        let (weights, x, d) = (eighths(4, 6, seed), eighths(6, 3, seed + 1), eighths(4, 3, seed + 2));
        let tile = ideal(&config, &weights);
        prop_assert_eq!(forward(&tile, &x, keys(1)), &weights * &x);
        prop_assert_eq!(backward(&tile, &d, keys(1)), weights.transpose() * &d);
    }

    /// Both rules change the whole weight by -lr·d xᵀ, and resolving carries leaves it as it is.
    #[test]
    fn slices_learn_the_gradient_together(config in any_config(), all in any::<bool>(), seed in 0_u64..1000) {
        let update = if all { SliceUpdate::Gradient } else { SliceUpdate::Carry };
        let config = SliceConfig { update, carry_every: 1, ..config };
        let (weights, x, d) = (eighths(4, 6, seed), eighths(6, 2, seed + 1), eighths(4, 2, seed + 2));
        let mut tile = ideal(&config, &weights);
        tile.update(x.as_view(), d.as_view(), 0.125, keys(1)).unwrap();
        let expected = weights - 0.125 * &d * x.transpose();
        // Per slice: the share, two products and two sums of numbers below 2 in logical units.
        let slack = 20.0 * f32::EPSILON;
        prop_assert!((tile.weights() - &expected).amax() <= slack);
        let before = tile.weights();
        tile.end_of_step(RngKey::root(2));
        prop_assert!((tile.weights() - &before).amax() <= slack);
        if !all && config.slices > 1 && before.amax() <= 1.0 {
            // The last slice has its room back.
            prop_assert!(tile.slices()[tile.slices().len() - 1].weights().amax() <= 0.5);
        }
    }
}

/// Each slice has its own output noise: y ~ N(Wx, ΣB⁻²ᵏ·(α·out_noise)²), here (1 + 1/16 + 1/256)/16².
#[test]
fn noise_adds_up_by_significance() {
    let io = IoConfig { out_noise: 0.0625, ..transparent(NoiseManagement::AbsMax) };
    let exact = TileConfig {
        forward: io,
        device: UnitCell::ideal(),
        update: UpdateConfig::exact(),
        ..TileConfig::default()
    };
    let config = SliceConfig { slices: 3, bits_per_slice: 2, ..SliceConfig::default() };
    let (weights, mut x) = (uniform(2, 5, 1), uniform(5, 1, 2));
    x[0] = 1.0;
    let y = forward(&analog(&config, &exact, &weights), &DMatrix::from_fn(5, 20_000, |i, _| x[i]), keys(3));
    let mean = super::exact(&weights, &x);
    let std = 0.0625 * (1.0_f64 + 1.0 / 16.0 + 1.0 / 256.0).sqrt();
    for i in 0..2 {
        let deviations: Vec<f64> = y.row(i).iter().map(|y| f64::from(*y) - mean[i]).collect();
        expect_normal(&deviations, 0.0, std);
    }
}

/// Pulsed slices give the same bits on one and two threads and after a restore, across a carry.
#[test]
fn threads_and_checkpoints_change_no_bit() {
    let config = SliceConfig { carry_every: 2, ..SliceConfig::default() };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut tile = analog(&config, &TileConfig::default(), &(0.4 * uniform(200, 150, 5)));
            step(&mut tile, 1);
            (forward(&tile, &uniform(150, 8, 1), keys(4)), tile)
        })
    };
    let ((y, mut one), (other, two)) = (run(1), run(2));
    assert!(same_bits(&y, &other));
    assert_eq!(one.state(), two.state());
    let mut copy = analog(&config, &TileConfig::default(), &DMatrix::zeros(200, 150));
    copy.restore(&one.state().root()).unwrap();
    let before = one.slices()[0].weights();
    step(&mut one, 2);
    step(&mut copy, 2);
    assert_eq!(one.state(), copy.state());
    assert_ne!(one.slices()[0].weights(), before, "the second step carries");
}

fn step(tile: &mut SlicedTile<AnalogTile>, seed: u64) {
    let (x, d) = (uniform(150, 8, seed), uniform(200, 8, seed + 100));
    tile.update(x.as_view(), d.as_view(), 0.02, keys(seed)).unwrap();
    tile.end_of_step(RngKey::root(seed));
}

/// What is not a number is refused with its place, wrong records with their field; nothing changes.
#[test]
fn refusals_change_nothing() {
    let mut tile = ideal(&SliceConfig::default(), &uniform(3, 4, 1));
    let before = tile.state();
    let mut bad = uniform(3, 4, 2);
    bad[(1, 2)] = f32::INFINITY;
    let refused = tile.set_weights(&bad, RngKey::root(1)).unwrap_err();
    assert!(matches!(refused, TileError::NotFinite { line: 1, sample: 2, .. }));
    let refused = tile.update(uniform(4, 1, 1).as_view(), uniform(3, 1, 1).as_view(), f32::MAX, keys(1));
    assert!(matches!(refused, Err(TileError::LearningRate(_))), "4·lr overflows");
    assert_eq!(tile.state(), before);
    assert_eq!(tile.shape(), Shape { outputs: 3, inputs: 4 });
    let refuse = |slices, bits_per_slice| {
        SliceConfig { slices, bits_per_slice, ..SliceConfig::default() }.validate().unwrap_err().field
    };
    assert_eq!([refuse(0, 2), refuse(2, 0), refuse(4, 8)], ["slices", "bits_per_slice", "slices"]);
}
