//! A logical matrix in programmed devices: slices, digital circuits and grid around single arrays.
//!
//! ```text
//! matrix ─► grid of tiles ─► scales, input range, analog bias ─► slices ─► ProgrammedTile
//! ```
//!
//! The circuits are those of a tile in training ([`aimc_tile::mapping`], [`aimc_tile::grid`], [`aimc_tile::sliced`]);
//! only what lies inside them is programmed, drifts, and is compensated, array by array.

use std::convert::Infallible;

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

use aimc_device::RngKey;
use aimc_device::error::require;
use aimc_tile::grid::TileGrid;
use aimc_tile::mapping::PeripheryQuantization;
use aimc_tile::sliced::{SliceConfig, SlicedTile};
use aimc_tile::{
    IdealTile, KeptScales, LogicalTile, MatVec, ReadOut, SampleKeys, Shape, TileError, TileSettings,
};

use crate::config::InferenceTileConfig;
use crate::error::InferenceError;
use crate::program::{ProgrammedTile, check_matrix};
use crate::timeline::InferenceTile;

/// All arrays of a matrix.
pub(crate) type Arrays<T> = TileGrid<LogicalTile<SlicedTile<T>>>;

/// The same circuits around what `convert` makes of every array and of the key of its place.
fn try_map<T, U, E>(
    arrays: &Arrays<T>,
    key: RngKey,
    mut convert: impl FnMut(&T, RngKey) -> Result<U, E>,
) -> Result<Arrays<U>, E> {
    arrays.try_map(key, |logical, key| logical.try_map(|slices| slices.try_map(key, &mut convert)))
}

/// `settings`, or none if nothing of them would be used.
fn used<'a>(settings: &'a [TileSettings], config: &InferenceTileConfig) -> &'a [TileSettings] {
    let ranges = config.periphery.input_range.enable;
    let (learned, all) = (config.kept_scales != KeptScales::None, config.kept_scales == KeptScales::All);
    let matters = |tile: &TileSettings| {
        let scaled = |scales: &[f32]| scales.iter().any(|scale| *scale != 1.0);
        (ranges && tile.input_range.is_some())
            || tile.out_bound.is_some()
            || (learned && scaled(&tile.out_scales))
            || (all && scaled(&tile.scales))
    };
    if settings.iter().any(matters) { settings } else { &[] }
}

/// All arrays of a matrix before programming: they hold exactly what the devices should hold.
pub(crate) fn ideal_arrays(
    weights: &DMatrix<f32>,
    bias: Option<&[f32]>,
    settings: &[TileSettings],
    config: &InferenceTileConfig,
    key: RngKey,
) -> Result<Arrays<IdealTile>, InferenceError> {
    config.validate()?;
    let shape = check_matrix(weights)?;
    let whole = SliceConfig { slices: 1, ..SliceConfig::default() };
    let slices = config.slices.as_ref().unwrap_or(&whole);
    config.periphery.check_matrix(shape).map_err(|error| error.within("periphery"))?;
    let mut ideal: Arrays<IdealTile> =
        config.periphery.build(&config.forward, shape, key, |shape, key| {
            slices.build(shape, key, |shape, _| IdealTile::new(shape))
        })?;
    ideal.set_weights(weights, key)?;
    if bias.is_some() || !config.periphery.mapping.digital_bias {
        ideal.set_bias(bias.unwrap_or_default(), key)?;
    }
    let settings = used(settings, config);
    let tiles = ideal.tiles().count();
    let requirement = format!(
        "must be {tiles}, the tiles of this matrix: give periphery.mapping the sizes it was trained with, or leave its \
         ranges and scales behind (input_range.enable = false, kept_scales = \"None\")"
    );
    require::that(settings.is_empty() || settings.len() == tiles, "settings", settings.len(), &requirement)?;
    for (i, (tile, settings)) in ideal.tiles_mut().zip(settings).enumerate() {
        settings.validate(tile.shape().outputs).map_err(|error| error.within(format!("settings[{i}]")))?;
        tile.keep_scales(settings, config.kept_scales, key)?;
        settings.input_range.map_or(Ok(()), |range| tile.set_input_range(range))?;
    }
    Ok(ideal)
}

/// The logical matrix of arrays that hold `weights`, outputs x inputs each.
fn logical<T>(arrays: &Arrays<T>, weights: impl Fn(&T) -> DMatrix<f32>) -> DMatrix<f32> {
    let hold = |array: &T, _| Ok::<_, Infallible>(IdealTile::holding(&weights(array)));
    let Ok(ideal) = try_map(arrays, RngKey::root(0), hold);
    ideal.weights()
}

/// A matrix right after programming. To be read it needs a time, see [`ProgrammedMatrix::at`].
///
/// ```
/// use aimc_device::RngKey;
/// use aimc_infer::{InferenceTileConfig, ProgrammedMatrix};
/// use nalgebra::DMatrix;
/// let weights = DMatrix::from_element(3, 1000, 0.5);
/// let matrix = ProgrammedMatrix::program(&weights, None, &InferenceTileConfig::default(), RngKey::root(1))?;
/// assert_eq!(matrix.tiles().count(), 2); // 500 + 500 inputs: a tile has at most 512.
/// # Ok::<(), aimc_infer::InferenceError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ProgrammedMatrix {
    arrays: Arrays<ProgrammedTile>,
}

impl ProgrammedMatrix {
    /// Validates, then programs `weights`, outputs x inputs, into devices.
    ///
    /// `bias` is the analog bias, one value per output; needed if `digital_bias` of the mapping is false, else refused.
    /// The same key programs the same devices, whatever `forward`, `compensation` and `drift_conversion` are.
    pub fn program(
        weights: &DMatrix<f32>,
        bias: Option<&[f32]>,
        config: &InferenceTileConfig,
        key: RngKey,
    ) -> Result<Self, InferenceError> {
        Self::program_with(weights, bias, &[], config, key)
    }

    /// As [`ProgrammedMatrix::program`], with what the circuits around each tile have been set to in training or calibration,
    /// tile by tile along the rows of the grid; none for what the configuration says.
    ///
    /// Input ranges need `input_range.enable`; `kept_scales` says what becomes of scales. Settings of another grid are refused,
    /// unless nothing of them would be used.
    pub fn program_with(
        weights: &DMatrix<f32>,
        bias: Option<&[f32]>,
        settings: &[TileSettings],
        config: &InferenceTileConfig,
        key: RngKey,
    ) -> Result<Self, InferenceError> {
        let ideal = ideal_arrays(weights, bias, settings, config, key)?;
        let mut bounds = used(settings, config).iter().map(|settings| settings.out_bound);
        let arrays = ideal.try_map(key, |logical, key| {
            let mut config = config.clone();
            if let Some(bound) = bounds.next().flatten() {
                config.forward.out_bound = bound;
            }
            let program = |array: &IdealTile, key| ProgrammedTile::program(&array.weights(), &config, key);
            logical.try_map(|slices| slices.try_map(key, program))
        });
        Ok(Self { arrays: arrays? })
    }

    /// The arrays, tile by tile along the rows of the grid, the most significant slice of each tile first.
    pub fn tiles(&self) -> impl Iterator<Item = &ProgrammedTile> {
        self.arrays.tiles().flat_map(|logical| logical.tile().slices())
    }

    /// The input range of every tile along the rows of the grid; `None` where inputs are not cut.
    pub fn input_ranges(&self) -> impl Iterator<Item = Option<f32>> {
        self.arrays.tiles().map(LogicalTile::input_range)
    }

    /// The weights right after programming, without drift and read noise: outputs x inputs, scales included.
    #[must_use]
    pub fn programmed_weights(&self) -> DMatrix<f32> {
        logical(&self.arrays, ProgrammedTile::programmed_weights)
    }

    /// The matrix `t_seconds` after programming, every device read once, see [`ProgrammedTile::at`].
    pub fn at(&self, t_seconds: f32, key: RngKey) -> Result<InferenceMatrix, InferenceError> {
        Ok(InferenceMatrix { arrays: try_map(&self.arrays, key, |array, key| array.at(t_seconds, key))? })
    }
}

/// A programmed matrix at one moment; can only be read.
#[derive(Clone, Debug)]
pub struct InferenceMatrix {
    arrays: Arrays<InferenceTile>,
}

impl InferenceMatrix {
    /// The arrays, tile by tile along the rows of the grid, the most significant slice of each tile first.
    pub fn tiles(&self) -> impl Iterator<Item = &InferenceTile> {
        self.arrays.tiles().flat_map(|logical| logical.tile().slices())
    }

    /// The weights as read, scales included, drift compensation not: outputs x inputs.
    #[must_use]
    pub fn weights(&self) -> DMatrix<f32> {
        logical(&self.arrays, InferenceTile::weights)
    }

    /// The same with drift compensation: the mean product is that with these weights, if the circuits are ideal.
    #[must_use]
    pub fn compensated_weights(&self) -> DMatrix<f32> {
        logical(&self.arrays, InferenceTile::compensated_weights)
    }
}

impl MatVec for InferenceMatrix {
    fn shape(&self) -> Shape {
        self.arrays.shape()
    }

    fn forward(
        &self,
        x: DMatrixView<f32>,
        y: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        self.arrays.forward(x, y, draws)
    }

    fn periphery_precision(&self) -> PeripheryQuantization {
        self.arrays.periphery_precision()
    }
}

#[cfg(test)]
#[path = "matrix_tests.rs"]
mod tests;
