//! The ideal device: exact storage with optional decay, diffusion, reset noise and drift.

use super::ROUNDOFF;
use aimc_device::RngKey;
use aimc_device::pulsed::ideal::IdealArray;
use aimc_device::pulsed::{Ideal, PowerLawDrift};
use aimc_testkit::assert_close;
use aimc_testkit::stats::expect_normal;

fn ideal(device: Ideal, w: f32) -> IdealArray {
    let mut array = IdealArray::new(device, 20_000).unwrap();
    array.weights_mut().fill(w);
    array
}

/// w_n = w0(1 - α/T)ⁿ; the factor and the product round: 2 roundings relative per call, and T is exact.
#[test]
fn decay_is_geometric() {
    let mut array = ideal(Ideal { lifetime: 8.0, ..Ideal::default() }, 3.0);
    (0..30).for_each(|_| array.decay(0.5));
    let expected = 3.0 * (1.0_f64 - 0.5 / 8.0).powi(30);
    for w in array.weights() {
        assert_close!(f64::from(*w) / expected, 1.0, 60.0 * ROUNDOFF);
    }
    let mut still = ideal(Ideal::default(), 3.0);
    still.decay(1.0);
    assert!(still.weights().iter().all(|w| *w == 3.0));
}

/// n calls of diffusion: N(w0, nρ²); reset: N(0, reset_std).
#[test]
fn diffusion_and_reset_are_normal() {
    let mut array = ideal(Ideal { diffusion: 0.25, reset_std: 0.5, ..Ideal::default() }, 1.0);
    (0..4).for_each(|i| array.diffuse(RngKey::root(1).fold_in(i)));
    expect_normal(array.weights(), 1.0, 0.5);
    array.reset(RngKey::root(2));
    expect_normal(array.weights(), 0.0, 0.5);
}

/// Diffusion adds ρξ, drift σ_w ξ after the power law; reset gives σ_r ξ: by hand, with the draws of the stream.
#[test]
fn draws_count_with_their_own_sign() {
    let drift = PowerLawDrift { nu: 0.125, w_noise_std: 0.5, ..PowerLawDrift::default() };
    let device = Ideal { diffusion: 0.25, reset_std: 0.125, drift, ..Ideal::default() };
    let key = RngKey::root(6);
    let mut draws = [0.0; 40];
    key.stream(0).fill_normal(&mut draws);
    let fresh = |device: &Ideal| {
        let mut array = IdealArray::new(device.clone(), draws.len()).unwrap();
        array.weights_mut().fill(1.0);
        array
    };
    let mut diffused = fresh(&device);
    diffused.diffuse(key);
    assert_eq!(diffused.weights(), draws.map(|xi| 1.0 + 0.25 * xi));
    diffused.reset(key);
    assert_eq!(diffused.weights(), draws.map(|xi| 0.125 * xi));
    let mut quiet =
        fresh(&Ideal { drift: PowerLawDrift { w_noise_std: 0.0, ..device.drift }, ..device.clone() });
    let mut noisy = fresh(&device);
    quiet.drift(256.0, key);
    noisy.drift(256.0, key);
    let expected: Vec<f32> = quiet.weights().iter().zip(draws).map(|(w, xi)| w + 0.5 * xi).collect();
    assert_eq!(noisy.weights(), expected);
}

/// w(T) = w0·T^-ν with exponents N(ν, ν·nu_std); no bound holds the weights.
#[test]
fn drift_follows_the_power_law() {
    let drift = PowerLawDrift { nu: 0.125, ..PowerLawDrift::default() };
    let mut array = ideal(Ideal { drift, ..Ideal::default() }, -5.0);
    array.drift(16.0, RngKey::root(1));
    array.drift(240.0, RngKey::root(2));
    for w in array.weights() {
        assert_close!(f64::from(*w) / -2.5, 1.0, 8.0 * ROUNDOFF);
    }
    let mut noisy = ideal(Ideal { drift: PowerLawDrift { nu_std: 0.5, ..drift }, ..Ideal::default() }, 1.0);
    noisy.drift(256.0, RngKey::root(3));
    let exponents: Vec<f64> = noisy.weights().iter().map(|&w| -f64::from(w).log2() / 8.0).collect();
    expect_normal(&exponents, 0.125, 0.0625);
}

/// state → restore → the same future, drift clock included; a damaged clock leaves the weights alone.
#[test]
fn a_restored_array_continues_bit_for_bit() {
    let device =
        Ideal { drift: PowerLawDrift { nu: 0.1, ..Default::default() }, diffusion: 0.1, ..Ideal::default() };
    let mut original = ideal(device.clone(), 0.5);
    original.drift(10.0, RngKey::root(1));
    let mut copy = ideal(device.clone(), 0.0);
    copy.restore(&original.state().root()).unwrap();
    for array in [&mut original, &mut copy] {
        array.drift(10.0, RngKey::root(2));
        array.diffuse(RngKey::root(3));
    }
    assert_eq!(original.state(), copy.state());
    assert!(IdealArray::new(device, 3).unwrap().restore(&original.state().root()).is_err());
}

/// A lifetime within (0, 1], negative numbers and spread among ideal devices are refused by name.
#[test]
fn meaningless_parameters_are_refused() {
    let drift = PowerLawDrift { nu_dtod: 0.1, ..Default::default() };
    let cases = [
        (Ideal { lifetime: 0.5, ..Ideal::default() }, "lifetime"),
        (Ideal { lifetime: 1.0, ..Ideal::default() }, "lifetime"),
        (Ideal { lifetime: -1.0, ..Ideal::default() }, "lifetime"),
        (Ideal { diffusion: -0.1, ..Ideal::default() }, "diffusion"),
        (Ideal { reset_std: f32::NAN, ..Ideal::default() }, "reset_std"),
        (Ideal { drift, ..Ideal::default() }, "drift.nu_dtod"),
    ];
    for (device, field) in cases {
        assert_eq!(IdealArray::new(device, 1).unwrap_err().field, field);
    }
}
