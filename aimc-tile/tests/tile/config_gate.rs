//! Refused records of tiles, circuits and updates: every field by its full path.

use aimc_device::error::ConfigError;
use aimc_device::{RngKey, config, presets};
use aimc_tile::{IoConfig, Shape, TileConfig, UpdateConfig};
use serde_json::{Value, json};

const IO: &[(&str, &[&str])] = &[
    ("inp_bound", &["2", "1e39"]),
    ("inp_noise", &["-0.1", "1e39"]),
    ("inp_res", &["1e39"]),
    ("inp_asymmetry", &["-1.1", "1.1"]),
    ("out_bound", &["1e39", "-1e39"]),
    ("out_noise", &["-0.1", "1e39"]),
    ("out_res", &["1e39"]),
    ("out_scale", &["1e39"]),
    ("out_asymmetry", &["-1.1", "1.1"]),
    ("nm_thres", &["-0.1", "1e39"]),
    ("w_noise", &["-0.1", "1e39"]),
    ("max_bm_res", &["-0.1", "1e39"]),
    ("out_noise_std", &["-0.1", "1e39"]),
    ("nm_assumed_wmax", &["-0.1", "1e39"]),
    ("nm_decay", &["-0.1", "1.1"]),
    ("w_read_asymmetry_dtod", &["-0.1", "1e39"]),
    ("ir_drop", &["-0.1", "1e39"]),
    ("ir_drop_g_ratio", &["0", "-1", "1e39"]),
    ("v_offset_std", &["-0.1", "1e39"]),
    ("v_offset_w_min", &["0.1", "-1e39"]),
    ("r_series", &["-0.1", "1e39"]),
    ("r_series_max_total", &["-0.1", "1e39"]),
    ("out_nonlinearity", &["-0.1", "1e39"]),
    ("out_nonlinearity_std", &["-0.1", "1e39"]),
    ("slope_calibration", &["-0.1", "1e39"]),
];
const UPDATE: &[(&str, &[&str])] = &[
    ("desired_bl", &["0", "100001"]),
    ("um_grad_scale", &["0", "-1", "1e39"]),
    ("res", &["1e39"]),
    ("x_res_implicit", &["1e39"]),
    ("d_res_implicit", &["1e39"]),
];

fn refusal(text: &str) -> ConfigError {
    let tile: TileConfig = match config::from_toml(text) {
        Ok(tile) => tile,
        Err(error) => return error,
    };
    let built = tile.build(Shape { outputs: 1, inputs: 1 }, RngKey::root(1));
    assert_eq!(built.as_ref().err(), tile.validate().as_ref().err(), "{text}");
    built.expect_err(text)
}

/// Every value of the tables is refused under its path in either direction.
#[test]
fn out_of_range_values_are_refused_by_path() {
    for (part, table) in [("forward", IO), ("backward", IO), ("update", UPDATE)] {
        for (field, values) in table {
            for value in *values {
                assert_eq!(
                    refusal(&format!("{part}.{field} = {value}")).field,
                    format!("{part}.{field}"),
                    "{value}"
                );
            }
        }
    }
    assert_eq!(refusal("device = { model = \"SoftBounds\", dw_min = 0 }").field, "device.dw_min");
    assert_eq!(refusal("device = { model = \"Ideal\", lifetime = 0.5 }").field, "device.lifetime");
    assert_eq!(refusal("device = { model = \"Ideal\", drift.nu = -1 }").field, "device.drift.nu");
}

/// The tables cover every fractional number of the records: a new field cannot be forgotten.
#[test]
fn the_tables_cover_every_number() {
    let records = [(json!(IoConfig::default()), IO), (json!(UpdateConfig::default()), UPDATE)];
    for (record, table) in records {
        for (field, value) in record.as_object().unwrap() {
            let covered = table.iter().any(|(known, _)| known == field);
            assert!(covered || !value.is_f64(), "{field} is not in the table");
        }
    }
}

/// Wrong types, unknown fields and unknown names of variants are refused by path.
#[test]
fn wrong_entries_are_refused_by_path() {
    let record = json!(TileConfig::default());
    for part in ["forward", "backward", "update"] {
        for (field, value) in record[part].as_object().unwrap() {
            let wrong = if value.is_boolean() || value.is_object() { json!(1.5) } else { json!([true]) };
            let error = config::decode::<TileConfig>(json!({ part: { field: wrong } })).unwrap_err();
            assert_eq!(error.field, format!("{part}.{field}"));
        }
        assert_eq!(refusal(&format!("{part}.no_such = 1")).field, format!("{part}.no_such"));
    }
    assert_eq!(refusal("forward.noise_management = \"Absmax\"").field, "forward.noise_management");
    assert_eq!(refusal("forward.w_noise_type = \"PcmRead\"").field, "forward.w_noise_type");
    let timed = "forward.w_noise_type = \"PCMReadDuration\"\nforward.inp_res = 0";
    assert_eq!(refusal(timed).field, "forward.w_noise_type");
    assert_eq!(refusal("update.pulse_type = \"Some\"").field, "update.pulse_type");
    assert_eq!(refusal("forward.out_noise = nan").field, "forward.out_noise");
    assert_eq!(refusal("no_such = 1").field, "no_such");
    assert_eq!(refusal("device = { w_max = 1 }").field, "device.model");
    assert_eq!(refusal("device = { model = \"Ideal\", w_max = 1 }").field, "device.w_max");
}

/// Records read back from what they are written as, presets included.
#[test]
fn records_round_trip_through_json() {
    let mut all = vec![TileConfig::default(), TileConfig::ideal()];
    for preset in aimc_tile::presets::TILES.iter().filter(|preset| preset.name.ends_with("Preset")) {
        let tree = json!({ "preset": preset.name });
        let tree = presets::resolve(tree, &[presets::DEVICES, aimc_tile::presets::TILES]).unwrap();
        all.push(config::decode(tree).unwrap());
    }
    assert!(all.len() > 2);
    for tile in all {
        let text = serde_json::to_string(&tile).unwrap();
        assert_eq!(config::from_json::<TileConfig>(&text).unwrap(), tile);
    }
}

/// The exported schema names every field of every part.
#[test]
fn the_schema_holds_every_field() {
    let schema = schemars::schema_for!(TileConfig).to_value();
    let record = json!(TileConfig::default());
    for (part, definition) in [("forward", "IoConfig"), ("backward", "IoConfig"), ("update", "UpdateConfig")]
    {
        assert!(schema["properties"][part].is_object());
        let found: &Value = &schema["$defs"][definition]["properties"];
        for field in record[part].as_object().unwrap().keys() {
            assert!(found[field]["description"].is_string(), "{part}.{field}");
        }
    }
    let text = schema.to_string();
    for model in ["Ideal", "ConstantStep", "SoftBounds"] {
        assert!(text.contains(&format!("\"const\":\"{model}\"")), "{model} in {text}");
    }
}
