//! Training on analog tiles: gradient descent through the tiles' own updates, metrics as return values,
//! checkpoints that resume bit for bit.

pub mod algorithms;
pub mod checkpoint;
pub mod trainer;

pub use algorithms::{Algorithm, TrainingTileConfig};
pub use checkpoint::{Checkpoint, CheckpointError};
pub use trainer::{Ending, EpochMetrics, Progress, TrainConfig, TrainError, Trainer};
