//! The configuration gate: every refused value is named by its full path.

use super::{REGISTERED, defaults, device};
use aimc_device::error::ConfigError;
use aimc_device::pulsed::PulsedDeviceConfig;
use aimc_device::{config, presets};
use serde_json::{Value, json};

/// Out-of-range values by field; 1e39 does not fit `f32`.
const OUT_OF_RANGE: &[(&str, &[&str])] = &[
    ("dw_min", &["0", "-0.1", "1e39"]),
    ("dw_min_dtod", &["-0.1", "1e39"]),
    ("dw_min_std", &["-0.1", "1e39"]),
    ("up_down", &["-1.5", "1.5", "1e39"]),
    ("up_down_dtod", &["-0.1", "1e39"]),
    ("w_max", &["-0.1", "1e39"]),
    ("w_min", &["0.1", "-1e39"]),
    ("w_max_dtod", &["-0.1", "1e39"]),
    ("w_min_dtod", &["-0.1", "1e39"]),
    ("corrupt_devices_prob", &["-0.1", "1.1", "1e39"]),
    ("corrupt_devices_range", &["-0.1", "1e39"]),
    ("diffusion", &["-0.1", "1e39"]),
    ("diffusion_dtod", &["-0.1", "1e39"]),
    ("lifetime", &["-0.1", "1e39"]),
    ("lifetime_dtod", &["-0.1", "1e39"]),
    ("reset", &["1e39", "-1e39"]),
    ("reset_dtod", &["-0.1", "1e39"]),
    ("reset_std", &["-0.1", "1e39"]),
    ("drift.nu", &["-0.1", "1e39"]),
    ("drift.t_0", &["0", "-1", "1e39"]),
    ("drift.reset_tol", &["-0.1", "1e39"]),
    ("drift.nu_dtod", &["-0.1", "1e39"]),
    ("drift.nu_std", &["-0.1", "1e39"]),
    ("drift.wg_ratio", &["0", "1e39"]),
    ("drift.g_offset", &["1e39"]),
    ("drift.w_offset", &["1e39"]),
    ("drift.nu_k", &["1e39"]),
    ("drift.log_g0", &["1e39"]),
    ("drift.w_noise_std", &["-0.1", "1e39"]),
    ("write_noise_std", &["-0.1", "1e39"]),
    ("reverse_offset", &["-0.1", "1e39"]),
    ("p_max", &["0", "-1", "1e39"]),
    ("alpha", &["0", "-1", "1e39"]),
    ("range_min", &["0.1", "-1e39"]),
    ("range_max", &["-0.1", "1e39"]),
    ("slope_up_dtod", &["-0.1", "1e39"]),
    ("slope_down_dtod", &["-0.1", "1e39"]),
    ("reference_mean", &["1e39", "-1e39"]),
    ("reference_std", &["-0.1", "1e39"]),
    ("gamma_up", &["1e39", "-1e39"]),
    ("gamma_down", &["1e39", "-1e39"]),
    ("gamma_up_dtod", &["-0.1", "1e39"]),
    ("gamma_down_dtod", &["-0.1", "1e39"]),
    ("A_up", &["1e39", "-1e39"]),
    ("A_down", &["1e39", "-1e39"]),
    ("a", &["1e39", "-1e39"]),
    ("b", &["1e39", "-1e39"]),
    ("dw_min_std_add", &["-0.1", "1e39"]),
    ("dw_min_std_slope", &["-0.1", "1e39"]),
    ("pow_gamma", &["-0.1", "200", "1e39"]),
    ("pow_gamma_dtod", &["-0.1", "1e39"]),
    ("pow_up_down", &["-1.5", "1.5", "1e39"]),
    ("pow_up_down_dtod", &["-0.1", "1e39"]),
    ("hs_up_down", &["-1.5", "1.5", "1e39"]),
    ("hs_up_down_dtod", &["-0.1", "1e39"]),
    ("hs_dw_min_dtod", &["-0.1", "1e39"]),
    ("hs_dw_min_std", &["-0.1", "1e39"]),
];

fn read(text: &str) -> Result<PulsedDeviceConfig, ConfigError> {
    let device = config::from_toml::<PulsedDeviceConfig>(text)?;
    device.validate()?;
    Ok(device)
}

fn refusal(text: &str) -> ConfigError {
    read(text).expect_err(text)
}

/// Paths of all fractional numbers of a record.
fn number_paths(fields: &serde_json::Map<String, Value>) -> Vec<String> {
    let paths = fields.iter().flat_map(|(name, value)| match value {
        Value::Object(inner) => number_paths(inner).iter().map(|path| format!("{name}.{path}")).collect(),
        Value::Number(number) if number.is_f64() => vec![name.clone()],
        _ => vec![],
    });
    paths.collect()
}

/// Every value of the table is refused under its path, for every model that has the field, and building an
/// array of such a record is refused alike.
#[test]
fn out_of_range_values_are_refused_by_path() {
    for model in REGISTERED {
        let known = number_paths(&defaults(model));
        for (field, values) in OUT_OF_RANGE.iter().filter(|(field, _)| known.iter().any(|path| path == field))
        {
            for value in *values {
                let text = format!("model = \"{model}\"\n{field} = {value}");
                assert_eq!(refusal(&text).field, *field, "{text}");
                let record: PulsedDeviceConfig = config::from_toml(&text).unwrap();
                assert_eq!(record.build(1, 1, aimc_device::RngKey::root(0)).unwrap_err().field, *field);
            }
        }
    }
}

/// The table above covers every number of every model: a new field cannot be forgotten.
#[test]
fn the_table_covers_every_number() {
    for model in REGISTERED {
        for path in number_paths(&defaults(model)) {
            assert!(
                OUT_OF_RANGE.iter().any(|(field, _)| *field == path),
                "{model}.{path} is not in the table"
            );
        }
    }
}

/// NaN and infinities are refused where they stand, nested tables included.
#[test]
fn numbers_that_are_not_finite_are_refused_by_path() {
    for value in ["nan", "-nan", "inf", "-inf"] {
        for model in REGISTERED {
            for path in number_paths(&defaults(model)) {
                assert_eq!(refusal(&format!("model = \"{model}\"\n{path} = {value}")).field, path);
            }
        }
    }
    assert!(
        config::from_json::<PulsedDeviceConfig>("{\"model\": \"ConstantStep\", \"dw_min\": NaN}").is_err()
    );
}

/// A value of the wrong type is refused under its path, for every field of every model.
#[test]
fn wrong_types_are_refused_by_path() {
    for model in REGISTERED {
        for (field, default) in defaults(model) {
            let wrong = if default.is_boolean() { json!(3) } else { json!("text") };
            let tree = json!({ "model": model, (field.clone()): wrong });
            assert_eq!(config::decode::<PulsedDeviceConfig>(tree).unwrap_err().field, field, "{model}");
        }
        assert_eq!(
            refusal(&format!("model = \"{model}\"\nconstruction_seed = -1")).field,
            "construction_seed"
        );
        assert_eq!(refusal(&format!("model = \"{model}\"\ndrift.nu = true")).field, "drift.nu");
        assert_eq!(refusal(&format!("model = \"{model}\"\ndw_min = 1979-05-27")).field, "dw_min");
    }
}

/// A misspelt field is refused by name, at any depth, and the message lists the known ones.
#[test]
fn unknown_fields_are_refused_by_path() {
    for model in REGISTERED {
        for (field, known) in [("dw_min_dtd", "`dw_min_dtod`"), ("drift.nuu", "`nu_std`")] {
            let error = refusal(&format!("model = \"{model}\"\n{field} = 1.0"));
            assert_eq!(error.field, field);
            assert!(error.requirement.contains(known), "{error}");
        }
    }
    for model in REGISTERED.iter().filter(|model| !defaults(model).contains_key("write_noise_std")) {
        assert_eq!(refusal(&format!("model = \"{model}\"\nwrite_noise_std = 1.0")).field, "write_noise_std");
    }
}

/// Without a model, or with one that is unknown or no text, the error is about `model` and lists all models.
#[test]
fn a_model_is_required() {
    for text in ["w_max = 0.5", "model = \"Constantstep\"", "model = 3"] {
        let error = refusal(text);
        assert_eq!(error.field, "model", "{text}");
        assert!(REGISTERED.iter().all(|model| error.requirement.contains(model)), "{error}");
    }
    assert_eq!(refusal("model = ").field, "", "broken syntax concerns the whole document");
}

/// A record written as JSON or TOML reads back as the same record, from the text and through a tree.
#[test]
fn records_round_trip_through_text() {
    for model in REGISTERED {
        let record = device(
            model,
            "dw_min_std = 0.0123456789\nreset = -0.3333333\nconstruction_seed = 9007199254740993",
        );
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(config::from_json::<PulsedDeviceConfig>(&text).unwrap(), record);
        let text = toml::to_string(&record).unwrap();
        assert_eq!(config::from_toml::<PulsedDeviceConfig>(&text).unwrap(), record);
        assert_eq!(
            config::decode::<PulsedDeviceConfig>(serde_json::to_value(&record).unwrap()).unwrap(),
            record
        );
    }
}

/// A preset stands for its entries; entries beside it win; its errors keep their path.
#[test]
fn presets_are_entries_with_a_name() {
    let resolve = |text: &str| presets::resolve(config::parse_toml(text).unwrap(), &[presets::DEVICES]);
    for preset in presets::DEVICES {
        let plain: PulsedDeviceConfig = config::from_toml(preset.text).unwrap();
        let named = resolve(&format!("preset = \"{}\"", preset.name)).unwrap();
        assert_eq!(config::decode::<PulsedDeviceConfig>(named).unwrap(), plain);
        let changed =
            resolve(&format!("preset = \"{}\"\ndrift.nu = 0.25\ndw_min = 0.5", preset.name)).unwrap();
        let changed: PulsedDeviceConfig = config::decode(changed).unwrap();
        assert_eq!((changed.common().dw_min, changed.common().drift.nu), (0.5, 0.25));
        assert_eq!(changed.common().w_max, plain.common().w_max);
    }
    assert_eq!(resolve("layers = [{ preset = \"None such\" }]").unwrap_err().field, "layers[0].preset");
}

/// Choices, tables and whole numbers are refused by path, too.
#[test]
fn other_values_are_refused_by_path() {
    for (text, field) in [
        ("model = \"ExpStep\"\ngranularity = \"UpStep\"", "granularity"),
        ("model = \"SoftBoundsPmax\"\nmapping = \"None\"", "mapping"),
        ("model = \"SoftBoundsPmax\"\nw_max = 1.0", "w_max"),
        ("model = \"SoftBoundsReference\"\nreference_rule = 1", "reference_rule"),
        ("model = \"PowStepReference\"\nn_estimation_steps = 0.5", "n_estimation_steps"),
        ("model = \"PiecewiseStep\"\npiecewise_up = [1, \"x\"]", "piecewise_up[1]"),
        ("model = \"PiecewiseStep\"\npiecewise_up = [1, nan]", "piecewise_up[1]"),
        ("model = \"PiecewiseStep\"\npiecewise_up = [1, 1]", "piecewise_down"),
        ("model = \"TableStep\"\nstep_up = []", "step_up"),
        ("model = \"TableStep\"\nstep_up = [0]", "step_up[0]"),
        ("model = \"TableStep\"\nstd_down = [1, 1]", "std_down"),
        ("model = \"TableStep\"\nstd_up = [-1]", "std_up[0]"),
        ("model = \"HiddenStep\"\nhs_hidden_states = 0", "hs_hidden_states"),
        ("model = \"HiddenStep\"\nhs_hidden_states = -1", "hs_hidden_states"),
        ("model = \"LinearStep\"\nreverse_up = true\nmult_noise = false", "mult_noise"),
        ("model = \"SoftBoundsPmax\"\nreverse_down = true\nmult_noise = false", "mult_noise"),
    ] {
        assert_eq!(refusal(text).field, field, "{text}");
    }
}
