//! Joint search of the input range and of the range of the ADC: the least error of the products of a tile.
//!
//! ```text
//! (r, b) = argmin √(Σ|y(r, b) - Wx|²/Σ|Wx|²)
//! r = max|x|·2^(-i/2),   b = max|current(r)|·2^(-j/2),   i, j = 0 … candidates - 1
//! ```
//!
//! A wide input range wastes levels of the DAC and current, so that output noise and the steps of the ADC weigh more; a narrow one cuts.
//! The best r depends on b and the other way round, which rules of one side cannot see. The best pair of the grid is refined by golden
//! sections of ln r and ln b in turn, each between the neighbours on the grid. Whatever is tried is remembered, the starting points too,
//! so that the result is never worse than any of them on the cached inputs. Nothing promises the global minimum.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};

use super::test_bench::{Ranges, TestBench};
use crate::error::InferenceError;

/// The search, see the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JointSearch {
    /// Candidates of each range on the grid.
    pub candidates: usize,
    /// Narrowings of each golden section.
    pub narrowings: usize,
    /// How often both ranges are refined in turn.
    pub rounds: usize,
}

impl Default for JointSearch {
    fn default() -> Self {
        Self { candidates: 6, narrowings: 6, rounds: 1 }
    }
}

/// Between neighbours on the grid: a factor √2.
const GRID_STEP: f32 = 0.5 * std::f32::consts::LN_2;

impl JointSearch {
    /// Refuses a search without candidates.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require::at_least_one("candidates", self.candidates)
    }

    /// The ranges of least error that were found, from several starting points (at least one).
    pub(super) fn best(&self, bench: &TestBench<'_>, starts: &[Ranges]) -> Result<Ranges, InferenceError> {
        let mut best = Best { bench, ranges: starts[0], error: f64::INFINITY };
        for start in starts {
            best.try_out(*start)?;
        }
        let has_input = starts[0].input.is_some();
        for i in 0..if has_input { self.candidates } else { 1 } {
            let input = has_input.then(|| bench.largest_input() * (-GRID_STEP * i as f32).exp());
            let ranges = Ranges { input: input.filter(|range| range.is_normal()), ..starts[0] };
            let Some(largest) = bench.currents(ranges)?.pop() else { continue };
            for j in 0..self.candidates {
                let output = largest as f32 * (-GRID_STEP * j as f32).exp();
                best.try_out(Ranges { output, ..ranges })?;
            }
        }
        for _ in 0..self.rounds {
            if let Some(input) = best.ranges.input {
                let at = best.ranges;
                best.golden(self.narrowings, |factor| Ranges { input: Some(input * factor), ..at })?;
            }
            let at = best.ranges;
            best.golden(self.narrowings, |factor| Ranges { output: at.output * factor, ..at })?;
        }
        Ok(best.ranges)
    }
}

/// The best that was tried.
struct Best<'a> {
    bench: &'a TestBench<'a>,
    ranges: Ranges,
    error: f64,
}

impl Best<'_> {
    /// The error of `ranges`; infinite for what no circuit has, and where there is nothing to compare with.
    fn try_out(&mut self, ranges: Ranges) -> Result<f64, InferenceError> {
        let exists = |range: f32| range.is_normal() && range > 0.0;
        let infinite = ranges.output <= 0.0;
        if !(infinite || exists(ranges.output)) || !ranges.input.is_none_or(exists) {
            return Ok(f64::INFINITY);
        }
        let error = self.bench.error(ranges)?.unwrap_or(f64::INFINITY);
        if error < self.error {
            (self.ranges, self.error) = (ranges, error);
        }
        Ok(error)
    }

    /// Looks between a step of the grid below and one above along a line of factors.
    fn golden(&mut self, narrowings: usize, along: impl Fn(f32) -> Ranges) -> Result<(), InferenceError> {
        let ratio = 0.5 * (5.0_f32.sqrt() - 1.0);
        let (mut low, mut high) = (-GRID_STEP, GRID_STEP);
        let inner = |low: f32, high: f32| (high - ratio * (high - low), low + ratio * (high - low));
        let (mut a, mut b) = inner(low, high);
        let (mut at_a, mut at_b) = (self.try_out(along(a.exp()))?, self.try_out(along(b.exp()))?);
        for _ in 0..narrowings {
            if at_a <= at_b {
                (high, b, at_b) = (b, a, at_a);
                a = inner(low, high).0;
                at_a = self.try_out(along(a.exp()))?;
            } else {
                (low, a, at_a) = (a, b, at_b);
                b = inner(low, high).1;
                at_b = self.try_out(along(b.exp()))?;
            }
        }
        Ok(())
    }
}
