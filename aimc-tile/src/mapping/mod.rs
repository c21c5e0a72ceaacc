//! From a logical matrix to tiles: size limits, weight scaling, bias, output scales and input ranges.
//!
//! ```text
//! tile holds Ŵ = W/s,  s = max|W|/ω      y = α·s·r·tile(clip(x, ±r)/r)      weights() = α·s·Ŵ
//! ```
//!
//! | symbol | field | meaning |
//! |---|---|---|
//! | ω | `weight_scaling_omega` | largest weight on the tile; 0: s = 1 |
//! | s | `weight_scaling_columnwise` | one for all outputs, or one for each |
//! | α | `learn_out_scaling`, `out_scaling_columnwise` | digital factor that is trained, 1 at first |
//! | r | [`InputRangeConfig`] | range of the inputs, trained or fixed |
//!
//! [`logical`] is one tile with this periphery, [`crate::grid`] splits a matrix over many of them. A maximum of 0 gives
//! s = 1. Without noise y does not depend on ω; the relative weight of output noise falls as ω grows.
//!
//! Reference: M. J. Rasch et al. 2021, IEEE AICAS, doi:10.1109/AICAS51828.2021.9458494 (AIHWKit).

pub mod input_range;
pub mod logical;
pub mod periphery_quantization;
pub mod settings;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};

use crate::grid::TileGrid;
use crate::periphery::IoConfig;
use crate::periphery::bound_management::BoundManagement;
use crate::periphery::noise_management::NoiseManagement;
use crate::signals::largest_size;
use crate::tile::{MatVec, Shape};

pub use input_range::InputRangeConfig;
pub use logical::LogicalTile;
pub use periphery_quantization::PeripheryQuantization;
pub use settings::{KeptScales, TileSettings};

/// How a matrix is put onto tiles, see the [module](self); defaults are AIHWKit's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MappingConfig {
    /// The bias is added digitally, outside the tile; otherwise it is one more column of the tile, whose input is 1.
    pub digital_bias: bool,
    /// Largest |weight| on the tile (ω); 0 switches scaling off.
    pub weight_scaling_omega: f32,
    /// One scale per output instead of one per tile.
    pub weight_scaling_columnwise: bool,
    /// Updates use the learning rate divided by the mean scale, and errors multiplied by it.
    pub weight_scaling_lr_compensation: bool,
    /// Train a digital factor on the outputs.
    pub learn_out_scaling: bool,
    /// One such factor per output instead of one per tile.
    pub out_scaling_columnwise: bool,
    /// Most input lines of one tile; 0 is no limit.
    pub max_input_size: usize,
    /// Most output lines of one tile; 0 is no limit.
    pub max_output_size: usize,
}

impl Default for MappingConfig {
    fn default() -> Self {
        Self {
            digital_bias: true,
            weight_scaling_omega: 0.0,
            weight_scaling_columnwise: false,
            weight_scaling_lr_compensation: false,
            learn_out_scaling: false,
            out_scaling_columnwise: false,
            max_input_size: 512,
            max_output_size: 512,
        }
    }
}

impl MappingConfig {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require::non_negative("weight_scaling_omega", self.weight_scaling_omega)
    }

    /// Whether a matrix of this shape fits one tile.
    #[must_use]
    pub fn is_one_tile(&self, shape: Shape) -> bool {
        let fits = |size: usize, largest: usize| largest == 0 || size <= largest;
        fits(shape.inputs, self.max_input_size) && fits(shape.outputs, self.max_output_size)
    }
}

/// The digital periphery of all tiles of a matrix.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PeripheryConfig {
    /// Sizes, scales and bias.
    pub mapping: MappingConfig,
    /// Range of the inputs.
    pub input_range: InputRangeConfig,
    /// Precision of scales and of a digital bias.
    pub quantization: PeripheryQuantization,
}

impl PeripheryConfig {
    /// Refuses values outside their range; `forward` are the circuits of the tiles.
    pub fn validate(&self, forward: &IoConfig) -> Result<(), ConfigError> {
        self.mapping.validate().map_err(|error| error.within("mapping"))?;
        self.input_range.validate().map_err(|error| error.within("input_range"))?;
        self.quantization.validate().map_err(|error| error.within("quantization"))?;
        let manages = self.input_range.enable && self.input_range.manage_output_clipping;
        let plain = forward.noise_management == NoiseManagement::None
            && forward.bound_management == BoundManagement::None
            && !forward.is_perfect;
        require::that(
            !manages || plain,
            "input_range.manage_output_clipping",
            self.input_range.manage_output_clipping,
            "needs circuits that are not perfect and have neither noise nor bound management",
        )
    }

    /// Refuses a matrix that this record cannot put onto tiles: an analog bias has one place only.
    pub fn check_matrix(&self, shape: Shape) -> Result<(), ConfigError> {
        let digital = self.mapping.digital_bias;
        let one_tile = self.mapping.is_one_tile(Shape { inputs: shape.inputs + 1, ..shape });
        let requirement = "must be true for a matrix (with its bias column) that needs several tiles";
        require::that(digital || one_tile, "mapping.digital_bias", digital, requirement)
    }

    /// Validates, then puts a matrix onto tiles that `tile` fabricates; `forward` are the circuits that `tile` uses.
    ///
    /// ```
    /// use aimc_device::RngKey;
    /// use aimc_tile::{IdealTile, IoConfig, MatVec, Shape, mapping::PeripheryConfig};
    /// let grid = PeripheryConfig::default().build(
    ///     &IoConfig::perfect(),
    ///     Shape { outputs: 10, inputs: 1000 },
    ///     RngKey::root(1),
    ///     |shape, _| IdealTile::new(shape),
    /// )?;
    /// assert_eq!(grid.tiles().map(|tile| tile.shape().inputs).collect::<Vec<_>>(), [500, 500]);
    /// # Ok::<(), aimc_device::error::ConfigError>(())
    /// ```
    pub fn build<T: MatVec>(
        &self,
        forward: &IoConfig,
        shape: Shape,
        key: RngKey,
        mut tile: impl FnMut(Shape, RngKey) -> Result<T, ConfigError>,
    ) -> Result<TileGrid<LogicalTile<T>>, ConfigError> {
        self.validate(forward)?;
        self.check_matrix(shape)?;
        let bound = if forward.is_perfect { 0.0 } else { forward.out_bound * forward.out_scale.abs() };
        let largest = Shape { outputs: self.mapping.max_output_size, inputs: self.mapping.max_input_size };
        TileGrid::new(shape, largest, key, |shape, key| LogicalTile::new(self, bound, shape, key, &mut tile))
    }
}

/// The scale s of every output, for weights stored row by row with `inputs` entries per row; see the [module](self).
///
/// ```
/// use aimc_tile::mapping::scales;
/// let weights = [0.5, -2.0, 0.25, 0.1]; // 2 outputs x 2 inputs
/// assert_eq!(scales(&weights, 2, 0.5, false), [4.0, 4.0]);
/// assert_eq!(scales(&weights, 2, 0.5, true), [4.0, 0.5]);
/// ```
#[must_use]
pub fn scales(weights: &[f32], inputs: usize, omega: f32, columnwise: bool) -> Vec<f32> {
    let scale = |weights: &[f32]| {
        let scale = largest_size(weights) / omega;
        if scale > 0.0 && scale.is_finite() { scale } else { 1.0 }
    };
    if columnwise {
        weights.chunks(inputs).map(scale).collect()
    } else {
        vec![scale(weights); weights.len() / inputs]
    }
}
