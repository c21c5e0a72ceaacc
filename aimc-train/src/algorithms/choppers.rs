//! Choppers: the signs ±1 with which lines enter the fast array, and are read from it.

use aimc_device::RngKey;
use aimc_device::state::{State, StateError, StatePart};

/// Signs of the lines along the slices (one for each slice) and across them (one for each entry).
#[derive(Clone, Debug)]
pub(crate) struct Choppers {
    along: Vec<f32>,
    across: Vec<f32>,
}

impl Choppers {
    /// All +1.
    pub(crate) fn new(slices: usize, entries: usize) -> Self {
        Self { along: vec![1.0; slices], across: vec![1.0; entries] }
    }

    /// The signs along and across the slices.
    pub(crate) fn signs(&self) -> (&[f32], &[f32]) {
        (&self.along, &self.across)
    }

    /// Sign of one entry of the array.
    pub(crate) fn sign(&self, slice: usize, entry: usize) -> f32 {
        self.along[slice] * self.across[entry]
    }

    /// Turns the sign of a slice round.
    pub(crate) fn flip_along(&mut self, slice: usize) {
        self.along[slice] = -self.along[slice];
    }

    /// Turns the signs across the slices round, each with the given probability.
    pub(crate) fn flip_across(&mut self, probability: f32, key: RngKey) {
        let mut draws = key.stream(0);
        for sign in self.across.iter_mut().filter(|_| probability > 0.0) {
            if draws.uniform() < probability {
                *sign = -*sign;
            }
        }
    }

    pub(crate) fn state(&self) -> State {
        let mut state = State::default();
        state.put("along", self.along.clone());
        state.put("across", self.across.clone());
        state
    }

    /// An error changes nothing.
    pub(crate) fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        let along = state.floats("along", self.along.len())?.to_vec();
        self.across = state.floats("across", self.across.len())?.to_vec();
        self.along = along;
        Ok(())
    }
}
