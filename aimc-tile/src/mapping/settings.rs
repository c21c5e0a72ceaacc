//! What the circuits around one tile have been set to, by training or by calibration.
//!
//! A matrix on its way to other tiles is more than its weights: ranges and factors were learned with it. They travel as a list,
//! one entry per tile along the rows of the grid ([`ReadOut::settings`](crate::ReadOut::settings)), and can be stored.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::error::{ConfigError, require};

/// Settings of the circuits around one tile; symbols as in [`mapping`](super).
///
/// ```
/// use aimc_tile::mapping::TileSettings;
/// let settings = TileSettings { input_range: Some(2.0), out_scales: vec![1.0, 0.5], ..TileSettings::default() };
/// assert!(settings.validate(2).is_ok());
/// let error = settings.validate(3).unwrap_err();
/// assert_eq!(error.to_string(), "out_scales = 2: must be empty or hold one number for each of the 3 outputs");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TileSettings {
    /// Input range r.
    pub input_range: Option<f32>,
    /// Range of the ADC, in units of the outputs of the array; `None`: as in the record of the circuits.
    pub out_bound: Option<f32>,
    /// Weight scale s of every output; empty: 1.
    pub scales: Vec<f32>,
    /// Learned scale α of every output; empty: 1.
    pub out_scales: Vec<f32>,
}

/// Which digital factors stay digital when trained weights move to other tiles; products are the same in all cases, what the
/// devices hold is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum KeptScales {
    /// None: devices hold α·s·Ŵ, scaled anew by `weight_scaling_omega`.
    None,
    /// Learned output scales α; devices hold s·Ŵ, scaled anew by `weight_scaling_omega`.
    #[default]
    Learned,
    /// All, α·s: devices hold Ŵ as in training, and `weight_scaling_omega` has no effect. Without trained scales as `Learned`.
    All,
}

impl TileSettings {
    /// Refuses values outside their range, and numbers of scales that do not fit a tile of so many outputs.
    pub fn validate(&self, outputs: usize) -> Result<(), ConfigError> {
        for (field, value) in [("input_range", self.input_range), ("out_bound", self.out_bound)] {
            value.map_or(Ok(()), |value| require::positive(field, value))?;
        }
        for (field, values) in [("scales", &self.scales), ("out_scales", &self.out_scales)] {
            let requirement = format!("must be empty or hold one number for each of the {outputs} outputs");
            require::that(values.is_empty() || values.len() == outputs, field, values.len(), &requirement)?;
        }
        for (i, scale) in self.scales.iter().enumerate() {
            require::positive(&format!("scales[{i}]"), *scale)?;
        }
        for (i, scale) in self.out_scales.iter().enumerate() {
            require::finite(&format!("out_scales[{i}]"), *scale)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_no_circuit_has_are_refused() {
        let refused = |settings: TileSettings| settings.validate(1).unwrap_err().field;
        let base = TileSettings::default();
        base.validate(1).unwrap();
        for value in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert_eq!(refused(TileSettings { input_range: Some(value), ..base.clone() }), "input_range");
            assert_eq!(refused(TileSettings { out_bound: Some(value), ..base.clone() }), "out_bound");
            assert_eq!(refused(TileSettings { scales: vec![value], ..base.clone() }), "scales[0]");
        }
        assert_eq!(refused(TileSettings { out_scales: vec![f32::NAN], ..base.clone() }), "out_scales[0]");
        // Factors may be negative, and 0 for an output that is off.
        TileSettings { out_scales: vec![-1.0, 0.0], ..base }.validate(2).unwrap();
    }
}
