//! Clipping.

use aimc_testkit::assert_close;
use aimc_testkit::strategies;
use aimc_tile::hardware_aware::{WeightClipConfig, WeightClipType as Type};
use proptest::prelude::*;

use super::largest;

fn clip(kind: Type, fixed_value: f32) -> WeightClipConfig {
    WeightClipConfig { kind, fixed_value, ..WeightClipConfig::default() }
}

fn clipped(record: &WeightClipConfig, weights: &[f32], inputs: usize) -> Vec<f32> {
    let value = record.value(weights, inputs).unwrap_or(f32::INFINITY);
    weights.iter().map(|w| w.clamp(-value, value)).collect()
}

proptest! {
    #![proptest_config(strategies::config(128))]

    /// A given value cuts once and for all; what lies within stays.
    #[test]
    fn a_fixed_value_is_idempotent(weights in strategies::vector(6..=6, -2.0..=2.0), value in 0.01_f32..3.0) {
        let record = clip(Type::FixedValue, value);
        let once = clipped(&record, &weights, 3);
        prop_assert!(largest(&once) <= value);
        prop_assert_eq!(&clipped(&record, &once, 3), &once);
        prop_assert!(once.iter().zip(&weights).all(|(a, b)| a == b || b.abs() > value));
    }

    /// All values scale with the weights; a fixed value bounds them.
    #[test]
    fn values_scale_with_the_weights(
        weights in strategies::vector(12..=12, -2.0..=2.0), log_c in -5_i32..5, bound in 0.01_f32..1.0,
    ) {
        let c = 2.0_f32.powi(log_c);
        let scaled: Vec<f32> = weights.iter().map(|w| c * w).collect();
        for kind in [Type::LayerGaussian, Type::AverageChannelMax] {
            let free = clip(kind, -1.0);
            prop_assert_eq!(free.value(&scaled, 4), free.value(&weights, 4).map(|value| c * value));
            let (free, bounded) = (free.value(&weights, 4), clip(kind, bound).value(&weights, 4));
            prop_assert_eq!(bounded, free.map(|value| value.min(bound)));
        }
        // A mean of largest weights never exceeds the largest, so that the largest always falls to it.
        let value = clip(Type::AverageChannelMax, 0.0).value(&weights, 4).unwrap_or(0.0);
        prop_assert!(value <= largest(&weights));
    }
}

/// n weights, half of them a + b and half a - b: the unbiased std is b√(n/(n - 1)), whatever a.
#[test]
fn the_gaussian_value_counts_standard_deviations() {
    let weights: Vec<f32> = (0..8).map(|i| if i % 2 == 0 { 0.75 } else { 0.25 }).collect();
    let record = WeightClipConfig { sigma: 2.0, ..clip(Type::LayerGaussian, -1.0) };
    let value = record.value(&weights, 4).unwrap();
    assert_close!(value, 2.0 * 0.25 * (8.0_f32 / 7.0).sqrt(), f32::EPSILON);
}

/// σ = 0 or max |w| = 0: no clipping value.
#[test]
fn nothing_is_cut_without_a_reason() {
    let weights = [3.0, -4.0];
    assert_eq!(clip(Type::None, 0.1).value(&weights, 2), None);
    // No spread, one weight, no weights at all: there is no value above 0.
    assert_eq!(clip(Type::LayerGaussian, -1.0).value(&[2.0, 2.0], 2), None);
    assert_eq!(clip(Type::LayerGaussian, -1.0).value(&[2.0], 1), None);
    assert_eq!(clip(Type::AverageChannelMax, -1.0).value(&[0.0, 0.0], 2), None);
}
