//! Real converters: without spread they are the ideal quantiser; with spread they follow the laws of their architecture.

use aimc_device::{RngKey, config};
use aimc_testkit::assert_close;
use aimc_testkit::stats::expect_normal;
use aimc_testkit::strategies;
use aimc_tile::periphery::adc::{flash::Flash, ramp::Ramp, sar::Sar};
use aimc_tile::{AnalogTile, IoConfig, MatVec, ReadOut, SampleKeys, Shape, TileConfig, UnitCell};
use nalgebra::DMatrix;
use proptest::prelude::*;

/// A column of weights 1, read with the given converters: outputs of the tile are what the converters make of the input.
fn tile(adc: &str, outputs: usize, res: f32, seed: u64) -> AnalogTile {
    let text = format!(
        "out_res = {res:?}\nout_bound = 2.0\nout_noise = 0.0\ninp_res = 0.0\ninp_bound = 0.0\n\
         noise_management = \"None\"\nbound_management = \"None\"\n[adc]\n{adc}"
    );
    let forward: IoConfig = config::from_toml(&text).unwrap();
    let config = TileConfig { device: UnitCell::ideal(), forward, ..TileConfig::default() };
    let mut tile = config.build(Shape { outputs, inputs: 1 }, RngKey::root(seed)).unwrap();
    tile.set_weights(&DMatrix::from_element(outputs, 1, 1.0), RngKey::root(0)).unwrap();
    tile
}

fn read(tile: &AnalogTile, x: f32) -> Vec<f32> {
    let mut y = DMatrix::zeros(tile.shape().outputs, 1);
    tile.forward(DMatrix::from_element(1, 1, x).as_view(), y.as_view_mut(), SampleKeys::new(RngKey::root(3)))
        .unwrap();
    y.as_slice().to_vec()
}

fn frozen(tile: &AnalogTile, name: &str) -> Vec<f32> {
    let values = tile.circuits().forward.frozen().values();
    values.into_iter().find(|(found, _)| *found == name).unwrap().1
}

const ARCHITECTURES: [(&str, &str); 3] =
    [("Sar", "capacitor_std"), ("Ramp", "step_std"), ("Flash", "threshold_std")];

fn bank(model: &str, field: &str, std: f32) -> String {
    format!("architecture = {{ model = \"{model}\", {field} = {std:?} }}")
}

proptest! {
    #![proptest_config(strategies::config(128))]

    /// Bit for bit, at ties and beyond the range too.
    #[test]
    fn without_spread_all_are_the_ideal_quantiser(x in -3.0_f32..3.0, ties in -300_i32..300, bits in 2_u32..9) {
        let res = 1.0 / ((1_u32 << bits) - 2) as f32;
        let ideal = tile("columns_per_adc = 1", 1, res, 1);
        for (model, field) in ARCHITECTURES {
            let real = tile(&bank(model, field, 0.0), 1, res, 1);
            for x in [x, 0.5 * ties as f32 * (res * 4.0)] {
                prop_assert_eq!(read(&real, x), read(&ideal, x), "{} at {}", model, x);
            }
        }
    }

    /// Counting and climbing are monotonic whatever the spread.
    #[test]
    fn ramp_and_flash_are_monotonic(a in -2.5_f32..2.5, b in -2.5_f32..2.5, std in 0.0_f32..3.0, seed in strategies::seed()) {
        for (model, field) in [("Ramp", "step_std"), ("Flash", "threshold_std")] {
            let real = tile(&bank(model, field, std), 1, 1.0 / 62.0, seed);
            prop_assert!(read(&real, a.min(b))[0] <= read(&real, a.max(b))[0], "{model}");
        }
    }
}

const TILES: u64 = 400;

/// Capacitors: the middle threshold, of n = 32 of N = 63 units, errs by σ²·n(N - n)/N to first order; the next order is
/// smaller by σ²/N.
#[test]
fn capacitors_shift_the_middle_of_successive_approximation() {
    let std = 0.02_f32;
    let middle: Vec<f64> = (0..TILES)
        .flat_map(|seed| {
            frozen(&tile(&bank("Sar", "capacitor_std", std), 16, 1.0 / 62.0, seed), "adc_levels")
        })
        .collect::<Vec<f32>>()
        .chunks(6)
        .map(|weights| f64::from(weights[5]) - 32.0)
        .collect();
    let law = (f64::from(std).powi(2) * 32.0 * 31.0 / 63.0).sqrt();
    expect_normal(&middle, 0.0, law);
}

/// Thresholds of a ramp return to their place at both ends and wander most in the middle.
#[test]
fn ramps_are_random_walks_that_return() {
    let std = 0.02_f32;
    let ramps: Vec<Vec<f32>> = (0..4 * TILES)
        .map(|seed| frozen(&tile(&bank("Ramp", "step_std", std), 3, 1.0 / 62.0, seed), "adc_levels"))
        .collect();
    for (n, steps) in [(20, 61), (40, 61)] {
        let deviations: Vec<f64> = ramps.iter().map(|t| f64::from(t[n]) - (n as f64 - 30.5)).collect();
        let law = (f64::from(std).powi(2) * (n * (steps - n)) as f64 / steps as f64).sqrt();
        expect_normal(&deviations, 0.0, law);
    }
    for ramp in &ramps {
        assert!((ramp[0] + 30.5).abs() < 1e-5 && (ramp[61] - 30.5).abs() < 1e-5);
    }
}

/// Thresholds of a flash converter are independent.
#[test]
fn comparators_differ_independently() {
    let levels = frozen(&tile(&bank("Flash", "threshold_std", 0.3), 256, 1.0 / 62.0, 5), "adc_levels");
    let off = |i: usize| f64::from(levels[i]) - ((i % 62) as f64 - 30.5);
    let inl: Vec<f64> = (0..levels.len()).map(off).collect();
    expect_normal(&inl, 0.0, f64::from(0.3_f32));
    let dnl: Vec<f64> = (0..levels.len() / 2).map(|i| off(2 * i + 1) - off(2 * i)).collect();
    expect_normal(&dnl, 0.0, f64::from(0.3_f32) * 2.0_f64.sqrt());
}

/// Gain and offset have the stated moments; columns that share a converter read alike.
#[test]
fn converters_differ_and_are_shared() {
    let tile = tile("gain_std = 0.1\noffset_std = 2.0\ncolumns_per_adc = 4", 20_000, 1.0 / 1022.0, 7);
    let gains: Vec<f64> = frozen(&tile, "adc_gain").into_iter().map(f64::from).collect();
    assert_eq!(gains.len(), 5000);
    expect_normal(&gains, 1.0, f64::from(0.1_f32));
    let offsets: Vec<f64> = frozen(&tile, "adc_offset").into_iter().map(f64::from).collect();
    expect_normal(&offsets, 0.0, 2.0);
    let y = read(&tile, 0.7);
    assert!(y.chunks(4).all(|shared| shared.iter().all(|y| *y == shared[0])));
    // y = Q(gain·x + offset·Δ), half a step off at most.
    let step = 4.0 / 1022.0;
    for (y, (gain, offset)) in y.chunks(4).zip(gains.iter().zip(&offsets)) {
        let expected = (0.7 * gain + offset * step).clamp(-2.0, 2.0);
        assert_close!(f64::from(y[0]), expected, step * 0.5001);
    }
}

/// A flash converter's code is the number of its thresholds below the input.
#[test]
fn frozen_thresholds_can_be_read_and_set() {
    let mut tile = tile(&bank("Flash", "threshold_std", 0.0), 1, 1.0 / 6.0, 1);
    assert_eq!(read(&tile, 0.4), [2.0 / 3.0]);
    let mut levels = frozen(&tile, "adc_levels");
    levels[3] = 0.7;
    tile.circuits_mut().forward.frozen_mut().set("adc_levels", &levels).unwrap();
    assert_eq!(read(&tile, 0.4), [0.0]);
}

#[test]
fn what_cannot_be_built_is_refused_by_name() {
    let refused = |adc: &str, rest: &str| {
        let io: IoConfig = config::from_toml(&format!("{rest}\n[adc]\n{adc}")).unwrap();
        io.validate().unwrap_err().field
    };
    assert_eq!(refused("columns_per_adc = 0", ""), "adc.columns_per_adc");
    assert_eq!(refused("gain_std = -1.0", ""), "adc.gain_std");
    assert_eq!(refused(&bank("Sar", "capacitor_std", -0.1), ""), "adc.architecture");
    assert_eq!(refused(&bank("Sar", "capacitor_std", 0.1), "out_res = 0.0"), "adc.architecture");
    let error = config::from_toml::<IoConfig>("[adc]\narchitecture = { model = \"Sigma\" }").unwrap_err();
    assert_eq!(error.field, "adc.architecture.model");
    // The types are public for those who need single converters.
    assert_eq!(
        (Sar::default().capacitor_std, Ramp::default().step_std, Flash::default().threshold_std),
        (0.0, 0.0, 0.0)
    );
}
