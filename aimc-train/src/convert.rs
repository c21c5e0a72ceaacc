//! Networks from digital memory onto analog tiles and back.
//!
//! [`TileRules`] say which tile holds which matrix: one record for all, others for the matrices whose names fit a pattern.
//! [`TileRules::to_analog`] writes the weights of a trained network onto such tiles, as far as their devices allow;
//! [`to_digital`] takes them back, ideally or as hardware can, through products.

use nalgebra::DVector;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::rng::label;
use aimc_nn::pattern::fits;
use aimc_nn::{Linear, Network, Place};
use aimc_tile::{
    HardwareAwareTileConfig, IdealTile, MatVec, ReadOut, TileError, TrainableTile, estimate_weights,
};

use crate::algorithms::TrainingTileConfig;

/// Another tile for some matrices: digital, or the whole record of an analog or of a hardware-aware tile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TileOverride {
    /// Pattern of their names; `*` stands for any characters.
    pub layer: String,
    /// Keep them in digital memory.
    #[serde(default)]
    pub digital: bool,
    /// Their tile, which has nothing of `[tile]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tile: Option<TrainingTileConfig>,
    /// Their tile for hardware-aware training, which has nothing of `[hardware_aware]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware_aware: Option<HardwareAwareTileConfig>,
}

impl TileOverride {
    /// Refuses records that do not ask for exactly one, and values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        match (&self.tile, &self.hardware_aware) {
            (None, None) => {
                return require::that(
                    self.digital,
                    "digital",
                    self.digital,
                    "must be true where there is no tile",
                );
            }
            (Some(_), Some(_)) => return Err(both_tiles()),
            (Some(tile), None) => tile.validate().map_err(|error| error.within("tile"))?,
            (None, Some(tile)) => tile.validate().map_err(|error| error.within("hardware_aware"))?,
        }
        require::that(!self.digital, "digital", true, "must be left out beside a tile")
    }
}

/// Two tiles for one matrix.
fn both_tiles() -> ConfigError {
    ConfigError::new("hardware_aware", "", "must be left out beside tile: a matrix lies on one of them")
}

/// What holds a matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Holder<'a> {
    /// Digital memory.
    Digital,
    /// Devices that learn.
    Analog(&'a TrainingTileConfig),
    /// Digital memory, read through analog circuits.
    HardwareAware(&'a HardwareAwareTileConfig),
}

impl<'a> Holder<'a> {
    fn of(
        tile: Option<&'a TrainingTileConfig>,
        hardware_aware: Option<&'a HardwareAwareTileConfig>,
    ) -> (&'static str, Self) {
        match (tile, hardware_aware) {
            (Some(tile), _) => ("tile", Self::Analog(tile)),
            (None, Some(tile)) => ("hardware_aware", Self::HardwareAware(tile)),
            (None, None) => ("digital", Self::Digital),
        }
    }
}

/// Which tile holds which matrix.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TileRules {
    /// The tile of all matrices.
    pub tile: Option<TrainingTileConfig>,
    /// Their tile for hardware-aware training; with neither they lie in digital memory.
    pub hardware_aware: Option<HardwareAwareTileConfig>,
    /// Other tiles for some; the last that fits a name counts.
    pub overrides: Vec<TileOverride>,
}

/// A network that cannot be converted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConvertError {
    /// A rule was refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A tile refused its weights.
    #[error("{name}: {source}")]
    Tile {
        /// Name of the tile.
        name: String,
        /// What it said.
        source: TileError,
    },
}

impl TileRules {
    /// Refuses two tiles for all matrices, and values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if let Some(tile) = &self.tile {
            tile.validate().map_err(|error| error.within("tile"))?;
        }
        if let Some(tile) = &self.hardware_aware {
            tile.validate().map_err(|error| error.within("hardware_aware"))?;
        }
        if self.tile.is_some() && self.hardware_aware.is_some() {
            return Err(both_tiles());
        }
        let mut overrides = self.overrides.iter().enumerate();
        overrides.try_for_each(|(i, other)| other.validate().map_err(|e| e.within(format!("override[{i}]"))))
    }

    /// What holds the matrix `name`, and where that stands in a configuration.
    #[must_use]
    pub fn holder_of(&self, name: &str) -> (String, Holder<'_>) {
        let last = self.overrides.iter().enumerate().rfind(|(_, other)| fits(&other.layer, name));
        match last {
            Some((i, other)) => {
                let (field, holder) = Holder::of(other.tile.as_ref(), other.hardware_aware.as_ref());
                (format!("override[{i}].{field}"), holder)
            }
            None => {
                let (field, holder) = Holder::of(self.tile.as_ref(), self.hardware_aware.as_ref());
                (field.to_owned(), holder)
            }
        }
    }

    /// The tile for a place.
    pub fn build_at(&self, place: &Place<'_>) -> Result<Box<dyn TrainableTile>, ConfigError> {
        let (path, holder) = self.holder_of(place.name);
        let at = |error: ConfigError| error.within(path.clone());
        Ok(match holder {
            Holder::Digital => Box::new(IdealTile::new(place.shape)?),
            Holder::Analog(tile) => tile.build_at(place).map_err(at)?,
            Holder::HardwareAware(tile) => {
                Box::new(tile.for_layer(place.bias).build(place.shape, place.key).map_err(at)?)
            }
        })
    }

    /// Refuses overrides that fit none of the matrices: they are mistakes.
    pub fn check_names(&self, names: &[String]) -> Result<(), ConfigError> {
        for (i, TileOverride { layer, .. }) in self.overrides.iter().enumerate() {
            let requirement = format!("fits none of the matrices {}", names.join(", "));
            let found = names.iter().any(|name| fits(layer, name));
            require::that(found, &format!("override[{i}].layer"), layer, &requirement)?;
        }
        Ok(())
    }

    /// The same network on new tiles, which take its weights as far as their devices allow.
    ///
    /// A digital bias moves to the column of a tile that has one, and back from a tile to digital memory where there is none.
    ///
    /// ```
    /// use aimc_device::RngKey;
    /// use aimc_nn::{Activation, NetworkConfig};
    /// use aimc_tile::{IdealTile, TileConfig};
    /// use aimc_train::convert::{ReadBack, TileRules, to_digital};
    /// let network = NetworkConfig::mlp(&[4, 3], Activation::Tanh)
    ///     .build(RngKey::root(1), |place| IdealTile::new(place.shape))?;
    /// let rules = TileRules { tile: Some(TileConfig::default().into()), ..TileRules::default() };
    /// let analog = rules.to_analog(&network, RngKey::root(2))?;
    /// let back = to_digital(&analog, ReadBack::Ideal, RngKey::root(3))?;
    /// assert_eq!(back.tiles().next().map(|(name, _)| name), Some("layer0.tile".to_owned()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_analog<T: MatVec + ReadOut>(
        &self,
        network: &Network<T>,
        key: RngKey,
    ) -> Result<Network<Box<dyn TrainableTile>>, ConvertError> {
        let names: Vec<String> = network.tiles().map(|(name, _)| name).collect();
        self.check_names(&names)?;
        network.try_map(|name, linear| {
            let key = key.fold_in(label(name));
            let bias = linear.any_bias();
            let place = Place {
                name,
                shape: linear.tile.shape(),
                bias: bias.is_some(),
                key: key.fold_in(label("devices")),
            };
            let mut converted = Linear { tile: self.build_at(&place)?, bias: None };
            let at = |source| ConvertError::Tile { name: name.to_owned(), source };
            converted.tile.set_weights(&linear.tile.weights(), key.fold_in(label("write"))).map_err(at)?;
            if let Some(bias) = bias {
                let key = key.fold_in(label("write bias"));
                converted.set_bias(DVector::from_vec(bias), key).map_err(at)?;
            }
            Ok(converted)
        })
    }
}

/// How weights come back from tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadBack {
    /// As they are, which no hardware can tell.
    Ideal,
    /// By least squares from so many products per input, see [`aimc_tile::estimate`].
    Products(usize),
}

/// The network in digital memory; analog biases become digital ones.
pub fn to_digital<T: MatVec + ReadOut>(
    network: &Network<T>,
    read: ReadBack,
    key: RngKey,
) -> Result<Network<IdealTile>, ConvertError> {
    network.try_map(|name, linear| {
        let (weights, bias) = match read {
            ReadBack::Ideal => (linear.tile.weights(), linear.any_bias()),
            ReadBack::Products(per_input) => {
                let estimate = estimate_weights(&linear.tile, per_input, key.fold_in(label(name)))
                    .map_err(|source| ConvertError::Tile { name: name.to_owned(), source })?;
                let is_analog = linear.bias.is_none() && linear.tile.bias().is_some();
                (estimate.weights, if is_analog { Some(estimate.offsets) } else { linear.any_bias() })
            }
        };
        Ok(Linear { tile: IdealTile::holding(&weights), bias: bias.map(DVector::from_vec) })
    })
}
