//! Lines that carry the only signal: where the circuits say so, they read as if there were no others.

use super::{keys, same_bits, uniform};
use aimc_device::RngKey;
use aimc_testkit::strategies;
use aimc_tile::matmul::Weights;
use aimc_tile::periphery::bound_management::BoundManagement;
use aimc_tile::periphery::mv_type::MvType;
use aimc_tile::periphery::noise_management::NoiseManagement;
use aimc_tile::periphery::weight_noise::WeightNoise;
use aimc_tile::{AnalogMvm, IoConfig, Shape};
use nalgebra::DMatrix;
use proptest::prelude::*;
use proptest::sample::select;

const SHAPE: Shape = Shape { outputs: 9, inputs: 14 };

/// What circuits may have that keeps lines apart.
fn apart() -> impl Strategy<Value = IoConfig> {
    let noise = select(vec![WeightNoise::None, WeightNoise::AdditiveConstant, WeightNoise::PcmRead]);
    let spread = select(vec![
        MvType::OnePass,
        MvType::PosNegSeparate,
        MvType::PosNegSeparateDigitalSum,
        MvType::SplitMode,
        MvType::BitWise,
    ]);
    let bound = select(vec![BoundManagement::None, BoundManagement::Iterative]);
    let scale = select(vec![NoiseManagement::None, NoiseManagement::AbsMax, NoiseManagement::Max]);
    (noise, spread, bound, scale, 0.0_f32..0.3, 0.0_f32..0.3, any::<[bool; 3]>()).prop_map(
        |(w_noise_type, mv_type, bound_management, noise_management, std, offset, [dither, bend, real])| {
            IoConfig {
                w_noise_type,
                mv_type,
                bound_management,
                noise_management,
                w_noise: std,
                out_noise: std,
                out_noise_std: if real { 0.2 } else { 0.0 },
                v_offset_std: offset,
                r_series: offset,
                out_sto_round: dither,
                out_nonlinearity: if bend { 0.1 } else { 0.0 },
                out_bound: 0.7,
                ..IoConfig::default()
            }
        },
    )
}

/// Whether circuits keep lines apart, and what they read of a line with the only signal: among others, and alone.
fn read(io: &IoConfig, line: usize, signal: f32, seed: u64) -> (bool, [DMatrix<f32>; 2]) {
    let circuits = AnalogMvm::forward(io, SHAPE, RngKey::root(seed)).unwrap();
    // Row by row.
    let weights = uniform(SHAPE.inputs, SHAPE.outputs, seed);
    let column: Vec<f32> = weights.row(line).iter().copied().collect();
    let read = |weights: &[f32], x: &DMatrix<f32>| {
        let weights = Weights::new(weights, SHAPE.outputs, x.nrows());
        let mut y = DMatrix::from_element(SHAPE.outputs, 1, f32::NAN);
        circuits.multiply(weights, &x.as_view(), &mut y.as_view_mut(), keys(seed)).unwrap();
        y
    };
    let x = DMatrix::from_fn(SHAPE.inputs, 1, |j, _| if j == line { signal } else { 0.0 });
    let alone = DMatrix::from_element(1, 1, signal);
    (circuits.reads_lines_alone(), [read(weights.as_slice(), &x), read(&column, &alone)])
}

proptest! {
    #![proptest_config(strategies::config(128))]

    /// Bit for bit what a column of weights reads on its own, with the same draws.
    #[test]
    fn a_line_alone_reads_its_own_devices(
        io in apart(), line in 0..SHAPE.inputs, signal in -1.0_f32..1.0, seed in strategies::seed(),
    ) {
        let (known, [whole, alone]) = read(&io, line, signal, seed);
        prop_assert!(known);
        prop_assert!(same_bits(&whole, &alone), "{whole} {alone}");
    }
}

/// Noise and dither of the inputs, IR drop, read noise that counts the lines and devices that differ by sign tell a line apart from one
/// that is alone, and circuits with them say so. A negative signal, between two levels of the DAC.
#[test]
fn what_mixes_lines_is_known() {
    let default = IoConfig::default;
    let mixing = [
        IoConfig { inp_noise: 0.1, ..default() },
        IoConfig { inp_sto_round: true, noise_management: NoiseManagement::None, ..default() },
        IoConfig { ir_drop: 1e3, ..default() },
        IoConfig { w_noise: 0.1, w_noise_type: WeightNoise::PcmReadDuration, ..default() },
        IoConfig { w_read_asymmetry_dtod: 0.1, mv_type: MvType::PosNegSeparate, ..default() },
    ];
    for io in mixing {
        let io = IoConfig { out_res: 0.0, ..io };
        // Both dithers may come to the same level, of two.
        let differ = |seed| {
            let (known, [whole, alone]) = read(&io, 5, -0.3, seed);
            assert!(!known, "{io:?}");
            !same_bits(&whole, &alone)
        };
        assert!((0..40).any(differ), "{io:?}");
    }
}

/// A product of the whole array with all one-hot vectors, one after another.
fn with_unit_vectors(circuits: &AnalogMvm, weights: Weights<'_>, seed: u64) -> Vec<f32> {
    let x = DMatrix::identity(weights.inputs(), weights.inputs());
    let mut y = DMatrix::zeros(weights.outputs(), weights.inputs());
    circuits.multiply(weights, &x.as_view(), &mut y.as_view_mut(), keys(seed)).unwrap();
    y.as_slice().to_vec()
}

fn each_line(circuits: &AnalogMvm, weights: Weights<'_>, seed: u64) -> Vec<f32> {
    circuits.read_each_line(weights, keys(seed), |y| y.as_slice().to_vec()).unwrap().concat()
}

proptest! {
    #![proptest_config(strategies::config(32))]

    /// Bit for bit what products with one-hot vectors give, whether lines can be read alone or not; then as many as are read
    /// together, as sums of several terms may be rounded in another order for other numbers of vectors.
    #[test]
    fn all_lines_are_read_one_by_one(io in apart(), inp_noise in select(vec![0.0, 0.1]), seed in strategies::seed()) {
        let shape = Shape { outputs: 5, inputs: if inp_noise > 0.0 { 30 } else { 70 } };
        let circuits = AnalogMvm::forward(&IoConfig { inp_noise, ..io }, shape, RngKey::root(seed)).unwrap();
        prop_assert_eq!(circuits.reads_lines_alone(), inp_noise == 0.0);
        let weights = uniform(shape.inputs, shape.outputs, seed);
        let weights = Weights::new(weights.as_slice(), shape.outputs, shape.inputs);
        let (expected, read) = (with_unit_vectors(&circuits, weights, seed), each_line(&circuits, weights, seed));
        prop_assert!(expected.iter().zip(&read).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
}

/// A running mean that other reads have moved counts the lines in their order, so that threads do not read at the same time.
#[test]
fn a_running_mean_follows_the_lines_in_order() {
    let shape = Shape { outputs: 1000, inputs: 640 };
    let io = IoConfig { noise_management: NoiseManagement::AverageAbsMax, ..IoConfig::default() };
    let values = uniform(shape.inputs, shape.outputs, 3);
    let weights = Weights::new(values.as_slice(), shape.outputs, shape.inputs);
    let circuits = AnalogMvm::forward(&io, shape, RngKey::root(1)).unwrap();
    let (loud, mut y) = (DMatrix::from_element(shape.inputs, 1, 9.0), DMatrix::zeros(shape.outputs, 1));
    circuits.multiply(weights, &loud.as_view(), &mut y.as_view_mut(), keys(1)).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let expected = with_unit_vectors(&circuits.clone(), weights, 4);
    // Several times, as threads may come in order by chance.
    for _ in 0..20 {
        assert!(pool.install(|| each_line(&circuits.clone(), weights, 4)) == expected);
    }
}
