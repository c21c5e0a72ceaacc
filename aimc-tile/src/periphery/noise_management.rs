//! Noise management: scales a vector into the range of the DAC, so that small signals are not lost in noise.
//!
//! The array sees x/α, the result is multiplied by α. Output noise thus becomes proportional to α
//! (Gokmen, Onen & Haensch 2017, Front. Neurosci. 11:538, doi:10.3389/fnins.2017.00538).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How α follows from the input vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum NoiseManagement {
    /// α = 1.
    None,
    /// α = max |x|, at most `nm_thres` where that is above 0.
    #[default]
    AbsMax,
}

impl NoiseManagement {
    /// The scale α of one input vector; 0 where the vector carries no signal.
    #[must_use]
    pub fn scale(self, x: impl Iterator<Item = f32>, threshold: f32) -> f32 {
        match self {
            Self::None => 1.0,
            Self::AbsMax => {
                let largest = x.fold(0.0_f32, |largest, x| largest.max(x.abs()));
                if threshold > 0.0 { largest.min(threshold) } else { largest }
            }
        }
    }
}
