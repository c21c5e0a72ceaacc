//! From devices to the population: means, spreads and asymmetries, with intervals.
//!
//! The mean over devices has the standard error that their scatter shows (Student's t), which holds whatever
//! the scatter comes from. The spread is the scatter less the mean error of the single devices; its interval
//! is that of a normal sample (chi-squared) less the same.

use statrs::distribution::{ChiSquared, ContinuousCDF, StudentsT};

use super::Estimate;
use super::separate::Numbers;

/// A number of every device and the variance of its error.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) values: Vec<f64>,
    pub(crate) errors: Vec<f64>,
    /// Variance of an error that all devices have in common.
    pub(crate) common: f64,
    /// Degrees of freedom behind the errors; counts where there is one device.
    pub(crate) freedom: f64,
}

impl Sample {
    pub(crate) fn mean(&self) -> f64 {
        self.values.iter().sum::<f64>() / self.values.len() as f64
    }

    fn scatter(&self) -> f64 {
        let mean = self.mean();
        self.values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (self.values.len() as f64 - 1.0)
    }

    /// The mean with its interval.
    pub(crate) fn mean_estimate(&self, name: impl Into<String>) -> Estimate {
        let n = self.values.len() as f64;
        if self.values.len() == 1 {
            return with_error(name, self.values[0], (self.errors[0] + self.common).sqrt(), self.freedom);
        }
        with_error(name, self.mean(), (self.scatter() / n + self.common).sqrt(), n - 1.0)
    }

    /// The std from device to device in the given unit; 0 without interval for a single device.
    pub(crate) fn spread_estimate(&self, name: impl Into<String>, unit: f64) -> Estimate {
        let n = self.values.len() as f64;
        let unit = unit.abs();
        let Some(law) = (n > 1.0).then(|| ChiSquared::new(n - 1.0).ok()).flatten() else {
            return Estimate::exact(name, 0.0);
        };
        let (scatter, error) = (self.scatter(), self.errors.iter().sum::<f64>() / n);
        let without_error = |variance: f64| (variance - error).max(0.0).sqrt() / unit;
        let value = without_error(scatter);
        let edge = |level: f64| without_error(scatter * (n - 1.0) / law.inverse_cdf(level));
        let se = scatter * (2.0 / (n - 1.0)).sqrt() / unit.powi(2);
        Estimate {
            std_error: (value > 0.0).then(|| se / (2.0 * value)),
            interval_95: Some([edge(0.975), edge(0.025)]),
            ..Estimate::exact(name, value)
        }
    }
}

/// A value ± t standard errors.
pub(crate) fn with_error(name: impl Into<String>, value: f64, error: f64, freedom: f64) -> Estimate {
    let t = StudentsT::new(0.0, 1.0, freedom).map_or(f64::INFINITY, |law| law.inverse_cdf(0.975));
    let interval = [value - t * error, value + t * error];
    Estimate { std_error: Some(error), interval_95: Some(interval), ..Estimate::exact(name, value) }
}

/// A noise std with the chi-squared interval of a normal sample.
pub(crate) fn noise_estimate(name: &str, value: f64, freedom: f64) -> Estimate {
    let edge = |level: f64| {
        ChiSquared::new(freedom)
            .ok()
            .map_or(f64::NAN, |law| value * (freedom / law.inverse_cdf(level)).sqrt())
    };
    Estimate {
        std_error: Some(value / (2.0 * freedom).sqrt()),
        interval_95: Some([edge(0.975), edge(0.025)]),
        ..Estimate::exact(name, value)
    }
}

/// Pair number `k` of all devices as two samples.
pub(crate) fn pair(numbers: &[Numbers], k: usize) -> Pair {
    let side = |offset: usize| {
        let i = 2 * k + offset;
        Sample {
            values: numbers.iter().map(|device| device.values[i]).collect(),
            errors: numbers.iter().map(|device| device.covariance[i][i]).collect(),
            common: 0.0,
            freedom: numbers.iter().map(|device| device.freedom).fold(f64::INFINITY, f64::min),
        }
    };
    let covariance = numbers.iter().map(|device| device.covariance[2 * k][2 * k + 1]).collect();
    Pair { up: side(0), down: side(1), covariance }
}

/// A constant that devices have for each direction: steps a±, exponents γ±.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) up: Sample,
    pub(crate) down: Sample,
    pub(crate) covariance: Vec<f64>,
}

impl Pair {
    /// p·up + q·down of every device.
    fn combined(&self, p: f64, q: f64) -> Sample {
        let sum = |(u, d): (&f64, &f64)| p * u + q * d;
        let errors = self.up.errors.iter().zip(&self.down.errors).zip(&self.covariance);
        Sample {
            values: self.up.values.iter().zip(&self.down.values).map(sum).collect(),
            errors: errors.map(|((u, d), c)| p * p * u + q * q * d + 2.0 * p * q * c).collect(),
            common: p * p * self.up.common + q * q * self.down.common,
            freedom: self.up.freedom.min(self.down.freedom),
        }
    }

    /// Mean c, asymmetry u, and their spreads σ and ρ, such that up = c(1 + σξ + ρξ' + min(u, 0)) and
    /// down = c(1 + σξ - ρξ' - max(u, 0)): the law by which devices are fabricated.
    pub(crate) fn fabrication(&self, names: [&str; 4]) -> [Estimate; 4] {
        let (up, down) = (self.up.mean(), self.down.mean());
        let larger = if up >= down { &self.up } else { &self.down };
        let mean = larger.mean();
        // u = 1 - down/up or up/down - 1, to first order in the errors of both.
        let (value, p, q) = if up >= down {
            (1.0 - down / up, down / (up * up), -1.0 / up)
        } else {
            (up / down - 1.0, 1.0 / down, -up / (down * down))
        };
        let linear = self.combined(p, q);
        let shift = value - linear.mean();
        let mut asymmetry = linear.mean_estimate(names[1]);
        asymmetry.value = value;
        asymmetry.interval_95 = asymmetry.interval_95.map(|edges| edges.map(|edge| edge + shift));
        [
            larger.mean_estimate(names[0]),
            asymmetry,
            self.combined(0.5, 0.5).spread_estimate(names[2], mean),
            self.combined(0.5, -0.5).spread_estimate(names[3], mean),
        ]
    }
}
