//! Where up and down steps cancel, and where random pulses therefore lead.

use super::{ROUNDOFF, UNIFORM, array, constant, pulse_all, pulse_randomly, set_all};
use aimc_device::RngKey;
use aimc_device::pulsed::Direction::{Down, Up};
use aimc_testkit::assert_close;
use aimc_testkit::stats::{Kurtosis, expect_mean, expect_std};

/// Constants of one noise-free soft-bounds device in double precision.
struct Device {
    up: f64,
    down: f64,
    /// Relative steps a⁺/b⁺ and a⁻/|b⁻|.
    p: f64,
    q: f64,
}

const LOPSIDED: &str = "dw_min = 0.04\nup_down = 0.4\nw_max = 0.6\nw_min = -0.9\n";

impl Device {
    fn lopsided() -> Self {
        let array = array("SoftBounds", &format!("{UNIFORM}{LOPSIDED}"), (1, 1), 1);
        let take = |name| f64::from(constant(array.as_ref(), name)[0]);
        let (up, down) = (take("dwmin_up"), take("dwmin_down"));
        Self { up, down, p: up / take("max_bound"), q: down / -take("min_bound") }
    }

    /// SP = (a⁺ - a⁻)/(a⁺/b⁺ + a⁻/|b⁻|).
    fn symmetry_point(&self) -> f64 {
        (self.up - self.down) / (self.p + self.q)
    }

    /// Mean and mean square of the weight after one more pulse of random sign.
    fn advance(&self, (mean, square): (f64, f64)) -> (f64, f64) {
        let (p, q) = (1.0 - self.p, 1.0 - self.q);
        let next = |shrink: f64, step: f64| {
            (shrink * mean + step, shrink * shrink * square + 2.0 * shrink * step * mean + step * step)
        };
        let (up, down) = (next(p, self.up), next(q, -self.down));
        (0.5 * (up.0 + down.0), 0.5 * (up.1 + down.1))
    }
}

/// The weights of 20000 equal devices after `n` pulses of random sign from `w0`.
fn random_walk(w0: f32, n: u64) -> Vec<f32> {
    let mut array = array("SoftBounds", &format!("{UNIFORM}{LOPSIDED}"), (100, 200), 1);
    set_all(array.as_mut(), w0);
    (0..n).for_each(|i| pulse_randomly(array.as_mut(), RngKey::root(2).fold_in(i)));
    array.persistent_weights().to_vec()
}

/// At SP = (a⁺-a⁻)/(a⁺/b⁺+a⁻/|b⁻|) an up and a down pulse are equally large, for every device of a spread
/// population; the weight is rounded at SP, after the pulse and in 5 operations of the step.
#[test]
fn steps_cancel_at_the_symmetry_point() {
    let mut array = array("SoftBounds", "dw_min_std = 0\nup_down_dtod = 0.2\nw_max = 0.8", (20, 50), 3);
    let take = |name| constant(array.as_ref(), name);
    let (up, down, high, low) = (take("dwmin_up"), take("dwmin_down"), take("max_bound"), take("min_bound"));
    let points: Vec<f32> = (0..up.len())
        .map(|i| {
            let (a, b, high, low) =
                (f64::from(up[i]), f64::from(down[i]), f64::from(high[i]), f64::from(low[i]));
            ((a - b) / (a / high - b / low)) as f32
        })
        .collect();
    let mut steps = [Up, Down].map(|direction| {
        array.set_weights(&points, RngKey::root(1));
        pulse_all(array.as_mut(), direction, RngKey::root(1));
        let after = array.persistent_weights().iter().zip(&points);
        after.map(|(w, sp)| f64::from(*w) - f64::from(*sp)).collect::<Vec<_>>()
    });
    let down_steps = std::mem::take(&mut steps[1]);
    for (i, (step_up, step_down)) in steps[0].iter().zip(down_steps).enumerate() {
        let range = f64::from(points[i].abs() + up[i] + down[i]);
        assert_close!(*step_up, -step_down, 7.0 * 2.0 * ROUNDOFF * range);
    }
}

/// Random pulses: m ← m(1 - ½(p+q)) + ½(a⁺ - a⁻), and the second moment of the same mixture, at any time.
#[test]
fn mean_and_variance_follow_the_recursion_at_all_times() {
    let device = Device::lopsided();
    for (w0, n) in [(0.5_f32, 1), (0.5, 7), (-0.8, 30), (0.0, 200)] {
        let start = f64::from(w0);
        let (mean, square) = (0..n).fold((start, start * start), |moments, _| device.advance(moments));
        let std = (square - mean * mean).sqrt();
        let weights = random_walk(w0, n);
        expect_mean(&weights, mean, std);
        // One pulse leads to two values (kurtosis 1), which the sample's own fourth moment knows too.
        expect_std(&weights, std, Kurtosis::Sample);
    }
}

/// After many pulses: mean SP and variance Δ²/(1 - ½[(1-p)²+(1-q)²]), Δ = a⁺(1 - SP/b⁺).
#[test]
fn random_pulses_lead_to_the_symmetry_point() {
    let device = Device::lopsided();
    let sp = device.symmetry_point();
    let step = device.up - device.p * sp;
    let shrink = 0.5 * ((1.0 - device.p).powi(2) + (1.0 - device.q).powi(2));
    let std = step / (1.0 - shrink).sqrt();
    // After 400 pulses the distance of the start has shrunk by (1 - ½(p+q))⁴⁰⁰ < 1e-8.
    assert!((1.0 - 0.5 * (device.p + device.q)).powi(400) < 1e-8);
    let weights = random_walk(-0.5, 400);
    expect_mean(&weights, sp, std);
    expect_std(&weights, std, Kurtosis::Sample);
}

/// Equal steps: SP = 0 for any bounds.
#[test]
fn symmetric_steps_have_their_symmetry_point_at_zero() {
    let entries =
        format!("{UNIFORM}w_max = 0.3\nw_min = -0.9\nw_max_dtod = 0.2").replacen("w_max_dtod = 0\n", "", 1);
    let mut array = array("SoftBounds", &entries, (4, 8), 1);
    set_all(array.as_mut(), 0.0);
    pulse_all(array.as_mut(), Up, RngKey::root(1));
    let up = array.persistent_weights().to_vec();
    set_all(array.as_mut(), 0.0);
    pulse_all(array.as_mut(), Down, RngKey::root(1));
    assert!(up.iter().zip(array.persistent_weights()).all(|(up, down)| *up == -down && *up > 0.0));
}

/// ConstantStep has no symmetry point: random pulses are a free walk of variance n·a² about n·½(a⁺-a⁻).
#[test]
fn constant_steps_walk_freely() {
    let entries = format!("{UNIFORM}dw_min = 0.001\nw_max = 1\nw_min = -1");
    let mut array = array("ConstantStep", &entries, (100, 200), 1);
    (0..100).for_each(|i| pulse_randomly(array.as_mut(), RngKey::root(2).fold_in(i)));
    expect_mean(array.persistent_weights(), 0.0, 0.01);
    // Kurtosis of a sum of 100 signs: 3 - 2/100.
    expect_std(array.persistent_weights(), 0.01, Kurtosis::Known(2.98));
}
