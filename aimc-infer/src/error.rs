//! The errors of this crate.

use aimc_device::ConfigError;
use aimc_nn::NetworkError;
use aimc_tile::TileError;

/// A tile that cannot be programmed or read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InferenceError {
    /// A parameter outside its range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A matrix of the wrong size, or a value that is not finite.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// A time that does not exist.
    #[error("t = {0} s: must be a finite number of seconds after programming, 0 or above")]
    Time(f32),
}

/// An evaluation that could not be carried out.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EvaluationError {
    /// The plan or the tiles' configuration is out of range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A tile could not be programmed or read.
    #[error("{name}: {source}")]
    Tile {
        /// Name of the tile.
        name: String,
        /// What its tile said.
        source: InferenceError,
    },
    /// The network refused the samples.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The network has an output for some of the classes only.
    #[error("the network has {outputs} outputs, but the data set has {classes} classes")]
    Classes {
        /// Outputs of the network.
        outputs: usize,
        /// Classes of the data set.
        classes: usize,
    },
    /// An ONNX graph could not be read, put on tiles or run.
    #[cfg(feature = "onnx")]
    #[error(transparent)]
    Onnx(Box<crate::onnx::OnnxError>),
    /// The progress callback asked to stop.
    #[error("the evaluation was cancelled")]
    Cancelled,
}
