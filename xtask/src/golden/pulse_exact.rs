//! Noise-free trajectories of single devices: pulses, decay, drift, clip, reset.

use aimc_device::RngKey;
use aimc_device::pulsed::ideal::IdealArray;
use aimc_device::pulsed::{DeviceArray, Direction};
use aimc_testkit::golden::{Comparison, GoldenFile, Node};
use aimc_tile::analog::UnitCell;

use super::{CaseError, SEED, translate};

/// Either kind of array, one column of devices.
enum Devices {
    Ideal(IdealArray),
    Pulsed(Box<dyn DeviceArray>),
}

impl Devices {
    fn new(cell: &UnitCell, starts: &[f32]) -> Result<Self, CaseError> {
        let key = RngKey::root(SEED);
        Ok(match cell {
            UnitCell::Ideal(cell) => {
                let mut array = IdealArray::new(cell.device.clone(), starts.len())?;
                array.weights_mut().copy_from_slice(starts);
                Self::Ideal(array)
            }
            UnitCell::Pulsed(device) => {
                let mut array = device.build(starts.len(), 1, key)?;
                array.set_weights(starts, key);
                Self::Pulsed(array)
            }
        })
    }

    fn weights(&self) -> Vec<f32> {
        match self {
            Self::Ideal(array) => array.weights().to_vec(),
            Self::Pulsed(array) => array.weights().to_vec(),
        }
    }

    fn pulse(&mut self, direction: i64) -> Result<(), CaseError> {
        let direction = if direction > 0 { Direction::Up } else { Direction::Down };
        match self {
            Self::Ideal(_) => Err(CaseError::NotBuilt("single pulses on ideal storage".into())),
            Self::Pulsed(array) => {
                array.for_each_row(false, &|row, port| {
                    port.pulse(&[0], direction, &mut RngKey::root(SEED).stream(row as u64));
                });
                Ok(())
            }
        }
    }

    fn decay(&mut self, alpha: f32) {
        match self {
            Self::Ideal(array) => array.decay(alpha),
            Self::Pulsed(array) => array.decay(alpha, RngKey::root(SEED)),
        }
    }

    fn drift(&mut self, elapsed: f32) {
        match self {
            Self::Ideal(array) => array.drift(elapsed, RngKey::root(SEED)),
            Self::Pulsed(array) => array.drift(elapsed, RngKey::root(SEED)),
        }
    }

    fn reset(&mut self) {
        match self {
            Self::Ideal(array) => array.reset(RngKey::root(SEED)),
            Self::Pulsed(array) => array.reset(0..1, 1.0, RngKey::root(SEED)),
        }
    }
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
                devices.decay(alpha);
                trace.push(devices.weights());
            }
        }
        "drift" => {
            for step in case.get("steps")?.items()? {
                match step.opt("pulse") {
                    Some(direction) => devices.pulse(direction.read::<f64>()? as i64)?,
                    None => devices.drift(step.read()?),
                }
                trace.push(devices.weights());
            }
        }
        "clip" => return single(&trace[0], case),
        "reset" => {
            devices.reset();
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

/// The constants of the first device, where the case lists them.
fn compare_constants(
    comparison: &mut Comparison,
    devices: &Devices,
    case: &Node<'_>,
) -> Result<(), CaseError> {
    let (Some(theirs), Devices::Pulsed(array)) = (case.opt("hidden_parameters"), devices) else {
        return Ok(());
    };
    let ours = array.constants();
    for (name, value) in theirs.entries()? {
        let found = ours.iter().find(|(ours, _)| *ours == name);
        let Some((_, values)) = found else {
            return Err(CaseError::NotBuilt(format!("device constant {name}")));
        };
        comparison.exact(name, &values[..1], &[value.read::<f64>()?]);
    }
    Ok(())
}
