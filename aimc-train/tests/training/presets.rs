//! Every preset of a training algorithm resolves to the numbers of AIHWKit 1.1.0.
//!
//! `data/presets.json` was made from the preset classes of an installed AIHWKit 1.1.0: all of their numbers and switches
//! that we have too, nested as in our records; seeds and switches without effect were left out.

use aimc_device::presets::{self, Preset};
use aimc_device::{RngKey, config};
use aimc_tile::Shape;
use aimc_train::TrainingTileConfig;
use serde_json::Value;

const KNOWN: &[&[Preset]] = &[aimc_train::presets::ALGORITHMS, aimc_tile::presets::TILES, presets::DEVICES];

fn tile(text: &str) -> TrainingTileConfig {
    config::decode(presets::resolve(config::parse_toml(text).unwrap(), KNOWN).unwrap()).unwrap()
}

/// Compares all that `expected` has; returns how many values that were.
fn compare(path: &str, expected: &Value, found: Option<&Value>) -> usize {
    match (expected, found) {
        (Value::Object(expected), Some(found)) => {
            expected.iter().map(|(key, value)| compare(&format!("{path}.{key}"), value, found.get(key))).sum()
        }
        (Value::Number(expected), Some(Value::Number(found))) => {
            let (expected, found) = (expected.as_f64().unwrap() as f32, found.as_f64().unwrap() as f32);
            assert_eq!(expected, found, "{path}");
            1
        }
        (expected, found) => {
            assert_eq!(Some(expected), found, "{path}");
            1
        }
    }
}

/// Every number of the 32 presets = that of AIHWKit 1.1.0.
#[test]
fn presets_hold_the_numbers_of_aihwkit() {
    let expected: Value = config::parse_json(include_str!("../data/presets.json")).unwrap();
    let expected = expected.as_object().unwrap();
    assert_eq!(expected.len(), 32);
    assert_eq!(aimc_train::presets::ALGORITHMS.len(), expected.len());
    for (name, expected) in expected {
        let tile = tile(&format!("preset = \"{name}\""));
        let found = serde_json::to_value(&tile).unwrap();
        assert!(compare(name, expected, Some(&found)) > 80, "{name}");
        tile.build(Shape { outputs: 2, inputs: 3 }, RngKey::root(1)).unwrap();
    }
}

#[test]
fn entries_beside_a_preset_override_it() {
    let tile = tile("preset = \"TTv2ReRamSBPreset\"\nforward.out_noise = 0.0\ndevice.w_max = 0.5");
    assert_eq!((tile.forward.out_noise, tile.forward.out_bound), (0.0, 20.0));
    let device = serde_json::to_value(&tile.device).unwrap();
    assert_eq!(
        (device["w_max"].as_f64(), device["subtract_symmetry_point"].as_bool()),
        (Some(0.5), Some(true))
    );
}
