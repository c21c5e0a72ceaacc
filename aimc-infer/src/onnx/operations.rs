//! What is left for digital circuits: operations of a graph beside its products on tiles.
//!
//! ```text
//! products of data with data    2 per multiplication and addition
//! biases of convolutions        1 per number
//! loops of recurrent layers     those of a step, times the steps
//! moving numbers about          0
//! everything else               1 per number read or given, whichever are more
//! ```
//!
//! The last line is a lower bound: a softmax, say, does several operations on a number.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::array::{Gather, MultiBroadcastTo, Pad, Slice, TypedConcat};
use tract_onnx::tract_core::ops::cast::Cast;
use tract_onnx::tract_core::ops::change_axes::AxisOp;
use tract_onnx::tract_core::ops::cnn::{Conv, Deconv};
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::konst::Const;
use tract_onnx::tract_core::ops::scan::Scan;
use tract_onnx::tract_core::ops::source::TypedSource;
use tract_onnx::tract_hir::internal::*;

use super::hold::Hold;
use super::op::TileOp;

/// Digital operations of one run.
pub(super) fn digital_operations(model: &TypedModel) -> TractResult<u64> {
    let nodes = model.eval_order()?.into_iter().map(|id| of_node(model, model.node(id)));
    nodes.sum()
}

/// Numbers in the tensors of `facts`; 0 where a size is open.
fn numbers(facts: &[&TypedFact]) -> u64 {
    facts.iter().map(|fact| fact.shape.volume().to_usize().unwrap_or(0) as u64).sum()
}

fn of_node(model: &TypedModel, node: &TypedNode) -> TractResult<u64> {
    let (inputs, outputs) = (model.node_input_facts(node.id)?, model.node_output_facts(node.id)?);
    // What is the same in every run is computed beforehand.
    if outputs.iter().all(|fact| fact.konst.is_some()) || moves(node) {
        return Ok(0);
    }
    if let Some(tile) = node.op_as::<TileOp>() {
        return Ok(if tile.job.has_bias() { numbers(&outputs) } else { 0 });
    }
    if let Some(scan) = node.op_as::<Scan>() {
        let steps = scan.iteration_count(&inputs).and_then(|steps| steps.to_usize().ok()).unwrap_or(1);
        return Ok(steps as u64 * digital_operations(&scan.body)?);
    }
    if node.op_is::<EinSum>() || node.op_is::<Conv>() || node.op_is::<Deconv>() {
        let costs = node.op.cost(&inputs)?;
        let compute = costs.iter().filter(|(cost, _)| cost.is_compute());
        return Ok(compute.map(|(_, count)| 2 * count.to_usize().unwrap_or(0) as u64).sum());
    }
    Ok(numbers(&outputs).max(numbers(&inputs[..1.min(inputs.len())])))
}

/// Whether a node only moves numbers about.
fn moves(node: &TypedNode) -> bool {
    node.op_is::<AxisOp>()
        || node.op_is::<Cast>()
        || node.op_is::<Const>()
        || node.op_is::<Gather>()
        || node.op_is::<Hold>()
        || node.op_is::<MultiBroadcastTo>()
        || node.op_is::<Pad>()
        || node.op_is::<Slice>()
        || node.op_is::<TypedConcat>()
        || node.op_is::<TypedSource>()
}
