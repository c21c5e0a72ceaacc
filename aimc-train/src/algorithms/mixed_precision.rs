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

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::Stream;
use aimc_device::error::{ConfigError, require};
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};
use aimc_tile::Shape;
use aimc_tile::matmul::subtract_outer_products;
use aimc_tile::unit_cell::RowVectors;

use crate::algorithms::digital_rank_update::{Accumulator, RowTransfers, Sample, row_by_row};

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
        self.rows().validate()?;
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

impl MixedPrecision {
    /// What the shared tile needs to know.
    pub(crate) fn rows(&self) -> RowTransfers {
        RowTransfers {
            transfer_every: self.transfer_every,
            n_rows_per_transfer: self.n_rows_per_transfer,
            random_row: self.random_row,
            granularity: self.granularity,
            transfer_lr: self.transfer_lr,
            as_aihwkit: self.as_aihwkit,
        }
    }

    /// The digital part for weights of that shape.
    pub(crate) fn accumulator(&self, shape: Shape) -> FloatAccumulator {
        FloatAccumulator { record: self.clone(), shape, chi: vec![0.0; shape.outputs * shape.inputs] }
    }
}

/// Gradients not yet written, in floating point.
#[derive(Debug)]
pub(crate) struct FloatAccumulator {
    record: MixedPrecision,
    shape: Shape,
    /// Outputs x inputs row by row.
    chi: Vec<f32>,
}

impl FloatAccumulator {
    /// The vectors x and d of samples on their levels, one after another.
    fn binned(&self, samples: &[Sample<'_>]) -> (Vec<f32>, Vec<f32>) {
        let record = &self.record;
        let bin = |sample: &Sample<'_>| {
            let dither = |on: bool, purpose: &str| on.then(|| sample.key.fold_in(label(purpose)).stream(0));
            let x = binned(sample.x, record.n_x_bins, dither(record.stoc_round_x, "x bins"));
            (x, binned(sample.d, record.n_d_bins, dither(record.stoc_round_d, "d bins")))
        };
        let (x, d): (Vec<_>, Vec<_>) = samples.iter().map(bin).unzip();
        (x.concat(), d.concat())
    }
}

/// Adds to a row of χ, and takes the granules out of it, in code for the vector units that the processor has.
struct Take<'a> {
    /// x, and lr and d of the row.
    pair: Option<(&'a [f32], f32, f32)>,
    chi: &'a mut [f32],
    granule: f32,
    granules: &'a mut [f32],
}

impl WithSimd for Take<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Self { pair, chi, granule, granules } = self;
        if let Some((x, lr, d)) = pair {
            for (chi, x) in chi.iter_mut().zip(x) {
                *chi += lr * (d * x);
            }
        }
        for (chi, taken) in chi.iter_mut().zip(granules) {
            // Below a granule nothing changes: its quotient is cut to 0.
            *taken = (*chi / granule).trunc();
            *chi -= *taken * granule;
        }
    }
}

impl Accumulator for FloatAccumulator {
    fn add(&mut self, samples: &[Sample<'_>], lr: f32) {
        let (x, d) = self.binned(samples);
        let Shape { outputs, inputs } = self.shape;
        subtract_outer_products(&mut self.chi, outputs, inputs, &x, &d, -lr);
    }

    fn taking<'a>(
        &'a mut self,
        samples: &'a [Sample<'_>],
        rows: Range<usize>,
        granule: f32,
        lr: f32,
    ) -> Box<RowVectors<'a>> {
        // The product of one pair is added on the way: χ is read and written once.
        let on_the_way = samples.len() == 1 && rows.len() == self.shape.outputs;
        let pair = on_the_way.then(|| self.binned(samples));
        if pair.is_none() {
            self.add(samples, lr);
        }
        row_by_row(&mut self.chi, self.shape, rows, move |row, chi, granules| {
            let pair = pair.as_ref().map(|(x, d)| (&x[..], lr, d[row]));
            Arch::new().dispatch(Take { pair, chi, granule, granules });
        })
    }

    fn clear(&mut self) {
        self.chi.fill(0.0);
    }

    fn state(&self) -> State {
        let mut state = State::default();
        state.put("chi", self.chi.clone());
        state
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        self.chi = state.floats("chi", self.chi.len())?.to_vec();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_device::RngKey;

    /// χ and what is taken of it are the same bits, whether the product of a pair is added before or on the way.
    #[test]
    fn products_are_added_on_the_way() {
        let shape = Shape { outputs: 3, inputs: 70 };
        let record = MixedPrecision { n_d_bins: 7, ..MixedPrecision::default() };
        let [mut before, mut on_the_way] = [record.accumulator(shape), record.accumulator(shape)];
        for step in 0..5 {
            let key = RngKey::root(step);
            let (mut x, mut d) = ([0.0; 70], [0.0; 3]);
            key.stream(1).fill_normal(&mut x);
            key.stream(2).fill_normal(&mut d);
            let pair = [Sample { x: &x, d: &d, key }];
            before.add(&pair, 0.3);
            let take = |take: Box<RowVectors<'_>>| {
                let mut granules = vec![0.0; 210];
                granules.chunks_mut(70).enumerate().for_each(|(row, granules)| take(row, granules));
                granules
            };
            let granules = take(before.taking(&[], 0..3, 0.2, 0.3));
            assert_eq!(granules, take(on_the_way.taking(&pair, 0..3, 0.2, 0.3)));
            assert_eq!(before.chi, on_the_way.chi);
            assert!(granules.iter().any(|k| *k != 0.0));
        }
    }

    /// q(v) = Δ·round(v/Δ), Δ = max |v|/⌊n/2⌋ for n bins, halves to even; n = 0: exact.
    #[test]
    fn levels_by_hand() {
        let values = [1.0, 0.4, -0.3, 0.0];
        assert_eq!(binned(&values, 0, None), values);
        assert_eq!(binned(&values, 3, None), [1.0, 0.0, 0.0, 0.0]);
        assert_eq!(binned(&values, 5, None), [1.0, 0.5, -0.5, 0.0]);
        assert_eq!(binned(&[0.0; 2], 5, None), [0.0; 2]);
    }
}
