//! Which devices the command line names: presets and configuration files.

use std::path::Path;

use aimc_device::presets::{self, DEVICES};
use aimc_device::pulsed::PulsedDeviceConfig;
use aimc_device::{ConfigError, config};
use serde_json::Value;

use super::DeviceError;
use crate::config_file;

/// Longest part of a file name that a device may claim.
const LONGEST_STEM: usize = 64;

/// A device as the user named it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Source {
    /// Name of a preset or path of a file, as given.
    pub(crate) name: String,
    /// Beginning of the names of its files; no two sources of one run share it.
    pub(crate) stem: String,
    /// Where a preset is from; empty for a file.
    pub(crate) citation: String,
    /// The device, validated.
    pub(crate) device: PulsedDeviceConfig,
}

/// The devices of these names, in this order.
pub(crate) fn load(names: &[String]) -> Result<Vec<Source>, DeviceError> {
    let mut sources: Vec<Source> = Vec::with_capacity(names.len());
    for name in names {
        let (device, citation) = device(name)?;
        let stem = free_stem(&sanitised(name), &sources);
        sources.push(Source { name: name.clone(), stem, citation, device });
    }
    Ok(sources)
}

fn device(name: &str) -> Result<(PulsedDeviceConfig, String), DeviceError> {
    if let Some(preset) = DEVICES.iter().find(|preset| preset.name == name) {
        let comments = preset.text.lines().filter_map(|line| line.strip_prefix('#'));
        let citation = comments.map(str::trim).collect::<Vec<_>>().join(" ");
        return Ok((decode(config::parse_toml(preset.text)?)?, citation));
    }
    let path = Path::new(name);
    let is_file = path.extension().is_some_and(|extension| extension == "toml" || extension == "json");
    if !is_file {
        let known: Vec<&str> = DEVICES.iter().map(|preset| preset.name).collect();
        let requirement =
            format!("is unknown; known are {}; or name a .toml or .json file", known.join(", "));
        return Err(ConfigError::new("NAME", name, requirement).into());
    }
    Ok((config_file::read(path, decode)?, String::new()))
}

fn decode(tree: Value) -> Result<PulsedDeviceConfig, ConfigError> {
    let device: PulsedDeviceConfig = config::decode(presets::resolve(tree, &[DEVICES])?)?;
    device.validate()?;
    Ok(device)
}

/// What of a name is safe in the name of a file on any system.
fn sanitised(name: &str) -> String {
    let stem = Path::new(name).file_stem().map_or(String::new(), |stem| stem.to_string_lossy().into_owned());
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let stem: String = stem.chars().map(safe).take(LONGEST_STEM).collect();
    if stem.is_empty() { "device".to_owned() } else { stem }
}

/// The stem, or the stem with the first number that makes it new, even where case does not count.
fn free_stem(stem: &str, taken: &[Source]) -> String {
    let is_free = |stem: &str| !taken.iter().any(|source| source.stem.eq_ignore_ascii_case(stem));
    let numbered = (2..).map(|number| format!("{stem}_{number}"));
    std::iter::once(stem.to_owned()).chain(numbered).find(|stem| is_free(stem)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn refuse(name: &str) -> String {
        let message = load(&names(&[name])).unwrap_err().to_string();
        assert_eq!(message.lines().count(), 1, "{message}");
        message
    }

    #[test]
    fn every_preset_is_known_and_cites_its_source() {
        for preset in DEVICES {
            let source = load(&names(&[preset.name])).unwrap().remove(0);
            assert!(source.citation.len() > 40 && !source.citation.contains('#'), "{}", source.citation);
            assert_eq!(source.stem, preset.name);
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let message = refuse("Unobtainium");
        assert!(message.starts_with("NAME = Unobtainium: is unknown; known are Capacitor, "), "{message}");
        assert!(DEVICES.iter().all(|preset| message.contains(preset.name)), "{message}");
    }

    #[test]
    fn a_file_gives_a_model_or_overrides_a_preset() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("my device.toml"), "preset = \"EcRam\"\ndw_min = 0.004").unwrap();
        std::fs::write(path("b.json"), "{\"model\": \"SoftBounds\", \"w_max\": 0.8}").unwrap();
        let sources = load(&[path("my device.toml"), path("b.json")]).unwrap();
        assert_eq!((sources[0].device.common().dw_min, sources[0].device.common().w_max), (0.004, 1.1724));
        assert_eq!(sources[1].device.common().w_max, 0.8);
        assert_eq!((sources[0].stem.as_str(), sources[1].stem.as_str()), ("my_device", "b"));
    }

    /// Every mistake is one line with the path of the file and of the field.
    #[test]
    fn mistakes_in_a_file_are_named() {
        let folder = tempfile::tempdir().unwrap();
        for (file, text, expected) in [
            ("a.toml", "model = \"SoftBounds\"\ndw_mim = 1.0", "dw_mim: is no known field"),
            ("b.toml", "preset = \"EcRam\"\ndw_min = -1.0", "dw_min = -1.0: must be a finite number above 0"),
            ("c.json", "{\"model\": \"Flux\"}", "model = \"Flux\": must be one of"),
            ("d.toml", "preset = \"Flux\"", "preset = \"Flux\": is unknown; known are"),
            ("e.json", "[1, 2]", "invalid type"),
            ("f.json", "{", "is no valid JSON"),
            ("g.toml", "w_max = 1.0", "model: is missing"),
            ("h.toml", "model = \"ConstantStep\"\ndrift.nu = -1.0", "drift.nu = -1.0"),
        ] {
            let path = folder.path().join(file);
            std::fs::write(&path, text).unwrap();
            let message = refuse(path.to_str().unwrap());
            assert!(message.starts_with(path.to_str().unwrap()) && message.contains(expected), "{message}");
        }
        assert!(refuse("no such folder/x.toml").contains("no such folder/x.toml: cannot be read"));
        assert!(refuse("x.yaml").contains("or name a .toml or .json file"));
    }

    #[test]
    fn file_names_are_safe_and_differ() {
        for (name, expected) in
            [("../Ä b/€ 1.toml", "__1"), ("..", "device"), ("", "device"), ("a.b.toml", "a_b")]
        {
            assert_eq!(sanitised(name), expected);
        }
        assert_eq!(sanitised(&"x".repeat(300)).len(), LONGEST_STEM);
        let stems: Vec<String> = load(&names(&["EcRam", "EcRam", "EcRam"]))
            .unwrap()
            .into_iter()
            .map(|source| source.stem)
            .collect();
        assert_eq!(stems, ["EcRam", "EcRam_2", "EcRam_3"]);
        let upper = free_stem("ECRAM", &load(&names(&["EcRam"])).unwrap());
        assert_eq!(upper, "ECRAM_2");
    }
}
