//! Noise-free trajectories of single devices: pulses, decay, drift, clip, reset.

use aimc_device::RngKey;
use aimc_device::pulsed::ideal::IdealArray;
use aimc_device::pulsed::{DeviceArray, Direction};
use aimc_testkit::golden::{Comparison, GoldenFile, Node};
use aimc_tile::unit_cell::config::CompoundCell;
use aimc_tile::{AnalogTile, MatVec, ReadOut, SampleKeys, Shape, Tile, TileConfig, UnitCell, UpdateConfig};
use nalgebra::DMatrix;

use super::{CaseError, SEED, translate};

/// Either kind of array, one column of devices; or a tile of unit cells, which is pulsed by its update.
enum Devices {
    Ideal(IdealArray),
    Pulsed(Box<dyn DeviceArray>),
    Cells(Box<AnalogTile>),
}

impl Devices {
    fn new(cell: &UnitCell, starts: &[f32]) -> Result<Self, CaseError> {
        let key = RngKey::root(SEED);
        Ok(match cell {
            UnitCell::Compound(CompoundCell::Ideal(device)) => {
                let mut array = IdealArray::new(device.clone(), starts.len())?;
                array.weights_mut().copy_from_slice(starts);
                Self::Ideal(array)
            }
            UnitCell::Pulsed(device) => {
                let mut array = device.build(starts.len(), 1, key)?;
                array.set_weights(starts, key);
                Self::Pulsed(array)
            }
            UnitCell::Compound(_) => {
                // Trains of one slot in which every line fires: one pulse for each device.
                let update = UpdateConfig {
                    desired_bl: 1,
                    update_management: false,
                    update_bl_management: false,
                    ..UpdateConfig::default()
                };
                let config = TileConfig { device: cell.clone(), update, ..TileConfig::ideal() };
                let mut tile = config.build(Shape { outputs: starts.len(), inputs: 1 }, key)?;
                let starts = DMatrix::from_column_slice(starts.len(), 1, starts);
                tile.set_weights(&starts, key).map_err(CaseError::run)?;
                Self::Cells(Box::new(tile))
            }
        })
    }

    fn weights(&self) -> Vec<f32> {
        match self {
            Self::Ideal(array) => array.weights().to_vec(),
            Self::Pulsed(array) => array.weights().to_vec(),
            Self::Cells(tile) => ReadOut::weights(tile.as_ref()).as_slice().to_vec(),
        }
    }

    fn pulse(&mut self, direction: i64) -> Result<(), CaseError> {
        match self {
            Self::Ideal(_) => return Err(not_built("single pulses on ideal storage")),
            Self::Pulsed(array) => {
                let direction = if direction > 0 { Direction::Up } else { Direction::Down };
                array.for_each_row(false, &|row, port| {
                    port.pulse(&[0], direction, &mut RngKey::root(SEED).stream(row as u64));
                });
            }
            Self::Cells(tile) => {
                let x = DMatrix::from_element(1, 1, -1.0);
                let d = DMatrix::from_element(tile.shape().outputs, 1, direction as f32);
                let draws = SampleKeys::new(RngKey::root(SEED));
                tile.update(x.as_view(), d.as_view(), 1.0, draws).map_err(CaseError::run)?;
            }
        }
        Ok(())
    }

    fn decay(&mut self, alpha: f32) -> Result<(), CaseError> {
        match self {
            Self::Ideal(array) => array.decay(alpha),
            Self::Pulsed(array) => array.decay(alpha, RngKey::root(SEED)),
            Self::Cells(_) => return Err(not_built("decay of unit cells by hand")),
        }
        Ok(())
    }

    fn drift(&mut self, elapsed: f32) -> Result<(), CaseError> {
        match self {
            Self::Ideal(array) => array.drift(elapsed, RngKey::root(SEED)),
            Self::Pulsed(array) => array.drift(elapsed, RngKey::root(SEED)),
            Self::Cells(_) => return Err(not_built("drift of unit cells")),
        }
        Ok(())
    }

    fn reset(&mut self) -> Result<(), CaseError> {
        match self {
            Self::Ideal(array) => array.reset(RngKey::root(SEED)),
            Self::Pulsed(array) => array.reset(0..1, 1.0, RngKey::root(SEED)),
            Self::Cells(_) => return Err(not_built("reset of unit cells")),
        }
        Ok(())
    }

    /// All constants by AIHWKit's names: those of device k of a unit cell end in `_k`.
    fn constants(&self) -> Vec<(String, Vec<f32>)> {
        match self {
            Self::Ideal(_) => Vec::new(),
            Self::Pulsed(array) => {
                array.constants().into_iter().map(|(name, values)| (name.to_owned(), values)).collect()
            }
            Self::Cells(tile) => {
                let devices = tile.devices().into_iter().enumerate();
                devices
                    .flat_map(|(k, array)| {
                        let weights = [("hidden_weights", array.weights().to_vec())];
                        let all = array.constants().into_iter().chain(weights);
                        all.map(move |(name, values)| (format!("{name}_{k}"), values)).collect::<Vec<_>>()
                    })
                    .collect()
            }
        }
    }
}

fn not_built(what: &str) -> CaseError {
    CaseError::NotBuilt(what.to_owned())
}

pub(crate) fn compare(_file: &GoldenFile, case: &Node<'_>) -> Result<Comparison, CaseError> {
    let cell = translate::unit_cell(&case.params("device")?)?;
    let mut devices = Devices::new(&cell, &case.vec_f32("starts")?)?;
    let mut trace = vec![devices.weights()];
    match case.str("action")? {
        "pulse" => {
            for direction in directions(case)? {
                devices.pulse(direction)?;
                trace.push(devices.weights());
            }
        }
        "decay" => {
            for alpha in case.vec_f32("alphas")? {
                devices.decay(alpha)?;
                trace.push(devices.weights());
            }
        }
        "drift" => {
            for step in case.get("steps")?.items()? {
                match step.opt("pulse") {
                    Some(direction) => devices.pulse(direction.read::<f64>()? as i64)?,
                    None => devices.drift(step.read()?)?,
                }
                trace.push(devices.weights());
            }
        }
        "clip" => return single(&trace[0], case),
        "reset" => {
            devices.reset()?;
            return single(&devices.weights(), case);
        }
        action => return Err(CaseError::NotBuilt(format!("action {action:?}"))),
    }
    let mut comparison = Comparison::new();
    let theirs = case.matrix_f64("w")?;
    let ours: Vec<Vec<f32>> =
        (0..theirs.len()).map(|start| trace.iter().map(|weights| weights[start]).collect()).collect();
    comparison.rows("w", &ours, &theirs, |c, label, a, b| c.exact(label, a, b));
    compare_constants(&mut comparison, &devices, case)?;
    Ok(comparison)
}

fn single(weights: &[f32], case: &Node<'_>) -> Result<Comparison, CaseError> {
    let mut comparison = Comparison::new();
    comparison.exact("w", weights, &case.vec_f64("w")?);
    Ok(comparison)
}

/// Directions of all pulses in order.
fn directions(case: &Node<'_>) -> Result<Vec<i64>, CaseError> {
    let mut directions = Vec::new();
    for item in case.get("sequence")?.items()? {
        if item.opt("dir").is_some() {
            directions.extend(vec![item.f64("dir")? as i64; item.usize("n")?]);
        } else {
            let first = item.f64("first")? as i64;
            directions.extend((0..item.usize("alternate")?).map(|i| if i % 2 == 0 { first } else { -first }));
        }
    }
    Ok(directions)
}

/// The constants of the first device, and the weights within unit cells at the end, where the case lists them.
fn compare_constants(
    comparison: &mut Comparison,
    devices: &Devices,
    case: &Node<'_>,
) -> Result<(), CaseError> {
    let ours = devices.constants();
    let find = |name: &str| {
        let found = ours.iter().find(|(ours, _)| *ours == name).map(|(_, values)| values.as_slice());
        found.ok_or_else(|| CaseError::NotBuilt(format!("device constant {name}")))
    };
    if let (Some(theirs), false) = (case.opt("hidden_parameters"), matches!(devices, Devices::Ideal(_))) {
        for (name, value) in theirs.entries()? {
            comparison.exact(name, &find(name)?[..1], &[value.read::<f64>()?]);
        }
    }
    let last = case.opt("hidden").map(|hidden| hidden.items()).transpose()?.and_then(|mut items| items.pop());
    for (name, values) in last.map(|last| last.entries()).transpose()?.unwrap_or_default() {
        comparison.exact(name, find(name)?, &values.read::<Vec<f64>>()?);
    }
    Ok(())
}
