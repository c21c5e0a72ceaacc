//! Why a table of measurements, or a fit to it, was refused.

use crate::error::ConfigError;

/// A table that cannot be used: which line or device, what it holds, what is required.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MeasuredError {
    /// No header line.
    #[error("line 1: is empty; must be a header such as device,pulse,direction,conductance")]
    NoHeader,
    /// A column without which there is nothing to fit.
    #[error("line {line}: column {column} is missing; must be there (device alone may be left out)")]
    MissingColumn {
        /// Line of the header.
        line: usize,
        /// Its name.
        column: &'static str,
    },
    /// A column that is unknown or comes twice.
    #[error(
        "line {line}: column {column:?} is unknown or comes twice; known are device, pulse, direction, conductance"
    )]
    BadColumn {
        /// Line of the header.
        line: usize,
        /// Its name.
        column: String,
    },
    /// A row of another length than the header.
    #[error("line {line}: has {found} fields; must have {expected} as the header")]
    FieldCount {
        /// Line.
        line: usize,
        /// Fields found.
        found: usize,
        /// Fields of the header.
        expected: usize,
    },
    /// A value that cannot be read.
    #[error("line {line}: {field} = {value:?}: {requirement}")]
    Value {
        /// Line.
        line: usize,
        /// Column.
        field: &'static str,
        /// What it holds.
        value: String,
        /// What is required.
        requirement: &'static str,
    },
    /// Pulses of a device out of order.
    #[error(
        "line {line}: pulse = {pulse}: must be above {previous}, the pulse before it of device {device:?}"
    )]
    Order {
        /// Line.
        line: usize,
        /// Name of the device.
        device: String,
        /// Number of the pulse.
        pulse: u64,
        /// Number of the pulse before.
        previous: u64,
    },
    /// No row.
    #[error("the table has no measurements; must hold at least one device")]
    Empty,
    /// A conductance that never changes.
    #[error(
        "device {device:?}: conductance is {value} throughout; must change with pulses (leave stuck devices out)"
    )]
    Constant {
        /// Name of the device.
        device: String,
        /// The conductance.
        value: f64,
    },
    /// Too few steps.
    #[error(
        "device {device:?}: {found} usable {direction} steps (readings of consecutive pulses off the bounds); \
         must be at least {required}"
    )]
    TooFew {
        /// Name of the device.
        device: String,
        /// Up or down.
        direction: &'static str,
        /// Steps found.
        found: usize,
        /// Steps needed.
        required: usize,
    },
    /// A conductance range without extent.
    #[error("g_min, g_max = {low}, {high}: must be finite and g_min below g_max")]
    Range {
        /// Lower conductance.
        low: f64,
        /// Upper conductance.
        high: f64,
    },
    /// Weights on one side of 0 only.
    #[error("weights run from {low} to {high}: must lie on both sides of 0; choose another g_min and g_max")]
    OneSided {
        /// Lowest weight.
        low: f64,
        /// Highest weight.
        high: f64,
    },
    /// The least squares found no answer.
    #[error("{model}: {what} cannot be fitted to the {direction} steps: {reason}")]
    NoFit {
        /// Name of the model.
        model: &'static str,
        /// What was fitted.
        what: String,
        /// Up or down.
        direction: &'static str,
        /// Why not.
        reason: &'static str,
    },
    /// The fitted record is no valid device.
    #[error("{model}: the fitted parameters make no device: {source}")]
    Refused {
        /// Name of the model.
        model: &'static str,
        /// What the record refuses.
        source: ConfigError,
    },
}
