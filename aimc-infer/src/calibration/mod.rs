//! Calibration: the ranges of the converters of each tile, from data.
//!
//! Data pass through the network, and every tile shows the inputs it gets ([`inputs`]). A rule turns them into the input range of the
//! tile, the currents of its bit lines into the range of its ADC ([`adc_range`]); or both ranges are searched together ([`joint`]).
//!
//! | rule | input range | memory |
//! |---|---|---|
//! | [`max`] | max abs(x) | one number |
//! | [`moving_quantile`] | mean over windows of quantile(abs(x), q) | a window |
//! | [`moving_std`] | mean over windows of α·√(mean x²) | nothing but the window |
//! | [`cached_quantile`] | quantile(abs(x), q) of a fair choice of vectors | the choice |
//!
//! Vectors of zeros are left out. In the exact network all inputs are seen in one go; through analog tiles each matrix gets a pass of its
//! own, in order, so that it sees the inputs that the calibrated tiles before it give. Nothing depends on how the samples are
//! batched beyond the rounding of sums, but for windows in recurrent layers, which are multiplied step by step.
//!
//! The result is a list of [`Ranges`] per tile, which [`with_settings`](crate::with_settings) puts beside the network: every
//! programmed copy then has them.
//!
//! Reference: M. J. Rasch et al. 2023, Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4 (input ranges from data).

pub mod adc_range;
pub mod cached_quantile;
pub mod inputs;
pub mod joint;
pub(crate) mod matrix_bench;
pub mod max;
pub mod moving_quantile;
pub mod moving_std;
pub mod reservoir;
pub mod rule;
pub(crate) mod run;
pub mod test_bench;
mod window;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};
use aimc_tile::TileSettings;

use crate::config::InferenceTileConfig;
use crate::settings::NetworkSettings;

pub use adc_range::AdcRange;
pub use joint::JointSearch;
pub use rule::InputRule;
pub use run::calibrate;
pub use test_bench::Ranges;

/// What sees all inputs of a tile and tells a range.
pub(crate) trait Observer: std::fmt::Debug + Send {
    /// Looks at one vector, which is not all zeros.
    fn observe(&mut self, vector: &[f32]);

    /// The range; `None` before the first vector.
    fn range(&self) -> Option<f64>;
}

/// Through which tiles data pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Through {
    /// Exact ones: one pass, and ranges that do not depend on devices.
    #[default]
    Exact,
    /// A programmed copy, read at once: one pass per matrix.
    Analog,
}

/// The plan of a calibration, see the [module](self).
///
/// ```
/// use aimc_device::config;
/// use aimc_infer::{CalibrationConfig, InferenceTileConfig};
/// let plan: CalibrationConfig = config::from_toml("input = { rule = \"Max\" }\nadc.quantile = 0.999").unwrap();
/// plan.validate().unwrap();
/// let error = plan.check_tile(&InferenceTileConfig::default()).unwrap_err();
/// assert_eq!(error.to_string(), "tile.periphery.input_range.enable = false: must be true to calibrate input ranges");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CalibrationConfig {
    /// How input ranges follow from the inputs.
    pub input: InputRule,
    /// How the range of the ADC follows from the currents; left out: as it is.
    pub adc: Option<AdcRange>,
    /// Search of both ranges, from the present ones and those of the rules; left out: none.
    pub joint: Option<JointSearch>,
    /// Samples that pass, the first ones of the data; 0 for all.
    pub samples: usize,
    /// Vectors that are cached for each tile.
    pub vectors: usize,
    /// Through which tiles they pass.
    pub through: Through,
}

impl Default for CalibrationConfig {
    fn default() -> Self {
        Self {
            input: InputRule::default(),
            adc: None,
            joint: None,
            samples: 1000,
            vectors: 1000,
            through: Through::Exact,
        }
    }
}

impl CalibrationConfig {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.input.validate().map_err(|error| error.within("input"))?;
        self.adc.as_ref().map_or(Ok(()), AdcRange::validate).map_err(|error| error.within("adc"))?;
        self.joint.as_ref().map_or(Ok(()), JointSearch::validate).map_err(|error| error.within("joint"))?;
        require::at_least_one("vectors", self.vectors)
    }

    /// Refuses tiles that lack what is to be calibrated.
    pub fn check_tile(&self, tile: &InferenceTileConfig) -> Result<(), ConfigError> {
        let enabled = tile.periphery.input_range.enable;
        require::that(
            enabled || self.input == InputRule::Keep,
            "tile.periphery.input_range.enable",
            enabled,
            "must be true to calibrate input ranges",
        )?;
        if self.adc.is_none() && self.joint.is_none() {
            return Ok(());
        }
        adc_range::check_converters(&tile.forward).map_err(|error| error.within("tile.forward"))
    }
}

/// What calibration has found for one tile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TileCalibration {
    /// The ranges before.
    pub before: Ranges,
    /// The ranges found.
    pub after: Ranges,
    /// Relative error of the products on the cached vectors with the ranges before, real circuits and ideal devices; `None`
    /// without any product.
    pub error_before: Option<f64>,
    /// The same with the ranges found.
    pub error_after: Option<f64>,
    /// Vectors in the cache.
    pub vectors: usize,
}

/// The tiles of one matrix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MatrixCalibration {
    /// Name of the matrix.
    pub name: String,
    /// Its tiles along the rows of the grid.
    pub tiles: Vec<TileCalibration>,
}

/// What calibration has found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Matrices in the order of the network.
    pub matrices: Vec<MatrixCalibration>,
}

impl Calibration {
    /// The ranges found, for [`with_settings`](crate::with_settings).
    #[must_use]
    pub fn settings(&self) -> NetworkSettings {
        let of_tile = |tile: &TileCalibration| TileSettings {
            input_range: tile.after.input,
            // Where nothing was found, the range stays that of the circuits.
            out_bound: Some(tile.after.output).filter(|bound| *bound > 0.0),
            ..TileSettings::default()
        };
        let of_matrix =
            |matrix: &MatrixCalibration| (matrix.name.clone(), matrix.tiles.iter().map(of_tile).collect());
        self.matrices.iter().map(of_matrix).collect()
    }
}

#[cfg(test)]
#[path = "../calibration_tests.rs"]
mod tests;
