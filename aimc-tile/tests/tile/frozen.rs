//! What fabrication leaves in the circuits: its laws, and that it can be read and set.

use super::{forward, keys, tile, transparent, uniform};
use aimc_device::RngKey;
use aimc_testkit::stats::{FALSE_ALARM, assert_p, correlation_test, expect_normal, proportion_test};
use aimc_tile::periphery::noise_management::NoiseManagement::{AbsMax, None as Unmanaged};
use aimc_tile::{AnalogTile, IoConfig, Shape, TileConfig, UnitCell};
use nalgebra::DMatrix;

const LINES: usize = 20_000;

/// A tile with everything that fabrication spreads.
fn spread(outputs: usize, inputs: usize, seed: u64) -> AnalogTile {
    let io = IoConfig {
        out_noise: 0.1,
        out_noise_std: 0.125,
        v_offset_std: 0.05,
        out_nonlinearity: 0.5,
        out_nonlinearity_std: 0.125,
        w_read_asymmetry_dtod: 0.25,
        out_bound: 4.0,
        ..transparent(AbsMax)
    };
    let config =
        TileConfig { device: UnitCell::ideal(), forward: io.clone(), backward: io, ..TileConfig::default() };
    config.build(Shape { outputs, inputs }, RngKey::root(seed)).unwrap()
}

fn values(tile: &AnalogTile, name: &str) -> Vec<f32> {
    let all = tile.circuits().forward.frozen().values();
    all.into_iter().find(|(found, _)| *found == name).unwrap().1
}

/// Spreads of 1/8 are never folded at 0 in 20000 draws (8 std), so folded and plain normal laws agree.
#[test]
fn spreads_have_their_laws() {
    let tile = spread(LINES, 1, 3);
    expect_normal(&values(&tile, "out_noise_values"), 0.1, 0.0125);
    expect_normal(&values(&tile, "out_nonlinearity"), 0.125, 0.125 / 8.0);
    expect_normal(&values(&tile, "w_asymmetry"), 1.0, 0.25);
    // max(ξ, 0): half of the lines have none, the others a half-normal offset; with random signs that is normal.
    let offsets = values(&tile, "v_offset");
    let none = offsets.iter().filter(|v| **v == 0.0).count() as u64;
    assert_p(proportion_test(none, LINES as u64, 0.5), FALSE_ALARM);
    let mut sign = -1.0;
    let signed = offsets.iter().filter(|v| **v > 0.0).map(|v| {
        sign = -sign;
        sign * v
    });
    expect_normal(&signed.collect::<Vec<f32>>(), 0.0, 0.05);
}

/// Quantities, directions and tiles are drawn independently, and always alike from the same key.
#[test]
fn spreads_are_independent_and_addressed() {
    let tile = spread(LINES, 1, 3);
    let noise = values(&tile, "out_noise_values");
    assert_eq!(noise, values(&spread(LINES, 1, 3), "out_noise_values"));
    for other in [
        values(&tile, "out_nonlinearity"),
        values(&tile, "w_asymmetry"),
        values(&spread(LINES, 1, 4), "out_noise_values"),
    ] {
        assert_p(correlation_test(&noise, &other, 0.0), FALSE_ALARM);
    }
    let (ahead, back) = (values(&spread(8, 8, 3), "w_asymmetry"), spread(8, 8, 3));
    let back = back.circuits().backward.frozen().values();
    assert!(back.iter().all(|(_, values)| *values != ahead));
}

/// Measured values replace drawn ones, and act: an offset v takes the share v of the current.
#[test]
fn measured_values_can_be_set() {
    let weights = uniform(3, 4, 5);
    let io = IoConfig { v_offset_std: 0.05, v_offset_w_min: 0.0, ..transparent(Unmanaged) };
    let mut tile = tile(&io, &weights);
    let plain =
        forward(&super::tile(&transparent(Unmanaged), &weights), &DMatrix::from_element(4, 1, 0.5), keys(1));
    let set = |tile: &mut AnalogTile, name: &str, values: &[f32]| {
        tile.circuits_mut().forward.frozen_mut().set(name, values).map_err(|error| error.to_string())
    };
    set(&mut tile, "v_offset", &[0.0, 0.25, 0.5]).unwrap();
    let y = forward(&tile, &DMatrix::from_element(4, 1, 0.5), keys(1));
    for (i, share) in [1.0, 0.75, 0.5].into_iter().enumerate() {
        assert_eq!(y[i], share * plain[i]);
    }
    let before = values(&tile, "v_offset");
    assert_eq!(set(&mut tile, "v_offset", &[0.1]).unwrap_err(), "v_offset = 1: must have 3 entries");
    assert!(set(&mut tile, "v_offset", &[0.1, f32::NAN, 0.0]).unwrap_err().starts_with("v_offset[1] = NaN"));
    assert!(set(&mut tile, "v_ofset", &[0.1; 3]).unwrap_err().contains("must be one of v_offset"));
    assert_eq!(values(&tile, "v_offset"), before);
}
