//! Networks from ONNX graphs, such as PyTorch exports: products with constant weights on tiles, the rest as ever.
//!
//! ```text
//! MatMul, Gemm, Conv (groups, too), the products inside LSTM, GRU and RNN   analog, where the weights are constant
//! all other operations, and biases                                          digital, computed by tract
//! ```
//!
//! [`OnnxGraph::read`] takes the bytes of a file, [`OnnxGraph::on_tiles`] makes a tile of every matrix (any [`MatVec`]:
//! ideal, or programmed and read at some time), [`OnnxModel::run`] computes. [`OnnxModel::coverage`] says of every node
//! where it is computed and why. Not put on tiles: transposed convolutions, quantised integers, and what lies inside the
//! branches of `If`.
//!
//! Only with the feature `onnx`.
//!
//! ```
//! use aimc_device::RngKey;
//! use aimc_infer::onnx::OnnxGraph;
//! use aimc_nn::import::Tensor;
//! use aimc_tile::IdealTile;
//! // 6 inputs, 5, 4 and 3 units.
//! let bytes = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/mlp.onnx"));
//! let graph = OnnxGraph::read(bytes, &[vec![2, 6]])?;
//! let mut model = graph.on_tiles(|_, weights| Ok(Box::new(IdealTile::holding(weights))))?;
//! let x = Tensor { shape: vec![2, 6], values: vec![0.5; 12] };
//! let y = model.run(&[x], RngKey::root(1))?;
//! assert_eq!(y[0].shape, [2, 3]);
//! let coverage = model.coverage();
//! assert_eq!(coverage.analog_weights(), 5 * 6 + 4 * 5 + 3 * 4);
//! assert_eq!(coverage.products(), 3 * 2);
//! # Ok::<(), aimc_infer::onnx::OnnxError>(())
//! ```

mod calibrate;
mod classifier;
mod coverage;
mod hold;
mod job;
mod layer_by_layer;
mod op;
mod operations;
mod patch;

use std::sync::Arc;

use nalgebra::DMatrix;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::SimplePlan;
use tract_onnx::tract_hir::infer::Factoid;
use tract_onnx::tract_hir::internal::DimLike;

use aimc_device::RngKey;
use aimc_nn::import::Tensor as Array;
use aimc_tile::MatVec;

use crate::error::InferenceError;
pub use classifier::OnnxClassifier;
pub use coverage::{Computed, Coverage, NodeReport};
use op::Turn;
use patch::{Outcome, Patcher};

/// Makes the tile for a matrix, outputs x inputs, of the node that has the given name.
pub type MakeTile<'a> = dyn FnMut(&str, &DMatrix<f32>) -> Result<Box<dyn MatVec>, InferenceError> + 'a;

/// A graph that cannot be read, put on tiles or run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum OnnxError {
    /// Bytes in another format, or a graph that tract does not understand.
    #[error("ONNX graph: {0}")]
    Graph(String),
    /// Operations that tract does not have.
    #[error("operations that are not supported: {}", listed(.0))]
    Unsupported(Vec<NodeReport>),
    /// A tile that could not be made.
    #[error("{name}: {source}")]
    Tile {
        /// Name of the node.
        name: String,
        /// The reason.
        source: InferenceError,
    },
    /// An input whose shape the file leaves open.
    #[error("input {name} has the open shape {shape}: must be given")]
    Open {
        /// Name of the input.
        name: String,
        /// What the file says of its shape.
        shape: String,
    },
    /// The wrong number of inputs.
    #[error("{found} inputs, the graph has {needed}")]
    Inputs {
        /// Inputs given.
        found: usize,
        /// Inputs of the graph.
        needed: usize,
    },
}

impl OnnxError {
    fn graph(error: TractError) -> Self {
        Self::Graph(format!("{error:#}"))
    }
}

/// Operations and names of nodes in a line.
fn listed(nodes: &[NodeReport]) -> String {
    nodes.iter().map(|node| format!("{} ({})", node.operator, node.name)).collect::<Vec<_>>().join(", ")
}

/// A graph with known shapes.
#[derive(Clone, Debug)]
pub struct OnnxGraph {
    model: TypedModel,
    /// Name and operator of every node.
    nodes: Vec<(String, String)>,
}

impl OnnxGraph {
    /// Reads the bytes of an ONNX file.
    ///
    /// `inputs` are the shapes of the inputs in their order, where the graph leaves some open; none for those of the file.
    pub fn read(bytes: &[u8], inputs: &[Vec<usize>]) -> Result<Self, OnnxError> {
        let mut onnx = tract_onnx::onnx();
        let mut reader = bytes;
        let mut proto = onnx.proto_model_for_read(&mut reader).map_err(OnnxError::graph)?;
        let graph = proto.graph.as_mut().ok_or_else(|| OnnxError::Graph("there is none".into()))?;
        let nodes = coverage::nodes(graph);
        let unknown = coverage::unsupported(&nodes, |operator| onnx.op_register.0.contains_key(operator));
        if !unknown.is_empty() {
            return Err(OnnxError::Unsupported(unknown));
        }
        hold::hold_recurrent_matrices(&mut onnx, graph);
        // Shapes that exporters write down for the batch size of the export must not contradict another one.
        let onnx = onnx.with_ignore_output_shapes(true).with_ignore_value_info(true);
        let mut model = onnx.model_for_proto_model(&proto).map_err(OnnxError::graph)?;
        let needed = model.inputs.len();
        if !inputs.is_empty() && inputs.len() != needed {
            return Err(OnnxError::Inputs { found: inputs.len(), needed });
        }
        for (i, shape) in inputs.iter().enumerate() {
            let fact = model.input_fact(i).map_err(OnnxError::graph)?;
            let fact = fact.clone().with_shape(shape.as_slice());
            model.set_input_fact(i, fact).map_err(OnnxError::graph)?;
        }
        check_shapes(&model)?;
        Ok(Self { model: model.into_typed().map_err(OnnxError::graph)?, nodes })
    }

    /// The graph as tract runs it, without tiles.
    pub fn digital(&self) -> Result<OnnxModel, OnnxError> {
        OnnxModel::new(self.model.clone(), self.nodes.clone(), Vec::new(), Arc::new(Turn::new()))
    }

    /// The graph with a tile from `make` for every matrix of constant weights.
    pub fn on_tiles(
        &self,
        mut make: impl FnMut(&str, &DMatrix<f32>) -> Result<Box<dyn MatVec>, InferenceError>,
    ) -> Result<OnnxModel, OnnxError> {
        let (mut model, turn) = (self.model.clone(), Arc::new(Turn::new()));
        let mut patcher = Patcher { make: &mut make, turn: turn.clone(), outcomes: Vec::new() };
        patcher.patch(&mut model)?;
        let outcomes = patcher.outcomes;
        OnnxModel::new(model, self.nodes.clone(), outcomes, turn)
    }
}

/// Refuses inputs of unknown shape, with which recurrent layers cannot be built.
fn check_shapes(model: &InferenceModel) -> Result<(), OnnxError> {
    for outlet in &model.inputs {
        let shape = &model.outlet_fact(*outlet).map_err(OnnxError::graph)?.shape;
        let known = shape.concretize().is_some_and(|dims| dims.iter().all(|dim| dim.to_usize().is_ok()));
        if !known {
            let name = model.node(outlet.node).name.clone();
            return Err(OnnxError::Open { name, shape: format!("{shape:?}") });
        }
    }
    Ok(())
}

/// A graph that can be run.
#[derive(Debug)]
pub struct OnnxModel {
    plan: Arc<TypedSimplePlan>,
    inputs: Vec<DatumType>,
    nodes: Vec<(String, String)>,
    outcomes: Vec<Outcome>,
    turn: Arc<Turn>,
    digital_operations: u64,
}

impl OnnxModel {
    fn new(
        model: TypedModel,
        nodes: Vec<(String, String)>,
        outcomes: Vec<Outcome>,
        turn: Arc<Turn>,
    ) -> Result<Self, OnnxError> {
        let types = (0..model.inputs.len()).map(|i| Ok(model.input_fact(i)?.datum_type));
        let inputs = types.collect::<TractResult<Vec<_>>>().map_err(OnnxError::graph)?;
        let digital_operations = operations::digital_operations(&model).map_err(OnnxError::graph)?;
        let plan = model.into_optimized().and_then(SimplePlan::new).map_err(OnnxError::graph)?;
        Ok(Self { plan, inputs, nodes, outcomes, turn, digital_operations })
    }

    /// The outputs for `inputs`, which are converted to the number types of the graph.
    ///
    /// All draws of tiles come from `key`, the name of the node, the number of the call within the run (recurrent layers
    /// call once per step) and the number of the vector within the call: the same key gives the same bits. States of
    /// recurrent layers begin anew with every run.
    pub fn run(&mut self, inputs: &[Array], key: RngKey) -> Result<Vec<Array>, OnnxError> {
        if inputs.len() != self.inputs.len() {
            return Err(OnnxError::Inputs { found: inputs.len(), needed: self.inputs.len() });
        }
        self.turn.set(key);
        self.outcomes.iter().filter_map(|outcome| outcome.result.as_ref().ok()).for_each(|unit| unit.reset());
        let values = inputs.iter().zip(&self.inputs).map(|(input, datum_type)| {
            let tensor = Tensor::from_shape(&input.shape, &input.values)?;
            Ok(tensor.cast_to_dt(*datum_type)?.into_owned().into_tvalue())
        });
        let values = values.collect::<TractResult<TVec<_>>>().map_err(OnnxError::graph)?;
        let outputs = self.plan.run(values).map_err(OnnxError::graph)?;
        let arrays = outputs.iter().map(|output| {
            let output = output.cast_to::<f32>()?;
            let values = output.to_plain_array_view::<f32>()?.iter().copied().collect();
            Ok(Array { shape: output.shape().to_vec(), values })
        });
        arrays.collect::<TractResult<Vec<_>>>().map_err(OnnxError::graph)
    }

    /// Of every node, where it is computed and why; with the products of the last run.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        let nodes = coverage::report(&self.nodes, &self.outcomes);
        Coverage { nodes, digital_operations: self.digital_operations }
    }
}
