//! The mean step of single devices: models of which every device has its own copy of all parameters.
//!
//! In mirrored weights x every pulse pushes upwards, so that one formula serves both directions.

use super::solve::{Curve, Unknown};
use super::steps::Run;

/// A model by the mean step of one device in one direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Form {
    /// a(1 - x/b), parameters a, b.
    Soft,
    /// a(1 - γx/ω), parameters a, γ.
    Linear {
        /// Weight at which γ is reached.
        omega: f64,
    },
    /// m((b - x)/(b - x₀))^γ, b = top + R·exp(β), parameters m, γ, β: b stays above every weight seen, and m,
    /// the step at the mean weight x₀, is known better than the step at the far bound.
    Power,
}

/// A form and the steps of one device.
#[derive(Clone, Debug)]
pub(crate) struct SingleCurve {
    form: Form,
    xs: Vec<f64>,
    dx: Vec<f64>,
    /// Mean, largest and extent of the weights before pulses.
    pub(crate) middle: f64,
    pub(crate) top: f64,
    pub(crate) extent: f64,
}

impl SingleCurve {
    pub(crate) fn new(form: Form, run: &Run) -> Self {
        let xs: Vec<f64> = run.steps.iter().map(|step| step.x).collect();
        let top = xs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let bottom = xs.iter().copied().fold(f64::INFINITY, f64::min);
        let middle = xs.iter().sum::<f64>() / xs.len() as f64;
        let dx = run.steps.iter().map(|step| step.dx).collect();
        Self { form, xs, dx, middle, top, extent: top - bottom }
    }

    /// Intercept and slope of the straight line through the steps.
    fn line(&self) -> (f64, f64) {
        let n = self.xs.len() as f64;
        let mean = self.dx.iter().sum::<f64>() / n;
        let pairs = || self.xs.iter().zip(&self.dx).map(|(x, y)| (x - self.middle, y - mean));
        let slope = pairs().map(|(x, y)| x * y).sum::<f64>() / pairs().map(|(x, _)| x * x).sum::<f64>();
        (mean - slope * self.middle, slope)
    }

    /// What is to be found; otherwise why there is nothing to find.
    pub(crate) fn unknowns(&self) -> Result<Vec<Unknown>, &'static str> {
        let (intercept, slope) = self.line();
        if !slope.is_finite() {
            return Err("all steps begin at the same weight");
        }
        let zero = if slope < 0.0 { -intercept / slope } else { f64::INFINITY };
        let size = self.dx.iter().map(|dx| dx.abs()).sum::<f64>() / self.dx.len() as f64;
        match self.form {
            Form::Linear { omega } => {
                let gamma = if intercept == 0.0 { 0.0 } else { -slope * omega / intercept };
                Ok(vec![Unknown::free(intercept, size), Unknown::free(gamma, 1.0)])
            }
            Form::Soft if slope < 0.0 => {
                let bound = zero.max(1e-3 * self.extent);
                let low = Some(1e-6 * self.extent);
                let bound = Unknown { low, ..Unknown::free(bound, self.extent) };
                Ok(vec![Unknown::free(-slope * bound.start, size), bound])
            }
            Form::Soft => Err("they do not shrink towards a bound"),
            Form::Power => {
                let above = (zero.min(self.top + self.extent) - self.top).max(0.02 * self.extent);
                let m = (intercept + slope * self.middle).max(f64::MIN_POSITIVE);
                let exponent = Unknown { low: Some(0.0), high: Some(50.0), ..Unknown::free(1.0, 1.0) };
                let beta = Unknown::free((above / self.extent).ln(), 1.0);
                Ok(vec![
                    Unknown { low: Some(0.0), ..Unknown::free(m, size) },
                    exponent,
                    Unknown { low: Some(-30.0), high: Some(5.0), ..beta },
                ])
            }
        }
    }

    /// Upper bound b of the power form.
    pub(crate) fn bound(&self, beta: f64) -> f64 {
        self.top + self.extent * beta.exp()
    }

    /// Mean step.
    fn value(&self, p: &[f64], x: f64) -> f64 {
        match self.form {
            Form::Soft => p[0] * (1.0 - x / p[1]),
            Form::Linear { omega } => p[0] * (1.0 - p[1] * x / omega),
            Form::Power => {
                let bound = self.bound(p[2]);
                p[0] * ((bound - x) / (bound - self.middle)).powf(p[1])
            }
        }
    }
}

impl Curve for SingleCurve {
    fn measured(&self) -> &[f64] {
        &self.dx
    }

    fn fitted(&self, parameters: &[f64], _weights: &[f64], out: &mut [f64]) {
        for (out, x) in out.iter_mut().zip(&self.xs) {
            *out = self.value(parameters, *x);
        }
    }
}
