//! The features of AIHWKit 1.1.0, one file per subject.

pub(super) mod circuits;
pub(super) mod configurations;
pub(super) mod devices;
pub(super) mod examples;
pub(super) mod hardware_aware;
pub(super) mod inference;
pub(super) mod literature;
pub(super) mod networks;
pub(super) mod presets;
pub(super) mod services;
pub(super) mod tiles;
