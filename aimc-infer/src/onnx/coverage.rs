//! What became of the nodes of a graph.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tract_onnx::pb::{GraphProto, NodeProto};

use aimc_nn::Summary;
use aimc_nn::summary::{LayerSummary, MatrixSummary};
use aimc_tile::{MappingConfig, Shape};

use super::op::Unit;
use super::patch::Outcome;

/// Where a node is computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Computed {
    /// By products on tiles; what else belongs to the node (biases, gates) is digital.
    Analog {
        /// The matrices.
        matrices: Vec<Shape>,
        /// Products of a matrix with a vector in the last run.
        products: u64,
    },
    /// As ever, for this reason.
    Digital(String),
    /// Not at all, for this reason.
    Unsupported(String),
}

/// One node of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeReport {
    /// Its name.
    pub name: String,
    /// What ONNX calls its operation.
    pub operator: String,
    /// Where it is computed.
    pub computed: Computed,
}

/// All nodes of a graph in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The nodes.
    pub nodes: Vec<NodeReport>,
    /// Digital operations of a run: products of data with data count twice, what only moves numbers nothing, everything else once
    /// per number.
    pub digital_operations: u64,
}

impl Coverage {
    /// The matrices on tiles.
    pub fn matrices(&self) -> impl Iterator<Item = Shape> {
        self.nodes.iter().flat_map(|node| match &node.computed {
            Computed::Analog { matrices, .. } => matrices.clone(),
            _ => Vec::new(),
        })
    }

    /// Number of weights on tiles.
    #[must_use]
    pub fn analog_weights(&self) -> usize {
        self.matrices().map(|shape| shape.outputs * shape.inputs).sum()
    }

    /// Products of a matrix with a vector in the last run.
    #[must_use]
    pub fn products(&self) -> u64 {
        let products = self.nodes.iter().map(|node| match node.computed {
            Computed::Analog { products, .. } => products,
            _ => 0,
        });
        products.sum()
    }

    /// Matrices, products and digital operations of one sample, laid out as `mapping` says; `batch` samples were in the last run.
    ///
    /// The matrices of a node share its products evenly: groups of a convolution, or input and state of a recurrent layer.
    #[must_use]
    pub fn summary(&self, batch: usize, mapping: &MappingConfig) -> Summary {
        let layer = |node: &NodeReport| {
            let (shapes, products) = match &node.computed {
                Computed::Analog { matrices, products } => (&matrices[..], *products),
                _ => (&[][..], 0),
            };
            let each = products / (shapes.len().max(1) * batch.max(1)) as u64;
            let matrix = |(i, shape): (usize, &Shape)| {
                let name = format!("{}.{i}", node.name);
                MatrixSummary::new(name, (shape.outputs, shape.inputs), each, mapping)
            };
            let matrices: Vec<_> = shapes.iter().enumerate().map(matrix).collect();
            LayerSummary {
                name: node.name.clone(),
                kind: node.operator.clone(),
                output: Vec::new(),
                digital_operations: matrices.iter().map(MatrixSummary::partial_sums).sum(),
                matrices,
                digital_parameters: 0,
            }
        };
        let mut layers: Vec<_> = self.nodes.iter().map(layer).collect();
        // Names inside loops do not tell their node: operations are counted for the graph as a whole.
        layers.push(LayerSummary {
            name: "digital".to_owned(),
            kind: "all nodes".to_owned(),
            output: Vec::new(),
            matrices: Vec::new(),
            digital_parameters: 0,
            digital_operations: self.digital_operations / batch.max(1) as u64,
        });
        Summary { layers }
    }

    fn count(&self, kind: impl Fn(&Computed) -> bool) -> usize {
        self.nodes.iter().filter(|node| kind(&node.computed)).count()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} nodes: {} analog ({} matrices, {} weights, {} products in the last run), {} digital, {} unsupported",
            self.nodes.len(),
            self.count(|computed| matches!(computed, Computed::Analog { .. })),
            self.matrices().count(),
            self.analog_weights(),
            self.products(),
            self.count(|computed| matches!(computed, Computed::Digital(_))),
            self.count(|computed| matches!(computed, Computed::Unsupported(_))),
        )?;
        for NodeReport { name, operator, computed } in &self.nodes {
            write!(f, "{operator:<20} {name:<40} ")?;
            match computed {
                Computed::Digital(reason) => writeln!(f, "digital: {reason}")?,
                Computed::Unsupported(reason) => writeln!(f, "unsupported: {reason}")?,
                Computed::Analog { matrices, products } => {
                    let sizes = matrices.iter().map(|shape| format!("{}x{}", shape.outputs, shape.inputs));
                    let mut sizes: Vec<String> = sizes.collect();
                    let groups = sizes.len();
                    sizes.dedup();
                    // The equal groups of a depthwise convolution would fill the page.
                    let sizes = if sizes.len() < groups {
                        format!("{groups} matrices, {}", sizes.join(", "))
                    } else {
                        sizes.join(", ")
                    };
                    writeln!(f, "analog: {sizes}; {products} products")?;
                }
            }
        }
        Ok(())
    }
}

/// The name that tract gives to a node.
pub(super) fn node_name(node: &NodeProto, index: usize) -> String {
    match (node.name.is_empty(), node.output.first()) {
        (false, _) => node.name.clone(),
        (true, Some(output)) if !output.is_empty() => output.clone(),
        _ => format!("{}-{index}", node.op_type),
    }
}

/// Name and operator of every node that computes something.
pub(super) fn nodes(graph: &GraphProto) -> Vec<(String, String)> {
    let nodes = graph.node.iter().enumerate().filter(|(_, node)| node.op_type != "Constant");
    nodes.map(|(i, node)| (node_name(node, i), node.op_type.clone())).collect()
}

/// The nodes with operations that are not `known`.
pub(super) fn unsupported(nodes: &[(String, String)], known: impl Fn(&str) -> bool) -> Vec<NodeReport> {
    let unknown = nodes.iter().filter(|(_, operator)| !known(operator));
    let report = |(name, operator): &(String, String)| NodeReport {
        name: name.clone(),
        operator: operator.clone(),
        computed: Computed::Unsupported("tract has no such operation".into()),
    };
    unknown.map(report).collect()
}

/// The report on `nodes`: what is not among `outcomes` never had a matrix.
pub(super) fn report(nodes: &[(String, String)], outcomes: &[Outcome]) -> Vec<NodeReport> {
    let mut parts: Vec<Vec<&Outcome>> = vec![Vec::new(); nodes.len()];
    for outcome in outcomes {
        // The names of what a node was taken apart into begin with its own.
        let belongs = |name: &str| {
            outcome.node.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let owner = nodes.iter().enumerate().filter(|(_, (name, _))| belongs(name));
        if let Some((i, _)) = owner.max_by_key(|(_, (name, _))| name.len()) {
            parts[i].push(outcome);
        }
    }
    let reports = nodes.iter().zip(parts).map(|((name, operator), parts)| {
        let computed = computed(operator, &parts);
        NodeReport { name: name.clone(), operator: operator.clone(), computed }
    });
    reports.collect()
}

fn computed(operator: &str, parts: &[&Outcome]) -> Computed {
    let units: Vec<&Arc<Unit>> = parts.iter().filter_map(|part| part.result.as_ref().ok()).collect();
    if units.is_empty() {
        let reasons = parts.iter().filter_map(|part| part.result.as_ref().err());
        let mut reasons: Vec<&str> = reasons.map(String::as_str).collect();
        reasons.dedup();
        let without = match operator {
            "If" | "Loop" => "what lies inside is not put on tiles",
            _ => "no weights that a matrix could hold",
        };
        return Computed::Digital(if reasons.is_empty() { without.into() } else { reasons.join("; ") });
    }
    let matrices = units.iter().flat_map(|unit| &unit.tiles).map(|tile| tile.shape()).collect();
    let products = units.iter().map(|unit| unit.products.load(Ordering::Relaxed)).sum();
    Computed::Analog { matrices, products }
}
