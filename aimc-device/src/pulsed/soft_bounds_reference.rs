//! Soft bounds read against a reference: a constant conductance, often the symmetry point, is subtracted.
//!
//! ```text
//! v = w + ref
//! up:    v ← v + a⁺(1 - v/b⁺ + σ_c ξ)             (with mult_noise: a⁺(1 - v/b⁺)(1 + σ_c ξ))
//! down:  v ← v - a⁻(1 - v/b⁻ + σ_c ξ)
//! w = v - ref
//! ```
//!
//! | symbol | field | typical |
//! |---|---|---|
//! | a±, b±, σ_c | as for [`ConstantStep`](super::ConstantStep) | |
//! | ref, mean and device-to-device std (absolute) | `reference_mean`, `reference_std` | 0, 0.05 |
//! | the symmetry point of each device is added to its ref | `subtract_symmetry_point` | |
//! | relative device-to-device std of 1/b±, which b± are divided by | `slope_up_dtod`, `slope_down_dtod` | 0 |
//!
//! The symmetry point of v is SP = (a⁺ - a⁻)/(a⁺/b⁺ - a⁻/b⁻); devices without b⁺ > 0 > b⁻ have none. A
//! perfect subtraction puts it at w = 0, where random pulses then lead; `reference_std` is the error of the
//! calibration. The visible range is [b⁻ - ref, b⁺ - ref]; `reference_rule` says how operations other than
//! pulses treat it (see [`ReferenceRule`]). With ref = 0 the device is a
//! [`SoftBounds`](super::SoftBounds). A bound at 0 gives a constant step in that direction. Write noise as
//! for [`LinearStep`](super::LinearStep). Not modelled: noise and drift of the reference.
//!
//! Reference: H. Kim et al. 2019, *Zero-shifting Technique for Deep Neural Network Training on Resistive
//! Cross-point Arrays*, doi:10.48550/arXiv.1907.10228.

use crate::error::{ConfigError, require};
use crate::lane::Lane;
use crate::pulsed::common::{noise_factor, pulsed_device};
use crate::pulsed::reference::Reference;
use crate::pulsed::{Cell, Common, PulsedDevice, ReferenceRule, Way, WriteNoise};
use crate::rng::Stream;

pulsed_device! {
    /// Soft-bounds device with reference, see the [module](self).
    ///
    /// ```
    /// use aimc_device::pulsed::reference::Reference;
    /// use aimc_device::pulsed::{Cell, Direction, PulsedDevice, SoftBoundsReference};
    /// let device = SoftBoundsReference::default();
    /// let cell = Cell { up: 0.01, down: 0.01, w_max: 0.5, w_min: -0.5 };
    /// // w = 0.15 with ref = 0.1 is v = 0.25, halfway to the bound: 0.15 + 0.01·(1 - 0.25/0.5) = 0.155.
    /// let w = device.step(cell, Reference { value: 0.1 }, 0.15, Direction::Up, 0.0);
    /// assert!((w - 0.155).abs() < 1e-7);
    /// ```
    pub struct SoftBoundsReference {
        /// Cycle-to-cycle noise scales with the actual step; otherwise with the step at v = 0.
        mult_noise: bool = false,
        /// Relative device-to-device std of the slope of the up step, realised by another upper bound.
        slope_up_dtod: f32 = 0.0,
        /// Relative device-to-device std of the slope of the down step, realised by another lower bound.
        slope_down_dtod: f32 = 0.0,
        /// Mean reference.
        reference_mean: f32 = 0.0,
        /// Device-to-device std of the reference (absolute).
        reference_std: f32 = 0.0,
        /// Add the symmetry point of each device to its reference.
        subtract_symmetry_point: bool = false,
        /// How operations other than pulses treat the reference.
        reference_rule: ReferenceRule = ReferenceRule::Consistent,
        /// Std of the difference between the apparent and the persistent weight after a pulse, in units of dw_min.
        write_noise_std: f32 = 0.0,
        /// Draw write noise also when weights are set from outside.
        apply_write_noise_on_set: bool = true,
    }
}

/// Whether the bounds enclose 0.
fn encloses_zero(cell: Cell) -> bool {
    cell.w_max > 0.0 && cell.w_min < 0.0
}

/// Where up and down steps cancel; 0 for a device without such a point.
fn symmetry_point(cell: Cell) -> f32 {
    let point = (cell.up - cell.down) / (cell.up / cell.w_max - cell.down / cell.w_min);
    if encloses_zero(cell) && point.is_finite() { point } else { 0.0 }
}

/// A bound whose line has `gain` times the slope; infinite ones stay as they were.
fn steeper(bound: f32, gain: f32) -> f32 {
    let moved = bound / gain.abs();
    if moved.is_finite() { moved } else { bound }
}

impl SoftBoundsReference {
    fn subtracted_point(&self, cell: Cell) -> f32 {
        if self.subtract_symmetry_point { symmetry_point(cell) } else { 0.0 }
    }
}

impl PulsedDevice for SoftBoundsReference {
    type Extra = Reference;

    fn common(&self) -> Common {
        self.common()
    }

    fn write_noise(&self) -> WriteNoise {
        WriteNoise { std: self.write_noise_std * self.dw_min, on_set: self.apply_write_noise_on_set }
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.common().validate()?;
        require::non_negative("slope_up_dtod", self.slope_up_dtod)?;
        require::non_negative("slope_down_dtod", self.slope_down_dtod)?;
        require::finite("reference_mean", self.reference_mean)?;
        require::non_negative("reference_std", self.reference_std)?;
        require::non_negative("write_noise_std", self.write_noise_std)
    }

    fn fabricate_extra(&self, cell: &mut Cell, draws: &mut Stream) -> Reference {
        let (up, down, reference) = (draws.normal(), draws.normal(), draws.normal());
        if encloses_zero(*cell) {
            cell.w_max = steeper(cell.w_max, 1.0 + self.slope_up_dtod * up);
            cell.w_min = steeper(cell.w_min, 1.0 + self.slope_down_dtod * down);
        }
        let drawn = self.reference_mean + self.reference_std * reference;
        Reference { value: drawn + self.subtracted_point(*cell) }
    }

    fn reset_shift(&self, cell: Cell, _reference: Reference) -> f32 {
        self.reference_rule.reset_shift(self.subtracted_point(cell))
    }

    #[inline(always)]
    fn clip(&self, cell: Cell, reference: Reference, w: f32) -> f32 {
        self.reference_rule.clip(cell, reference.value, w)
    }

    #[inline(always)]
    fn step<L: Lane, W: Way<L>>(&self, cell: Cell<L>, reference: Reference<L>, w: L, way: W, xi: L) -> L {
        let v = w + reference.value;
        let (full, bound) = (way.signed(cell.up, cell.down), way.pick(cell.w_max, cell.w_min));
        let one = w.splat(1.0);
        let left = bound.magnitude().if_positive(one - v / bound, one);
        let factor = if self.mult_noise {
            left * noise_factor(xi, self.dw_min_std)
        } else {
            xi.mul_add(xi.splat(self.dw_min_std), left)
        };
        cell.clip(full.mul_add(factor, v)) - reference.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RngKey;
    use crate::pulsed::Direction;
    use aimc_testkit::assert_close;

    const CELL: Cell = Cell { up: 0.03, down: 0.01, w_max: 1.0, w_min: -0.5 };

    fn fabricate(device: &SoftBoundsReference, mut cell: Cell) -> (Cell, Reference) {
        let reference = device.fabricate_extra(&mut cell, &mut RngKey::root(1).stream(0));
        (cell, reference)
    }

    /// SP = 0.02/(0.03 + 0.02) = 0.4.
    #[test]
    fn the_symmetry_point_is_subtracted() {
        let device = SoftBoundsReference { subtract_symmetry_point: true, ..Default::default() };
        let (cell, reference) = fabricate(&device, CELL);
        assert_close!(reference.value, 0.4, 1e-7);
        let up = device.step(cell, reference, 0.0, Direction::Up, 0.0);
        let down = device.step(cell, reference, 0.0, Direction::Down, 0.0);
        assert!((up - 0.018).abs() < 1e-7 && (up + down).abs() < 1e-7);
        assert_eq!(device.reset_shift(cell, reference), 0.0);
        let aihwkit = SoftBoundsReference { reference_rule: ReferenceRule::Aihwkit, ..device };
        assert_eq!(aihwkit.reset_shift(cell, reference), reference.value);
    }

    /// b⁻ = 0: ref = 0, and the down step is a⁻ everywhere.
    #[test]
    fn one_sided_devices_have_no_symmetry_point_and_a_constant_step() {
        let device =
            SoftBoundsReference { subtract_symmetry_point: true, slope_up_dtod: 0.5, ..Default::default() };
        let one_sided = Cell { w_min: 0.0, ..CELL };
        let (cell, reference) = fabricate(&device, one_sided);
        assert_eq!((cell, reference), (one_sided, Reference { value: 0.0 }));
        assert_eq!(device.step(cell, reference, 0.5, Direction::Down, 0.0), 0.49);
        // The other way round the lower bound stays, too.
        let device = SoftBoundsReference { slope_down_dtod: 0.5, ..device };
        let mirrored = Cell { w_max: 0.0, ..CELL };
        assert_eq!(fabricate(&device, mirrored), (mirrored, Reference { value: 0.0 }));
    }

    /// Bounds on one side of 0, or at 0, enclose no symmetry point: SP = 0, whatever the steps.
    #[test]
    fn bounds_must_enclose_zero() {
        for (w_min, w_max) in [(0.25, 1.0), (-1.0, -0.25), (-1.0, 0.0), (0.0, 1.0)] {
            assert_eq!(symmetry_point(Cell { w_min, w_max, ..CELL }), 0.0, "{w_min} {w_max}");
        }
        assert_eq!(symmetry_point(Cell { up: 0.0, down: 0.0, ..CELL }), 0.0, "no steps");
    }

    /// ref = reference_mean + reference_std·ξ with the third draw of the device.
    #[test]
    fn the_reference_is_a_draw_of_the_stream() {
        let device = SoftBoundsReference { reference_mean: 0.25, reference_std: 0.5, ..Default::default() };
        let mut draws = RngKey::root(1).stream(0);
        let third = [draws.normal(), draws.normal(), draws.normal()][2];
        assert_eq!(fabricate(&device, CELL).1.value, 0.25 + 0.5 * third);
    }

    /// b± ← b±/(1 + slope_dtod·ξ); a factor of 0 leaves the bound.
    #[test]
    fn slope_variation_moves_the_bounds() {
        let device =
            SoftBoundsReference { slope_up_dtod: 0.25, slope_down_dtod: 0.125, ..Default::default() };
        let (cell, _) = fabricate(&device, CELL);
        let mut draws = RngKey::root(1).stream(0);
        let (up, down) = (1.0 + 0.25 * draws.normal(), 1.0 + 0.125 * draws.normal());
        assert_eq!((cell.w_max, cell.w_min), (1.0 / up, -0.5 / down));
        assert_eq!(steeper(0.5, 0.0), 0.5);
    }
}
