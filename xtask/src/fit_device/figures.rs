//! Figures of a fit: steps against weight, residuals, and the response to pulses.

use aimc_device::measured::{Fit, FitReport, MeasuredDevice, Measurements, Residual};
use aimc_device::pulsed::{DeviceArray, PulsedDeviceConfig};
use aimc_device::{ConfigError, RngKey, config};

use crate::plot::{Axis, LineChart, Mark, Series, SeriesStyle};

/// Bins of the weight range.
const BINS: usize = 24;
/// Fewest steps that a bin is shown for.
const FEWEST: usize = 5;
/// Points of a residual plot and of a trajectory.
const POINTS: usize = 700;
/// Devices shown one by one.
const SHOWN: usize = 3;

/// Bins of the weight with the residuals in each, empty bins left out.
fn bins(residuals: &[&Residual]) -> Vec<(f64, Vec<Residual>)> {
    let low = residuals.iter().map(|r| r.weight).fold(f64::INFINITY, f64::min);
    let high = residuals.iter().map(|r| r.weight).fold(f64::NEG_INFINITY, f64::max);
    let width = (high - low) / BINS as f64;
    let mut bins: Vec<Vec<Residual>> = vec![Vec::new(); BINS];
    for residual in residuals {
        let bin = ((residual.weight - low) / width) as usize;
        bins[bin.min(BINS - 1)].push(**residual);
    }
    let centre = |i: usize| low + (i as f64 + 0.5) * width;
    let full = bins.into_iter().enumerate().filter(|(_, bin)| bin.len() >= FEWEST);
    full.map(|(i, bin)| (centre(i), bin)).collect()
}

fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    (mean, (values.map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
}

fn side(report: &FitReport, up: bool) -> Vec<&Residual> {
    report.residuals.iter().filter(|residual| residual.up == up).collect()
}

/// Mean and std of measured steps, and the mean of the fit, along the weight.
pub(crate) fn steps(report: &FitReport) -> LineChart {
    let title = format!("Steps and their fit by {}", report.model);
    let y = Axis::linear("change of one pulse", "weight");
    let mut chart = LineChart::new(title, Axis::linear("weight before the pulse", "normalised"), y);
    for (up, name) in [(true, "up"), (false, "down")] {
        let bins = bins(&side(report, up));
        if bins.is_empty() {
            continue;
        }
        let measured: Vec<(f64, f64, f64)> = bins
            .iter()
            .map(|(x, bin)| {
                let (mean, std) = moments(bin.iter().map(|r| r.measured));
                (*x, mean, std)
            })
            .collect();
        chart.series.push(Series {
            band: Some(measured.iter().map(|(_, mean, std)| (mean - std, mean + std)).collect()),
            ..Series::new(
                format!("{name}, measured (mean, bars: std of a step)"),
                measured.iter().map(|(x, mean, _)| (*x, *mean)).collect(),
                SeriesStyle::Markers,
            )
        });
        let fitted = bins.iter().map(|(x, bin)| (*x, moments(bin.iter().map(|r| r.fitted)).0)).collect();
        chart.series.push(Series::new(format!("{name}, fit"), fitted, SeriesStyle::Dashed));
    }
    chart.references.push(Mark::new(0.0, ""));
    chart
}

/// Standardised residuals along the weight.
pub(crate) fn residuals(report: &FitReport) -> LineChart {
    let title = format!("Residuals of {}", report.model);
    let y = Axis::linear("(measured - fitted)/expected std", "");
    let mut chart = LineChart::new(title, Axis::linear("weight before the pulse", "normalised"), y);
    for (up, name) in [(true, "up"), (false, "down")] {
        let all = side(report, up);
        let stride = all.len().div_ceil(POINTS).max(1);
        let points: Vec<(f64, f64)> =
            all.iter().step_by(stride).map(|r| (r.weight, r.standardised)).collect();
        let shown = if stride > 1 { format!("{name} (one in {stride})") } else { name.to_owned() };
        if !points.is_empty() {
            chart.series.push(Series::new(shown, points, SeriesStyle::Markers));
        }
    }
    chart.references.push(Mark::new(0.0, ""));
    chart
}

/// Measured weights of the first devices, and of the mean device of the record without noise.
pub(crate) fn response(table: &Measurements, fit: &Fit) -> Result<LineChart, ConfigError> {
    let (x, y) = (Axis::linear("pulse", "number"), Axis::linear("weight", "normalised"));
    let mut chart = LineChart::new("Response to the pulses of the measurement", x, y);
    let first = &table.devices()[0];
    let name = format!("mean device of {}, without noise, at the pulses of {}", fit.report.model, first.name);
    chart.series.push(Series::new(name, thinned(simulated(&fit.config, first)?), SeriesStyle::Solid));
    for device in table.devices().iter().take(SHOWN) {
        let points = device.readings.iter().map(|reading| (reading.pulse as f64, reading.weight)).collect();
        chart.series.push(Series::new(
            format!("{}, measured", device.name),
            thinned(points),
            SeriesStyle::Dashed,
        ));
    }
    Ok(chart)
}

fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let stride = points.len().div_ceil(POINTS).max(1);
    points.into_iter().step_by(stride).collect()
}

/// The mean device at the pulses that a device got; it takes over the measured weight wherever pulses are missing.
fn simulated(record: &PulsedDeviceConfig, device: &MeasuredDevice) -> Result<Vec<(f64, f64)>, ConfigError> {
    let mut tree = config::parse_json(&serde_json::to_string(record).unwrap_or_default())?;
    for (name, value) in tree.as_object_mut().into_iter().flatten() {
        if name.ends_with("_dtod") || name == "dw_min_std" {
            *value = 0.0.into();
        }
    }
    let quiet: PulsedDeviceConfig = config::decode(tree)?;
    let key = RngKey::root(0);
    let mut array: Box<dyn DeviceArray> = quiet.build(1, 1, key)?;
    let mut before: Option<u64> = None;
    let mut points = Vec::with_capacity(device.readings.len());
    for reading in &device.readings {
        if before.is_some_and(|pulse| pulse + 1 == reading.pulse) {
            array.for_each_row(false, &|_, port| port.pulse(&[0], reading.direction, &mut key.stream(0)));
        } else {
            array.set_weights(&[reading.weight as f32], key);
        }
        before = Some(reading.pulse);
        points.push((reading.pulse as f64, f64::from(array.weights()[0])));
    }
    Ok(points)
}
