//! The laws of each device, against the equations and numbers of its publication, written out here once more.

use super::*;
use aimc_testkit::assert_close;

use aimc_testkit::stats::{Kurtosis, expect_mean, expect_normal, expect_std};
use aimc_testkit::strategies::{config as cases, finite_f32};
use proptest::prelude::*;

const N: usize = 50_000;

/// Σ c_k aᵏ.
fn polynomial(coefficients: &[f64], a: f64) -> f64 {
    coefficients.iter().enumerate().map(|(k, c)| c * a.powi(k as i32)).sum()
}

/// t_0 and t_read (s) of the models with power-law drift and 1/f noise.
fn clock(text: &str) -> Option<(f64, f64)> {
    Some(match text {
        t if t.contains("t_0 = 1.0") => (1.0, 1e-6),
        t if t.contains("num_devices = 1") => (200.0, 512e-9),
        t if t.contains("Hermes") => (300.0, 512e-9),
        t if t.contains("ReRam") => return None,
        _ => (20.0, 250e-9),
    })
}

/// A model, its g_max (µS) and its σ (µS) over the relative target.
type Law<'a> = (&'a str, f64, &'a dyn Fn(f64) -> f64);

/// Programming spreads by the published polynomial, far enough from 0 for no device to be cut.
#[test]
fn programming_spreads_by_its_polynomial() {
    let pcm = [0.26348, 1.9650, -1.1731];
    let hermes = [0.16603222, 4.71806468, -8.48101252, 4.68961419];
    let hermes_one = [0.15781817, 2.32443916, -2.16310839, 0.68841818];
    let wan = [0.348, 16.030, -43.853, 45.393, -16.815];
    let laws: [Law<'_>; 9] = [
        (MODELS[0], 25.0, &|a| polynomial(&pcm, a)),
        (MODELS[1], 10.0, &|a| 10.0 / 25.0 * polynomial(&pcm, a)),
        (MODELS[2], 25.0, &|a| polynomial(&pcm, a)),
        (MODELS[3], 20.7, &|a| polynomial(&hermes, a)),
        (MODELS[4], 10.35, &|a| polynomial(&hermes_one, a)),
        (MODELS[5], 40.0, &|a| polynomial(&wan, a)),
        (MODELS[6], 40.0, &|a| polynomial(&wan, a)),
        (MODELS[7], 88.2, &|a| 0.00081107 + 0.00106879 * 88.2 * a),
        (MODELS[8], 25.0, &|_| 0.2),
    ];
    for (text, g_max, sigma) in laws {
        for a in [0.5, 0.75, 1.0] {
            let g = g_max * a;
            let array = programmed(&device(text), g as f32, N);
            expect_normal(array.conductances(), f64::from(g as f32), sigma(a));
        }
    }
    // Measured tables: linear between their nodes.
    for (g, mean, std) in [(10.0, 10.0, 0.8), (17.5, 17.25, 0.9), (25.0, 24.5, 1.0)] {
        expect_normal(programmed(&device(MODELS[9]), g, N).conductances(), mean, std);
    }
}

/// Relaxation of the resistive memories: CMO/HfOx shifts by m ln t with a spread d₁ ln t + d₀ about it; NeuRRAM keeps its mean and
/// spreads as measured at the stated times.
#[test]
fn resistive_memory_relaxes_with_the_logarithm_of_time() {
    let quiet = device("model = \"ReRamCmo\"\nread_noise_scale = 0.0");
    let array = programmed(&quiet, 50.0, N);
    for t in [10.0_f64, 3600.0, 1e7] {
        let read = array.read(&quiet, t as f32, RngKey::root(3));
        let own: f64 = 0.00081107 + 0.00106879 * 50.0;
        let spread = 0.04201137 * t.ln() + 0.41183342;
        expect_normal(&read, 50.0 - 0.08900206 * t.ln(), own.hypot(spread));
    }
    for (t, coefficients) in [
        (86_400.0, [0.701, 22.086, -50.773, 47.095, -16.458]),
        (172_800.0, [0.782, 20.274, -43.507, 37.062, -11.934]),
    ] {
        // Redrawn: exactly the spread about the target. Per device, it is taken where the device is, so that it is met in the
        // mean: see the tests beside that model.
        let redrawn = device(MODELS[6]);
        let array = programmed(&redrawn, 30.0, N);
        expect_normal(&array.read(&redrawn, t, RngKey::root(3)), 30.0, polynomial(&coefficients, 0.75));
    }
}

/// Read noise grows as √ln((t + t_0 + t_r)/(2 t_r)), in the equation and in reads.
#[test]
fn read_noise_grows_with_the_root_of_the_logarithm_of_time() {
    for (text, device) in models() {
        let Some((t_0, t_read)) = clock(text) else { continue };
        let g = 0.6 * device.g_max();
        let growth = |t: f64| ((t + t_0 + t_read) / (2.0 * t_read)).ln().sqrt();
        let first = f64::from(device.read_noise_std(g, g, 0.0));
        let settled = ProgrammedArray::from_parts(vec![g; N], vec![0.0; N], 1000);
        for t in [1.0_f64, 3600.0, 86_400.0, 3e7] {
            let std = first * growth(t) / growth(0.0);
            let stated = f64::from(device.read_noise_std(g, g, t as f32));
            assert_close!(stated / std, 1.0, 1e-5, "{text} {t}");
            // Without drift (ν = 0) a read is normal about the conductance; where the noise is wide it is cut at 0.
            let read = settled.read(&device, t as f32, RngKey::root(5));
            if 6.8 * std < f64::from(g) {
                expect_normal(&read, f64::from(g), std);
            }
        }
    }
    // CMO/HfOx: K log₁₀(g) √ln((t + t_r)/(2 t_r)).
    let cmo = device("model = \"ReRamCmo\"");
    for t in [1.0_f64, 86_400.0] {
        let std = 0.0277316483 * 50.0_f64.log10() * ((t + 1e-6) / 2e-6).ln().sqrt();
        assert_close!(f64::from(cmo.read_noise_std(50.0, 50.0, t as f32)) / std, 1.0, 1e-5);
    }
}

/// Drift exponents fold a normal law; where it is far from 0, mean and std are those of the publication.
#[test]
fn drift_exponents_have_their_law() {
    let hermes = |a: f64| (-0.0436 * a * a - 0.0126 * a + 0.0736, -0.0118 * a * a + 0.0093 * a + 0.0073);
    let hermes_one = |a: f64| (hermes(a).0, -0.0165 * a * a + 0.0116 * a + 0.0104);
    for (text, target, (mean, std)) in [
        (MODELS[0], 25.0, (0.049, 0.008)),
        (MODELS[1], 10.0, (0.049, 0.008)),
        (MODELS[2], 10.0, (0.06, 0.01)),
        (MODELS[2], 17.5, (0.045, 0.0075)),
        (MODELS[3], 20.7 * 0.8, hermes(0.8)),
        (MODELS[4], 10.35 * 0.5, hermes_one(0.5)),
        (MODELS[9], 25.0, (0.05, 0.01)),
    ] {
        let exponents = programmed(&device(text), target, N).drift_exponents().to_vec();
        // Beyond 4.5 σ from 0 folding moves 3 in a million, far less than the tests see.
        assert!(mean > 4.5 * std, "{text}");
        expect_mean(&exponents, mean, std);
        expect_std(&exponents, std, Kurtosis::Normal);
    }
    // 0.1 ± 0.05: folded at 2 σ. E|μ + σξ| = σ√(2/π)e^(-2) + μ(1 - 2Φ(-2)).
    let folded = programmed(&device(MODELS[8]), 10.0, N).drift_exponents().to_vec();
    let mean =
        0.05 * (2.0 / std::f64::consts::PI).sqrt() * (-2.0_f64).exp() + 0.1 * (1.0 - 2.0 * 0.022_750_132);
    expect_mean(&folded, mean, (0.01_f64 + 0.0025 - mean * mean).sqrt());
}

proptest! {
    #![proptest_config(cases(512))]

    /// Power-law devices: ln g against ln(t + t_0) is a line of slope -ν through (ln t_0, ln g_p).
    #[test]
    fn the_slope_of_drift_is_the_exponent(
        share in finite_f32(0.01..=1.0), nu in finite_f32(0.01..=0.2), early in finite_f32(1.0..=1e4), later in finite_f32(2.0..=1e4),
    ) {
        for (text, device) in models() {
            let Some((t_0, _)) = clock(text) else { continue };
            let g = share * device.g_max();
            let (first, second) = (early, early * later);
            let ln = |t: f32| f64::from(device.drifted(g, nu, t)).ln();
            let slope = (ln(second) - ln(first)) / (((f64::from(second) + t_0) / (f64::from(first) + t_0)).ln());
            // Two conductances and two sums, rounded to 2⁻²⁴ each and raised to a power below 0.2, over a logarithm of at least
            // ln((2 + 20)/(1 + 20)).
            let width = ((f64::from(second) + t_0) / (f64::from(first) + t_0)).ln();
            assert_close!(slope, -f64::from(nu), 1e-6 / width);
            prop_assert_eq!(device.drifted(g, nu, 0.0), g);
        }
    }

    /// CMO/HfOx: conductance against ln t is a line of slope m + d₁ξ; NeuRRAM does not move without ξ.
    #[test]
    fn relaxation_is_a_line_over_the_logarithm(
        g in finite_f32(20.0..=80.0), xi in finite_f32(-4.0..=4.0), early in finite_f32(1.0..=1e4), later in finite_f32(2.0..=1e4),
    ) {
        let cmo = device("model = \"ReRamCmo\"");
        let width = f64::from(later).ln();
        let moved = f64::from(cmo.drifted(g, xi, early * later)) - f64::from(cmo.drifted(g, xi, early));
        let slope = moved / width;
        let expected = -0.08900206 + 0.04201137 * f64::from(xi);
        // Conductances are rounded to 2⁻²⁴ of at most 90 µS, several times.
        assert_close!(slope, expected, 5e-5 / width);
        let wan = device(MODELS[5]);
        prop_assert_eq!(wan.drifted(g.min(40.0), 0.0, early), g.min(40.0));
    }
}
