//! Least squares of a curve to steps: one weighted fit by `rmpfit` (MINPACK's Levenberg-Marquardt), repeated
//! until the weights agree with the noise law.

use rmpfit::{MPFitter, MPPar, MPResult, MPSide, MPSuccess};

/// A mean step to be fitted.
pub(crate) trait Curve {
    /// Measured steps.
    fn measured(&self) -> &[f64];

    /// Mean steps for these parameters; `weights` matter where a curve solves for parts of itself.
    fn fitted(&self, parameters: &[f64], weights: &[f64], out: &mut [f64]);

    /// Numbers that the curve finds besides its parameters.
    fn hidden(&self) -> usize {
        0
    }
}

/// How noise depends on the mean step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Law {
    /// Std σ_c times the mean step.
    Step,
    /// The same std everywhere.
    Constant,
}

/// A curve with weights that agree with its noise.
#[derive(Clone, Debug)]
pub(crate) struct Solution {
    pub(crate) parameters: Vec<f64>,
    /// Row by row, scaled with the noise.
    pub(crate) covariance: Vec<Vec<f64>>,
    pub(crate) fitted: Vec<f64>,
    /// Expected std of every step.
    pub(crate) std: Vec<f64>,
    /// σ_c of the law: relative to the step, or absolute.
    pub(crate) sigma: f64,
    /// Steps minus fitted numbers.
    pub(crate) freedom: f64,
    pub(crate) log_likelihood: f64,
}

/// A parameter to be found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Unknown {
    /// Where the search begins.
    pub(crate) start: f64,
    /// A typical size, by which differences are taken where the parameter is near 0.
    pub(crate) scale: f64,
    pub(crate) low: Option<f64>,
    pub(crate) high: Option<f64>,
}

impl Unknown {
    /// Any number.
    pub(crate) fn free(start: f64, scale: f64) -> Self {
        Self { start, scale, low: None, high: None }
    }
}

const ROUNDS: usize = 40;

/// Fits with weights from the noise law; `None` where no minimum is found.
pub(crate) fn reweighted(curve: &dyn Curve, unknowns: &[Unknown], law: Law, tau: f64) -> Option<Solution> {
    let measured = curve.measured();
    let freedom = measured.len() as f64 - (unknowns.len() + curve.hidden()) as f64;
    if freedom < 1.0 {
        return None;
    }
    let mut std = vec![1.0; measured.len()];
    let mut parameters: Vec<f64> = unknowns.iter().map(|unknown| unknown.start).collect();
    let mut done: Option<Solution> = None;
    for _ in 0..ROUNDS {
        let covariance = once(curve, &mut parameters, unknowns, &std)?;
        let mut fitted = vec![0.0; measured.len()];
        curve.fitted(&parameters, &inverse(&std), &mut fitted);
        let squares: Vec<f64> = measured.iter().zip(&fitted).map(|(m, f)| (m - f).powi(2)).collect();
        let chi2: f64 = squares.iter().zip(&std).map(|(r, s)| r / (s * s)).sum();
        let scale = chi2 / freedom;
        let covariance: Vec<Vec<f64>> =
            covariance.iter().map(|row| row.iter().map(|c| c * scale).collect()).collect();
        let sigma = noise(&squares, &fitted, law, tau, freedom);
        std = fitted.iter().map(|f| expected(sigma, law, *f, tau)).collect();
        let log_likelihood = likelihood(&squares, &std);
        let settled = done.as_ref().is_some_and(|last| unchanged(&last.parameters, &parameters, &covariance));
        let parameters = parameters.clone();
        done = Some(Solution {
            parameters,
            covariance,
            fitted,
            std: std.clone(),
            sigma,
            freedom,
            log_likelihood,
        });
        if settled {
            break;
        }
    }
    done.filter(|solution| {
        let numbers = solution.parameters.iter().chain(solution.covariance.iter().flatten());
        numbers.chain([&solution.log_likelihood]).all(|number| number.is_finite())
    })
}

fn inverse(std: &[f64]) -> Vec<f64> {
    std.iter().map(|s| 1.0 / s).collect()
}

fn expected(sigma: f64, law: Law, fitted: f64, tau: f64) -> f64 {
    let scale = if law == Law::Step { fitted } else { 1.0 };
    (sigma * scale).hypot(tau)
}

/// σ_c such that the squared residuals are as large as expected: Σ r²/(σ²s² + τ²) = degrees of freedom.
fn noise(squares: &[f64], fitted: &[f64], law: Law, tau: f64, freedom: f64) -> f64 {
    let excess = |sigma: f64| {
        let terms = squares.iter().zip(fitted).map(|(r, f)| r / expected(sigma, law, *f, tau).powi(2));
        terms.sum::<f64>() - freedom
    };
    // The sum falls with σ: bracket by doubling, then halve the bracket on the logarithmic scale.
    let largest = squares.iter().fold(0.0_f64, |a, &b| a.max(b)).sqrt();
    let mut high = largest.max(f64::MIN_POSITIVE.sqrt());
    while excess(high) > 0.0 && high < 1e100 {
        high *= 2.0;
    }
    let mut low = high * 1e-12;
    if excess(low) <= 0.0 {
        return 0.0;
    }
    for _ in 0..60 {
        let middle = (low * high).sqrt();
        if excess(middle) > 0.0 { low = middle } else { high = middle }
    }
    high
}

fn likelihood(squares: &[f64], std: &[f64]) -> f64 {
    let terms = squares.iter().zip(std).map(|(r, s)| r / (s * s) + (std::f64::consts::TAU * s * s).ln());
    -0.5 * terms.sum::<f64>()
}

/// Whether no parameter moved by more than a thousandth of its standard error.
fn unchanged(before: &[f64], after: &[f64], covariance: &[Vec<f64>]) -> bool {
    let pairs = before.iter().zip(after).enumerate();
    pairs.into_iter().all(|(i, (a, b))| (a - b).abs() <= 1e-3 * covariance[i][i].sqrt())
}

/// One fit with given weights; returns the covariance for a noise of 1 std.
fn once(
    curve: &dyn Curve,
    parameters: &mut [f64],
    unknowns: &[Unknown],
    std: &[f64],
) -> Option<Vec<Vec<f64>>> {
    // Two-sided differences err least over the cube root of the rounding.
    let parts = unknowns.iter().zip(&*parameters).map(|(unknown, now)| MPPar {
        limited_low: unknown.low.is_some(),
        limit_low: unknown.low.unwrap_or(0.0),
        limited_up: unknown.high.is_some(),
        limit_up: unknown.high.unwrap_or(0.0),
        step: f64::EPSILON.cbrt() * now.abs().max(unknown.scale),
        side: MPSide::Both,
        ..MPPar::new()
    });
    let weights = inverse(std);
    let mut problem = Problem { curve, weights, parts: parts.collect() };
    let n = parameters.len();
    let status = problem.mpfit(parameters).ok()?;
    let stopped = matches!(status.success, MPSuccess::NotDone | MPSuccess::MaxIter);
    // A parameter at its limit has no standard error.
    let determined = (0..n).all(|i| status.covar[i * n + i] > 0.0);
    (!stopped && determined).then(|| status.covar.chunks(n).map(<[f64]>::to_vec).collect())
}

struct Problem<'a> {
    curve: &'a dyn Curve,
    weights: Vec<f64>,
    parts: Vec<MPPar>,
}

impl MPFitter for Problem<'_> {
    fn eval(&mut self, parameters: &[f64], deviates: &mut [f64]) -> MPResult<()> {
        self.curve.fitted(parameters, &self.weights, deviates);
        for ((deviate, measured), weight) in deviates.iter_mut().zip(self.curve.measured()).zip(&self.weights)
        {
            *deviate = (measured - *deviate) * weight;
        }
        Ok(())
    }

    fn number_of_points(&self) -> usize {
        self.weights.len()
    }

    fn parameters(&self) -> &[MPPar] {
        &self.parts
    }
}
