//! Mixed precision: gradients are accumulated digitally, and whole granules of them are pulsed into the devices.
//!
//! ```text
//! χ ← χ + lr·Q(d) Q(x)ᵀ                     every vector
//! k = trunc(χ/ε),  χ ← χ - kε,  W ← W - transfer_lr·ε·k (pulses)      rows in turn, every E mini-batches
//! Q(v) = clamp(rint(v/Δ), ±h)·Δ,  Δ = max|v|/h,  h = ⌊bins/2⌋         without bins: v itself
//! ```
//!
//! | symbol | field | typical |
//! |---|---|---|
//! | ε granule | `granularity`; 0: that of the device | dw_min |
//! | E, rows per transfer | `transfer_every`, `n_rows_per_transfer`, `random_row` | 1, all |
//! | bins of activations and errors | `n_x_bins`, `n_d_bins`, `stoc_round_x`, `stoc_round_d` | full precision |
//!
//! What is not yet written stays in χ: lr·ΣQ(d)Q(x)ᵀ = χ + ε·Σk exactly, and |χ| < ε in a row that was just transferred.
//! Rounding up and down at random makes Q unbiased. An even number of bins acts as the next odd one. The pulses of a row
//! are planned with update and BL management; a row whose largest k exceeds `desired_bl` is written only in part.
//!
//! AIHWKit 1.1 transfers one vector late (`as_aihwkit`).
//!
//! Reference: S. R. Nandakumar et al. 2020, *Mixed-Precision Deep Learning Based on Computational Memory*, Front. Neurosci.
//! 14:406, doi:10.3389/fnins.2020.00406.

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};
use aimc_device::{RngKey, Stream};
use aimc_tile::{
    AnalogTile, MatVec, ReadOut, SampleKeys, Shape, Tile, TileConfig, TileError, UpdateConfig, check_update,
};

use crate::algorithms::transfer_tile::{column, one_hot};

/// Mixed precision, see the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MixedPrecision {
    /// Mini-batches between two transfers; 0 is never.
    pub transfer_every: u64,
    /// Rows written in a transfer; 0 or below is all.
    pub n_rows_per_transfer: i64,
    /// The first row of a transfer is random; otherwise rows come in turn.
    pub random_row: bool,
    /// Granule in which χ is written; 0 is the granularity of the device.
    pub granularity: f32,
    /// Factor of what is written.
    pub transfer_lr: f32,
    /// Levels of the activations; 0 is full precision.
    pub n_x_bins: u32,
    /// Levels of the errors; 0 is full precision.
    pub n_d_bins: u32,
    /// Round activations stochastically to their levels.
    pub stoc_round_x: bool,
    /// Round errors stochastically to their levels.
    pub stoc_round_d: bool,
    /// Follow AIHWKit 1.1 where it departs from the paper.
    pub as_aihwkit: bool,
}

impl Default for MixedPrecision {
    fn default() -> Self {
        Self {
            transfer_every: 1,
            n_rows_per_transfer: -1,
            random_row: false,
            granularity: 0.0,
            transfer_lr: 1.0,
            n_x_bins: 0,
            n_d_bins: 0,
            stoc_round_x: true,
            stoc_round_d: true,
            as_aihwkit: false,
        }
    }
}

impl MixedPrecision {
    /// Refuses parameters outside their range.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        require::non_negative("granularity", self.granularity)?;
        require::positive("transfer_lr", self.transfer_lr)?;
        for (field, bins) in [("n_x_bins", self.n_x_bins), ("n_d_bins", self.n_d_bins)] {
            require::that(bins != 1, field, bins, "must be 2 or more, or 0 for full precision")?;
        }
        Ok(())
    }
}

/// `values` on levels, see the [module](self); `dither` makes the rounding stochastic.
pub(crate) fn binned(values: &[f32], bins: u32, mut dither: Option<Stream>) -> Vec<f32> {
    let half = (bins / 2) as f32;
    let largest = values.iter().fold(0.0_f32, |largest, v| largest.max(v.abs()));
    if bins == 0 || largest == 0.0 {
        return values.to_vec();
    }
    let width = largest / half;
    let level = |v: &f32| {
        let shift = dither.as_mut().map_or(0.0, |stream| stream.uniform() - 0.5);
        (v / width + shift).round_ties_even().clamp(-half, half) * width
    };
    values.iter().map(level).collect()
}

/// A tile that learns in mixed precision.
#[derive(Debug)]
pub struct MixedPrecisionTile {
    record: MixedPrecision,
    array: AnalogTile,
    granule: f32,
    /// Gradients not yet written, outputs x inputs row by row.
    chi: Vec<f32>,
    vectors: u64,
    next_row: usize,
}

impl MixedPrecisionTile {
    /// Validates, then fabricates the array.
    pub(crate) fn new(
        record: &MixedPrecision,
        tile: &TileConfig,
        shape: Shape,
        key: RngKey,
    ) -> Result<Self, ConfigError> {
        record.validate()?;
        let managed =
            UpdateConfig { update_management: true, update_bl_management: true, ..tile.update.clone() };
        let array = TileConfig { update: managed, ..tile.clone() }.build(shape, key)?;
        let granule = if record.granularity > 0.0 { record.granularity } else { array.granularity() };
        let requirement = "must be above 0: this device has no granularity of its own";
        require::that(granule > 0.0, "granularity", record.granularity, requirement)?;
        let chi = vec![0.0; shape.outputs * shape.inputs];
        Ok(Self { record: record.clone(), array, granule, chi, vectors: 0, next_row: 0 })
    }

    fn accumulate(&mut self, x: &[f32], d: &[f32], lr: f32, key: RngKey) {
        let dither = |on: bool, purpose: &str| on.then(|| key.fold_in(label(purpose)).stream(0));
        let x = binned(x, self.record.n_x_bins, dither(self.record.stoc_round_x, "x bins"));
        let d = binned(d, self.record.n_d_bins, dither(self.record.stoc_round_d, "d bins"));
        for (row, d) in self.chi.chunks_mut(x.len()).zip(d) {
            row.iter_mut().zip(&x).for_each(|(chi, x)| *chi += lr * d * x);
        }
    }

    fn transfer(&mut self, draws: SampleKeys) -> Result<(), TileError> {
        let Shape { outputs, inputs } = self.shape();
        let rows = usize::try_from(self.record.n_rows_per_transfer).unwrap_or(0);
        let rows = if rows == 0 { outputs } else { rows.min(outputs) };
        let random = self.record.random_row && rows < outputs;
        let start = if random {
            draws.sample(0).fold_in(label("row")).stream(0).below(outputs as u32) as usize
        } else {
            self.next_row
        };
        for step in 0..rows {
            let row = (start + step) % outputs;
            let chi = &mut self.chi[row * inputs..(row + 1) * inputs];
            let granules: Vec<f32> = chi.iter().map(|chi| (chi / self.granule).trunc()).collect();
            chi.iter_mut().zip(&granules).for_each(|(chi, k)| *chi -= k * self.granule);
            let draws = draws.fold_in(label("row update")).fold_in(step as u64);
            let lr = self.granule * self.record.transfer_lr;
            self.array.update(column(&granules), column(&one_hot(outputs, row)), lr, draws)?;
        }
        self.next_row = (start + rows) % outputs;
        Ok(())
    }
}

impl MatVec for MixedPrecisionTile {
    fn shape(&self) -> Shape {
        self.array.shape()
    }

    fn forward(
        &self,
        x: DMatrixView<f32>,
        y: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        self.array.forward(x, y, draws)
    }
}

impl Tile for MixedPrecisionTile {
    fn backward(
        &self,
        d: DMatrixView<f32>,
        z: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        self.array.backward(d, z, draws)
    }

    fn update(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: f32,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        check_update(self.shape(), &x, &d, lr)?;
        if lr == 0.0 {
            return Ok(());
        }
        let period = self.record.transfer_every * x.ncols() as u64;
        for sample in 0..x.ncols() {
            let draws = draws.skip(sample as u64);
            let (x, d) = (x.column(sample), d.column(sample));
            self.accumulate(x.as_slice(), d.as_slice(), lr, draws.sample(0));
            let seen = self.vectors + u64::from(!self.record.as_aihwkit);
            if period > 0 && seen > 0 && seen.is_multiple_of(period) {
                self.transfer(draws.fold_in(label("transfer")))?;
            }
            self.vectors += 1;
        }
        Ok(())
    }

    fn end_of_step(&mut self, key: RngKey) {
        self.array.end_of_step(key);
    }

    fn state(&self) -> State {
        let mut state = State::default();
        state.nest("array", self.array.state());
        state.put("chi", self.chi.clone());
        state.put("vectors", vec![self.vectors]);
        state.put("next_row", vec![self.next_row as u64]);
        state
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        let chi = state.floats("chi", self.chi.len())?.to_vec();
        let (vectors, next_row) = (state.counts("vectors", 1)?[0], state.counts("next_row", 1)?[0]);
        self.array.restore(&state.part("array"))?;
        (self.chi, self.vectors, self.next_row) = (chi, vectors, next_row as usize);
        Ok(())
    }
}

impl ReadOut for MixedPrecisionTile {
    fn weights(&self) -> DMatrix<f32> {
        self.array.weights()
    }

    /// What was not yet written is forgotten.
    fn set_weights(&mut self, weights: &DMatrix<f32>, key: RngKey) -> Result<(), TileError> {
        self.array.set_weights(weights, key)?;
        self.chi.fill(0.0);
        (self.vectors, self.next_row) = (0, 0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_by_hand() {
        let values = [1.0, 0.4, -0.3, 0.0];
        assert_eq!(binned(&values, 0, None), values);
        assert_eq!(binned(&values, 3, None), [1.0, 0.0, 0.0, 0.0]);
        assert_eq!(binned(&values, 5, None), [1.0, 0.5, -0.5, 0.0]);
        assert_eq!(binned(&[0.0; 2], 5, None), [0.0; 2]);
    }
}
