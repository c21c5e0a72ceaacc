//! What fabrication leaves in the circuits of one tile for life: spread from line to line and from device to device.
//!
//! | name | law | entries |
//! |---|---|---|
//! | `out_noise_values` | \|`out_noise`(1 + `out_noise_std`·ξ)\| | outputs |
//! | `v_offset` | max(`v_offset_std`·ξ, 0), see [`voltage_offset`](super::voltage_offset) | outputs |
//! | `out_nonlinearity` | \|`out_nonlinearity`/`out_bound`·(1 + `out_nonlinearity_std`·ξ)\|, see [`nonlinearity`](super::nonlinearity) | outputs |
//! | `out_nonlinearity_factor` | calibration of the curve | 1 |
//! | `adc_gain`, `adc_offset` | 1 + `gain_std`·ξ, `offset_std`·ξ in steps, see [`bank`](super::adc::bank) | converters |
//! | `adc_levels` | capacitors or thresholds, see the [architectures](super::adc) | depends |
//! | `w_asymmetry` | 1 + `w_read_asymmetry_dtod`·ξ, factor of a weight for negative inputs | outputs · inputs |
//!
//! Names are AIHWKit's. A quantity that the record does not ask for has no entries. Forward and backward circuits are
//! drawn separately.

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};

use crate::periphery::io::IoConfig;
use crate::periphery::nonlinearity::calibration;

/// The frozen quantities, see the [module](self). Lists may be empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frozen {
    /// Std of the output noise of each line.
    pub(crate) out_noise: Vec<f32>,
    /// Voltage offset of each line.
    pub(crate) v_offset: Vec<f32>,
    /// Strength of the S-shape of each line.
    pub(crate) nonlinearity: Vec<f32>,
    /// Calibration of the S-shape, one entry.
    pub(crate) nonlinearity_factor: Vec<f32>,
    /// Gain of each converter.
    pub(crate) adc_gain: Vec<f32>,
    /// Offset of each converter, in steps.
    pub(crate) adc_offset: Vec<f32>,
    /// What the architecture of the converters needs.
    pub(crate) adc_levels: Vec<f32>,
    /// Factor of each weight for negative inputs, in the layout of the weights.
    pub(crate) w_asymmetry: Vec<f32>,
}

impl Frozen {
    /// Draws what the validated record asks for, for so many lines and weights.
    pub(crate) fn fabricate(io: &IoConfig, outputs: usize, weights: usize, key: RngKey) -> Self {
        let drawn = |needed: bool, n: usize, purpose: &str, law: &dyn Fn(f32) -> f32| {
            let mut values = vec![0.0; if needed { n } else { 0 }];
            key.fold_in(label(purpose)).stream(0).fill_normal(&mut values);
            values.iter_mut().for_each(|v| *v = law(*v));
            values
        };
        let out_bound = if io.out_bound > 0.0 { io.out_bound } else { 1.0 };
        let bends = io.out_nonlinearity > 0.0 || io.r_series > 0.0;
        let strength = io.out_nonlinearity / out_bound;
        let bend = |xi: f32| (strength * (1.0 + io.out_nonlinearity_std * xi)).abs();
        let nonlinearity = drawn(bends, outputs, "out_nonlinearity", &bend);
        let mean = nonlinearity.iter().sum::<f32>() / outputs as f32;
        let factor = calibration(mean, io.r_series, io.slope_calibration.max(0.0) * out_bound);
        let asymmetric = io.w_read_asymmetry_dtod > 0.0;
        let converters = io.adc.converters(outputs);
        let levels = io.adc.draws(io, converters);
        let mut adc_levels = drawn(levels > 0, levels, "adc_levels", &|xi| xi);
        io.adc.fabricate(io, &mut adc_levels);
        Self {
            out_noise: drawn(io.out_noise_std > 0.0, outputs, "out_noise", &|xi| {
                (io.out_noise * (1.0 + io.out_noise_std * xi)).abs()
            }),
            v_offset: drawn(io.v_offset_std > 0.0, outputs, "v_offset", &|xi| {
                (io.v_offset_std * xi).max(0.0)
            }),
            adc_gain: drawn(io.adc.gain_std > 0.0, converters, "adc_gain", &|xi| 1.0 + io.adc.gain_std * xi),
            adc_offset: drawn(io.adc.offset_std > 0.0, converters, "adc_offset", &|xi| {
                io.adc.offset_std * xi
            }),
            adc_levels,
            nonlinearity_factor: if bends { vec![factor] } else { Vec::new() },
            nonlinearity,
            w_asymmetry: drawn(asymmetric, weights, "w_asymmetry", &|xi| 1.0 + io.w_read_asymmetry_dtod * xi),
        }
    }

    fn lists(&mut self) -> [(&'static str, &mut Vec<f32>); 8] {
        [
            ("out_noise_values", &mut self.out_noise),
            ("v_offset", &mut self.v_offset),
            ("out_nonlinearity", &mut self.nonlinearity),
            ("out_nonlinearity_factor", &mut self.nonlinearity_factor),
            ("w_asymmetry", &mut self.w_asymmetry),
            ("adc_gain", &mut self.adc_gain),
            ("adc_offset", &mut self.adc_offset),
            ("adc_levels", &mut self.adc_levels),
        ]
    }

    /// All quantities by name, those without entries left out.
    #[must_use]
    pub fn values(&self) -> Vec<(&'static str, Vec<f32>)> {
        let mut all = self.clone();
        let taken = all.lists().map(|(name, list)| (name, std::mem::take(list)));
        taken.into_iter().filter(|(_, list)| !list.is_empty()).collect()
    }

    /// Replaces one quantity by as many finite numbers as it has; noise and the S-shape must not be negative. An
    /// error names the quantity or the entry, and changes nothing.
    pub fn set(&mut self, name: &str, values: &[f32]) -> Result<(), ConfigError> {
        let mut lists = self.lists();
        let known: Vec<_> =
            lists.iter().filter(|(_, list)| !list.is_empty()).map(|(name, _)| *name).collect();
        let Some((name, list)) = lists.iter_mut().find(|(found, list)| *found == name && !list.is_empty())
        else {
            let requirement = if known.is_empty() {
                "these circuits have no frozen quantities: their record asks for none".to_owned()
            } else {
                format!("must be one of {}", known.join(", "))
            };
            return Err(ConfigError::new("frozen", name, requirement));
        };
        let length = format!("must have {} entries", list.len());
        require::that(values.len() == list.len(), name, values.len(), &length)?;
        let signed = ["v_offset", "w_asymmetry", "adc_gain", "adc_offset", "adc_levels"].contains(name);
        for (index, value) in values.iter().enumerate() {
            let field = format!("{name}[{index}]");
            if signed { require::finite(&field, *value) } else { require::non_negative(&field, *value) }?;
        }
        list.copy_from_slice(values);
        Ok(())
    }

    /// For a checkpoint.
    pub(crate) fn state(&self) -> State {
        let mut state = State::default();
        self.values().into_iter().for_each(|(name, list)| state.put(name, list));
        state
    }

    /// Takes over what [`Frozen::state`] gave of circuits with the same record.
    pub(crate) fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        let mut next = self.clone();
        for (name, list) in next.lists() {
            if !list.is_empty() {
                *list = state.floats(name, list.len())?.to_vec();
            }
        }
        *self = next;
        Ok(())
    }
}
