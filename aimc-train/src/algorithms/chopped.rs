//! Chopped Tiki-Taka (c-TTv2): the signs of the fast array's lines change, so that its offsets average out.
//!
//! ```text
//! A ← A - λ_A (e∘d)(c∘x)ᵀ                     c, e = ±1: choppers of the lines along and across the slices
//! H_s ← H_s + κ c_s e∘(A e_s)                 κ = λ_T/B, B = buffer granularity
//! n = trunc H_s, at most ± desired_bl;  C ← C + n·step·G_C at slice s;  H as in Tiki-Taka v2
//! c_s then flips: with probability p, or every ⌈1/p⌉ sweeps; e flips with its own probability after a sweep
//! ```
//!
//! A constant offset o of A enters the buffer with alternating sign and averages out; without choppers it grows as
//! κ·o·(reads). The gradient enters and leaves with the same sign.
//!
//! | symbol | field | typical |
//! |---|---|---|
//! | p | `in_chop_prob`, `in_chop_random`; `out_chop_prob` | 0.1 |
//! | B = b·G_A, or b·G_A·`auto_granularity`/(slices·E) | `buffer_granularity` b, `auto_granularity` | 1, 0 (off) |
//! | what is left of the buffer after a write | `momentum`, `forget_buffer`, `no_buffer` | 0 |
//! | λ_A = fast_lr·desired_bl·G_A/(m_x m_d), m the running means of max\|x\| and max\|d\| | `auto_scale`, `auto_momentum` | 0.99 |
//! | κ = λ_T/(λ_A B G_C/G_A): writes as large as plain gradient descent | `correct_gradient_magnitudes` | off |
//!
//! Without choppers (p = 0) this is Tiki-Taka v2 with a buffer in units of its threshold.
//!
//! Reference: M. J. Rasch, F. Carta, O. Fagbohungbe & T. Gokmen 2024, *Fast and robust analog in-memory deep neural network
//! training*, Nat. Commun. 15:7133, doi:10.1038/s41467-024-51221-z.

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};

use crate::algorithms::choppers::Choppers;
use crate::algorithms::tiki_taka_v2::release;
use crate::algorithms::transfer::{single_pulses, transfer_record};
use crate::algorithms::transfer_rule::{Read, Setting, TransferRule, Write};

transfer_record! {
    /// Chopped Tiki-Taka, see the [module](self).
    pub struct ChoppedTikiTaka {
        /// Probability that the sign of a slice flips after it was read.
        in_chop_prob: f32 = 0.1,
        /// Flip at random; otherwise every 1/`in_chop_prob` sweeps (rounded up, at least 2).
        in_chop_random: bool = true,
        /// Probability that the sign of a line across the slices flips after a sweep.
        out_chop_prob: f32 = 0.0,
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
        /// Leave the buffer out: every read stands for itself.
        no_buffer: bool = false,
        /// Scale the fast learning rate by the sizes of x and d.
        auto_scale: bool = false,
        /// Momentum of the running means of those sizes.
        auto_momentum: f32 = 0.99,
        /// Scale the transfer such that the slow array learns as fast as by plain gradient descent.
        correct_gradient_magnitudes: bool = false,
    }
    defaults { units_in_mbatch: false, scale_fast_lr: false, transfer_update: single_pulses(), }
}

impl ChoppedTikiTaka {
    /// Refuses parameters outside their range.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        require::probability("in_chop_prob", self.in_chop_prob)?;
        require::probability("out_chop_prob", self.out_chop_prob)?;
        require::finite("buffer_granularity", self.buffer_granularity)?;
        require::non_negative("auto_granularity", self.auto_granularity)?;
        require::positive("step", self.step)?;
        require::within("momentum", self.momentum, 0.0, 1.0)?;
        require::probability("auto_momentum", self.auto_momentum)?;
        two_arrays(self.devices.len())?;
        require::that(
            self.n_reads_per_transfer == 1,
            "n_reads_per_transfer",
            self.n_reads_per_transfer,
            "must be 1 with choppers",
        )
    }

    /// The rule for the tile.
    pub(crate) fn rule(&self, setting: Setting) -> Chopped {
        let scale = AutoScale::new(self.auto_scale, self.fast_lr, self.auto_momentum, setting.fast_bl);
        let buffer = vec![0.0; setting.slices * setting.entries];
        let choppers = Choppers::new(setting.slices, setting.entries);
        Chopped { record: self.clone(), setting, buffer, choppers, scale, sweeps: 0 }
    }
}

/// Algorithms with choppers know one fast and one slow array.
pub(crate) fn two_arrays(listed: usize) -> Result<(), ConfigError> {
    require::that(
        [0, 2].contains(&listed),
        "devices",
        listed,
        "must be two, or none for twice that of the tile",
    )
}

/// Factor κ from what is read to what the buffer gains.
pub(crate) struct Gain {
    pub(crate) buffer_granularity: f32,
    pub(crate) auto_granularity: f32,
    pub(crate) transfer_every: f32,
    pub(crate) correct_gradient_magnitudes: bool,
}

impl Gain {
    pub(crate) fn of(&self, read: &Read<'_>, slices: usize) -> f32 {
        let (fast, slow) = read.granularities;
        let unit = if self.buffer_granularity > 0.0 { self.buffer_granularity } else { 1.0 };
        let granularity = if self.auto_granularity > 0.0 {
            unit * fast * self.auto_granularity / (slices as f32 * self.transfer_every.abs())
        } else {
            unit * fast
        };
        let (rate, fast_rate) = read.rates;
        if self.correct_gradient_magnitudes {
            rate / (fast_rate * granularity * slow / fast)
        } else {
            rate / granularity
        }
    }
}

/// Running means of max|x| and max|d|, from which the fast learning rate follows.
#[derive(Clone, Debug)]
pub(crate) struct AutoScale {
    /// fast_lr·desired_bl; `None` leaves the rate alone.
    pulses: Option<f32>,
    momentum: f32,
    means: [f32; 2],
}

impl AutoScale {
    pub(crate) fn new(on: bool, fast_lr: f32, momentum: f32, fast_bl: u32) -> Self {
        let pulses = (on && fast_lr > 0.0).then_some(fast_bl as f32);
        Self { pulses, momentum, means: [0.0; 2] }
    }

    /// λ_A for a vector with these largest sizes; `rate` is the configured one, `batch` the vectors of a mini-batch.
    pub(crate) fn rate(&mut self, rate: f32, (x, d): (f32, f32), granularity: f32, batch: usize) -> f32 {
        let Some(pulses) = self.pulses else { return rate };
        let share = (1.0 - self.momentum) / batch as f32;
        for (mean, size) in self.means.iter_mut().zip([x, d]) {
            if size > 0.0 {
                *mean = if *mean > 0.0 { (1.0 - share) * *mean + share * size } else { size };
            }
        }
        let scale = self.means[0] * self.means[1];
        if scale > 0.0 { rate * pulses * granularity / scale } else { rate }
    }

    pub(crate) fn state(&self) -> Vec<f32> {
        self.means.to_vec()
    }

    pub(crate) fn restore(&mut self, means: &[f32]) {
        self.means.copy_from_slice(means);
    }
}

/// The rule of chopped Tiki-Taka.
#[derive(Debug)]
pub(crate) struct Chopped {
    record: ChoppedTikiTaka,
    setting: Setting,
    buffer: Vec<f32>,
    choppers: Choppers,
    scale: AutoScale,
    /// Sweeps over all slices.
    sweeps: u64,
}

impl Chopped {
    /// Whether the sign of a slice flips once it was read.
    fn flips(&self, key: RngKey) -> bool {
        let probability = self.record.in_chop_prob;
        let period = (1.0 / probability).ceil().max(2.0) as u64;
        if self.record.in_chop_random {
            key.fold_in(label("in chopper")).stream(0).uniform() < probability
        } else {
            probability > 0.0 && self.sweeps % period == period - 1
        }
    }

    fn flip(&mut self, read: &Read<'_>) {
        if self.flips(read.key) {
            self.choppers.flip_along(read.slice);
        }
        if read.slice + 1 == self.setting.slices {
            self.choppers.flip_across(self.record.out_chop_prob, read.key.fold_in(label("out choppers")));
            self.sweeps += 1;
        }
    }
}

impl TransferRule for Chopped {
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
        let kappa = gain.of(&read, self.setting.slices);
        let limit = record.transfer_update.desired_bl as f32;
        let start = read.slice * self.setting.entries;
        let buffer = &mut self.buffer[start..start + self.setting.entries];
        let mut write = vec![0.0; self.setting.entries];
        for (entry, (h, value)) in buffer.iter_mut().zip(read.values).enumerate() {
            let before = if record.no_buffer { 0.0 } else { *h };
            *h = before + kappa * self.choppers.sign(read.slice, entry) * value;
            if h.abs() >= 1.0 {
                (write[entry], *h) = release(*h, limit, record.momentum, record.forget_buffer);
            }
        }
        let lr = record.step * read.granularities.1;
        self.flip(&read);
        write.iter().any(|pulses| *pulses != 0.0).then_some(Write { values: write, lr })
    }

    fn state(&self) -> State {
        let mut state = State::default();
        state.put("buffer", self.buffer.clone());
        state.nest("choppers", self.choppers.state());
        state.put("means", self.scale.state());
        state.put("sweeps", vec![self.sweeps]);
        state
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        let buffer = state.floats("buffer", self.buffer.len())?.to_vec();
        let means = state.floats("means", 2)?;
        let sweeps = state.counts("sweeps", 1)?[0];
        self.choppers.restore(&state.part("choppers"))?;
        self.scale.restore(means);
        (self.buffer, self.sweeps) = (buffer, sweeps);
        Ok(())
    }
}
