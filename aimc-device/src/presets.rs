//! Presets: calibrated parameter sets from the literature, as data with their citation.
//!
//! In a configuration, `preset = "NAME"` in a table stands for the entries of that preset; entries beside it
//! override them. The text of a preset is in `presets/`, one file each.
//!
//! ```
//! use aimc_device::{config, presets, pulsed::PulsedDeviceConfig};
//! let tree = config::parse_toml("preset = \"GokmenVlasov\"\nw_max = 0.9").unwrap();
//! let tree = presets::resolve(tree, &[presets::DEVICES]).unwrap();
//! let device: PulsedDeviceConfig = config::decode(tree).unwrap();
//! assert_eq!((device.common().dw_min, device.common().w_max), (0.0016, 0.9));
//! ```

use serde_json::{Map, Value};

use crate::config;
use crate::error::ConfigError;

/// A named set of parameters.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Its name in configurations.
    pub name: &'static str,
    /// Its entries in TOML, with the citation as a comment.
    pub text: &'static str,
}

/// The pulsed devices.
pub const DEVICES: &[Preset] = &[
    Preset { name: "Capacitor", text: include_str!("../presets/li_2018_capacitor.toml") },
    Preset { name: "EcRam", text: include_str!("../presets/tang_2018_ecram.toml") },
    Preset { name: "EcRamMO", text: include_str!("../presets/kim_2019_ecram_mo.toml") },
    Preset { name: "GokmenVlasov", text: include_str!("../presets/gokmen_vlasov_2016.toml") },
    Preset { name: "Idealized", text: include_str!("../presets/idealized.toml") },
    Preset { name: "PCM", text: include_str!("../presets/nandakumar_2020_pcm.toml") },
    Preset { name: "ReRamArrayHfO2", text: include_str!("../presets/gong_2022_reram_hfo2.toml") },
    Preset { name: "ReRamArrayOM", text: include_str!("../presets/gong_2022_reram_om.toml") },
    Preset { name: "ReRamES", text: include_str!("../presets/gong_2018_reram_es.toml") },
    Preset { name: "ReRamSB", text: include_str!("../presets/gong_2018_reram_sb.toml") },
];

/// Replaces every `preset` entry of the tree by what it stands for, looking names up in `registries`.
pub fn resolve(tree: Value, registries: &[&[Preset]]) -> Result<Value, ConfigError> {
    match tree {
        Value::Object(table) => resolve_table(table, registries),
        Value::Array(items) => {
            let items = items.into_iter().enumerate();
            items
                .map(|(i, item)| resolve(item, registries).map_err(|error| error.within(format!("[{i}]"))))
                .collect::<Result<_, _>>()
                .map(Value::Array)
        }
        other => Ok(other),
    }
}

fn resolve_table(mut table: Map<String, Value>, registries: &[&[Preset]]) -> Result<Value, ConfigError> {
    let preset = table.shift_remove("preset");
    let mut own = Map::new();
    for (key, value) in table {
        let value = resolve(value, registries).map_err(|error| error.within(&key))?;
        own.insert(key, value);
    }
    let Some(preset) = preset else { return Ok(Value::Object(own)) };
    let all = || registries.iter().flat_map(|registry| registry.iter());
    let found = preset.as_str().and_then(|name| all().find(|candidate| candidate.name == name));
    let Some(found) = found else {
        let known = all().map(|preset| preset.name).collect::<Vec<_>>().join(", ");
        return Err(ConfigError::new("preset", preset, format!("is unknown; known are {known}")));
    };
    let mut base = resolve(config::parse_toml(found.text)?, registries)?;
    if let (Some(ours), Some(theirs)) = (own.get("model"), base.get("model"))
        && ours != theirs
    {
        return Err(ConfigError::new(
            "model",
            ours,
            format!("must be {theirs}, the model of preset {preset}"),
        ));
    }
    config::merge(&mut base, Value::Object(own));
    Ok(base)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pulsed::PulsedDeviceConfig;

    #[test]
    fn every_preset_is_a_valid_device() {
        for preset in DEVICES {
            let device: PulsedDeviceConfig = config::from_toml(preset.text).unwrap();
            device.validate().unwrap();
        }
    }

    #[test]
    fn unknown_names_and_contradictions_are_refused() {
        let refuse = |text| resolve(config::parse_toml(text).unwrap(), &[DEVICES]).unwrap_err();
        assert_eq!(refuse("a.preset = \"Unobtainium\"").field, "a.preset");
        assert_eq!(refuse("preset = 3").field, "preset");
        assert_eq!(refuse("preset = \"Idealized\"\nmodel = \"SoftBounds\"").field, "model");
    }
}
