//! Exponential and table steps: one shape for all devices, one scale for each.
//!
//! The scales enter linearly, so they are solved for within the fit of the shape (variable projection): the
//! number of fitted parameters does not grow with the number of devices, and the covariance of the shape
//! already allows for the unknown scales.

use super::MeasuredError;
use super::separate::carried;
use super::solve::{Curve, Law, Solution, Unknown, reweighted};
use super::steps::{SIDES, Steps};

/// A shape y of the mean step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// 1 - A·exp(γz), z = x·R̄/R; parameters A, γ.
    Exponential,
    /// Linear between n equidistant nodes from bound to bound, of mean 1; parameters are all nodes but the last.
    Table(usize),
}

/// A shape and the steps of all devices in one direction.
#[derive(Debug)]
struct SharedCurve {
    shape: Shape,
    /// Position of every step in the coordinate of the shape, device after device.
    places: Vec<f64>,
    dx: Vec<f64>,
    /// Index after the last step of each device.
    ends: Vec<usize>,
}

/// The fit of one direction.
#[derive(Clone, Debug)]
pub(crate) struct SharedFit {
    pub(crate) solution: Solution,
    /// Scale of each device and its variance for a known shape.
    pub(crate) scales: Vec<(f64, f64)>,
    /// Variance of the mean scale from that of the shape.
    pub(crate) common_variance: f64,
    /// Values of all nodes (tables), mirrored, with variances.
    pub(crate) nodes: Vec<(f64, f64)>,
    /// Places of all steps.
    pub(crate) places: Vec<f64>,
    pub(crate) ends: Vec<usize>,
}

/// All nodes of a table from its parameters: their mean is 1.
fn nodes(parameters: &[f64]) -> Vec<f64> {
    let last = (parameters.len() + 1) as f64 - parameters.iter().sum::<f64>();
    parameters.iter().copied().chain([last]).collect()
}

impl SharedCurve {
    fn new(steps: &Steps, side: usize, shape: Shape) -> Self {
        let (own, other) = (&steps.bounds.tops[side], &steps.bounds.tops[1 - side]);
        let mean_range = steps.bounds.mean(0) + steps.bounds.mean(1);
        let (mut places, mut dx, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        for (device, run) in steps.runs[side].iter().enumerate() {
            let range = own[device] + other[device];
            for step in &run.steps {
                places.push(match shape {
                    Shape::Exponential => step.x * mean_range / range,
                    Shape::Table(n) => (step.x + other[device]) / range * (n - 1) as f64,
                });
                dx.push(step.dx);
            }
            ends.push(dx.len());
        }
        Self { shape, places, dx, ends }
    }

    fn shapes(&self, p: &[f64]) -> Vec<f64> {
        match self.shape {
            Shape::Exponential => self.places.iter().map(|z| 1.0 - p[0] * (p[1] * z).exp()).collect(),
            Shape::Table(n) => {
                let values = nodes(p);
                let place = |u: &f64| {
                    let (node, t) = cell(*u, n);
                    (1.0 - t) * values[node] + t * values[node + 1]
                };
                self.places.iter().map(place).collect()
            }
        }
    }

    /// Best scale of each device for a shape, and Σ w²y² behind it.
    fn scales(&self, shapes: &[f64], weights: &[f64]) -> Vec<(f64, f64)> {
        let mut from = 0;
        let ends = self.ends.iter().map(|&end| {
            let (mut over, mut under) = (0.0, 0.0);
            for i in from..end {
                let w = weights[i] * weights[i];
                over += w * shapes[i] * self.dx[i];
                under += w * shapes[i] * shapes[i];
            }
            from = end;
            (if under > 0.0 { over / under } else { 0.0 }, under)
        });
        ends.collect()
    }

    fn unknowns(&self) -> Option<Vec<Unknown>> {
        match self.shape {
            Shape::Table(n) => Some(vec![Unknown::free(1.0, 1.0); n - 1]),
            Shape::Exponential => {
                let largest = self.places.iter().fold(0.0_f64, |a, z| a.max(z.abs()));
                let tried = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0].map(|growth| self.linear(growth / largest));
                let best = tried.into_iter().flatten().min_by(|a, b| a.0.total_cmp(&b.0))?;
                let growth = Unknown { low: Some(0.0), ..Unknown::free(best.1[1], 1.0 / largest) };
                Some(vec![Unknown::free(best.1[0], 1.0), growth])
            }
        }
    }

    /// Squared error and parameters of the best exponential shape of given γ.
    fn linear(&self, gamma: f64) -> Option<(f64, Vec<f64>)> {
        let basis: Vec<f64> = self.places.iter().map(|z| (gamma * z).exp()).collect();
        let n = basis.len() as f64;
        let (mean_b, mean_y) = (basis.iter().sum::<f64>() / n, self.dx.iter().sum::<f64>() / n);
        let pairs = || basis.iter().zip(&self.dx).map(|(b, y)| (b - mean_b, y - mean_y));
        let slope = pairs().map(|(b, y)| b * y).sum::<f64>() / pairs().map(|(b, _)| b * b).sum::<f64>();
        let full = mean_y - slope * mean_b;
        let error = pairs().map(|(b, y)| (y - slope * b).powi(2)).sum::<f64>();
        (full > 0.0 && error.is_finite()).then(|| (error, vec![-slope / full, gamma]))
    }
}

/// The node below a place and the way to the next, in 0..=1 within the table.
pub(crate) fn cell(u: f64, n: usize) -> (usize, f64) {
    let node = (u.max(0.0) as usize).min(n - 2);
    (node, (u - node as f64).clamp(0.0, 1.0))
}

impl Curve for SharedCurve {
    fn measured(&self) -> &[f64] {
        &self.dx
    }

    fn fitted(&self, parameters: &[f64], weights: &[f64], out: &mut [f64]) {
        let shapes = self.shapes(parameters);
        let scales = self.scales(&shapes, weights);
        let mut from = 0;
        for (end, (scale, _)) in self.ends.iter().zip(scales) {
            (from..*end).for_each(|i| out[i] = scale * shapes[i]);
            from = *end;
        }
    }

    fn hidden(&self) -> usize {
        self.ends.len()
    }
}

/// Fits one direction of all devices.
pub(crate) fn fit(
    steps: &Steps,
    side: usize,
    shape: Shape,
    law: Law,
    model: &'static str,
) -> Result<SharedFit, MeasuredError> {
    let curve = SharedCurve::new(steps, side, shape);
    let refuse = |reason| MeasuredError::NoFit {
        model,
        what: "the common shape".to_owned(),
        direction: SIDES[side],
        reason,
    };
    let unknowns = curve.unknowns().ok_or_else(|| refuse("they do not shrink towards a bound"))?;
    let solution = reweighted(&curve, &unknowns, law, steps.tau)
        .ok_or_else(|| refuse("the steps do not determine the parameters"))?;
    let weights: Vec<f64> = solution.std.iter().map(|s| 1.0 / s).collect();
    let scales_at = |p: &[f64]| curve.scales(&curve.shapes(p), &weights);
    let scales = scales_at(&solution.parameters).into_iter().map(|(a, under)| (a, 1.0 / under)).collect();
    let mean = |p: &[f64]| {
        let scales = scales_at(p);
        vec![scales.iter().map(|(a, _)| a).sum::<f64>() / scales.len() as f64]
    };
    let common = carried(&mean, &solution.parameters, &solution.covariance);
    let all_nodes = match shape {
        Shape::Exponential => Vec::new(),
        Shape::Table(_) => {
            let variances = carried(&|p| nodes(p), &solution.parameters, &solution.covariance);
            nodes(&solution.parameters).into_iter().enumerate().map(|(i, v)| (v, variances[i][i])).collect()
        }
    };
    let SharedCurve { places, ends, .. } = curve;
    Ok(SharedFit { solution, scales, common_variance: common[0][0], nodes: all_nodes, places, ends })
}

/// Most nodes, at most `wanted`, such that at least [`super::MIN_STEPS`] steps a side fall between any two.
pub(crate) fn node_count(steps: &Steps, wanted: usize) -> usize {
    let enough = |n: &usize| {
        [0, 1].into_iter().all(|side| {
            let curve = SharedCurve::new(steps, side, Shape::Table(*n));
            let mut counts = vec![0; n - 1];
            curve.places.iter().for_each(|u| counts[cell(*u, *n).0] += 1);
            counts.iter().all(|&count| count >= super::MIN_STEPS)
        })
    };
    (3..=wanted.max(3)).rev().find(enough).unwrap_or(2)
}
