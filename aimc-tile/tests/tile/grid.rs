//! Grids of tiles: the split, and its equality with one tile.

use super::{ROUNDOFF, backward, eighths, exact, forward, keys, same_bits, sizes, transparent, uniform};
use aimc_device::RngKey;
use aimc_device::error::ConfigError;
use aimc_testkit::stats::expect_normal;
use aimc_testkit::strategies;
use aimc_tile::grid::{TileGrid, equal_parts};
use aimc_tile::periphery::noise_management::NoiseManagement;
use aimc_tile::{
    AnalogTile, IoConfig, MatVec, ReadOut, Shape, Tile, TileConfig, TileError, UnitCell, UpdateConfig,
};
use nalgebra::DMatrix;
use proptest::prelude::*;

/// A grid of tiles of at most `largest` lines each way that hold `weights`.
fn grid(config: &TileConfig, largest: usize, weights: &DMatrix<f32>) -> TileGrid<AnalogTile> {
    let shape = Shape { outputs: weights.nrows(), inputs: weights.ncols() };
    let build = |shape, key| -> Result<_, ConfigError> { config.build(shape, key) };
    let limit = Shape { outputs: largest, inputs: largest };
    let mut grid = TileGrid::new(shape, limit, RngKey::root(1), build).unwrap();
    grid.set_weights(weights, RngKey::root(2)).unwrap();
    grid
}

fn ideal(io: &IoConfig) -> TileConfig {
    TileConfig {
        device: UnitCell::ideal(),
        forward: io.clone(),
        backward: io.clone(),
        update: UpdateConfig::exact(),
    }
}

proptest! {
    #![proptest_config(strategies::config(64))]

    /// Parts cover the whole, obey the limit, differ by one line at most, and are as few as possible.
    #[test]
    fn parts_are_equal_and_few(size in 1_usize..5000, largest in 0_usize..600) {
        let parts = equal_parts(size, largest);
        prop_assert_eq!(parts.iter().sum::<usize>(), size);
        prop_assert!(parts.is_sorted_by(|a, b| a >= b) && parts[0] - parts[parts.len() - 1] <= 1);
        if largest > 0 {
            prop_assert!(parts[0] <= largest && (parts.len() - 1) * largest < size);
        } else {
            prop_assert_eq!(parts.len(), 1);
        }
    }

    /// Without noise a grid multiplies, learns and is read like one matrix.
    #[test]
    fn a_noise_free_grid_is_one_tile(outputs in 1_usize..12, inputs in 1_usize..12, largest in 0_usize..6, seed in 0_u64..1000) {
        let (weights, x, d) =
            (uniform(outputs, inputs, seed), uniform(inputs, 3, seed + 1), uniform(outputs, 3, seed + 2));
        let mut grid = grid(&ideal(&transparent(NoiseManagement::AbsMax)), largest, &weights);
        prop_assert_eq!(grid.weights(), weights.clone());
        let near = |found: DMatrix<f32>, w: &DMatrix<f32>, x: &DMatrix<f32>| {
            // n products, at most n additions of partial sums, and scaling by α and back in every part.
            let (expected, sizes) = (exact(w, x), sizes(w, x));
            let slack = (2 * w.ncols() + 4) as f64 * ROUNDOFF;
            found.iter().zip(expected.iter()).zip(sizes.iter())
                .all(|((y, e), s)| (f64::from(*y) - e).abs() <= slack * s + f64::from(f32::MIN_POSITIVE))
        };
        prop_assert!(near(forward(&grid, &x, keys(1)), &weights, &x));
        prop_assert!(near(backward(&grid, &d, keys(1)), &weights.transpose(), &d));
        let mut single = self::grid(&ideal(&IoConfig::perfect()), 0, &weights);
        grid.update(x.as_view(), d.as_view(), 0.25, keys(2)).unwrap();
        single.update(x.as_view(), d.as_view(), 0.25, keys(2)).unwrap();
        // Each of the 3 outer products rounds twice, relative to sizes below 1 + 3/4.
        prop_assert!((grid.weights() - single.weights()).amax() <= (12.0 * 1.75 * ROUNDOFF) as f32);
    }
}

/// Two partial sums carry twice the variance of output noise: y ~ N(Wx, 2·(α·out_noise)²).
#[test]
fn output_noise_adds_up_over_partial_sums() {
    let io = IoConfig { out_noise: 0.0625, ..transparent(NoiseManagement::AbsMax) };
    // Equal maxima in both halves, so that α is the same.
    let (weights, mut x) = (uniform(2, 8, 1), uniform(8, 1, 2));
    (x[0], x[7]) = (1.0, -1.0);
    let grid = grid(&ideal(&io), 4, &weights);
    let y = forward(&grid, &DMatrix::from_fn(8, 20_000, |i, _| x[i]), keys(3));
    let mean = exact(&weights, &x);
    for i in 0..2 {
        let deviations: Vec<f64> = y.row(i).iter().map(|y| f64::from(*y) - mean[i]).collect();
        expect_normal(&deviations, 0.0, 0.0625 * 2.0_f64.sqrt());
    }
}

/// Tiles in one row of the grid draw on their own: with equal weights and inputs their noise differs.
#[test]
fn parts_have_draws_of_their_own() {
    let io = IoConfig { out_noise: 0.0625, ..transparent(NoiseManagement::AbsMax) };
    let grid = grid(&ideal(&io), 2, &DMatrix::from_element(4, 4, 0.5));
    let x = DMatrix::from_element(2, 1, 1.0);
    let mut seen: Vec<f32> = Vec::new();
    let y = forward(&grid, &DMatrix::from_element(4, 1, 1.0), keys(1));
    for tile in grid.tiles() {
        seen.extend(forward(tile, &x, keys(1)).iter());
    }
    // The same address in four tiles is the same draw; the grid gives each its own.
    assert_eq!(seen[0], seen[2]);
    assert_ne!(y[0], y[2]);
}

/// One and two threads give the same bits, and a restored grid continues bit for bit.
#[test]
fn threads_and_checkpoints_change_no_bit() {
    let config = TileConfig::default();
    let (x, d) = (uniform(150, 16, 3), uniform(200, 16, 4));
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut grid = grid(&config, 128, &(0.3 * eighths(200, 150, 5)));
            let y = forward(&grid, &x, keys(1));
            grid.update(x.as_view(), d.as_view(), 0.01, keys(2)).unwrap();
            grid.end_of_step(RngKey::root(3));
            (y, backward(&grid, &d, keys(4)), grid)
        })
    };
    let ((y, z, mut one), (other_y, other_z, two)) = (run(1), run(2));
    assert!(same_bits(&y, &other_y) && same_bits(&z, &other_z));
    assert_eq!(one.state(), two.state());
    let mut copy = grid(&config, 128, &DMatrix::zeros(200, 150));
    copy.restore(&one.state().root()).unwrap();
    for grid in [&mut one, &mut copy] {
        grid.update(x.as_view(), d.as_view(), 0.01, keys(9)).unwrap();
    }
    assert_eq!(one.state(), copy.state());
    let before = copy.state();
    assert!(copy.restore(&before.part("tile0_0")).is_err());
    assert_eq!(copy.state(), before);
}

/// Numbers that are not finite are refused with their place in the logical matrix, before any tile has changed.
#[test]
fn refusals_name_the_place_in_the_whole() {
    let mut grid = grid(&TileConfig::default(), 2, &DMatrix::zeros(5, 5));
    let before = grid.state();
    let mut bad = uniform(5, 3, 1);
    bad[(4, 2)] = f32::NAN;
    let good = uniform(5, 3, 2);
    let mut y = DMatrix::zeros(5, 3);
    let refusals = [
        grid.forward(bad.as_view(), y.as_view_mut(), keys(1)),
        grid.backward(bad.as_view(), y.as_view_mut(), keys(1)),
        grid.update(bad.as_view(), good.as_view(), 0.1, keys(1)),
        grid.update(good.as_view(), bad.as_view(), 0.1, keys(1)),
        grid.set_weights(&bad.clone().resize(5, 5, 0.0), RngKey::root(1)),
    ];
    for refused in refusals {
        assert!(matches!(refused, Err(TileError::NotFinite { line: 4, sample: 2, .. })), "{refused:?}");
    }
    assert_eq!(grid.state(), before);
}
