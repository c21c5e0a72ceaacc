//! Drift compensation per column: one factor for every output.
//!
//! ```text
//! readoutᵢ = max(mean_j |Yᵢⱼ|, 10⁻⁴),  Y = tile(one-hot vectors)      αᵢ(t) = readoutᵢ(0)/readoutᵢ(t)
//! ```
//!
//! Every output keeps its mean |weight|. It needs a digital multiplier per output, but no more reads than the
//! [global](super::global) scheme; each factor is noisier, being the mean of fewer devices. The floor keeps α
//! finite for an empty column; AIHWKit has none here.

/// Smallest readout.
const FLOOR: f64 = 1e-4;

/// The readouts, from the mean |y| of every output over the one-hot vectors.
///
/// ```
/// use aimc_infer::compensation::per_column::readout;
/// assert_eq!(readout(&[0.75, 0.0]), [0.75, 1e-4]);
/// ```
#[must_use]
pub fn readout(mean_responses: &[f64]) -> Vec<f32> {
    mean_responses.iter().map(|mean| mean.max(FLOOR) as f32).collect()
}
