//! Forgetting of one device: decay, diffusion and reset as pure functions of its weight.

/// Decay towards the reset weight `beta`: w ← β + (w - β)(1 + α(D - 1)), D = 1 - 1/lifetime per mini-batch.
///
/// After n calls with α = 1: wₙ = β + (w₀ - β)Dⁿ.
#[inline(always)]
#[must_use]
pub fn decayed(w: f32, beta: f32, decay: f32, alpha: f32) -> f32 {
    beta + (w - beta) * (1.0 + alpha * (decay - 1.0))
}

/// One step of the random walk: w ← w + ρξ, so that n calls add the variance nρ².
#[inline(always)]
#[must_use]
pub fn diffused(w: f32, rate: f32, xi: f32) -> f32 {
    w + rate * xi
}

/// Reset: w ← β + `std`·ξ.
#[inline(always)]
#[must_use]
pub fn after_reset(beta: f32, std: f32, xi: f32) -> f32 {
    beta + std * xi
}

#[cfg(test)]
mod tests {
    use super::*;

    /// w = β + (w₀ - β)(1 + α(D - 1)): what is left of a distance of ½ after a loss of ¼, all of it and half of it.
    #[test]
    fn decay_by_hand() {
        assert_eq!(decayed(0.75, 0.25, 0.75, 1.0), 0.625);
        assert_eq!(decayed(0.75, 0.25, 0.75, 0.5), 0.687_5);
    }

    /// w + ρξ and β + σξ at ξ = 3: a draw above 0 moves up.
    #[test]
    fn draws_by_hand() {
        assert_eq!(diffused(0.5, 0.25, 3.0), 1.25);
        assert_eq!(after_reset(0.5, 0.25, 3.0), 1.25);
    }
}
