//! Ways of spreading a product over several passes: the same product where circuits are symmetric and linear.

use super::{exact, product, sizes, transparent, uniform};
use aimc_testkit::stats::expect_normal;
use aimc_testkit::strategies;
use aimc_tile::IoConfig;
use aimc_tile::periphery::mv_type::MvType;
use aimc_tile::periphery::noise_management::NoiseManagement::AbsMax;
use aimc_tile::periphery::weight_noise::WeightNoise;
use nalgebra::DMatrix;
use proptest::prelude::*;

const ALL: [MvType; 4] =
    [MvType::PosNegSeparate, MvType::PosNegSeparateDigitalSum, MvType::SplitMode, MvType::BitWise];

/// Seven bits at the input, nothing else.
fn circuits(mv_type: MvType) -> IoConfig {
    IoConfig { mv_type, inp_res: 1.0 / 126.0, ..transparent(AbsMax) }
}

proptest! {
    #![proptest_config(strategies::config(64))]

    /// Without noise every way gives the product of one pass; sums of at most 6 passes of n terms round as often.
    #[test]
    fn all_ways_give_one_product(seed in 0_u64..1000, inputs in 1_usize..20) {
        let (weights, x) = (uniform(4, inputs, seed), uniform(inputs, 3, seed + 1));
        let once = product(&circuits(MvType::OnePass), &weights, &x, seed);
        let size = sizes(&weights, &x);
        for mv_type in ALL {
            let y = product(&circuits(mv_type), &weights, &x, seed);
            for ((a, b), size) in y.iter().zip(once.iter()).zip(size.iter()) {
                // The DAC may round an input up to half a step beyond x: sizes grow by at most 1/126 of the largest.
                let bound = f64::from(f32::EPSILON) * (inputs as f64 + 12.0) * (size + inputs as f64 / 126.0);
                prop_assert!(f64::from((a - b).abs()) <= bound, "{:?}: {} {}", mv_type, a, b);
            }
        }
    }
}

/// The noise of weights has the same law in one pass and in two: x̂⁺ and x̂⁻ are disjoint, so the variances add up.
#[test]
fn separate_signs_keep_the_law_of_weight_noise() {
    let (weights, x) = (uniform(2, 8, 5), uniform(8, 1, 6));
    let many = DMatrix::from_fn(8, 20_000, |i, _| x[i]);
    for mv_type in [MvType::OnePass, MvType::PosNegSeparate] {
        let io = IoConfig {
            mv_type,
            w_noise: 0.1,
            w_noise_type: WeightNoise::AdditiveConstant,
            ..transparent(AbsMax)
        };
        let y = product(&io, &weights, &many, 7);
        let norm = x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        for (i, mean) in exact(&weights, &x).iter().enumerate() {
            let deviations: Vec<f64> =
                y.row(i).iter().map(|y| (f64::from(*y) - mean) / (0.1 * norm)).collect();
            expect_normal(&deviations, 0.0, 1.0);
        }
    }
}

/// Two readings add their output noise: the digital sum has √2 of the analog one.
#[test]
fn every_reading_adds_its_output_noise() {
    let (weights, x) = (uniform(1, 8, 5), uniform(8, 1, 6));
    let many = DMatrix::from_fn(8, 20_000, |i, _| x[i]);
    let noise = |mv_type| {
        let io = IoConfig { mv_type, out_noise: 0.1, ..circuits(mv_type) };
        let y = product(&io, &weights, &many, 7);
        let quiet = product(&circuits(mv_type), &weights, &x, 7)[0];
        y.iter().map(|y| f64::from(y - quiet)).collect::<Vec<f64>>()
    };
    let std = 0.1 * f64::from(x.amax());
    expect_normal(&noise(MvType::PosNegSeparate), 0.0, std);
    expect_normal(&noise(MvType::PosNegSeparateDigitalSum), 0.0, 2.0_f64.sqrt() * std);
    // Bits count by their significance: Σ 4ᵇ of 6 bits, in units of the whole scale 1 = 63 steps.
    let bits: f64 = (0..6).map(|bit| 4.0_f64.powi(bit)).sum();
    expect_normal(&noise(MvType::BitWise), 0.0, bits.sqrt() * std);
}
