//! Configuration files: text on the disk becomes a tree, and every mistake names the file.

use std::path::{Path, PathBuf};

use aimc_device::{ConfigError, config, presets};
use serde_json::Value;

/// Where preset names of a configuration are looked up.
pub(crate) const PRESETS: &[&[presets::Preset]] = &[
    aimc_train::presets::ALGORITHMS,
    aimc_tile::presets::TILES,
    aimc_tile::presets::HARDWARE_AWARE,
    presets::DEVICES,
    aimc_infer::cost::TECHNOLOGIES,
];

/// A configuration file that was refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigFileError {
    /// The operating system does not hand it out.
    #[error("{}: cannot be read: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// Its content is no such configuration.
    #[error("{}: {source}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ConfigError,
    },
}

/// Reads a `.toml` or `.json` file and hands its tree to `decode`, whose errors get the name of the file.
pub(crate) fn read<T>(
    path: &Path,
    decode: impl FnOnce(Value) -> Result<T, ConfigError>,
) -> Result<T, ConfigFileError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigFileError::Unreadable { path: path.to_owned(), error })?;
    parse(path, &text)
        .and_then(decode)
        .map_err(|source| ConfigFileError::Refused { path: path.to_owned(), source })
}

fn parse(path: &Path, text: &str) -> Result<Value, ConfigError> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => config::parse_json(text),
        Some("toml") => config::parse_toml(text),
        _ => Err(ConfigError::new("", "", "must be a .toml or .json file")),
    }
}
