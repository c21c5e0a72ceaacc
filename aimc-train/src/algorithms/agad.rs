//! AGAD: chopped Tiki-Taka whose reference is tracked, so that offsets cancel instead of averaging out.
//!
//! ```text
//! H_s ← H_s + κ c_s e∘(A e_s - ρ_s)           ρ: what A held when its sign last flipped
//! μ_s ← (1 - β)μ_s + β A e_s                  β = min(tail_weightening/N, 1)
//! c_s flips every N = ⌈1/p⌉ sweeps (at least 2); at the next read ρ_s ← μ_s
//! ```
//!
//! with κ, writes and choppers as in [`chopped`](super::chopped). A constant offset of A cancels exactly once ρ has tracked
//! it; the first N + 1 sweeps write nothing, since ρ knows nothing yet. β = 1 takes the last read of a period for ρ.
//! `buffer_cap` limits what is left in the buffer (times desired_bl), without `forget_buffer`.
//!
//! Not modelled: the significance test of the paper's supplement (AIHWKit has none either).
//!
//! Reference: M. J. Rasch, F. Carta, O. Fagbohungbe & T. Gokmen 2024, *Fast and robust analog in-memory deep neural network
//! training*, Nat. Commun. 15:7133, doi:10.1038/s41467-024-51221-z.

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};

use crate::algorithms::chopped::{AutoScale, Gain, two_arrays};
use crate::algorithms::choppers::Choppers;
use crate::algorithms::tiki_taka_v2::release;
use crate::algorithms::transfer::{single_pulses, transfer_record};
use crate::algorithms::transfer_rule::{Read, Setting, TransferRule, Write};

transfer_record! {
    /// AGAD, see the [module](self).
    pub struct Agad {
        /// Inverse of the sweeps after which the sign of a slice flips.
        in_chop_prob: f32 = 0.1,
        /// Flip at random besides, with that probability.
        in_chop_random: bool = false,
        /// Granularity of the buffer, in pulses of the fast array; 0 or below is 1.
        buffer_granularity: f32 = 1.0,
        /// Vectors after which a slice writes a pulse if the fast array moved by one pulse per vector; 0 is off.
        auto_granularity: f32 = 0.0,
        /// Pulses of the slow array for each threshold reached.
        step: f32 = 1.0,
        /// What is left of the buffer after a write.
        momentum: f32 = 0.0,
        /// `momentum` acts on the whole buffer; otherwise on what was written.
        forget_buffer: bool = true,
        /// Largest buffer in units of desired_bl, without `forget_buffer`; 0 is no limit.
        buffer_cap: f32 = 0.0,
        /// Weight of the last reads of a period in the reference.
        tail_weightening: f32 = 5.0,
        /// Divide what the buffer gains by the reads since the last flip, which have accumulated.
        experimental_correct_accumulation: bool = false,
        /// Scale the fast learning rate by the sizes of x and d.
        auto_scale: bool = false,
        /// Momentum of the running means of those sizes.
        auto_momentum: f32 = 0.99,
        /// Scale the transfer such that the slow array learns as fast as by plain gradient descent.
        correct_gradient_magnitudes: bool = false,
    }
    defaults { units_in_mbatch: false, scale_fast_lr: false, transfer_update: single_pulses(), }
}

impl Agad {
    /// Refuses parameters outside their range.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        require::probability("in_chop_prob", self.in_chop_prob)?;
        require::positive("in_chop_prob", self.in_chop_prob)?;
        require::finite("buffer_granularity", self.buffer_granularity)?;
        require::non_negative("auto_granularity", self.auto_granularity)?;
        require::positive("step", self.step)?;
        require::within("momentum", self.momentum, 0.0, 1.0)?;
        require::non_negative("buffer_cap", self.buffer_cap)?;
        require::positive("tail_weightening", self.tail_weightening)?;
        require::probability("auto_momentum", self.auto_momentum)?;
        two_arrays(self.devices.len())?;
        require::that(
            self.n_reads_per_transfer == 1,
            "n_reads_per_transfer",
            self.n_reads_per_transfer,
            "must be 1 with choppers",
        )
    }

    /// Sweeps between two flips.
    fn flip_period(&self) -> u64 {
        (1.0 / self.in_chop_prob).ceil().max(2.0) as u64
    }

    /// The rule for the tile.
    pub(crate) fn rule(&self, setting: Setting) -> Tracked {
        let zeros = vec![0.0; setting.slices * setting.entries];
        Tracked {
            setting,
            buffer: zeros.clone(),
            mean: zeros.clone(),
            reference: zeros,
            flipped: vec![0; setting.slices],
            choppers: Choppers::new(setting.slices, setting.entries),
            scale: AutoScale::new(self.auto_scale, self.fast_lr, self.auto_momentum, setting.fast_bl),
            sweeps: 0,
            record: self.clone(),
        }
    }
}

/// The rule of AGAD.
#[derive(Debug)]
pub(crate) struct Tracked {
    record: Agad,
    setting: Setting,
    buffer: Vec<f32>,
    /// Running mean μ of the reads.
    mean: Vec<f32>,
    /// Reference ρ.
    reference: Vec<f32>,
    /// Slices (1) whose sign has flipped since they were last read.
    flipped: Vec<u64>,
    choppers: Choppers,
    scale: AutoScale,
    sweeps: u64,
}

impl Tracked {
    /// Number of the sweep within its period, from 1.
    fn in_period(&self) -> u64 {
        self.sweeps % self.record.flip_period() + 1
    }

    /// Whether the sign of a slice flips once it was read.
    fn flips(&self, key: RngKey) -> bool {
        let by_chance = || key.fold_in(label("in chopper")).stream(0).uniform() < self.record.in_chop_prob;
        self.in_period() == self.record.flip_period() || self.record.in_chop_random && by_chance()
    }

    fn flip(&mut self, read: &Read<'_>) {
        if self.flips(read.key) {
            self.choppers.flip_along(read.slice);
            self.flipped[read.slice] = 1;
        }
        if read.slice + 1 == self.setting.slices {
            self.sweeps += 1;
        }
    }
}

impl TransferRule for Tracked {
    fn fast_rate(&mut self, rate: f32, sizes: (f32, f32), granularity: f32, batch: usize) -> f32 {
        self.scale.rate(rate, sizes, granularity, batch)
    }

    fn choppers(&self) -> Option<(&[f32], &[f32])> {
        Some(self.choppers.signs())
    }

    fn keeps_signs(&self, slice: usize, key: RngKey) -> bool {
        slice + 1 < self.setting.slices && !self.flips(key)
    }

    fn write(&mut self, read: Read<'_>) -> Option<Write> {
        let record = &self.record;
        let gain = Gain {
            buffer_granularity: record.buffer_granularity,
            auto_granularity: record.auto_granularity,
            transfer_every: record.transfer_every,
            correct_gradient_magnitudes: record.correct_gradient_magnitudes,
        };
        let period = record.flip_period();
        let in_period = self.in_period();
        let mut kappa = gain.of(&read, self.setting.slices);
        if record.experimental_correct_accumulation {
            kappa /= (in_period as f32).min(1.0 / read.granularities.0);
        }
        let beta = (record.tail_weightening / period as f32).min(1.0);
        let limit = record.transfer_update.desired_bl as f32;
        let just_flipped = std::mem::take(&mut self.flipped[read.slice]) == 1;
        let mut write = vec![0.0; self.setting.entries];
        for (entry, value) in read.values.iter().enumerate() {
            let at = read.slice * self.setting.entries + entry;
            if just_flipped {
                self.reference[at] = self.mean[at];
            }
            let h = &mut self.buffer[at];
            *h += kappa * self.choppers.sign(read.slice, entry) * (value - self.reference[at]);
            if h.abs() >= 1.0 {
                (write[entry], *h) = release(*h, limit, record.momentum, record.forget_buffer);
                let cap = record.buffer_cap * limit;
                if !record.forget_buffer && cap > 0.0 {
                    *h = h.clamp(-cap, cap);
                }
            }
            self.mean[at] = (1.0 - beta) * self.mean[at] + beta * value;
        }
        let lr = record.step * read.granularities.1;
        let warm = self.sweeps > period;
        self.flip(&read);
        (warm && write.iter().any(|pulses| *pulses != 0.0)).then_some(Write { values: write, lr })
    }

    fn state(&self) -> State {
        let mut state = State::default();
        state.put("buffer", self.buffer.clone());
        state.put("mean", self.mean.clone());
        state.put("reference", self.reference.clone());
        state.put("flipped", self.flipped.clone());
        state.nest("choppers", self.choppers.state());
        state.put("means", self.scale.state());
        state.put("sweeps", vec![self.sweeps]);
        state
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        let n = self.buffer.len();
        let [buffer, mean, reference] =
            [state.floats("buffer", n)?, state.floats("mean", n)?, state.floats("reference", n)?];
        let flipped = state.counts("flipped", self.flipped.len())?;
        let (means, sweeps) = (state.floats("means", 2)?, state.counts("sweeps", 1)?[0]);
        self.choppers.restore(&state.part("choppers"))?;
        self.scale.restore(means);
        self.buffer.copy_from_slice(buffer);
        self.mean.copy_from_slice(mean);
        self.reference.copy_from_slice(reference);
        self.flipped.copy_from_slice(flipped);
        self.sweeps = sweeps;
        Ok(())
    }
}
