//! Layers and networks against definitions, finite differences and PyTorch, one topic per file.
#![allow(clippy::unwrap_used)]

mod chain;
mod layers;
mod pytorch;
mod quantize;
mod summary;
