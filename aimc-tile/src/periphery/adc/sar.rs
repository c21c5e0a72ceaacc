//! Successive approximation: bit after bit, a capacitive divider makes a threshold, and one comparator decides.
//!
//! ```text
//! q = 0;  for bit i from the top:  q ← q + 2ⁱ where u is above  T(q + 2ⁱ),   T(q) = Σᵢ bᵢ(q) wᵢ - M - ½
//! ```
//!
//! The number is q - M. Bit i switches a capacitor of 2ⁱ units; units differ by the relative std σ, so that a capacitor is
//! Cᵢ = 2ⁱ + σ·√2ⁱ·ξ, and only ratios count: wᵢ = Cᵢ·(2ᵏ - 1)/ΣC for k bits. Threshold q, of n = q of the N = 2ᵏ - 1
//! units, so errs by the integral nonlinearity
//!
//! ```text
//! Var T(q) = σ²·n(N - n)/N        (in steps²), largest in the middle, where all bits change: σ²·2ᵏ/4
//! ```
//!
//! to first order in σ. Large σ makes codes missing and the conversion non-monotonic. Not modelled: comparator noise (use
//! `out_noise`), settling. Mismatch of unit capacitors is 0.1 % to 1 %: V. Tripathi & B. Murmann 2014, *Mismatch
//! characterization of small metal fringe capacitors*, IEEE TCAS-I 61:2236, doi:10.1109/TCSI.2014.2332264.
//!
//! ```
//! use aimc_tile::periphery::adc::sar::Sar;
//! // Three bits, M = 3: -1.2 steps are nearest to -1.
//! assert_eq!(Sar::number(-1.2, &[1.0, 2.0, 4.0], 6), -1);
//! // The capacitor of the top bit 1.5 units too large moves the threshold between 0 and 1 from 0.5 to 2.
//! assert_eq!(Sar::number(1.9, &[1.0, 2.0, 5.5], 6), 0);
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bank::above;

/// Successive approximation, see the [module](self).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sar {
    /// Relative std σ of a unit capacitor.
    pub capacitor_std: f32,
}

impl Sar {
    /// Normal draws become weights wᵢ, one per bit, the lowest first.
    pub(super) fn fabricate(&self, values: &mut [f32]) {
        let units = |i: usize| (1_u32 << i) as f32;
        for (i, value) in values.iter_mut().enumerate() {
            *value = units(i) + self.capacitor_std * units(i).sqrt() * *value;
        }
        if self.capacitor_std > 0.0 {
            let (full, sum) = (units(values.len()) - 1.0, values.iter().sum::<f32>());
            values.iter_mut().for_each(|value| *value *= full / sum);
        }
    }

    /// The number for `u` steps, from the weights of the bits; of 2M `thresholds`.
    #[must_use]
    pub fn number(u: f32, weights: &[f32], thresholds: usize) -> i32 {
        let half = (thresholds / 2) as i32;
        let (mut code, mut sum) = (0, 0.0);
        for (i, weight) in weights.iter().enumerate().rev() {
            let trial = code + (1 << i);
            if above(u, sum + weight - half as f32 - 0.5, trial - half) {
                code = trial;
                sum += weight;
            }
        }
        code.min(thresholds as i32) - half
    }
}
