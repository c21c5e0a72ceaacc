//! Tiki-Taka (v1): what is read from the fast array is written to the slow one.
//!
//! ```text
//! A ← A - λ_A d xᵀ            every vector
//! C ← C + λ_T (A e_s) e_sᵀ    every E vectors, columns s in turn
//! W = γA + C
//! ```
//!
//! Pulses of both signs drive A to its symmetry point, where it forgets the noise of the gradient but keeps its mean. The
//! symmetry point must be the zero of A, otherwise its offset leaks into C (zero shifting). Each
//! column is read once in E·(columns) vectors; without asymmetry and for a constant gradient g, A grows by -λ_A g per
//! vector. γ > 0 lets A correct C; [`residual_learning`](super::residual_learning) makes a number of several arrays.
//!
//! Reference: T. Gokmen & W. Haensch 2020, *Algorithm for Training Neural Networks on Resistive Device Arrays*, Front.
//! Neurosci. 14:103, doi:10.3389/fnins.2020.00103.

use crate::algorithms::transfer::transfer_record;
use crate::algorithms::transfer_rule::{Read, TransferRule, Write};

transfer_record! {
    /// Tiki-Taka, see the [module](self).
    pub struct TikiTaka {}
    defaults {}
}

/// The rule of Tiki-Taka.
#[derive(Debug)]
pub(crate) struct Direct;

impl TransferRule for Direct {
    fn follows_shares(&self) -> bool {
        false
    }

    fn counts_granules(&self) -> bool {
        false
    }

    fn write(&mut self, read: Read<'_>) -> Option<Write> {
        Some(Write { values: read.values.to_vec(), lr: read.rates.0 })
    }
}
