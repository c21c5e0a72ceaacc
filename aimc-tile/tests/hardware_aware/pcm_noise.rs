//! The modifier that stands for phase-change memory.

use aimc_device::programmed::{PcmLike, ProgrammedDevice};
use aimc_testkit::assert_close;
use aimc_testkit::stats::{FALSE_ALARM, Moments, assert_p, expect_mean, expect_normal, proportion_test};
use aimc_tile::hardware_aware::weight_modifier::pcm_noise::{Draws, PcmNoise};
use aimc_tile::hardware_aware::{WeightModifierConfig, WeightModifierType as Type};

use super::{N, modifier, samples};

/// Draws without faults and with errors of 0.
const PLAIN: Draws = Draws {
    at_reset: 1.0,
    at_gmax: 1.0,
    which: 1.0,
    at_random: 1.0,
    random: 0.0,
    programming: 0.0,
    drift: 0.0,
    read: 0.0,
};

fn pcm(std_dev: f32) -> WeightModifierConfig {
    WeightModifierConfig { std_dev, ..modifier(Type::PcmNoise) }
}

/// Programming and read errors have mean 0 at levels that are far from the cut at 0.
#[test]
fn errors_of_large_weights_are_unbiased_and_keep_the_sign() {
    let levels = [-1.0_f32, -0.5, 0.3, 0.8];
    let record = WeightModifierConfig { pcm_t_inference: 3600.0, ..pcm(1.0) };
    for (level, samples) in levels.iter().zip(samples(&pcm(1.0), &levels, 1)) {
        // The std of 20 000 samples is known to 0.5 %.
        expect_mean(&samples, f64::from(*level), Moments::of(&samples).std());
    }
    for (level, samples) in levels.iter().zip(samples(&record, &levels, 2)) {
        assert!(samples.iter().all(|w| *w == 0.0 || w.signum() == level.signum()));
    }
}

/// Without noise only the drift is left: a full device deviates from its mean exponent by σ_ν = 0.008, in both directions.
#[test]
fn compensated_drift_has_both_signs() {
    let record = WeightModifierConfig { pcm_t_inference: 20.0 * 1023.0, ..pcm(0.0) };
    let exponents: Vec<f32> = samples(&record, &[1.0], 3)[0].iter().map(|w| w.log2() / -10.0).collect();
    // (t + t₀)/t₀ = 2¹⁰; ν̄ = 0.049 is six σ_ν away from the fold at 0.
    expect_normal(&exponents, 0.0, 0.008);
}

/// The pair goes through the same device as inference does.
#[test]
fn the_device_is_that_of_inference() {
    let (device, t) = (PcmLike::default(), 86400.0);
    let noise = PcmNoise::new(&WeightModifierConfig { pcm_t_inference: t, ..pcm(1.0) });
    let draws = Draws { programming: 0.7, drift: -1.2, read: 0.4, ..PLAIN };
    let w = noise.modified(-0.6, 1.0, draws);
    let programmed = device.program(15.0, 0.7);
    let nu = device.drift_exponent(15.0, -1.2) - device.drift_exponent(15.0, 0.0);
    let read = device.read(programmed, device.drifted(programmed, nu, t), t, 0.4);
    // Two roundings at the way to conductances and back.
    assert_close!(w, -(read / 25.0), 4.0 * f32::EPSILON);
}

/// Faults by hand: reset, full devices of the pair, anything.
#[test]
fn faults_by_hand() {
    let noise = PcmNoise::new(&WeightModifierConfig {
        pcm_prob_at_reset: 0.1,
        pcm_prob_at_gmax: 0.1,
        pcm_prob_at_random: 0.1,
        ..pcm(0.0)
    });
    let near = |draws: Draws, expected: f32| {
        let w = noise.modified(0.25, 1.0, draws);
        assert_close!(w, expected, f32::EPSILON);
    };
    near(PLAIN, 0.25);
    near(Draws { at_reset: 0.0, ..PLAIN }, 0.0);
    // The device that holds the weight is full, or the other one, which subtracts.
    near(Draws { at_gmax: 0.0, which: 0.9, ..PLAIN }, 1.0);
    near(Draws { at_gmax: 0.0, which: 0.1, ..PLAIN }, -0.75);
    near(Draws { at_random: 0.0, random: 0.125, ..PLAIN }, -0.75);
    near(Draws { at_reset: 0.0, at_gmax: 0.0, which: 0.1, ..PLAIN }, -1.0);
}

/// P(w = 0) = pcm_prob_at_reset; pcm_prob_at_gmax fills either device of a pair, half of it each; pairs stuck at random
/// are negative half the time.
#[test]
fn faults_occur_as_often_as_stated() {
    let share = |record: WeightModifierConfig, seed: u64, of: fn(f32) -> bool, p: f64| {
        let hits = samples(&record, &[0.5], seed)[0].iter().filter(|w| of(**w)).count();
        assert_p(proportion_test(hits as u64, N as u64, p), FALSE_ALARM);
    };
    share(WeightModifierConfig { pcm_prob_at_reset: 0.05, ..pcm(0.0) }, 4, |w| w == 0.0, 0.05);
    let full = WeightModifierConfig { pcm_prob_at_gmax: 0.1, ..pcm(0.0) };
    share(full.clone(), 5, |w| (w - 1.0).abs() < 0.01, 0.05);
    share(full, 6, |w| (w + 0.5).abs() < 0.01, 0.05);
    // Uniform in ± 1: a tenth of them at random, half of those negative.
    share(WeightModifierConfig { pcm_prob_at_random: 0.1, ..pcm(0.0) }, 7, |w| w < 0.0, 0.05);
}

/// Weights below z standard deviations of an empty device, 0.26348 µS of 25 µS each, are 0; so are weights of 0.
#[test]
fn small_weights_are_empty_devices() {
    let noise = PcmNoise::new(&WeightModifierConfig { pcm_zero_thres: 2.0, ..pcm(1.0) });
    let threshold = 2.0 * 0.26348 / 25.0;
    let draws = Draws { programming: 1.0, ..PLAIN };
    assert_eq!(noise.modified(0.99 * threshold, 1.0, draws), 0.0);
    assert!(noise.modified(-1.01 * threshold, 1.0, draws) < -threshold);
    assert_eq!(noise.modified(0.0, 1.0, draws), 0.0);
}
