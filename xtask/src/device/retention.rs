//! What time does to a population: decay and diffusion by the mini-batch, drift by a power of time.

use aimc_device::pulsed::{DeviceArray, PulsedDeviceConfig};
use aimc_device::rng::label;
use aimc_device::{ConfigError, RngKey};

use super::mean_device::MeanDevice;
use crate::csv::Columns;
use crate::number::significant;
use crate::plot::{Axis, LineChart, Series, SeriesStyle};
use aimc_infer::quantile::quantile;

/// Starting weights, as shares of the range of the mean device.
const LEVELS: [f64; 3] = [0.75, 0.5, 0.25];
/// Points along time.
const POINTS: usize = 60;
/// Calls of decay per curve; one call may stand for several mini-batches, a small part of the lifetime.
const DECAY_CALLS: f64 = 12_000.0;
/// Calls where there is diffusion, whose calls are single mini-batches.
const DIFFUSION_CALLS: f64 = 24_000.0;
/// Drift is followed for so many powers of ten of time, with so many points each.
const DECADES: usize = 8;
const POINTS_PER_DECADE: usize = 5;

/// Weights of a population along time, for each starting level.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fading {
    /// Mini-batches, or time in units of t_0.
    time: Vec<f64>,
    levels: Vec<Level>,
}

#[derive(Clone, Debug, PartialEq)]
struct Level {
    start: f32,
    mean: Vec<f64>,
    quantile_05: Vec<f64>,
    quantile_95: Vec<f64>,
}

/// Calls of decay and diffusion, and the mini-batches that each stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Plan {
    calls_per_point: usize,
    batches_per_call: f64,
}

impl Plan {
    /// As long as takes the weight three lifetimes down or, without decay, a random walk across a quarter of the
    /// range; with diffusion at most [`DIFFUSION_CALLS`].
    fn of(lifetime: f64, diffusion: f64, range: f64) -> Self {
        let walk = (0.25 * range / diffusion).powi(2);
        let batches = if lifetime > 0.0 { 3.0 * lifetime } else { walk }.max(POINTS as f64);
        let calls = if diffusion > 0.0 { batches.min(DIFFUSION_CALLS) } else { batches.min(DECAY_CALLS) };
        let calls_per_point = (calls / POINTS as f64).ceil().max(1.0);
        let batches_per_call =
            if diffusion > 0.0 { 1.0 } else { (batches / (calls_per_point * POINTS as f64)).max(1.0) };
        Self { calls_per_point: calls_per_point as usize, batches_per_call }
    }
}

/// The population under decay and diffusion; `None` if it has neither.
pub(crate) fn forget(
    device: &PulsedDeviceConfig,
    mean: &MeanDevice,
    devices: usize,
    key: RngKey,
) -> Result<Option<Fading>, ConfigError> {
    let common = device.common();
    let (lifetime, diffusion) = (f64::from(common.lifetime), f64::from(common.diffusion));
    if lifetime <= 0.0 && diffusion <= 0.0 {
        return Ok(None);
    }
    let plan = Plan::of(lifetime, diffusion, f64::from(mean.high) - f64::from(mean.low));
    let per_point = plan.calls_per_point as f64 * plan.batches_per_call;
    let time = (0..=POINTS).map(|point| point as f64 * per_point).collect();
    let advance = |array: &mut dyn DeviceArray, point: usize, key: RngKey| {
        let (decays, diffuses) = (common.lifetime > 0.0, common.diffusion > 0.0);
        for call in 0..plan.calls_per_point {
            let key = key.fold_in((point * plan.calls_per_point + call) as u64);
            // In the order of a tile at the end of a mini-batch.
            if diffuses {
                array.diffuse(key.fold_in(label("diffusion")));
            }
            if decays {
                array.decay(plan.batches_per_call as f32, key.fold_in(label("decay")));
            }
        }
    };
    follow(device, mean, devices, time, &advance, key).map(Some)
}

/// The population under power-law drift; `None` if it does not drift.
pub(crate) fn drift(
    device: &PulsedDeviceConfig,
    mean: &MeanDevice,
    devices: usize,
    key: RngKey,
) -> Result<Option<Fading>, ConfigError> {
    let drift = device.common().drift;
    if !drift.is_on() {
        return Ok(None);
    }
    let steps = DECADES * POINTS_PER_DECADE;
    let time: Vec<f64> = (0..=steps).map(|k| 10_f64.powf(k as f64 / POINTS_PER_DECADE as f64)).collect();
    let times = time.clone();
    let advance = |array: &mut dyn DeviceArray, point: usize, key: RngKey| {
        if point == 0 {
            // Up to t_0 nothing changes: the power law begins there.
            array.drift(drift.t_0, key.fold_in(u64::MAX));
        }
        let elapsed = (times[point + 1] - times[point]) * f64::from(drift.t_0);
        array.drift(elapsed as f32, key.fold_in(point as u64));
    };
    follow(device, mean, devices, time, &advance, key).map(Some)
}

/// Writes each level into the same devices, then lets `advance` lead from every time to the next.
fn follow(
    device: &PulsedDeviceConfig,
    mean: &MeanDevice,
    devices: usize,
    time: Vec<f64>,
    advance: &dyn Fn(&mut dyn DeviceArray, usize, RngKey),
    key: RngKey,
) -> Result<Fading, ConfigError> {
    let mut levels = Vec::with_capacity(LEVELS.len());
    for (index, share) in LEVELS.into_iter().enumerate() {
        let mut array = device.build(1, devices, key.fold_in(label("devices")))?;
        let key = key.fold_in(label("levels")).fold_in(index as u64);
        let mut level = Level::new(mean.at(share));
        array.set_weights(&vec![level.start; devices], key.fold_in(label("write")));
        level.record(array.persistent_weights());
        for point in 1..time.len() {
            advance(array.as_mut(), point - 1, key);
            level.record(array.persistent_weights());
        }
        levels.push(level);
    }
    Ok(Fading { time, levels })
}

impl Level {
    fn new(start: f32) -> Self {
        Self { start, mean: Vec::new(), quantile_05: Vec::new(), quantile_95: Vec::new() }
    }

    fn record(&mut self, weights: &[f32]) {
        let mut sorted: Vec<f64> = weights.iter().map(|&w| f64::from(w)).collect();
        sorted.sort_by(f64::total_cmp);
        self.mean.push(sorted.iter().sum::<f64>() / sorted.len() as f64);
        self.quantile_05.push(quantile(&sorted, 0.05));
        self.quantile_95.push(quantile(&sorted, 0.95));
    }
}

impl Fading {
    /// The numbers behind the chart; `time` names the first column with its unit.
    pub(crate) fn columns(&self, time: &str) -> Columns {
        let mut columns = Columns::new();
        columns.add(time, self.time.iter().copied());
        for level in &self.levels {
            let from = format!("from {} (normalised)", level.start);
            columns
                .add(format!("mean weight {from}"), level.mean.iter().copied())
                .add(format!("5 % quantile {from}"), level.quantile_05.iter().copied())
                .add(format!("95 % quantile {from}"), level.quantile_95.iter().copied());
        }
        columns
    }

    /// The weights as a chart.
    pub(crate) fn chart(&self, title: &str, time: Axis) -> LineChart {
        let mut chart = LineChart::new(title, time, Axis::linear("weight", "normalised"));
        for level in &self.levels {
            let band = level.quantile_05.iter().copied().zip(level.quantile_95.iter().copied());
            chart.series.push(Series {
                name: format!("written as {}", significant(f64::from(level.start), 3)),
                points: self.time.iter().copied().zip(level.mean.iter().copied()).collect(),
                band: Some(band.collect()),
                style: SeriesStyle::Solid,
            });
        }
        chart
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aimc_device::config;

    fn fading(text: &str, what: Fade) -> Option<Fading> {
        let alike =
            "dw_min_dtod = 0\nup_down_dtod = 0\nw_max_dtod = 0\nw_min_dtod = 0\nw_max = 1\nw_min = -1";
        let text = format!("model = \"ConstantStep\"\n{alike}\n{text}");
        let device: PulsedDeviceConfig = config::from_toml(&text).unwrap();
        what(&device, &MeanDevice::of(&device).unwrap(), 400, RngKey::root(1)).unwrap()
    }

    type Fade = fn(&PulsedDeviceConfig, &MeanDevice, usize, RngKey) -> Result<Option<Fading>, ConfigError>;

    /// After n mini-batches the distance to β = 0.1 is (1 - 1/lifetime)ⁿ of what it was.
    #[test]
    fn decay_is_exponential() {
        // The second lifetime takes several mini-batches per call.
        for (lifetime, tolerance) in [(100.0, 2e-5), (16_384.0, 2e-3)] {
            let fading = fading(&format!("lifetime = {lifetime}\nreset = 0.1"), forget).unwrap();
            for level in &fading.levels {
                for (n, mean) in fading.time.iter().zip(&level.mean) {
                    let left: f64 = (1.0_f64 - 1.0 / lifetime).powf(*n);
                    let expected = 0.1 + (f64::from(level.start) - 0.1) * left;
                    assert!((mean - expected).abs() < tolerance, "{lifetime}, {n}: {mean}, {expected}");
                }
            }
            assert!(fading.time[POINTS] >= 3.0 * lifetime);
        }
    }

    /// n mini-batches add the variance nρ²; the walk to a quarter of the range takes (0.5/0.01)² of them.
    #[test]
    fn diffusion_is_a_random_walk() {
        let fading = fading("diffusion = 0.01", forget).unwrap();
        assert!((fading.time[POINTS] - 2500.0).abs() <= POINTS as f64);
        let level = &fading.levels[1];
        let at = 20;
        let std = 0.01 * fading.time[at].sqrt();
        // Quantiles of 400 normal draws, six standard errors: √(0.05·0.95/400)/φ(1.645) = 0.106.
        let spread = level.quantile_95[at] - level.quantile_05[at];
        assert!((spread - 2.0 * 1.645 * std).abs() < 6.0 * 1.5 * 0.106 * std, "{spread}, {std}");
    }

    #[test]
    fn drift_is_a_power_of_time_in_any_unit() {
        for unit in [1.0, 60.0] {
            let fading = fading(&format!("drift.nu = 0.05\ndrift.t_0 = {unit}"), drift).unwrap();
            let level = &fading.levels[0];
            assert_eq!((fading.time[0], level.mean[0]), (1.0, 0.5));
            for (t, mean) in fading.time.iter().zip(&level.mean) {
                assert!((mean - 0.5 * t.powf(-0.05)).abs() < 1e-4, "{unit}, {t}: {mean}");
            }
        }
    }

    #[test]
    fn what_neither_decays_nor_drifts_has_no_curve() {
        assert_eq!(fading("", forget), None);
        assert_eq!(fading("", drift), None);
    }

    #[test]
    fn plans_stay_affordable_and_cover_what_they_promise() {
        let plan = Plan::of(1e6, 0.0, 2.0);
        assert_eq!(plan.calls_per_point, 200);
        assert!(
            (plan.calls_per_point as f64 * plan.batches_per_call * POINTS as f64 / 3e6 - 1.0).abs() < 1e-9
        );
        assert_eq!(Plan::of(1e30, 1e-30, 2.0), Plan { calls_per_point: 400, batches_per_call: 1.0 });
        assert_eq!(Plan::of(0.0, 1e9, 2.0), Plan { calls_per_point: 1, batches_per_call: 1.0 });
        assert_eq!(Plan::of(1.0, 0.0, 0.0), Plan { calls_per_point: 1, batches_per_call: 1.0 });
    }
}
