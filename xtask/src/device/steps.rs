//! Step size against weight: what one pulse does to the mean device, and how much that scatters.

use aimc_device::pulsed::Direction;
use aimc_device::{ConfigError, RngKey};

use super::mean_device::MeanDevice;
use super::symmetry::Symmetry;
use crate::csv::Columns;
use crate::plot::{Axis, LineChart, Mark, Series, SeriesStyle};

/// Weights along the curves.
const POINTS: usize = 101;

/// Sizes of up and down steps along the weight, both counted positive in their own direction.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StepCurves {
    weight: Vec<f64>,
    up: Curve,
    down: Curve,
}

#[derive(Clone, Debug, PartialEq)]
struct Curve {
    step: Vec<f64>,
    std: Vec<f64>,
}

/// Measures both curves of the mean device.
pub(crate) fn measure(device: &MeanDevice, key: RngKey) -> Result<StepCurves, ConfigError> {
    let weights: Vec<f32> = (0..POINTS).map(|i| device.at(i as f64 / (POINTS - 1) as f64)).collect();
    // Adding 0 turns -0 into 0.
    let curve = |direction, sign: f64| {
        let step = device.steps(&weights, direction)?.into_iter().map(|step| sign * step + 0.0).collect();
        Ok(Curve { step, std: device.spreads(&weights, direction, key)? })
    };
    Ok(StepCurves {
        up: curve(Direction::Up, 1.0)?,
        down: curve(Direction::Down, -1.0)?,
        weight: weights.into_iter().map(f64::from).collect(),
    })
}

impl Curve {
    fn is_noisy(&self) -> bool {
        self.std.iter().any(|&std| std > 0.0)
    }

    fn band(&self) -> impl Iterator<Item = (f64, f64)> {
        self.step.iter().zip(&self.std).map(|(step, std)| (step - std, step + std))
    }
}

impl StepCurves {
    /// Whether pulses scatter at all.
    pub(crate) fn is_noisy(&self) -> bool {
        self.up.is_noisy() || self.down.is_noisy()
    }

    /// Whether noise is larger than every step, so that lines vanish beside their bands.
    pub(crate) fn is_drowned(&self) -> bool {
        let most = |values: &[f64]| values.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
        most(&self.up.std).max(most(&self.down.std)) > most(&self.up.step).max(most(&self.down.step))
    }

    /// The same steps without their noise.
    pub(crate) fn without_noise(&self) -> Self {
        let quiet = |curve: &Curve| Curve { std: vec![0.0; curve.std.len()], ..curve.clone() };
        Self { weight: self.weight.clone(), up: quiet(&self.up), down: quiet(&self.down) }
    }

    /// The numbers behind the chart.
    pub(crate) fn columns(&self) -> Columns {
        let mut columns = Columns::new();
        columns.add("weight (normalised)", self.weight.iter().copied());
        for (name, curve) in [("up", &self.up), ("down", &self.down)] {
            columns
                .add(format!("{name} step (normalised)"), curve.step.iter().copied())
                .add(format!("cycle-to-cycle std of {name} step (normalised)"), curve.std.iter().copied());
        }
        columns
    }

    /// The curves as a chart, with the symmetry points marked.
    pub(crate) fn chart(&self, title: &str, symmetry: &Symmetry) -> LineChart {
        let mut chart = LineChart::new(
            title,
            Axis::linear("weight", "normalised"),
            Axis::linear("step size", "normalised").including(0.0, 0.0),
        );
        for (name, curve) in [("up pulse", &self.up), ("down pulse", &self.down)] {
            let noisy = curve.is_noisy();
            chart.series.push(Series {
                name: format!("{name}{}", if noisy { ", band: ± 1 std cycle to cycle" } else { "" }),
                points: self.weight.iter().copied().zip(curve.step.iter().copied()).collect(),
                band: noisy.then(|| curve.band().collect()),
                style: SeriesStyle::Solid,
            });
        }
        if let Symmetry::Points(points) = symmetry {
            chart.marks = points.iter().map(|point| Mark::new(point.weight, "up = down")).collect();
        }
        chart
    }
}
