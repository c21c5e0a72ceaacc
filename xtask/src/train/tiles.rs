//! Which tile holds which matrix of the network.
//!
//! Matrices have names such as `layer0.tile` or `layer2.query.tile`, as the report lists them. An override names those it
//! is meant for by a pattern, in which `*` stands for any characters; the last override that fits counts. A pattern that
//! fits no matrix is refused: it is a mistake.

use aimc_device::rng::label;
use aimc_device::{ConfigError, RngKey};
use aimc_nn::{Network, NetworkConfig};
use aimc_tile::TrainableTile;
use aimc_train::convert::{Holder, TileRules};
use serde_json::Value;

use super::config::TrainingConfig;

/// A network whose matrices may lie on any tiles.
pub(crate) type AnyNetwork = Network<Box<dyn TrainableTile>>;

impl TrainingConfig {
    /// Which tile holds which matrix.
    pub(crate) fn rules(&self) -> TileRules {
        TileRules {
            tile: self.tile.clone(),
            hardware_aware: self.hardware_aware.clone(),
            overrides: self.overrides.clone(),
        }
    }

    /// The network with its first weights; refuses overrides that fit nothing.
    pub(crate) fn build(&self, network: &NetworkConfig) -> Result<AnyNetwork, ConfigError> {
        let key = RngKey::root(self.seed).fold_in(label("network"));
        let (rules, mut names) = (self.rules(), Vec::new());
        let built = network.build(key, |place| {
            names.push(place.name.to_owned());
            rules.build_at(place)
        })?;
        rules.check_names(&names)?;
        Ok(built)
    }
}

/// What the tile of the matrix `name` is, in a few words.
pub(crate) fn describe_tile(rules: &TileRules, name: &str) -> String {
    let model = |record: Option<Value>| {
        let name = record.and_then(|record| record.get("model")?.as_str().map(str::to_owned));
        name.unwrap_or_else(|| "several devices".to_owned())
    };
    match rules.holder_of(name).1 {
        Holder::Digital => "digital".to_owned(),
        Holder::Analog(tile) => {
            let algorithm = model(serde_json::to_value(&tile.algorithm).ok());
            format!("{algorithm} on {}", model(serde_json::to_value(&tile.device).ok()))
        }
        Holder::HardwareAware(tile) => format!("hardware-aware, modifier {:?}", tile.modifier.kind),
    }
}
