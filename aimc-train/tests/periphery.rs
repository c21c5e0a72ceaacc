//! Tiles in training with a digital periphery and slices, from a configuration.

#![allow(clippy::unwrap_used)]

use aimc_device::{RngKey, config};
use aimc_tile::{SampleKeys, Shape, TrainableTile};
use aimc_train::TrainingTileConfig;
use nalgebra::DMatrix;

const SHAPE: Shape = Shape { outputs: 3, inputs: 5 };

/// Exact tiles, so that only the arrangement can make a difference.
fn tile(text: &str) -> Box<dyn TrainableTile> {
    let ideal = "device.model = \"Ideal\"\nforward.is_perfect = true\nbackward.is_perfect = true\nupdate.pulse_type = \"None\"\n";
    let config: TrainingTileConfig = config::from_toml(&format!("{ideal}{text}")).unwrap();
    config.validate().unwrap();
    let mut tile = config.build(SHAPE, RngKey::root(1)).unwrap();
    let weights = DMatrix::from_fn(3, 5, |i, j| (i as f32 - 1.0) * 0.25 + j as f32 * 0.125);
    tile.set_weights(&weights, RngKey::root(2)).unwrap();
    tile
}

fn step(tile: &mut Box<dyn TrainableTile>) -> (DMatrix<f32>, DMatrix<f32>) {
    let x = DMatrix::from_fn(5, 2, |i, j| i as f32 * 0.25 - j as f32);
    let d = DMatrix::from_fn(3, 2, |i, j| 0.5 * i as f32 - 0.25 * j as f32);
    let draws = SampleKeys::new(RngKey::root(3));
    tile.update(x.as_view(), d.as_view(), 0.5, draws).unwrap();
    let mut y = DMatrix::zeros(3, 2);
    tile.forward(x.as_view(), y.as_view_mut(), draws).unwrap();
    (tile.weights(), y)
}

/// All numbers are small multiples of powers of two, so that every arrangement is exact.
#[test]
fn grids_scales_and_slices_change_nothing_for_exact_tiles() {
    let (weights, y) = step(&mut tile(""));
    for text in [
        "periphery.mapping.max_input_size = 2\nperiphery.mapping.max_output_size = 2",
        "periphery.mapping.weight_scaling_omega = 0.75",
        "slices = { slices = 3, bits_per_slice = 2 }",
        "slices = { update = \"Carry\" }\nperiphery.mapping.max_input_size = 3",
    ] {
        let (found, product) = step(&mut tile(text));
        // Scales that are no power of two round each number once or twice.
        assert!((found - &weights).amax() <= 4.0 * f32::EPSILON * weights.amax(), "{text}");
        assert!((product - &y).amax() <= 16.0 * f32::EPSILON * y.amax(), "{text}");
    }
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let refused = |text: &str| {
        let config: TrainingTileConfig = config::from_toml(text).unwrap();
        config.validate().unwrap_err().field
    };
    assert_eq!(refused("periphery.mapping.digital_bias = false"), "periphery.mapping.digital_bias");
    assert_eq!(
        refused("periphery.mapping.weight_scaling_omega = -1.0"),
        "periphery.mapping.weight_scaling_omega"
    );
    assert_eq!(refused("slices = { slices = 0 }"), "slices.slices");
}
