//! Zero shifting finds the symmetry points that the equations of the devices have.

use aimc_device::{RngKey, config};
use aimc_testkit::assert_close;
use aimc_testkit::stats::expect_mean;
use aimc_tile::{AnalogTile, IdealTile, MatVec, ReadOut, SampleKeys, Shape, TileConfig};
use aimc_train::{ZeroShifting, zero_shifting::ZeroShiftingError};
use nalgebra::DMatrix;

const SHAPE: Shape = Shape { outputs: 6, inputs: 8 };
const STEP: f32 = 0.01;
const PROCEDURE: ZeroShifting = ZeroShifting { pairs: 4000, averaged_pairs: 10, step: STEP };

fn tile(device: &str) -> AnalogTile {
    let text = format!("[device]\ndw_min = {STEP}\n{device}");
    config::from_toml::<TileConfig>(&text).unwrap().build(SHAPE, RngKey::root(1)).unwrap()
}

fn constant(tile: &AnalogTile, name: &str) -> Vec<f32> {
    let constants = tile.devices()[0].constants();
    constants.into_iter().find(|(known, _)| *known == name).unwrap().1
}

/// Compares with (a⁺ - a⁻)/(s⁺ + s⁻), where the steps are a⁺ - s⁺w and a⁻ + s⁻w.
fn check(mut tile: AnalogTile, slopes: impl Fn(&AnalogTile) -> (Vec<f32>, Vec<f32>)) {
    let (up, down) = (constant(&tile, "dwmin_up"), constant(&tile, "dwmin_down"));
    let (s_up, s_down) = slopes(&tile);
    let points = PROCEDURE.symmetry_points(&mut tile, RngKey::root(2)).unwrap().transpose();
    for (k, found) in points.iter().enumerate() {
        let expected = (up[k] - down[k]) / (s_up[k] + s_down[k]);
        // w alternates between two values a step apart, whose mean is at most half a step from the symmetry point.
        let half_step = 0.5 * (up[k] - s_up[k] * expected) * (1.0 + s_up[k].abs());
        assert_close!(*found, expected, half_step, "device {k}");
    }
    let spread = points.iter().fold(0.0_f32, |largest, point| largest.max(point.abs()));
    assert!(spread > 10.0 * STEP, "the devices do not differ enough to test anything");
}

/// Alternating pulses lead to (a⁺ - a⁻)/(a⁺/b⁺ + a⁻/|b⁻|), within half a step.
#[test]
fn soft_bounds() {
    let device = "model = \"SoftBounds\"\ndw_min_std = 0\nup_down = 0.1\nup_down_dtod = 0.1\nw_max = 0.8";
    check(tile(device), |tile| {
        let ratio = |step: &str, bound: &str| {
            constant(tile, step).iter().zip(constant(tile, bound)).map(|(a, b)| (a / b).abs()).collect()
        };
        (ratio("dwmin_up", "max_bound"), ratio("dwmin_down", "min_bound"))
    });
}

/// Alternating pulses lead to (a⁺ - a⁻)/(γ⁺a⁺ + γ⁻a⁻) for bounds of ± 1, within half a step.
#[test]
fn linear_steps() {
    let device = "model = \"LinearStep\"\ndw_min_std = 0\nup_down = 0.05\nup_down_dtod = 0.1\ngamma_up = 0.6\n\
                  gamma_down = 0.5\ngamma_up_dtod = 0\ngamma_down_dtod = 0\nw_max = 1\nw_max_dtod = 0\n\
                  w_min = -1\nw_min_dtod = 0";
    check(tile(device), |tile| {
        let slope = |gamma: f32, step: &str| constant(tile, step).iter().map(|a| gamma * a).collect();
        (slope(0.6, "dwmin_up"), slope(0.5, "dwmin_down"))
    });
}

/// W = A - R with R the symmetry points of A: those of W are 0, within half a step.
#[test]
fn after_the_shift_the_symmetry_points_are_zero() {
    let device = "model = \"SoftBounds\"\ndw_min_std = 0\nup_down = 0.2";
    let before = PROCEDURE.report(&mut tile(device), RngKey::root(2)).unwrap();
    let reference = IdealTile::new(SHAPE).unwrap();
    let (shifted, after) = PROCEDURE.shift(tile(device), reference, RngKey::root(2)).unwrap();
    assert!(before.mean.abs() > 0.05 && before.std > 0.01, "{before:?}");
    // The second estimate starts where the first ended: both are on the same cycle.
    assert!(after.offsets.iter().all(|offset| offset.abs() < 0.5 * STEP), "{after:?}");
    assert!(after.mean.abs() < 0.5 * f64::from(STEP) && after.std < 0.5 * f64::from(STEP));
    // Reading goes through both arrays.
    let weights = shifted.weights();
    assert_eq!(weights, shifted.tile().weights() - shifted.reference().weights());
}

/// E R = w_f + Δ/2, std 0.3·Δ√(2/n)/(p + q) over n averaged pairs.
#[test]
fn noise_averages_out() {
    // Devices alike, with p = a⁺/|b⁺| = 0.01 and q = 0.009; each of the 48 estimates is an independent draw. Noise is
    // proportional to the step, which is linear in w, so that means obey the noise-free recursion: after a down pulse
    // w_f = ((1 - q)a⁺ - a⁻)/(1 - (1 - p)(1 - q)) = 0.00091/0.01891, and half an up step Δ = 0.01(1 - w_f) above it in the mean.
    let device = "model = \"SoftBounds\"\ndw_min_dtod = 0\nup_down = 0.1\nup_down_dtod = 0\nw_max = 1\nw_max_dtod = 0\n\
                  w_min = -1\nw_min_dtod = 0\ndw_min_std = 0.3";
    let procedure = ZeroShifting { averaged_pairs: 2000, ..PROCEDURE };
    let report = procedure.report(&mut tile(device), RngKey::root(5)).unwrap();
    // Each pulse adds noise of std 0.3·Δ; the sum over all time of what is left of it after pulls of p + q per pair, averaged
    // over n = 2000 pairs, has the std 0.3·Δ·√(2n)/((p + q)·n).
    let w_f = 0.00091 / 0.01891;
    let step = 0.01 * (1.0 - w_f);
    expect_mean(report.offsets.as_slice(), w_f + 0.5 * step, 0.3 * step / 0.019 * (2.0_f64 / 2000.0).sqrt());
}

/// A = w + R, so that A - R = w.
#[test]
fn set_weights_counts_from_the_symmetry_point() {
    let device = "model = \"SoftBounds\"\ndw_min_std = 0\nup_down = 0.2\nw_max = 2\nw_min = -2";
    let reference = IdealTile::new(SHAPE).unwrap();
    let (mut shifted, _) = PROCEDURE.shift(tile(device), reference, RngKey::root(2)).unwrap();
    let wanted = DMatrix::from_element(SHAPE.outputs, SHAPE.inputs, 0.125);
    shifted.set_weights(&wanted, RngKey::root(3)).unwrap();
    assert!((shifted.weights() - &wanted).amax() < 4.0 * f32::EPSILON);
    let error = shifted.set_weights(&DMatrix::zeros(1, 1), RngKey::root(3)).unwrap_err();
    assert!(error.to_string().contains("weights"), "{error}");
    let mut y = DMatrix::zeros(1, 1);
    let x = DMatrix::zeros(SHAPE.inputs, 1);
    assert!(shifted.forward(x.as_view(), y.as_view_mut(), SampleKeys::new(RngKey::root(1))).is_err());
}

#[test]
fn refused_by_name() {
    let refused = |procedure: ZeroShifting| procedure.validate().unwrap_err().field;
    assert_eq!(refused(ZeroShifting { pairs: 0, ..PROCEDURE }), "pairs");
    assert_eq!(refused(ZeroShifting { averaged_pairs: 5000, ..PROCEDURE }), "averaged_pairs");
    assert_eq!(refused(ZeroShifting { step: 0.0, ..PROCEDURE }), "step");
    let mut ideal = IdealTile::new(SHAPE).unwrap();
    let error = ZeroShifting { pairs: 0, ..PROCEDURE }.report(&mut ideal, RngKey::root(1)).unwrap_err();
    assert!(matches!(error, ZeroShiftingError::Config(_)));
}
