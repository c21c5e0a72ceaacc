//! Neural networks over analog or ideal tiles.
//!
//! A [`NetworkConfig`] is a description; [`NetworkConfig::build`] puts it on tiles; [`Network`] runs forward
//! and backward explicitly, layer by layer. This crate names no device and no training algorithm.
//!
//! | file | layers |
//! |---|---|
//! | [`linear`], [`conv`], [`transposed_conv`] | one matrix, on a tile |
//! | [`recurrent`], [`attention`] | several matrices, each on a tile, with digital operations between them |
//! | [`activation`], [`log_softmax`], [`pool`], [`norm`], [`dropout`], [`embedding`], [`flatten`] | digital |
//! | [`quantize`] | few bits between layers |
//! | [`composite`] | layers made of layers |

pub mod activation;
pub mod attention;
pub mod augment;
pub mod chain;
pub mod composite;
pub mod conv;
pub mod dataset;
pub mod distillation;
pub mod dropout;
pub mod embedding;
pub mod evaluate;
pub mod flatten;
pub mod import;
pub mod layer;
pub mod linear;
pub mod log_softmax;
pub mod loss;
pub mod module;
pub mod network;
pub mod norm;
pub mod pattern;
pub mod pool;
pub mod quantize;
pub mod recurrent;
pub mod summary;
pub mod transposed_conv;
pub mod window;

pub use activation::{Activation, ActivationConfig};
pub use augment::AugmentConfig;
pub use chain::Passed;
pub use dataset::{Dataset, DatasetError};
pub use distillation::Distillation;
pub use evaluate::{Score, score};
pub use layer::{Layer, LayerConfig, Place};
pub use linear::{Linear, LinearConfig};
pub use loss::Loss;
pub use module::{Gradients, LayerError, Part, PartMut, TileGradient};
pub use network::{Network, NetworkConfig, NetworkError};
pub use quantize::{Quantize, QuantizeConfig};
pub use summary::Summary;
