//! Finds the products with constant weights in a graph, and puts tiles in their place.
//!
//! This happens right after typing, before the graph is simplified: later, tract folds reshapes into products and fuses
//! operations, and a node could no longer be found under its name.

use std::collections::BTreeMap;
use std::sync::Arc;

use nalgebra::DMatrix;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::cnn::{Conv, Deconv};
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::scan::{InputMapping, Scan};
use tract_onnx::tract_hir::internal::TypedOp;

use aimc_tile::MatVec;

use super::hold::Hold;
use super::job::{Convolution, Job, Product};
use super::op::{TileOp, Turn, Unit};
use super::{MakeTile, OnnxError};

/// What became of a node that could hold weights.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Name of the node of the graph.
    pub(super) node: String,
    pub(super) result: Result<Arc<Unit>, String>,
}

/// Values of outlets that do not depend on the input.
type Known = BTreeMap<OutletId, Option<Arc<Tensor>>>;

/// What replaces a node: the place of its data among the inputs, what is done with them, and the matrices.
struct Found {
    data: usize,
    job: Job,
    matrices: Vec<DMatrix<f32>>,
}

/// Puts tiles in place of all products with constant weights, also in the loops of recurrent layers.
pub(super) struct Patcher<'a, 'm> {
    pub(super) make: &'a mut MakeTile<'m>,
    pub(super) turn: Arc<Turn>,
    pub(super) outcomes: Vec<Outcome>,
}

impl Patcher<'_, '_> {
    /// Replaces what can be replaced in `model`.
    pub(super) fn patch(&mut self, model: &mut TypedModel) -> Result<(), OnnxError> {
        let mut known = Known::new();
        for id in model.eval_order().map_err(OnnxError::graph)? {
            if let Some(mut scan) = model.node(id).op_as::<Scan>().cloned() {
                let (outer, name) = (model.node(id).inputs.clone(), model.node(id).name.clone());
                let mut inside = Known::new();
                let sources = scan.body.input_outlets().map_err(OnnxError::graph)?.to_vec();
                for ((mapping, source), outer) in scan.input_mapping.iter().zip(sources).zip(outer) {
                    if *mapping == InputMapping::Full {
                        inside.insert(source, constant(model, outer, &mut known));
                    }
                }
                self.patch_nodes(&mut scan.body, &mut inside, Some(&name))?;
                model.node_mut(id).op = Box::new(scan);
            }
        }
        self.patch_nodes(model, &mut known, None)
    }

    /// The same for the nodes of one graph; `within` is the node whose loop it is.
    fn patch_nodes(
        &mut self,
        model: &mut TypedModel,
        known: &mut Known,
        within: Option<&str>,
    ) -> Result<(), OnnxError> {
        for id in model.eval_order().map_err(OnnxError::graph)? {
            let node = model.node(id).clone();
            let found = if let Some(op) = node.op_as::<EinSum>() {
                find_product(op, model, &node, known)
            } else if let Some(op) = node.op_as::<Conv>() {
                find_convolution(op, model, &node, known)
            } else if node.op_is::<Deconv>() {
                Err("transposed convolutions are not put on tiles".into())
            } else {
                continue;
            };
            let result = match found {
                Err(reason) => Err(reason),
                Ok(found) => Ok(self.replace(model, &node, found)?),
            };
            self.outcomes.push(Outcome { node: within.unwrap_or(&node.name).to_owned(), result });
        }
        Ok(())
    }

    fn replace(
        &mut self,
        model: &mut TypedModel,
        node: &TypedNode,
        found: Found,
    ) -> Result<Arc<Unit>, OnnxError> {
        let Found { data, job, matrices } = found;
        let mut tiles: Vec<Box<dyn MatVec>> = Vec::new();
        let several = matrices.len() > 1;
        for (g, matrix) in matrices.iter().enumerate() {
            let name = if several { format!("{}.group{g}", node.name) } else { node.name.clone() };
            let tile = (self.make)(&name, matrix);
            tiles.push(tile.map_err(|source| OnnxError::Tile { name, source })?);
        }
        let unit = Arc::new(Unit::new(node.name.clone(), tiles));
        let fact = |(i, outlet): (usize, &OutletId)| {
            (i != data).then(|| model.outlet_fact(*outlet).cloned()).transpose()
        };
        let constants = node.inputs.iter().enumerate().map(fact).collect::<TractResult<Vec<_>>>();
        let op = TileOp {
            unit: unit.clone(),
            turn: self.turn.clone(),
            job: Arc::new(job),
            original: node.op.clone(),
            constants: constants.map_err(OnnxError::graph)?,
        };
        let op: Box<dyn TypedOp> = Box::new(op);
        TypedModelPatch::replace_single_op(model, node, &[node.inputs[data]], op)
            .and_then(|patch| patch.apply(model))
            .map_err(OnnxError::graph)?;
        Ok(unit)
    }
}

/// The value of an outlet, if it follows from constants alone.
fn constant(model: &TypedModel, outlet: OutletId, known: &mut Known) -> Option<Arc<Tensor>> {
    if let Some(value) = known.get(&outlet) {
        return value.clone();
    }
    let fact = model.outlet_fact(outlet).ok()?;
    let value = fact.konst.clone().or_else(|| {
        let node = model.node(outlet.node);
        if node.op_is::<Hold>() {
            return constant(model, node.inputs[0], known);
        }
        let inputs: Option<TVec<TValue>> = match node.inputs.is_empty() {
            true => None,
            false => {
                node.inputs.iter().map(|i| constant(model, *i, known).map(|t| t.into_tvalue())).collect()
            }
        };
        let outputs = node.op.eval_out_of_plan(inputs?).ok()??;
        outputs.into_iter().nth(outlet.slot).map(|value| value.into_arc_tensor())
    });
    known.insert(outlet, value.clone());
    value
}

fn find_product(
    op: &EinSum,
    model: &TypedModel,
    node: &TypedNode,
    known: &mut Known,
) -> Result<Found, String> {
    if op.q_params.is_some() || node.inputs.len() != 2 {
        return Err("is a product of quantised integers".into());
    }
    let values = [0, 1].map(|i| constant(model, node.inputs[i], known));
    let (data, weights) = match values {
        [None, Some(weights)] => (0, weights),
        [Some(weights), None] => (1, weights),
        [Some(_), Some(_)] => return Err("is a constant".into()),
        [None, None] => return Err("both factors are data".into()),
    };
    let product = Product::new(&op.axes, data, weights.shape())?;
    let view = weights.to_plain_array_view::<f32>();
    let view = view.map_err(|_| format!("has weights of type {:?}", weights.datum_type()))?;
    let matrices = vec![product.matrix(view)];
    Ok(Found { data, job: Job::Product(product), matrices })
}

fn find_convolution(
    op: &Conv,
    model: &TypedModel,
    node: &TypedNode,
    known: &mut Known,
) -> Result<Found, String> {
    if op.q_params.is_some() {
        return Err("is a convolution of quantised integers".into());
    }
    let kernel = constant(model, node.inputs[1], known).ok_or("the kernel is data")?;
    let bias = constant(model, node.inputs[2], known).ok_or("the bias is data")?;
    let values = |tensor: &Tensor| -> Result<Vec<f32>, String> {
        let view = tensor.to_plain_array_view::<f32>();
        let view = view.map_err(|_| format!("has weights of type {:?}", tensor.datum_type()))?;
        Ok(view.iter().copied().collect())
    };
    let mut bias = values(&bias)?;
    // One number stands for all channels.
    if bias.len() == 1 {
        bias = vec![bias[0]; op.output_channels()];
    }
    if bias.iter().all(|value| *value == 0.0) {
        bias.clear();
    }
    // Groups x outputs x (inputs, points).
    let kernel = op.kernel_fmt.kernel_as_group_o_ihw(&kernel, op.group).map_err(|e| e.to_string())?;
    let (outputs, inputs) = (kernel.shape()[1], kernel.shape()[2]);
    let weights = values(&kernel)?;
    let groups = weights.chunks(outputs * inputs);
    let matrices = groups.map(|group| DMatrix::from_row_slice(outputs, inputs, group)).collect();
    Ok(Found { data: 0, job: Job::Convolution(Box::new(Convolution::new(&op.pool_spec, bias)?)), matrices })
}
