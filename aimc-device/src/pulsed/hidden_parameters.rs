//! Export and import of the constants of an array ("hidden parameters"), device by device, under AIHWKit's names.
//!
//! Measured devices enter here: bounds, steps, forgetting and the model's own constants of every device, row by row.
//! Pulses are planned in units of the mean device. Where imported steps differ from the configured mean by more than
//! twice its device-to-device spread, the unit follows them:
//!
//! ```text
//! f = mean((|a⁺| + |a⁻|)/2)/a      granularity ← f·granularity   where |f - 1| > 2·dw_min_dtod, else f = 1
//! ```
//!
//! with a the configured mean step ([`PulsedDevice::mean_step`](super::PulsedDevice::mean_step)).

use crate::error::{ConfigError, require};
use crate::pulsed::Constants;
use crate::pulsed::fabrication::{Cells, RetentionCells};

/// All lists of constants with their names.
pub(crate) fn lists<'a, E: Constants>(
    cells: &'a mut Cells<E>,
    retention: &'a mut RetentionCells,
) -> impl Iterator<Item = (&'static str, &'a mut Vec<f32>)> {
    [
        ("max_bound", &mut cells.w_max),
        ("min_bound", &mut cells.w_min),
        ("dwmin_up", &mut cells.up),
        ("dwmin_down", &mut cells.down),
        ("decay_scales", &mut retention.decay),
        ("diffusion_rates", &mut retention.diffusion),
        ("reset_bias", &mut retention.reset),
        ("drift_nu", &mut retention.drift_nu),
    ]
    .into_iter()
    .chain(E::NAMES.iter().copied().zip(&mut cells.extra))
}

/// Replaces the lists that `constants` names; any error leaves them as they were.
pub(crate) fn import<E: Constants>(
    cells: &mut Cells<E>,
    retention: &mut RetentionCells,
    constants: &[(&str, &[f32])],
) -> Result<(), ConfigError> {
    let n = cells.up.len();
    let mut known: Vec<_> = lists(cells, retention).collect();
    for (name, values) in constants {
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        require::that(
            names.contains(name),
            "constants",
            name,
            &format!("must be one of {}", names.join(", ")),
        )?;
        let length = format!("must have one entry per device: {n}");
        require::that(values.len() == n, name, values.len(), &length)?;
        for (index, value) in values.iter().enumerate() {
            require::finite(&format!("{name}[{index}]"), *value)?;
        }
    }
    let find = |wanted: &str| constants.iter().find(|(name, _)| *name == wanted);
    let inverted = bounds_inverted(&known, find("max_bound"), find("min_bound"));
    if let Some(index) = inverted {
        return Err(ConfigError::new(
            format!("min_bound[{index}]"),
            "above max_bound",
            "must not lie above max_bound",
        ));
    }
    for (name, list) in &mut known {
        if let Some((_, values)) = find(name) {
            list.copy_from_slice(values);
        }
    }
    Ok(())
}

type Named<'a> = (&'a str, &'a [f32]);

/// The first device whose bounds would be inverted by an import of either.
fn bounds_inverted(
    known: &[(&'static str, &mut Vec<f32>)],
    max: Option<&Named<'_>>,
    min: Option<&Named<'_>>,
) -> Option<usize> {
    let present = |wanted: &str| known.iter().find(|(name, _)| *name == wanted).map(|(_, list)| &list[..]);
    let high = max.map(|(_, values)| *values).or_else(|| present("max_bound"))?;
    let low = min.map(|(_, values)| *values).or_else(|| present("min_bound"))?;
    high.iter().zip(low).position(|(high, low)| low > high)
}

/// The factor f of the [module](self).
pub(crate) fn unit_factor<E: Constants>(cells: &Cells<E>, mean_step: f32, dtod: f32) -> f32 {
    let steps = cells.up.iter().zip(&cells.down);
    let sum: f64 = steps.map(|(up, down)| 0.5 * (f64::from(up.abs()) + f64::from(down.abs()))).sum();
    let factor = sum / cells.up.len() as f64 / f64::from(mean_step);
    let follows = factor > 0.0 && (factor - 1.0).abs() > 2.0 * f64::from(dtod);
    if follows { factor as f32 } else { 1.0 }
}
