//! Soft-bounds, linear and power devices: one fit per device and direction, then the numbers of the device.

use super::MeasuredError;
use super::curve::{Form, SingleCurve};
use super::solve::{Law, Solution, reweighted};
use super::steps::{SIDES, Steps};

/// What is known about one device: pairs (up, down) of its constants, in mirrored weights.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    /// a⁺, a⁻, then further pairs.
    pub(crate) values: Vec<f64>,
    pub(crate) covariance: Vec<Vec<f64>>,
    /// Degrees of freedom behind the covariance.
    pub(crate) freedom: f64,
}

/// The model in general: which form, and what its pairs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Separate {
    SoftBounds,
    LinearStep,
    PowStep,
}

/// Numbers of every device, and the fits of both sides (up, down) behind them.
pub(crate) type SeparateFit = (Vec<Numbers>, [Vec<Solution>; 2]);

/// Fits all devices under one law of noise.
pub(crate) fn fit(
    steps: &Steps,
    kind: Separate,
    law: Law,
    model: &'static str,
) -> Result<SeparateFit, MeasuredError> {
    let mut numbers = Vec::new();
    let mut solutions = [Vec::new(), Vec::new()];
    for device in 0..steps.names.len() {
        let mut curves = Vec::new();
        for side in [0, 1] {
            let form = match kind {
                Separate::SoftBounds => Form::Soft,
                Separate::LinearStep => Form::Linear { omega: steps.bounds.mean(side) },
                Separate::PowStep => Form::Power,
            };
            let curve = SingleCurve::new(form, &steps.runs[side][device]);
            let refuse = |reason| MeasuredError::NoFit {
                model,
                what: format!("device {:?}", steps.names[device]),
                direction: SIDES[side],
                reason,
            };
            let unknowns = curve.unknowns().map_err(refuse)?;
            let solution = reweighted(&curve, &unknowns, law, steps.tau)
                .ok_or_else(|| refuse("the steps do not determine the parameters"))?;
            solutions[side].push(solution);
            curves.push(curve);
        }
        let pair = [&solutions[0][device], &solutions[1][device]];
        numbers.push(combine(kind, pair, [&curves[0], &curves[1]]));
    }
    Ok((numbers, solutions))
}

/// The constants of the device from the parameters of both sides; errors carried on linearly.
fn combine(kind: Separate, sides: [&Solution; 2], curves: [&SingleCurve; 2]) -> Numbers {
    let raw: Vec<f64> = sides.iter().flat_map(|side| side.parameters.iter().copied()).collect();
    let half = raw.len() / 2;
    let covariance: Vec<Vec<f64>> = (0..raw.len())
        .map(|i| {
            let entry = |j: usize| {
                let same_side = i / half == j / half;
                if same_side { sides[i / half].covariance[i % half][j % half] } else { 0.0 }
            };
            (0..raw.len()).map(entry).collect()
        })
        .collect();
    let natural = |raw: &[f64]| constants(kind, raw, curves);
    let values = natural(&raw);
    let freedom = sides[0].freedom.min(sides[1].freedom);
    Numbers { covariance: carried(&natural, &raw, &covariance), values, freedom }
}

/// Pairs of constants from the parameters of up and down fits.
fn constants(kind: Separate, raw: &[f64], curves: [&SingleCurve; 2]) -> Vec<f64> {
    let (up, down) = raw.split_at(raw.len() / 2);
    match kind {
        Separate::SoftBounds | Separate::LinearStep => vec![up[0], down[0], up[1], down[1]],
        Separate::PowStep => {
            let bounds = [curves[0].bound(up[2]), curves[1].bound(down[2])];
            let range = bounds[0] + bounds[1];
            // The step at the far bound: m(R/(b - x₀))^γ.
            let step =
                |p: &[f64], side: usize| p[0] * (range / (bounds[side] - curves[side].middle)).powf(p[1]);
            vec![step(up, 0), step(down, 1), bounds[0], bounds[1], up[1], down[1]]
        }
    }
}

/// J C Jᵀ, with the derivatives J of `function` by central differences over a hundredth of a standard error.
pub(crate) fn carried(
    function: &dyn Fn(&[f64]) -> Vec<f64>,
    at: &[f64],
    covariance: &[Vec<f64>],
) -> Vec<Vec<f64>> {
    let columns: Vec<Vec<f64>> = (0..at.len())
        .map(|i| {
            let step = (0.01 * covariance[i][i].sqrt()).max(1e-8 * at[i].abs()).max(f64::MIN_POSITIVE);
            let shifted = |by: f64| {
                let mut point = at.to_vec();
                point[i] += by;
                function(&point)
            };
            let (plus, minus) = (shifted(step), shifted(-step));
            plus.iter().zip(minus).map(|(p, m)| (p - m) / (2.0 * step)).collect()
        })
        .collect();
    let outputs = columns.first().map_or(0, Vec::len);
    let entry = |a: usize, b: usize| {
        let terms = (0..at.len()).flat_map(|i| (0..at.len()).map(move |j| (i, j)));
        terms.map(|(i, j)| columns[i][a] * covariance[i][j] * columns[j][b]).sum::<f64>()
    };
    (0..outputs).map(|a| (0..outputs).map(|b| entry(a, b)).collect()).collect()
}
