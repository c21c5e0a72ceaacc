//! Which tile holds which matrix of the network.
//!
//! Matrices have names such as `layer0.tile` or `layer2.query.tile`, as the report lists them. An override names those it
//! is meant for by a pattern, in which `*` stands for any characters; the last override that fits counts. A pattern that
//! fits no matrix is refused: it is a mistake.

use aimc_device::error::require;
use aimc_device::rng::label;
use aimc_device::{ConfigError, RngKey};
use aimc_nn::{Network, NetworkConfig};
use aimc_tile::{IdealTile, TrainableTile};
use aimc_train::TrainingTileConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::config::TrainingConfig;

/// A network whose matrices may lie on any tiles.
pub(crate) type AnyNetwork = Network<Box<dyn TrainableTile>>;

/// Another tile for some matrices: digital, or the whole record of a tile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Override {
    /// Pattern of their names; `*` stands for any characters.
    pub(crate) layer: String,
    /// Keep them in digital memory.
    #[serde(default)]
    pub(crate) digital: bool,
    /// Their tile, which has nothing of `[tile]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tile: Option<TrainingTileConfig>,
}

impl Override {
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        match &self.tile {
            Some(tile) => {
                require::that(!self.digital, "digital", true, "must be left out beside a tile")?;
                tile.validate().map_err(|error| error.within("tile"))
            }
            None => {
                require::that(self.digital, "digital", self.digital, "must be true where there is no tile")
            }
        }
    }
}

/// Whether `name` fits `pattern`, in which `*` stands for any characters, also none.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        // The earliest place leaves most for the parts that follow.
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

impl TrainingConfig {
    /// The tile of the matrix `name`, and where it stands in the configuration; `None` for digital memory.
    pub(crate) fn tile_of(&self, name: &str) -> Option<(String, &TrainingTileConfig)> {
        let last = self.overrides.iter().enumerate().rfind(|(_, other)| fits(&other.layer, name));
        match last {
            Some((i, other)) => other.tile.as_ref().map(|tile| (format!("override[{i}].tile"), tile)),
            None => self.tile.as_ref().map(|tile| ("tile".to_owned(), tile)),
        }
    }

    /// The network with its first weights; refuses overrides that fit nothing.
    pub(crate) fn build(&self, network: &NetworkConfig) -> Result<AnyNetwork, ConfigError> {
        let key = RngKey::root(self.seed).fold_in(label("network"));
        let mut names = Vec::new();
        let built = network.build(key, |place| {
            names.push(place.name.to_owned());
            Ok(match self.tile_of(place.name) {
                Some((path, tile)) => tile.build_at(place).map_err(|error| error.within(path))?,
                None => Box::new(IdealTile::new(place.shape)?),
            })
        })?;
        for (i, Override { layer, .. }) in self.overrides.iter().enumerate() {
            let requirement = format!("fits none of the matrices {}", names.join(", "));
            let found = names.iter().any(|name| fits(layer, name));
            require::that(found, &format!("override[{i}].layer"), layer, &requirement)?;
        }
        Ok(built)
    }

    /// What the tile of the matrix `name` is, in a few words.
    pub(crate) fn describe_tile(&self, name: &str) -> String {
        let model = |record: Option<Value>| {
            let name = record.and_then(|record| record.get("model")?.as_str().map(str::to_owned));
            name.unwrap_or_else(|| "several devices".to_owned())
        };
        match self.tile_of(name) {
            None => "digital".to_owned(),
            Some((_, tile)) => {
                let algorithm = model(serde_json::to_value(&tile.algorithm).ok());
                format!("{algorithm} on {}", model(serde_json::to_value(&tile.device).ok()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_names() {
        for (pattern, yes, no) in [
            ("layer0.tile", "layer0.tile", "layer10.tile"),
            ("*", "layer0.tile", "\u{0}"),
            ("layer*.tile", "layer12.tile", "layer1.bias"),
            ("*.query.*", "layer3.query.tile", "layer3.key.tile"),
            ("layer*1*tile", "layer1.0.tile", "layer0.tile"),
            ("a*a", "aa", "a"),
            ("*ab*ab", "abab", "ab"),
            ("", "", "layer0.tile"),
        ] {
            assert!(fits(pattern, yes), "{pattern} {yes}");
            assert!(pattern == "*" || !fits(pattern, no), "{pattern} {no}");
        }
    }
}
