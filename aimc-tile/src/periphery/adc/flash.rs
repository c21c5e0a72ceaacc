//! Flash conversion: a comparator for every threshold; the number is how many say "above".
//!
//! ```text
//! number = -M + #{n : u > T_n},   T_n = -M + ½ + n + σ·ξ_n,   n = 0 … 2M - 1
//! ```
//!
//! Every comparator has an offset of its own, of std σ in steps. Counting instead of looking for the edge keeps the
//! conversion monotonic even where neighbouring thresholds change places. Independent thresholds give
//!
//! ```text
//! Var INL = σ²,    Var DNL = 2σ²        (in steps²)
//! ```
//!
//! It takes one step of time and 2M comparators, hence few bits: CMOS compute-in-memory macros use 3 to 5, for instance
//! S. Yin et al. 2020, *XNOR-SRAM*, IEEE J. Solid-State Circuits 55:1733, doi:10.1109/JSSC.2019.2963616. Not modelled:
//! noise of the comparators (use `out_noise`), metastability.
//!
//! ```
//! use aimc_tile::periphery::adc::flash::Flash;
//! // M = 1. The comparators say "above" for -0.5 and not for 0.5.
//! assert_eq!(Flash::number(0.2, &[-0.5, 0.5]), 0);
//! assert_eq!(Flash::number(0.2, &[-0.5, 0.1]), 1);
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bank::above;

/// Flash conversion, see the [module](self).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Flash {
    /// Std σ of the threshold of a comparator, in steps.
    pub threshold_std: f32,
}

impl Flash {
    /// Normal draws become thresholds.
    pub(super) fn fabricate(&self, values: &mut [f32]) {
        let first = 0.5 - (values.len() / 2) as f32;
        for (n, value) in values.iter_mut().enumerate() {
            *value = first + n as f32 + self.threshold_std * *value;
        }
    }

    /// The number for `u` steps, from the thresholds.
    #[must_use]
    pub fn number(u: f32, thresholds: &[f32]) -> i32 {
        let half = (thresholds.len() / 2) as i32;
        let count = thresholds
            .iter()
            .enumerate()
            .filter(|(n, threshold)| above(u, **threshold, *n as i32 + 1 - half));
        count.count() as i32 - half
    }
}
