//! The record of a tile for hardware-aware training.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};

use crate::grid::TileGrid;
use crate::hardware_aware::{
    HardwareAwareTile, WeightClipConfig, WeightModifierConfig, WeightRemapConfig, WeightRemapType,
};
use crate::mapping::{LogicalTile, MappingConfig, PeripheryConfig};
use crate::periphery::IoConfig;
use crate::tile::Shape;

/// A tile for hardware-aware training, see the [module](super); the defaults of AIHWKit's `InferenceRPUConfig`.
///
/// ```
/// use aimc_device::config;
/// use aimc_tile::HardwareAwareTileConfig;
/// let text = "forward.out_noise = 0.04\n[modifier]\ntype = \"AddNormal\"\nstd_dev = 0.1";
/// let tile: HardwareAwareTileConfig = config::from_toml(text).unwrap();
/// assert!(tile.validate().is_ok() && tile.backward.is_perfect);
/// let error = config::from_toml::<HardwareAwareTileConfig>("[modifier]\ntype = \"AdNormal\"").unwrap_err();
/// assert_eq!(error.field, "modifier.type");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HardwareAwareTileConfig {
    /// Circuits of the forward direction.
    pub forward: IoConfig,
    /// Circuits of the backward direction.
    pub backward: IoConfig,
    /// What is done to a copy of the weights in every step.
    pub modifier: WeightModifierConfig,
    /// Where weights are cut after every step.
    pub clip: WeightClipConfig,
    /// How weights are stretched to the range of the devices after every step.
    pub remap: WeightRemapConfig,
    /// How a matrix is split over tiles, and the digital circuits around each of them.
    pub periphery: PeripheryConfig,
}

impl Default for HardwareAwareTileConfig {
    fn default() -> Self {
        Self {
            forward: IoConfig::default(),
            backward: IoConfig::perfect(),
            modifier: WeightModifierConfig::default(),
            clip: WeightClipConfig::default(),
            remap: WeightRemapConfig::default(),
            periphery: PeripheryConfig::default(),
        }
    }
}

impl HardwareAwareTileConfig {
    /// Perfect circuits, unmodified weights: floating point.
    #[must_use]
    pub fn ideal() -> Self {
        Self { forward: IoConfig::perfect(), ..Self::default() }
    }

    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.forward.validate().map_err(|error| error.within("forward"))?;
        self.backward.validate().map_err(|error| error.within("backward"))?;
        self.modifier.validate().map_err(|error| error.within("modifier"))?;
        self.clip.validate().map_err(|error| error.within("clip"))?;
        self.remap.validate().map_err(|error| error.within("remap"))?;
        self.periphery.validate(&self.forward).map_err(|error| error.within("periphery"))?;
        let mapping = &self.periphery.mapping;
        require::that(
            !(self.modifier.copy_last_column && mapping.digital_bias),
            "modifier.copy_last_column",
            self.modifier.copy_last_column,
            "needs an analog bias, which is the last column (periphery.mapping.digital_bias = false)",
        )?;
        let range = &self.periphery.input_range;
        let scaled = mapping.weight_scaling_omega > 0.0 || self.remap.kind != WeightRemapType::None;
        let n_bits = self.periphery.quantization.n_bits;
        require::that(
            n_bits == 0 || !scaled,
            "periphery.quantization.n_bits",
            n_bits,
            "must be 0 where weights on the tile are scaled or remapped: those scales lie in the tile, in full precision",
        )?;
        require::that(
            !(range.enable && range.manage_output_clipping && scaled),
            "periphery.input_range.manage_output_clipping",
            range.manage_output_clipping,
            "needs weights on the tile that are neither scaled nor remapped: clipping is judged after the digital scales",
        )
    }

    /// The record for a layer of a network: without bias, no column of the tile is one.
    #[must_use]
    pub fn for_layer(&self, bias: bool) -> Cow<'_, Self> {
        if bias || self.periphery.mapping.digital_bias {
            return Cow::Borrowed(self);
        }
        let mut without = self.clone();
        without.periphery.mapping.digital_bias = true;
        without.modifier.copy_last_column = false;
        Cow::Owned(without)
    }

    /// Validates, then puts a matrix onto tiles with weights 0.
    ///
    /// The scales that `periphery.mapping` asks for lie in the tiles, since remapping moves them.
    pub fn build(
        &self,
        shape: Shape,
        key: RngKey,
    ) -> Result<TileGrid<LogicalTile<HardwareAwareTile>>, ConfigError> {
        self.validate()?;
        self.periphery.check_matrix(shape).map_err(|error| error.within("periphery"))?;
        let mapping = MappingConfig { weight_scaling_omega: 0.0, ..self.periphery.mapping.clone() };
        let around = PeripheryConfig { mapping, ..self.periphery.clone() };
        let tile = |shape: Shape, key: RngKey| HardwareAwareTile::new(self, shape, key);
        around.build(&self.forward, shape, key, tile)
    }
}
