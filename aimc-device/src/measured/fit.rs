//! From a table to a device record: which model, and how its numbers become the fields of the record.

use serde_json::{Map, Value, json};

use super::pool::{self, Pair, Sample, noise_estimate};
use super::report::{DeviceReport, Estimate, FitReport};
use super::separate::{self, Numbers, Separate};
use super::shared::{self, Shape, SharedFit};
use super::solve::{Law, Solution};
use super::steps::Steps;
use super::summary;
use super::{MeasuredError, Measurements};
use crate::config;
use crate::pulsed::PulsedDeviceConfig;

/// Most nodes of a fitted table; fewer where steps are few.
const NODES: usize = 9;

/// A model that can be fitted, see the record of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// Step interpolated between nodes.
    PiecewiseStep,
    /// Step that changes linearly.
    LinearStep,
    /// Step that vanishes linearly at the bound.
    SoftBounds,
    /// Step that saturates exponentially.
    ExpStep,
    /// Power of the distance to the bound.
    PowStep,
    /// The measured mean and noise at nodes, as they are.
    TableStep,
}

impl Model {
    /// All models.
    pub const ALL: [Self; 6] = [
        Self::PiecewiseStep,
        Self::LinearStep,
        Self::SoftBounds,
        Self::ExpStep,
        Self::PowStep,
        Self::TableStep,
    ];

    /// Name of the record.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PiecewiseStep => "PiecewiseStep",
            Self::LinearStep => "LinearStep",
            Self::SoftBounds => "SoftBounds",
            Self::ExpStep => "ExpStep",
            Self::PowStep => "PowStep",
            Self::TableStep => "TableStep",
        }
    }
}

/// A fitted device.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The record, valid and ready to build.
    pub config: PulsedDeviceConfig,
    /// Where its numbers come from.
    pub report: FitReport,
}

/// Fits a model to all devices of a table.
pub fn fit(table: &Measurements, model: Model) -> Result<Fit, MeasuredError> {
    let steps = Steps::of(table)?;
    let found = match model {
        Model::SoftBounds => separately(&steps, Separate::SoftBounds, true, model),
        Model::LinearStep => separately(&steps, Separate::LinearStep, true, model),
        Model::PowStep => separately(&steps, Separate::PowStep, false, model),
        Model::ExpStep => together(&steps, Shape::Exponential, Law::Step, model),
        Model::PiecewiseStep => {
            together(&steps, Shape::Table(shared::node_count(&steps, NODES)), Law::Step, model)
        }
        Model::TableStep => {
            together(&steps, Shape::Table(shared::node_count(&steps, NODES)), Law::Constant, model)
        }
    }?;
    let refuse = |source| MeasuredError::Refused { model: model.name(), source };
    let config: PulsedDeviceConfig = config::decode(record(&found, model)).map_err(refuse)?;
    config.validate().map_err(refuse)?;
    Ok(Fit { config, report: summary::report(table, &steps, model, found) })
}

/// What a fit found, before it is told to anybody.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) law: Law,
    pub(crate) parameters: Vec<Estimate>,
    /// Fields without uncertainty.
    fixed: Map<String, Value>,
    pub(crate) devices: Vec<DeviceReport>,
    pub(crate) notes: Vec<String>,
    /// Up and down: fitted step and expected std, device after device.
    pub(crate) fitted: [Vec<(f64, f64)>; 2],
    pub(crate) log_likelihood: f64,
    /// Number of fitted numbers.
    pub(crate) count: usize,
}

fn rows<'a>(solutions: impl IntoIterator<Item = &'a Solution>) -> Vec<(f64, f64)> {
    let pairs = solutions.into_iter().flat_map(|solution| solution.fitted.iter().zip(&solution.std));
    pairs.map(|(fitted, std)| (*fitted, *std)).collect()
}

fn total(solutions: &[Vec<Solution>; 2]) -> f64 {
    solutions.iter().flatten().map(|solution| solution.log_likelihood).sum()
}

/// Models of which every device has its own copy; of two laws of noise the likelier wins.
fn separately(steps: &Steps, kind: Separate, both_laws: bool, model: Model) -> Result<Found, MeasuredError> {
    let under = |law| separate::fit(steps, kind, law, model.name()).map(|found| (law, found));
    let mut best = under(Law::Step);
    if both_laws {
        best = match (best, under(Law::Constant)) {
            (Ok(one), Ok(other)) => Ok(if total(&other.1.1) > total(&one.1.1) { other } else { one }),
            (one, other) => one.or(other),
        };
    }
    let (law, (numbers, solutions)) = best?;
    let steps_pair = pool::pair(&numbers, 0);
    let mut parameters = steps_of(&steps_pair);
    parameters.push(noise(law, &solutions, &numbers));
    let mut fixed = Map::new();
    if kind != Separate::PowStep {
        fixed.insert("mult_noise".into(), json!(law == Law::Step));
    }
    let mut notes = own_fields(kind, steps, &numbers, &mut parameters, &mut fixed);
    notes.extend(single(steps));
    let blocks = || solutions.iter().flatten();
    Ok(Found {
        law,
        parameters,
        fixed,
        devices: summary::separate_devices(kind, steps, &numbers),
        notes,
        fitted: [rows(&solutions[0]), rows(&solutions[1])],
        log_likelihood: total(&solutions),
        count: blocks().map(|solution| solution.parameters.len() + 1).sum(),
    })
}

/// The fields of a model besides steps and noise; returns notes.
fn own_fields(
    kind: Separate,
    steps: &Steps,
    numbers: &[Numbers],
    parameters: &mut Vec<Estimate>,
    fixed: &mut Map<String, Value>,
) -> Vec<String> {
    let second = pool::pair(numbers, 1);
    if kind == Separate::LinearStep {
        let notes = seen_bounds(steps, parameters);
        let mut increasing = false;
        for (sample, name) in [(&second.up, "gamma_up"), (&second.down, "gamma_down")] {
            let (mean, spread) =
                (sample.mean_estimate(name), sample.spread_estimate(format!("{name}_dtod"), 1.0));
            increasing |= mean.value < 3.0 * spread.value;
            parameters.extend([mean, spread]);
        }
        // Without it, gammas below 0 would be folded.
        fixed.insert("allow_increasing".into(), json!(increasing));
        return notes;
    }
    parameters.extend(bound_estimates("w_max", &second.up, 1.0));
    parameters.extend(bound_estimates("w_min", &second.down, -1.0));
    if kind == Separate::PowStep {
        let exponents = pool::pair(numbers, 2);
        let names = ["pow_gamma", "pow_up_down", "pow_gamma_dtod", "pow_up_down_dtod"];
        parameters.extend(exponents.fabrication(names));
    }
    Vec::new()
}

/// Models with a common shape.
fn together(steps: &Steps, shape: Shape, law: Law, model: Model) -> Result<Found, MeasuredError> {
    let sides =
        [shared::fit(steps, 0, shape, law, model.name())?, shared::fit(steps, 1, shape, law, model.name())?];
    let sample = |side: &SharedFit| Sample {
        values: side.scales.iter().map(|scale| scale.0).collect(),
        errors: side.scales.iter().map(|scale| scale.1).collect(),
        common: side.common_variance,
        freedom: side.solution.freedom,
    };
    let pair =
        Pair { up: sample(&sides[0]), down: sample(&sides[1]), covariance: vec![0.0; steps.names.len()] };
    let mut parameters = steps_of(&pair);
    let mut notes = seen_bounds(steps, &mut parameters);
    notes.extend(single(steps));
    let mut fixed = Map::new();
    if model == Model::TableStep {
        parameters.push(Estimate::exact("dw_min_std", 1.0));
    } else {
        let solutions = [vec![sides[0].solution.clone()], vec![sides[1].solution.clone()]];
        parameters.push(noise(law, &solutions, &[]));
    }
    match shape {
        Shape::Exponential => exponential_fields(steps, &sides, &mut parameters, &mut fixed),
        Shape::Table(_) => notes.extend(table_fields(steps, &sides, model, &mut parameters, &mut fixed)),
    }
    let solutions = || sides.iter().map(|side| &side.solution);
    Ok(Found {
        law,
        parameters,
        fixed,
        devices: summary::shared_devices(steps, &pair),
        notes,
        fitted: [rows([&sides[0].solution]), rows([&sides[1].solution])],
        log_likelihood: solutions().map(|solution| solution.log_likelihood).sum(),
        count: solutions().map(|solution| solution.parameters.len() + steps.names.len() + 1).sum(),
    })
}

/// a = R/2 and b = 0 make z the weight (of a device with mean bounds): only four of the six are independent.
fn exponential_fields(
    steps: &Steps,
    sides: &[SharedFit; 2],
    parameters: &mut Vec<Estimate>,
    fixed: &mut Map<String, Value>,
) {
    for (side, names) in sides.iter().zip([["A_up", "gamma_up"], ["A_down", "gamma_down"]]) {
        let Solution { parameters: found, covariance, freedom, .. } = &side.solution;
        for (i, name) in names.into_iter().enumerate() {
            parameters.push(pool::with_error(name, found[i], covariance[i][i].sqrt(), *freedom));
        }
    }
    fixed.insert("a".into(), json!(0.5 * (steps.bounds.mean(0) + steps.bounds.mean(1))));
    fixed.insert("b".into(), json!(0.0));
}

/// The nodes, in the order of weights; the noise at nodes for a table device.
fn table_fields(
    steps: &Steps,
    sides: &[SharedFit; 2],
    model: Model,
    parameters: &mut Vec<Estimate>,
    fixed: &mut Map<String, Value>,
) -> Vec<String> {
    let mut notes = Vec::new();
    for (index, name) in ["up", "down"].into_iter().enumerate() {
        let side = &sides[index];
        let mut nodes = side.nodes.clone();
        let mut noise = summary::node_noise(steps, index, side);
        if index == 1 {
            nodes.reverse();
            noise.reverse();
        }
        let prefix = if model == Model::TableStep { "step" } else { "piecewise" };
        let mut values = Vec::new();
        for (i, (value, variance)) in nodes.into_iter().enumerate() {
            let field = format!("{prefix}_{name}[{i}]");
            if value < 0.0 {
                notes.push(format!("{field} = {value:.3e} was set to 0: steps do not run backwards"));
            }
            parameters.push(pool::with_error(field, value, variance.sqrt(), side.solution.freedom));
            values.push(value.max(0.0));
        }
        fixed.insert(format!("{prefix}_{name}"), json!(values));
        if model == Model::TableStep {
            fixed.insert(format!("std_{name}"), json!(noise));
        }
    }
    notes
}

fn steps_of(pair: &Pair) -> Vec<Estimate> {
    pair.fabrication(["dw_min", "up_down", "dw_min_dtod", "up_down_dtod"]).into()
}

/// dw_min_std from all fits, relative to steps: the fitted ones, or for constant noise those at w = 0.
///
/// A relative variance v of these steps adds v to the variance of ln σ_c and 3v to the mean of σ_c², to first
/// order. Fits with weights 1/(σ_cΔ) make the mean of Δw/Δ over n steps 1, hence v = σ_c²/n for them.
fn noise(law: Law, solutions: &[Vec<Solution>; 2], numbers: &[Numbers]) -> Estimate {
    let total: f64 = solutions.iter().flatten().map(|solution| solution.freedom).sum();
    let (mut square, mut variance) = (0.0, 0.5 / total);
    for (side, solutions) in solutions.iter().enumerate() {
        for (device, Solution { sigma, freedom, fitted, .. }) in solutions.iter().enumerate() {
            let share = freedom / total;
            let (unit, error) = match law {
                Law::Step => (1.0, sigma * sigma / fitted.len() as f64),
                Law::Constant => {
                    let Numbers { values, covariance, .. } = &numbers[device];
                    (values[side], covariance[side][side] / values[side].powi(2))
                }
            };
            square += share * (sigma / unit).powi(2) / (1.0 + 3.0 * error);
            variance += share * share * error;
        }
    }
    noise_estimate("dw_min_std", square.sqrt(), 0.5 / variance)
}

fn bound_estimates(name: &str, mirrored: &Sample, sign: f64) -> [Estimate; 2] {
    let values = mirrored.values.iter().map(|value| sign * value).collect();
    let sample = Sample { values, ..mirrored.clone() };
    let unit = sample.mean();
    [sample.mean_estimate(name), sample.spread_estimate(format!("{name}_dtod"), unit)]
}

/// Bounds as the table shows them.
fn seen_bounds(steps: &Steps, parameters: &mut Vec<Estimate>) -> Vec<String> {
    let mut notes = Vec::new();
    for (side, (name, sign)) in [("w_max", 1.0), ("w_min", -1.0)].into_iter().enumerate() {
        let tops = &steps.bounds.tops[side];
        if steps.bounds.seen[side] && tops.len() > 1 {
            let errors = vec![0.0; tops.len()];
            let sample = Sample { values: tops.clone(), errors, common: 0.0, freedom: f64::INFINITY };
            parameters.extend(bound_estimates(name, &sample, sign));
            continue;
        }
        parameters.push(Estimate::exact(name, sign * steps.bounds.mean(side)));
        parameters.push(Estimate::exact(format!("{name}_dtod"), 0.0));
        if !steps.bounds.seen[side] {
            notes.push(format!("{name} is the extreme of the table: not all devices rested at a bound"));
        }
    }
    notes
}

fn single(steps: &Steps) -> Option<String> {
    let one = steps.names.len() == 1;
    one.then(|| "one device shows no spread from device to device: all *_dtod are 0".to_owned())
}

/// The record as a tree.
fn record(found: &Found, model: Model) -> Value {
    let mut tree = Map::new();
    tree.insert("model".into(), json!(model.name()));
    // Nodes are told one by one, but belong to the record as a list.
    for estimate in found.parameters.iter().filter(|estimate| !estimate.name.contains('[')) {
        tree.insert(estimate.name.clone(), json!(estimate.value));
    }
    tree.extend(found.fixed.clone());
    Value::Object(tree)
}
