//! Devices that are read against a reference: what the rest of the world sees is w = v - ref.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::pulsed::Cell;
use crate::pulsed::constants::device_constants;

device_constants! {
    /// What is subtracted from the weight of one device.
    pub struct Reference {
        /// The reference, in units of the weight.
        value: "reference",
    }
    mirrored(reference) { Reference { value: -reference.value } }
}

/// How operations other than pulses treat a device that is read against a reference.
///
/// AIHWKit cuts the visible weight w to [b⁻, b⁺] whenever it is set, reset, clipped, decayed or drifted, so
/// that the next pulse may snap it into the range that the device really has; and it adds the symmetry point
/// to the reset weight although w = 0 is the symmetry point already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReferenceRule {
    /// The device keeps to its bounds whatever happens: b⁻ ≤ w + ref ≤ b⁺. Reset and decay lead to the
    /// visible weight `reset`.
    #[default]
    Consistent,
    /// As in AIHWKit 1.1, for comparison.
    Aihwkit,
}

impl ReferenceRule {
    /// The visible weight cut to what the device can hold.
    #[inline(always)]
    #[must_use]
    pub fn clip(self, cell: Cell, reference: f32, w: f32) -> f32 {
        match self {
            Self::Consistent => w.max(cell.w_min - reference).min(cell.w_max - reference),
            Self::Aihwkit => cell.clip(w),
        }
    }

    /// What is added to the reset weight of a device with this symmetry point.
    #[must_use]
    pub fn reset_shift(self, symmetry_point: f32) -> f32 {
        match self {
            Self::Consistent => 0.0,
            Self::Aihwkit => symmetry_point,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Consistent: b⁻ - ref ≤ w ≤ b⁺ - ref; Aihwkit: b⁻ ≤ w ≤ b⁺.
    #[test]
    fn bounds_hold_for_the_device_or_for_what_is_seen() {
        let cell = Cell { up: 0.0, down: 0.0, w_max: 0.5, w_min: -0.5 };
        assert_eq!(ReferenceRule::Consistent.clip(cell, 0.25, 1.0), 0.25);
        assert_eq!(ReferenceRule::Consistent.clip(cell, 0.25, -1.0), -0.75);
        assert_eq!(ReferenceRule::Aihwkit.clip(cell, 0.25, 1.0), 0.5);
    }
}
