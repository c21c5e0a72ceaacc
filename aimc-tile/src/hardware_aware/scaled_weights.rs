//! Weights in digital memory with a scale for every output, and what devices would hold of them.
//!
//! ```text
//! Ŵ = W/s      row by row of W
//! ```
//!
//! Ŵ is divided once and kept until W or s move. They move through the functions of this file only, so that none can forget it.

use std::borrow::Cow;

use aimc_device::parallel;
use pulp::Arch;

use crate::ideal::IdealTile;

/// The weights, their scales and their quotients, see the [module](self).
#[derive(Debug)]
pub(super) struct ScaledWeights {
    /// W.
    clean: IdealTile,
    /// s of every output.
    scales: Vec<f32>,
    /// Ŵ, while it holds; of no use where all s are 1.
    quotients: Vec<f32>,
    quotients_hold: bool,
    inputs: usize,
}

impl ScaledWeights {
    /// Of rows of `inputs` entries, with scales of 1.
    pub(super) fn new(clean: IdealTile, inputs: usize) -> Self {
        let scales = vec![1.0; clean.values().len() / inputs];
        Self { clean, scales, quotients: Vec::new(), quotients_hold: false, inputs }
    }

    /// W.
    pub(super) fn clean(&self) -> &IdealTile {
        &self.clean
    }

    /// s of every output.
    pub(super) fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// W and s, to be moved.
    pub(super) fn moving(&mut self) -> (&mut IdealTile, &mut Vec<f32>) {
        self.quotients_hold = false;
        (&mut self.clean, &mut self.scales)
    }

    /// Ŵ, row by row.
    pub(super) fn held(&self) -> Cow<'_, [f32]> {
        if !self.is_scaled() {
            return Cow::Borrowed(self.clean.values());
        }
        if self.quotients_hold {
            return Cow::Borrowed(&self.quotients);
        }
        let mut quotients = vec![0.0; self.clean.values().len()];
        self.divide(&mut quotients);
        Cow::Owned(quotients)
    }

    /// Divides now, for all that comes until W or s move.
    pub(super) fn keep_held(&mut self) {
        if self.is_scaled() && !self.quotients_hold {
            let mut quotients = std::mem::take(&mut self.quotients);
            quotients.resize(self.clean.values().len(), 0.0);
            self.divide(&mut quotients);
            (self.quotients, self.quotients_hold) = (quotients, true);
        }
    }

    fn is_scaled(&self) -> bool {
        self.scales.iter().any(|scale| *scale != 1.0)
    }

    /// Fills `quotients` with Ŵ.
    fn divide(&self, quotients: &mut [f32]) {
        // Rows that are worth a task; it does not matter to the result.
        const TOGETHER: usize = 16;
        let inputs = self.inputs;
        parallel::each_chunk(quotients.len(), quotients, TOGETHER * inputs, |(number, quotients)| {
            let first = number * TOGETHER;
            let rows = self.clean.values()[first * inputs..].chunks(inputs).zip(&self.scales[first..]);
            Arch::new().dispatch(|| {
                for (quotients, (weights, scale)) in quotients.chunks_mut(inputs).zip(rows) {
                    quotients.iter_mut().zip(weights).for_each(|(quotient, w)| *quotient = w / scale);
                }
            });
        });
    }
}
