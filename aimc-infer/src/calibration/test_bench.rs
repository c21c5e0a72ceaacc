//! One tile on the bench: its error and its currents for given ranges, on cached inputs.
//!
//! The tile has its real circuits and devices that hold exactly what they should. Ranges found so suit every programmed copy, and
//! programming noise, which no range can help, does not blur the comparison. All measurements share their random draws, so that
//! a difference of two errors is one of the ranges.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_tile::sliced::SlicedTile;
use aimc_tile::{IdealTile, IoConfig, LogicalTile, MatVec, SampleKeys};

use crate::error::InferenceError;
use crate::timeline::InferenceTile;

/// Ranges of the converters of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranges {
    /// Input range r; `None` where inputs are not cut.
    pub input: Option<f32>,
    /// Range of the ADC; 0 or below is infinite.
    pub output: f32,
}

type Tile<T> = LogicalTile<SlicedTile<T>>;

/// A tile and its inputs.
pub(super) struct TestBench<'a> {
    ideal: &'a Tile<IdealTile>,
    forward: &'a IoConfig,
    x: DMatrix<f32>,
    /// The exact products, without cutting.
    exact: DMatrix<f32>,
    key: RngKey,
}

impl<'a> TestBench<'a> {
    /// `x` is inputs x vectors.
    pub(super) fn new(
        ideal: &'a Tile<IdealTile>,
        forward: &'a IoConfig,
        x: DMatrix<f32>,
        key: RngKey,
    ) -> Result<Self, InferenceError> {
        let mut bench = Self { ideal, forward, exact: DMatrix::zeros(0, 0), x, key };
        let largest = bench.largest_input();
        if largest > 0.0 {
            let mut uncut = ideal.clone();
            uncut.set_input_range(largest)?;
            bench.exact = bench.products(&uncut)?;
        }
        Ok(bench)
    }

    /// max|x|; 0 without any vector.
    pub(super) fn largest_input(&self) -> f32 {
        self.x.iter().fold(0.0, |largest, x| largest.max(x.abs()))
    }

    /// The ranges that the tile has.
    pub(super) fn present(&self, out_bound: Option<f32>) -> Ranges {
        Ranges { input: self.ideal.input_range(), output: out_bound.unwrap_or(self.forward.out_bound) }
    }

    fn products<T: MatVec>(&self, tile: &Tile<T>) -> Result<DMatrix<f32>, InferenceError> {
        let mut y = DMatrix::zeros(tile.shape().outputs, self.x.ncols());
        let draws = SampleKeys::new(self.key.fold_in(label("products")));
        tile.forward(self.x.as_view(), y.as_view_mut(), draws)?;
        Ok(y)
    }

    /// The tile with real circuits of these ranges.
    fn analog(&self, ranges: Ranges) -> Result<Tile<InferenceTile>, InferenceError> {
        let forward = IoConfig { out_bound: ranges.output, ..self.forward.clone() };
        let array = |array: &IdealTile, key| {
            let weights = aimc_tile::ReadOut::weights(array);
            InferenceTile::with_ideal_devices(&weights, &forward, key)
        };
        let mut tile = self.ideal.try_map(|slices| slices.try_map(self.key, array))?;
        ranges.input.map_or(Ok(()), |range| tile.set_input_range(range))?;
        Ok(tile)
    }

    /// √(Σ|y - Wx|²/Σ|Wx|²) over all vectors; `None` where all exact products are 0.
    pub(super) fn error(&self, ranges: Ranges) -> Result<Option<f64>, InferenceError> {
        if self.x.is_empty() {
            return Ok(None);
        }
        let y = self.products(&self.analog(ranges)?)?;
        let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
        let pairs = y.iter().zip(self.exact.iter());
        let error = squares(&mut pairs.map(|(y, exact)| f64::from(*y) - f64::from(*exact)));
        let signal = squares(&mut self.exact.iter().map(|exact| f64::from(*exact)));
        Ok((signal > 0.0).then(|| (error / signal).sqrt()))
    }

    /// Sizes of the currents of all bit lines and slices, ascending.
    pub(super) fn currents(&self, ranges: Ranges) -> Result<Vec<f64>, InferenceError> {
        if self.x.is_empty() {
            return Ok(Vec::new());
        }
        let tile = self.analog(ranges)?;
        let lines = tile.lines(&self.x.as_view());
        let draws = SampleKeys::new(self.key.fold_in(label("currents")));
        let mut sizes = Vec::new();
        for (k, array) in (0..).zip(tile.tile().slices()) {
            let currents = array.currents(lines.as_view(), draws.fold_in(k))?;
            sizes.extend(currents.iter().map(|current| f64::from(current.abs())));
        }
        sizes.sort_unstable_by(f64::total_cmp);
        Ok(sizes)
    }
}
