//! Checkpoints: everything that a training needs to go on bit for bit.
//!
//! The file is in the safetensors format, with a checksum: weights, per-device constants and counters as named arrays; the
//! configuration, seed, step and history as JSON in its header. A checkpoint whose configuration or seed
//! differs from the trainer's is refused, never silently preferred.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use aimc_device::state::{State, StateError, StatePart, Values};
use aimc_nn::Gradients;
use aimc_tile::Tile;
use nalgebra::DMatrix;

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

/// What the file has in its own header: ours as JSON, and the checksum.
#[derive(Debug, Serialize, Deserialize)]
struct Envelope {
    crc32: String,
    header: String,
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
    Damaged(String),
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
        let arrays: Vec<(&str, Dtype, usize, Vec<u8>)> = self
            .state
            .iter()
            .map(|(name, values)| match values {
                Values::Floats(v) => {
                    (name, Dtype::F32, v.len(), v.iter().flat_map(|v| v.to_le_bytes()).collect())
                }
                Values::Counts(v) => {
                    (name, Dtype::U64, v.len(), v.iter().flat_map(|v| v.to_le_bytes()).collect())
                }
            })
            .collect();
        let views = arrays
            .iter()
            .map(|(name, dtype, length, bytes)| {
                Ok((*name, TensorView::new(*dtype, vec![*length], bytes).map_err(damaged)?))
            })
            .collect::<Result<Vec<_>, CheckpointError>>()?;
        let header = serde_json::to_string(&self.header).map_err(damaged)?;
        let by_name = arrays.iter().map(|(name, _, _, bytes)| (*name, bytes.as_slice())).collect();
        let checksum = checksum(&header, by_name);
        // One entry: the order of several would differ from file to file.
        let envelope = serde_json::to_string(&Envelope { crc32: checksum, header }).map_err(damaged)?;
        let metadata = HashMap::from([("aimc".to_owned(), envelope)]);
        safetensors::serialize(views, Some(metadata)).map_err(damaged)
    }

    /// Reads the content of a file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        let entry = metadata.metadata().as_ref().and_then(|entries| entries.get("aimc"));
        let entry =
            entry.ok_or_else(|| CheckpointError::Damaged("its header lacks the entry `aimc`".to_owned()))?;
        let Envelope { crc32: stated, header: text } = serde_json::from_str(entry).map_err(damaged)?;
        let header: Header = serde_json::from_str(&text).map_err(damaged)?;
        if header.format != FORMAT {
            return Err(CheckpointError::Damaged(format!(
                "format {:?} instead of {FORMAT:?}",
                header.format
            )));
        }
        let tensors = SafeTensors::deserialize(bytes).map_err(damaged)?.tensors();
        let found =
            checksum(&text, tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.data())).collect());
        if found != stated {
            return Err(CheckpointError::Damaged(format!(
                "its checksum is {found}, the file states {stated}"
            )));
        }
        let mut state = State::default();
        for (name, tensor) in tensors {
            match tensor.dtype() {
                Dtype::F32 => state.put(&name, numbers(tensor.data(), f32::from_le_bytes)),
                Dtype::U64 => state.put(&name, numbers(tensor.data(), u64::from_le_bytes)),
                other => return Err(CheckpointError::Damaged(format!("array {name} has type {other:?}"))),
            }
        }
        Ok(Self { header, state })
    }
}

/// CRC-32 of the header and of all arrays with their names, in the order of the names.
fn checksum(header: &str, mut arrays: Vec<(&str, &[u8])>) -> String {
    arrays.sort_unstable_by_key(|(name, _)| *name);
    let mut crc = crc32fast::Hasher::new();
    crc.update(header.as_bytes());
    for (name, bytes) in arrays {
        crc.update(name.as_bytes());
        crc.update(bytes);
    }
    format!("{:08x}", crc.finalize())
}

fn damaged(error: impl std::fmt::Display) -> CheckpointError {
    CheckpointError::Damaged(error.to_string())
}

/// Decodes numbers of N bytes each; the format guarantees whole numbers.
fn numbers<const N: usize, T>(bytes: &[u8], decode: fn([u8; N]) -> T) -> Vec<T> {
    let (whole, _) = bytes.as_chunks::<N>();
    whole.iter().map(|bytes| decode(*bytes)).collect()
}
