//! Tests of programming.

use super::*;
use aimc_testkit::assert_close;

use aimc_device::programmed::PcmLike;
use aimc_testkit::stats::{Kurtosis, expect_mean, expect_std};
use aimc_testkit::strategies::{config as cases, matrix, seed};
use proptest::prelude::*;

const N: usize = 100_000;

pub(crate) fn noiseless() -> InferenceTileConfig {
    let device =
        PcmLike { prog_noise_scale: 0.0, read_noise_scale: 0.0, drift_scale: 0.0, ..PcmLike::default() };
    InferenceTileConfig {
        device: ProgrammedDeviceConfig::PcmLike(device),
        forward: aimc_tile::IoConfig::perfect(),
        ..InferenceTileConfig::default()
    }
}

pub(crate) fn perfect() -> InferenceTileConfig {
    InferenceTileConfig { forward: aimc_tile::IoConfig::perfect(), ..InferenceTileConfig::default() }
}

pub(crate) fn example(outputs: usize, inputs: usize) -> DMatrix<f32> {
    let mut weights = DMatrix::zeros(outputs, inputs);
    RngKey::root(99).stream(0).fill_normal(weights.as_mut_slice());
    0.3 * weights
}

/// Variance and kurtosis of max(ξ, 0): moments 1/√(2π), 1/2, 2/√(2π), 3/2.
fn half_normal() -> (f64, f64) {
    let m1 = 1.0 / std::f64::consts::TAU.sqrt();
    let variance = 0.5 - m1 * m1;
    let fourth = 1.5 - 8.0 * m1 * m1 + 3.0 * m1 * m1 - 3.0 * m1.powi(4);
    (variance, fourth / (variance * variance))
}

fn programmed_row(targets: &[f32], row: usize) -> Vec<f32> {
    let weights = DMatrix::from_fn(targets.len(), N, |i, _| targets[i]);
    let config = InferenceTileConfig { compensation: Compensation::None, ..perfect() };
    let tile = ProgrammedTile::program(&weights, &config, RngKey::root(21)).unwrap();
    tile.programmed_weights().row(row).iter().copied().collect()
}

/// A weight of 0 is the difference of two empty devices: symmetric, of std 0.0087·max|W|.
#[test]
fn weights_of_zero_are_programmed_symmetrically() {
    let (variance, kurtosis) = half_normal();
    let std = 2.0 * 0.263_48 / 25.0 * (2.0 * variance).sqrt();
    let zeros = programmed_row(&[2.0, 0.0], 1);
    expect_mean(&zeros, 0.0, std);
    // Excess kurtosis of a difference of two equal laws is half that of one.
    expect_std(&zeros, std, Kurtosis::Known(3.0 + (kurtosis - 3.0) / 2.0));
    assert_close!(std / 2.0, 0.0087, 5e-5, "the figure of the specification");
}

/// A large weight has the noise of its device and of the empty one beside it, whose mean is c₀/√(2π).
#[test]
fn large_weights_have_the_noise_of_both_devices() {
    let (variance, _) = half_normal();
    let device = PcmLike::default();
    for (row, w) in [1.0_f64, -0.5].into_iter().enumerate() {
        let c0 = 0.263_48;
        let own = f64::from(device.programming_std(25.0 * w.abs() as f32));
        let std = (own * own + c0 * c0 * variance).sqrt() / 25.0;
        let bias = c0 / std::f64::consts::TAU.sqrt() / 25.0;
        let programmed = programmed_row(&[1.0, -0.5], row);
        expect_mean(&programmed, w - w.signum() * bias, std);
        expect_std(&programmed, std, Kurtosis::Sample);
    }
}

/// Reconverted: gain = g_max/max |w as programmed|; w and ν as with physical drift.
#[test]
fn reconversion_keeps_weights_and_exponents_but_not_conductances() {
    let weights = example(20, 30);
    let program = |drift_conversion| {
        let config = InferenceTileConfig { drift_conversion, ..perfect() };
        ProgrammedTile::program(&weights, &config, RngKey::root(4)).unwrap()
    };
    let (physical, reconverted) = (program(DriftConversion::Physical), program(DriftConversion::Reconverted));
    assert_eq!(physical.programmed_weights(), reconverted.programmed_weights());
    let largest = aimc_tile::largest_size(physical.programmed_weights().as_slice());
    assert_eq!(reconverted.gain(), 25.0 / largest);
    for (a, b) in physical.slices().iter().zip(reconverted.slices()) {
        assert_eq!(a.drift_exponents(), b.drift_exponents());
        assert_ne!(a.conductances(), b.conductances());
    }
    let slices = reconverted.slices();
    let pairs = slices[0].conductances().iter().zip(slices[1].conductances());
    assert!(pairs.clone().all(|(p, m)| p.min(*m) == 0.0), "one device of each pair is empty again");
    assert_eq!(pairs.map(|(p, m)| p.max(*m)).fold(0.0, f32::max), 25.0);
}

/// Programmed conductances depend on weights, device and key only.
#[test]
fn circuits_and_compensation_do_not_change_the_devices() {
    let weights = example(8, 9);
    let plain = ProgrammedTile::program(&weights, &perfect(), RngKey::root(4)).unwrap();
    let config = InferenceTileConfig { compensation: Compensation::None, ..InferenceTileConfig::default() };
    let other = ProgrammedTile::program(&weights, &config, RngKey::root(4)).unwrap();
    assert_eq!(plain.slices(), other.slices());
}

#[test]
fn weights_that_are_no_matrix_of_numbers_are_refused() {
    let refuse = |weights: DMatrix<f32>| {
        ProgrammedTile::program(&weights, &perfect(), RngKey::root(1)).unwrap_err().to_string()
    };
    assert_eq!(refuse(DMatrix::zeros(0, 3)), "outputs = 0: must be at least 1");
    assert_eq!(refuse(DMatrix::zeros(3, 0)), "inputs = 0: must be at least 1");
    let mut weights = DMatrix::zeros(2, 3);
    weights[(1, 2)] = f32::NAN;
    assert_eq!(refuse(weights), "weights: line 1 of sample 2 carries NaN, which is not finite");
}

proptest! {
    #![proptest_config(cases(64))]

    /// Without noise programming is the identity, up to the converter's (7 + 1) u max|W| with u = 2⁻²⁴ (see
    /// `single_pair`).
    #[test]
    fn without_noise_weights_are_what_was_programmed(
        rows in matrix(1..=5, 1..=5, -3.0..=3.0), key in seed(),
    ) {
        let weights = DMatrix::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j]);
        let tile = ProgrammedTile::program(&weights, &noiseless(), RngKey::root(key)).unwrap();
        let tolerance = 8.0 * 0.5 * f32::EPSILON * weights.amax().max(1e-7);
        for (back, w) in tile.programmed_weights().iter().zip(weights.iter()) {
            assert_close!(*back, *w, tolerance);
        }
        let later = tile.at(1e6, RngKey::root(key)).unwrap();
        prop_assert_eq!(later.weights(), tile.programmed_weights());
        prop_assert!(later.alpha().iter().all(|&alpha| alpha == 1.0));
    }
}
