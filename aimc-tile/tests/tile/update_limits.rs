//! Updates at their limits: no pulses, full trains, exact updates and extreme magnitudes.

use super::{eighths, keys};
use aimc_device::RngKey;
use aimc_device::config;
use aimc_testkit::strategies;
use aimc_tile::{AnalogTile, IdealTile, ReadOut, Shape, Tile, TileConfig, UpdateConfig};
use nalgebra::DMatrix;
use proptest::prelude::*;

/// Devices of step 0.001 that count, in a tile of 2 x 3.
fn tile(update: &UpdateConfig) -> AnalogTile {
    let text = "[device]\nmodel = \"SoftBounds\"\ncount_pulses = true";
    let config = TileConfig { update: update.clone(), ..config::from_toml(text).unwrap() };
    config.build(Shape { outputs: 2, inputs: 3 }, RngKey::root(1)).unwrap()
}

/// Pulses per device after one update.
fn pulses(update: &UpdateConfig, x: [f32; 3], d: [f32; 2], lr: f32, seed: u64) -> Vec<u64> {
    let mut tile = tile(update);
    let (x, d) = (DMatrix::from_column_slice(3, 1, &x), DMatrix::from_column_slice(2, 1, &d));
    tile.update(x.as_view(), d.as_view(), lr, keys(seed)).unwrap();
    let (up, down) = tile.devices()[0].pulse_counts().unwrap();
    up.iter().zip(down).map(|(up, down)| up + down).collect()
}

proptest! {
    #![proptest_config(strategies::config(256))]

    /// n ≤ desired_bl for every device, management and size of the step.
    #[test]
    fn trains_are_never_longer_than_desired(x in prop::array::uniform3(-5.0_f32..5.0), d in prop::array::uniform2(-5.0_f32..5.0),
                                            lr in 0.0_f32..5.0, desired_bl in 1_u32..80, um: bool, blm: bool, seed: u64) {
        let update = UpdateConfig { desired_bl, update_management: um, update_bl_management: blm, ..UpdateConfig::default() };
        prop_assert!(pulses(&update, x, d, lr, seed).iter().all(|n| *n <= u64::from(desired_bl)));
    }

    /// Clipped trains: at the largest x and d a pulse in every slot, n = desired_bl; silent lines get none.
    #[test]
    fn full_trains_pulse_in_every_slot(lr in 1.0_f32..1e6, size in 1e-2_f32..1e4, desired_bl in 1_u32..80, seed: u64) {
        let update = UpdateConfig { desired_bl, ..UpdateConfig::default() };
        // B·xm = 1 up to the 6 roundings of the plan in f64, i.e. to 2⁻⁵⁰: a miss in 80 slots has probability < 1e-13.
        let n = pulses(&update, [-size, 0.0, size], [0.0, 1e3], lr, seed);
        prop_assert_eq!(n, vec![0, 0, 0, u64::from(desired_bl), 0, u64::from(desired_bl)]);
    }

    /// Exact updates: W ← W - lr·Σ d xᵀ without rounding for eighths, with ideal storage and without pulses.
    #[test]
    fn exact_updates_are_exact(seed in 0_u64..1000, batch in 0_usize..9) {
        let shape = Shape { outputs: 4, inputs: 6 };
        let (weights, x, d) = (eighths(4, 6, seed), eighths(6, batch, seed + 1), eighths(4, batch, seed + 2));
        let expected = &weights - 0.5 * &d * x.transpose();
        let pulseless = TileConfig { update: UpdateConfig::exact(), ..TileConfig::default() };
        let mut tiles: [Box<dyn aimc_tile::TrainableTile>; 3] = [
            Box::new(IdealTile::new(shape).unwrap()),
            Box::new(TileConfig::ideal().build(shape, RngKey::root(1)).unwrap()),
            Box::new(pulseless.build(shape, RngKey::root(1)).unwrap()),
        ];
        for tile in &mut tiles {
            tile.set_weights(&weights, RngKey::root(2)).unwrap();
            tile.update(x.as_view(), d.as_view(), 0.5, keys(seed)).unwrap();
            prop_assert_eq!(tile.weights(), expected.clone());
        }
    }
}

/// No pulses without a learning rate, an input or an error; weights keep their bits.
#[test]
fn nothing_to_learn_changes_nothing() {
    for (x, d, lr) in [([1.0; 3], [1.0; 2], 0.0), ([0.0; 3], [1.0; 2], 1.0), ([1.0; 3], [0.0; 2], 1.0)] {
        assert_eq!(pulses(&UpdateConfig::default(), x, d, lr, 1), [0; 6]);
        let mut tile = tile(&UpdateConfig::default());
        let before = tile.state();
        let (x, d) = (DMatrix::from_column_slice(3, 1, &x), DMatrix::from_column_slice(2, 1, &d));
        tile.update(x.as_view(), d.as_view(), lr, keys(1)).unwrap();
        assert_eq!(tile.state(), before);
    }
}

/// A product lr·x·d beyond the range of `f32` is a full train, one below it no pulse.
#[test]
fn extreme_magnitudes_give_full_or_empty_trains() {
    let update = UpdateConfig::default();
    for (x, d, lr) in [(1e30, 1e30, 1.0), (3e38, 3e38, 1e30), (3e38, 1e-3, 10.0), (1e-30, 1e38, 1e5)] {
        assert_eq!(
            pulses(&update, [x, 0.0, 0.0], [d, 0.0], lr, 1),
            [31, 0, 0, 0, 0, 0],
            "{x:e} {d:e} {lr:e}"
        );
    }
    for (x, d) in [(1e-30, 1e-30), (f32::from_bits(1), f32::from_bits(1)), (1e-45, 1.0)] {
        assert_eq!(pulses(&update, [x, 0.0, 0.0], [d, 0.0], 1.0, 1), [0; 6]);
    }
}

/// Without fixed_bl a large learning rate lengthens the train: ⌈lr/G⌉ slots, each firing with |x| and |d|.
#[test]
fn free_trains_grow_with_the_learning_rate() {
    let update = UpdateConfig {
        fixed_bl: false,
        update_management: false,
        update_bl_management: false,
        ..UpdateConfig::default()
    };
    // lr/G = 100 for lr = 0.1 and G = 0.001 in f32: 0.1/0.001 = 99.99999 or 100.00000, rounded up.
    let n = pulses(&update, [1.0, 0.0, 1.0], [1.0, -1.0], 0.0995, 1);
    assert_eq!(n, [100, 0, 100, 100, 0, 100]);
}

/// Sizes do not matter to managed trains: (c·x, d/c) meets with the same pulses, bit for bit, for c = 2ᵏ.
#[test]
fn managed_updates_are_invariant_to_rescaling() {
    let run = |c: f32| {
        let mut tile = tile(&UpdateConfig::default());
        let (x, d) = (eighths(3, 20, 1) * c, eighths(2, 20, 2) / c);
        tile.update(x.as_view(), d.as_view(), 0.01, keys(3)).unwrap();
        tile.weights()
    };
    assert_ne!(run(1.0), DMatrix::zeros(2, 3));
    assert!([0.25, 8.0, 1024.0].iter().all(|c| super::same_bits(&run(*c), &run(1.0))));
}
