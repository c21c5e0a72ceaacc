//! Checkpoints: everything that a training needs to go on bit for bit.
//!
//! In a [`state_file`]: weights, per-device constants and counters as named arrays; the configuration, seed, step and history as
//! JSON in its header. A checkpoint whose configuration or seed
//! differs from the trainer's is refused, never silently preferred.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use aimc_device::state::{State, StateError, StatePart};
use aimc_nn::Gradients;
use aimc_tile::Tile;
use nalgebra::DMatrix;

use crate::state_file;
use crate::trainer::{EpochMetrics, Trainer};

/// Version of the layout; files of another version are refused.
const FORMAT: &str = "aimc-checkpoint/4";

/// A training frozen between two steps.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    header: Header,
    state: State,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Header {
    format: String,
    /// Whatever configuration the caller trains with.
    config: Value,
    seed: u64,
    step: u64,
    /// Batches whose gradients wait for their step.
    pending: Vec<Waiting>,
    /// Bits of the loss summed up so far in the current epoch.
    loss_sum: u64,
    history: Vec<EpochMetrics>,
}

/// Names and sizes of the gradients of one batch; their numbers are arrays of the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    samples: usize,
    /// Name, inputs, outputs, vectors, vectors of one sample.
    tiles: Vec<(String, usize, usize, usize, usize)>,
    /// Name, length.
    digital: Vec<(String, usize)>,
    /// Name, length, share of the difference by which they move.
    statistics: Vec<(String, usize, f32)>,
}

impl Waiting {
    fn describe((samples, gradients): &(usize, Gradients)) -> Self {
        let tile =
            |g: &aimc_nn::TileGradient| (g.name.clone(), g.x.nrows(), g.d.nrows(), g.x.ncols(), g.per_sample);
        let statistics = gradients.statistics.iter();
        Self {
            samples: *samples,
            tiles: gradients.tiles.iter().map(tile).collect(),
            digital: gradients.digital.iter().map(|g| (g.name.clone(), g.values.len())).collect(),
            statistics: statistics.map(|s| (s.name.clone(), s.values.len(), s.momentum)).collect(),
        }
    }

    fn store(gradients: &Gradients, prefix: &str, state: &mut State) {
        for g in &gradients.tiles {
            state.put(&format!("{prefix}/{}/x", g.name), g.x.as_slice().to_vec());
            state.put(&format!("{prefix}/{}/d", g.name), g.d.as_slice().to_vec());
        }
        gradients.digital.iter().for_each(|g| state.put(&format!("{prefix}/{}", g.name), g.values.clone()));
        gradients
            .statistics
            .iter()
            .for_each(|g| state.put(&format!("{prefix}/{}", g.name), g.values.clone()));
    }

    fn load(&self, prefix: &str, state: &StatePart<'_>) -> Result<(usize, Gradients), StateError> {
        let mut gradients = Gradients::default();
        for (name, inputs, outputs, vectors, per_sample) in &self.tiles {
            let matrix = |part: &str, rows: usize| {
                let values = state.floats(&format!("{prefix}/{name}/{part}"), rows * vectors)?;
                Ok::<_, StateError>(DMatrix::from_column_slice(rows, *vectors, values))
            };
            gradients.tile(name.clone(), matrix("x", *inputs)?, matrix("d", *outputs)?, *per_sample);
        }
        for (name, length) in &self.digital {
            let values = state.floats(&format!("{prefix}/{name}"), *length)?.to_vec();
            gradients.parameters(name.clone(), values);
        }
        for (name, length, momentum) in &self.statistics {
            let values = state.floats(&format!("{prefix}/{name}"), *length)?.to_vec();
            gradients.measured(name.clone(), values, *momentum);
        }
        Ok((self.samples, gradients))
    }
}

/// A checkpoint cannot be read or does not fit.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Damaged, truncated or another kind of file.
    #[error("is no checkpoint of aimc: {0}")]
    Damaged(#[from] state_file::Damaged),
    /// Written with another configuration or seed.
    #[error("was written with another {what}: it holds {stored}, this training has {given}")]
    Disagrees {
        /// What differs.
        what: &'static str,
        /// Stored value.
        stored: String,
        /// Value of this training.
        given: String,
    },
    /// The arrays do not fit the network.
    #[error(transparent)]
    State(#[from] StateError),
}

impl<T: Tile> Trainer<T> {
    /// Freezes the training; `config` is the configuration that must be given again to go on.
    #[must_use]
    pub fn checkpoint(&self, config: &Value) -> Checkpoint {
        let header = Header {
            format: FORMAT.to_owned(),
            config: config.clone(),
            seed: self.seed(),
            step: self.step,
            pending: self.pending.iter().map(Waiting::describe).collect(),
            loss_sum: self.loss_sum.to_bits(),
            history: self.history.clone(),
        };
        let mut state = self.network.state();
        state.nest("optimizer", self.optimizer.state());
        for (b, (_, gradients)) in self.pending.iter().enumerate() {
            Waiting::store(gradients, &format!("pending/{b}"), &mut state);
        }
        Checkpoint { header, state }
    }

    /// Goes on from `checkpoint`; the trainer must be newly built with the same configuration and seed.
    pub fn resume(&mut self, checkpoint: &Checkpoint, config: &Value) -> Result<(), CheckpointError> {
        let header = &checkpoint.header;
        let agrees = |what, stored: String, given: String| {
            if stored == given { Ok(()) } else { Err(CheckpointError::Disagrees { what, stored, given }) }
        };
        agrees("seed", header.seed.to_string(), self.seed().to_string())?;
        agrees("configuration", header.config.to_string(), config.to_string())?;
        let state = checkpoint.state.root();
        let pending = header.pending.iter().enumerate();
        let pending = pending.map(|(b, batch)| batch.load(&format!("pending/{b}"), &state));
        let pending = pending.collect::<Result<_, _>>()?;
        let mut optimizer = self.optimizer.clone();
        optimizer.restore(&state.part("optimizer"))?;
        self.network.restore(&state)?;
        self.optimizer = optimizer;
        self.pending = pending;
        self.step = header.step;
        self.loss_sum = f64::from_bits(header.loss_sum);
        self.history.clone_from(&header.history);
        Ok(())
    }
}

impl Checkpoint {
    /// Steps done before the training was frozen.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.header.step
    }

    /// The configuration that must be given again to go on.
    #[must_use]
    pub fn config(&self) -> &Value {
        &self.header.config
    }

    /// The checkpoint as the content of a file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CheckpointError> {
        let header = serde_json::to_string(&self.header).map_err(damaged)?;
        Ok(state_file::to_bytes(&self.state, header)?)
    }

    /// Reads the content of a file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let (state, text) = state_file::from_bytes(bytes)?;
        let header: Header = serde_json::from_str(&text).map_err(damaged)?;
        if header.format != FORMAT {
            return Err(damaged(format!("format {:?} instead of {FORMAT:?}", header.format)));
        }
        Ok(Self { header, state })
    }
}

fn damaged(error: impl std::fmt::Display) -> CheckpointError {
    CheckpointError::Damaged(state_file::Damaged::new(error))
}
