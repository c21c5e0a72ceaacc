//! Analog inference: a trained network in devices that are programmed once, drift and are read.
//!
//! [`ProgrammedTile::program`] converts weights to conductances ([`converter`]) and writes them;
//! [`ProgrammedTile::at`] lets time pass and gives an [`InferenceTile`], which can only be read;
//! [`ProgrammedMatrix`] and [`InferenceMatrix`] are matrices over many such arrays, with their digital circuits;
//! [`settings`] carries what these have learned in training; [`calibration`] finds the ranges of converters from data;
//! [`compensation`] undoes the common part of the drift; [`evaluate()`] measures accuracy over time; [`cost`] estimates
//! energy, latency and area. Device physics is in [`aimc_device::programmed`], circuits in [`aimc_tile::periphery`].

pub mod calibration;
pub mod classifier;
pub mod compensation;
pub mod config;
pub mod converter;
pub mod cost;
pub mod error;
pub mod evaluate;
pub mod matrix;
pub mod matrix_errors;
pub mod network;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod program;
pub mod programming;
pub mod quantile;
pub mod sensitivity;
pub mod settings;
pub mod summary;
pub mod timeline;

pub use calibration::{Calibration, CalibrationConfig, calibrate};
pub use classifier::Classifier;
pub use compensation::{Compensation, CompensationReads, Recalibration};
pub use config::{DriftConversion, InferenceTileConfig};
pub use converter::ConverterConfig;
pub use cost::{Estimate, Technology};
pub use error::{EvaluationError, InferenceError};
pub use evaluate::{AccuracyAt, AccuracyOverTime, EvaluationConfig, Progress, evaluate};
pub use matrix::{InferenceMatrix, ProgrammedMatrix};
pub use matrix_errors::{MatrixError, matrix_errors};
pub use network::{accuracy, network_at, program_network};
pub use program::ProgrammedTile;
pub use programming::{Programming, ProgrammingReport};
pub use sensitivity::{Sensitivity, sensitivity};
pub use settings::{NetworkSettings, WithSettings, settings_of, with_settings};
pub use summary::{Nested, Summary};
pub use timeline::InferenceTile;
