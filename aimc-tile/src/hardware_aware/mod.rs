//! Hardware-aware training: learning in digital arithmetic while the products meet the errors of the hardware.
//!
//! ```text
//! forward, backward   circuits around W' = modifier(W)      the copy that was drawn after the last step
//! update              W ← W - lr·d xᵀ, exactly               in digital memory, by any optimizer
//! end of a step       clip → remap → draw W' anew
//! evaluation          circuits around W itself
//! ```
//!
//! The gradient passes straight through converters, noise and modifiers. A network trained so is programmed into devices later;
//! [`tile`] is the tile, [`weight_modifier`], [`weight_clip`] and [`weight_remap`] are what happens to its weights.
//!
//! References: V. Joshi et al. 2020, Nat. Commun. 11:2473, doi:10.1038/s41467-020-16108-9; M. J. Rasch et al. 2023,
//! Nat. Commun. 14:5282, doi:10.1038/s41467-023-40770-4.

mod config;
mod scaled_weights;
pub mod tile;
pub mod weight_clip;
pub mod weight_modifier;
pub mod weight_remap;

pub use config::HardwareAwareTileConfig;
pub use tile::HardwareAwareTile;
pub use weight_clip::{WeightClipConfig, WeightClipType};
pub use weight_modifier::{WeightModifierConfig, WeightModifierType};
pub use weight_remap::{WeightRemapConfig, WeightRemapType};
