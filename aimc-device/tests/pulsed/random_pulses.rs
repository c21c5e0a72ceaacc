//! Affine devices under trains of pulses: closed forms of mean, variance and fixed point.

use super::{ROUNDOFF, UNIFORM, array, pulse_all, pulse_randomly, set_all};
use aimc_device::RngKey;
use aimc_device::pulsed::Direction::{Down, Up};
use aimc_testkit::assert_close;
use aimc_testkit::stats::{Kurtosis, expect_mean, expect_std};

/// Up step a - p·w, down step b + q·w.
struct Affine {
    model: &'static str,
    entries: String,
    a: f64,
    b: f64,
    p: f64,
    q: f64,
}

impl Affine {
    /// From the changes of the equation at 0 and 1.
    fn new(model: &'static str, own: &str, up: impl Fn(f64) -> f64, down: impl Fn(f64) -> f64) -> Self {
        let (a, b) = (up(0.0), -down(0.0));
        let means = "dw_min = 0.0078125\nup_down = 0.25\nw_max = 0.75\nw_min = -0.5\n";
        let means = if model == "SoftBoundsPmax" { "" } else { means };
        let entries = format!("{UNIFORM}{means}{own}");
        Self { model, entries, a, b, p: a - up(1.0), q: -down(1.0) - b }
    }

    fn symmetry_point(&self) -> f64 {
        (self.a - self.b) / (self.p + self.q)
    }
}

/// Every affine model, with a⁺ = 2⁻⁷, a⁻ = ¾·2⁻⁷, b⁺ = 0.75 and b⁻ = -0.5.
fn affine_models() -> Vec<Affine> {
    let (a, b) = (1.0 / 128.0, 0.75 / 128.0);
    let full = 1.25 / (1.0 - (-1.25_f64).exp());
    let share = 1.0 - (-1.0 / 128.0_f64).exp();
    let quiet = "gamma_up = 0.5\ngamma_down = 0.75\ngamma_up_dtod = 0\ngamma_down_dtod = 0";
    let soft = (move |w: f64| a * (1.0 - w / 0.75), move |w: f64| -b * (1.0 + w / 0.5));
    vec![
        Affine::new("SoftBounds", "", soft.0, soft.1),
        Affine::new(
            "SoftBoundsPmax",
            "p_max = 160\nalpha = 0.0078125\nrange_min = -0.5\nrange_max = 0.75",
            move |w| share * (full - 0.5 - w),
            move |w| -share * (w - (0.75 - full)),
        ),
        Affine::new(
            "SoftBoundsReference",
            "reference_mean = 0.25",
            move |w| soft.0(w + 0.25),
            move |w| soft.1(w + 0.25),
        ),
        Affine::new("LinearStep", quiet, move |w| a * (1.0 - 0.5 * w / 0.75), move |w| -b * (1.0 + 1.5 * w)),
        Affine::new(
            "PowStep",
            "pow_gamma_dtod = 0",
            move |w| a * (0.75 - w) / 1.25,
            move |w| -b * (w + 0.5) / 1.25,
        ),
    ]
}

/// Alternating pulses: after k pairs w_k - f = ((1-p)(1-q))^k (w0 - f), f = ((1-q)a - b)/(1 - (1-p)(1-q));
/// 20 roundings a pair, whose sum a contraction keeps below k times that.
#[test]
fn alternating_pulses_settle_at_the_fixed_point() {
    for device in affine_models() {
        let shrink = (1.0 - device.p) * (1.0 - device.q);
        let fixed = ((1.0 - device.q) * device.a - device.b) / (1.0 - shrink);
        for (w0, pairs) in [(0.25_f32, 1), (-0.125, 20), (0.375, 400)] {
            let mut array = array(device.model, &device.entries, (1, 1), 1);
            set_all(array.as_mut(), w0);
            for _ in 0..pairs {
                pulse_all(array.as_mut(), Up, RngKey::root(1));
                pulse_all(array.as_mut(), Down, RngKey::root(1));
            }
            let expected = fixed + shrink.powi(pairs) * (f64::from(w0) - fixed);
            let found = f64::from(array.persistent_weights()[0]);
            let slack = 20.0 * ROUNDOFF * f64::from(pairs);
            assert_close!(found, expected, slack, "{}", device.model);
        }
    }
}

/// Random pulses from a start at the symmetry point: the mean stays there; the variance grows to
/// Δ²/(1 - r), Δ = a - p·SP, r = ½[(1-p)² + (1-q)²], and has after n pulses reached its share 1 - rⁿ.
#[test]
fn random_pulses_scatter_about_the_symmetry_point() {
    for device in affine_models() {
        let sp = device.symmetry_point();
        let mut array = array(device.model, &device.entries, (50, 200), 1);
        set_all(array.as_mut(), sp as f32);
        (0..1000).for_each(|n| pulse_randomly(array.as_mut(), RngKey::root(2).fold_in(n)));
        let ratio = 0.5 * ((1.0 - device.p).powi(2) + (1.0 - device.q).powi(2));
        let step = device.a - device.p * sp;
        let std = step * ((1.0 - ratio.powi(1000)) / (1.0 - ratio)).sqrt();
        expect_mean(array.persistent_weights(), sp, std);
        expect_std(array.persistent_weights(), std, Kurtosis::Sample);
    }
}

/// The way there: m_n = SP + (m_0 - SP)(1 - ½(p+q))ⁿ. The spread is below that of the stationary state.
#[test]
fn random_pulses_approach_the_symmetry_point_at_their_rate() {
    for device in affine_models() {
        let sp = device.symmetry_point();
        let mut array = array(device.model, &device.entries, (50, 200), 3);
        set_all(array.as_mut(), -0.125);
        (0..100).for_each(|n| pulse_randomly(array.as_mut(), RngKey::root(4).fold_in(n)));
        let mean = sp + (-0.125 - sp) * (1.0 - 0.5 * (device.p + device.q)).powi(100);
        let weights: Vec<f64> = array.persistent_weights().iter().map(|&w| f64::from(w)).collect();
        let n = weights.len() as f64;
        let std = (weights.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / n).sqrt();
        expect_mean(&weights, mean, std);
    }
}
