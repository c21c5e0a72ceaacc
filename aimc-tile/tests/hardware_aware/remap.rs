//! Remapping.

use aimc_testkit::strategies;
use aimc_tile::hardware_aware::{WeightRemapConfig, WeightRemapType as Type};
use proptest::prelude::*;

use super::largest;

const INPUTS: usize = 4;

fn remap(kind: Type, remapped_wmax: f32) -> WeightRemapConfig {
    WeightRemapConfig { kind, remapped_wmax, ..WeightRemapConfig::default() }
}

/// Weights W·s/s' and scales s'.
fn remapped(record: &WeightRemapConfig, weights: &[f32], scales: &[f32]) -> (Vec<f32>, Vec<f32>) {
    record.validate().unwrap();
    let next = record.scales(weights, INPUTS, scales);
    let factors = scales.iter().zip(&next).map(|(old, new)| old / new);
    let rows = weights.chunks(INPUTS).zip(factors);
    (rows.flat_map(|(row, factor)| row.iter().map(move |w| w * factor)).collect(), next)
}

/// Three rows whose weights are not all 0.
fn rows() -> impl Strategy<Value = Vec<f32>> {
    strategies::vector(3 * INPUTS..=3 * INPUTS, -2.0..=2.0)
        .prop_filter("rows with weights", |rows| rows.chunks(INPUTS).all(|row| largest(row) > 1e-3))
}

proptest! {
    #![proptest_config(strategies::config(128))]

    /// W·s stays, max|W| becomes the value asked for, and remapping again changes nothing. Seven roundings: quotient, product
    /// with the old scale, quotient of the scales, product with the weight, and those of the comparison. Subnormal weights are
    /// rounded to their grid, then multiplied by scales below 1000.
    #[test]
    fn products_stay_and_the_range_is_filled(
        weights in rows(), scales in proptest::collection::vec(0.01_f32..100.0, 3), wmax in 0.25_f32..2.0,
    ) {
        let near = |a: f32, b: f32| (a - b).abs() <= 7.0 * f32::EPSILON * b.abs() + 1000.0 * f32::from_bits(1);
        for kind in [Type::LayerwiseSymmetric, Type::ChannelwiseSymmetric] {
            let record = remap(kind, wmax);
            let (held, next) = remapped(&record, &weights, &scales);
            for i in 0..weights.len() {
                prop_assert!(near(held[i] * next[i / INPUTS], weights[i] * scales[i / INPUTS]));
            }
            prop_assert!(near(largest(&held), wmax));
            if kind == Type::ChannelwiseSymmetric {
                prop_assert!(held.chunks(INPUTS).all(|row| near(largest(row), wmax)));
            } else {
                let ratio = next[0] / scales[0];
                prop_assert!(next.iter().zip(&scales).all(|(new, old)| near(new / old, ratio)));
            }
            let (_, again) = remapped(&record, &held, &next);
            prop_assert!(again.iter().zip(&next).all(|(a, b)| near(*a, *b)));
        }
    }

    /// No scale exceeds ρ times the smallest one, or the reference if that is larger; scales that need not be bounded fill the
    /// range, the others let weights exceed it.
    #[test]
    fn bounded_scales_stay_within_their_range(
        weights in rows(), scales in proptest::collection::vec(0.01_f32..100.0, 3),
        range in 1.0_f32..10.0, reference in 0.0_f32..10.0,
    ) {
        let record = WeightRemapConfig {
            max_scale_range: range, max_scale_ref: reference, ..remap(Type::ChannelwiseSymmetric, 1.0)
        };
        let (held, next) = remapped(&record, &weights, &scales);
        let free = remap(Type::ChannelwiseSymmetric, 1.0).scales(&weights, INPUTS, &scales);
        let limit = range * scales.iter().copied().fold(f32::INFINITY, f32::min).max(reference);
        for ((scale, free), row) in next.iter().zip(&free).zip(held.chunks(INPUTS)) {
            prop_assert_eq!(*scale, free.min(limit));
            prop_assert!(largest(row) >= 1.0 - 7.0 * f32::EPSILON);
        }
    }
}

/// Outputs without weights, and weights too small to be divided by, keep their scale.
#[test]
fn empty_outputs_keep_their_scale() {
    let weights = [0.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, -0.25, 1e-42, 0.0, 0.0, 0.0];
    let (held, next) = remapped(&remap(Type::ChannelwiseSymmetric, 1.0), &weights, &[3.0, 2.0, 1.0]);
    assert_eq!(next, [3.0, 1.0, 1.0]);
    assert_eq!(held[..8], [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, -0.5]);
    let nothing = remap(Type::LayerwiseSymmetric, 1.0).scales(&[0.0; 8], INPUTS, &[3.0, 2.0]);
    assert_eq!(nothing, [3.0, 2.0]);
    assert_eq!(remap(Type::None, 1.0).scales(&weights, INPUTS, &[3.0, 2.0, 1.0]), [3.0, 2.0, 1.0]);
}
