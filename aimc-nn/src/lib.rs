//! Neural networks over analog or ideal tiles.
//!
//! A [`NetworkConfig`] is a description; [`NetworkConfig::build`] puts it on tiles; [`Network`] runs forward
//! and backward explicitly, layer by layer. This crate names no device and no training algorithm.

pub mod activation;
pub mod dataset;
pub mod evaluate;
pub mod linear;
pub mod log_softmax;
pub mod loss;
pub mod network;

pub use activation::Activation;
pub use dataset::{Dataset, DatasetError};
pub use evaluate::{Score, score};
pub use linear::Linear;
pub use network::{Gradient, Layer, LayerConfig, Network, NetworkConfig, NetworkError, Trace};
