//! Tiki-Taka v2: a digital buffer between the arrays, which releases whole pulses.
//!
//! ```text
//! H_s ← H_s + λ_T A e_s,     θ = thres_scale·G_C,     n = trunc(H_s/θ), at most ± desired_bl
//! C ← C + n·step·G_C  at column s
//! n ≠ 0:  H ← momentum·H  with forget_buffer,  else  H ← H - (1 - momentum)·n·θ
//! ```
//!
//! One pulse of C for each θ of accumulated λ_T·A: noise of A must persist to get through. Without forgetting and momentum
//! the buffer conserves what it has read: Σ λ_T·(reads) = H + θ·Σn.
//!
//! | symbol | field | typical |
//! |---|---|---|
//! | threshold in pulses of C | `thres_scale` | 1 |
//! | pulses of C for each n | `step` | 1 |
//! | what is left of the buffer after a write | `momentum`, `forget_buffer` | 0.1 |
//!
//! Reference: T. Gokmen 2021, *Enabling Training of Neural Networks on Noisy Hardware*, Front. Artif. Intell. 4:699148,
//! doi:10.3389/frai.2021.699148.

use aimc_device::error::{ConfigError, require};
use aimc_device::state::{State, StateError, StatePart};

use crate::algorithms::transfer::{single_pulses, transfer_record};
use crate::algorithms::transfer_rule::{Read, Setting, TransferRule, Write};

transfer_record! {
    /// Tiki-Taka v2, see the [module](self).
    pub struct TikiTakaV2 {
        /// Threshold of a write, in pulses of the array that is written.
        thres_scale: f32 = 1.0,
        /// Pulses of that array for each threshold reached.
        step: f32 = 1.0,
        /// What is left of the buffer after a write.
        momentum: f32 = 0.1,
        /// `momentum` acts on the whole buffer; otherwise on what was written.
        forget_buffer: bool = true,
    }
    defaults { transfer_update: single_pulses(), }
}

impl TikiTakaV2 {
    /// Refuses parameters outside their range.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        require::positive("thres_scale", self.thres_scale)?;
        require::positive("step", self.step)?;
        require::within("momentum", self.momentum, 0.0, 1.0)
    }

    /// The rule for so many arrays.
    pub(crate) fn rule(&self, arrays: usize, setting: Setting) -> Buffered {
        let size = setting.slices * setting.entries;
        Buffered {
            record: self.clone(),
            buffers: vec![vec![0.0; size]; arrays - 1],
            entries: setting.entries,
        }
    }
}

/// Splits a buffer entry that has reached the threshold 1 into pulses and what is left.
pub(crate) fn release(filled: f32, limit: f32, momentum: f32, forget: bool) -> (f32, f32) {
    let pulses = filled.trunc().clamp(-limit, limit);
    (pulses, if forget { momentum * filled } else { filled - (1.0 - momentum) * pulses })
}

/// The rule of Tiki-Taka v2 and its buffers, slice by slice, one for each array but the last.
#[derive(Debug)]
pub(crate) struct Buffered {
    record: TikiTakaV2,
    buffers: Vec<Vec<f32>>,
    entries: usize,
}

impl TransferRule for Buffered {
    fn write(&mut self, read: Read<'_>) -> Option<Write> {
        let TikiTakaV2 { momentum, forget_buffer, .. } = self.record;
        let target = read.granularities.1;
        let threshold = self.record.thres_scale * target;
        let limit = self.record.transfer_update.desired_bl as f32;
        let start = read.slice * self.entries;
        let buffer = &mut self.buffers[read.array][start..start + self.entries];
        let mut write = vec![0.0; self.entries];
        for ((h, value), out) in buffer.iter_mut().zip(read.values).zip(&mut write) {
            *h += read.rates.0 * value;
            if h.abs() >= threshold {
                let (pulses, left) = release(*h / threshold, limit, momentum, forget_buffer);
                (*out, *h) = (pulses, left * threshold);
            }
        }
        let any = write.iter().any(|pulses| *pulses != 0.0);
        any.then_some(Write { values: write, lr: self.record.step * target })
    }

    fn state(&self) -> State {
        let mut state = State::default();
        for (k, buffer) in self.buffers.iter().enumerate() {
            state.put(&format!("buffer{k}"), buffer.clone());
        }
        state
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        let buffer =
            |(k, buffer): (usize, &Vec<f32>)| Ok(state.floats(&format!("buffer{k}"), buffer.len())?.to_vec());
        self.buffers = self.buffers.iter().enumerate().map(buffer).collect::<Result<_, StateError>>()?;
        Ok(())
    }
}
