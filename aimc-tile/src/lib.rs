//! Analog crossbar tiles: vectors in, vectors out.
//!
//! A tile multiplies vectors by a weight matrix held in resistive devices ([`AnalogTile`]), through
//! converters and noise ([`periphery`]), and learns by coincident pulses ([`pulse`]). [`IdealTile`] is the
//! exact reference. This crate knows no layer, loss or epoch.

pub mod analog;
mod boxed;
pub mod circuits;
pub mod estimate;
pub mod grid;
pub mod hardware_aware;
pub mod ideal;
pub mod mapping;
pub mod matmul;
pub mod periphery;
pub mod presets;
pub mod pulse;
mod signals;
pub mod sliced;
pub mod tile;
pub mod uniform_quantiser;
pub mod unit_cell;

pub use analog::{AnalogTile, TileConfig};
pub use circuits::Circuits;
pub use estimate::{Estimate, estimate_weights};
pub use grid::TileGrid;
pub use hardware_aware::{HardwareAwareTile, HardwareAwareTileConfig};
pub use ideal::{IdealTile, by_rows, check_update, gathered, scale_lines};
pub use mapping::{InputRangeConfig, KeptScales, LogicalTile, MappingConfig, PeripheryConfig, TileSettings};
pub use periphery::{AnalogMvm, IoConfig};
pub use pulse::UpdateConfig;
pub use signals::{check_lines, largest_size};
pub use sliced::{SliceConfig, SlicedTile};
pub use tile::{Inventory, MatVec, ReadOut, SampleKeys, Shape, StepWeights, Tile, TileError, TrainableTile};
pub use unit_cell::UnitCell;
