//! Stochastic rounding: unbiased, with the variance Δ²f(1-f) of its two outcomes.

use super::{product, transparent};
use aimc_testkit::stats::{FALSE_ALARM, assert_p, correlation_test, expect_mean, proportion_test};
use aimc_tile::IoConfig;
use aimc_tile::periphery::noise_management::NoiseManagement;
use nalgebra::DMatrix;

const BATCH: usize = 40_000;

/// Converters with Δ = ½ of which only one rounds.
fn circuits(input: bool) -> IoConfig {
    let plain = transparent(NoiseManagement::None);
    if input {
        IoConfig { inp_bound: 2.0, inp_res: 0.125, inp_sto_round: true, ..plain }
    } else {
        IoConfig { out_bound: 2.0, out_res: 0.125, out_sto_round: true, ..plain }
    }
}

/// P(upper level) = f, the fraction of the step above the lower level; hence E Q(v) = v, Var Q(v) = Δ²f(1-f).
/// The dither is a multiple of 2⁻²⁴, a bias far below the standard error 2⁻⁸ of 40000 outcomes.
#[test]
fn stochastic_rounding_is_unbiased() {
    for (v, lower, fraction) in
        [(0.35_f32, 0.0_f32, 0.7), (-0.35, -0.5, 0.3), (1.3125, 1.0, 0.625), (0.03125, 0.0, 0.0625)]
    {
        for input in [true, false] {
            let x = DMatrix::from_element(1, BATCH, v);
            let y = product(&circuits(input), &DMatrix::from_element(1, 1, 1.0), &x, 3);
            let upper = y.iter().filter(|y| **y == lower + 0.5).count() as u64;
            let rest = y.iter().filter(|y| **y == lower).count() as u64;
            assert_eq!(upper + rest, BATCH as u64, "only the two neighbours occur");
            assert_p(proportion_test(upper, BATCH as u64, fraction), FALSE_ALARM);
            expect_mean(y.as_slice(), f64::from(v), 0.5 * (fraction * (1.0 - fraction)).sqrt());
        }
    }
}

/// A value on a level stays there: f = 0 leaves no choice.
#[test]
fn levels_are_kept() {
    for input in [true, false] {
        for v in [0.0_f32, 0.5, -1.0, 2.0] {
            let x = DMatrix::from_element(1, 1000, v);
            let y = product(&circuits(input), &DMatrix::from_element(1, 1, 1.0), &x, 4);
            assert!(y.iter().all(|y| *y == v));
        }
    }
}

/// Lines and samples round independently: correlation 0.
#[test]
fn lines_round_independently() {
    let y = product(&circuits(true), &DMatrix::identity(2, 2), &DMatrix::from_element(2, BATCH, 0.3), 5);
    let line = |i: usize| y.row(i).iter().copied().collect::<Vec<f32>>();
    assert_p(correlation_test(&line(0), &line(1), 0.0), FALSE_ALARM);
    assert_p(correlation_test(&line(0)[1..], &line(0)[..BATCH - 1], 0.0), FALSE_ALARM);
}

/// Deterministic rounding goes to the nearest level, ties to even.
#[test]
fn deterministic_rounding_goes_to_the_nearest_level() {
    let io = IoConfig { out_sto_round: false, ..circuits(false) };
    for (v, level) in
        [(0.24, 0.0), (0.26, 0.5), (0.25, 0.0), (0.75, 1.0), (-0.75, -1.0), (9.0, 2.0), (-9.0, -2.0)]
    {
        assert_eq!(
            product(&io, &DMatrix::from_element(1, 1, 1.0), &DMatrix::from_element(1, 1, v), 6)[0],
            level
        );
    }
}
