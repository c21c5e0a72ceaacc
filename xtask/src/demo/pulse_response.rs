//! What pulses do to the devices: up to the bound and down again, for a whole population.

use aimc_device::RngKey;
use aimc_device::pulsed::{DeviceArray, Direction};
use aimc_device::rng::label;
use aimc_tile::TileConfig;
use aimc_tile::UnitCell;
use serde::Serialize;

use super::DemoError;
use super::config::PulseResponse;
use crate::plot::{Axis, LineChart, Mark, Series, SeriesStyle};
use crate::quantile::quantile;

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

/// Pulses a population of the tile's devices; `None` for ideal storage, which has no pulses.
pub(crate) fn measure(
    tile: &TileConfig,
    plan: &PulseResponse,
    key: RngKey,
) -> Result<Option<Response>, DemoError> {
    let UnitCell::Pulsed(device) = &tile.device else { return Ok(None) };
    let states = device.common().n_states(device.granularity());
    // From the middle to beyond the bound: a weaker side needs up to twice its share.
    let each_way = if plan.pulses > 0 { plan.pulses } else { (states.ceil() as usize).clamp(1, 100_000) };
    let mut array = device.build(plan.devices, 1, key.fold_in(label("devices")))?;
    let mut response = Response {
        devices: plan.devices,
        pulses_each_way: each_way,
        states,
        pulse: Vec::new(),
        mean: Vec::new(),
        quantile_05: Vec::new(),
        quantile_95: Vec::new(),
        examples: vec![Vec::new(); SHOWN.min(plan.devices)],
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
    Ok(Some(response))
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
            chart.series.push(Series { name, points, band: None, style: SeriesStyle::Dashed });
        }
        chart.marks.push(Mark::new(self.pulses_each_way as f64, "up pulses end, down pulses begin"));
        chart
    }
}
