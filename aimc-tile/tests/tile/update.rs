//! Statistics of the pulsed update: binomial coincidences, their covariances, and the change of weights.

use super::keys;
use aimc_device::RngKey;
use aimc_device::config;
use aimc_testkit::stats::{FALSE_ALARM, Kurtosis, Moments, assert_p, expect_mean, expect_std, mean_test};
use aimc_tile::pulse::management::TrainPlan;
use aimc_tile::{AnalogTile, ReadOut, Shape, Tile, TileConfig, UpdateConfig};
use nalgebra::DMatrix;

const G: f32 = 0.001;
const X: [f32; 3] = [0.9, -0.5, 0.2];
const D: [f32; 2] = [0.8, -0.3];
/// k = lr·max|x|·max|d|/G = 10.8: BL management chooses 11 slots.
const LR: f32 = 0.015;
const TRIALS: usize = 20_000;

fn tile(device: &str, update: &UpdateConfig) -> AnalogTile {
    let text = format!("[device]\nmodel = \"ConstantStep\"\ncount_pulses = true\ndw_min = {G:?}\n{device}");
    let config = TileConfig { update: update.clone(), ..config::from_toml(&text).unwrap() };
    config.build(Shape { outputs: 2, inputs: 3 }, RngKey::root(1)).unwrap()
}

fn once(tile: &mut AnalogTile, lr: f32, seed: u64) {
    let (x, d) = (DMatrix::from_column_slice(3, 1, &X), DMatrix::from_column_slice(2, 1, &D));
    tile.update(x.as_view(), d.as_view(), lr, keys(seed)).unwrap();
}

/// Pulses received so far by device `i`, up and down.
fn counts(tile: &AnalogTile) -> Vec<(u64, u64)> {
    let (up, down) = tile.devices()[0].pulse_counts().unwrap();
    up.iter().copied().zip(down.iter().copied()).collect()
}

/// Pulses of each device in each of many updates.
fn pulse_numbers(update: &UpdateConfig) -> Vec<Vec<f64>> {
    let mut tile = tile("", update);
    let mut numbers = vec![Vec::new(); 6];
    let mut before = counts(&tile);
    for trial in 0..TRIALS {
        once(&mut tile, LR, trial as u64);
        let after = counts(&tile);
        for (numbers, (after, before)) in numbers.iter_mut().zip(after.iter().zip(&before)) {
            numbers.push((after.0 + after.1 - before.0 - before.1) as f64);
        }
        before = after;
    }
    numbers
}

/// Train length and the pulse probabilities of x and d lines.
fn probabilities(update: &UpdateConfig) -> (f64, Vec<f64>, Vec<f64>) {
    let plan = TrainPlan::new(update, LR, G, 0.9, 0.8).unwrap();
    let line = |values: &[f32], scale: f64| values.iter().map(|v| f64::from(v.abs()) * scale).collect();
    (f64::from(plan.length), line(&X, plan.x_scale), line(&D, plan.d_scale))
}

fn managements() -> Vec<UpdateConfig> {
    let with = |um, blm, desired_bl| UpdateConfig {
        update_management: um,
        update_bl_management: blm,
        desired_bl,
        ..UpdateConfig::default()
    };
    vec![
        with(true, true, 31),
        with(true, false, 31),
        with(false, false, 31),
        with(false, true, 16),
        with(true, false, 100),
    ]
}

/// E[n] = BL·π = lr·|x·d|/G whatever the management, Var[n] = BL·π(1-π): n is binomial.
#[test]
fn coincidences_are_binomial() {
    for update in managements() {
        let (slots, px, pd) = probabilities(&update);
        for (device, numbers) in pulse_numbers(&update).iter().enumerate() {
            let (i, j) = (device / 3, device % 3);
            let p = px[j] * pd[i];
            let variance = slots * p * (1.0 - p);
            let mean = f64::from(LR) * f64::from(X[j].abs()) * f64::from(D[i].abs()) / f64::from(G);
            expect_mean(numbers, mean, variance.sqrt());
            let kurtosis = 3.0 + (1.0 - 6.0 * p * (1.0 - p)) / variance;
            expect_std(numbers, variance.sqrt(), Kurtosis::Known(kurtosis));
        }
    }
}

/// Cov(nᵢⱼ, nᵢₖ) = BL·pxⱼ·pxₖ·pdᵢ(1 - pdᵢ) within a row, likewise within a column, 0 otherwise.
#[test]
fn devices_on_a_line_share_its_pulses() {
    let update = UpdateConfig::default();
    let (slots, px, pd) = probabilities(&update);
    let numbers = pulse_numbers(&update);
    let expect_covariance = |a: usize, b: usize, covariance: f64| {
        let mean = |device: usize| slots * px[device % 3] * pd[device / 3];
        let products: Vec<f64> =
            numbers[a].iter().zip(&numbers[b]).map(|(x, y)| (x - mean(a)) * (y - mean(b))).collect();
        assert_p(mean_test(&products, covariance, Moments::of(&products).std()), FALSE_ALARM);
    };
    for (row, pd) in pd.iter().enumerate() {
        let own = pd * (1.0 - pd);
        for (j, k) in [(0, 1), (0, 2), (1, 2)] {
            expect_covariance(3 * row + j, 3 * row + k, slots * px[j] * px[k] * own);
        }
    }
    for (column, px) in px.iter().enumerate() {
        expect_covariance(column, 3 + column, slots * pd[0] * pd[1] * px * (1.0 - px));
    }
    expect_covariance(0, 4, 0.0);
    expect_covariance(2, 3, 0.0);
}

/// E[ΔW] = -lr·x·d·a/G and Var = a²(Var[n] + σc²·E[n]), with each device's own a and noise σc = 0.3.
#[test]
fn weights_change_by_the_mean_and_variance_of_their_pulses() {
    let update = UpdateConfig::default();
    let mut tile = tile("dw_min_std = 0.3\nup_down_dtod = 0.2", &update);
    let steps = |name| {
        let found = tile.devices()[0].constants().into_iter().find(|(known, _)| *known == name);
        found.unwrap().1
    };
    let (up, down) = (steps("dwmin_up"), steps("dwmin_down"));
    let (slots, px, pd) = probabilities(&update);
    let zero = DMatrix::zeros(2, 3);
    let mut changes = vec![Vec::new(); 6];
    for trial in 0..TRIALS {
        tile.set_weights(&zero, RngKey::root(0)).unwrap();
        once(&mut tile, LR, trial as u64);
        let weights = tile.weights();
        (0..6).for_each(|i| changes[i].push(weights[(i / 3, i % 3)]));
    }
    for (device, changes) in changes.iter().enumerate() {
        let (x, d) = (X[device % 3], D[device / 3]);
        let (sign, a) = if x * d > 0.0 { (-1.0, down[device]) } else { (1.0, up[device]) };
        let (p, a) = (px[device % 3] * pd[device / 3], f64::from(a));
        let std = a * (slots * p * (1.0 - p) + 0.09 * slots * p).sqrt();
        let mean = sign * f64::from(LR) * f64::from((x * d).abs()) * a / f64::from(G);
        expect_mean(changes, mean, std);
        expect_std(changes, std, Kurtosis::Sample);
    }
}

/// Positive x·d gives down pulses only, negative x·d up pulses only.
#[test]
fn pulses_have_the_sign_of_descent() {
    let mut tile = tile("", &UpdateConfig::default());
    (0..200).for_each(|trial| once(&mut tile, LR, trial));
    for (device, (up, down)) in counts(&tile).into_iter().enumerate() {
        let positive = X[device % 3] * D[device / 3] > 0.0;
        assert!(if positive { up == 0 && down > 0 } else { up > 0 && down == 0 }, "{device}");
    }
}

/// Successive samples of a batch are pulsed one after another: E[n] adds up, each with its own scales.
#[test]
fn a_batch_is_a_sequence_of_samples() {
    let mut tile = tile("", &UpdateConfig::default());
    let scales = |j: usize| 1.0 / (1.0 + (j % 4) as f32);
    let x = DMatrix::from_fn(3, TRIALS, |i, j| X[i] * scales(j));
    let d = DMatrix::from_fn(2, TRIALS, |i, _| D[i]);
    tile.update(x.as_view(), d.as_view(), LR, keys(5)).unwrap();
    for (device, (up, down)) in counts(&tile).into_iter().enumerate() {
        let (mut mean, mut variance) = (0.0, 0.0);
        for j in 0..4 {
            let plan = TrainPlan::new(&UpdateConfig::default(), LR, G, 0.9 * scales(j), 0.8).unwrap();
            let px = f64::from(X[device % 3].abs() * scales(j)) * plan.x_scale;
            let p = px * f64::from(D[device / 3].abs()) * plan.d_scale;
            mean += 0.25 * f64::from(plan.length) * p;
            variance += 0.25 * f64::from(plan.length) * p * (1.0 - p);
        }
        let average = (up + down) as f64 / TRIALS as f64;
        // One draw of the average: its standard error is √(variance/TRIALS), normal for 20000 samples.
        expect_mean(&[average], mean, (variance / TRIALS as f64).sqrt());
    }
}
