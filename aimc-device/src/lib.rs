//! Unit cells of analog in-memory computing.
//!
//! One cell and populations of cells: resistive devices that learn from pulses ([`pulsed`]), addressed
//! randomness ([`rng`]) and the gate that every configuration passes ([`config`]). This crate knows no
//! line voltage, no gradient and no network.

pub mod config;
pub mod error;
pub mod lane;
pub mod math;
pub mod measured;
pub mod parallel;
pub mod presets;
pub mod programmed;
pub mod pulsed;
pub mod rng;
pub mod state;

pub use error::ConfigError;
pub use rng::{RngKey, Stream};
