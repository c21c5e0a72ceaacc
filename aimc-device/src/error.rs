//! The one error of every refused configuration, and the checks that raise it.

use std::fmt::{Debug, Display};

/// A configuration that was refused: which field, what it held, what is required.
///
/// ```
/// use aimc_device::error::require;
/// let error = require::positive("dw_min", -0.1).unwrap_err().within("device");
/// assert_eq!(error.to_string(), "device.dw_min = -0.1: must be a finite number above 0");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {requirement}", path(.field), shown(.value))]
pub struct ConfigError {
    /// Full path of the field, such as `layers[0].device.dw_min`; empty for the whole document.
    pub field: String,
    /// The refused value as text; empty where a value is missing.
    pub value: String,
    /// What is required.
    pub requirement: String,
}

impl ConfigError {
    /// An error about `field`, which held `value`.
    pub fn new(field: impl Into<String>, value: impl Display, requirement: impl Into<String>) -> Self {
        Self { field: field.into(), value: value.to_string(), requirement: requirement.into() }
    }

    /// The same error seen from one level up: prefixes the path with `parent`.
    #[must_use]
    pub fn within(mut self, parent: impl Display) -> Self {
        let joint = if self.field.is_empty() || self.field.starts_with('[') { "" } else { "." };
        self.field = format!("{parent}{joint}{}", self.field);
        self
    }
}

fn path(field: &str) -> &str {
    if field.is_empty() { "configuration" } else { field }
}

fn shown(value: &str) -> String {
    if value.is_empty() { String::new() } else { format!(" = {value}") }
}

/// Checks of single fields. NaN passes none of them.
pub mod require {
    use super::{ConfigError, Debug};

    fn check(holds: bool, field: &str, value: impl Debug, requirement: &str) -> Result<(), ConfigError> {
        if holds { Ok(()) } else { Err(ConfigError::new(field, format!("{value:?}"), requirement)) }
    }

    /// `value` is neither NaN nor infinite.
    pub fn finite(field: &str, value: f32) -> Result<(), ConfigError> {
        check(value.is_finite(), field, value, "must be a finite number")
    }

    /// `value` > 0 and finite.
    pub fn positive(field: &str, value: f32) -> Result<(), ConfigError> {
        check(value.is_finite() && value > 0.0, field, value, "must be a finite number above 0")
    }

    /// `value` ≥ 0 and finite.
    pub fn non_negative(field: &str, value: f32) -> Result<(), ConfigError> {
        check(value.is_finite() && value >= 0.0, field, value, "must be a finite number, 0 or above")
    }

    /// `value` ≤ 0 and finite.
    pub fn non_positive(field: &str, value: f32) -> Result<(), ConfigError> {
        check(value.is_finite() && value <= 0.0, field, value, "must be a finite number, 0 or below")
    }

    /// 0 ≤ `value` ≤ 1.
    pub fn probability(field: &str, value: f32) -> Result<(), ConfigError> {
        check((0.0..=1.0).contains(&value), field, value, "must be a probability between 0 and 1")
    }

    /// `low` ≤ `value` ≤ `high`.
    pub fn within(field: &str, value: f32, low: f32, high: f32) -> Result<(), ConfigError> {
        check((low..=high).contains(&value), field, value, &format!("must lie between {low} and {high}"))
    }

    /// `value` ≥ 1.
    pub fn at_least_one(field: &str, value: usize) -> Result<(), ConfigError> {
        check(value >= 1, field, value, "must be at least 1")
    }

    /// At least one time; finite, 0 or above, ascending.
    pub fn ascending_times(field: &str, times: &[f32]) -> Result<(), ConfigError> {
        that(!times.is_empty(), field, times, "must hold at least one time")?;
        for (i, &t) in times.iter().enumerate() {
            let field = format!("{field}[{i}]");
            non_negative(&field, t)?;
            that(i == 0 || t > times[i - 1], &field, t, "must be later than the time before it")?;
        }
        Ok(())
    }

    /// Any other condition, in words.
    pub fn that(holds: bool, field: &str, value: impl Debug, requirement: &str) -> Result<(), ConfigError> {
        check(holds, field, value, requirement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NaN and ±∞ fail every range check.
    #[test]
    fn nan_passes_no_check() {
        for check in [require::finite, require::positive, require::non_negative, require::non_positive] {
            assert!(check("x", f32::NAN).is_err());
            assert!(check("x", f32::INFINITY).is_err());
        }
        assert!(require::probability("p", f32::NAN).is_err());
        assert!(require::within("p", f32::NAN, -1.0, 1.0).is_err());
    }

    #[test]
    fn paths_join_with_dots_and_indices() {
        let error = ConfigError::new("", "", "is missing").within("[2]").within("layers").within("network");
        assert_eq!(error.to_string(), "network.layers[2]: is missing");
    }
}
