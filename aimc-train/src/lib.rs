//! Training on analog tiles: gradient descent through the tiles' own updates, metrics as return values,
//! checkpoints that resume bit for bit.

pub mod algorithms;
pub mod build_config;
pub mod checkpoint;
pub mod convert;
pub mod early_stopping;
pub mod optimizer;
pub mod presets;
pub mod state_file;
pub mod trainer;
pub mod zero_shifting;

pub use algorithms::{Algorithm, TrainingTileConfig};
pub use build_config::{BuildOptions, Method, build_config};
pub use checkpoint::{Checkpoint, CheckpointError};
pub use early_stopping::{EarlyStopping, Verdict};
pub use optimizer::{Adam, LearningRate, Optimizer, OptimizerConfig, Schedule, Sgd};
pub use trainer::{Ending, EpochMetrics, Progress, TrainConfig, TrainError, Trainer};
pub use zero_shifting::{ZeroShifted, ZeroShifting};

/// The example of the README, kept true by the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
