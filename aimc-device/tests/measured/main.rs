//! Measured devices: tables that are refused, and fits that find what was put in.
#![allow(clippy::unwrap_used)]

mod csv;
mod round_trip;
mod table_device;

use std::fmt::Write as _;

use aimc_device::measured::{GRange, Measurements};
use aimc_device::pulsed::{DeviceArray, Direction, PulsedDeviceConfig};
use aimc_device::{RngKey, config};

/// Conductances of weights -1 and 1 in the simulated measurements, in µS.
const G: (f64, f64) = (5.0, 15.0);

/// A record from TOML.
fn device(text: &str) -> PulsedDeviceConfig {
    config::from_toml(text).unwrap()
}

/// Gives one pulse to all devices of an array with one column.
fn pulse(array: &mut dyn DeviceArray, direction: Direction, key: RngKey) {
    array.for_each_row(false, &|row, port| port.pulse(&[0], direction, &mut key.stream(row as u64)));
}

/// A simulated measurement: weights of all devices after every pulse, the first before any.
struct Experiment {
    array: Box<dyn DeviceArray>,
    directions: Vec<Direction>,
    weights: Vec<Vec<f32>>,
}

impl Experiment {
    /// `cycles` times `each_way` up pulses, then as many down pulses, on `devices` devices.
    fn run(record: &PulsedDeviceConfig, devices: usize, each_way: usize, cycles: usize, key: RngKey) -> Self {
        let mut array = record.build(devices, 1, key).unwrap();
        let (mut directions, mut weights) = (vec![Direction::Up], vec![array.weights().to_vec()]);
        for k in 0..2 * each_way * cycles {
            let direction = if (k / each_way).is_multiple_of(2) { Direction::Up } else { Direction::Down };
            pulse(array.as_mut(), direction, key.fold_in(k as u64));
            directions.push(direction);
            weights.push(array.weights().to_vec());
        }
        Self { array, directions, weights }
    }

    /// The table that a laboratory would write.
    fn csv(&self) -> String {
        let mut text = String::from("device,pulse,direction,conductance\n");
        for device in 0..self.weights[0].len() {
            for (k, (direction, weights)) in self.directions.iter().zip(&self.weights).enumerate() {
                let sign = if *direction == Direction::Up { "up" } else { "down" };
                let g = G.0 + 0.5 * (f64::from(weights[device]) + 1.0) * (G.1 - G.0);
                writeln!(text, "d{device},{k},{sign},{g}").unwrap();
            }
        }
        text
    }

    fn table(&self) -> Measurements {
        Measurements::from_csv(&self.csv(), GRange::Stated(G.0, G.1)).unwrap()
    }

    /// A constant of the first device by its exported name.
    fn constant(&self, name: &str) -> f64 {
        f64::from(self.array.constants().iter().find(|(found, _)| *found == name).unwrap().1[0])
    }
}
