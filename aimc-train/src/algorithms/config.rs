//! The record of a tile in training: a tile, and the algorithm that makes it learn.

use aimc_device::RngKey;
use aimc_device::config;
use aimc_device::error::ConfigError;
use aimc_nn::Place;
use aimc_tile::mapping::{MappingConfig, PeripheryConfig};
use aimc_tile::sliced::SliceConfig;
use aimc_tile::{IoConfig, Shape, TileConfig, TrainableTile, UnitCell, UpdateConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::algorithms::residual_learning::Residual;
use crate::algorithms::tiki_taka::Direct;
use crate::algorithms::{
    Agad, ChoppedTikiTaka, DigitalRankUpdateTile, MixedPrecision, MixedPrecisionInt, ResidualLearning,
    TikiTaka, TikiTakaV2, TransferTile,
};

/// Lists the algorithms once: the enum and its parser follow.
macro_rules! algorithms {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// How the tile learns, chosen by the field `model`.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
        #[serde(tag = "model")]
        pub enum Algorithm {
            /// Gradients are pulsed into the devices themselves.
            #[default]
            Sgd,
            $($(#[$doc])* $name($name),)*
        }

        impl<'de> Deserialize<'de> for Algorithm {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                config::tagged(deserializer, "model", &[
                    ("Sgd", |table| config::decode::<config::NoFields>(table).map(|_| Self::Sgd)),
                    $((stringify!($name), |table| config::decode(table).map(Self::$name)),)*
                ])
            }
        }
    };
}

algorithms! {
    /// Transfer from a fast array.
    TikiTaka,
    /// Transfer between arrays of falling significance.
    ResidualLearning,
    /// Transfer through a digital buffer.
    TikiTakaV2,
    /// The same with choppers.
    ChoppedTikiTaka,
    /// The same with a tracked reference.
    Agad,
    /// Gradients are accumulated digitally.
    MixedPrecision,
    /// The same in integers.
    MixedPrecisionInt,
}

/// A tile in training.
///
/// ```
/// use aimc_device::config;
/// use aimc_train::TrainingTileConfig;
/// let text = "algorithm = { model = \"TikiTaka\", transfer_every = 2 }\n[device]\nmodel = \"SoftBounds\"";
/// let tile: TrainingTileConfig = config::from_toml(text).unwrap();
/// assert!(tile.validate().is_ok());
/// let error = config::from_toml::<TrainingTileConfig>("algorithm = { model = \"TikiTaki\" }").unwrap_err();
/// assert_eq!(error.field, "algorithm.model");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingTileConfig {
    /// How the tile learns.
    pub algorithm: Algorithm,
    /// What sits at every crossing, of all arrays unless the algorithm lists devices.
    pub device: UnitCell,
    /// Circuits of the forward direction.
    pub forward: IoConfig,
    /// Circuits of the backward direction; bound management has no effect there.
    pub backward: IoConfig,
    /// Pulses of the update.
    pub update: UpdateConfig,
    /// How a matrix is split over tiles, and the digital circuits around each of them.
    pub periphery: PeripheryConfig,
    /// Slices of different significance per weight; none for one array.
    pub slices: Option<SliceConfig>,
}

impl From<TileConfig> for TrainingTileConfig {
    fn from(TileConfig { device, forward, backward, update }: TileConfig) -> Self {
        Self { device, forward, backward, update, ..Self::default() }
    }
}

impl TrainingTileConfig {
    /// Exact products, exact updates: floating point.
    #[must_use]
    pub fn ideal() -> Self {
        TileConfig::ideal().into()
    }

    /// The tile that the algorithm makes learn.
    #[must_use]
    pub fn tile(&self) -> TileConfig {
        let Self { device, forward, backward, update, .. } = self.clone();
        TileConfig { device, forward, backward, update }
    }

    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        // Building is the gate; the smallest tile costs nothing.
        self.build(Shape { outputs: 1, inputs: 1 }, RngKey::root(0)).map(|_| ())
    }

    /// As [`TrainingTileConfig::build`] for a layer of a network; one without bias gets no analog bias.
    pub fn build_at(&self, place: &Place<'_>) -> Result<Box<dyn TrainableTile>, ConfigError> {
        if place.bias || self.periphery.mapping.digital_bias {
            return self.build(place.shape, place.key);
        }
        let mut without = self.clone();
        without.periphery.mapping.digital_bias = true;
        without.build(place.shape, place.key)
    }

    /// Validates, then fabricates a tile with weights 0; a matrix larger than `periphery.mapping` allows becomes a grid of
    /// tiles, and so does one that asks for digital circuits.
    pub fn build(&self, shape: Shape, key: RngKey) -> Result<Box<dyn TrainableTile>, ConfigError> {
        let mapping = &self.periphery.mapping;
        let at = |error: ConfigError| error.within("periphery");
        self.periphery.validate(&self.forward).map_err(at)?;
        self.periphery.check_matrix(shape).map_err(at)?;
        let plain = PeripheryConfig {
            mapping: MappingConfig {
                max_input_size: mapping.max_input_size,
                max_output_size: mapping.max_output_size,
                ..MappingConfig::default()
            },
            ..PeripheryConfig::default()
        };
        if mapping.is_one_tile(shape) && self.periphery == plain {
            return self.slices(shape, key);
        }
        let grid = self.periphery.build(&self.forward, shape, key, |shape, key| self.slices(shape, key));
        Ok(Box::new(grid?))
    }

    /// The slices of one tile.
    fn slices(&self, shape: Shape, key: RngKey) -> Result<Box<dyn TrainableTile>, ConfigError> {
        match &self.slices {
            None => self.array(shape, key),
            Some(slices) => {
                slices.validate().map_err(|error| error.within("slices"))?;
                Ok(Box::new(slices.build(shape, key, |shape, key| self.array(shape, key))?))
            }
        }
    }

    /// One tile and its algorithm.
    fn array(&self, shape: Shape, key: RngKey) -> Result<Box<dyn TrainableTile>, ConfigError> {
        let tile = self.tile();
        tile.validate()?;
        let at = |error: ConfigError| error.within("algorithm");
        Ok(match &self.algorithm {
            Algorithm::Sgd => Box::new(tile.build(shape, key)?),
            Algorithm::MixedPrecision(record) => {
                record.validate().map_err(at)?;
                let digital = Box::new(record.accumulator(shape));
                Box::new(DigitalRankUpdateTile::new(record.rows(), digital, &tile, shape, key).map_err(at)?)
            }
            Algorithm::MixedPrecisionInt(record) => {
                record.validate().map_err(at)?;
                let digital = Box::new(record.accumulator(shape));
                Box::new(DigitalRankUpdateTile::new(record.rows(), digital, &tile, shape, key).map_err(at)?)
            }
            Algorithm::TikiTaka(record) => Box::new(
                TransferTile::new(&tile, record.transfer(), |_| Box::new(Direct), shape, key).map_err(at)?,
            ),
            Algorithm::ResidualLearning(record) => {
                record.validate().map_err(at)?;
                let rule = |_| Box::new(Residual) as _;
                Box::new(TransferTile::new(&tile, record.arrays(), rule, shape, key).map_err(at)?)
            }
            Algorithm::TikiTakaV2(record) => {
                record.validate().map_err(at)?;
                let arrays = if record.devices.is_empty() { 2 } else { record.devices.len() };
                let rule = |setting| Box::new(record.rule(arrays, setting)) as _;
                Box::new(TransferTile::new(&tile, record.transfer(), rule, shape, key).map_err(at)?)
            }
            Algorithm::ChoppedTikiTaka(record) => {
                record.validate().map_err(at)?;
                let rule = |setting| Box::new(record.rule(setting)) as _;
                Box::new(TransferTile::new(&tile, record.transfer(), rule, shape, key).map_err(at)?)
            }
            Algorithm::Agad(record) => {
                record.validate().map_err(at)?;
                let rule = |setting| Box::new(record.rule(setting)) as _;
                Box::new(TransferTile::new(&tile, record.transfer(), rule, shape, key).map_err(at)?)
            }
        })
    }
}
