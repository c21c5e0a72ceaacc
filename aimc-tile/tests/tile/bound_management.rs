//! Iterative bound management: the smallest power of two that brings all outputs into range.

use super::{eighths, exact, product, same_bits, transparent, uniform};
use aimc_testkit::strategies;
use aimc_tile::IoConfig;
use aimc_tile::periphery::bound_management::BoundManagement;
use aimc_tile::periphery::noise_management::NoiseManagement;
use aimc_tile::periphery::quantiser;
use nalgebra::DMatrix;
use proptest::prelude::*;

/// Noise-free circuits with an ADC of 17 exact levels k·bound/8 and inputs of any size.
fn circuits(out_bound: f32) -> IoConfig {
    IoConfig {
        out_bound,
        out_res: 0.0625,
        bound_management: BoundManagement::Iterative,
        ..transparent(NoiseManagement::None)
    }
}

proptest! {
    #![proptest_config(strategies::config(128))]

    /// y = ρ·y₁(x/ρ) with the smallest ρ = 2ᵏ whose outputs round to at most 8 levels; |y| ≤ ρ·bound.
    #[test]
    fn the_reduction_is_the_smallest_that_fits(log_bound in -6_i32..4, seed in 0_u64..1000) {
        let bound = 2.0_f32.powi(log_bound);
        let (weights, x) = (eighths(5, 16, seed), eighths(16, 4, seed + 1));
        let y = product(&circuits(bound), &weights, &x, 1);
        let plain = IoConfig { bound_management: BoundManagement::None, ..circuits(bound) };
        for sample in 0..4 {
            let x = x.columns(sample, 1).into_owned();
            let largest = exact(&weights, &x).amax();
            let fits = |rho: &f32| (largest / f64::from(*rho) / f64::from(bound) * 8.0).round_ties_even() <= 8.0;
            let rho = (0..).map(|k| 2.0_f32.powi(k)).find(fits).unwrap();
            let expected = product(&plain, &weights, &(x / rho), 1) * rho;
            prop_assert_eq!(y.columns(sample, 1), expected.columns(0, 1));
            prop_assert!(y.column(sample).amax() <= rho * bound);
        }
    }

    /// With noise |y| ≤ α·ρ_max·bound·out_scale still holds: 7-bit inputs allow ρ up to 16.
    #[test]
    fn results_stay_within_the_largest_range(out_bound in 0.01_f32..2.0, seed in 0_u64..1000) {
        let io = IoConfig { out_bound, out_noise: 0.5, out_scale: 2.0, ..IoConfig::default() };
        let x = uniform(16, 4, seed + 1);
        let y = product(&io, &uniform(5, 16, seed), &x, seed);
        for sample in 0..4 {
            // Two roundings of the right-hand side.
            let limit = x.column(sample).amax() * 16.0 * out_bound * 2.0 * (1.0 + 2.0 * f32::EPSILON);
            prop_assert!(y.column(sample).amax() <= limit);
        }
    }

    /// An output at the end of the range is in range if its level is: (2ᵏ⁻¹ - 1)·Δ ≤ bound as rounded in f32.
    #[test]
    fn the_last_level_is_within_range(bits in 2_i32..14, bound in 0.1_f32..30.0) {
        let io = IoConfig {
            out_bound: bound, out_res: 1.0 / (2.0_f32.powi(bits) - 2.0), bound_management: BoundManagement::Iterative,
            ..transparent(NoiseManagement::None)
        };
        let step = quantiser::step(io.out_res, bound);
        prop_assume!(quantiser::quantise(bound, step, 0.0) <= bound);
        let plain = IoConfig { bound_management: BoundManagement::None, ..io.clone() };
        let (weights, one) = (DMatrix::from_element(1, 1, bound), DMatrix::from_element(1, 1, 1.0));
        for x in [one.clone(), -one] {
            prop_assert_eq!(product(&io, &weights, &x, 1), product(&plain, &weights, &x, 1));
        }
    }
}

/// 9 bits on a range of 12, the default: 255 steps round to 12.000001, so that the last level counts as beyond
/// the range and the product is repeated with half the input, as in AIHWKit (golden case `bm_Iterative`).
#[test]
fn the_last_level_of_the_default_range_is_repeated() {
    let io = IoConfig { out_noise: 0.0, noise_management: NoiseManagement::None, ..IoConfig::default() };
    let (weights, one) = (DMatrix::from_element(1, 1, 12.0), DMatrix::from_element(1, 1, 1.0));
    let step = quantiser::step(io.out_res, io.out_bound);
    assert!(quantiser::quantise(12.0, step, 0.0) > 12.0);
    let plain = IoConfig { bound_management: BoundManagement::None, ..io.clone() };
    let repeated = product(&io, &weights, &one, 1);
    assert_eq!(repeated, product(&plain, &weights, &(&one / 2.0), 1) * 2.0);
    assert_ne!(repeated, product(&plain, &weights, &one, 1));
}

/// Where the halving ends the result is cut: ρ = 16 for a 7-bit DAC, 1024 without resolution.
#[test]
fn outputs_beyond_the_limit_are_cut() {
    let weights = DMatrix::from_element(1, 1, 1e6);
    let io = IoConfig { out_noise: 0.0, ..IoConfig::default() };
    let one = DMatrix::from_element(1, 1, 1.0);
    assert_eq!(product(&io, &weights, &one, 1)[0], 16.0 * 12.0);
    assert_eq!(product(&IoConfig { inp_res: 0.0, ..io.clone() }, &weights, &one, 1)[0], 1024.0 * 12.0);
    assert_eq!(product(&IoConfig { max_bm_factor: 3, ..io.clone() }, &weights, &one, 1)[0], 4.0 * 12.0);
    assert_eq!(product(&IoConfig { max_bm_res: 0.125, ..io }, &weights, &-one, 1)[0], -8.0 * 12.0);
}

/// With bm_test_negative_bound off only outputs above the range are repeated.
#[test]
fn the_lower_bound_may_be_ignored() {
    let io = IoConfig { bm_test_negative_bound: false, ..circuits(1.0) };
    let (weights, one) = (DMatrix::from_element(1, 1, 4.0), DMatrix::from_element(1, 1, 1.0));
    assert_eq!(product(&io, &weights, &one, 1)[0], 4.0);
    assert_eq!(product(&io, &weights, &-one, 1)[0], -1.0);
}

/// Every round draws fresh noise, and rounds of one sample change no draw of the others.
#[test]
fn rounds_of_one_sample_leave_the_others_alone() {
    let io = IoConfig { out_bound: 1.0, inp_res: 0.0625, ..IoConfig::default() };
    let weights = eighths(4, 8, 1);
    let mut x = eighths(8, 3, 2);
    x.row_mut(0).fill(1.0);
    let quiet = product(&io, &weights, &x, 1);
    let mut loud = x.clone();
    loud.column_mut(1).copy_from(&weights.row(0).transpose());
    let y = product(&io, &weights, &loud, 1);
    assert!(same_bits(&quiet.columns(0, 1).into_owned(), &y.columns(0, 1).into_owned()));
    assert!(same_bits(&quiet.columns(2, 1).into_owned(), &y.columns(2, 1).into_owned()));
}
