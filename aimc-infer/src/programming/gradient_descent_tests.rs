//! Tests of gradient-descent programming.

use super::*;
use crate::config::InferenceTileConfig;
use crate::converter::{ConverterConfig, SingleDevice};
use crate::program::ProgrammedTile;
use crate::program::tests::{example, perfect};
use crate::programming::{Programming, ProgrammingReport};
use aimc_testkit::assert_close;

use aimc_device::config;
use aimc_device::pulsed::PulsedDeviceConfig;
use aimc_tile::{IoConfig, MatVec};

/// Spread of the step size from device to device.
const SPREAD: f64 = 0.1;

/// A device of `states` steps without noise.
fn device(states: u32) -> PulsedDeviceConfig {
    let text = format!(
        "model = \"ConstantStep\"\ndw_min = {}\ndw_min_std = 0.0\ndw_min_dtod = {SPREAD}\nup_down = 0.0\n\
         up_down_dtod = 0.0\nw_max = 0.5\nw_min = -0.5\nw_max_dtod = 0.0\nw_min_dtod = 0.0",
        1.0 / f64::from(states)
    );
    config::from_toml(&text).unwrap()
}

/// Ends anywhere within ± 4 % of g_max: one train of pulses is meant to hit, and misses by the spread of the steps.
fn coarse_start(states: u32) -> WriteVerify {
    WriteVerify {
        device: device(states),
        acceptance: 0.04,
        read_noise: 0.0,
        pulses_per_read: 1 << 20,
        max_pulses: 1 << 20,
    }
}

fn tile(programming: Programming, forward: IoConfig) -> InferenceTileConfig {
    let converter = ConverterConfig::SingleDevice(SingleDevice { g_min: 2.0 });
    InferenceTileConfig { programming, forward, converter, ..perfect() }
}

fn report(config: &InferenceTileConfig, weights: &DMatrix<f32>) -> ProgrammingReport {
    *ProgrammedTile::program(weights, config, RngKey::root(4)).unwrap().report()
}

/// One iteration changes the squared error by (1 - η)² + η²(p - 1/5)/B: the mean of Ĝ is the error, its variance
/// (Σe² - e²/5)/B, as x is uniform (mean square 1/3, mean fourth power 1/5). What a device makes of Ĝ spreads by δ = 0.1, which
/// multiplies the second moment of Ĝ by 1 + δ². Steps are so small that their rounding does not count. The tolerance of 10 % is
/// for the inputs, which all rows share, and for 6400 errors.
#[test]
fn an_iteration_shrinks_the_error_as_it_should() {
    let weights = example(100, 64);
    let start = coarse_start(1 << 14);
    let before = report(&tile(Programming::WriteVerify(start.clone()), IoConfig::perfect()), &weights);
    for (learning_rate, batch_size) in [(0.3, 128), (0.6, 64), (0.1, 16)] {
        let procedure = GradientDescent {
            start: start.clone(),
            iterations: 1,
            batch_size,
            learning_rate,
            max_pulses_per_iteration: 1 << 20,
        };
        let after = report(&tile(Programming::GradientDescent(procedure), IoConfig::perfect()), &weights);
        let (rate, b) = (f64::from(learning_rate), batch_size as f64);
        let variance = (64.0 - 0.2) / b;
        let expected = (1.0 - rate).powi(2) + rate * rate * (variance + SPREAD * SPREAD * (1.0 + variance));
        let found = (after.weight_error.rms / before.weight_error.rms).powi(2);
        assert_close!(found / expected, 1.0, 0.1, "{learning_rate} {batch_size}");
    }
}

/// Many iterations end near the resolution of the devices: single pulses of Δg are the least that can be given.
#[test]
fn descent_ends_near_the_step_of_the_devices() {
    let weights = example(20, 30);
    let procedure =
        GradientDescent { start: coarse_start(4096), iterations: 60, ..GradientDescent::default() };
    let after = report(&tile(Programming::GradientDescent(procedure.clone()), IoConfig::perfect()), &weights);
    let before = report(&tile(Programming::WriteVerify(procedure.start), IoConfig::perfect()), &weights);
    assert!(after.weight_error.rms < 0.2 * before.weight_error.rms, "{before:?} {after:?}");
    assert_eq!(after.effort.products, 60 * 256);
}

/// IR drop takes from every product what lies along the wires; device-by-device verification does not see it, products do.
#[test]
fn errors_of_circuits_are_compensated_too() {
    let forward = IoConfig {
        is_perfect: false,
        inp_res: -1.0,
        out_res: -1.0,
        out_noise: 0.0,
        out_bound: 1000.0,
        ir_drop: 3.0,
        ..IoConfig::default()
    };
    let weights = example(16, 40).map(f32::abs);
    let start = WriteVerify { acceptance: 0.002, ..coarse_start(2048) };
    let procedure = GradientDescent { start: start.clone(), iterations: 40, ..GradientDescent::default() };
    let error = |programming| {
        let config = InferenceTileConfig {
            device: aimc_device::programmed::ProgrammedDeviceConfig::PcmLike(
                aimc_device::programmed::PcmLike {
                    read_noise_scale: 0.0,
                    drift_scale: 0.0,
                    ..Default::default()
                },
            ),
            compensation: crate::Compensation::None,
            ..tile(programming, forward.clone())
        };
        let programmed = ProgrammedTile::program(&weights, &config, RngKey::root(4)).unwrap();
        let read = programmed.at(0.0, RngKey::root(5)).unwrap();
        let mut draws = RngKey::root(6).stream(0);
        let x = DMatrix::from_fn(40, 200, |_, _| 2.0 * draws.uniform() - 1.0);
        let mut y = DMatrix::zeros(16, 200);
        read.forward(x.as_view(), y.as_view_mut(), SampleKeys::new(RngKey::root(7))).unwrap();
        let exact = &weights * &x;
        (y - &exact).norm() / exact.norm()
    };
    let (verified, descended) =
        (error(Programming::WriteVerify(start)), error(Programming::GradientDescent(procedure)));
    assert!(descended < 0.7 * verified, "{verified} {descended}");
}

/// Draws are addressed: bits on one thread = bits on several.
#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let procedure = GradientDescent { iterations: 4, ..GradientDescent::default() };
    let config = tile(Programming::GradientDescent(procedure), IoConfig::default());
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let tile = ProgrammedTile::program(&example(40, 50), &config, RngKey::root(4)).unwrap();
            (tile.slices().to_vec(), *tile.report())
        })
    };
    assert_eq!(run(1), run(2));
}

#[test]
fn procedures_that_make_no_sense_are_refused() {
    let field = |change: fn(&mut GradientDescent)| {
        let mut procedure = GradientDescent::default();
        change(&mut procedure);
        procedure.validate().unwrap_err().field
    };
    assert_eq!(field(|p| p.start.acceptance = -1.0), "start.acceptance");
    assert_eq!(field(|p| p.iterations = 0), "iterations");
    assert_eq!(field(|p| p.batch_size = 0), "batch_size");
    assert_eq!(field(|p| p.learning_rate = f32::INFINITY), "learning_rate");
    assert_eq!(field(|p| p.max_pulses_per_iteration = 0), "max_pulses_per_iteration");
}
