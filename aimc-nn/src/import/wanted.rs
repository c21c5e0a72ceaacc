//! What every layer wants of a state dict of PyTorch: names, shapes, and where the numbers go.
//!
//! | layer | module | tensors |
//! |---|---|---|
//! | `Linear` | `nn.Linear` | `weight` outputs x inputs, `bias` |
//! | `Conv` | `nn.Conv1d/2d/3d` | `weight` outputs x inputs/groups x kernel: group after group, the rows of our tiles |
//! | `TransposedConv` | `nn.ConvTranspose1d/2d/3d` | `weight` inputs x outputs/groups x kernel: the columns of our tiles |
//! | `Recurrent` | `nn.RNN/LSTM/GRU` | `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, …`_reverse`; gates in our order |
//! | `Attention` | `nn.MultiheadAttention` | `in_proj_weight` (query, key, value below each other), `out_proj.weight`, biases |
//! | `BatchNorm` | `nn.BatchNorm1d/2d/3d` | `weight`, `bias`, `running_mean`, `running_var` |
//! | `LayerNorm`, `Embedding` | the same | `weight`, `bias`; `weight` |
//! | `Positions` | `nn.Embedding` or a parameter | `weight`, as many numbers as the layer has |

use std::ops::Range;

use aimc_tile::{MatVec, ReadOut};

use super::Names;
use crate::conv::{Conv, group_name};
use crate::layer::Layer;
use crate::linear::Linear;
use crate::module::join;
use crate::recurrent::{Recurrent, direction_name};
use crate::transposed_conv::TransposedConv;
use crate::{attention, attention::Attention};

/// A module of PyTorch that a layer stands for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// Name of our layer.
    pub(super) layer: String,
    /// What PyTorch calls such a module.
    pub(super) kind: &'static str,
    pub(super) tensors: Vec<Slot>,
}

/// One tensor of it.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    /// Name within the module.
    pub(super) name: String,
    pub(super) shape: Needed,
    pub(super) put: Vec<Put>,
}

/// The shape that a tensor must have.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Needed {
    Shape(Vec<usize>),
    /// Any shape of so many numbers.
    Count(usize),
}

impl Needed {
    pub(super) fn fits(&self, shape: &[usize]) -> bool {
        match self {
            Self::Shape(needed) => needed == shape,
            Self::Count(count) => shape.iter().product::<usize>() == *count,
        }
    }
}

impl std::fmt::Display for Needed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shape(shape) => write!(f, "{shape:?}"),
            Self::Count(count) => write!(f, "[{count} numbers]"),
        }
    }
}

/// Where numbers of a tensor go. `rows` count along its first dimension; all others are one.
#[derive(Clone, Debug)]
pub(super) enum Put {
    /// Into the columns of a tile from `column` on; turned where rows of the tensor are columns of the tile.
    Tile { part: String, rows: Range<usize>, column: usize, turned: bool },
    /// Added to the bias on a tile.
    TileBias { part: String, rows: Range<usize> },
    /// All numbers, whatever the shape, added to digital ones.
    Whole { part: String },
    /// Added to digital numbers from `at` on.
    Numbers { part: String, rows: Range<usize>, at: usize },
}

impl Put {
    /// Name of our part.
    pub(super) fn part(&self) -> &str {
        match self {
            Self::Tile { part, .. }
            | Self::TileBias { part, .. }
            | Self::Whole { part }
            | Self::Numbers { part, .. } => part,
        }
    }
}

fn slot(name: impl Into<String>, shape: Vec<usize>, put: Vec<Put>) -> Slot {
    Slot { name: name.into(), shape: Needed::Shape(shape), put }
}

/// A tensor of numbers that are a whole part of the layer.
fn numbers(layer: &str, name: &str, part: &str, shape: Vec<usize>) -> Slot {
    let put = Put::Numbers { part: join(layer, part), rows: 0..shape[0], at: 0 };
    slot(name, shape, vec![put])
}

/// The tile of a matrix, taking `rows` of a tensor.
fn tile(linear: &str, rows: Range<usize>, column: usize) -> Put {
    Put::Tile { part: join(linear, "tile"), rows, column, turned: false }
}

/// Where the bias of a matrix lies, if it has one.
fn bias<T: ReadOut>(linear: &Linear<T>, name: &str, rows: Range<usize>) -> Option<Put> {
    if linear.bias.is_some() {
        Some(Put::Numbers { part: join(name, "bias"), rows, at: 0 })
    } else {
        linear.tile.bias().map(|_| Put::TileBias { part: join(name, "tile"), rows })
    }
}

/// Collects the modules that `layers` stand for; `name` gives the names of the layers.
pub(super) fn collect<T: MatVec + ReadOut>(
    layers: &[Layer<T>],
    name: &dyn Fn(usize) -> String,
    names: &Names,
    into: &mut Vec<Wanted>,
) {
    for (i, layer) in layers.iter().enumerate() {
        let name = name(i);
        match layer {
            Layer::Branches(layer) => {
                for (i, layers) in layer.branches.iter().enumerate() {
                    let name = layer.name(&name, i);
                    collect(layers, &|i| join(&name, &i.to_string()), names, into);
                }
            }
            Layer::EachStep(layer) => {
                let name = join(&name, "layers");
                collect(&layer.layers, &|i| join(&name, &i.to_string()), names, into);
            }
            Layer::Attention(layer) if names.splits(&name, &attention::PROJECTIONS) => {
                let projections = layer.projections.iter().zip(attention::PROJECTIONS);
                into.extend(projections.map(|(linear, part)| {
                    let layer = join(&name, part);
                    Wanted { tensors: matrix(linear, &layer), layer, kind: "Linear" }
                }));
            }
            layer => into.extend(module(layer, &name).map(|(kind, tensors)| Wanted {
                layer: name.clone(),
                kind,
                tensors,
            })),
        }
    }
}

/// What PyTorch calls the module of a layer, and its tensors; none for layers without numbers or made of others.
fn module<T: MatVec + ReadOut>(layer: &Layer<T>, name: &str) -> Option<(&'static str, Vec<Slot>)> {
    Some(match layer {
        Layer::Linear(linear) => ("Linear", matrix(linear, name)),
        Layer::Conv(conv) => ("Conv", convolution(conv, name)),
        Layer::TransposedConv(conv) => ("ConvTranspose", transposed(conv, name)),
        Layer::Recurrent(layer) => ("RNN, LSTM or GRU", recurrent(layer, name)),
        Layer::Attention(layer) => ("MultiheadAttention", attention(layer, name)),
        Layer::BatchNorm(norm) => {
            let n = norm.weight.len();
            let mut tensors = if norm.is_affine() { affine(name, n) } else { Vec::new() };
            for (k, statistic) in ["running_mean", "running_var"].into_iter().enumerate() {
                let put = Put::Numbers { part: join(name, "running"), rows: 0..n, at: k * n };
                tensors.push(slot(statistic, vec![n], vec![put]));
            }
            ("BatchNorm", tensors)
        }
        Layer::LayerNorm(norm) if norm.is_affine() => ("LayerNorm", affine(name, norm.weight.len())),
        Layer::Embedding(layer) => {
            let shape = vec![layer.vocabulary(), layer.table.len() / layer.vocabulary()];
            ("Embedding", vec![numbers(name, "weight", "table", shape)])
        }
        Layer::Positions(layer) => {
            let count = layer.values.len();
            let put = Put::Whole { part: join(name, "values") };
            let shape = Needed::Count(count);
            ("Embedding or parameter", vec![Slot { name: "weight".into(), shape, put: vec![put] }])
        }
        Layer::LayerNorm(_)
        | Layer::Activation(_)
        | Layer::LogSoftmax(_)
        | Layer::Pool(_)
        | Layer::Dropout(_)
        | Layer::Quantize(_)
        | Layer::Reshape(_)
        | Layer::Branches(_)
        | Layer::EachStep(_) => return None,
    })
}

/// γ and β.
fn affine(layer: &str, n: usize) -> Vec<Slot> {
    ["weight", "bias"].map(|name| numbers(layer, name, name, vec![n])).to_vec()
}

fn matrix<T: MatVec + ReadOut>(linear: &Linear<T>, name: &str) -> Vec<Slot> {
    let shape = linear.tile.shape();
    let weight = slot("weight", vec![shape.outputs, shape.inputs], vec![tile(name, 0..shape.outputs, 0)]);
    let bias = bias(linear, name, 0..shape.outputs).map(|put| slot("bias", vec![shape.outputs], vec![put]));
    std::iter::once(weight).chain(bias).collect()
}

fn convolution<T: MatVec + ReadOut>(conv: &Conv<T>, name: &str) -> Vec<Slot> {
    let (mut weights, mut biases, mut first) = (Vec::new(), Vec::new(), 0);
    for (g, linear) in conv.groups.iter().enumerate() {
        let rows = first..first + linear.tile.shape().outputs;
        let name = group_name(name, g, conv.groups.len());
        weights.push(tile(&name, rows.clone(), 0));
        biases.extend(bias(linear, &name, rows.clone()));
        first = rows.end;
    }
    let channels = conv.groups[0].tile.shape().inputs / conv.windows().points();
    let shape = [&[first, channels], conv.windows().kernel()].concat();
    let bias = (!biases.is_empty()).then(|| slot("bias", vec![first], biases));
    std::iter::once(slot("weight", shape, weights)).chain(bias).collect()
}

fn transposed<T: MatVec + ReadOut>(conv: &TransposedConv<T>, name: &str) -> Vec<Slot> {
    let (mut weights, mut first) = (Vec::new(), 0);
    for (g, linear) in conv.groups.iter().enumerate() {
        let rows = first..first + linear.tile.shape().inputs;
        let part = join(&group_name(name, g, conv.groups.len()), "tile");
        weights.push(Put::Tile { part, rows: rows.clone(), column: 0, turned: true });
        first = rows.end;
    }
    let channels = conv.groups[0].tile.shape().outputs / conv.windows().points();
    let shape = [&[first, channels], conv.windows().kernel()].concat();
    let bias = conv.bias.as_ref().map(|bias| numbers(name, "bias", "bias", vec![bias.len()]));
    std::iter::once(slot("weight", shape, weights)).chain(bias).collect()
}

fn recurrent<T: MatVec + ReadOut>(layer: &Recurrent<T>, name: &str) -> Vec<Slot> {
    let mut slots = Vec::new();
    for (level, directions) in layer.levels.iter().enumerate() {
        for (k, direction) in directions.iter().enumerate() {
            let name = direction_name(name, level, k);
            let (input_name, state_name) = (join(&name, "input"), join(&name, "state"));
            let suffix = format!("l{level}{}", if k == 0 { "" } else { "_reverse" });
            let (shape, hidden) = (direction.input.tile.shape(), direction.hidden);
            let (rows, gates) = (0..shape.outputs, shape.outputs);
            // Side by side on one tile, or on a tile of its own.
            let (inputs, state) = match &direction.state {
                Some(state) => (shape.inputs, (state, &state_name, 0)),
                None => (shape.inputs - hidden, (&direction.input, &input_name, shape.inputs - hidden)),
            };
            let (state, state_name, column) = state;
            let weights = [
                ("weight_ih", inputs, tile(&input_name, rows.clone(), 0)),
                ("weight_hh", hidden, tile(state_name, rows.clone(), column)),
            ];
            slots.extend(
                weights.map(|(name, inputs, put)| {
                    slot(format!("{name}_{suffix}"), vec![gates, inputs], vec![put])
                }),
            );
            let biases = [
                ("bias_ih", bias(&direction.input, &input_name, rows.clone())),
                ("bias_hh", bias(state, state_name, rows)),
            ];
            slots.extend(biases.into_iter().filter_map(|(name, put)| {
                put.map(|put| slot(format!("{name}_{suffix}"), vec![gates], vec![put]))
            }));
        }
    }
    slots
}

fn attention<T: MatVec + ReadOut>(layer: &Attention<T>, name: &str) -> Vec<Slot> {
    let n = layer.projections[0].tile.shape().inputs;
    let (mut weights, mut biases) = (Vec::new(), Vec::new());
    for (k, (linear, part)) in layer.projections.iter().zip(attention::PROJECTIONS).enumerate().take(3) {
        let (name, rows) = (join(name, part), k * n..(k + 1) * n);
        weights.push(tile(&name, rows.clone(), 0));
        biases.extend(bias(linear, &name, rows));
    }
    let mut slots = vec![slot("in_proj_weight", vec![3 * n, n], weights)];
    if !biases.is_empty() {
        slots.push(slot("in_proj_bias", vec![3 * n], biases));
    }
    for mut output in matrix(&layer.projections[3], &join(name, attention::PROJECTIONS[3])) {
        output.name = join("out_proj", &output.name);
        slots.push(output);
    }
    slots
}
