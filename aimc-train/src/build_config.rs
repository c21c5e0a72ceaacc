//! Whole tiles from the name of a method and a device: `build_config` of AIHWKit as a typed function.
//!
//! | method | names | made of |
//! |---|---|---|
//! | gradient descent | `sgd` | the device; several per weight, picked at random |
//! | Tiki-Taka | `ttv1`, `tt`, `tiki-taka` | transfers with the pulses of the tile, counted in mini-batches |
//! | Tiki-Taka v2 | `ttv2` | chopped Tiki-Taka without choppers; trains of 5 |
//! | chopped Tiki-Taka | `c-ttv2`, `ttv3`, `chopped-ttv2` | fast_lr 0.1, scaled automatically; trains of 5 |
//! | AGAD | `agad`, `ttv4` | the same, with managed transfers |
//! | mixed precision | `mp`, `mixed-precision` | full precision, all rows |
//!
//! Transfers of the buffered methods are single pulses; transfers read through the circuits of the tile.

use std::str::FromStr;

use aimc_device::error::{ConfigError, require};
use aimc_tile::unit_cell::config::CompoundCell;
use aimc_tile::unit_cell::vector::{UpdatePolicy, VectorCell};
use aimc_tile::{IoConfig, UnitCell, UpdateConfig};

use crate::algorithms::transfer::single_pulses;
use crate::algorithms::{Agad, Algorithm, ChoppedTikiTaka, MixedPrecision, TikiTaka, TrainingTileConfig};

/// How a tile learns, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Pulsed gradient descent.
    Sgd,
    /// Tiki-Taka.
    TikiTaka,
    /// Tiki-Taka v2.
    TikiTakaV2,
    /// Chopped Tiki-Taka.
    ChoppedTikiTaka,
    /// AGAD.
    Agad,
    /// Mixed precision.
    MixedPrecision,
}

impl FromStr for Method {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, ConfigError> {
        Ok(match name.to_lowercase().as_str() {
            "sgd" => Self::Sgd,
            "ttv1" | "tt" | "tiki-taka" => Self::TikiTaka,
            "ttv2" => Self::TikiTakaV2,
            "c-ttv2" | "ttv3" | "chopped-ttv2" => Self::ChoppedTikiTaka,
            "agad" | "ttv4" => Self::Agad,
            "mp" | "mixed-precision" => Self::MixedPrecision,
            _ => {
                return Err(ConfigError::new(
                    "algorithm",
                    name,
                    "must be one of sgd, ttv1, ttv2, c-ttv2, agad, mp",
                ));
            }
        })
    }
}

/// What else a tile is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct BuildOptions {
    /// Devices per weight; more than 1 for gradient descent only.
    pub devices_per_weight: usize,
    /// Circuits of both directions and of the transfers.
    pub io: IoConfig,
    /// Pulses of the update.
    pub update: UpdateConfig,
}

impl Default for BuildOptions {
    fn default() -> Self {
        Self { devices_per_weight: 1, io: IoConfig::default(), update: UpdateConfig::default() }
    }
}

/// A tile of `device` that learns by `method`, see the [module](self); validated.
///
/// ```
/// use aimc_tile::UnitCell;
/// use aimc_train::{Algorithm, BuildOptions, build_config};
/// let tile = build_config("c-ttv2".parse()?, UnitCell::default(), &BuildOptions::default())?;
/// let Algorithm::ChoppedTikiTaka(chopped) = &tile.algorithm else { panic!() };
/// assert_eq!((chopped.fast_lr, chopped.auto_scale, tile.update.desired_bl), (0.1, true, 5));
/// # Ok::<(), aimc_device::error::ConfigError>(())
/// ```
pub fn build_config(
    method: Method,
    device: UnitCell,
    options: &BuildOptions,
) -> Result<TrainingTileConfig, ConfigError> {
    let n = options.devices_per_weight;
    require::at_least_one("devices_per_weight", n)?;
    let single = "must be 1 but for gradient descent";
    require::that(n == 1 || method == Method::Sgd, "devices_per_weight", n, single)?;
    let (io, pulses) = (options.io.clone(), options.update.clone());
    let algorithm = algorithm(method, &io, &pulses);
    let short = matches!(method, Method::TikiTakaV2 | Method::ChoppedTikiTaka | Method::Agad);
    let update = if short { UpdateConfig { desired_bl: 5, ..pulses } } else { pulses };
    let device = if n > 1 { several(device, n)? } else { device };
    let tile = TrainingTileConfig {
        algorithm,
        device,
        forward: io.clone(),
        backward: io,
        update,
        ..TrainingTileConfig::default()
    };
    tile.validate()?;
    Ok(tile)
}

/// The record of the method, which transfers through `io`.
fn algorithm(method: Method, io: &IoConfig, pulses: &UpdateConfig) -> Algorithm {
    match method {
        Method::Sgd => Algorithm::Sgd,
        Method::TikiTaka => Algorithm::TikiTaka(TikiTaka {
            transfer_forward: io.clone(),
            transfer_update: pulses.clone(),
            units_in_mbatch: true,
            ..TikiTaka::default()
        }),
        Method::TikiTakaV2 => Algorithm::ChoppedTikiTaka(ChoppedTikiTaka {
            in_chop_prob: 0.0,
            auto_scale: false,
            transfer_forward: io.clone(),
            transfer_update: one_slot(pulses),
            ..ChoppedTikiTaka::default()
        }),
        Method::ChoppedTikiTaka => Algorithm::ChoppedTikiTaka(ChoppedTikiTaka {
            fast_lr: 0.1,
            auto_scale: true,
            transfer_forward: io.clone(),
            transfer_update: one_slot(pulses),
            ..ChoppedTikiTaka::default()
        }),
        Method::Agad => Algorithm::Agad(Agad {
            fast_lr: 0.1,
            auto_scale: true,
            transfer_forward: io.clone(),
            transfer_update: UpdateConfig {
                update_bl_management: true,
                update_management: true,
                ..one_slot(pulses)
            },
            ..Agad::default()
        }),
        Method::MixedPrecision => Algorithm::MixedPrecision(MixedPrecision::default()),
    }
}

/// The same pulses, but at most one for each device, without management.
fn one_slot(pulses: &UpdateConfig) -> UpdateConfig {
    let UpdateConfig { desired_bl, update_bl_management, update_management, .. } = single_pulses();
    UpdateConfig { desired_bl, update_bl_management, update_management, ..pulses.clone() }
}

/// `n` devices per weight, of which a random one takes the pulses of a vector.
fn several(device: UnitCell, n: usize) -> Result<UnitCell, ConfigError> {
    let UnitCell::Pulsed(device) = device else {
        return Err(ConfigError::new(
            "device",
            "a cell of several devices",
            "must be a single device to be repeated",
        ));
    };
    let cell = VectorCell {
        devices: vec![device; n],
        update_policy: UpdatePolicy::SingleRandom,
        ..VectorCell::default()
    };
    Ok(UnitCell::Compound(CompoundCell::Vector(cell)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_gives_a_tile_that_can_be_built() {
        let names = "sgd ttv1 tt tiki-taka ttv2 c-ttv2 ttv3 chopped-ttv2 agad ttv4 mp mixed-precision";
        for name in names.split(' ') {
            build_config(name.parse().unwrap(), UnitCell::default(), &BuildOptions::default()).unwrap();
        }
        assert_eq!("adam".parse::<Method>().unwrap_err().field, "algorithm");
    }

    /// Two devices per weight are a unit cell in which each update goes to one device drawn at random.
    #[test]
    fn several_devices_take_turns_at_random() {
        let two = BuildOptions { devices_per_weight: 2, ..BuildOptions::default() };
        let tile = build_config(Method::Sgd, UnitCell::default(), &two).unwrap();
        let UnitCell::Compound(CompoundCell::Vector(cell)) = tile.device else { panic!() };
        assert_eq!((cell.devices.len(), cell.update_policy), (2, UpdatePolicy::SingleRandom));
        let refused = |method, device| build_config(method, device, &two).unwrap_err().field;
        assert_eq!(refused(Method::Agad, UnitCell::default()), "devices_per_weight");
        assert_eq!(refused(Method::Sgd, UnitCell::ideal()), "device");
    }
}
