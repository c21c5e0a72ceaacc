//! aimc-nn.

pub mod dataset;

pub use dataset::{Dataset, DatasetError};
