//! Residual learning over several arrays: each holds, at a smaller scale, what the one above it cannot express.
//!
//! ```text
//! W = Σₖ γⁿ⁻¹⁻ᵏ wₖ                        k = 0 … n-1 from the finest array to the coarsest
//! w₀ ← w₀ - λ_A d xᵀ                     every vector: the gradient reaches the finest array
//! wₖ₊₁ ← wₖ₊₁ + λ_T γ (wₖ e_s) e_sᵀ      every Eₖ vectors, columns s in turn: what has gathered moves one array up
//! ```
//!
//! A device of few states and step δ holds a weight to about δ. n arrays hold it to about γⁿ⁻¹δ, as digits of a number do:
//! the visible step of a pulse on w₀ is γⁿ⁻¹δ, that on the coarsest array δ. A transfer moves the visible weight by
//! λ_T γₖ₊₁γ wₖ = λ_T γₖ wₖ, that is by λ_T times what the column contributes already; the gradient takes the surplus away
//! from w₀. Array k+1 is served once array k has been swept ([`transfer`](super::transfer)).
//!
//! | symbol | field | typical |
//! |---|---|---|
//! | n | `tiles`; the number of `devices` if they are listed | 3 |
//! | γ | `gamma`, `gamma_vec` | 0.4; the smaller, the finer the last digit, but the fewer states of an array make one of the next |
//! | λ_T, λ_A | `transfer_lr`, `fast_lr`, times the learning rate | 0.3, 3 |
//!
//! Two arrays and γ = 0 are [Tiki-Taka](super::tiki_taka). Not modelled: the paper's schedule with arrays that are
//! trained one after the other; here all learn at once, on time scales that their periods separate.
//!
//! Reference: Z. Wu et al., *In-memory Training on Analog Devices with Limited Conductance States via Multi-tile Residual
//! Learning*, AISTATS 2026, arXiv:2510.02516.

use aimc_device::error::{ConfigError, require};

use crate::algorithms::transfer::{Transfer, transfer_record};
use crate::algorithms::transfer_rule::{Read, TransferRule, Write};

transfer_record! {
    /// Residual learning, see the [module](self).
    pub struct ResidualLearning {
        /// Number of arrays, unless `devices` lists them.
        tiles: usize = 3,
    }
    defaults { gamma: 0.4, units_in_mbatch: false, fast_lr: 3.0, transfer_lr: 0.3, }
}

impl ResidualLearning {
    /// Refuses parameters outside their range.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let tiles = self.tiles;
        require::that((2..=16).contains(&tiles), "tiles", tiles, "must lie between 2 and 16")?;
        let visible = !self.gamma_vec.is_empty() || self.gamma > 0.0;
        require::that(visible, "gamma", self.gamma, "must be above 0: every array is part of the weight")?;
        for (k, gamma) in self.gamma_vec.iter().enumerate() {
            require::positive(&format!("gamma_vec[{k}]"), *gamma)?;
        }
        Ok(())
    }

    /// The transfer between so many arrays.
    pub(crate) fn arrays(&self) -> Transfer {
        Transfer { arrays: self.tiles, ..self.transfer() }
    }
}

/// The rule of residual learning: reads are written as they are, in units of the array above.
#[derive(Debug)]
pub(crate) struct Residual;

impl TransferRule for Residual {
    fn counts_granules(&self) -> bool {
        false
    }

    fn write(&mut self, read: Read<'_>) -> Option<Write> {
        Some(Write { values: read.values.to_vec(), lr: read.rates.0 })
    }
}
