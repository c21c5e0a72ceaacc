//! Every preset against AIHWKit 1.1.0, all fields included.
//!
//! `data/aihwkit_presets.json` was made from a dump of AIHWKit's preset classes: enums carry our names, fields that say
//! nothing here (`d_sparsity`, and the `construction_seed` of a cell) are left out, and what equals another preset in every
//! field (the devices, the circuits and the pulse trains of a tile) is replaced by its name. Devices are compared field by
//! field in `aimc-device`.

use aimc_device::{config, presets};
use aimc_tile::presets::{HARDWARE_AWARE, TILES};
use aimc_tile::{HardwareAwareTileConfig, IoConfig, TileConfig, UnitCell, UpdateConfig};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

const THEIRS: &str = include_str!("../data/aihwkit_presets.json");

fn decode<T: DeserializeOwned>(tree: Value) -> T {
    config::decode(presets::resolve(tree, &[presets::DEVICES, TILES, HARDWARE_AWARE]).unwrap()).unwrap()
}

/// Compares all presets of one kind; `ours` are the fields that only we have, which must be at their default.
fn compare<T>(kind: &str, ours: &[&str], default: Option<T>, validate: impl Fn(&T)) -> Vec<String>
where
    T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug,
{
    let theirs = config::parse_json(THEIRS).unwrap();
    let theirs = theirs[kind].as_object().unwrap();
    for (name, expected) in theirs {
        let found: T = decode(config::parse_toml(&format!("preset = \"{name}\"")).unwrap());
        validate(&found);
        assert_eq!(found, decode(expected.clone()), "{name}");
        // Nothing that we have is left out of the comparison unnoticed.
        let default = default.as_ref().map(|default| serde_json::to_value(default).unwrap());
        for (field, value) in serde_json::to_value(&found).unwrap().as_object().unwrap() {
            if expected.get(field).is_none() {
                assert!(ours.contains(&field.as_str()), "{name}: AIHWKit's {field} is unknown");
                assert!(default.as_ref().is_none_or(|default| &default[field] == value), "{name}.{field}");
            }
        }
    }
    theirs.keys().cloned().collect()
}

/// Circuits, pulse trains, cells and tiles hold AIHWKit's numbers, and the file knows every preset.
#[test]
fn presets_hold_aihwkits_numbers() {
    let only_ours = [
        "adc",
        "ir_drop_model",
        "split_mode_bit_shift",
        "nm_assumed_wmax",
        "nm_decay",
        "nm_max_zeroes_negative",
        "r_series_max_total",
        "bm_negative_overflow_cancels",
    ];
    let mut known =
        compare("io", &only_ours, Some(IoConfig::default()), |io: &IoConfig| io.validate().unwrap());
    let only_ours = ["pulse_source", "literal_res"];
    let default = Some(UpdateConfig::default());
    known.extend(compare("update", &only_ours, default, |u: &UpdateConfig| u.validate().unwrap()));
    known.extend(compare("cell", &["refresh_loses_sign"], None, |c: &UnitCell| c.validate().unwrap()));
    known.extend(compare("tile", &[], None, |t: &TileConfig| t.validate().unwrap()));
    known.extend(compare("hardware_aware", &[], None, |t: &HardwareAwareTileConfig| t.validate().unwrap()));
    known.sort();
    let mut names: Vec<_> = TILES.iter().chain(HARDWARE_AWARE).map(|preset| preset.name.to_owned()).collect();
    names.sort();
    assert_eq!(names, known);
}

/// Every file names a source.
#[test]
fn presets_cite_their_source() {
    for preset in TILES.iter().chain(HARDWARE_AWARE) {
        let comments = preset.text.lines().filter(|line| line.starts_with('#')).collect::<String>();
        assert!(comments.contains("doi:") || comments.contains("arXiv:"), "{}", preset.name);
    }
}
