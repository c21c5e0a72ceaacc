//! Tiles in training with a digital periphery and slices, from a configuration.

use aimc_device::{RngKey, config};
use aimc_nn::loss::negative_log_likelihood;
use aimc_nn::{Activation, LinearConfig, Network, NetworkConfig};
use aimc_tile::{SampleKeys, Shape, TrainableTile};
use aimc_train::TrainingTileConfig;
use nalgebra::DMatrix;

const SHAPE: Shape = Shape { outputs: 3, inputs: 5 };

/// Exact tiles, so that only the arrangement can make a difference.
const IDEAL: &str = "device.model = \"Ideal\"\nforward.is_perfect = true\nbackward.is_perfect = true\nupdate.pulse_type = \"None\"\n";

fn tile(text: &str) -> Box<dyn TrainableTile> {
    let config: TrainingTileConfig = config::from_toml(&format!("{IDEAL}{text}")).unwrap();
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

/// A bias learns alike in digital memory and in a column of an exact tile: gradients are the same numbers, and the sums of
/// a product with the bias inside round once more per input.
#[test]
fn an_analog_bias_learns_like_a_digital_one() {
    let network = |text: &str| {
        let config: TrainingTileConfig = config::from_toml(&format!("{IDEAL}{text}")).unwrap();
        let description = NetworkConfig::mlp(&[5, 4, 3], Activation::Tanh);
        description.build(RngKey::root(3), |place| config.build_at(place)).unwrap()
    };
    let (mut digital, mut analog) = (network(""), network("periphery.mapping.digital_bias = false"));
    assert_eq!(digital.parameters_mut().count(), 2);
    assert_eq!(analog.parameters_mut().count(), 0);
    let x = DMatrix::from_fn(5, 6, |i, j| (i as f32 - 2.0) * 0.25 + j as f32 * 0.125);
    let draws = SampleKeys::new(RngKey::root(3));
    let labels = [0, 1, 2, 0, 1, 2];
    for _ in 0..5 {
        for network in [&mut digital, &mut analog] {
            let trace = network.trace(x.as_view(), draws).unwrap();
            let (_, d) = negative_log_likelihood(trace.output(), &labels);
            let gradients = network.backward(&trace, d, draws).unwrap();
            network.update(&gradients, 0.5, draws).unwrap();
        }
    }
    let outputs = |network: &Network<_>| network.forward(x.as_view(), draws).unwrap();
    let (a, b) = (outputs(&digital), outputs(&analog));
    // Five steps through two layers of sums of at most 6 terms of order 1.
    assert!((&a - &b).amax() <= 5.0 * 2.0 * 6.0 * f32::EPSILON * a.amax(), "{a} {b}");
    let first = analog.tiles().next().unwrap().1;
    assert_eq!(first.bias().unwrap().len(), 4);
}

/// A layer without bias stays without, whatever the mapping says.
#[test]
fn layers_without_bias_get_no_column() {
    let config: TrainingTileConfig =
        config::from_toml(&format!("{IDEAL}periphery.mapping.digital_bias = false")).unwrap();
    let layer = LinearConfig { inputs: Some(4), outputs: 3, bias: false };
    let network = NetworkConfig { input: Vec::new(), layers: vec![layer.into()] }
        .build(RngKey::root(3), |place| config.build_at(place))
        .unwrap();
    let y = network.forward(DMatrix::zeros(4, 1).as_view(), SampleKeys::new(RngKey::root(1))).unwrap();
    assert_eq!(y, DMatrix::zeros(3, 1));
    assert!(network.tiles().next().unwrap().1.bias().is_none());
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let refused = |text: &str| {
        let config: TrainingTileConfig = config::from_toml(text).unwrap();
        config.validate().unwrap_err().field
    };
    let several = "[periphery.mapping]\ndigital_bias = false\nmax_input_size = 1";
    assert_eq!(refused(several), "periphery.mapping.digital_bias");
    assert_eq!(
        refused("periphery.mapping.weight_scaling_omega = -1.0"),
        "periphery.mapping.weight_scaling_omega"
    );
    assert_eq!(refused("slices = { slices = 0 }"), "slices.slices");
}
