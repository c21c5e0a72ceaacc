//! Training on analog tiles: gradient descent through the tiles' own updates, metrics as return values,
//! checkpoints that resume bit for bit.

pub mod checkpoint;
pub mod trainer;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use trainer::{Ending, EpochMetrics, Progress, TrainConfig, TrainError, Trainer};
