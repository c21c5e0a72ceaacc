//! A uniform grid of 2ᵇ levels.
//!
//! ```text
//! symmetric    Δ = max(|low|, |high|)/k⁺,  k⁻ ≤ k ≤ k⁺                   z = 0
//!              k⁻, k⁺ = -2ᵇ⁻¹, 2ᵇ⁻¹ - 1 where low < 0, else 0, 2ᵇ - 1
//! asymmetric   Δ = (high - low)/(2ᵇ - 1),  0 ≤ k ≤ 2ᵇ - 1                z = round(-low/Δ)
//! q(x) = Δ·(clamp(round(x/Δ) + z, k⁻, k⁺) - z)
//! ```
//!
//! 0 is always a level, so every range is widened to hold it, and is at least 10⁻⁸ wide. Ties go to even. Inside the range
//! |q(x) - x| ≤ Δ/2.
//!
//! Reference: M. Nagel et al. 2021, *A White Paper on Neural Network Quantization*, arXiv:2106.08295.

/// Smallest width of a range.
const NARROWEST: f32 = 1e-8;

/// The grid, see the [module](self).
///
/// ```
/// use aimc_tile::uniform_quantiser::Quantiser;
/// let symmetric = Quantiser::new(3, true, (-0.75, 0.5));
/// // Steps of 0.25, from -1 to 0.75.
/// assert_eq!([-2.0, -0.3, 0.1, 2.0].map(|x| symmetric.value(x)), [-1.0, -0.25, 0.0, 0.75]);
/// let asymmetric = Quantiser::new(2, false, (-1.0, 2.0));
/// assert_eq!([-2.0, -0.3, 0.6, 2.0].map(|x| asymmetric.value(x)), [-1.0, 0.0, 1.0, 2.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantiser {
    /// Δ.
    pub step: f32,
    /// z.
    pub zero: f32,
    /// k⁻.
    pub lowest: f32,
    /// k⁺.
    pub highest: f32,
}

impl Quantiser {
    /// The grid of `bits` bits (2 to 16) over a range (low, high).
    #[must_use]
    pub fn new(bits: u32, symmetric: bool, (low, high): (f32, f32)) -> Self {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let levels = (1_u32 << bits) as f32;
        if !symmetric {
            let step = (high - low).max(NARROWEST) / (levels - 1.0);
            let zero = (-low / step).round_ties_even().clamp(0.0, levels - 1.0);
            return Self { step, zero, lowest: 0.0, highest: levels - 1.0 };
        }
        let (lowest, highest) =
            if low < 0.0 { (-levels / 2.0, levels / 2.0 - 1.0) } else { (0.0, levels - 1.0) };
        Self { step: high.max(-low).max(NARROWEST) / highest, zero: 0.0, lowest, highest }
    }

    /// The grid of `bits` bits over the extremes of `values`.
    #[must_use]
    pub fn over(bits: u32, symmetric: bool, values: &[f32]) -> Self {
        let extremes = values.iter().fold((0.0_f32, 0.0_f32), |(low, high), x| (low.min(*x), high.max(*x)));
        Self::new(bits, symmetric, extremes)
    }

    /// The same grid with another step.
    #[must_use]
    pub fn scaled(self, factor: f32) -> Self {
        Self { step: factor * self.step, ..self }
    }

    /// The level of x, before it is cut to those there are.
    fn level(&self, x: f32) -> f32 {
        (x / self.step).round_ties_even() + self.zero
    }

    /// q(x).
    #[must_use]
    pub fn value(&self, x: f32) -> f32 {
        self.step * (self.level(x).clamp(self.lowest, self.highest) - self.zero)
    }

    /// Whether x is rounded, not cut: where gradients pass.
    #[must_use]
    pub fn contains(&self, x: f32) -> bool {
        (self.lowest..=self.highest).contains(&self.level(x))
    }

    /// ∂q/∂Δ, with rounding taken as the identity: round(x/Δ) - x/Δ inside, the level outside.
    #[must_use]
    pub fn slope(&self, x: f32) -> f32 {
        let level = self.level(x).clamp(self.lowest, self.highest) - self.zero;
        if self.contains(x) { level - x / self.step } else { level }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::assert_close;
    use aimc_testkit::strategies;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(strategies::config(256))]

        /// Within half a step inside the range, idempotent, monotone, at most 2ᵇ levels, 0 among them.
        #[test]
        fn grids_round_to_the_nearest_level(
            mut x in strategies::vector(2..=40, -4.0..=4.0), bits in 2_u32..9, symmetric in any::<bool>(),
        ) {
            let low = x.iter().copied().fold(0.0, f32::min);
            let high = x.iter().copied().fold(0.0, f32::max);
            let grid = Quantiser::new(bits, symmetric, (low, high));
            prop_assert_eq!(grid.value(0.0), 0.0);
            x.sort_by(f32::total_cmp);
            let q: Vec<f32> = x.iter().map(|x| grid.value(*x)).collect();
            // The quotient is rounded, and so are the ends of an asymmetric range, to whole steps.
            let half = 0.5 * grid.step + 4.0 * f32::EPSILON * (high - low);
            let allowed = if symmetric { half } else { half + 0.5 * grid.step };
            for (x, q) in x.iter().zip(&q) {
                assert_close!(*x, *q, allowed);
            }
            prop_assert!(q.windows(2).all(|pair| pair[0] <= pair[1]));
            prop_assert!(q.iter().all(|q| grid.value(*q) == *q));
            let mut levels = q.clone();
            levels.dedup();
            prop_assert!(levels.len() <= 1 << bits);
        }

        /// The slope in Δ is that of a finite difference where no rounding flips and nothing is cut: q = Δ·k for small
        /// changes of Δ, of which x/Δ is taken away by the straight-through rule.
        #[test]
        fn slopes_follow_from_the_levels(x in -3.0_f32..3.0, symmetric in any::<bool>()) {
            let grid = Quantiser::new(4, symmetric, (-1.0, 1.5));
            let level = grid.value(x) / grid.step;
            let expected = if grid.contains(x) { level - x / grid.step } else { level };
            assert_close!(grid.slope(x), expected, 8.0 * f32::EPSILON * 16.0);
            prop_assert!(grid.contains(x) || !(-1.0..=1.5).contains(&x));
        }
    }

    /// n bits over [0, h]: step h/(2ⁿ - 1), levels 0, …, 2ⁿ - 1.
    #[test]
    fn one_sided_ranges_use_all_levels() {
        let grid = Quantiser::new(2, true, (0.0, 3.0));
        assert_eq!((grid.step, grid.lowest, grid.highest), (1.0, 0.0, 3.0));
        // No data: a grid that still is one.
        assert!(Quantiser::new(8, true, (0.0, 0.0)).value(0.0) == 0.0);
        assert!(Quantiser::new(8, false, (0.0, 0.0)).step > 0.0);
    }
}
