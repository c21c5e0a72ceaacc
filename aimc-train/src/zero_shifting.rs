//! Zero shifting: finds the symmetry point of every device and makes it the zero of the weights.
//!
//! ```text
//! repeat:  w ← w + a⁺(w);  w ← w - a⁻(w)        alternating pulses drive w to its symmetry point, a⁺(w) = a⁻(w)
//! R = mean of w over the last pairs             read after either pulse
//! W = w - R                                     from then on: R is held by a reference, which never learns
//! ```
//!
//! Around a symmetry point the distance of w shrinks by the factor 1 - (s⁺ + s⁻) with every pair, where s± is the slope of
//! the step (for soft bounds a±/|b±|): `pairs` should be several times 1/(s⁺ + s⁻). Without noise the estimate is exact to
//! half a step. Cycle-to-cycle noise makes w diffuse around its symmetry point; averaging over `averaged_pairs` reduces
//! that, but successive pairs are correlated over 1/(s⁺ + s⁻) of them. Devices without a symmetry point (constant steps)
//! end at a bound.
//!
//! | symbol | field | typical |
//! |---|---|---|
//! | pairs of pulses | `pairs` | 2000 |
//! | pairs at the end that are averaged | `averaged_pairs` | 100 |
//! | learning rate of a pulse, the granularity of the device (weight) | `step` | 0.001 |
//!
//! Not modelled: reading errors of the estimate (weights are read out exactly).
//!
//! Reference: H. Kim et al. 2019, *Zero-shifting Technique for Deep Neural Network Training on Resistive Cross-point Arrays*,
//! doi:10.48550/arXiv.1907.10228.
//!
//! ```
//! use aimc_device::{RngKey, config};
//! use aimc_tile::{Shape, TileConfig};
//! use aimc_train::ZeroShifting;
//! // Up steps of 0.01 and down steps of 0.0075 at 0, bounds ±1: equal at 0.0025/0.0175 = 1/7.
//! let text = "[device]\nmodel = \"SoftBounds\"\ndw_min = 0.01\ndw_min_dtod = 0\ndw_min_std = 0\nup_down = 0.25\n\
//!             up_down_dtod = 0\nw_max = 1\nw_max_dtod = 0\nw_min = -1\nw_min_dtod = 0";
//! let tile: TileConfig = config::from_toml(text).unwrap();
//! let mut tile = tile.build(Shape { outputs: 1, inputs: 1 }, RngKey::root(1)).unwrap();
//! let procedure = ZeroShifting { step: 0.01, ..ZeroShifting::default() };
//! let points = procedure.symmetry_points(&mut tile, RngKey::root(2)).unwrap();
//! assert!((points[0] - 1.0 / 7.0).abs() <= 0.005, "{points}");
//! ```

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};
use aimc_tile::{Inventory, MatVec, ReadOut, SampleKeys, Shape, Tile, TileError, TrainableTile};

/// The procedure, see the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ZeroShifting {
    /// Pairs of an up and a down pulse.
    pub pairs: u64,
    /// Pairs at the end whose weights are averaged.
    pub averaged_pairs: u64,
    /// Learning rate of a pulse: the granularity of the device for one pulse each.
    pub step: f32,
}

impl Default for ZeroShifting {
    fn default() -> Self {
        Self { pairs: 2000, averaged_pairs: 100, step: 0.001 }
    }
}

/// The procedure cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum ZeroShiftingError {
    /// Its parameters are refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The tile refuses.
    #[error(transparent)]
    Tile(#[from] TileError),
}

/// How far the symmetry points are from zero, in units of the weight.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetReport {
    /// Symmetry point of each device.
    pub offsets: DMatrix<f32>,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation from device to device.
    pub std: f64,
}

impl OffsetReport {
    fn of(offsets: DMatrix<f32>) -> Self {
        let n = offsets.len() as f64;
        let mean = offsets.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let squares = offsets.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>();
        Self { offsets, mean, std: (squares / n).sqrt() }
    }
}

impl ZeroShifting {
    /// Refuses parameters outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require::that(self.pairs >= 1, "pairs", self.pairs, "must be at least 1")?;
        require::that(
            (1..=self.pairs).contains(&self.averaged_pairs),
            "averaged_pairs",
            self.averaged_pairs,
            "must be at least 1 and at most pairs",
        )?;
        require::positive("step", self.step)
    }

    /// Drives every device to its symmetry point and tells where that is; the devices stay there.
    pub fn symmetry_points<T: Tile + ReadOut>(
        &self,
        tile: &mut T,
        key: RngKey,
    ) -> Result<DMatrix<f32>, ZeroShiftingError> {
        self.validate()?;
        let Shape { outputs, inputs } = tile.shape();
        let x = DMatrix::from_element(inputs, 1, 1.0);
        let mut sum = DMatrix::<f64>::zeros(outputs, inputs);
        for pair in 0..self.pairs {
            // An update lowers what has a positive error.
            for (direction, error) in [("up", -1.0), ("down", 1.0)] {
                let d = DMatrix::from_element(outputs, 1, error);
                let draws = SampleKeys::new(key.fold_in(label(direction)).fold_in(pair));
                tile.update(x.as_view(), d.as_view(), self.step, draws)?;
                if pair >= self.pairs - self.averaged_pairs {
                    sum += tile.weights().cast::<f64>();
                }
            }
        }
        Ok((sum / (2 * self.averaged_pairs) as f64).cast())
    }

    /// The symmetry points as offsets from the zero of the weights.
    pub fn report<T: Tile + ReadOut>(
        &self,
        tile: &mut T,
        key: RngKey,
    ) -> Result<OffsetReport, ZeroShiftingError> {
        self.symmetry_points(tile, key).map(OffsetReport::of)
    }

    /// Writes the symmetry points of `tile` into `reference`, whose weights are subtracted from then on; the report, from a
    /// second estimate, tells how far the symmetry points still are from zero.
    pub fn shift<T: TrainableTile, R: TrainableTile>(
        &self,
        mut tile: T,
        mut reference: R,
        key: RngKey,
    ) -> Result<(ZeroShifted<T, R>, OffsetReport), ZeroShiftingError> {
        let points = self.symmetry_points(&mut tile, key.fold_in(label("estimate")))?;
        reference.set_weights(&points, key.fold_in(label("reference")))?;
        let mut shifted = ZeroShifted { tile, reference };
        let report = self.report(&mut shifted, key.fold_in(label("check")))?;
        Ok((shifted, report))
    }
}

/// A tile whose weights count from a reference: W = tile - reference, where only the tile learns.
#[derive(Debug)]
pub struct ZeroShifted<T, R> {
    tile: T,
    reference: R,
}

impl<T, R> ZeroShifted<T, R> {
    /// What learns.
    pub fn tile(&self) -> &T {
        &self.tile
    }

    /// What is subtracted.
    pub fn reference(&self) -> &R {
        &self.reference
    }
}

/// Draws of the reference, other than those of the tile.
fn apart(draws: SampleKeys) -> SampleKeys {
    draws.fold_in(label("zero shift"))
}

impl<T: MatVec, R: MatVec> MatVec for ZeroShifted<T, R> {
    fn shape(&self) -> Shape {
        self.tile.shape()
    }

    fn forward(
        &self,
        x: DMatrixView<f32>,
        mut y: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        let mut shift = DMatrix::zeros(y.nrows(), y.ncols());
        self.tile.forward(x, y.as_view_mut(), draws)?;
        self.reference.forward(x, shift.as_view_mut(), apart(draws))?;
        y -= shift;
        Ok(())
    }
}

impl<T: Tile, R: Tile> Tile for ZeroShifted<T, R> {
    fn backward(
        &self,
        d: DMatrixView<f32>,
        mut z: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        let mut shift = DMatrix::zeros(z.nrows(), z.ncols());
        self.tile.backward(d, z.as_view_mut(), draws)?;
        self.reference.backward(d, shift.as_view_mut(), apart(draws))?;
        z -= shift;
        Ok(())
    }

    fn update(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: f32,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        self.tile.update(x, d, lr, draws)
    }

    fn end_of_step(&mut self, key: RngKey) {
        self.tile.end_of_step(key);
        self.reference.end_of_step(key.fold_in(label("zero shift")));
    }

    fn inventory(&self) -> Inventory {
        [self.tile.inventory(), self.reference.inventory()].into_iter().sum()
    }

    fn state(&self) -> State {
        let mut state = State::default();
        state.nest("tile", self.tile.state());
        state.nest("reference", self.reference.state());
        state
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        self.reference.restore(&state.part("reference"))?;
        self.tile.restore(&state.part("tile"))
    }
}

impl<T: Tile + ReadOut, R: Tile + ReadOut> ReadOut for ZeroShifted<T, R> {
    fn weights(&self) -> DMatrix<f32> {
        self.tile.weights() - self.reference.weights()
    }

    fn set_weights(&mut self, weights: &DMatrix<f32>, key: RngKey) -> Result<(), TileError> {
        let reference = self.reference.weights();
        if weights.shape() != reference.shape() {
            // The tile names what does not fit.
            return self.tile.set_weights(weights, key);
        }
        self.tile.set_weights(&(weights + reference), key)
    }
}
