//! What follows from the parameters of a device, as a table and in words.

use aimc_device::pulsed::Direction;
use serde_json::Value;

use super::DeviceError;
use super::mean_device::MeanDevice;
use super::source::Source;
use super::symmetry::Symmetry;
use crate::number::{significant, with_tolerance};

/// Quantity, value and meaning, one row each.
pub(crate) fn facts(
    source: &Source,
    mean: &MeanDevice,
    symmetry: &Symmetry,
) -> Result<Vec<[String; 3]>, DeviceError> {
    let mut rows = configured(source)?;
    let range = format!("{} … {}", shown(mean.low), shown(mean.high));
    rows.push(row("range", range, "weights that the mean device can hold, reference subtracted"));
    let middle = [0.0_f32.max(mean.low).min(mean.high)];
    for (name, direction) in [("up", Direction::Up), ("down", Direction::Down)] {
        let step = significant(mean.steps(&middle, direction)?[0], 4);
        rows.push(row(
            &format!("{name} step"),
            step,
            &format!("change by one noise-free {name} pulse at w = 0"),
        ));
    }
    let meaning = "weight at which up and down steps of the mean device are equal";
    rows.push(row("symmetry point", short(symmetry), meaning));
    Ok(rows)
}

fn row(name: &str, value: String, meaning: &str) -> [String; 3] {
    [name.to_owned(), value, meaning.to_owned()]
}

fn shown(value: f32) -> String {
    significant(f64::from(value), 4)
}

/// What the configuration says.
fn configured(source: &Source) -> Result<Vec<[String; 3]>, DeviceError> {
    let device = &source.device;
    let (common, granularity) = (device.common(), device.granularity());
    let tree = serde_json::to_value(device)?;
    let model = tree.get("model").and_then(Value::as_str).unwrap_or_default();
    let write_noise = tree.get("write_noise_std").and_then(Value::as_f64).unwrap_or(0.0);
    Ok(vec![
        row("model", model.to_owned(), "the equation of a step"),
        row("dw_min", shown(common.dw_min), "mean change of the weight by one pulse, as configured"),
        row("granularity", shown(granularity), "change by one pulse at w = 0 that pulse planning counts on"),
        row(
            "number of states",
            significant(f64::from(common.n_states(granularity)), 4),
            "(w_max − w_min) / granularity",
        ),
        row(
            "bounds",
            format!("{} … {}", shown(common.w_min), shown(common.w_max)),
            "w_min and w_max, means over devices",
        ),
        row(
            "asymmetry",
            shown(common.up_down),
            "up_down: share by which down steps (above 0) or up steps (below 0) are weaker",
        ),
        row(
            "cycle-to-cycle noise",
            shown(common.dw_min_std),
            "dw_min_std: standard deviation of a step, relative to it",
        ),
        row(
            "write noise",
            significant(write_noise * f64::from(common.dw_min), 4),
            "standard deviation of the weight read after a pulse, in units of the weight",
        ),
    ])
}

/// The symmetry point as a sentence.
pub(crate) fn spoken(symmetry: &Symmetry) -> String {
    match symmetry {
        Symmetry::Points(points) => {
            let points: Vec<String> = points
                .iter()
                .map(|point| {
                    let end = if point.attracts { "" } else { " (random pulses lead away from it)" };
                    format!("w = {}{end}", with_tolerance(point.weight, point.tolerance))
                })
                .collect();
            let name = if points.len() == 1 {
                "Symmetry point, where both steps are equal"
            } else {
                "Symmetry points, where both steps are equal"
            };
            format!("{name}: {} (tolerance of the root finder, from rounding).", points.join("; "))
        }
        Symmetry::Everywhere => {
            "Up and down steps are equal at every weight, so there is no one symmetry point.".to_owned()
        }
        Symmetry::Nowhere(Direction::Up) => {
            "There is no symmetry point between the bounds: up steps are larger at every weight.".to_owned()
        }
        Symmetry::Nowhere(Direction::Down) => {
            "There is no symmetry point between the bounds: down steps are larger at every weight.".to_owned()
        }
        Symmetry::Rigid => {
            "Steps are too small for the 24 bits of a weight: from most weights no pulse moves the device."
                .to_owned()
        }
        Symmetry::Coarse => {
            "One pulse leads from any weight to a bound, so there is no symmetry point.".to_owned()
        }
    }
}

/// The symmetry point for a table.
fn short(symmetry: &Symmetry) -> String {
    match symmetry {
        Symmetry::Points(points) => points
            .iter()
            .map(|point| with_tolerance(point.weight, point.tolerance))
            .collect::<Vec<_>>()
            .join("; "),
        Symmetry::Everywhere => "every weight".to_owned(),
        Symmetry::Nowhere(_) | Symmetry::Rigid | Symmetry::Coarse => "none".to_owned(),
    }
}
