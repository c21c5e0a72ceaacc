//! Device-to-device sampling: what one fabrication run gives each device for life.
//!
//! With ξ a fresh standard normal per device and quantity, dw = `dw_min`, r = `up_down_dtod`·ξ:
//!
//! ```text
//! b⁺ = w_max(1 + w_max_dtod ξ)      b⁻ = w_min(1 + w_min_dtod ξ)
//! g  = 1 + dw_min_dtod ξ            (log-normal: exp(dw_min_dtod ξ), mean exp(dw_min_dtod²/2))
//! a⁺ = dw(g + r + min(up_down, 0))  a⁻ = dw(g - r - max(up_down, 0))
//! ```
//!
//! The systematic asymmetry only ever weakens one side. `enforce_consistency` then folds steps and bounds to
//! their physical sign; without it devices with b⁻ > b⁺ freeze in the middle. Corrupt devices come next,
//! then the perfect bias column.

use std::marker::PhantomData;

use crate::pulsed::{Cell, Common, Constants, PulsedDevice};
use crate::rng::{RngKey, Stream, label};

/// Per-device constants of an array, row by row; a structure of arrays for the loops over devices.
#[derive(Clone, Debug, PartialEq)]
pub struct Cells<E: Constants> {
    /// Up steps a⁺.
    pub up: Vec<f32>,
    /// Down steps a⁻.
    pub down: Vec<f32>,
    /// Upper bounds b⁺.
    pub w_max: Vec<f32>,
    /// Lower bounds b⁻.
    pub w_min: Vec<f32>,
    /// The model's own constants, one list for each of their names.
    pub extra: Vec<Vec<f32>>,
    model: PhantomData<E>,
}

impl<E: Constants> Cells<E> {
    fn with_capacity(n: usize) -> Self {
        let list = || Vec::with_capacity(n);
        let extra = E::NAMES.iter().map(|_| list()).collect();
        Self { up: list(), down: list(), w_max: list(), w_min: list(), extra, model: PhantomData }
    }

    fn push(&mut self, cell: Cell, extra: E) {
        self.up.push(cell.up);
        self.down.push(cell.down);
        self.w_max.push(cell.w_max);
        self.w_min.push(cell.w_min);
        self.extra.iter_mut().enumerate().for_each(|(k, list)| list.push(extra.number(k)));
    }

    /// The model's own constants of device `index`.
    #[inline(always)]
    #[must_use]
    pub fn extra(&self, index: usize) -> E {
        E::of(|k| self.extra[k][index])
    }

    /// Turns every device into its mirror image.
    pub fn mirror(&mut self) {
        std::mem::swap(&mut self.up, &mut self.down);
        std::mem::swap(&mut self.w_max, &mut self.w_min);
        self.w_max.iter_mut().chain(&mut self.w_min).for_each(|bound| *bound = -*bound);
        for index in 0..self.up.len() {
            let image = self.extra(index).mirrored();
            self.extra.iter_mut().enumerate().for_each(|(k, list)| list[index] = image.number(k));
        }
    }

    /// The common constants of device `index`.
    #[inline(always)]
    #[must_use]
    pub fn cell(&self, index: usize) -> Cell {
        Cell {
            up: self.up[index],
            down: self.down[index],
            w_max: self.w_max[index],
            w_min: self.w_min[index],
        }
    }
}

/// Per-device constants of forgetting, row by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RetentionCells {
    /// Factor D by which decay shrinks the distance to the reset weight, per call.
    pub decay: Vec<f32>,
    /// Std of the random walk per call.
    pub diffusion: Vec<f32>,
    /// Reset weight β.
    pub reset: Vec<f32>,
    /// Drift exponent ν.
    pub drift_nu: Vec<f32>,
}

/// Draws the constants of `rows` x `columns` devices.
pub fn fabricate<D: PulsedDevice>(
    device: &D,
    rows: usize,
    columns: usize,
    key: RngKey,
) -> (Cells<D::Extra>, RetentionCells) {
    let common = device.common();
    let key = if common.construction_seed == 0 { key } else { RngKey::root(common.construction_seed) };
    let (shared_key, model_key) = (key.fold_in(label("cells")), key.fold_in(label("model")));
    let n = rows * columns;
    let mut cells = Cells::with_capacity(n);
    let mut retention = RetentionCells::default();
    for row in 0..rows {
        // One stream per row: a wider array keeps the devices of its first columns.
        let mut shared = shared_key.stream(row as u64);
        let mut own = model_key.stream(row as u64);
        for column in 0..columns {
            let mut cell = sample_cell(&common, &mut shared);
            if common.perfect_bias && column + 1 == columns {
                cell = perfect_bias(&common);
            }
            let extra = device.fabricate_extra(&mut cell, &mut own);
            cells.push(cell, extra);
            let shift = device.reset_shift(cell, extra);
            sample_retention(&common, shift, &mut shared, &mut retention);
        }
    }
    (cells, retention)
}

fn sample_cell(common: &Common, draws: &mut Stream) -> Cell {
    let w_max = common.w_max * (1.0 + common.w_max_dtod * draws.normal());
    let w_min = common.w_min * (1.0 + common.w_min_dtod * draws.normal());
    let spread = common.dw_min_dtod * draws.normal();
    let gain = if common.dw_min_dtod_log_normal { spread.exp() } else { 1.0 + spread };
    let r = common.up_down_dtod * draws.normal();
    let up = common.dw_min * (gain + r + common.up_down.min(0.0));
    let down = common.dw_min * (gain - r - common.up_down.max(0.0));
    let cell = consistent(common.enforce_consistency, Cell { up, down, w_max, w_min });
    // Both draws happen for every device, so that a change of the probability moves no other constant.
    let (chance, place) = (draws.uniform(), draws.uniform());
    if chance < common.corrupt_devices_prob {
        corrupt(cell, common.corrupt_devices_range, place)
    } else {
        cell
    }
}

fn consistent(fold: bool, cell: Cell) -> Cell {
    let Cell { up, down, w_max, w_min } = cell;
    let inverted = w_min > w_max;
    if fold {
        let (w_max, w_min) = if inverted { (w_min, w_max) } else { (w_max, w_min) };
        Cell { up: up.abs(), down: down.abs(), w_max: w_max.abs(), w_min: -w_min.abs() }
    } else if inverted {
        let middle = 0.5 * (w_max + w_min);
        Cell { up, down, w_max: middle, w_min: middle }
    } else {
        cell
    }
}

fn corrupt(cell: Cell, range: f32, place: f32) -> Cell {
    let (low, high) = (cell.w_min.max(-range), cell.w_max.min(range));
    let stuck = low + (high - low) * place;
    Cell { up: 0.0, down: 0.0, w_max: stuck, w_min: stuck }
}

fn perfect_bias(common: &Common) -> Cell {
    Cell { up: common.dw_min, down: common.dw_min, w_max: 100.0 * common.w_max, w_min: 100.0 * common.w_min }
}

fn sample_retention(common: &Common, shift: f32, draws: &mut Stream, retention: &mut RetentionCells) {
    let rate = common.diffusion * (1.0 + common.diffusion_dtod * draws.normal());
    retention.diffusion.push(rate.abs());
    retention.reset.push(common.reset + common.reset_dtod * draws.normal() + shift);
    let lifetime = common.lifetime * (1.0 + common.lifetime_dtod * draws.normal());
    retention.decay.push(match () {
        () if common.lifetime <= 0.0 => 1.0,
        () if lifetime > 1.0 => 1.0 - 1.0 / lifetime,
        () => 0.0,
    });
    retention.drift_nu.push(common.drift.nu * (1.0 + common.drift.nu_dtod * draws.normal()));
}
