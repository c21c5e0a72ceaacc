//! Short-term noise of the weights during a read, referred to the outputs.
//!
//! Each product sees weights W + ξ afresh; summed over a line this is Gaussian noise on the output, drawn
//! there directly: the law is the same, at the cost of one draw per line instead of one per device.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the noise of a weight depends on its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum WeightNoise {
    /// No noise.
    #[default]
    None,
    /// Std `w_noise` for every weight: output std w_noise·‖x̂‖₂.
    AdditiveConstant,
    /// Std `w_noise`·√|W|, as 1/f noise of phase-change memory: output std w_noise·√(Σⱼ|Wᵢⱼ|x̂ⱼ²).
    #[serde(rename = "PCMRead")]
    PcmRead,
}
