//! What modifiers do for certain: grids, columns left alone, addresses of draws.

use aimc_device::RngKey;
use aimc_testkit::assert_close;
use aimc_testkit::strategies;
use aimc_tile::hardware_aware::{WeightModifierConfig, WeightModifierType as Type};
use proptest::prelude::*;

use super::{largest, modifier};

const KINDS: [Type; 11] = [
    Type::None,
    Type::AddNormal,
    Type::MultNormal,
    Type::Discretize,
    Type::DiscretizeAddNormal,
    Type::DoReFa,
    Type::Poly,
    Type::ProgNoise,
    Type::PcmNoise,
    Type::DropConnect,
    Type::Copy,
];

/// A modifier that changes weights, whatever its type.
fn strong(kind: Type) -> WeightModifierConfig {
    let pdrop = if kind == Type::None { 0.0 } else { 0.1 };
    WeightModifierConfig {
        std_dev: 0.5,
        res: 0.1,
        sto_round: true,
        pdrop,
        kind,
        ..WeightModifierConfig::default()
    }
}

proptest! {
    #![proptest_config(strategies::config(128))]

    /// Rounding to the nearest level twice is rounding once, leaves at most 2/r + 1 levels, and moves nothing by more
    /// than half a step.
    #[test]
    fn rounding_is_idempotent(
        weights in strategies::vector(1..=40, -1.0..=1.0), steps in 1_u32..64, assumed_wmax in 0.25_f32..4.0,
    ) {
        let res = 1.0 / steps as f32;
        let record = WeightModifierConfig { res, assumed_wmax, ..modifier(Type::Discretize) };
        let scaled: Vec<f32> = weights.iter().map(|w| w * assumed_wmax).collect();
        let n = weights.len();
        let once = record.modified(&scaled, n, RngKey::root(1));
        prop_assert_eq!(&record.modified(&once, n, RngKey::root(2)), &once);
        let mut levels: Vec<i64> = once.iter().map(|w| (w / assumed_wmax * steps as f32).round() as i64).collect();
        levels.sort_unstable();
        levels.dedup();
        prop_assert!(levels.len() as u32 <= 2 * steps + 1);
        prop_assert!(levels.iter().all(|level| level.unsigned_abs() <= u64::from(steps)));
        let half = 0.5 * res * assumed_wmax * (1.0 + 4.0 * f32::EPSILON) + 2.0 * f32::EPSILON * assumed_wmax;
        for (a, b) in once.iter().zip(&scaled) {
 assert_close!(*a, *b, half);
}
    }

    /// Levels stay where they are under stochastic rounding, too.
    #[test]
    fn levels_are_fixed_points_of_stochastic_rounding(level in -16_i32..=16, seed in 0_u64..1000) {
        let record = WeightModifierConfig { res: 0.0625, sto_round: true, ..modifier(Type::Discretize) };
        let w = level as f32 / 16.0;
        prop_assert_eq!(record.modified(&[w; 64], 64, RngKey::root(seed)), vec![w; 64]);
    }

    /// The column of an analog bias keeps its bits and does not count as a weight; the others do not see it.
    #[test]
    fn the_last_column_is_left_alone(
        rows in strategies::fixed_matrix(3, 4, -1.0..=1.0), bias in 2.0_f32..100.0, which in 1_usize..11,
    ) {
        let record = WeightModifierConfig { copy_last_column: true, ..strong(KINDS[which]) };
        let with = |bias: f32| -> Vec<f32> {
            let weights: Vec<f32> = rows.iter().flat_map(|row| row.iter().copied().chain([bias])).collect();
            record.modified(&weights, 5, RngKey::root(3))
        };
        let (small, large) = (with(0.5), with(bias));
        for (small, large) in small.chunks(5).zip(large.chunks(5)) {
            prop_assert_eq!(&small[..4], &large[..4]);
            prop_assert_eq!((small[4], large[4]), (0.5, bias));
        }
    }

    /// For the types whose noise scales with A: c·W gives c·W' for powers of two.
    #[test]
    fn modified_weights_scale_with_the_weights(
        weights in strategies::vector(8..=8, -1.0..=1.0), log_c in -6_i32..6, seed in 0_u64..1000,
    ) {
        let c = 2.0_f32.powi(log_c);
        // Subnormal numbers do not scale.
        let weights: Vec<f32> = weights.iter().map(|w| if w.is_normal() { *w } else { 0.0 }).collect();
        prop_assume!(weights.iter().all(|w| *w == 0.0 || w.abs() > 1e-30));
        prop_assume!(largest(&weights) > 0.1);
        for kind in [Type::AddNormal, Type::Discretize, Type::DiscretizeAddNormal, Type::Poly, Type::PcmNoise] {
            let record = strong(kind);
            let scaled: Vec<f32> = weights.iter().map(|w| c * w).collect();
            let modified = record.modified(&weights, 4, RngKey::root(seed));
            let expected: Vec<f32> = modified.iter().map(|w| c * w).collect();
            prop_assert_eq!(record.modified(&scaled, 4, RngKey::root(seed)), expected);
        }
    }
}

/// No modifier: w̃ = w; one without noise and grid: within 4 ε|w|.
#[test]
fn without_a_modifier_weights_keep_their_bits() {
    let weights = [0.1, -0.2, 0.3, -0.0];
    assert_eq!(strong(Type::None).modified(&weights, 2, RngKey::root(1)), weights);
    for kind in KINDS {
        // No noise, no grid, nothing dropped.
        let idle = WeightModifierConfig { kind, ..WeightModifierConfig::default() };
        let modified = idle.modified(&weights, 2, RngKey::root(1));
        let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 4.0 * f32::EPSILON * b.abs();
        assert!(modified.iter().zip(&weights).all(near), "{kind:?}: {modified:?}");
    }
}

/// An empty tile has A = 1.
#[test]
fn an_empty_tile_is_modified_as_one_of_unit_range() {
    let record = WeightModifierConfig { std_dev: 0.1, ..modifier(Type::AddNormal) };
    let empty = [0.0; 12];
    let assumed = record.modified(&empty, 3, RngKey::root(1));
    let actual = WeightModifierConfig { rel_to_actual_wmax: true, ..record };
    assert_eq!(actual.modified(&empty, 3, RngKey::root(1)), assumed);
}

/// Steps of res·A; above 1 `res` counts them, unless it is taken literally; of the range they are twice as long.
#[test]
fn resolutions_mean_what_they_say() {
    let grid = |res: f32| WeightModifierConfig { res, ..modifier(Type::Discretize) };
    let on = |record: WeightModifierConfig| record.modified(&[0.3, -0.6, 0.9, 1.0], 4, RngKey::root(1));
    assert_eq!(on(grid(0.25)), [0.25, -0.5, 1.0, 1.0]);
    assert_eq!(on(grid(4.0)), [0.25, -0.5, 1.0, 1.0]);
    assert_eq!(on(WeightModifierConfig { literal_res: true, ..grid(4.0) }), [0.0; 4]);
    assert_eq!(on(WeightModifierConfig { res_of_range: true, ..grid(4.0) }), [0.5, -0.5, 1.0, 1.0]);
    // Squashed: tanh of the weights over tanh(1), times 0.6.
    let squashed = |w: f32| (0.6 * w.tanh() / 1.0_f32.tanh() / 0.25).round() * 0.25;
    let dorefa = WeightModifierConfig { res: 0.25, res_of_range: true, ..modifier(Type::DoReFa) };
    assert_eq!(on(dorefa), [0.3, -0.6, 0.9, 1.0].map(squashed));
}

/// The draws of a row depend neither on the rows beside it nor on the number of threads; other keys give other draws.
#[test]
fn draws_belong_to_their_row() {
    let (inputs, outputs) = (256, 64);
    let weights: Vec<f32> = (0..inputs * outputs).map(|i| (i % 19) as f32 / 9.0 - 1.0).collect();
    for kind in &KINDS[1..] {
        let record = WeightModifierConfig { rel_to_actual_wmax: false, ..strong(*kind) };
        let modified = |threads: usize, rows: usize, seed: u64| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| record.modified(&weights[..rows * inputs], inputs, RngKey::root(seed)))
        };
        let all = modified(1, outputs, 5);
        assert_eq!(modified(2, outputs, 5), all, "{kind:?}");
        assert_eq!(modified(2, 3, 5), all[..3 * inputs], "{kind:?}");
        assert_ne!(modified(2, outputs, 6), all, "{kind:?}");
    }
}
