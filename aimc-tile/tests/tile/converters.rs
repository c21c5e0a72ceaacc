//! Resolution, range and asymmetry of the converters.

use super::{
    ROUNDOFF, backward, eighths, exact, forward, keys, product, same_bits, sizes, tile, transparent, uniform,
};
use aimc_testkit::assert_close;
use aimc_testkit::strategies;
use aimc_tile::IoConfig;
use aimc_tile::periphery::bound_management::BoundManagement;
use aimc_tile::periphery::noise_management::NoiseManagement;
use proptest::prelude::*;

proptest! {
    #![proptest_config(strategies::config(128))]

    /// DAC: |y - W x|ᵢ ≤ ½·Δ·α·Σⱼ|Wᵢⱼ| with Δ = 2·res, besides the rounding of a product.
    #[test]
    fn the_dac_errs_by_half_a_step_per_line(bits in 2_i32..10, seed in 0_u64..1000) {
        let resolution = 1.0 / (2.0_f32.powi(bits) - 2.0);
        let io = IoConfig { inp_res: resolution, ..transparent(NoiseManagement::AbsMax) };
        let (weights, x) = (uniform(5, 16, seed), 3.0 * uniform(16, 2, seed + 1));
        let (y, ideal, sizes) = (product(&io, &weights, &x, 1), exact(&weights, &x), sizes(&weights, &x));
        for sample in 0..2 {
            let scale = f64::from(x.column(sample).amax());
            for i in 0..5 {
                let row: f64 = weights.row(i).iter().map(|w| f64::from(w.abs())).sum();
                let slack = 24.0 * ROUNDOFF * (sizes[(i, sample)] + scale * row);
                let limit = f64::from(resolution) * scale * row + slack;
                assert_close!(f64::from(y[(i, sample)]), ideal[(i, sample)], limit);
            }
        }
    }

    /// ADC: |y - W x| ≤ ½·Δ·α within the range, Δ = 2·res·bound; ±α·bound beyond it.
    #[test]
    fn the_adc_errs_by_half_a_step_and_saturates(bits in 2_i32..10, bound in 0.5_f32..4.0, seed in 0_u64..1000) {
        let resolution = 1.0 / (2.0_f32.powi(bits) - 2.0);
        let io = IoConfig { out_res: resolution, out_bound: bound, ..transparent(NoiseManagement::AbsMax) };
        let (weights, x) = (uniform(8, 16, seed), uniform(16, 1, seed + 1));
        let (y, ideal, sizes) = (product(&io, &weights, &x, 1), exact(&weights, &x), sizes(&weights, &x));
        let (scale, bound) = (f64::from(x.amax()), f64::from(bound));
        for i in 0..8 {
            let cut = ideal[i].clamp(-scale * bound, scale * bound);
            let slack = 24.0 * ROUNDOFF * (sizes[i] + scale * bound);
            assert_close!(f64::from(y[i]), cut, f64::from(resolution) * scale * bound + slack);
        }
    }

    /// Values of 2ᵏ - 2 for the resolution count steps: the same as the fraction 1/(2ᵏ - 2) where both are exact.
    #[test]
    fn a_resolution_may_count_steps(log_steps in 1_i32..9, seed in 0_u64..1000) {
        let steps = 2.0_f32.powi(log_steps);
        let result = |resolution: f32| {
            let io = IoConfig { inp_res: resolution, out_res: resolution, ..IoConfig::default() };
            product(&io, &uniform(5, 16, seed), &uniform(16, 2, seed + 1), 1)
        };
        prop_assert!(same_bits(&result(steps), &result(1.0 / steps)));
    }

    /// Inputs: y = W(x⁺ - (1-a)x⁻). Outputs: y ← (1-a)y where y < 0. Exact for eighths and a = ¼, ½.
    #[test]
    fn asymmetric_circuits_weaken_the_negative_side(seed in 0_u64..1000) {
        let (weights, x) = (eighths(5, 16, seed), eighths(16, 3, seed + 1));
        let weak = x.map(|x| if x < 0.0 { 0.75 * x } else { x });
        let io = IoConfig { inp_asymmetry: 0.25, ..transparent(NoiseManagement::None) };
        prop_assert_eq!(product(&io, &weights, &x, 1), exact(&weights, &weak).map(|y| y as f32));
        let io = IoConfig { out_asymmetry: 0.5, ..transparent(NoiseManagement::None) };
        let weak = exact(&weights, &x).map(|y| if y < 0.0 { 0.5 * y } else { y } as f32);
        prop_assert_eq!(product(&io, &weights, &x, 1), weak);
    }

    /// Without noise management inputs are cut at ± inp_bound.
    #[test]
    fn unmanaged_inputs_are_cut(bound in prop::sample::select(vec![0.25_f32, 0.5, 2.0]), seed in 0_u64..1000) {
        let io = IoConfig { inp_bound: bound, ..transparent(NoiseManagement::None) };
        let (weights, x) = (eighths(5, 16, seed), eighths(16, 3, seed + 1));
        let cut = x.map(|x| x.clamp(-bound, bound));
        prop_assert_eq!(product(&io, &weights, &x, 1), exact(&weights, &cut).map(|y| y as f32));
    }

    /// α = min(max|x|, nm_thres): beyond the threshold inputs are cut at it.
    #[test]
    fn the_threshold_limits_the_scale(threshold in prop::sample::select(vec![0.25_f32, 0.5, 4.0]), seed in 0_u64..1000) {
        let io = IoConfig { nm_thres: threshold, ..transparent(NoiseManagement::AbsMax) };
        let (weights, mut x) = (eighths(5, 16, seed), eighths(16, 3, seed + 1));
        x.row_mut(0).fill(-1.0);
        let cut = x.map(|x| x.clamp(-threshold, threshold));
        prop_assert_eq!(product(&io, &weights, &x, 1), exact(&weights, &cut).map(|y| y as f32));
    }

    /// Backward through W is forward through Wᵀ without bound management, bit for bit, noise included.
    #[test]
    fn backward_is_the_transposed_product(seed in 0_u64..1000) {
        let io = IoConfig { inp_res: 0.0625, out_bound: 2.0, out_sto_round: true, ..IoConfig::default() };
        let (weights, mut d) = (eighths(12, 7, seed), eighths(12, 3, seed + 1));
        d.row_mut(0).fill(1.0);
        let unbounded = IoConfig { bound_management: BoundManagement::None, ..io.clone() };
        let transposed = forward(&tile(&unbounded, &weights.transpose()), &d, keys(seed));
        prop_assert!(same_bits(&backward(&tile(&io, &weights), &d, keys(seed)), &transposed));
    }
}

/// Error of uniform inputs: variance α²Δ²/12·ΣW² (inputs spread over many steps, α fixed by one line).
#[test]
fn quantisation_errors_have_the_variance_of_a_uniform_law() {
    let (lines, batch, step) = (16, 20_000, 2.0 / 62.0);
    let io = IoConfig { inp_res: 1.0 / 62.0, ..transparent(NoiseManagement::AbsMax) };
    let weights = uniform(1, lines, 1);
    let mut x = uniform(lines, batch, 2);
    // Line 0 sets α = 1 and is itself a level; the others span whole steps, ±30.5 of 31.
    x *= 30.5 / 31.0;
    x.row_mut(0).fill(1.0);
    let errors: Vec<f64> = product(&io, &weights, &x, 1)
        .iter()
        .zip(exact(&weights, &x).iter())
        .map(|(y, e)| f64::from(*y) - e)
        .collect();
    let squares: f64 = weights.iter().skip(1).map(|w| f64::from(*w).powi(2)).sum();
    let std = step * (squares / 12.0).sqrt();
    aimc_testkit::stats::expect_mean(&errors, 0.0, std);
    aimc_testkit::stats::expect_std(&errors, std, aimc_testkit::stats::Kurtosis::Sample);
}
