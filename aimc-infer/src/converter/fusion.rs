//! Conversion for export to a chip that stores magnitudes, the sign being kept digitally.
//!
//! ```text
//! g = g_max |W|/max|W|                 per output
//! W' = sign(W) g/s,  s: slope of the regression of sign(W) g on W, with intercept
//! ```
//!
//! The way back needs the original weights, for their sign and for the slope: it tells what the chip has made of
//! them. It is not a [`Converter`](super::Converter) of tiles. As AIHWKit's `FusionConductanceConverter`.

/// Magnitudes (µS) of the weights of one output.
///
/// ```
/// use aimc_infer::converter::fusion::{conductances, weights};
/// let g = conductances(&[-2.0, 1.0], 40.0);
/// assert_eq!(g, [40.0, 20.0]);
/// assert_eq!(weights(&g, &[-2.0, 1.0]), [-2.0, 1.0]);
/// ```
#[must_use]
pub fn conductances(weights: &[f32], g_max: f32) -> Vec<f32> {
    let largest = aimc_tile::largest_size(weights).max(super::SMALLEST_WEIGHT);
    weights.iter().map(|w| w.abs() * g_max / largest).collect()
}

/// The weights that magnitudes represent, given those that were programmed.
#[must_use]
pub fn weights(conductances: &[f32], original: &[f32]) -> Vec<f32> {
    let signed: Vec<f64> =
        conductances.iter().zip(original).map(|(g, w)| f64::from(*g) * sign(f64::from(*w))).collect();
    let n = original.len() as f64;
    let mean_w = original.iter().map(|&w| f64::from(w)).sum::<f64>() / n;
    let mean_g = signed.iter().sum::<f64>() / n;
    let (mut covariance, mut variance) = (0.0, 0.0);
    for (g, &w) in signed.iter().zip(original) {
        let w = f64::from(w) - mean_w;
        covariance += w * (g - mean_g);
        variance += w * w;
    }
    // Equal weights have no slope; the one through the origin is left.
    let slope = if variance > 0.0 { covariance / variance } else { mean_g / mean_w };
    let usable = slope.is_finite() && slope != 0.0;
    signed.iter().map(|g| if usable { (g / slope) as f32 } else { 0.0 }).collect()
}

fn sign(w: f64) -> f64 {
    if w < 0.0 { -1.0 } else { 1.0 }
}
