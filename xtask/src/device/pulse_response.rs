//! What pulses do to the devices: up to the bound and down again, for a whole population.

use aimc_device::pulsed::{DeviceArray, Direction, PulsedDeviceConfig};
use aimc_device::rng::label;
use aimc_device::{ConfigError, RngKey};
use serde::Serialize;

use crate::csv::Columns;
use crate::plot::{Axis, LineChart, Mark, Series, SeriesStyle};
use aimc_infer::quantile::quantile;

/// Points along the response.
const POINTS: usize = 80;
/// Single devices that are shown beside the statistics.
const SHOWN: usize = 3;

/// Weights of the population along the pulses.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Response {
    /// Devices in the population.
    devices: usize,
    /// Up pulses, then as many down pulses.
    pulses_each_way: usize,
    /// Mean step over weight range, (w_max - w_min)/dw_min.
    states: f32,
    /// Pulses given so far.
    pulse: Vec<usize>,
    mean: Vec<f64>,
    quantile_05: Vec<f64>,
    quantile_95: Vec<f64>,
    /// Weights of the first few devices.
    examples: Vec<Vec<f32>>,
}

/// Gives a population `pulses` up pulses and as many down; 0 means as many as take the mean device across its
/// range.
pub(crate) fn measure(
    device: &PulsedDeviceConfig,
    devices: usize,
    pulses: usize,
    key: RngKey,
) -> Result<Response, ConfigError> {
    let states = device.common().n_states(device.granularity());
    // From the middle to beyond the bound: a weaker side needs up to twice its share.
    let each_way = if pulses > 0 { pulses } else { (states.ceil() as usize).clamp(1, 100_000) };
    let mut array = device.build(devices, 1, key.fold_in(label("devices")))?;
    let mut response = Response {
        devices,
        pulses_each_way: each_way,
        states,
        pulse: Vec::new(),
        mean: Vec::new(),
        quantile_05: Vec::new(),
        quantile_95: Vec::new(),
        examples: vec![Vec::new(); SHOWN.min(devices)],
    };
    response.record(0, array.weights());
    let mut done = 0;
    for point in 1..=POINTS {
        let until = (2 * each_way * point).div_ceil(POINTS);
        let ups = until.min(each_way).saturating_sub(done);
        let downs = until - done - ups;
        let key = key.fold_in(label("pulses"));
        pulse(array.as_mut(), ups, Direction::Up, key.fold_in(done as u64));
        pulse(array.as_mut(), downs, Direction::Down, key.fold_in((done + ups) as u64));
        done = until;
        response.record(done, array.weights());
    }
    Ok(response)
}

fn pulse(array: &mut dyn DeviceArray, count: usize, direction: Direction, key: RngKey) {
    array.for_each_row(false, &|row, port| {
        let mut draws = key.stream(row as u64);
        (0..count).for_each(|_| port.pulse(&[0], direction, &mut draws));
    });
}

impl Response {
    fn record(&mut self, pulse: usize, weights: &[f32]) {
        let mut sorted: Vec<f64> = weights.iter().map(|&w| f64::from(w)).collect();
        sorted.sort_by(f64::total_cmp);
        self.pulse.push(pulse);
        self.mean.push(sorted.iter().sum::<f64>() / sorted.len() as f64);
        self.quantile_05.push(quantile(&sorted, 0.05));
        self.quantile_95.push(quantile(&sorted, 0.95));
        self.examples.iter_mut().zip(weights).for_each(|(example, w)| example.push(*w));
    }

    /// Number of distinct weights of the mean device.
    pub(crate) fn states(&self) -> f32 {
        self.states
    }

    /// Up pulses given, and down pulses.
    pub(crate) fn pulses_each_way(&self) -> usize {
        self.pulses_each_way
    }

    /// The numbers behind the chart.
    pub(crate) fn columns(&self) -> Columns {
        let mut columns = Columns::new();
        columns
            .add("pulse (number)", self.pulse.iter().map(|&pulse| pulse as f64))
            .add("mean weight (normalised)", self.mean.iter().copied())
            .add("5 % quantile (normalised)", self.quantile_05.iter().copied())
            .add("95 % quantile (normalised)", self.quantile_95.iter().copied());
        for (device, example) in self.examples.iter().enumerate() {
            let header = format!("weight of device {} (normalised)", device + 1);
            columns.add(header, example.iter().map(|&w| f64::from(w)));
        }
        columns
    }

    /// The response as a chart.
    pub(crate) fn chart(&self, title: &str) -> LineChart {
        let x = |y: f64, i: usize| (self.pulse[i] as f64, y);
        let mut chart =
            LineChart::new(title, Axis::linear("pulse", "number"), Axis::linear("weight", "normalised"));
        let points = self.mean.iter().enumerate().map(|(i, &y)| x(y, i)).collect();
        let band = self.quantile_05.iter().copied().zip(self.quantile_95.iter().copied()).collect();
        chart.series.push(Series {
            name: format!("mean of {} devices, band: 5 % to 95 % of them", self.devices),
            points,
            band: Some(band),
            style: SeriesStyle::Solid,
        });
        for (device, example) in self.examples.iter().enumerate() {
            let points = example.iter().enumerate().map(|(i, &y)| x(f64::from(y), i)).collect();
            let name = format!("device {}", device + 1);
            chart.series.push(Series::new(name, points, SeriesStyle::Dashed));
        }
        chart.marks.push(Mark::new(self.pulses_each_way as f64, "up pulses end, down pulses begin"));
        chart
    }
}
