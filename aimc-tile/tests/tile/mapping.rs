//! The digital periphery: weight scales, output scales, input ranges, analog bias.

use super::{backward, forward, keys, same_bits, transparent, uniform};
use aimc_device::RngKey;
use aimc_testkit::assert_close;
use aimc_testkit::strategies;
use aimc_tile::grid::TileGrid;
use aimc_tile::mapping::{InputRangeConfig, LogicalTile, MappingConfig, PeripheryConfig};
use aimc_tile::periphery::bound_management::BoundManagement;
use aimc_tile::periphery::noise_management::NoiseManagement;
use aimc_tile::{IdealTile, IoConfig, ReadOut, Shape, Tile, TileConfig, UnitCell, UpdateConfig};
use nalgebra::DMatrix;
use proptest::prelude::*;

type Mapped<T> = TileGrid<LogicalTile<T>>;

const PERFECT: fn() -> IoConfig = IoConfig::perfect;

/// Exact tiles behind the periphery.
fn mapped(config: &PeripheryConfig, weights: &DMatrix<f32>) -> Mapped<IdealTile> {
    let shape = Shape { outputs: weights.nrows(), inputs: weights.ncols() };
    let mut grid =
        config.build(&PERFECT(), shape, RngKey::root(1), |shape, _| IdealTile::new(shape)).unwrap();
    grid.set_weights(weights, RngKey::root(1)).unwrap();
    grid
}

fn scaling(omega: f32, columnwise: bool) -> MappingConfig {
    MappingConfig {
        weight_scaling_omega: omega,
        weight_scaling_columnwise: columnwise,
        ..MappingConfig::default()
    }
}

fn with_range(range: InputRangeConfig) -> PeripheryConfig {
    let input_range = InputRangeConfig { enable: true, ..range };
    PeripheryConfig { input_range, ..PeripheryConfig::default() }
}

fn first<T: aimc_tile::MatVec>(grid: &Mapped<T>) -> &LogicalTile<T> {
    grid.tiles().next().unwrap()
}

proptest! {
    #![proptest_config(strategies::config(64))]

    /// Products, read-out and exact updates do not depend on how weights are scaled: only rounding differs.
    #[test]
    fn scaling_is_invisible_without_noise(
        omega in 0.1_f32..2.0, columnwise in any::<bool>(), compensated in any::<bool>(), seed in 0_u64..1000,
    ) {
        let mapping = MappingConfig { weight_scaling_lr_compensation: compensated, ..scaling(omega, columnwise) };
        let config = PeripheryConfig { mapping, ..PeripheryConfig::default() };
        let (weights, x, d) = (3.0 * uniform(4, 6, seed), uniform(6, 3, seed + 1), uniform(4, 3, seed + 2));
        let (mut scaled, mut plain) = (mapped(&config, &weights), mapped(&PeripheryConfig::default(), &weights));
        // At most 30 roundings of numbers below 6·3, 4·3 and 3 + 3/4.
        let near = |a: &DMatrix<f32>, b: &DMatrix<f32>, size: f32| (a - b).amax() <= 30.0 * f32::EPSILON * size;
        prop_assert!(near(&forward(&scaled, &x, keys(1)), &forward(&plain, &x, keys(1)), 18.0));
        prop_assert!(near(&backward(&scaled, &d, keys(1)), &backward(&plain, &d, keys(1)), 12.0));
        let held = first(&scaled).tile().weights();
        let largest: Vec<f32> = held.row_iter().map(|row| row.amax()).collect();
        assert_close!(held.amax(), omega, 2.0 * f32::EPSILON * omega);
        prop_assert!(!columnwise || largest.iter().all(|w| (w - omega).abs() <= 2.0 * f32::EPSILON * omega));
        for tile in [&mut scaled, &mut plain] {
            tile.update(x.as_view(), d.as_view(), 0.25, keys(2)).unwrap();
        }
        prop_assert!(near(&scaled.weights(), &plain.weights(), 3.75));
    }

    /// x → cx, r → cr gives y → cy bit for bit for powers of two; what lies beyond r is cut.
    #[test]
    fn input_ranges_are_equivariant(log_c in -10_i32..10, seed in 0_u64..1000) {
        let c = 2.0_f32.powi(log_c);
        let (weights, x) = (uniform(3, 5, seed), 2.0 * uniform(5, 4, seed + 1));
        let y = |r: f32, x: &DMatrix<f32>| {
            let config = with_range(InputRangeConfig { init_value: r, ..InputRangeConfig::default() });
            forward(&mapped(&config, &weights), x, keys(1))
        };
        prop_assert_eq!(y(c, &(c * &x)), c * y(1.0, &x));
        let cut = x.map(|x| x.clamp(-1.0, 1.0));
        prop_assert_eq!(y(1.0, &x), y(1.0, &cut));
    }

    /// An analog bias is a column with input 1 at every input range: y = W·clip(x) + b.
    #[test]
    fn an_analog_bias_is_added_at_any_range(r in 0.25_f32..4.0, omega in 0.0_f32..2.0, seed in 0_u64..1000) {
        let mut config = with_range(InputRangeConfig { init_value: r, ..InputRangeConfig::default() });
        config.mapping = MappingConfig { digital_bias: false, ..scaling(omega, false) };
        let (weights, x, bias) = (uniform(3, 5, seed), 2.0 * uniform(5, 4, seed + 1), uniform(3, 1, seed + 2));
        let mut grid = mapped(&config, &weights);
        grid.tiles_mut().for_each(|tile| tile.set_bias(bias.as_slice(), RngKey::root(3)).unwrap());
        let mut expected = &weights * x.map(|x| x.clamp(-r, r));
        expected.column_iter_mut().for_each(|mut y| y += &bias.column(0));
        // 6 products of at most 2, rounded at most 20 times; the bias passes 1/r and r.
        prop_assert!((forward(&grid, &x, keys(1)) - expected).amax() <= 20.0 * f32::EPSILON * 12.0);
        let read = first(&grid).bias().unwrap();
        for (a, b) in read.iter().zip(bias.iter()) {
 assert_close!(*a, *b, 4.0 * f32::EPSILON);
}
        prop_assert_eq!(backward(&grid, &uniform(3, 2, 5), keys(1)).nrows(), 5);
    }
}

/// α ← α - lr·Σ d·y/α with y = Wx = 2 and d = 1/2 at α = 1: 1 - 0.25; both outputs together unless columnwise.
#[test]
fn output_scales_follow_their_gradient() {
    for (columnwise, expected) in [(true, [0.75, 1.0]), (false, [0.75, 0.75])] {
        let mapping = MappingConfig {
            learn_out_scaling: true,
            out_scaling_columnwise: columnwise,
            ..scaling(1.0, true)
        };
        let config = PeripheryConfig { mapping, ..PeripheryConfig::default() };
        let mut grid = mapped(&config, &DMatrix::from_row_slice(2, 1, &[2.0, 4.0]));
        let (x, d) = (DMatrix::from_element(1, 1, 1.0), DMatrix::from_column_slice(2, 1, &[0.5, 0.0]));
        grid.update(x.as_view(), d.as_view(), 0.25, keys(1)).unwrap();
        assert_eq!(first(&grid).out_scales(), expected);
        // sŴ = 2 - 1/8, then times α.
        assert_eq!(grid.weights()[0], 1.875 * 0.75);
        grid.set_weights(&DMatrix::from_element(2, 1, 1.0), RngKey::root(1)).unwrap();
        assert_eq!(first(&grid).out_scales(), [1.0, 1.0]);
    }
}

/// Statistics: std of {-1, 1} is √2; the first batch replaces the first value, the second one averages.
#[test]
fn input_ranges_take_statistics() {
    let record = InputRangeConfig {
        init_from_data: 2,
        learn_input_range: false,
        init_std_alpha: 3.0,
        ..InputRangeConfig::default()
    };
    let mut grid = mapped(&with_range(record), &DMatrix::zeros(1, 2));
    let mut see = |scale: f32| {
        let (x, d) = (DMatrix::from_column_slice(2, 1, &[-scale, scale]), DMatrix::zeros(1, 1));
        grid.update(x.as_view(), d.as_view(), 1.0, keys(1)).unwrap();
        first(&grid).input_range().unwrap()
    };
    let root = 3.0 * 2.0_f32.sqrt();
    assert_eq!(see(0.0), 3.0, "no spread, no statistics");
    assert_close!(see(1.0), root, 2.0 * f32::EPSILON * root);
    assert_close!(see(3.0), 2.0 * root, 4.0 * f32::EPSILON * root);
    let end = see(1.0);
    assert_eq!(see(5.0), end, "statistics are over");
}

/// Learning: errors that ask for larger inputs widen the range, others do not; unused range shrinks by lr·decay.
#[test]
fn input_ranges_learn() {
    let learned = |x: [f32; 2], d: f32, relative| {
        let record = InputRangeConfig {
            init_from_data: 0,
            init_value: 2.0,
            decay: 0.5,
            gradient_relative: relative,
            ..InputRangeConfig::default()
        };
        let mut grid = mapped(&with_range(record), &DMatrix::from_element(1, 2, 1.0));
        let x = DMatrix::from_column_slice(2, 1, &x);
        grid.update(x.as_view(), DMatrix::from_element(1, 1, d).as_view(), 0.25, keys(1)).unwrap();
        first(&grid).input_range().unwrap()
    };
    // z = d at every input; g = -1 for x ≥ r, times r if relative.
    assert_eq!(learned([3.0, 0.0], -1.0, false), 2.25);
    assert_eq!(learned([3.0, 0.0], -1.0, true), 2.5);
    assert_eq!(learned([-3.0, 0.0], 1.0, false), 2.25);
    assert_eq!(learned([3.0, 0.0], 1.0, false), 2.0);
    assert_eq!(learned([-3.0, 0.0], -1.0, false), 2.0);
    // All inputs inside: g = decay·r = 1.
    assert_eq!(learned([1.0, 0.0], -1.0, false), 1.75);
}

/// Clipped outputs widen the range: one of one output clipped, two inputs: g = -r/2.
#[test]
fn clipped_outputs_widen_the_range() {
    let io = IoConfig { out_bound: 0.5, ..transparent(NoiseManagement::None) };
    let record = InputRangeConfig {
        init_from_data: 0,
        init_value: 2.0,
        decay: 0.0,
        manage_output_clipping: true,
        ..InputRangeConfig::default()
    };
    let tile = TileConfig {
        device: UnitCell::ideal(),
        forward: io.clone(),
        backward: io.clone(),
        update: UpdateConfig::exact(),
    };
    let shape = Shape { outputs: 1, inputs: 2 };
    let build = |shape, key| tile.build(shape, key);
    let mut grid = with_range(record).build(&io, shape, RngKey::root(1), build).unwrap();
    grid.set_weights(&DMatrix::from_element(1, 2, 1.0), RngKey::root(1)).unwrap();
    let mut after = |x: f32| {
        let x = DMatrix::from_element(2, 1, x);
        grid.update(x.as_view(), DMatrix::zeros(1, 1).as_view(), 0.5, keys(1)).unwrap();
        first(&grid).input_range().unwrap()
    };
    assert_eq!(after(0.25), 2.0, "1/4 is within the bound of 1/2");
    assert_eq!(after(1.0), 2.5);
}

/// Scales, output scales, ranges and counters survive a checkpoint: training continues bit for bit.
#[test]
fn a_restored_periphery_continues_bit_for_bit() {
    let mut config = with_range(InputRangeConfig { init_from_data: 4, ..InputRangeConfig::default() });
    config.mapping = MappingConfig {
        learn_out_scaling: true,
        out_scaling_columnwise: true,
        max_input_size: 4,
        ..scaling(0.5, true)
    };
    let tile = TileConfig::default();
    let build = || {
        let shape = Shape { outputs: 3, inputs: 7 };
        config.build(&tile.forward, shape, RngKey::root(1), |shape, key| tile.build(shape, key)).unwrap()
    };
    let train = |grid: &mut Mapped<_>, steps: std::ops::Range<u64>| {
        for step in steps {
            let (x, d) = (4.0 * uniform(7, 5, step), uniform(3, 5, step + 50));
            grid.update(x.as_view(), d.as_view(), 0.05, keys(step)).unwrap();
            grid.end_of_step(RngKey::root(step));
        }
    };
    let (mut original, mut copy) = (build(), build());
    original.set_weights(&uniform(3, 7, 9), RngKey::root(2)).unwrap();
    train(&mut original, 0..2);
    copy.restore(&original.state().root()).unwrap();
    train(&mut original, 2..8);
    train(&mut copy, 2..8);
    assert_eq!(original.state(), copy.state());
    let x = uniform(7, 2, 1);
    assert!(same_bits(&forward(&original, &x, keys(1)), &forward(&copy, &x, keys(1))));
    assert!(first(&copy).out_scales().iter().all(|alpha| *alpha != 1.0));
}

/// Wrong records are refused by the path of the field.
#[test]
fn records_are_checked() {
    let refuse = |config: PeripheryConfig, io: &IoConfig| config.validate(io).unwrap_err().field;
    let mapping = PeripheryConfig { mapping: scaling(-1.0, false), ..PeripheryConfig::default() };
    assert_eq!(refuse(mapping, &PERFECT()), "mapping.weight_scaling_omega");
    let range = |record| with_range(record);
    let default = InputRangeConfig::default;
    let zero = range(InputRangeConfig { init_value: 0.0, ..default() });
    assert_eq!(refuse(zero, &PERFECT()), "input_range.init_value");
    let clipping = range(InputRangeConfig { manage_output_clipping: true, ..default() });
    let plain = IoConfig { bound_management: BoundManagement::None, ..transparent(NoiseManagement::None) };
    for io in [PERFECT(), IoConfig::default(), transparent(NoiseManagement::AbsMax)] {
        assert_eq!(refuse(clipping.clone(), &io), "input_range.manage_output_clipping");
    }
    clipping.validate(&plain).unwrap();
    let mut analog = PeripheryConfig::default();
    analog.mapping.digital_bias = false;
    let shape = Shape { outputs: 2, inputs: 512 };
    let refused = analog.build(&PERFECT(), shape, RngKey::root(1), |shape, _| IdealTile::new(shape));
    assert_eq!(refused.unwrap_err().field, "mapping.digital_bias");
}

/// With 3 bits scales lie on sevenths of the largest one; errors and updates keep full precision, and the circuits
/// tell the layer in which precision a bias is added.
#[test]
fn scales_lie_on_a_grid_of_few_bits() {
    let quantized = |n_bits: u32| {
        let mut config = PeripheryConfig { mapping: scaling(1.0, true), ..PeripheryConfig::default() };
        config.quantization.n_bits = n_bits;
        mapped(&config, &DMatrix::from_row_slice(2, 2, &[0.75, 0.0, 0.15, -0.3]))
    };
    let seen = |tile: &Mapped<IdealTile>| forward(tile, &DMatrix::identity(2, 2), keys(3));
    let (full, few) = (quantized(0), quantized(3));
    // Scales are positive and have all 7 steps of 0.75/7: 0.3 becomes 3 of them, and the second row grows with it.
    let three = 3.0 * 0.75 / 7.0;
    let expected = DMatrix::from_row_slice(2, 2, &[0.75, 0.0, 0.5 * three, -three]);
    assert!((seen(&few) - expected).amax() <= 4.0 * f32::EPSILON);
    assert!((seen(&full) - full.weights()).amax() <= 4.0 * f32::EPSILON);
    assert_eq!(few.weights(), full.weights());
    use aimc_tile::MatVec;
    assert_eq!((full.periphery_precision().n_bits, few.periphery_precision().n_bits), (0, 3));
    let mut config = PeripheryConfig::default();
    config.quantization.n_bits = 1;
    assert_eq!(config.validate(&IoConfig::perfect()).unwrap_err().field, "quantization.n_bits");
}
