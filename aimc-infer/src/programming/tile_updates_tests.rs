//! Tests of programming by updates.

use super::*;
use crate::config::InferenceTileConfig;
use crate::program::ProgrammedTile;
use crate::program::tests::{example, perfect};
use crate::programming::Programming;

use aimc_device::config;
use aimc_tile::Shape;

/// Small steps, no noise: what is reached is limited by the tolerance, not by the device.
fn fine() -> TileUpdates {
    let device = "model = \"ConstantStep\"\ndw_min = 0.0005\ndw_min_std = 0.0\ndw_min_dtod = 0.0\nup_down_dtod = 0.0\n\
         w_max_dtod = 0.0\nw_min_dtod = 0.0";
    TileUpdates {
        device: config::from_toml(device).unwrap(),
        forward: IoConfig::perfect(),
        max_iter: 2000,
        ..TileUpdates::default()
    }
}

fn build(config: &TileUpdates) -> aimc_tile::AnalogTile {
    config.tile().build(Shape { outputs: 4, inputs: 6 }, RngKey::root(1)).unwrap()
}

/// Any inputs that span the space teach the target, again and again: the mean error of the products is below the tolerance.
#[test]
fn own_inputs_and_second_calls_work() {
    let config = fine();
    let mut tile = build(&config);
    let mut draws = RngKey::root(3).stream(0);
    let x = DMatrix::from_fn(6, 12, |_, _| 2.0 * draws.uniform() - 1.0);
    for scale in [0.5, -0.25] {
        let target = example(4, 6) * scale;
        let learned = program_by_updates(&mut tile, &target, &x, &config, RngKey::root(2)).unwrap();
        assert!(learned.converged && learned.error < 0.01, "{learned:?}");
        let wanted = &target * &x;
        let errors = tile.weights() * &x - &wanted;
        let error = errors.map(f32::abs).mean() / wanted.amax();
        assert!(error < 0.01, "{error}");
    }
}

/// Eckart & Young: exact updates with the leading `rank` singular vectors leave the rest of the spectrum, round by round.
#[test]
fn singular_vectors_leave_the_rest_of_the_spectrum() {
    let target = example(9, 7);
    let spectrum = target.singular_values();
    let x = DMatrix::identity(7, 7);
    for (rank, rounds) in [(1, 1), (2, 1), (2, 3), (3, 2), (7, 1), (100, 1)] {
        let config = TileUpdates {
            rank: Some(rank),
            learning_rate: 1.0,
            w_init: 0.0,
            tolerance: 1e-30,
            max_iter: rounds,
            ..TileUpdates::default()
        };
        let mut tile = TileConfig::ideal().build(Shape { outputs: 9, inputs: 7 }, RngKey::root(1)).unwrap();
        program_by_updates(&mut tile, &target, &x, &config, RngKey::root(2)).unwrap();
        let rest: f32 = spectrum.iter().skip(rank * rounds).map(|s| s * s).sum::<f32>().sqrt();
        let found = (tile.weights() - &target).norm();
        // Rounding of f32 in a decomposition and `rounds` sums of norm |W|.
        assert!((found - rest).abs() < 1e-5 * target.norm(), "rank {rank}, {rounds} rounds: {found}, {rest}");
    }
}

/// Pulsed devices learn by few outer products on all lines at once, and any inputs that span the space will do.
#[test]
fn singular_vectors_teach_pulsed_devices() {
    let config = TileUpdates { rank: Some(2), ..fine() };
    let mut draws = RngKey::root(3).stream(0);
    for x in [DMatrix::identity(6, 6), DMatrix::from_fn(6, 12, |_, _| 2.0 * draws.uniform() - 1.0)] {
        let target = example(4, 6) * 0.5;
        let learned = program_by_updates(&mut build(&config), &target, &x, &config, RngKey::root(2)).unwrap();
        assert!(learned.converged && learned.error < 0.01, "{learned:?}");
    }
}

#[test]
fn it_gives_up_when_told() {
    let config = TileUpdates { max_iter: 3, tolerance: 1e-9, ..fine() };
    let x = DMatrix::identity(6, 6);
    let learned =
        program_by_updates(&mut build(&config), &example(4, 6), &x, &config, RngKey::root(2)).unwrap();
    assert!(!learned.converged && learned.iterations == 3);
}

/// On an inference tile: weights within about the tolerance of the largest, and the costs are told.
#[test]
fn an_inference_tile_can_be_taught() {
    let programming = Programming::TileUpdates(Box::new(fine()));
    let config = InferenceTileConfig { programming, ..perfect() };
    let tile = ProgrammedTile::program(&example(10, 12), &config, RngKey::root(4)).unwrap();
    let report = tile.report();
    // Mean |error| < 1 %; errors of some normal shape have an rms of √(π/2) times that, of any shape rarely twice.
    assert!(report.weight_error.rms < 0.02, "{report:?}");
    assert!(report.effort.pulses > 0 && report.effort.products >= 24, "{report:?}");
    let again = ProgrammedTile::program(&example(10, 12), &config, RngKey::root(4)).unwrap();
    assert_eq!(tile.slices(), again.slices());
}

#[test]
fn what_does_not_fit_is_refused() {
    let config = fine();
    let refuse = |target: DMatrix<f32>, x: DMatrix<f32>| {
        program_by_updates(&mut build(&config), &target, &x, &config, RngKey::root(2))
            .unwrap_err()
            .to_string()
    };
    assert!(refuse(DMatrix::zeros(3, 6), DMatrix::identity(6, 6)).starts_with("target has (3, 6)"));
    assert!(refuse(DMatrix::zeros(4, 6), DMatrix::identity(5, 5)).starts_with("x has (5, 5)"));
    assert!(refuse(DMatrix::zeros(4, 6), DMatrix::zeros(6, 0)).starts_with("x has (6, 0)"));
    let field = |change: fn(&mut TileUpdates)| {
        let mut procedure = TileUpdates::default();
        change(&mut procedure);
        procedure.validate().unwrap_err().field
    };
    assert_eq!(field(|p| p.learning_rate = 0.0), "learning_rate");
    assert_eq!(field(|p| p.tolerance = f32::NAN), "tolerance");
    assert_eq!(field(|p| p.w_target = -1.0), "w_target");
    assert_eq!(field(|p| p.w_init = -0.1), "w_init");
    assert_eq!(field(|p| p.max_iter = 0), "max_iter");
    assert_eq!(field(|p| p.rank = Some(0)), "rank");
}
