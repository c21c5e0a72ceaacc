//! The report of a fit: devices, residuals and measures of quality.

use super::Measurements;
use super::fit::{Found, Model};
use super::pool::{Pair, with_error};
use super::report::{DeviceReport, Estimate, FitReport, Residual};
use super::separate::{Numbers, Separate};
use super::shared::{SharedFit, cell};
use super::solve::Law;
use super::steps::{Steps, sign};

/// Every device of a model without common shape.
pub(crate) fn separate_devices(kind: Separate, steps: &Steps, numbers: &[Numbers]) -> Vec<DeviceReport> {
    // Bounds are mirrored for down pulses; steps and exponents have no sign.
    let names: &[(&str, f64)] = match kind {
        Separate::SoftBounds => &[("a_up", 1.0), ("a_down", 1.0), ("w_max", 1.0), ("w_min", -1.0)],
        Separate::LinearStep => &[("a_up", 1.0), ("a_down", 1.0), ("gamma_up", 1.0), ("gamma_down", 1.0)],
        Separate::PowStep => &[
            ("a_up", 1.0),
            ("a_down", 1.0),
            ("w_max", 1.0),
            ("w_min", -1.0),
            ("gamma_up", 1.0),
            ("gamma_down", 1.0),
        ],
    };
    let device = |(name, numbers): (&String, &Numbers)| {
        let parameter = |(i, &(field, sign)): (usize, &(&str, f64))| {
            with_error(field, sign * numbers.values[i], numbers.covariance[i][i].sqrt(), numbers.freedom)
        };
        DeviceReport { name: name.clone(), parameters: names.iter().enumerate().map(parameter).collect() }
    };
    steps.names.iter().zip(numbers).map(device).collect()
}

/// Every device of a model with a common shape: its scales, for the shape as it was found.
pub(crate) fn shared_devices(steps: &Steps, pair: &Pair) -> Vec<DeviceReport> {
    let device = |(d, name): (usize, &String)| {
        let parameter = |field, sample: &super::pool::Sample| -> Estimate {
            with_error(field, sample.values[d], (sample.errors[d] + sample.common).sqrt(), sample.freedom)
        };
        let parameters = vec![parameter("a_up", &pair.up), parameter("a_down", &pair.down)];
        DeviceReport { name: name.clone(), parameters }
    };
    steps.names.iter().enumerate().map(device).collect()
}

/// Std of the steps about their mean at the nodes of a table, in units of each device's scale: residuals near
/// a node count by their nearness.
pub(crate) fn node_noise(steps: &Steps, side: usize, fit: &SharedFit) -> Vec<f64> {
    let n = fit.nodes.len();
    let mut sums = vec![(0.0, 0.0); n];
    let all: Vec<f64> =
        steps.runs[side].iter().flat_map(|run| run.steps.iter().map(|step| step.dx)).collect();
    let mut from = 0;
    for (&end, &(scale, _)) in fit.ends.iter().zip(&fit.scales) {
        let measured = all[from..end].iter().zip(&fit.solution.fitted[from..end]);
        for ((measured, fitted), &place) in measured.zip(&fit.places[from..end]) {
            let relative = ((measured - fitted) / scale).powi(2);
            let (node, t) = cell(place, n);
            for (node, weight) in [(node, 1.0 - t), (node + 1, t)] {
                sums[node].0 += weight * relative;
                sums[node].1 += weight;
            }
        }
        from = end;
    }
    // The mean took as many degrees of freedom as there are fitted numbers.
    let lost = all.len() as f64 / fit.solution.freedom;
    let std = |(over, under): (f64, f64)| if under > 0.0 { (lost * over / under).sqrt() } else { 0.0 };
    sums.into_iter().map(std).collect()
}

/// All of it.
pub(crate) fn report(table: &Measurements, steps: &Steps, model: Model, found: Found) -> FitReport {
    let residuals = residuals(steps, &found.fitted);
    let n = residuals.len() as f64;
    let error = |r: &Residual| (r.measured - r.fitted).powi(2);
    let squares: f64 = residuals.iter().map(error).sum();
    // Up and down steps have means of opposite sign, which explains nothing: each side has its own mean.
    let total: f64 = [true, false]
        .into_iter()
        .map(|up| {
            let side: Vec<f64> = residuals.iter().filter(|r| r.up == up).map(|r| r.measured).collect();
            let mean = side.iter().sum::<f64>() / side.len() as f64;
            side.iter().map(|measured| (measured - mean).powi(2)).sum::<f64>()
        })
        .sum();
    FitReport {
        model: model.name(),
        map: table.map(),
        devices: found.devices,
        steps: [steps.count(), steps.left_out],
        bounds_seen: steps.bounds.seen,
        noise_scales_with_step: found.law == Law::Step,
        residual_std: (squares / n).sqrt(),
        r_squared: 1.0 - squares / total,
        log_likelihood: found.log_likelihood,
        aic: 2.0 * found.count as f64 - 2.0 * found.log_likelihood,
        residual_lag_1: lag_1(&residuals),
        parameters: found.parameters,
        notes: found.notes,
        residuals,
    }
}

fn residuals(steps: &Steps, fitted: &[Vec<(f64, f64)>; 2]) -> Vec<Residual> {
    let mut all = Vec::with_capacity(steps.count());
    for side in [0, 1] {
        let sign = sign(side);
        let runs = steps.runs[side].iter().enumerate();
        let rows = runs.flat_map(|(device, run)| run.steps.iter().map(move |step| (device, step)));
        for ((device, step), &(fitted, std)) in rows.zip(&fitted[side]) {
            all.push(Residual {
                device,
                pulse: step.pulse,
                up: side == 0,
                weight: sign * step.x,
                measured: sign * step.dx,
                fitted: sign * fitted,
                standardised: sign * (step.dx - fitted) / std,
            });
        }
    }
    all.sort_by_key(|residual| (residual.device, residual.pulse));
    all
}

fn lag_1(residuals: &[Residual]) -> f64 {
    let neighbours =
        residuals.windows(2).filter(|r| r[0].device == r[1].device && r[0].pulse + 1 == r[1].pulse);
    let (mut product, mut square) = (0.0, 0.0);
    for pair in neighbours {
        product += pair[0].standardised * pair[1].standardised;
        square += 0.5 * (pair[0].standardised.powi(2) + pair[1].standardised.powi(2));
    }
    if square > 0.0 { product / square } else { 0.0 }
}
