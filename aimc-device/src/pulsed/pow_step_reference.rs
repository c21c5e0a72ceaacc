//! Power step read against a reference: a constant, often the symmetry point, is subtracted.
//!
//! ```text
//! v = w + ref;   v ← PowStep(v), cut to [b⁻, b⁺];   w = v - ref
//! ```
//!
//! Exponents as for [`PowStep`](super::PowStep); reference as for
//! [`SoftBoundsReference`](super::SoftBoundsReference), including `reference_rule`. With
//! `subtract_symmetry_point` a device with b⁺ > 0 > b⁻ adds the root v of
//!
//! ```text
//! a⁺((b⁺ - v)/R)^γ⁺ = a⁻((v - b⁻)/R)^γ⁻
//! ```
//!
//! to its reference. `n_estimation_steps` above 0 gives instead what a calibration of that many noise-free
//! up-down pairs, applied at once from v = 0, would find; 0 or below (the default) the root itself (there
//! AIHWKit makes up to 10000 of these steps, which differs only if they do not converge). With ref = 0 the
//! device is a `PowStep`. Not modelled: write noise, noise of the reference.
//!
//! Reference: H. Kim et al. 2019, *Zero-shifting Technique for Deep Neural Network Training on Resistive
//! Cross-point Arrays*, doi:10.48550/arXiv.1907.10228.

use crate::error::{ConfigError, require};
use crate::lane::Lane;
use crate::pulsed::common::pulsed_device;
use crate::pulsed::constants::device_constants;
use crate::pulsed::pow_step::{ExponentLaw, Exponents, pow_step};
use crate::pulsed::{Cell, Common, PulsedDevice, ReferenceRule, Way};
use crate::rng::Stream;

pulsed_device! {
    /// Power-step device with reference, see the [module](self).
    ///
    /// ```
    /// use aimc_device::pulsed::pow_step_reference::Referenced;
    /// use aimc_device::pulsed::{Cell, Direction, PowStepReference, PulsedDevice};
    /// let device = PowStepReference::default();
    /// let cell = Cell { up: 0.04, down: 0.04, w_max: 0.5, w_min: -0.5 };
    /// let extra = Referenced { up: 2.0, down: 2.0, reference: 0.25 };
    /// // w = -0.25 is v = 0: half of the range is left, which gives a quarter of the step, 0.01.
    /// let w = device.step(cell, extra, -0.25, Direction::Up, 0.0);
    /// assert!((w + 0.24).abs() < 1e-7);
    /// ```
    pub struct PowStepReference {
        /// Mean exponent of the distance to the bound.
        pow_gamma: f32 = 1.0,
        /// Relative device-to-device std of the exponent, common to both directions.
        pow_gamma_dtod: f32 = 0.1,
        /// Systematic asymmetry: above 0 lowers the down exponent, below 0 the up exponent.
        pow_up_down: f32 = 0.0,
        /// Device-to-device std of the asymmetry, in units of pow_gamma.
        pow_up_down_dtod: f32 = 0.0,
        /// Mean reference.
        reference_mean: f32 = 0.0,
        /// Device-to-device std of the reference (absolute).
        reference_std: f32 = 0.0,
        /// Add the symmetry point of each device to its reference.
        subtract_symmetry_point: bool = false,
        /// Up-down pairs of the calibration that finds the symmetry point; 0 or below: find it exactly.
        n_estimation_steps: i32 = -1,
        /// How operations other than pulses treat the reference.
        reference_rule: ReferenceRule = ReferenceRule::Consistent,
    }
}

device_constants! {
    /// Constants of one device.
    pub struct Referenced {
        /// Exponent of the up step.
        up: "gamma_up",
        /// Exponent of the down step.
        down: "gamma_down",
        /// The reference.
        reference: "reference",
    }
    mirrored(own) { Referenced { up: own.down, down: own.up, reference: -own.reference } }
}

impl<L: Lane> Referenced<L> {
    /// Exponents of the steps.
    #[inline(always)]
    fn exponents(self) -> Exponents<L> {
        Exponents { up: self.up, down: self.down }
    }
}

/// Halvings after which the root is known to the last bit of an `f32`, wherever it is.
const HALVINGS: usize = 64;

/// Steps a⁺y⁺ and a⁻y⁻ at v.
fn steps(cell: Cell, exponents: Exponents, v: f64) -> (f64, f64) {
    let (high, low) = (f64::from(cell.w_max), f64::from(cell.w_min));
    let share = |distance: f64, gamma: f32| (distance / (high - low)).max(0.0).powf(f64::from(gamma));
    let up = f64::from(cell.up) * share(high - v, exponents.up);
    let down = f64::from(cell.down) * share(v - low, exponents.down);
    (up, down)
}

/// Where up and down steps cancel: the up step falls and the down step grows with v.
fn symmetry_point(cell: Cell, exponents: Exponents) -> f32 {
    let (mut low, mut high) = (f64::from(cell.w_min), f64::from(cell.w_max));
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        let (up, down) = steps(cell, exponents, middle);
        if up > down {
            low = middle;
        } else {
            high = middle;
        }
    }
    (0.5 * (low + high)) as f32
}

/// Where `pairs` of an up and a down step lead from 0.
fn estimated_point(cell: Cell, exponents: Exponents, pairs: i32) -> f32 {
    let point = (0..pairs).fold(0.0, |v, _| {
        let (up, down) = steps(cell, exponents, v);
        v + up - down
    }) as f32;
    if point.is_finite() { point } else { 0.0 }
}

impl PowStepReference {
    fn law(&self) -> ExponentLaw {
        ExponentLaw {
            gamma: self.pow_gamma,
            dtod: self.pow_gamma_dtod,
            up_down: self.pow_up_down,
            up_down_dtod: self.pow_up_down_dtod,
            fold: self.enforce_consistency,
        }
    }

    fn subtracted_point(&self, cell: Cell, exponents: Exponents) -> f32 {
        if !self.subtract_symmetry_point || cell.w_max <= 0.0 || cell.w_min >= 0.0 {
            0.0
        } else if self.n_estimation_steps > 0 {
            estimated_point(cell, exponents, self.n_estimation_steps)
        } else {
            symmetry_point(cell, exponents)
        }
    }
}

impl PulsedDevice for PowStepReference {
    type Extra = Referenced;

    const COSTLY: bool = true;

    fn common(&self) -> Common {
        self.common()
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.common().validate()?;
        self.law().validate(self.dw_min)?;
        require::finite("reference_mean", self.reference_mean)?;
        require::non_negative("reference_std", self.reference_std)
    }

    /// The step in the middle of the range: dw_min/2^γ.
    fn granularity(&self) -> f32 {
        self.dw_min * 0.5_f32.powf(self.pow_gamma)
    }

    fn fabricate_extra(&self, cell: &mut Cell, draws: &mut Stream) -> Referenced {
        let exponents = self.law().draw(draws);
        let drawn = self.reference_mean + self.reference_std * draws.normal();
        let Exponents { up, down } = exponents;
        Referenced { up, down, reference: drawn + self.subtracted_point(*cell, exponents) }
    }

    fn reset_shift(&self, cell: Cell, extra: Referenced) -> f32 {
        match self.reference_rule {
            ReferenceRule::Consistent => 0.0,
            rule => rule.reset_shift(self.subtracted_point(cell, extra.exponents())),
        }
    }

    #[inline(always)]
    fn clip(&self, cell: Cell, extra: Referenced, w: f32) -> f32 {
        self.reference_rule.clip(cell, extra.reference, w)
    }

    #[inline(always)]
    fn step<L: Lane, W: Way<L>>(&self, cell: Cell<L>, extra: Referenced<L>, w: L, way: W, xi: L) -> L {
        let v = w + extra.reference;
        pow_step(cell, extra.exponents(), v, way, (xi, self.dw_min_std)) - extra.reference
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RngKey;
    use aimc_testkit::assert_close;

    const CELL: Cell = Cell { up: 0.03, down: 0.01, w_max: 1.0, w_min: -0.5 };

    fn fabricate(device: &PowStepReference) -> Referenced {
        device.fabricate_extra(&mut CELL.clone(), &mut RngKey::root(1).stream(0))
    }

    /// γ = 1: 0.03(1 - v) = 0.01(v + 0.5) at v = 0.625.
    #[test]
    fn the_symmetry_point_is_found_exactly_or_by_pulses() {
        let exact =
            PowStepReference { pow_gamma_dtod: 0.0, subtract_symmetry_point: true, ..Default::default() };
        assert_close!(fabricate(&exact).reference, 0.625, f32::EPSILON);
        let one_pair = PowStepReference { n_estimation_steps: 1, ..exact.clone() };
        // From 0: 0.03·(1/1.5) - 0.01·(0.5/1.5) = 0.05/3.
        assert_close!(fabricate(&one_pair).reference, 0.05 / 3.0, 1e-8);
        let many = PowStepReference { n_estimation_steps: 5000, ..exact };
        assert_close!(fabricate(&many).reference, 0.625, f32::EPSILON);
    }

    /// ref = reference_mean + reference_std·ξ with the third draw of the device, after those of the exponents.
    #[test]
    fn the_reference_is_a_draw_of_the_stream() {
        let device = PowStepReference { reference_mean: 0.25, reference_std: 0.5, ..Default::default() };
        let mut draws = RngKey::root(1).stream(0);
        let third = [draws.normal(), draws.normal(), draws.normal()][2];
        assert_eq!(fabricate(&device).reference, 0.25 + 0.5 * third);
    }

    /// Bounds on one side of 0, or at 0, enclose no symmetry point; without pairs to estimate it, it is exact.
    #[test]
    fn bounds_must_enclose_zero() {
        let device =
            PowStepReference { subtract_symmetry_point: true, n_estimation_steps: 0, ..Default::default() };
        let exponents = Exponents { up: 1.0, down: 1.0 };
        for (w_min, w_max) in [(0.25, 1.0), (-1.0, -0.25), (-1.0, 0.0), (0.0, 1.0)] {
            assert_eq!(
                device.subtracted_point(Cell { w_min, w_max, ..CELL }, exponents),
                0.0,
                "{w_min} {w_max}"
            );
        }
        assert_eq!(device.subtracted_point(CELL, exponents), symmetry_point(CELL, exponents));
    }

    /// √: 0.03√(1 - v) = 0.01√(v + 0.5) at v = 0.85.
    #[test]
    fn the_symmetry_point_of_a_root() {
        let exponents = Exponents { up: 0.5, down: 0.5 };
        assert_close!(symmetry_point(CELL, exponents), 0.85, f32::EPSILON);
    }
}
