//! Networks that change between digital memory and analog tiles.

use aimc_device::{RngKey, config};
use aimc_nn::{Activation, Network, NetworkConfig};
use aimc_tile::{HardwareAwareTileConfig, IdealTile, MatVec, ReadOut, SampleKeys};
use aimc_train::TrainingTileConfig;
use aimc_train::convert::{ReadBack, TileOverride, TileRules, to_digital};
use nalgebra::DMatrix;

const IDEAL: &str = "device.model = \"Ideal\"\nforward.is_perfect = true\nbackward.is_perfect = true\nupdate.pulse_type = \"None\"\n";

fn tile(text: &str) -> TrainingTileConfig {
    config::from_toml(text).unwrap()
}

fn digital() -> Network<IdealTile> {
    NetworkConfig::mlp(&[6, 5, 4, 3], Activation::Tanh)
        .build(RngKey::root(4), |place| IdealTile::new(place.shape))
        .unwrap()
}

fn weights<T: ReadOut>(network: &Network<T>) -> Vec<DMatrix<f32>> {
    network.tiles().map(|(_, tile)| tile.weights()).collect()
}

fn outputs<T: MatVec>(network: &Network<T>) -> DMatrix<f32> {
    let x = DMatrix::from_fn(6, 4, |i, j| (i as f32 - 2.5) * 0.25 + j as f32 * 0.125);
    network.forward(x.as_view(), SampleKeys::new(RngKey::root(1))).unwrap()
}

/// Network to perfect tiles and back: the same weights; outputs but for the order of sums.
#[test]
fn perfect_tiles_give_the_network_back() {
    let network = digital();
    for text in ["", "periphery.mapping.max_input_size = 3", "periphery.mapping.digital_bias = false"] {
        let rules = TileRules { tile: Some(tile(&format!("{IDEAL}{text}"))), ..TileRules::default() };
        let analog = rules.to_analog(&network, RngKey::root(2)).unwrap();
        let back = to_digital(&analog, ReadBack::Ideal, RngKey::root(3)).unwrap();
        assert_eq!(weights(&back), weights(&network), "{text}");
        // Sums in another order and with the bias inside: a few roundings of numbers of order 1 per layer.
        let error = (outputs(&analog) - outputs(&network)).amax();
        assert!(error <= 32.0 * f32::EPSILON && outputs(&back) == outputs(&network), "{text}: {error}");
        let read = to_digital(&analog, ReadBack::Products(10), RngKey::root(3)).unwrap();
        let error = (outputs(&read) - outputs(&network)).amax();
        assert!(error <= 256.0 * f32::EPSILON, "{text}: {error}");
    }
}

/// w ← w cut to the bounds of the devices; what a rule leaves digital keeps its weights.
#[test]
fn rules_decide_by_name_and_devices_by_their_bounds() {
    let network = digital();
    let rules = TileRules {
        tile: Some(tile(
            "[device]\nmodel = \"ConstantStep\"\nw_max = 0.1\nw_min = -0.1\nw_max_dtod = 0\nw_min_dtod = 0",
        )),
        overrides: vec![TileOverride {
            layer: "layer2.*".into(),
            digital: true,
            tile: None,
            hardware_aware: None,
        }],
        ..TileRules::default()
    };
    let analog = rules.to_analog(&network, RngKey::root(2)).unwrap();
    let devices: Vec<u64> =
        analog.tiles().map(|(_, tile)| aimc_tile::Tile::inventory(tile).devices).collect();
    assert_eq!(devices, [30, 0, 12]);
    let (before, after) = (weights(&network), weights(&analog));
    assert_eq!(after[1], before[1]);
    assert_eq!(after[0], before[0].map(|w| w.clamp(-0.1, 0.1)));
    let mistaken = TileRules {
        overrides: vec![TileOverride {
            layer: "layer3.tile".into(),
            digital: true,
            tile: None,
            hardware_aware: None,
        }],
        ..rules
    };
    let refused = mistaken.to_analog(&network, RngKey::root(2)).unwrap_err().to_string();
    assert!(
        refused.starts_with("override[0].layer = \"layer3.tile\": fits none of the matrices layer0.tile"),
        "{refused}"
    );
}

/// Hardware-aware tiles lie in digital memory: they give every bit back, each layer with the modifier it was given, and what
/// concerns a bias column only where there is one.
#[test]
fn hardware_aware_tiles_are_chosen_by_layer_and_give_the_network_back() {
    let text = "input = [6]\nlayers = [{ layer = \"Linear\", outputs = 5 }, \
                { layer = \"Linear\", outputs = 3, bias = false }, { layer = \"Linear\", outputs = 3 }]";
    let network = config::from_toml::<NetworkConfig>(text)
        .unwrap()
        .build(RngKey::root(4), |place| IdealTile::new(place.shape))
        .unwrap();
    let noise = "forward.is_perfect = true\nmodifier = { type = \"AddNormal\", std_dev = 0.5, copy_last_column = true }\n\
                 periphery.mapping.digital_bias = false";
    let plain: HardwareAwareTileConfig = config::from_toml("forward.is_perfect = true").unwrap();
    let rules = TileRules {
        hardware_aware: Some(config::from_toml(noise).unwrap()),
        overrides: vec![TileOverride {
            layer: "layer2.*".into(),
            digital: false,
            tile: None,
            hardware_aware: Some(plain),
        }],
        ..TileRules::default()
    };
    rules.validate().unwrap();
    let mut aware = rules.to_analog(&network, RngKey::root(2)).unwrap();
    let back = to_digital(&aware, ReadBack::Ideal, RngKey::root(3)).unwrap();
    assert_eq!(weights(&back), weights(&network));
    let biases = |network: &Network<IdealTile>| -> Vec<_> {
        let bias = |layer: &aimc_nn::Layer<IdealTile>| match layer {
            aimc_nn::Layer::Linear(linear) => linear.any_bias(),
            _ => None,
        };
        network.layers.iter().map(bias).collect()
    };
    assert_eq!(biases(&back), biases(&network));
    // The first layer has a noisy matrix and an exact bias, the second no bias at all, the third no noise.
    aware.end_of_step(RngKey::root(5));
    let draws = SampleKeys::new(RngKey::root(1)).in_training();
    for (i, (_, tile)) in aware.tiles().enumerate() {
        let inputs = tile.shape().inputs;
        let mut y = DMatrix::zeros(tile.shape().outputs, inputs + 1);
        let x = DMatrix::from_fn(inputs, inputs + 1, |row, column| if row == column { 1.0 } else { 0.0 });
        tile.forward(x.as_view(), y.as_view_mut(), draws).unwrap();
        let bias = tile.bias().unwrap_or_else(|| vec![0.0; y.nrows()]);
        assert_eq!(y.column(inputs).as_slice(), bias, "layer {i}");
        let found = DMatrix::from_fn(y.nrows(), inputs, |row, column| y[(row, column)] - bias[row]);
        let error = (found - tile.weights()).amax();
        assert_eq!(error > 0.01, i < 2, "layer {i}: {error}");
        assert_eq!(tile.bias().is_some(), i == 0, "layer {i}");
    }
}

#[test]
fn a_matrix_has_one_holder() {
    let both = TileRules {
        tile: Some(tile("")),
        hardware_aware: Some(HardwareAwareTileConfig::ideal()),
        ..TileRules::default()
    };
    assert_eq!(both.validate().unwrap_err().field, "hardware_aware");
    for (text, field) in [
        ("digital = true\n[hardware_aware]", "digital"),
        ("[tile]\n[hardware_aware]", "hardware_aware"),
        ("", "digital"),
        ("hardware_aware.clip = { type = \"FixedValue\" }", "hardware_aware.clip.fixed_value"),
    ] {
        let other: TileOverride = config::from_toml(&format!("layer = \"*\"\n{text}")).unwrap();
        assert_eq!(other.validate().unwrap_err().field, field, "{text}");
    }
}
