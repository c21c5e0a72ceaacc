//! Global drift compensation: one factor for all outputs of a tile.
//!
//! ```text
//! readout = max(mean |Y|, 10⁻⁴),  Y = tile(one-hot vectors)      α(t) = readout(0)/readout(t)
//! ```
//!
//! Y are the outputs of the array in units of its own weights, before the digital scales. If all devices drifted
//! with the same ν and nothing was noisy, α = ((t + t_0)/t_0)^ν would restore the programmed weights exactly.
//! With a spread of ν it restores the mean |weight|; the spread between devices stays. The floor keeps α finite
//! for an empty tile. Noise enters |Y|, so that α falls short of the true loss where weights are small compared
//! with the output noise. Not modelled: the limited resolution of the digital factor.
//!
//! Reference: V. Joshi et al. 2020, Nat. Commun. 11:2473, doi:10.1038/s41467-020-16108-9 (global drift
//! compensation).

/// Smallest readout.
const FLOOR: f64 = 1e-4;

/// The readout, from the mean |y| of every output over the one-hot vectors.
///
/// ```
/// use aimc_infer::compensation::global::readout;
/// assert_eq!(readout(&[0.75, 0.25]), 0.5);
/// assert_eq!(readout(&[0.0]), 1e-4);
/// ```
#[must_use]
pub fn readout(mean_responses: &[f64]) -> f32 {
    let sum: f64 = mean_responses.iter().sum();
    (sum / mean_responses.len() as f64).max(FLOOR) as f32
}
