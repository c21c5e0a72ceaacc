//! Training: algorithms, optimizers, resume, against closed forms and themselves, one topic per file.
#![allow(clippy::unwrap_used)]

mod asymmetric_devices;
mod closed_forms;
mod convert;
mod determinism;
mod hardware_aware;
mod inventory;
mod optimizer;
mod periphery;
mod presets;
mod resume;
mod transfer_runs;
mod zero_shifting;
