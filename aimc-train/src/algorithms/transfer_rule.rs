//! The rule of a transfer algorithm: what a slice that was read from one array writes to the next.

use aimc_device::RngKey;
use aimc_device::state::{State, StateError, StatePart};

/// What the rule of an algorithm knows about the tile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Number of slices of an array.
    pub(crate) slices: usize,
    /// Entries of a slice.
    pub(crate) entries: usize,
    /// Longest pulse train of the fast array.
    pub(crate) fast_bl: u32,
}

/// A slice that was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Read<'a> {
    /// Array it comes from.
    pub(crate) array: usize,
    /// Which slice.
    pub(crate) slice: usize,
    /// What was read.
    pub(crate) values: &'a [f32],
    /// Learning rate λ_T of the transfer, and λ_A of the last vector.
    pub(crate) rates: (f32, f32),
    /// Granularity of the array it comes from and of the one it goes to.
    pub(crate) granularities: (f32, f32),
    /// Address of this transfer's draws.
    pub(crate) key: RngKey,
}

/// What is pulsed into the next array: + `lr`·`values` on average.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Write {
    pub(crate) values: Vec<f32>,
    pub(crate) lr: f32,
}

/// How an algorithm turns reads into writes.
pub(crate) trait TransferRule: std::fmt::Debug + Send + Sync {
    /// λ_A for a vector with largest sizes `x_max` and `d_max`, where `rate` is the configured one.
    fn fast_rate(&mut self, rate: f32, _sizes: (f32, f32), _granularity: f32, _batch: usize) -> f32 {
        rate
    }

    /// Signs by which the lines along and across the slices enter the fast array; `None` is all +1.
    fn choppers(&self) -> Option<(&[f32], &[f32])> {
        None
    }

    /// Whether no sign changes, now or for later reads, when a slice is read as [`Read::key`] has it: then it is known beforehand how
    /// the next vectors enter the fast array.
    fn keeps_signs(&self, _slice: usize, _key: RngKey) -> bool {
        true
    }

    /// Whether λ_T is multiplied by the ratio of the shares of the two arrays, where both are visible.
    fn follows_shares(&self) -> bool {
        true
    }

    /// Whether writes are counted in granules of the arrays, which ideal storage does not have.
    fn counts_granules(&self) -> bool {
        true
    }

    /// What a read slice writes to the next array, if anything.
    fn write(&mut self, read: Read<'_>) -> Option<Write>;

    /// Everything needed to continue later.
    fn state(&self) -> State {
        State::default()
    }

    /// Takes over what [`TransferRule::state`] gave; an error changes nothing.
    fn restore(&mut self, _state: &StatePart<'_>) -> Result<(), StateError> {
        Ok(())
    }
}
