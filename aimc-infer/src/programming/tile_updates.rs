//! Programming by the tile's own pulsed updates: the target is learned as a training tile learns anything.
//!
//! ```text
//! repeat   E = tile(X) - W X        stop if mean |E|/max |W X| < tolerance        update(X, E, η)
//! ```
//!
//! With the leading singular vectors instead of the inputs themselves:
//!
//! ```text
//! E Xᵀ = Σ_k s_k u_k v_kᵀ        update(√s_k v_k, √s_k u_k, η)   for the `rank` largest s_k
//! ```
//!
//! E Xᵀ is the gradient of |E|²/2, and of all sums of `rank` outer products the leading ones are nearest to it (Eckart &
//! Young 1936, <https://doi.org/10.1007/BF02288367>). Exact updates with η = 1 and one-hot inputs leave the error
//! √(Σ_{k>rank} s_k²) and nothing after ⌈min(inputs, outputs)/rank⌉ rounds; pulses on all lines at once replace an update for every
//! input.
//!
//! | symbol | field | unit | |
//! |---|---|---|---|
//! | X | | | one-hot vectors in InferenceTileConfig; any inputs in [`program_by_updates`] |
//! | η | `learning_rate` | 1 | of every update |
//! | | `rank` | 1 | outer products of an update by singular vectors; without it updates are by the inputs |
//! | | `tolerance` | 1 | mean error of the products at which to stop |
//! | | `max_iter` | 1 | most updates |
//! | | `w_init` | 1 | weights start uniform in ± this |
//!
//! Updates are outer products of pulse trains: their rounding, the noise and the asymmetry of the devices limit what is
//! reached. On an inference tile the weights are divided by max |W|/`w_target` first, and the weights that are reached become
//! conductances by the converter: the unit cell here is one device for the whole weight, whatever the converter makes of it.
//!
//! As AIHWKit's `program_weights` of pulsed tiles, which fails for inputs of one's own and for a second call.

use nalgebra::{DMatrix, DMatrixViewMut, SVD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::programmed::{ProgrammedArray, ProgrammedDevice};
use aimc_device::rng::label;
use aimc_tile::pulse::UpdateConfig;
use aimc_tile::unit_cell::UnitCell;
use aimc_tile::{IoConfig, ReadOut, SampleKeys, Tile, TileConfig, TileError, by_rows, largest_size};

use super::{Effort, Job};
use crate::error::InferenceError;
use crate::program::{device_targets, slice_key};

/// Programming by updates, see the [module](self).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TileUpdates {
    /// The unit cell that learns.
    pub device: UnitCell,
    /// Circuits through which the products are read.
    pub forward: IoConfig,
    /// Pulses of the updates.
    pub update: UpdateConfig,
    /// Updates by this many leading singular vectors of the error; none: by the inputs, one after the other. More than the
    /// tile has lines are as many as it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
    /// Learning rate.
    pub learning_rate: f32,
    /// Most updates.
    pub max_iter: usize,
    /// Mean |error| of the products, relative to the largest of them, at which to stop.
    pub tolerance: f32,
    /// Weights start uniform in ± this.
    pub w_init: f32,
    /// Weight of the cell that stands for the largest |weight|.
    pub w_target: f32,
}

impl Default for TileUpdates {
    fn default() -> Self {
        Self {
            device: UnitCell::default(),
            forward: IoConfig::default(),
            update: UpdateConfig::default(),
            rank: None,
            learning_rate: 0.1,
            max_iter: 10_000,
            tolerance: 0.01,
            w_init: 0.01,
            w_target: 0.5,
        }
    }
}

/// How far programming by updates has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Learned {
    /// Updates made.
    pub iterations: usize,
    /// The last mean |error| relative to the largest product.
    pub error: f64,
    /// Whether it is below the tolerance.
    pub converged: bool,
}

impl TileUpdates {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.tile().validate()?;
        for (field, value) in [
            ("learning_rate", self.learning_rate),
            ("tolerance", self.tolerance),
            ("w_target", self.w_target),
        ] {
            require::positive(field, value)?;
        }
        self.rank.map_or(Ok(()), |rank| require::at_least_one("rank", rank))?;
        require::non_negative("w_init", self.w_init)?;
        require::at_least_one("max_iter", self.max_iter)
    }

    fn tile(&self) -> TileConfig {
        TileConfig {
            device: self.device.clone(),
            forward: self.forward.clone(),
            update: self.update.clone(),
            ..TileConfig::default()
        }
    }

    pub(crate) fn write(
        &self,
        job: &Job<'_>,
        key: RngKey,
    ) -> Result<(Vec<ProgrammedArray>, Effort), InferenceError> {
        let mut tile = self.tile().build(job.shape, key.fold_in(label("tile")))?;
        let unit = largest_size(job.weights).max(f32::MIN_POSITIVE) / self.w_target;
        let target = DMatrix::from_row_slice(job.shape.outputs, job.shape.inputs, job.weights) / unit;
        let x = DMatrix::identity(job.shape.inputs, job.shape.inputs);
        let learned = program_by_updates(&mut tile, &target, &x, self, key.fold_in(label("updates")))?;
        let reached = by_rows(&(tile.weights() * unit));
        let g = device_targets(job.converter, &reached, job.gain, job.device.g_max(), job.shape);
        let settle = |(i, g)| ProgrammedArray::settled(job.device, g, job.shape.inputs, slice_key(key, i));
        let effort = Effort {
            pulses: tile.inventory().pulses.total(),
            products: ((learned.iterations + 1) * job.shape.inputs) as u64,
            ..Effort::default()
        };
        Ok((g.into_iter().enumerate().map(settle).collect(), effort))
    }
}

/// Lets `tile` learn the products of `target` (outputs x inputs) with the columns of `x` (inputs x samples).
///
/// The tile starts from small random weights. `config` says how fast and how long; its device and circuits are not used, the
/// tile has its own.
///
/// ```
/// use aimc_device::RngKey;
/// use aimc_infer::programming::{TileUpdates, tile_updates::program_by_updates};
/// use aimc_tile::{ReadOut, Shape, TileConfig};
/// use nalgebra::DMatrix;
/// let target = DMatrix::from_row_slice(2, 2, &[0.4, -0.2, 0.0, 0.1]);
/// let mut tile = TileConfig::ideal().build(Shape { outputs: 2, inputs: 2 }, RngKey::root(1))?;
/// let x = DMatrix::identity(2, 2);
/// let learned = program_by_updates(&mut tile, &target, &x, &TileUpdates::default(), RngKey::root(2))?;
/// assert!(learned.converged && (tile.weights() - target).amax() < 0.02);
/// # Ok::<(), aimc_infer::InferenceError>(())
/// ```
pub fn program_by_updates(
    tile: &mut (impl Tile + ReadOut),
    target: &DMatrix<f32>,
    x: &DMatrix<f32>,
    config: &TileUpdates,
    key: RngKey,
) -> Result<Learned, InferenceError> {
    let shape = tile.shape();
    let expected = (shape.outputs, shape.inputs);
    if target.shape() != expected {
        return Err(TileError::Shape { what: "target", expected, found: target.shape() }.into());
    }
    if x.nrows() != shape.inputs || x.ncols() == 0 {
        let expected = (shape.inputs, x.ncols().max(1));
        return Err(TileError::Shape { what: "x", expected, found: x.shape() }.into());
    }
    let mut first = key.fold_in(label("first weights")).stream(0);
    let start =
        DMatrix::from_fn(shape.outputs, shape.inputs, |_, _| config.w_init * (2.0 * first.uniform() - 1.0));
    tile.set_weights(&start, key.fold_in(label("start")))?;
    let wanted = target * x;
    let unit = f64::from(wanted.amax().max(f32::MIN_POSITIVE));
    let mut y = DMatrix::zeros(shape.outputs, x.ncols());
    let mut iterations = 0;
    loop {
        let draws = SampleKeys::new(key.fold_in(label("iteration")).fold_in(iterations as u64));
        tile.forward(x.as_view(), DMatrixViewMut::from(&mut y), draws.fold_in(label("products")))?;
        let errors = &y - &wanted;
        let error = errors.iter().map(|e| f64::from(e.abs())).sum::<f64>() / errors.len() as f64 / unit;
        let converged = error < f64::from(config.tolerance);
        if converged || iterations == config.max_iter {
            return Ok(Learned { iterations, error, converged });
        }
        let singular = config.rank.map(|rank| leading(rank, &errors * x.transpose()));
        let (on_inputs, on_outputs) = singular.as_ref().map_or((x, &errors), |(v, u)| (v, u));
        tile.update(
            on_inputs.as_view(),
            on_outputs.as_view(),
            config.learning_rate,
            draws.fold_in(label("pulses")),
        )?;
        iterations += 1;
    }
}

/// The `rank` leading pairs √s v (inputs x rank) and √s u (outputs x rank) of a gradient (outputs x inputs).
fn leading(rank: usize, gradient: DMatrix<f32>) -> (DMatrix<f32>, DMatrix<f32>) {
    let parts = SVD::new(gradient, true, true);
    let (u, v) = (parts.u.expect("was asked for"), parts.v_t.expect("was asked for").transpose());
    let rank = rank.min(parts.singular_values.len());
    let root = DMatrix::from_diagonal(&parts.singular_values.rows(0, rank).map(f32::sqrt));
    (v.columns(0, rank) * &root, u.columns(0, rank) * root)
}

#[cfg(test)]
#[path = "tile_updates_tests.rs"]
mod tests;
