//! Every preset against the numbers of AIHWKit 1.1.0, all fields included.

use super::device;
use aimc_device::pulsed::PulsedDeviceConfig;
use aimc_device::{config, presets};
use aimc_testkit::assert_close;
use serde_json::Value;

/// Field by field: what the preset holds is what AIHWKit holds; fields that AIHWKit lacks have their default.
#[test]
fn presets_hold_aihwkits_numbers() {
    let theirs = config::parse_json(include_str!("../data/aihwkit_presets.json")).unwrap();
    let theirs = theirs.as_object().unwrap();
    assert_eq!(
        presets::DEVICES.iter().map(|p| p.name).collect::<Vec<_>>(),
        theirs.keys().collect::<Vec<_>>()
    );
    for preset in presets::DEVICES {
        let ours: PulsedDeviceConfig = config::from_toml(preset.text).unwrap();
        let mut expected = theirs[preset.name].clone();
        if expected["model"] == "ExpStep" {
            // AIHWKit has no other.
            expected["granularity"] = "DownStep".into();
        }
        let expected: PulsedDeviceConfig = config::decode(expected).unwrap();
        assert_eq!(ours, expected, "{}", preset.name);
        let missing =
            serde_json::to_value(device(theirs[preset.name]["model"].as_str().unwrap(), "")).unwrap();
        let missing = missing.as_object().unwrap().keys().filter(|k| theirs[preset.name].get(k).is_none());
        assert!(missing.into_iter().all(|k| ["granularity", "reference_rule"].contains(&k.as_str())));
    }
}

/// Every file names a source.
#[test]
fn presets_cite_their_source() {
    for preset in presets::DEVICES {
        let comments = preset.text.lines().filter(|line| line.starts_with('#')).collect::<String>();
        assert!(comments.contains("doi:") || comments.contains("arXiv:"), "{}", preset.name);
        let entries: Value = config::parse_toml(preset.text).unwrap();
        assert!(entries["model"].is_string());
    }
}

/// Numbers of states (w_max - w_min)/G to four digits, as AIHWKit has them.
#[test]
fn presets_have_the_known_number_of_states() {
    for (name, states) in [
        ("ReRamSB", 1000.0),
        ("ReRamArrayOM", 21.07),
        ("ReRamArrayHfO2", 4.327),
        ("Capacitor", 400.0),
        ("EcRam", 1000.0),
        ("EcRamMO", 7089.0),
        ("Idealized", 10_000.0),
        ("GokmenVlasov", 1250.0),
        // 2/0.001991 and 2/0.03235: the down steps at w = 0.
        ("ReRamES", 1004.4),
        ("PCM", 61.82),
    ] {
        let preset = presets::DEVICES.iter().find(|preset| preset.name == name).unwrap();
        let device: PulsedDeviceConfig = config::from_toml(preset.text).unwrap();
        let found = device.common().n_states(device.granularity());
        assert_close!(found / states, 1.0, 5e-4, "{name}");
    }
}
