//! Voltage offset of the output line and the resistance in series with it.
//!
//! ```text
//! κ(z) = 1 + min(r|z|, m)        R = -w₀ Σⱼ x̂ⱼ
//! w₀ = 0:             y ← (1 - v)·y/κ(y)
//! w₀ < 0 and r = 0:   y ← (1 - v)·y - 2v·R
//! w₀ < 0 and r > 0:   y ← (1 - v)(y + R)/κ(y + R) - (1 + v)·R/κ(R)
//! ```
//!
//! | symbol | field | typical |
//! |---|---|---|
//! | v offset of a line, max(`v_offset_std`·ξ, 0) for each line | `v_offset_std` | 0.05 |
//! | w₀ weight of the device without conductance, against which a line is read | `v_offset_w_min` | -1 |
//! | r series resistance, in units of the inverse output | `r_series` | 0.01 |
//! | m largest load that the series resistance sees | `r_series_max_total` | none |
//!
//! With w₀ = 0 the result is bounded by 1/r and keeps its sign. AIHWKit 1.1 evaluates the draw of v twice, so that
//! half of its lines have no offset and a quarter a negative one.

/// The constants of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Voltage offset v.
    pub offset: f32,
    /// Series resistance r.
    pub resistance: f32,
    /// Largest load m.
    pub most: f32,
}

impl Line {
    fn divided(&self, z: f32) -> f32 {
        z / (1.0 + (self.resistance * z.abs()).min(self.most))
    }

    /// What the line carries instead of `y`; `reference` is the current R of the devices against which it is read.
    #[inline(always)]
    #[must_use]
    pub fn carries(&self, y: f32, reference: f32) -> f32 {
        let v = self.offset;
        if reference == 0.0 {
            (1.0 - v) * self.divided(y)
        } else if self.resistance == 0.0 {
            (1.0 - v) * y - 2.0 * v * reference
        } else {
            (1.0 - v) * self.divided(y + reference) - (1.0 + v) * self.divided(reference)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_testkit::strategies;
    use proptest::prelude::*;

    /// y ← (1 - v)y - 2vR for r = 0, (1 - v)(y + R)/κ(y + R) - (1 + v)R/κ(R) for r > 0, κ(z) = 1 + min(r|z|, m).
    #[test]
    fn cases_by_hand() {
        let line = Line { offset: 0.5, resistance: 0.0, most: f32::MAX };
        assert_eq!((line.carries(2.0, 0.0), line.carries(2.0, 3.0)), (1.0, -2.0));
        let resistive = Line { offset: 0.0, resistance: 0.5, most: f32::MAX };
        assert_eq!((resistive.carries(2.0, 0.0), resistive.carries(1.0, 1.0)), (1.0, 1.0 - 1.0 / 1.5));
        assert_eq!(Line { most: 0.25, ..resistive }.carries(5.0, 0.0), 4.0);
    }

    proptest! {
        #![proptest_config(strategies::config(256))]

        /// |y|/(1 + r|y|) is below 1/r, below |y|, and grows with |y|.
        #[test]
        fn series_resistance_limits_the_current(y in -1e3_f32..1e3, r in 1e-3_f32..10.0) {
            let line = Line { offset: 0.0, resistance: r, most: f32::MAX };
            let found = line.carries(y, 0.0);
            prop_assert!(found * y >= 0.0 && found.abs() <= y.abs() && found.abs() < 1.0 / r);
            prop_assert!(line.carries(2.0 * y, 0.0).abs() >= found.abs());
        }
    }
}
