//! Keeps GRU layers open: an operation that hides from tract that a matrix is constant.
//!
//! tract runs a GRU with a constant recurrent matrix as one operation, and no product is left to be replaced. With the
//! matrix held back it writes the same layer as a loop over plain products, as it does with LSTM.

use tract_onnx::pb::{GraphProto, NodeProto};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::{EvalContext, EvalOp, Op, StaticName, TypedOp};
use tract_onnx::tract_core::{as_op, not_out_of_plan, op_as_typed_op};
use tract_onnx::tract_hir::infer::rules::{InferenceResult, Solver, TensorProxy};
use tract_onnx::tract_hir::ops::expandable::{Expansion, expand};

const NAME: &str = "AimcHold";
/// Input of a GRU that has the recurrent matrix.
const RECURRENT: usize = 2;

/// Holds the recurrent matrix of every GRU in `graph`, and makes the operation known to `onnx`.
pub(super) fn hold_recurrent_matrices(onnx: &mut tract_onnx::Onnx, graph: &mut GraphProto) {
    onnx.op_register.insert(NAME, |_, _| Ok((expand(Held), Vec::new())));
    let mut nodes = Vec::with_capacity(graph.node.len());
    for (i, mut node) in std::mem::take(&mut graph.node).into_iter().enumerate() {
        if node.op_type == "GRU"
            && let Some(matrix) = node.input.get_mut(RECURRENT)
        {
            let held = format!("{matrix}.held{i}");
            let input = vec![std::mem::replace(matrix, held.clone())];
            let hold = NodeProto { input, output: vec![held.clone()], name: held, ..NodeProto::default() };
            nodes.push(NodeProto { op_type: NAME.to_owned(), ..hold });
        }
        nodes.push(node);
    }
    graph.node = nodes;
}

/// The operation before typing.
#[derive(Clone, Debug)]
struct Held;

impl Expansion for Held {
    fn name(&self) -> StaticName {
        NAME.into()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        solver.equals(&inputs[0].datum_type, &outputs[0].datum_type)?;
        solver.equals(&inputs[0].shape, &outputs[0].shape)
    }

    fn wire(&self, name: &str, model: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        model.wire_node(name, Hold, inputs)
    }

    fn runs_out_of_plan(&self) -> bool {
        false
    }
}

/// Gives its input on, but only in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hold;

impl Op for Hold {
    fn name(&self) -> StaticName {
        NAME.into()
    }

    op_as_typed_op!();
}

impl EvalOp for Hold {
    not_out_of_plan!();

    fn eval(&self, _context: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        Ok(inputs)
    }
}

impl TypedOp for Hold {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(inputs[0].without_value()))
    }

    as_op!();
}
