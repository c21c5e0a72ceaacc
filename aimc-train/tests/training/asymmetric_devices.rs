//! A quadratic problem on imperfect devices: gradient descent fails where the algorithms made for them do not.
//!
//! W is to learn W* from noisy errors d = (W - W*)x + 0.5ξ; the loss is the mean square of W - W* over the last quarter
//! of the training. Methods are compared by the logarithm of the ratio of their losses, seed by seed on the same problem and
//! data. Claims hold if the one-sided confidence bound of the mean logarithm at the level 1 - 10⁻³ (Student's t with 11
//! degrees of freedom) confirms them.

use aimc_device::rng::label;
use aimc_device::{RngKey, config};
use aimc_tile::{SampleKeys, Shape};
use aimc_train::TrainingTileConfig;
use nalgebra::DMatrix;
use rayon::prelude::*;

const SEEDS: u64 = 20;
/// Quantile of Student's t with 19 degrees of freedom at 0.999.
const T_QUANTILE: f64 = 3.579;
const SIZE: usize = 5;
const PERFECT: &str = "forward.is_perfect = true\nbackward.is_perfect = true\n";

/// Devices that saturate softly, with up steps 1.5 times as large as down steps: pulses of both signs drive them to a
/// point a good way off 0, which differs from device to device.
const ASYMMETRIC: &str = "model = \"SoftBounds\"\ndw_min = 0.001\nw_max = 0.6\nw_min = -0.6\nup_down = 0.2\n\
                          up_down_dtod = 0.05\n";

/// Loss of one training.
fn loss(text: &str, steps: u64, lr: f32, seed: u64) -> f64 {
    let key = RngKey::root(seed);
    let shape = Shape { outputs: SIZE, inputs: SIZE };
    let config: TrainingTileConfig = config::from_toml(&format!("{PERFECT}{text}")).unwrap();
    let mut tile = config.build(shape, key.fold_in(label("tile"))).unwrap();
    let mut draws = key.fold_in(label("target")).stream(0);
    let target = DMatrix::from_fn(SIZE, SIZE, |_, _| 0.6 * draws.uniform() - 0.3);
    let mut data = key.fold_in(label("data")).stream(0);
    let (mut sum, mut count) = (0.0, 0.0);
    for step in 0..steps {
        let x = DMatrix::from_fn(SIZE, 1, |_, _| data.normal());
        let noise = DMatrix::from_fn(SIZE, 1, |_, _| 0.5 * data.normal());
        let mut y = DMatrix::zeros(SIZE, 1);
        let draws = SampleKeys::new(key.fold_in(label("step"))).skip(step);
        tile.forward(x.as_view(), y.as_view_mut(), draws).unwrap();
        tile.update(x.as_view(), (y - &target * &x + noise).as_view(), lr, draws).unwrap();
        if 4 * step >= 3 * steps {
            sum += f64::from((tile.weights() - &target).norm_squared());
            count += (SIZE * SIZE) as f64;
        }
    }
    sum / count
}

fn losses(text: &str, steps: u64, lr: f32) -> Vec<f64> {
    (0..SEEDS).into_par_iter().map(|seed| loss(text, steps, lr, seed)).collect()
}

/// Mean of ln(a/b), and the half-width of its one-sided confidence interval.
fn log_ratio(a: &[f64], b: &[f64]) -> (f64, f64) {
    let logs: Vec<f64> = a.iter().zip(b).map(|(a, b)| (a / b).ln()).collect();
    let n = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / n;
    let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, T_QUANTILE * (variance / n).sqrt())
}

/// Loss on asymmetric devices against symmetric ones: SGD above 3 times, Tiki-Taka and AGAD below 1, by the error of
/// the mean.
#[test]
fn transfer_algorithms_learn_where_gradient_descent_fails() {
    let symmetric =
        "[device]\nmodel = \"ConstantStep\"\ndw_min = 0.001\nw_max = 0.6\nw_min = -0.6\nup_down_dtod = 0\n";
    // The fast array of Tiki-Taka has to forget towards 0: its devices are read against their symmetry points.
    let tiki_taka = format!(
        "[algorithm]\nmodel = \"TikiTaka\"\ntransfer_every = 2\ntransfer_forward.is_perfect = true\n\
         [[algorithm.devices]]\n{}subtract_symmetry_point = true\n[[algorithm.devices]]\n{ASYMMETRIC}",
        ASYMMETRIC.replace("SoftBounds", "SoftBoundsReference")
    );
    // AGAD finds the offset of its fast array by itself.
    let agad = format!(
        "update.desired_bl = 5\n[algorithm]\nmodel = \"Agad\"\nfast_lr = 1.0\nauto_scale = true\nin_chop_prob = 0.05\n\
         transfer_lr = 2.0\ntransfer_forward.is_perfect = true\n[device]\n{ASYMMETRIC}"
    );
    let reference = losses(symmetric, 10_000, 0.01);
    let failed = losses(&format!("[device]\n{ASYMMETRIC}"), 10_000, 0.01);
    let (ratio, error) = log_ratio(&failed, &reference);
    assert!(ratio - error > 3.0_f64.ln(), "gradient descent loses {ratio} ± {error}");
    for (name, text, steps) in [("Tiki-Taka", tiki_taka, 10_000), ("AGAD", agad, 30_000)] {
        let (ratio, error) = log_ratio(&losses(&text, steps, 0.01), &reference);
        assert!(ratio + error < 0.0, "{name}: {ratio} ± {error}");
    }
}

/// Twenty states of step 0.1: with γ = 0.4 a second array brings steps of 0.04, a third of 0.016.
#[test]
fn residual_learning_refines_what_few_states_can_hold() {
    let device = "[device]\nmodel = \"SoftBounds\"\ndw_min = 0.1\nw_max = 1\nw_min = -1\nup_down_dtod = 0\n";
    let residual = |tiles: usize| {
        let algorithm = "[algorithm]\nmodel = \"ResidualLearning\"\ntransfer_forward.is_perfect = true\n";
        losses(&format!("{algorithm}tiles = {tiles}\n{device}"), 10_000, 0.02)
    };
    let (one, two, three) = (losses(device, 10_000, 0.02), residual(2), residual(3));
    let (ratio, error) = log_ratio(&two, &one);
    assert!(ratio + error < 0.5_f64.ln(), "two arrays against one: {ratio} ± {error}");
    let (ratio, error) = log_ratio(&three, &two);
    assert!(ratio + error < 0.0, "three arrays against two: {ratio} ± {error}");
}
