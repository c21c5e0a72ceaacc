//! The operation that stands in a graph for a product with constant weights: vectors go through tiles.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use nalgebra::DMatrix;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::{EvalContext, EvalOp, Op, StaticName, TypedOp};
use tract_onnx::tract_core::{as_op, not_out_of_plan, op_as_typed_op};
use tract_onnx::tract_hir::internal::bail;

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_tile::{MatVec, SampleKeys};

use super::job::Job;

/// The tiles of one node, and how often they were used in the present run.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) name: String,
    /// One, or one for each group of a convolution.
    pub(super) tiles: Vec<Box<dyn MatVec>>,
    pub(super) calls: AtomicU64,
    pub(super) products: AtomicU64,
}

impl Unit {
    pub(super) fn new(name: String, tiles: Vec<Box<dyn MatVec>>) -> Self {
        Self { name, tiles, calls: AtomicU64::new(0), products: AtomicU64::new(0) }
    }

    /// Forgets the run before.
    pub(super) fn reset(&self) {
        self.calls.store(0, Ordering::Relaxed);
        self.products.store(0, Ordering::Relaxed);
    }

    /// The product of tile `g` with every column of `x`.
    pub(super) fn product(&self, g: usize, x: &DMatrix<f32>, draws: SampleKeys) -> TractResult<DMatrix<f32>> {
        let tile = &self.tiles[g];
        let mut y = DMatrix::zeros(tile.shape().outputs, x.ncols());
        if let Err(error) = tile.forward(x.as_view(), y.as_view_mut(), draws.fold_in(g as u64)) {
            bail!("{}: {error}", self.name);
        }
        self.products.fetch_add(x.ncols() as u64, Ordering::Relaxed);
        Ok(y)
    }
}

/// The key of a run, which all operations of a model read.
#[derive(Debug)]
pub(super) struct Turn(Mutex<RngKey>);

impl Turn {
    pub(super) fn new() -> Self {
        Self(Mutex::new(RngKey::root(0)))
    }

    pub(super) fn set(&self, key: RngKey) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = key;
    }

    fn key(&self) -> RngKey {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A product on tiles in place of `original`.
#[derive(Clone, Debug)]
pub(super) struct TileOp {
    pub(super) unit: Arc<Unit>,
    pub(super) turn: Arc<Turn>,
    pub(super) job: Arc<Job>,
    /// The operation that it replaces, which knows the shape of the result.
    pub(super) original: Box<dyn TypedOp>,
    /// Shapes of the constant inputs of `original`; none at the place of the data.
    pub(super) constants: Vec<Option<TypedFact>>,
}

/// Two operations do the same only if they are the same: every read of a tile has noise of its own.
impl PartialEq for TileOp {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.unit, &other.unit) && Arc::ptr_eq(&self.job, &other.job)
    }
}

impl Eq for TileOp {}

impl Op for TileOp {
    fn name(&self) -> StaticName {
        "AnalogProduct".into()
    }

    op_as_typed_op!();
}

impl EvalOp for TileOp {
    // The draws of a run belong to the run: neither constant folding nor shape inference may read a tile.
    not_out_of_plan!();

    fn eval(&self, _context: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        // A recurrent network comes by once per step; the order of nodes and steps is fixed, so that counting is an address.
        let call = self.unit.calls.fetch_add(1, Ordering::Relaxed);
        let draws = SampleKeys::new(self.turn.key().fold_in(label(&self.unit.name)).fold_in(call));
        let x = inputs[0].to_plain_array_view::<f32>()?;
        let y = self.job.run(&self.unit, x, draws)?;
        Ok(tvec!(y.into_tensor().into_tvalue()))
    }
}

impl TypedOp for TileOp {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let all: Vec<&TypedFact> =
            self.constants.iter().map(|constant| constant.as_ref().unwrap_or(inputs[0])).collect();
        self.original.output_facts(&all)
    }

    as_op!();
}
