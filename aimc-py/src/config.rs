//! Configurations as text: presets put in, validated, and written out in full.

use aimc_device::presets::Preset;
use aimc_device::{ConfigError, config, presets};
use aimc_infer::{CalibrationConfig, EvaluationConfig, InferenceTileConfig};
use aimc_tile::presets::{HARDWARE_AWARE, TILES};
use aimc_tile::{HardwareAwareTileConfig, IoConfig, UnitCell, UpdateConfig};
use aimc_train::presets::ALGORITHMS;
use aimc_train::{BuildOptions, TrainingTileConfig};
use pyo3::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::errors::refused;

/// All records that Python can build, for one schema with one set of definitions.
#[derive(Debug, JsonSchema)]
#[allow(dead_code)]
struct Records {
    tile: TrainingTileConfig,
    hardware_aware: HardwareAwareTileConfig,
    inference: InferenceTileConfig,
    calibration: CalibrationConfig,
    evaluation: EvaluationConfig,
}

/// Presets that a record may name.
const KNOWN: [&[Preset]; 4] = [ALGORITHMS, TILES, HARDWARE_AWARE, presets::DEVICES];

/// Reads a record from JSON, putting presets in.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, ConfigError> {
    config::decode(presets::resolve(config::parse_json(text)?, &KNOWN)?)
}

/// A record in full, after its gate.
fn full<T: DeserializeOwned + Serialize>(
    tree: serde_json::Value,
    validate: impl Fn(&T) -> Result<(), ConfigError>,
) -> Result<String, ConfigError> {
    let record: T = config::decode(presets::resolve(tree, &KNOWN)?)?;
    validate(&record)?;
    serde_json::to_string(&record).map_err(|error| ConfigError::new("", "", error.to_string()))
}

fn resolve_kind(kind: &str, tree: serde_json::Value) -> Result<String, ConfigError> {
    match kind {
        "tile" => full(tree, TrainingTileConfig::validate),
        "hardware_aware" => full(tree, HardwareAwareTileConfig::validate),
        "inference" => full(tree, InferenceTileConfig::validate),
        "calibration" => full(tree, CalibrationConfig::validate),
        "evaluation" => full(tree, EvaluationConfig::validate),
        "io" => full(tree, IoConfig::validate),
        "update" => full(tree, UpdateConfig::validate),
        "cell" => full(tree, UnitCell::validate),
        other => Err(ConfigError::new(
            "kind",
            other,
            "must be one of tile, hardware_aware, inference, calibration, evaluation, io, update, cell",
        )),
    }
}

/// The record `kind` of `text` (JSON, or TOML with `toml`), with presets put in, validated, and every field written out as JSON.
#[pyfunction]
#[pyo3(signature = (kind, text, toml=false))]
pub(crate) fn resolve(kind: &str, text: &str, toml: bool) -> PyResult<String> {
    let tree = if toml { config::parse_toml(text) } else { config::parse_json(text) };
    resolve_kind(kind, tree.map_err(refused)?).map_err(refused)
}

/// The JSON schema of all records.
#[pyfunction]
pub(crate) fn schema() -> PyResult<String> {
    serde_json::to_string(&schemars::schema_for!(Records)).map_err(refused)
}

/// The presets as (group, name): groups `algorithm`, `tile`, `hardware_aware` and `device`.
#[pyfunction]
pub(crate) fn preset_names() -> Vec<(&'static str, &'static str)> {
    let groups = ["algorithm", "tile", "hardware_aware", "device"];
    groups
        .into_iter()
        .zip(KNOWN)
        .flat_map(|(group, known)| known.iter().map(move |p| (group, p.name)))
        .collect()
}

/// The record of a tile with exact products and updates.
#[pyfunction]
pub(crate) fn ideal_tile() -> PyResult<String> {
    serde_json::to_string(&TrainingTileConfig::ideal()).map_err(refused)
}

/// The tile of `device` that learns by `method`, see [`aimc_train::build_config`]; records as JSON.
#[pyfunction]
pub(crate) fn build_config(
    method: &str,
    device: &str,
    devices_per_weight: usize,
    io: &str,
    update: &str,
) -> PyResult<String> {
    let build = || {
        let at = |field: &'static str| move |error: ConfigError| error.within(field);
        let options = BuildOptions {
            devices_per_weight,
            io: read(io).map_err(at("io"))?,
            update: read(update).map_err(at("update"))?,
        };
        let device = read(device).map_err(at("device"))?;
        let tile = aimc_train::build_config(method.parse()?, device, &options)?;
        serde_json::to_string(&tile).map_err(|error| ConfigError::new("", "", error.to_string()))
    };
    build().map_err(refused)
}
