//! The laws of the modifiers, every test with a false-alarm rate of 10⁻⁶ per statement.

use aimc_testkit::stats::{
    FALSE_ALARM, Kurtosis, assert_p, expect_mean, expect_normal, expect_std, ks_test, proportion_test,
};
use aimc_tile::hardware_aware::{WeightModifierConfig, WeightModifierType as Type};
use statrs::distribution::{ContinuousCDF, Normal};

use super::{N, modifier, samples};

const LEVELS: [f32; 5] = [-0.9, -0.25, 0.01, 0.4, 1.0];

fn polynomial(coeffs: &[f32], a: f64) -> f64 {
    coeffs.iter().rev().fold(0.0, |sum, c| sum * a + f64::from(*c))
}

/// Every sample of `record` is normal about its level with the std that `std` gives.
fn expect_noise(record: &WeightModifierConfig, seed: u64, std: impl Fn(f64) -> f64) {
    for (level, samples) in LEVELS.iter().zip(samples(record, &LEVELS, seed)) {
        expect_normal(&samples, f64::from(*level), std(f64::from(*level)));
    }
}

/// w̃ ~ N(w, std_dev·a), a = assumed_wmax or max |w|.
#[test]
fn additive_noise_is_normal_and_relative_to_the_largest_weight() {
    let record = WeightModifierConfig { std_dev: 0.1, assumed_wmax: 0.5, ..modifier(Type::AddNormal) };
    expect_noise(&record, 1, |_| 0.05);
    // The largest of the levels is 1.
    let record = WeightModifierConfig { rel_to_actual_wmax: true, ..record };
    expect_noise(&record, 2, |_| 0.1);
}

/// w̃ ~ N(w, std_dev·a·|w|), a = assumed_wmax or 1.
#[test]
fn multiplicative_noise_is_normal_and_relative_to_the_weight() {
    let record = WeightModifierConfig { std_dev: 0.1, assumed_wmax: 0.5, ..modifier(Type::MultNormal) };
    expect_noise(&record, 3, |w| 0.05 * w.abs());
    expect_noise(&WeightModifierConfig { mult_of_wmax: false, ..record }, 4, |w| 0.1 * w.abs());
}

/// w̃ ~ N(w, std_dev·a·Σ cₖ(|w|/a)ᵏ).
#[test]
fn polynomial_noise_has_any_order() {
    for (seed, coeffs) in [(5, vec![0.02]), (6, vec![0.02, 0.1, -0.08, 0.03])] {
        let (std_dev, a) = (0.5, 2.0);
        let record = WeightModifierConfig { std_dev, assumed_wmax: a, coeffs, ..modifier(Type::Poly) };
        expect_noise(&record, seed, |w| 2.0 * 0.5 * polynomial(&record.coeffs, w.abs() / 2.0));
    }
}

/// w̃ ~ N(q(w), std_dev), q the nearest level.
#[test]
fn noise_after_rounding_is_normal_about_the_level() {
    let record = WeightModifierConfig { std_dev: 0.05, res: 0.5, ..modifier(Type::DiscretizeAddNormal) };
    for (level, samples) in [-1.0, -0.5, 0.0, 0.5, 1.0].iter().zip(samples(&record, &LEVELS, 7)) {
        expect_normal(&samples, *level, 0.05);
    }
}

/// |W'| is a folded normal; the sign stays.
#[test]
fn programming_noise_is_folded() {
    let (levels, g_max) = ([-0.3_f32, -0.01, 0.0, 0.02, 0.5], 25.0);
    let coeffs = vec![0.26348, 1.965, -1.1731];
    let record = WeightModifierConfig { std_dev: 2.0, coeffs, g_max, ..modifier(Type::ProgNoise) };
    for (level, samples) in levels.iter().zip(samples(&record, &levels, 8)) {
        assert!(samples.iter().all(|w| if *level < 0.0 { *w <= 0.0 } else { *w >= 0.0 }), "{level}");
        let sizes: Vec<f64> = samples.iter().map(|w| f64::from(w.abs())).collect();
        let m = f64::from(level.abs());
        let s = 2.0 * polynomial(&record.coeffs, m) / 25.0;
        let normal = Normal::standard();
        // E|W'| = s√(2/π)exp(-m²/2s²) + m(2Φ(m/s) - 1), at least m; E W'² = m² + s².
        let z = m / s;
        let mean =
            s * (2.0 / std::f64::consts::PI).sqrt() * (-z * z / 2.0).exp() + m * (2.0 * normal.cdf(z) - 1.0);
        assert!(mean >= m);
        expect_mean(&sizes, mean, (m * m + s * s - mean * mean).sqrt());
        let folded = |x: f64| if x < 0.0 { 0.0 } else { normal.cdf((x - m) / s) - normal.cdf((-x - m) / s) };
        assert_p(ks_test(&sizes, folded), FALSE_ALARM);
    }
}

/// Two neighbouring levels, the upper one with the probability of the fraction: unbiased, Var = Δ²f(1-f).
#[test]
fn stochastic_rounding_is_unbiased() {
    let (levels, step) = ([-0.9_f32, -0.7, -0.5, -0.1, 0.0, 0.3, 0.55, 1.0], 0.25);
    let record = WeightModifierConfig { res: step, sto_round: true, ..modifier(Type::Discretize) };
    for (level, samples) in levels.iter().zip(samples(&record, &levels, 9)) {
        let steps = f64::from(level / step);
        let fraction = steps - steps.floor();
        let (low, high) = ((steps.floor() as f32) * step, (steps.ceil() as f32) * step);
        assert!(samples.iter().all(|w| *w == low || *w == high), "{level}");
        let up = samples.iter().filter(|w| **w == high).count() as u64;
        if fraction > 0.0 {
            assert_p(proportion_test(up, N as u64, fraction), FALSE_ALARM);
        }
        let std = f64::from(step) * (fraction * (1.0 - fraction)).sqrt();
        expect_mean(&samples, f64::from(*level), std);
    }
}

/// E W' = c·tanh(W)/tanh(A), and the largest weight becomes c.
#[test]
fn stochastic_dorefa_is_unbiased_after_its_squashing() {
    let record = WeightModifierConfig {
        res: 0.125,
        dorefa_clip: 0.5,
        assumed_wmax: 1.0,
        sto_round: true,
        ..modifier(Type::DoReFa)
    };
    for (level, samples) in LEVELS.iter().zip(samples(&record, &LEVELS, 10)) {
        let mean = 0.5 * f64::from(*level).tanh() / 1.0_f64.tanh();
        let steps = mean / 0.125;
        let fraction = steps - steps.floor();
        expect_mean(&samples, mean, 0.125 * (fraction * (1.0 - fraction)).sqrt().max(1e-6));
        assert!(samples.iter().all(|w| w.abs() <= 0.5));
    }
}

/// A share pdrop is 0, the rest untouched: E W' = (1 - p)W, Var W' = p(1 - p)W².
#[test]
fn connections_are_dropped_at_random() {
    for kind in [Type::DropConnect, Type::Copy] {
        let record = WeightModifierConfig { pdrop: 0.2, ..modifier(kind) };
        for (level, samples) in LEVELS.iter().zip(samples(&record, &LEVELS, 11)) {
            assert!(samples.iter().all(|w| *w == 0.0 || w == level));
            let dropped = samples.iter().filter(|w| **w == 0.0).count() as u64;
            assert_p(proportion_test(dropped, N as u64, 0.2), FALSE_ALARM);
            let w = f64::from(*level);
            expect_mean(&samples, 0.8 * w, (0.2_f64 * 0.8).sqrt() * w.abs());
            // A two-point law has the kurtosis 1/(p(1 - p)) - 3.
            expect_std(&samples, 0.4 * w.abs(), Kurtosis::Known(1.0 / 0.16 - 3.0));
        }
    }
}

/// Noise and dropping draw from different streams: what is left has the noise it would have had.
#[test]
fn dropping_does_not_change_the_noise() {
    let noise = WeightModifierConfig { std_dev: 0.1, ..modifier(Type::AddNormal) };
    let both = WeightModifierConfig { pdrop: 0.3, ..noise.clone() };
    let (without, with) = (samples(&noise, &LEVELS, 12), samples(&both, &LEVELS, 12));
    for (without, with) in without.iter().zip(&with) {
        assert!(without.iter().zip(with).all(|(a, b)| *b == 0.0 || a == b));
        let left = with.iter().filter(|w| **w != 0.0).count() as u64;
        assert_p(proportion_test(left, N as u64, 0.7), FALSE_ALARM);
    }
}
