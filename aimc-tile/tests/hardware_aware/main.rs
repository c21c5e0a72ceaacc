//! Hardware-aware training against its analytical expectations, one topic per file.
#![allow(clippy::unwrap_used)]

mod clip;
mod config_gate;
mod held;
mod modifier;
mod modifier_exact;
mod pcm_noise;
mod periphery;
mod remap;
mod tile;

use aimc_device::RngKey;
use aimc_tile::hardware_aware::{WeightModifierConfig, WeightModifierType};

/// Samples per level of a statistical test.
const N: usize = 20_000;

/// A modifier of that type with A = 1, so that levels may be chosen freely.
fn modifier(kind: WeightModifierType) -> WeightModifierConfig {
    WeightModifierConfig { kind, rel_to_actual_wmax: false, ..WeightModifierConfig::default() }
}

/// N modified copies of each level.
fn samples(record: &WeightModifierConfig, levels: &[f32], seed: u64) -> Vec<Vec<f32>> {
    record.validate().unwrap();
    let weights: Vec<f32> = levels.iter().flat_map(|level| std::iter::repeat_n(*level, N)).collect();
    record.modified(&weights, N, RngKey::root(seed)).chunks(N).map(<[f32]>::to_vec).collect()
}

/// Largest |value|.
fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |largest, value| largest.max(value.abs()))
}
