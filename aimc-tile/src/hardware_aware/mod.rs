//! Hardware-aware training: training in digital arithmetic that meets the errors of the hardware.

pub mod weight_clip;
pub mod weight_modifier;
pub mod weight_remap;

pub use weight_clip::{WeightClipConfig, WeightClipType};
pub use weight_modifier::{WeightModifierConfig, WeightModifierType};
pub use weight_remap::{WeightRemapConfig, WeightRemapType};
