//! Measured devices: from a table of pulses and conductances to a device record.
//!
//! [`Measurements`] reads a table, maps conductances onto weights and takes it apart into single steps: the
//! weight before a pulse and its change. [`fit`] finds the parameters of a [`Model`] by least squares, with
//! intervals, and the spread from device to device and from pulse to pulse:
//!
//! ```text
//! Δ = a_d·y(w; φ)(1 + σ_c ξ)        minimise  Σ (Δw - Δ)²/(σ_c²Δ² + τ²)
//! ```
//!
//! Noise grows with the step, so that small steps count more; the weights of the sum are found by repetition.
//! τ is the resolution of the table, below which nothing can be told. Steps that a hard bound may have cut
//! short are left out (see [`steps`]). Every device is fitted for itself; what the model does not let vary
//! (the shape φ of exponential and table steps) is fitted for all devices together.
//!
//! Not modelled: noise of the reading. It makes neighbouring residuals correlate negatively, which the report
//! shows (`residual_lag_1`, −½ for reading noise alone), and biases the fit; average readings beforehand.
//!
//! ```
//! use aimc_device::measured::{GRange, Measurements};
//! let mut text = String::from("pulse,direction,conductance\n");
//! for pulse in 0..=40 {
//!     let (direction, level) = if pulse <= 20 { ("up", pulse) } else { ("down", 40 - pulse) };
//!     text += &format!("{pulse},{direction},{}\n", 1e-6 * f64::from(level));
//! }
//! let table = Measurements::from_csv(&text, GRange::Data).unwrap();
//! assert_eq!(table.devices()[0].readings[20].weight, 1.0);
//! ```

mod curve;
mod error;
mod fit;
mod pool;
mod report;
mod separate;
mod shared;
mod solve;
pub mod steps;
mod summary;
mod table;

pub use error::MeasuredError;
pub use fit::{Fit, Model, fit};
pub use report::{DeviceReport, Estimate, FitReport, Residual};
pub use steps::MIN_STEPS;
pub use table::{ConductanceMap, GRange, MeasuredDevice, Measurements, Reading};
