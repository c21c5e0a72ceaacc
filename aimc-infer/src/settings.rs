//! Settings of circuits that travel beside a network: learned in training, found by calibration, or read from a file.
//!
//! [`settings_of`] collects what the tiles of a network know; [`with_settings`] gives any network, also one in digital memory, tiles
//! that know it. [`program_network`](crate::program_network()) and all that builds on it take the settings from there.

use std::collections::{BTreeMap, BTreeSet};

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_nn::Network;
use aimc_tile::{MatVec, ReadOut, SampleKeys, Shape, TileError, TileSettings};

/// The settings of all tiles of each matrix, by its name.
pub type NetworkSettings = BTreeMap<String, Vec<TileSettings>>;

/// What the circuits around the tiles of `network` have learned.
#[must_use]
pub fn settings_of<T: ReadOut>(network: &Network<T>) -> NetworkSettings {
    let settings = network.tiles().map(|(name, tile)| (name, tile.settings()));
    settings.filter(|(_, settings)| !settings.is_empty()).collect()
}

/// A tile with settings beside it, which go before its own.
#[derive(Clone, Debug)]
pub struct WithSettings<T> {
    tile: T,
    settings: Vec<TileSettings>,
}

/// `network` with `settings`; refuses names that it does not have.
///
/// ```
/// use aimc_device::RngKey;
/// use aimc_infer::{InferenceTileConfig, NetworkSettings, program_network, with_settings};
/// use aimc_nn::{Activation, NetworkConfig};
/// use aimc_tile::{IdealTile, TileSettings};
/// let network = NetworkConfig::mlp(&[4, 3], Activation::Tanh)
///     .build(RngKey::root(1), |place| IdealTile::new(place.shape))?;
/// let range = TileSettings { input_range: Some(1.5), ..TileSettings::default() };
/// let settings = NetworkSettings::from([("layer0.tile".to_owned(), vec![range])]);
/// let mut chip = InferenceTileConfig::default();
/// chip.periphery.input_range.enable = true;
/// let programmed = program_network(&with_settings(&network, &settings)?, &chip, RngKey::root(2))?;
/// let (_, matrix) = programmed.tiles().next().unwrap();
/// assert_eq!(matrix.input_ranges().collect::<Vec<_>>(), [Some(1.5)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn with_settings<T: Clone>(
    network: &Network<T>,
    settings: &NetworkSettings,
) -> Result<Network<WithSettings<T>>, ConfigError> {
    let names: BTreeSet<String> = network.tiles().map(|(name, _)| name).collect();
    for name in settings.keys() {
        let requirement = "is a matrix with settings, but not in the network";
        require::that(names.contains(name), "matrix", name, requirement)?;
    }
    network.try_map_tiles(|name, tile| {
        let settings = settings.get(name).cloned().unwrap_or_default();
        Ok(WithSettings { tile: tile.clone(), settings })
    })
}

impl<T: MatVec> MatVec for WithSettings<T> {
    fn shape(&self) -> Shape {
        self.tile.shape()
    }

    fn forward(
        &self,
        x: DMatrixView<f32>,
        y: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        self.tile.forward(x, y, draws)
    }
}

impl<T: MatVec + ReadOut> ReadOut for WithSettings<T> {
    fn weights(&self) -> DMatrix<f32> {
        self.tile.weights()
    }

    fn set_weights(&mut self, weights: &DMatrix<f32>, key: RngKey) -> Result<(), TileError> {
        self.tile.set_weights(weights, key)
    }

    fn bias(&self) -> Option<Vec<f32>> {
        self.tile.bias()
    }

    fn set_bias(&mut self, bias: &[f32], key: RngKey) -> Result<(), TileError> {
        self.tile.set_bias(bias, key)
    }

    /// Where both say something, those beside the tile; for another number of tiles those alone.
    fn settings(&self) -> Vec<TileSettings> {
        let own = self.tile.settings();
        if self.settings.is_empty() || own.len() != self.settings.len() {
            return if self.settings.is_empty() { own } else { self.settings.clone() };
        }
        self.settings.iter().zip(own).map(|(beside, own)| over(beside, own)).collect()
    }
}

/// What `beside` says, else what `own` says.
fn over(beside: &TileSettings, own: TileSettings) -> TileSettings {
    let list = |beside: &Vec<f32>, own| if beside.is_empty() { own } else { beside.clone() };
    TileSettings {
        input_range: beside.input_range.or(own.input_range),
        out_bound: beside.out_bound.or(own.out_bound),
        scales: list(&beside.scales, own.scales),
        out_scales: list(&beside.out_scales, own.out_scales),
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
