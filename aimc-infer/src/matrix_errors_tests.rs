//! Tests of errors per matrix.

use super::*;
use crate::compensation::Compensation;
use crate::config::InferenceTileConfig;
use crate::evaluate::tests::problem;
use crate::network::{network_at, program_network};
use crate::program::tests::noiseless;
use aimc_testkit::assert_close;

use aimc_device::RngKey;
use aimc_tile::IoConfig;

fn errors(config: &InferenceTileConfig) -> Vec<MatrixError> {
    let (network, data) = problem();
    let programmed = program_network(&network, config, RngKey::root(3)).unwrap();
    let aged = network_at(&programmed, 1e4, RngKey::root(4)).unwrap();
    matrix_errors(&network, &aged, &data, SampleKeys::new(RngKey::root(5))).unwrap()
}

/// Without noise only rounding is left: as many roundings as inputs and slices of the products.
#[test]
fn ideal_devices_make_no_error() {
    for error in errors(&noiseless()) {
        assert!(error.relative < 30.0 * f64::from(f32::EPSILON), "{error:?}");
    }
}

/// Output noise σ·max|x| alone: the relative error is √(outputs·Σσ²max|x|²/Σ|Wx|²), here checked by its proportionality to σ;
/// both runs see the same draws, so the ratio is exact but for rounding.
#[test]
fn errors_are_proportional_to_the_noise() {
    let noisy = |out_noise| InferenceTileConfig {
        forward: IoConfig { out_noise, inp_res: -1.0, out_res: -1.0, out_bound: 0.0, ..IoConfig::default() },
        compensation: Compensation::None,
        ..noiseless()
    };
    let (one, two) = (errors(&noisy(0.05)), errors(&noisy(0.1)));
    assert_eq!(one.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["layer0.tile", "layer2.tile"]);
    for (one, two) in one.iter().zip(&two) {
        assert_close!(two.relative / one.relative, 2.0, 1e-4);
        // Twice the error is 6.02 dB less.
        let lost = one.signal_to_noise_db() - two.signal_to_noise_db();
        assert_close!(lost, 20.0 * 2.0_f64.log10(), 1e-3);
    }
}

#[test]
fn another_network_is_refused() {
    let (network, data) = problem();
    let programmed = program_network(&network, &noiseless(), RngKey::root(3)).unwrap();
    let mut aged = network_at(&programmed, 1e4, RngKey::root(4)).unwrap();
    aged.layers.pop();
    aged.layers.pop();
    let error = matrix_errors(&network, &aged, &data, SampleKeys::new(RngKey::root(5))).unwrap_err();
    assert_eq!(error.to_string(), "matrix = layer2.tile: is not in the programmed network");
}
