//! Mixed precision in integers: the accumulator holds whole numbers, so that it costs no floating-point unit.
//!
//! ```text
//! m_x ← μ m_x + (1 - μ)max|x|,  m_d likewise       the first value is copied, vectors of zeros are left out
//! q(v) = clamp(rint(v/Δ), ±h),  Δ = m/h,  h = ⌊bins/2⌋        with stoc_round: rint(v/Δ + U), U uniform in ±½
//! χ ← χ + q(d) q(x)ᵀ                               whole numbers, every vector
//! θ = max(rint(ε/(lr Δ_d Δ_x)), 1),  k = trunc(χ/θ),  χ ← χ - rint((1 - momentum_chi)θk)
//! W ← W - transfer_lr·ε·k (pulses)                 rows in turn, every E mini-batches
//! ```
//!
//! | symbol | field | typical |
//! |---|---|---|
//! | bins of activations and errors, at least 3 | `n_x_bins`, `n_d_bins` | 5, 3 |
//! | μ, momentum of the running sizes | `momentum_nm` | 0.9 |
//! | what stays of what was written | `momentum_chi` | 0 |
//! | rounding at random | `stoc_round` | off |
//! | ε, E, rows | as for [`mixed_precision`](super::mixed_precision) | |
//!
//! Without momentum the sum is conserved exactly: Σ q(d) q(x)ᵀ = χ + Σθk. Values above the running size are cut. The width Δ
//! is the same for rounding and for the threshold; the C++ code of AIHWKit, which does not expose this algorithm, rounds odd
//! numbers of bins with bins/2 and writes with ⌊bins/2⌋. Not modelled: overflow of narrow counters (they have 64 bits).
//!
//! Reference: S. R. Nandakumar et al. 2020, *Mixed-Precision Deep Learning Based on Computational Memory*, Front. Neurosci.
//! 14:406, doi:10.3389/fnins.2020.00406.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};
use aimc_tile::Shape;
use aimc_tile::unit_cell::RowVectors;

use crate::algorithms::digital_rank_update::{Accumulator, RowTransfers, Sample, row_by_row};

/// Mixed precision in integers, see the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MixedPrecisionInt {
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
    /// Levels of the activations.
    pub n_x_bins: u32,
    /// Levels of the errors.
    pub n_d_bins: u32,
    /// Share of what was written that stays in χ.
    pub momentum_chi: f32,
    /// Momentum of the running sizes of x and d.
    pub momentum_nm: f32,
    /// Round stochastically.
    pub stoc_round: bool,
}

impl Default for MixedPrecisionInt {
    fn default() -> Self {
        Self {
            transfer_every: 1,
            n_rows_per_transfer: -1,
            random_row: false,
            granularity: 0.0,
            transfer_lr: 1.0,
            n_x_bins: 5,
            n_d_bins: 3,
            momentum_chi: 0.0,
            momentum_nm: 0.9,
            stoc_round: false,
        }
    }
}

impl MixedPrecisionInt {
    /// Refuses parameters outside their range.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        self.rows().validate()?;
        for (field, bins) in [("n_x_bins", self.n_x_bins), ("n_d_bins", self.n_d_bins)] {
            require::that((3..=65535).contains(&bins), field, bins, "must lie between 3 and 65535")?;
        }
        require::probability("momentum_chi", self.momentum_chi)?;
        require::probability("momentum_nm", self.momentum_nm)
    }

    /// What the shared tile needs to know.
    pub(crate) fn rows(&self) -> RowTransfers {
        RowTransfers {
            transfer_every: self.transfer_every,
            n_rows_per_transfer: self.n_rows_per_transfer,
            random_row: self.random_row,
            granularity: self.granularity,
            transfer_lr: self.transfer_lr,
            as_aihwkit: false,
        }
    }

    /// The digital part for weights of that shape.
    pub(crate) fn accumulator(&self, shape: Shape) -> IntAccumulator {
        let chi = vec![0; shape.outputs * shape.inputs];
        IntAccumulator { record: self.clone(), shape, chi, sizes: [0.0; 2] }
    }
}

/// Gradients not yet written, in whole numbers.
#[derive(Debug)]
pub(crate) struct IntAccumulator {
    record: MixedPrecisionInt,
    shape: Shape,
    /// Outputs x inputs row by row.
    chi: Vec<i64>,
    /// Running sizes m_x and m_d; 0 before the first vector.
    sizes: [f32; 2],
}

impl IntAccumulator {
    /// h of x and d.
    fn halves(&self) -> [f32; 2] {
        [self.record.n_x_bins, self.record.n_d_bins].map(|bins| (bins / 2) as f32)
    }

    /// Follows the size of `values`, then puts them on levels.
    fn quantise(&mut self, side: usize, values: &[f32], key: RngKey) -> Vec<i64> {
        let largest = values.iter().fold(0.0_f32, |largest, v| largest.max(v.abs()));
        let (mu, half) = (self.record.momentum_nm, self.halves()[side]);
        let size = &mut self.sizes[side];
        if largest > 0.0 {
            *size = if *size > 0.0 { mu * *size + (1.0 - mu) * largest } else { largest };
        }
        if *size == 0.0 {
            return vec![0; values.len()];
        }
        let width = *size / half;
        let mut dither = self.record.stoc_round.then(|| key.fold_in(side as u64).stream(0));
        let level = |v: &f32| {
            let shift = dither.as_mut().map_or(0.0, |stream| stream.uniform() - 0.5);
            (v / width + shift).round_ties_even().clamp(-half, half) as i64
        };
        values.iter().map(level).collect()
    }
}

impl Accumulator for IntAccumulator {
    fn add(&mut self, samples: &[Sample<'_>], _lr: f32) {
        for sample in samples {
            let key = sample.key.fold_in(label("integer bins"));
            let (x, d) = (self.quantise(0, sample.x, key), self.quantise(1, sample.d, key));
            for (row, d) in self.chi.chunks_mut(x.len()).zip(d) {
                row.iter_mut().zip(&x).for_each(|(chi, x)| *chi += d * x);
            }
        }
    }

    fn taking<'a>(
        &'a mut self,
        samples: &[Sample<'_>],
        rows: Range<usize>,
        granule: f32,
        lr: f32,
    ) -> Box<RowVectors<'a>> {
        self.add(samples, lr);
        let [x_half, d_half] = self.halves();
        let unit = lr * (self.sizes[0] / x_half) * (self.sizes[1] / d_half);
        // Before the first vector χ is 0, whatever the threshold; a cast from infinity saturates.
        let threshold = ((granule / unit).round_ties_even() as i64).max(1);
        let stays = 1.0 - f64::from(self.record.momentum_chi);
        row_by_row(&mut self.chi, self.shape, rows, move |_, chi, granules| {
            for (chi, taken) in chi.iter_mut().zip(granules) {
                let whole = *chi / threshold;
                *chi -= (stays * (whole * threshold) as f64).round_ties_even() as i64;
                *taken = whole as f32;
            }
        })
    }

    fn clear(&mut self) {
        self.chi.fill(0);
    }

    fn state(&self) -> State {
        let mut state = State::default();
        // Two's complement.
        state.put("chi", self.chi.iter().map(|chi| chi.cast_unsigned()).collect::<Vec<u64>>());
        state.put("sizes", self.sizes.to_vec());
        state
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        let chi = state.counts("chi", self.chi.len())?;
        let sizes = state.floats("sizes", 2)?;
        self.chi = chi.iter().map(|chi| chi.cast_signed()).collect();
        self.sizes.copy_from_slice(sizes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(digital: &mut IntAccumulator, row: usize) -> Vec<f32> {
        let mut granules = vec![0.0; digital.shape.inputs];
        digital.taking(&[], row..row + 1, 0.1, 0.1)(row, &mut granules);
        granules
    }

    /// χ ← χ + round(d/Δd)·round(x/Δx); taken is trunc(χ/θ) granules, θ = granularity/(η·Δx·Δd).
    #[test]
    fn sums_and_thresholds_by_hand() {
        let record = MixedPrecisionInt { momentum_nm: 0.0, ..MixedPrecisionInt::default() };
        let mut digital = record.accumulator(Shape { outputs: 2, inputs: 3 });
        let key = RngKey::root(1);
        // Widths 0.5 and 1: x is 2, 1, 0 and d is 1, -1.
        digital.add(&[Sample { x: &[1.0, 0.4, -0.2], d: &[1.0, -0.8], key }], 0.1);
        assert_eq!(digital.chi, [2, 1, 0, -2, -1, 0]);
        digital.add(&[Sample { x: &[1.0, 0.4, -0.2], d: &[1.0, 0.3], key }], 0.1);
        assert_eq!(digital.chi, [4, 2, 0, -2, -1, 0]);
        // A granule of 0.1 is 0.1/(0.1·0.5·1) = 2 units; halves stay.
        assert_eq!(taken(&mut digital, 0), [2.0, 1.0, 0.0]);
        assert_eq!(taken(&mut digital, 1), [-1.0, 0.0, 0.0]);
        assert_eq!(digital.chi, [0, 0, 0, 0, -1, 0]);
    }

    /// x = d = 0: χ = 0.
    #[test]
    fn nothing_comes_of_nothing() {
        let mut digital = MixedPrecisionInt::default().accumulator(Shape { outputs: 1, inputs: 2 });
        digital.add(&[Sample { x: &[0.0, 0.0], d: &[0.0], key: RngKey::root(1) }], 0.1);
        assert_eq!(taken(&mut digital, 0), [0.0, 0.0]);
    }

    #[test]
    fn fields_are_refused_by_name() {
        let base = MixedPrecisionInt::default;
        let refused = |record: MixedPrecisionInt| record.validate().unwrap_err().field;
        assert_eq!(refused(MixedPrecisionInt { n_x_bins: 2, ..base() }), "n_x_bins");
        assert_eq!(refused(MixedPrecisionInt { n_d_bins: 0, ..base() }), "n_d_bins");
        assert_eq!(refused(MixedPrecisionInt { momentum_chi: 1.5, ..base() }), "momentum_chi");
        assert_eq!(refused(MixedPrecisionInt { momentum_nm: -0.1, ..base() }), "momentum_nm");
        assert_eq!(refused(MixedPrecisionInt { granularity: -1.0, ..base() }), "granularity");
        assert_eq!(refused(MixedPrecisionInt { transfer_lr: 0.0, ..base() }), "transfer_lr");
    }
}
