//! Which rule makes an input range of inputs.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use aimc_device::config;
use aimc_device::error::{ConfigError, require};

use super::Observer;
use super::cached_quantile::CachedQuantile;
use super::max::Largest;
use super::moving_quantile::MovingQuantile;
use super::moving_std::MovingStd;
use super::reservoir::Reservoir;

/// How the input range of a tile follows from its inputs, chosen by the field `rule`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "rule")]
pub enum InputRule {
    /// Not at all: ranges stay as they are.
    Keep,
    /// The largest |x|.
    Max,
    /// Mean quantile of windows.
    MovingQuantile(MovingQuantile),
    /// Mean spread of windows.
    MovingStd(MovingStd),
    /// Quantile of cached vectors.
    CachedQuantile(CachedQuantile),
}

impl Default for InputRule {
    fn default() -> Self {
        Self::CachedQuantile(CachedQuantile::default())
    }
}

impl<'de> Deserialize<'de> for InputRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let variants: &[config::Variant<Self>] = &[
            ("Keep", |table| config::decode::<config::NoFields>(table).map(|_| Self::Keep)),
            ("Max", |table| config::decode::<config::NoFields>(table).map(|_| Self::Max)),
            ("MovingQuantile", |table| config::decode(table).map(Self::MovingQuantile)),
            ("MovingStd", |table| config::decode(table).map(Self::MovingStd)),
            ("CachedQuantile", |table| config::decode(table).map(Self::CachedQuantile)),
        ];
        config::tagged(deserializer, "rule", variants)
    }
}

impl InputRule {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        match self {
            Self::Keep | Self::Max => Ok(()),
            Self::MovingQuantile(record) => {
                require::probability("quantile", record.quantile)?;
                require::at_least_one("window", record.window)
            }
            Self::MovingStd(record) => {
                require::positive("std_alpha", record.std_alpha)?;
                require::at_least_one("window", record.window)
            }
            Self::CachedQuantile(record) => require::probability("quantile", record.quantile),
        }
    }

    /// What must see all vectors, if anything must.
    pub(super) fn observer(&self) -> Option<Box<dyn Observer>> {
        match self {
            Self::Keep | Self::CachedQuantile(_) => None,
            Self::Max => Some(Box::new(Largest::default())),
            Self::MovingQuantile(record) => Some(Box::new(record.observer())),
            Self::MovingStd(record) => Some(Box::new(record.observer())),
        }
    }

    /// The range, a positive number; `None` for none, as where no input was above 0.
    pub(super) fn range(&self, observer: Option<&dyn Observer>, cache: &Reservoir) -> Option<f32> {
        let range = match self {
            Self::CachedQuantile(record) => record.range(cache),
            _ => observer.and_then(Observer::range),
        };
        range.map(|range| range as f32).filter(|range| range.is_normal() && *range > 0.0)
    }
}
