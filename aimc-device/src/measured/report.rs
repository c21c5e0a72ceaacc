//! What a fit says about itself.

use serde::Serialize;

use super::ConductanceMap;

/// A parameter with its uncertainty.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Name of the field of the device record.
    pub name: String,
    /// Best value.
    pub value: f64,
    /// Standard error; none for what was read off, or cannot be known from one device.
    pub std_error: Option<f64>,
    /// Interval that holds the true value in 95 % of all experiments.
    pub interval_95: Option<[f64; 2]>,
}

impl Estimate {
    /// A value without uncertainty.
    pub(crate) fn exact(name: impl Into<String>, value: f64) -> Self {
        Self { name: name.into(), value, std_error: None, interval_95: None }
    }
}

/// The parameters of one device.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeviceReport {
    /// Its name in the table.
    pub name: String,
    /// Its constants: `a_up`, `a_down` and those that the model lets vary.
    pub parameters: Vec<Estimate>,
}

/// One step and what the fit makes of it, in weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Residual {
    /// Index of the device.
    pub device: usize,
    /// Number of the pulse.
    pub pulse: u64,
    /// Whether the pulse was up.
    pub up: bool,
    /// Weight before the pulse.
    pub weight: f64,
    /// Measured change.
    pub measured: f64,
    /// Fitted mean change.
    pub fitted: f64,
    /// (measured - fitted) over the std that the fit expects.
    pub standardised: f64,
}

/// A fit in numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FitReport {
    /// Name of the model.
    pub model: &'static str,
    /// How conductances became weights.
    pub map: ConductanceMap,
    /// The parameters of the record.
    pub parameters: Vec<Estimate>,
    /// Every device.
    pub devices: Vec<DeviceReport>,
    /// Steps used, and steps left out because a bound may have cut them.
    pub steps: [usize; 2],
    /// Whether all devices were seen at rest at their upper and lower bounds.
    pub bounds_seen: [bool; 2],
    /// Whether noise scales with the step (otherwise it is the same at all weights, or as the model says).
    pub noise_scales_with_step: bool,
    /// Std of measured minus fitted steps, in weights.
    pub residual_std: f64,
    /// Share of the variance of the steps that the fit explains.
    pub r_squared: f64,
    /// Logarithm of the likelihood.
    pub log_likelihood: f64,
    /// Akaike's criterion, 2·(number of fitted numbers) - 2·log-likelihood; the smallest is best.
    pub aic: f64,
    /// Correlation of standardised residuals of consecutive pulses; near 0 unless readings are noisy.
    pub residual_lag_1: f64,
    /// What the record cannot express exactly.
    pub notes: Vec<String>,
    /// Every step.
    pub residuals: Vec<Residual>,
}
