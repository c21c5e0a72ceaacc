//! The table of measurements: conductance after every pulse, of one or many devices.
//!
//! Text in CSV with the columns `device` (optional), `pulse`, `direction` (`up`, `down`, `1`, `-1`) and
//! `conductance` (any unit), in any order; empty lines and lines that begin with `#` do not count. A row holds
//! the conductance read after that pulse, the first row of a device the one it began with. Readings whose
//! pulse numbers are not consecutive are not compared, so that a gap stands for a reset.

use serde::Serialize;

use super::MeasuredError;
use crate::pulsed::Direction;

/// Conductances that become the weights -1 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GRange {
    /// The smallest and the largest of the table.
    Data,
    /// These two, in the unit of the table.
    Stated(f64, f64),
}

/// The linear map from conductances onto weights: g_min becomes -1, g_max becomes 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ConductanceMap {
    /// Conductance of the weight -1, in the unit of the table.
    pub g_min: f64,
    /// Conductance of the weight 1, in the unit of the table.
    pub g_max: f64,
}

impl ConductanceMap {
    /// The weight of a conductance.
    #[must_use]
    pub fn weight(&self, conductance: f64) -> f64 {
        2.0 * (conductance - self.g_min) / (self.g_max - self.g_min) - 1.0
    }

    /// The conductance of a weight.
    #[must_use]
    pub fn conductance(&self, weight: f64) -> f64 {
        self.g_min + 0.5 * (weight + 1.0) * (self.g_max - self.g_min)
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Number of the pulse.
    pub pulse: u64,
    /// Its direction.
    pub direction: Direction,
    /// Conductance after it, mapped onto weights.
    pub weight: f64,
}

/// All rows of one device.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuredDevice {
    /// Its name in the table.
    pub name: String,
    /// Its readings, in the order of pulses.
    pub readings: Vec<Reading>,
}

/// A table that passed all checks.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurements {
    map: ConductanceMap,
    devices: Vec<MeasuredDevice>,
}

const COLUMNS: [&str; 4] = ["device", "pulse", "direction", "conductance"];

impl Measurements {
    /// Reads and checks a table.
    pub fn from_csv(text: &str, range: GRange) -> Result<Self, MeasuredError> {
        let mut lines = text
            .trim_start_matches('\u{feff}')
            .lines()
            .enumerate()
            .map(|(i, line)| (i + 1, line.trim()))
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let (line, header) = lines.next().ok_or(MeasuredError::NoHeader)?;
        let columns = Columns::of(line, header)?;
        let mut devices: Vec<MeasuredDevice> = Vec::new();
        let mut by_name = std::collections::HashMap::new();
        for (line, row) in lines {
            let (name, reading) = columns.read(line, row)?;
            let index = *by_name.entry(name.to_owned()).or_insert_with(|| {
                devices.push(MeasuredDevice { name: name.to_owned(), readings: Vec::new() });
                devices.len() - 1
            });
            let readings = &mut devices[index].readings;
            if let Some(previous) = readings.last().map(|last| last.pulse).filter(|&p| p >= reading.pulse) {
                let (device, pulse) = (name.to_owned(), reading.pulse);
                return Err(MeasuredError::Order { line, device, pulse, previous });
            }
            readings.push(reading);
        }
        Self::mapped(devices, range)
    }

    /// Maps the conductances, which the readings hold so far, onto weights.
    fn mapped(mut devices: Vec<MeasuredDevice>, range: GRange) -> Result<Self, MeasuredError> {
        let all = || devices.iter().flat_map(|device| device.readings.iter().map(|reading| reading.weight));
        if all().next().is_none() {
            return Err(MeasuredError::Empty);
        }
        for MeasuredDevice { name, readings } in &devices {
            if readings.iter().all(|reading| reading.weight == readings[0].weight) {
                return Err(MeasuredError::Constant { device: name.clone(), value: readings[0].weight });
            }
        }
        let (low, high) = match range {
            GRange::Data => (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max)),
            GRange::Stated(low, high) => (low, high),
        };
        // The difference, too, has to be finite for a map.
        if !(low < high && (high - low).is_finite()) {
            return Err(MeasuredError::Range { low, high });
        }
        let map = ConductanceMap { g_min: low, g_max: high };
        for reading in devices.iter_mut().flat_map(|device| &mut device.readings) {
            reading.weight = map.weight(reading.weight);
        }
        Ok(Self { map, devices })
    }

    /// How conductances became weights.
    #[must_use]
    pub fn map(&self) -> ConductanceMap {
        self.map
    }

    /// The devices, in the order of the table.
    #[must_use]
    pub fn devices(&self) -> &[MeasuredDevice] {
        &self.devices
    }
}

/// Where the columns are.
struct Columns {
    place: [Option<usize>; 4],
    count: usize,
}

impl Columns {
    fn of(line: usize, header: &str) -> Result<Self, MeasuredError> {
        let mut place = [None; 4];
        let names: Vec<&str> = header.split(',').map(str::trim).collect();
        for (at, name) in names.iter().enumerate() {
            match COLUMNS.iter().position(|column| column == name) {
                Some(column) if place[column].is_none() => place[column] = Some(at),
                _ => return Err(MeasuredError::BadColumn { line, column: (*name).to_owned() }),
            }
        }
        match (1..4).find(|&column| place[column].is_none()) {
            Some(column) => Err(MeasuredError::MissingColumn { line, column: COLUMNS[column] }),
            None => Ok(Self { place, count: names.len() }),
        }
    }

    /// Name of the device and the reading, whose weight still is the conductance.
    fn read<'a>(&self, line: usize, row: &'a str) -> Result<(&'a str, Reading), MeasuredError> {
        let fields: Vec<&str> = row.split(',').map(str::trim).collect();
        if fields.len() != self.count {
            return Err(MeasuredError::FieldCount { line, found: fields.len(), expected: self.count });
        }
        let field = |column: usize| self.place[column].map_or("1", |at| fields[at]);
        let refuse = |column: usize, requirement| MeasuredError::Value {
            line,
            field: COLUMNS[column],
            value: field(column).to_owned(),
            requirement,
        };
        let name = field(0);
        if name.is_empty() {
            return Err(refuse(0, "must be a name"));
        }
        let pulse = field(1).parse().map_err(|_| refuse(1, "must be a whole number, 0 or above"))?;
        let direction = match field(2) {
            "up" | "1" | "+1" => Direction::Up,
            "down" | "-1" => Direction::Down,
            _ => return Err(refuse(2, "must be up, down, 1 or -1")),
        };
        let weight: f64 = field(3).parse().map_err(|_| refuse(3, "must be a number"))?;
        if !weight.is_finite() {
            return Err(refuse(3, "must be a finite number"));
        }
        Ok((name, Reading { pulse, direction, weight }))
    }
}
