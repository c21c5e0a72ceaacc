//! Weights read back through products.

use super::{tile, transparent, uniform};
use aimc_device::RngKey;
use aimc_testkit::assert_close;
use aimc_testkit::stats::{Kurtosis, expect_mean, expect_std};
use aimc_tile::periphery::noise_management::NoiseManagement::{AbsMax, None as Unmanaged};
use aimc_tile::{IoConfig, estimate_weights};

/// Noise σ at the outputs leaves errors of mean 0 and variance 3σ²/(n - p - 2); the relative correction of inputs that are
/// uniform instead of normal is of the order of 1/n.
#[test]
fn noise_leaves_the_errors_of_regression() {
    let (p, per_input, sigma) = (12, 40, 0.1);
    let weights = uniform(400, p, 3);
    let io = IoConfig { out_noise: sigma, ..transparent(Unmanaged) };
    let found = estimate_weights(&tile(&io, &weights), per_input, RngKey::root(5)).unwrap();
    let std = f64::from(sigma) * (3.0 / (per_input * (p + 1) - p - 2) as f64).sqrt();
    let errors: Vec<f64> = (found.weights - weights).iter().map(|error| f64::from(*error) / std).collect();
    // Rows share their inputs: the variance of a column is off by √(2/n) of itself, that of all twelve by 2 %, which is half
    // a standard error of 4800 errors and well inside the 4.9 of the tests.
    expect_mean(&errors, 0.0, 1.02);
    expect_std(&errors, 1.0, Kurtosis::Sample);
}

/// What a DAC of seven bits and noise management leave of a weight is small, and no vector is cut.
#[test]
fn ordinary_circuits_are_read_without_bias() {
    let weights = uniform(20, 16, 4);
    let io = IoConfig { inp_res: 1.0 / 126.0, ..transparent(AbsMax) };
    let found = estimate_weights(&tile(&io, &weights), 50, RngKey::root(5)).unwrap();
    // Rounding of inputs acts as noise of std 1/126/√3 on each of 16 lines: σ = 16^½·0.58·1/126/√3, then as above, 6 std.
    let sigma = 4.0 * 0.58 / 126.0 / 3.0_f32.sqrt();
    let std = sigma * (3.0_f32 / (50.0 * 17.0 - 18.0)).sqrt();
    assert!((found.weights - weights).amax() < 6.0 * std);
}

/// What every product has beside W x is told apart from it.
#[test]
fn an_analog_bias_is_an_offset() {
    use aimc_tile::{IdealTile, PeripheryConfig, ReadOut, Shape};
    let mut config = PeripheryConfig::default();
    config.mapping.digital_bias = false;
    let shape = Shape { outputs: 3, inputs: 4 };
    let ideal = IoConfig::perfect();
    let mut tile = config.build(&ideal, shape, RngKey::root(1), |shape, _| IdealTile::new(shape)).unwrap();
    let weights = uniform(3, 4, 5);
    tile.set_weights(&weights, RngKey::root(1)).unwrap();
    tile.set_bias(&[0.5, -2.0, 0.25], RngKey::root(1)).unwrap();
    let found = estimate_weights(&tile, 10, RngKey::root(2)).unwrap();
    // Rounding of products of order 3, averaged by a regression of 50 vectors.
    assert!((found.weights - weights).amax() < 8.0 * f32::EPSILON);
    for (offset, bias) in found.offsets.iter().zip([0.5, -2.0, 0.25]) {
        assert_close!(*offset, bias, 8.0 * f32::EPSILON);
    }
}

/// The same key reads the same weights, another key others.
#[test]
fn reads_are_addressed() {
    let weights = uniform(5, 300, 4);
    let tile = tile(&IoConfig::default(), &weights);
    let read = |seed| estimate_weights(&tile, 2, RngKey::root(seed)).unwrap();
    assert_eq!(read(1), read(1));
    assert_ne!(read(1), read(2));
}
