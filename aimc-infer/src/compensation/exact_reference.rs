//! Global drift compensation towards the exact weights: undoes drift and the error of programming in the mean.
//!
//! ```text
//! α(t) = mean |W|/readout(t)      W: the weights that were to be programmed; readout as in the global scheme
//! ```
//!
//! The baseline is computed, not read: it costs no reads, but the digital part must know mean |W|. Not modelled: its
//! limited resolution.

use aimc_tile::matmul::Weights;

use crate::compensation::global;

/// The readout of an exact tile.
#[must_use]
pub fn readout(target: Weights<'_>) -> f32 {
    let values = target.values();
    let mean = values.iter().map(|w| f64::from(w.abs())).sum::<f64>() / values.len() as f64;
    global::readout(&[mean])
}
