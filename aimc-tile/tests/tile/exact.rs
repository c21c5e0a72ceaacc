//! Products without noise and resolution are those of linear algebra.
//!
//! A sum of n products errs by at most n·u·Σ|w||x| (u = 2⁻²⁴); scaling by α and back adds 4·u.

use super::{
    ROUNDOFF, backward, eighths, exact, forward, keys, product, same_bits, sizes, tile, transparent, uniform,
};
use aimc_testkit::assert_close;
use aimc_testkit::strategies::{self, LayerCase, layer_case};
use aimc_tile::periphery::noise_management::NoiseManagement;
use aimc_tile::periphery::weight_noise::WeightNoise;
use aimc_tile::{IdealTile, IoConfig, ReadOut, Shape};
use nalgebra::DMatrix;
use proptest::prelude::*;

const MANAGEMENTS: [NoiseManagement; 2] = [NoiseManagement::None, NoiseManagement::AbsMax];

fn from_rows(rows: &[Vec<f32>]) -> DMatrix<f32> {
    DMatrix::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j])
}

fn assert_close(
    found: &DMatrix<f32>,
    weights: &DMatrix<f32>,
    x: &DMatrix<f32>,
    extra: f64,
) -> Result<(), TestCaseError> {
    let (expected, sizes) = (exact(weights, x), sizes(weights, x));
    for ((found, expected), size) in found.iter().zip(expected.iter()).zip(sizes.iter()) {
        // Products of subnormal numbers lose everything: the smallest normal number is granted on top.
        let slack = (weights.ncols() as f64 + extra) * ROUNDOFF * size + f64::from(f32::MIN_POSITIVE);
        assert_close!(f64::from(*found), *expected, slack);
    }
    Ok(())
}

proptest! {
    #![proptest_config(strategies::config(128))]

    /// y = W x for perfect circuits, the ideal tile, and transparent circuits with every noise management.
    #[test]
    fn transparent_circuits_are_exact(case in layer_case(20, 4, 1.0, 10.0)) {
        let LayerCase { weights, inputs, errors } = case;
        let (weights, x, d) = (from_rows(&weights), from_rows(&inputs).transpose(), from_rows(&errors).transpose());
        let mut ideal = IdealTile::new(Shape { outputs: weights.nrows(), inputs: weights.ncols() }).unwrap();
        ideal.set_weights(&weights, aimc_device::RngKey::root(0)).unwrap();
        assert_close(&forward(&ideal, &x, keys(1)), &weights, &x, 0.0)?;
        assert_close(&backward(&ideal, &d, keys(1)), &weights.transpose(), &d, 0.0)?;
        for io in [IoConfig::perfect(), transparent(MANAGEMENTS[0]), transparent(MANAGEMENTS[1])] {
            let tile = tile(&io, &weights);
            assert_close(&forward(&tile, &x, keys(1)), &weights, &x, 4.0)?;
            assert_close(&backward(&tile, &d, keys(1)), &weights.transpose(), &d, 4.0)?;
        }
    }

    /// y(c·x) = c·y(x) bit for bit under AbsMax for powers of two c, with every noise switched on.
    #[test]
    fn products_are_homogeneous(log_c in -20_i32..20, seed in 0_u64..1000) {
        let io = IoConfig {
            inp_noise: 0.01, inp_sto_round: true, out_sto_round: true, w_noise: 0.02, out_bound: 2.0,
            w_noise_type: WeightNoise::PcmRead, ..IoConfig::default()
        };
        let (weights, x, c) = (uniform(6, 20, seed), uniform(20, 3, seed + 1), 2.0_f32.powi(log_c));
        let (one, scaled) = (product(&io, &weights, &x, seed), product(&io, &weights, &(&x * c), seed));
        prop_assert!(same_bits(&(one * c), &scaled));
    }

    /// y(-x) = -y(x) without noise, for any resolution and range.
    #[test]
    fn products_are_odd(bits in 2_i32..9, out_bound in 0.5_f32..20.0, seed in 0_u64..1000) {
        let io = IoConfig { inp_res: 1.0 / (2.0_f32.powi(bits) - 2.0), out_bound, out_noise: 0.0, ..IoConfig::default() };
        let (weights, x) = (uniform(6, 20, seed), uniform(20, 3, seed + 1));
        prop_assert_eq!(product(&io, &weights, &x, 1), -product(&io, &weights, &-x, 1));
    }

    /// Small integers leave nothing to rounding: y = out_scale·W x exactly, for every management.
    #[test]
    fn exact_numbers_give_exact_products(seed in 0_u64..1000) {
        let (weights, mut x) = (eighths(7, 30, seed), eighths(30, 4, seed + 1));
        x.row_mut(0).fill(1.0);
        let expected = exact(&weights, &x).map(|y| (0.5 * y) as f32);
        for mut io in [IoConfig::perfect(), transparent(MANAGEMENTS[0]), transparent(MANAGEMENTS[1])] {
            io.out_scale = 0.5;
            prop_assert_eq!(product(&io, &weights, &x, 1), expected.clone());
        }
    }
}

/// A vector of zeros gives exactly 0 under noise management, whatever the noise; its neighbours do not.
#[test]
fn zero_in_zero_out() {
    let io = IoConfig {
        inp_noise: 0.1,
        w_noise: 0.1,
        w_noise_type: WeightNoise::AdditiveConstant,
        ..IoConfig::default()
    };
    let tile = tile(&io, &uniform(5, 9, 1));
    let mut x = uniform(9, 3, 2);
    x.column_mut(1).fill(0.0);
    let y = forward(&tile, &x, keys(1));
    assert!(y.column(1).iter().all(|y| *y == 0.0));
    assert!(y.column(0).iter().chain(y.column(2).iter()).any(|y| *y != 0.0));
    assert_eq!(backward(&tile, &DMatrix::zeros(5, 2), keys(1)), DMatrix::zeros(9, 2));
}

/// Without noise management noise is there without a signal, too.
#[test]
fn unmanaged_circuits_are_noisy_at_zero() {
    let io = IoConfig { noise_management: NoiseManagement::None, ..IoConfig::default() };
    assert!(product(&io, &uniform(5, 9, 1), &DMatrix::zeros(9, 1), 1).iter().any(|y| *y != 0.0));
}

/// Tiny and huge inputs come out as scaled ordinary ones: W x = ½x up to half a DAC and ADC step (and one
/// subnormal step), without hanging in bound management.
#[test]
fn extreme_magnitudes_come_through() {
    let io = IoConfig { out_noise: 0.0, ..IoConfig::default() };
    let weights = DMatrix::from_row_slice(1, 2, &[0.5, 0.0]);
    let bounds = [IoConfig { out_bound: 0.375, ..io.clone() }, io];
    for x in [f32::from_bits(1), f32::from_bits(5000), 1e-39, f32::MIN_POSITIVE, 1e-30, 1e30, 3e38, f32::MAX]
    {
        for io in &bounds {
            let y = product(io, &weights, &DMatrix::from_column_slice(2, 1, &[x, 0.0]), 1)[0];
            // α = x: half an ADC step of at most 2·24/510, and half a DAC step of 1/63 at ρ ≤ 2 times ½.
            let slack = f64::from(x) * (24.0 / 510.0 + 0.5 / 63.0) + 1e-45;
            assert_close!(f64::from(y), 0.5 * f64::from(x), slack);
        }
    }
}

/// Views into larger matrices are read and written as owned ones.
#[test]
fn strided_views_are_products_too() {
    let (weights, x) = (eighths(3, 4, 1), eighths(10, 6, 2));
    let tile = tile(&transparent(NoiseManagement::None), &weights);
    let mut y = DMatrix::from_element(8, 6, 9.0_f32);
    let inner = x.view((2, 1), (4, 5));
    aimc_tile::MatVec::forward(&tile, inner, y.view_mut((4, 1), (3, 5)), keys(1)).unwrap();
    assert_eq!(y.view((4, 1), (3, 5)), exact(&weights, &inner.into_owned()).map(|y| y as f32));
    assert_eq!(y.iter().filter(|y| **y == 9.0).count(), 8 * 6 - 15, "nothing else is written");
}

/// An empty batch is a product as well.
#[test]
fn a_batch_may_be_empty() {
    for io in [IoConfig::perfect(), IoConfig::default()] {
        let tile = tile(&io, &eighths(3, 4, 1));
        assert_eq!(forward(&tile, &DMatrix::zeros(4, 0), keys(1)).shape(), (3, 0));
        assert_eq!(backward(&tile, &DMatrix::zeros(3, 0), keys(1)).shape(), (4, 0));
    }
}
