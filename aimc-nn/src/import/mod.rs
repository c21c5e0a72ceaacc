//! Weights of models from outside, by the names of their parameters.
//!
//! The file brings numbers, the network its structure. [`Names`] says which module of the file each layer takes;
//! `wanted.rs` knows what PyTorch calls the tensors of every layer and how they lie.
//!
//! ```
//! use aimc_device::RngKey;
//! use aimc_nn::import::{Names, Tensor, Tensors, load};
//! use aimc_nn::{Activation, NetworkConfig};
//! use aimc_tile::{IdealTile, SampleKeys};
//! use nalgebra::DMatrix;
//!
//! let key = RngKey::root(0);
//! let mlp = NetworkConfig::mlp(&[2, 1], Activation::Relu);
//! let mut network = mlp.build(key, |place| IdealTile::new(place.shape))?;
//! let tensor = |shape: &[usize], values: &[f32]| Tensor { shape: shape.to_vec(), values: values.to_vec() };
//! let file = Tensors::from_iter([
//!     ("fc.weight".to_owned(), tensor(&[1, 2], &[3.0, -1.0])),
//!     ("fc.bias".to_owned(), tensor(&[1], &[0.5])),
//! ]);
//! load(&mut network, &file, &Names::default(), key)?;
//! let x = DMatrix::from_column_slice(2, 1, &[1.0, 2.0]);
//! let y = network.layers[0].module().forward(&x, SampleKeys::new(key))?;
//! assert_eq!(y[0], 3.0 * 1.0 - 1.0 * 2.0 + 0.5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod names;
mod tensors;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};

use nalgebra::DMatrix;

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_tile::{MatVec, ReadOut, Shape, TileError};

use crate::module::PartMut;
use crate::network::{Network, layer_name};
pub use names::Names;
pub use tensors::{Tensor, Tensors};
use wanted::{Put, Wanted};

/// A file that does not fit the network; nothing was changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ImportError {
    /// Bytes in another format, or cut off.
    #[error("not a safetensors file: {0}")]
    File(String),
    /// NaN or infinity.
    #[error("tensor \"{tensor}\": number {position} is {value}, not finite")]
    NotFinite {
        /// Name of the tensor.
        tensor: String,
        /// Where in it.
        position: usize,
        /// What stands there.
        value: f32,
    },
    /// An entry of the table for a layer that there is not.
    #[error("\"{key}\" is neither a layer nor one of its tensors; layers with weights: {}", .layers.join(", "))]
    Key {
        /// The entry.
        key: String,
        /// What there is.
        layers: Vec<String>,
    },
    /// A tensor that the table names is not in the file.
    #[error("{layer}: tensor \"{tensor}\" is missing from the file")]
    Absent {
        /// Our layer.
        layer: String,
        /// Name of the tensor.
        tensor: String,
    },
    /// A tensor of the wrong shape.
    #[error("{layer}: tensor \"{tensor}\" has the shape {found:?}, must have {needed}")]
    Shape {
        /// Our layer.
        layer: String,
        /// Name of the tensor.
        tensor: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that the layer needs.
        needed: String,
    },
    /// Several modules would do, and their names give no order.
    #[error("{layer}: {count} {kind} of its shape wanted, the file has {}; say which one by name", .modules.join(", "))]
    Doubt {
        /// The first layer concerned.
        layer: String,
        /// What PyTorch calls it.
        kind: &'static str,
        /// Number of layers that want such a module.
        count: usize,
        /// Modules of the file that fit.
        modules: Vec<String>,
    },
    /// Layers for which there is nothing in the file.
    #[error("missing from the file: {}; left in it: {}", .layers.join("; "), shown(.left))]
    Missing {
        /// Layers and what they want.
        layers: Vec<String>,
        /// Tensors that no layer took, with their shapes.
        left: Vec<String>,
    },
    /// Tensors that no layer took.
    #[error("the network has no place for {}", shown(.0))]
    Unused(Vec<String>),
    /// What a tile said.
    #[error("{part}: {source}")]
    Tile {
        /// Name of the tile.
        part: String,
        /// Its reason.
        source: TileError,
    },
}

/// Names in a line; the end is cut off where there are too many to read.
fn shown(names: &[String]) -> String {
    const MOST: usize = 12;
    match names.len() {
        0 => "nothing".to_owned(),
        n if n <= MOST => names.join(", "),
        n => format!("{} and {} more", names[..MOST].join(", "), n - MOST),
    }
}

/// What became of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Layers and the tensors that they took.
    pub loaded: Vec<(String, Vec<String>)>,
    /// Layers for which the file has no module, with what they want.
    pub missing: Vec<String>,
    /// Tensors that no layer took, with their shapes.
    pub unused: Vec<String>,
}

/// Puts the numbers of `tensors` into all layers of `network`; every tensor must be used and every layer served.
///
/// Tiles are written as far as their devices allow, by draws from `key` and the name of the tile.
pub fn load<T: MatVec + ReadOut>(
    network: &mut Network<T>,
    tensors: &Tensors,
    names: &Names,
    key: RngKey,
) -> Result<Report, ImportError> {
    let plan = Plan::new(network, tensors, names)?;
    let Report { missing, unused, .. } = &plan.report;
    if !missing.is_empty() {
        return Err(ImportError::Missing { layers: missing.clone(), left: unused.clone() });
    }
    if !unused.is_empty() {
        return Err(ImportError::Unused(unused.clone()));
    }
    plan.carry_out(network, tensors, key)
}

/// As [`load`], but leaves alone what the file does not have, and the rest of the file. Doubtful cases are refused here, too.
pub fn load_partly<T: MatVec + ReadOut>(
    network: &mut Network<T>,
    tensors: &Tensors,
    names: &Names,
    key: RngKey,
) -> Result<Report, ImportError> {
    Plan::new(network, tensors, names)?.carry_out(network, tensors, key)
}

/// Which tensor goes where.
struct Plan {
    moves: Vec<(String, Put)>,
    report: Report,
}

/// The new content of a part.
#[derive(Default)]
struct Draft {
    weights: Option<DMatrix<f32>>,
    numbers: Vec<f32>,
}

impl Plan {
    fn new<T: MatVec + ReadOut>(
        network: &Network<T>,
        tensors: &Tensors,
        names: &Names,
    ) -> Result<Self, ImportError> {
        let mut wanted = Vec::new();
        wanted::collect(&network.layers, &layer_name, names, &mut wanted);
        let (mut moves, mut report) = (Vec::new(), Report::default());
        let mut used = BTreeSet::new();
        for (module, found) in wanted.iter().zip(names.find(&wanted, tensors)?) {
            let Some(found) = found else {
                report.missing.push(description(module));
                continue;
            };
            for (slot, name) in module.tensors.iter().zip(&found) {
                used.insert(name.clone());
                moves.extend(slot.put.iter().map(|put| (name.clone(), put.clone())));
            }
            report.loaded.push((module.layer.clone(), found));
        }
        let unused = tensors.iter().filter(|(name, _)| !used.contains(*name));
        report.unused = unused.map(|(name, tensor)| format!("{name} {:?}", tensor.shape)).collect();
        Ok(Self { moves, report })
    }

    fn carry_out<T: MatVec + ReadOut>(
        self,
        network: &mut Network<T>,
        tensors: &Tensors,
        key: RngKey,
    ) -> Result<Report, ImportError> {
        let shapes: BTreeMap<String, Shape> =
            network.tiles().map(|(name, tile)| (name, tile.shape())).collect();
        let mut drafts: BTreeMap<&str, Draft> = BTreeMap::new();
        for (name, put) in &self.moves {
            let tensor = tensors.get(name);
            let draft = drafts.entry(put.part()).or_default();
            draft.put(put, tensor, shapes.get(put.part()));
        }
        for (name, part) in network.parts_mut() {
            let Some(draft) = drafts.get(name.as_str()) else { continue };
            match part {
                PartMut::Tile(tile) => {
                    let key = key.fold_in(label(&name));
                    draft.write(tile, key).map_err(|source| ImportError::Tile { part: name, source })?;
                }
                PartMut::Parameters(values) | PartMut::Statistics(values) => {
                    values.copy_from_slice(&draft.numbers);
                }
            }
        }
        Ok(self.report)
    }
}

impl Draft {
    /// Takes in what `put` says; the tensor is there and has the right shape, as the plan was made from it.
    fn put(&mut self, put: &Put, tensor: Option<&Tensor>, shape: Option<&Shape>) {
        let Some(tensor) = tensor else { return };
        let width: usize = tensor.shape.iter().skip(1).product();
        let rows = |range: &std::ops::Range<usize>| &tensor.values[range.start * width..range.end * width];
        match put {
            Put::Tile { rows: range, column, turned, .. } => {
                let Some(shape) = shape else { return };
                let weights = self.weights.get_or_insert_with(|| DMatrix::zeros(shape.outputs, shape.inputs));
                let block = DMatrix::from_row_slice(range.len(), width, rows(range));
                let block = if *turned { block.transpose() } else { block };
                weights.columns_mut(*column, block.ncols()).copy_from(&block);
            }
            Put::Whole { .. } => self.add(&tensor.values, 0),
            Put::TileBias { rows: range, .. } => self.add(rows(range), 0),
            Put::Numbers { rows: range, at, .. } => self.add(rows(range), *at),
        }
    }

    fn add(&mut self, values: &[f32], at: usize) {
        self.numbers.resize(self.numbers.len().max(at + values.len()), 0.0);
        self.numbers[at..].iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
    }

    fn write<T: ReadOut>(&self, tile: &mut T, key: RngKey) -> Result<(), TileError> {
        if let Some(weights) = &self.weights {
            tile.set_weights(weights, key.fold_in(label("weights")))?;
        }
        if !self.numbers.is_empty() {
            tile.set_bias(&self.numbers, key.fold_in(label("bias")))?;
        }
        Ok(())
    }
}

/// A module that is wanted, in words.
fn description(wanted: &Wanted) -> String {
    let tensors = wanted.tensors.iter().map(|slot| format!("{} {}", slot.name, slot.shape));
    format!("{} ({}: {})", wanted.layer, wanted.kind, tensors.collect::<Vec<_>>().join(", "))
}
