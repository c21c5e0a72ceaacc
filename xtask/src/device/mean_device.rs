//! The mean device of a configuration: no device-to-device variation, nothing stuck.

use aimc_device::pulsed::{DeviceArray, Direction, PulsedDeviceConfig};
use aimc_device::rng::label;
use aimc_device::{ConfigError, RngKey, config};
use serde_json::{Value, json};

/// Pulses after which a device with hidden states counts as stuck.
const MOST_PULSES: usize = 10_000;
/// Noisy steps per weight; the std of their steps has a relative error of 1/√(2·4000) = 1.1 %.
const SAMPLES: usize = 4000;

/// The mean device, with and without the noise of its pulses.
#[derive(Clone, Debug)]
pub(crate) struct MeanDevice {
    noisy: PulsedDeviceConfig,
    quiet: PulsedDeviceConfig,
    /// Least weight it can hold.
    pub(crate) low: f32,
    /// Largest weight it can hold.
    pub(crate) high: f32,
    /// What is subtracted from the conductance when the weight is read.
    pub(crate) reference: f32,
    /// Pulses that release one step from rest, up and down; 1 but for devices with hidden states.
    pub(crate) pulses_per_step: [usize; 2],
}

impl MeanDevice {
    /// The mean device of a valid configuration.
    pub(crate) fn of(device: &PulsedDeviceConfig) -> Result<Self, ConfigError> {
        let noisy = changed(device, &|field| {
            let varies =
                field.ends_with("_dtod") || field == "reference_std" || field == "corrupt_devices_prob";
            if field == "perfect_bias" { Some(json!(false)) } else { varies.then(|| json!(0.0)) }
        })?;
        let quiet = changed(&noisy, &|field| field.ends_with("dw_min_std").then(|| json!(0.0)))?;
        let mut pair = quiet.build(1, 2, RngKey::root(0))?;
        // Far beyond any bound, yet far enough from overflow to subtract a reference.
        pair.set_weights(&[-f32::MAX / 4.0, f32::MAX / 4.0], RngKey::root(0));
        let (low, high) = (pair.persistent_weights()[0], pair.persistent_weights()[1]);
        let constants = pair.constants();
        let reference =
            constants.iter().find(|(name, _)| *name == "reference").map_or(0.0, |(_, values)| values[0]);
        let mut mean = Self { noisy, quiet, low, high, reference, pulses_per_step: [1, 1] };
        if serde_json::to_value(&mean.quiet).is_ok_and(|tree| tree.get("hs_hidden_states").is_some()) {
            mean.pulses_per_step = [mean.count_pulses(Direction::Up)?, mean.count_pulses(Direction::Down)?];
        }
        Ok(mean)
    }

    /// Pulses until the weight in the middle moves; 1 if it never does.
    fn count_pulses(&self, direction: Direction) -> Result<usize, ConfigError> {
        let mut array = self.quiet.build(1, 1, RngKey::root(0))?;
        array.set_weights(&[self.at(0.5)], RngKey::root(0));
        let start = array.persistent_weights()[0];
        let moves = |_: &usize| {
            pulse(array.as_mut(), direction, 1, RngKey::root(0));
            array.persistent_weights()[0] != start
        };
        Ok((1..=MOST_PULSES).find(moves).unwrap_or(1))
    }

    /// The weight at a share of the range, 0 at the lower bound.
    pub(crate) fn at(&self, share: f64) -> f32 {
        let (low, high) = (f64::from(self.low), f64::from(self.high));
        ((low + share * (high - low)) as f32).max(self.low).min(self.high)
    }

    /// Noise-free change of each of these weights per pulse.
    pub(crate) fn steps(&self, weights: &[f32], direction: Direction) -> Result<Vec<f64>, ConfigError> {
        Ok(self.changes(&self.quiet, weights, 1, direction, RngKey::root(0))?.into_iter().flatten().collect())
    }

    /// Noisy steps per weight; fewer where each takes many pulses.
    pub(crate) fn samples(&self) -> usize {
        (SAMPLES / self.pulses_per_step[0].max(self.pulses_per_step[1])).clamp(200, SAMPLES)
    }

    /// Std of the change of each of these weights per pulse, from noisy pulses.
    pub(crate) fn spreads(
        &self,
        weights: &[f32],
        direction: Direction,
        key: RngKey,
    ) -> Result<Vec<f64>, ConfigError> {
        let changes =
            self.changes(&self.noisy, weights, self.samples(), direction, key.fold_in(label("steps")))?;
        Ok(changes.iter().map(|sample| std(sample)).collect())
    }

    /// For each weight, the changes per pulse of `copies` devices that start there.
    fn changes(
        &self,
        device: &PulsedDeviceConfig,
        weights: &[f32],
        copies: usize,
        direction: Direction,
        key: RngKey,
    ) -> Result<Vec<Vec<f64>>, ConfigError> {
        let mut array = device.build(weights.len(), copies, key)?;
        let start: Vec<f32> = weights.iter().flat_map(|&w| std::iter::repeat_n(w, copies)).collect();
        array.set_weights(&start, key);
        let start = array.persistent_weights().to_vec();
        let pulses = match direction {
            Direction::Up => self.pulses_per_step[0],
            Direction::Down => self.pulses_per_step[1],
        };
        pulse(array.as_mut(), direction, pulses, key.fold_in(direction as u64));
        let change = |(after, before): (&f32, &f32)| (f64::from(*after) - f64::from(*before)) / pulses as f64;
        let rows = array.persistent_weights().chunks(copies).zip(start.chunks(copies));
        Ok(rows.map(|(after, before)| after.iter().zip(before).map(change).collect()).collect())
    }
}

fn pulse(array: &mut dyn DeviceArray, direction: Direction, pulses: usize, key: RngKey) {
    let columns: Vec<u32> = (0..array.shape().1 as u32).collect();
    array.for_each_row(true, &|row, port| {
        let mut draws = key.stream(row as u64);
        (0..pulses).for_each(|_| port.pulse(&columns, direction, &mut draws));
    });
}

/// Standard deviation by Welford's recursion, exactly 0 for equal values.
fn std(values: &[f64]) -> f64 {
    let (mut mean, mut squares) = (0.0, 0.0);
    for (before, value) in values.iter().enumerate() {
        let off = value - mean;
        mean += off / (before + 1) as f64;
        squares += off * (value - mean);
    }
    (squares / (values.len() as f64 - 1.0).max(1.0)).sqrt()
}

/// The device with those fields replaced, at any depth, for which `new` has a value.
fn changed(
    device: &PulsedDeviceConfig,
    new: &dyn Fn(&str) -> Option<Value>,
) -> Result<PulsedDeviceConfig, ConfigError> {
    let mut tree = serde_json::to_value(device)
        .map_err(|error| ConfigError::new("", "", format!("cannot be written as JSON: {error}")))?;
    replace(&mut tree, new);
    config::decode(tree)
}

fn replace(node: &mut Value, new: &dyn Fn(&str) -> Option<Value>) {
    let Value::Object(entries) = node else { return };
    for (field, value) in entries {
        match new(field) {
            Some(new) => *value = new,
            None => replace(value, new),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All models, taken from what the parser says it knows.
    fn models() -> Vec<String> {
        let error = config::from_toml::<PulsedDeviceConfig>("model = \"?\"").unwrap_err();
        let known = error.requirement.strip_prefix("must be one of ").unwrap().split(", ");
        known.map(str::to_owned).collect()
    }

    /// Whatever variation a model has, two mean devices do not differ in any constant.
    #[test]
    fn mean_devices_of_every_model_are_all_alike() {
        assert!(models().len() >= 10);
        for model in models() {
            let plain: PulsedDeviceConfig = config::from_toml(&format!("model = \"{model}\"")).unwrap();
            let varied = changed(&plain, &|field| {
                let varies =
                    field.ends_with("_dtod") || field == "reference_std" || field == "corrupt_devices_prob";
                varies.then(|| json!(0.2))
            });
            let mean = MeanDevice::of(&varied.unwrap()).unwrap();
            for (name, values) in mean.noisy.build(3, 4, RngKey::root(1)).unwrap().constants() {
                assert!(values.iter().all(|value| *value == values[0]), "{model}: {name} {values:?}");
            }
            assert!(mean.low < 0.0 && mean.high > 0.0, "{model}");
        }
    }

    #[test]
    fn steps_and_spreads_are_those_of_the_equation() {
        let text = "model = \"SoftBounds\"\ndw_min = 0.01\nup_down = 0.5\nw_max = 1.0\nw_min = -1.0\ndw_min_std = 0.2";
        let mean = MeanDevice::of(&config::from_toml(text).unwrap()).unwrap();
        let weights = [-0.5, 0.0, 0.5];
        let up = mean.steps(&weights, Direction::Up).unwrap();
        let down = mean.steps(&weights, Direction::Down).unwrap();
        for (k, w) in weights.map(f64::from).into_iter().enumerate() {
            assert!((up[k] - 0.01 * (1.0 - w)).abs() < 1e-7 && (down[k] + 0.005 * (1.0 + w)).abs() < 1e-7);
        }
        // Six standard errors of a sample of 4000.
        let spreads = mean.spreads(&weights, Direction::Up, RngKey::root(1)).unwrap();
        assert!(spreads.iter().zip(&up).all(|(std, step)| (std / step - 0.2).abs() < 6.0 * 0.011 * 0.2));
        assert_eq!(mean.pulses_per_step, [1, 1]);
    }

    /// Two hidden states of ½ overflow with the third pulse, so that a pulse moves a third of a step of 2·dw_min.
    #[test]
    fn hidden_steps_are_shared_by_the_pulses_that_release_them() {
        let mean =
            MeanDevice::of(&config::from_toml("model = \"HiddenStep\"\ndw_min = 0.003").unwrap()).unwrap();
        assert_eq!(mean.pulses_per_step, [3, 3]);
        let step = mean.steps(&[0.0], Direction::Up).unwrap()[0];
        assert!((step - 0.002).abs() < 1e-8, "{step}");
    }
}
