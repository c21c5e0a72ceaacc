//! Tests of phase-change devices against their equations.

use super::*;
use crate::config;
use crate::programmed::{ProgrammedArray, ProgrammedDeviceConfig};
use crate::rng::RngKey;
use aimc_testkit::assert_close;

use aimc_testkit::stats::{Kurtosis, expect_mean, expect_normal, expect_std};
use aimc_testkit::strategies::{config as cases, finite_f32};
use proptest::prelude::*;
use statrs::distribution::{Continuous, ContinuousCDF, Normal};

const N: usize = 100_000;

fn programmed(device: &PcmLike, g_target: f32) -> ProgrammedArray {
    ProgrammedArray::program(device, &vec![g_target; N], 1000, RngKey::root(11))
}

/// Mean and std of |μ + σξ|, the folded normal.
fn folded(mean: f64, std: f64) -> (f64, f64) {
    let standard = Normal::standard();
    let z = mean / std;
    let folded_mean = 2.0 * std * standard.pdf(z) + mean * (1.0 - 2.0 * standard.cdf(-z));
    (folded_mean, (mean * mean + std * std - folded_mean * folded_mean).sqrt())
}

/// The figures that the specification states for the default coefficients, to its three digits.
#[test]
fn published_programming_noise() {
    let device = PcmLike::default();
    for (g, std) in [(5.0, 0.61), (15.0, 1.02), (25.0, 1.055)] {
        assert_close!(device.programming_std(g), std, 0.005);
    }
    let smaller = PcmLike { g_max: 10.0, ..PcmLike::default() };
    assert_close!(smaller.programming_std(5.0), 0.4 * device.programming_std(12.5), 1e-6);
    let own = PcmLike { prog_coeff: vec![0.1, 0.5], g_max: 30.0, ..PcmLike::default() };
    assert_eq!((own.reference_g_max(), own.programming_std(30.0)), (30.0, 0.6));
}

/// ν = |μ(a) + σ(a)ξ|, a = g/g_max: μ = 0.049 at a = 1, 0.1 at a = 0, 0.0244 - 0.0155·ln a between.
#[test]
fn drift_exponents_meet_their_plateaus() {
    let device = PcmLike::default();
    assert_eq!(device.drift_exponent(25.0, 0.0), 0.049);
    assert_eq!(device.drift_exponent(0.0, 0.0), 0.1);
    assert_close!(device.drift_exponent(0.0, 1.0), 0.145, 1e-7);
    assert_close!(device.drift_exponent(0.0, -3.0), 0.035, 1e-7, "folded, not cut");
    // Between them, at a = 0.1: 0.0244 + 0.0155·2.302585 = 0.0600901.
    assert_close!(device.drift_exponent(2.5, 0.0), 0.060_090_1, 1e-6);
}

/// At g_max: g ~ N(25 µS, σ_prog(25 µS)), ν ~ N(0.049, 0.008).
#[test]
fn full_devices_are_programmed_and_drift_normally() {
    let array = programmed(&PcmLike::default(), 25.0);
    expect_normal(array.conductances(), 25.0, f64::from(PcmLike::default().programming_std(25.0)));
    expect_normal(array.drift_exponents(), 0.049, 0.008);
}

/// max(σξ, 0) has mean σ/√(2π) and variance σ²(1/2 - 1/(2π)); its kurtosis follows from the moments
/// E max(ξ,0)ᵏ = 1/√(2π), 1/2, √(2/π), 3/2 for k = 1 … 4.
#[test]
fn empty_devices_hold_half_a_normal_and_drift_most() {
    let array = programmed(&PcmLike::default(), 0.0);
    let (std, tau) = (f64::from(PUBLISHED.prog_coeff[0]), std::f64::consts::TAU);
    let (m1, m3) = (1.0 / tau.sqrt(), 2.0 / tau.sqrt());
    let variance = 0.5 - m1 * m1;
    let kurtosis = (1.5 - 4.0 * m1 * m3 + 3.0 * m1 * m1 - 3.0 * m1.powi(4)) / (variance * variance);
    expect_mean(array.conductances(), std * m1, std * variance.sqrt());
    expect_std(array.conductances(), std * variance.sqrt(), Kurtosis::Known(kurtosis));
    let (mean, std) = folded(0.1, 0.045);
    expect_mean(array.drift_exponents(), mean, std);
    expect_std(array.drift_exponents(), std, Kurtosis::Sample);
}

/// ln(g(t)/g_p) = -ν ln((t + t_0)/t_0): its mean gives E ν back.
#[test]
fn log_conductance_falls_with_the_mean_exponent() {
    let device = PcmLike { prog_noise_scale: 0.0, read_noise_scale: 0.0, ..PcmLike::default() };
    let array = programmed(&device, 25.0);
    let t = 86_400.0;
    let slope = ((t + 20.0_f64) / 20.0).ln();
    let read = array.read(&device, t as f32, RngKey::root(12));
    let logs: Vec<f64> = read.iter().map(|&g| -(f64::from(g) / 25.0).ln() / slope).collect();
    expect_normal(&logs, 0.049, 0.008);
}

/// σ/g = Q·√ln((t + t₀ + t_read)/2t_read), Q = min(0.0088/(g/g_max)^0.65, 0.2).
#[test]
fn read_noise_has_the_stated_spread_and_grows_with_time() {
    let device = PcmLike { prog_noise_scale: 0.0, drift_scale: 0.0, ..PcmLike::default() };
    let array = programmed(&device, 10.0);
    let mut last = 0.0;
    for t in [0.0, 3600.0, 3.15e7] {
        let relative = 0.0088 / 0.4_f64.powf(0.65) * ((f64::from(t) + 20.0 + 250e-9) / 500e-9).ln().sqrt();
        expect_normal(&array.read(&device, t, RngKey::root(13)), 10.0, 10.0 * relative);
        assert!(relative > last);
        last = relative;
    }
    // √ln(20 s / 0.5 µs) = 4.184 at the end of programming; Q = 0.0088 for a full device.
    assert_close!(device.relative_read_noise(25.0, device.moment(0.0)), 0.0088 * 4.184, 1e-5);
    // Nearly empty devices are at the cap Q = 0.2.
    assert_close!(device.relative_read_noise(0.01, device.moment(0.0)), 0.2 * 4.184, 1e-3);
}

#[test]
fn impossible_parameters_are_refused() {
    let refused = |change: fn(&mut PcmLike)| {
        let mut device = PcmLike::default();
        change(&mut device);
        device.validate().unwrap_err().field
    };
    assert_eq!(refused(|d| d.g_max = 0.0), "g_max");
    assert_eq!(refused(|d| d.t_0 = f32::NAN), "t_0");
    assert_eq!(refused(|d| d.t_read = 30.0), "t_read");
    assert_eq!(refused(|d| d.prog_noise_scale = -1.0), "prog_noise_scale");
    assert_eq!(refused(|d| d.read_noise_scale = f32::INFINITY), "read_noise_scale");
    assert_eq!(refused(|d| d.drift_scale = -0.1), "drift_scale");
    assert_eq!(refused(|d| d.prog_coeff_g_max_reference = Some(0.0)), "prog_coeff_g_max_reference");
    assert_eq!(refused(|d| d.prog_coeff = vec![]), "prog_coeff");
    assert_eq!(refused(|d| d.prog_coeff = vec![0.1, -0.5]), "prog_coeff");
    assert_eq!(refused(|d| d.prog_coeff[1] = f32::NAN), "prog_coeff[1]");
    PcmLike::default().validate().unwrap();
}

#[test]
fn a_record_survives_text() {
    let device = ProgrammedDeviceConfig::default();
    let text = serde_json::to_string(&device).unwrap();
    assert_eq!(config::from_json::<ProgrammedDeviceConfig>(&text).unwrap(), device);
    let error =
        config::from_json::<ProgrammedDeviceConfig>(r#"{"model": "PcmLike", "gmax": 1}"#).unwrap_err();
    assert_eq!(error.field, "gmax");
}

proptest! {
    #![proptest_config(cases(256))]

    /// 0 ≤ g(t + s) ≤ g(t) ≤ g(0) for s ≥ 0, ν ≥ 0, and g(0) is what was programmed.
    #[test]
    fn conductance_never_rises_and_never_turns_negative(
        g in finite_f32(0.0..=25.0), xi in finite_f32(-6.8..=6.8),
        early in finite_f32(0.0..=1e8), wait in finite_f32(0.0..=1e8),
    ) {
        let device = PcmLike::default();
        let nu = device.drift_exponent(g, xi);
        let programmed = device.program(g, xi);
        let (first, second) = (device.drifted(programmed, nu, early), device.drifted(programmed, nu, early + wait));
        prop_assert!(nu >= 0.0 && programmed >= 0.0);
        prop_assert!(second <= first && first <= programmed, "{programmed} {first} {second}");
        prop_assert!(device.read(programmed, first, early, xi) >= 0.0);
        prop_assert_eq!(device.drifted(programmed, nu, 0.0), programmed);
    }

    /// prog_noise_scale = read_noise_scale = drift_scale = 0: what is read is the target, at any time.
    #[test]
    fn without_scales_nothing_happens(g in finite_f32(0.0..=25.0), xi in finite_f32(-6.8..=6.8), t in finite_f32(0.0..=1e8)) {
        let device =
            PcmLike { prog_noise_scale: 0.0, read_noise_scale: 0.0, drift_scale: 0.0, ..PcmLike::default() };
        let programmed = device.program(g, xi);
        let drifted = device.drifted(programmed, device.drift_exponent(g, xi), t);
        prop_assert_eq!(device.read(programmed, drifted, t, xi), g);
    }
}
