//! Means and variances of the noise sources, each on its own.

use super::{backward, exact, forward, keys, product, tile, transparent, uniform};
use aimc_testkit::stats::{FALSE_ALARM, assert_p, correlation_test, expect_normal};
use aimc_tile::IoConfig;
use aimc_tile::periphery::noise_management::NoiseManagement::AbsMax;
use aimc_tile::periphery::weight_noise::{WeightNoise, read_noise_of_duration};
use nalgebra::DMatrix;

const BATCH: usize = 20_000;

fn repeated(x: &DMatrix<f32>) -> DMatrix<f32> {
    DMatrix::from_fn(x.nrows(), BATCH, |i, _| x[i])
}

/// (y - W x)/`std` for every repetition of one output.
fn deviations(y: &DMatrix<f32>, output: usize, mean: f64, std: f64) -> Vec<f64> {
    y.row(output).iter().map(|y| (f64::from(*y) - mean) / std).collect()
}

/// Output noise: y ~ N(W x, (α·out_noise·out_scale)²), independent between lines and samples.
#[test]
fn output_noise_is_normal_and_independent() {
    let io = IoConfig { out_noise: 0.0625, out_scale: 3.0, ..transparent(AbsMax) };
    let (weights, x) = (uniform(3, 6, 1), 5.0 * uniform(6, 1, 2));
    let y = product(&io, &weights, &repeated(&x), 3);
    let (mean, std) = (3.0 * exact(&weights, &x), 3.0 * 0.0625 * f64::from(x.amax()));
    let lines: Vec<_> = (0..3).map(|i| deviations(&y, i, mean[i], std)).collect();
    lines.iter().for_each(|line| expect_normal(line, 0.0, 1.0));
    assert_p(correlation_test(&lines[0], &lines[1], 0.0), FALSE_ALARM);
    assert_p(correlation_test(&lines[0][1..], &lines[0][..BATCH - 1], 0.0), FALSE_ALARM);
}

/// Input noise: Var y = (α·inp_noise)²·ΣW², common to all outputs of a sample.
#[test]
fn input_noise_passes_through_the_array() {
    let io = IoConfig { inp_noise: 0.0625, ..transparent(AbsMax) };
    let (mut weights, x) = (uniform(3, 6, 4), 5.0 * uniform(6, 1, 5));
    let first = weights.row(0).into_owned();
    weights.row_mut(1).copy_from(&first);
    let y = product(&io, &weights, &repeated(&x), 6);
    let mean = exact(&weights, &x);
    for i in [0, 2] {
        let norm = weights.row(i).iter().map(|w| f64::from(*w).powi(2)).sum::<f64>().sqrt();
        expect_normal(&deviations(&y, i, mean[i], 0.0625 * f64::from(x.amax()) * norm), 0.0, 1.0);
    }
    assert_eq!(y.row(0), y.row(1), "equal weights see equal inputs");
}

/// Weight noise: Var y = α²w²‖x̂‖² (constant) or α²w²Σⱼ|Wᵢⱼ|x̂ⱼ² (PCM), in both directions.
#[test]
fn weight_noise_has_the_variance_of_its_law() {
    let (weights, x) = (uniform(3, 6, 7), 5.0 * uniform(6, 1, 8));
    for (kind, constant) in [(WeightNoise::AdditiveConstant, true), (WeightNoise::PcmRead, false)] {
        let io = IoConfig { w_noise: 0.125, w_noise_type: kind, ..transparent(AbsMax) };
        let ahead = forward(&tile(&io, &weights), &repeated(&x), keys(9));
        let back = backward(&tile(&io, &weights.transpose()), &repeated(&x), keys(10));
        let mean = exact(&weights, &x);
        for i in 0..3 {
            let sizes = weights.row(i).map(|w| if constant { 1.0 } else { f64::from(w.abs()) });
            let variance: f64 =
                sizes.iter().zip(x.iter()).map(|(size, x)| size * f64::from(*x).powi(2)).sum();
            let std = 0.125 * variance.sqrt();
            let (ahead, back) = (deviations(&ahead, i, mean[i], std), deviations(&back, i, mean[i], std));
            expect_normal(&ahead, 0.0, 1.0);
            expect_normal(&back, 0.0, 1.0);
        }
        let line = |i| deviations(&ahead, i, 0.0, 1.0);
        assert_p(correlation_test(&line(0), &line(1), 0.0), FALSE_ALARM);
    }
}

/// Read noise of pulses of different lengths: Var y = α²Σⱼ(s·g + o)²x̂ⱼ²/k² with the law of the sample's mean pulse.
#[test]
fn read_noise_follows_the_length_of_the_pulses() {
    let weights = uniform(2, 6, 7);
    let k = f64::from(25.0 / weights.amax());
    // Levels of the DAC, so that the lines are exactly x/α: 1/63 is the shortest pulse.
    for levels in [[63.0, -2.0, 5.0, 0.0, 1.0, 11.0], [63.0, 50.0, -40.0, 63.0, 22.0, -9.0]] {
        let x = DMatrix::from_iterator(6, 1, levels.into_iter().map(|level: f32| level / 63.0));
        let io = IoConfig {
            w_noise: 0.5,
            w_noise_type: WeightNoise::PcmReadDuration,
            inp_res: 1.0 / 126.0,
            ..transparent(AbsMax)
        };
        let law = read_noise_of_duration(levels.iter().map(|level| level.abs()).sum::<f32>() / 6.0);
        let y = product(&io, &weights, &repeated(&x), 9);
        for i in 0..2 {
            let cell = |w: f32| (f64::from(law.slope) * k * f64::from(w.abs()) + f64::from(law.offset)) / k;
            let variance: f64 = (0..6).map(|j| (cell(weights[(i, j)]) * f64::from(x[j])).powi(2)).sum();
            expect_normal(&deviations(&y, i, exact(&weights, &x)[i], 0.5 * variance.sqrt()), 0.0, 1.0);
        }
    }
}

/// Independent sources add their variances: α²[out² + inp²·ΣW² + w²(‖x/α‖² + n·inp²)] for constant weight noise.
#[test]
fn independent_sources_add_up() {
    let io = IoConfig {
        out_noise: 0.0625,
        inp_noise: 0.03125,
        w_noise: 0.0625,
        w_noise_type: WeightNoise::AdditiveConstant,
        ..transparent(AbsMax)
    };
    let (weights, x) = (uniform(1, 8, 11), uniform(8, 1, 12));
    let scale = f64::from(x.amax());
    let squares = |m: &DMatrix<f32>| m.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
    let lines = squares(&x) / (scale * scale) + 8.0 * 0.03125_f64.powi(2);
    let variance = 0.0625_f64.powi(2) + 0.03125_f64.powi(2) * squares(&weights) + 0.0625_f64.powi(2) * lines;
    let y = product(&io, &weights, &repeated(&x), 13);
    let deviations = deviations(&y, 0, exact(&weights, &x)[0], scale);
    aimc_testkit::stats::expect_mean(&deviations, 0.0, variance.sqrt());
    aimc_testkit::stats::expect_std(&deviations, variance.sqrt(), aimc_testkit::stats::Kurtosis::Sample);
}

/// With bound management the output noise grows by ρ: std = α·ρ·out_noise.
#[test]
fn reduction_amplifies_output_noise() {
    let io = IoConfig {
        out_noise: 0.0625,
        out_bound: 2.0,
        bound_management: aimc_tile::periphery::bound_management::BoundManagement::Iterative,
        ..transparent(AbsMax)
    };
    // W x = 6: ρ = 4 leaves 1.5, 8 noise std inside the range, while 3 at ρ = 2 is 16 std outside.
    let (weights, x) = (DMatrix::from_element(1, 1, 6.0), DMatrix::from_element(1, 1, 1.0));
    let y = product(&io, &weights, &repeated(&x), 14);
    expect_normal(&deviations(&y, 0, 6.0, 4.0 * 0.0625), 0.0, 1.0);
}
