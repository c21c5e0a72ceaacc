//! Steps that change linearly with the weight: shared by the linear-step and soft-bounds devices.

use crate::error::{ConfigError, require};
use crate::lane::Lane;
use crate::pulsed::common::noise_factor;
use crate::pulsed::constants::device_constants;
use crate::pulsed::{Cell, Way};

device_constants! {
    /// Change of the step per unit of weight, for up and down pulses.
    pub struct Slopes {
        /// Slope of the up step.
        up: "slope_up",
        /// Slope of the down step.
        down: "slope_down",
    }
    mirrored(slopes) { Slopes { up: -slopes.down, down: -slopes.up } }
}

/// -step/reference: the slope of a line that falls from `step` at w = 0 to 0 at `reference`.
///
/// A reference too close to 0 for a finite slope counts as 0: the step is then constant.
#[must_use]
pub fn slope(step: f32, reference: f32) -> f32 {
    let slope = -step / reference;
    if slope.is_finite() { slope } else { 0.0 }
}

/// One pulse: Δ = a + s·w is added (up) or subtracted (down) with the factor 1 + σξ, or, where the noise of `std` σ is not
/// multiplicative, with a·σξ besides.
#[inline(always)]
#[must_use]
pub fn step<L: Lane, W: Way<L>>(
    cell: Cell<L>,
    slopes: Slopes<L>,
    w: L,
    way: W,
    xi: L,
    (std, multiplicative): (f32, bool),
) -> L {
    let full = way.signed(cell.up, cell.down);
    let step = way.signed(slopes.up, slopes.down).mul_add(w, full);
    let moved = if multiplicative {
        step.mul_add(noise_factor(xi, std), w)
    } else {
        full.mul_add(xi * std, w + step)
    };
    cell.clip(moved)
}

/// Reversed slopes have no step at w = 0 to scale additive noise with.
pub(crate) fn mult_noise_if(reversed: bool, mult_noise: bool) -> Result<(), ConfigError> {
    require::that(
        !reversed || mult_noise,
        "mult_noise",
        mult_noise,
        "must be true with reverse_up or reverse_down",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pulsed::Direction;

    /// Δ = (a + s·w)(1 + σξ) with multiplicative noise, a + s·w + aσξ with additive noise; s = -a/b.
    #[test]
    fn both_kinds_of_noise_by_hand() {
        let cell = Cell { up: 0.5, down: 0.25, w_max: 2.0, w_min: -2.0 };
        let slopes = Slopes { up: slope(0.5, 2.0), down: slope(0.25, -2.0) };
        assert_eq!((slopes.up, slopes.down), (-0.25, 0.125));
        // At 1 the up step is 0.25 and the down step 0.375; noise of +50 % acts on the step or on a.
        assert_eq!(step(cell, slopes, 1.0, Direction::Up, 0.5, (1.0, true)), 1.375);
        assert_eq!(step(cell, slopes, 1.0, Direction::Up, 0.5, (1.0, false)), 1.5);
        assert_eq!(step(cell, slopes, 1.0, Direction::Down, 0.5, (1.0, true)), 0.4375);
        assert_eq!(step(cell, slopes, 1.0, Direction::Down, 0.5, (1.0, false)), 0.5);
    }
}
