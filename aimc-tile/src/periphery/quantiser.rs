//! Uniform quantisation, shared by all converters.

/// The resolution as a fraction of the full range: values above 1 count steps, values up to 0 switch off.
#[must_use]
pub fn fraction(resolution: f32) -> f32 {
    match resolution {
        r if r > 1.0 => 1.0 / r,
        r if r > 0.0 => r,
        _ => 0.0,
    }
}

/// Step Δ = resolution · 2 · bound of a converter with range ± `bound`; 0 means no quantisation.
///
/// A resolution of 1/(2ᵏ - 2) gives exactly 2ᵏ - 1 levels, symmetric about 0. An infinite range (bound ≤ 0)
/// has no finite step and is not quantised.
#[must_use]
pub fn step(resolution: f32, bound: f32) -> f32 {
    if bound > 0.0 { fraction(resolution) * 2.0 * bound } else { 0.0 }
}

/// `v` rounded to the nearest multiple of `step`, ties to even; `dither` = 0, or uniform in [-½, ½) for
/// stochastic rounding, which is unbiased: E Q(v) = v.
#[inline(always)]
#[must_use]
pub fn quantise(v: f32, step: f32, dither: f32) -> f32 {
    if step > 0.0 { (v / step + dither).round_ties_even() * step } else { v }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// q(y) = Δ·round(y/Δ), halves to even; n bits give 2ⁿ - 1 levels.
    #[test]
    fn ties_go_to_even_and_levels_are_symmetric() {
        assert_eq!(quantise(0.125, 0.25, 0.0), 0.0);
        assert_eq!(quantise(0.375, 0.25, 0.0), 0.5);
        assert_eq!(quantise(-0.375, 0.25, 0.0), -0.5);
        let step = step(1.0 / 6.0, 1.0);
        let levels: std::collections::BTreeSet<i32> =
            (-1000..=1000).map(|v| (quantise(v as f32 / 1000.0, step, 0.0) / step).round() as i32).collect();
        assert_eq!(levels.len(), 7, "3 bits give 7 levels");
    }

    /// Δ = r·2·bound with r = 1/resolution above 1, the resolution itself between 0 and 1, otherwise 0.
    #[test]
    fn resolutions_count_steps_or_give_a_fraction() {
        assert_eq!((fraction(4.0), fraction(0.25), fraction(-1.0), fraction(0.0)), (0.25, 0.25, 0.0, 0.0));
        assert_eq!(step(0.25, 0.0), 0.0);
    }
}
