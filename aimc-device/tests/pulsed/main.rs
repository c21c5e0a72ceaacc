//! Pulsed devices against their analytical expectations, one topic per file.
//!
//! Everything goes through the public array of devices, as a tile sees it. Properties that do not depend on
//! the model run over [`MODELS`] or [`REGISTERED`]; a new device is enrolled by its name there, and by its
//! equation in [`equations`].
#![allow(clippy::unwrap_used)]

mod bounds;
mod config_gate;
mod corrupt;
mod counters;
mod drift;
mod equations;
mod equivalence;
mod fabrication;
mod folding;
mod hidden;
mod hidden_parameters;
mod ideal;
mod lanes;
mod mirror;
mod model_spread;
mod noise;
mod presets;
mod pulses;
mod random_pulses;
mod reference;
mod retention;
mod schema;
mod state;
mod symmetry_point;
mod write_noise;

use aimc_device::pulsed::{DeviceArray, Direction, PulsedDeviceConfig};
use aimc_device::{RngKey, config};
use serde_json::{Map, Value};

/// Every registered model.
const REGISTERED: &[&str] = &[
    "ConstantStep",
    "SoftBounds",
    "SoftBoundsPmax",
    "SoftBoundsReference",
    "LinearStep",
    "ExpStep",
    "PowStep",
    "PowStepReference",
    "PiecewiseStep",
    "TableStep",
    "HiddenStep",
];

/// The models whose record holds steps and bounds themselves.
const MODELS: &[&str] = &[
    "ConstantStep",
    "SoftBounds",
    "SoftBoundsReference",
    "LinearStep",
    "ExpStep",
    "PowStep",
    "PowStepReference",
    "PiecewiseStep",
    "TableStep",
    "HiddenStep",
];

/// Entries that take all spread and noise away.
const UNIFORM: &str = "dw_min_dtod = 0\nup_down_dtod = 0\nw_max_dtod = 0\nw_min_dtod = 0\ndw_min_std = 0\n";

/// Unit roundoff of `f32`: the relative error of one operation.
const ROUNDOFF: f64 = f32::EPSILON as f64 / 2.0;

#[test]
fn every_registered_model_is_enrolled() {
    let error = config::from_toml::<PulsedDeviceConfig>("model = \"?\"").unwrap_err();
    assert_eq!(error.requirement, format!("must be one of {}", REGISTERED.join(", ")));
    let holds_steps = |model: &&str| defaults(model).contains_key("dw_min");
    assert_eq!(REGISTERED.iter().copied().filter(holds_steps).collect::<Vec<_>>(), MODELS);
}

/// A record from its model's name and further TOML entries.
fn device(model: &str, entries: &str) -> PulsedDeviceConfig {
    config::from_toml(&format!("model = \"{model}\"\n{entries}")).unwrap()
}

/// Fabricated devices of that record; hidden-step devices as large and as frequent as the others' steps
/// (one hidden state), unless the entries say otherwise.
fn array(model: &str, entries: &str, (rows, columns): (usize, usize), seed: u64) -> Box<dyn DeviceArray> {
    let hidden = model == "HiddenStep" && !entries.contains("hs_hidden_states");
    let one = if hidden { "hs_hidden_states = 1\n" } else { "" };
    device(model, &format!("{one}{entries}")).build(rows, columns, RngKey::root(seed)).unwrap()
}

/// All fields of a model with their defaults.
fn defaults(model: &str) -> Map<String, Value> {
    let value = serde_json::to_value(device(model, "")).unwrap();
    let mut fields = value.as_object().unwrap().clone();
    fields.remove("model");
    fields
}

/// The models of [`MODELS`] that have a field of this name.
fn models_with(field: &'static str) -> impl Iterator<Item = &'static str> {
    MODELS.iter().copied().filter(move |model| defaults(model).contains_key(field))
}

/// The models of [`MODELS`] that move with every pulse.
fn prompt_models() -> impl Iterator<Item = &'static str> {
    MODELS.iter().copied().filter(|model| *model != "HiddenStep")
}

/// A per-device constant by its exported name.
fn constant(array: &dyn DeviceArray, name: &str) -> Vec<f32> {
    array.constants().into_iter().find(|(found, _)| *found == name).unwrap().1
}

/// One pulse on every device.
fn pulse_all(array: &mut dyn DeviceArray, direction: Direction, key: RngKey) {
    let all: Vec<u32> = (0..array.shape().1 as u32).collect();
    array.for_each_row(false, &|row, port| port.pulse(&all, direction, &mut key.stream(row as u64)));
}

/// One pulse on every device, up or down with equal chance; fresh chances for every key.
fn pulse_randomly(array: &mut dyn DeviceArray, key: RngKey) {
    let columns = array.shape().1 as u32;
    array.for_each_row(false, &|row, port| {
        let mut draws = key.stream(row as u64);
        let (up, down): (Vec<u32>, Vec<u32>) = (0..columns).partition(|_| draws.next_u32() & 1 == 0);
        port.pulse(&up, Direction::Up, &mut draws);
        port.pulse(&down, Direction::Down, &mut draws);
    });
}

/// One up pulse on a random half of the devices, which do not depend on the noise of the model.
fn pulse_randomly_up(array: &mut dyn DeviceArray, round: u64) {
    let columns = array.shape().1 as u32;
    let key = RngKey::root(round);
    array.for_each_row(false, &|row, port| {
        let mut draws = key.stream(row as u64);
        let chosen: Vec<u32> = (0..columns).filter(|_| draws.next_u32() & 1 == 0).collect();
        port.pulse(&chosen, Direction::Up, &mut draws);
    });
}

/// Sets all weights to one value.
fn set_all(array: &mut dyn DeviceArray, value: f32) {
    let n = array.weights().len();
    array.set_weights(&vec![value; n], RngKey::root(1));
}

/// Whether two slices hold the same bits.
fn same_bits(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

/// Distribution function of the standard normal law.
fn normal_cdf(z: f64) -> f64 {
    use statrs::distribution::{ContinuousCDF, Normal};
    Normal::standard().cdf(z)
}
