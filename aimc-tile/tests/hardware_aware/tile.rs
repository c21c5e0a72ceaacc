//! The tile: exact learning, modified products.

use aimc_device::RngKey;
use aimc_device::state::State;
use aimc_testkit::assert_close;
use aimc_testkit::strategies;
use aimc_tile::hardware_aware::{
    WeightClipConfig, WeightClipType, WeightModifierConfig, WeightModifierType, WeightRemapConfig,
    WeightRemapType,
};
use aimc_tile::{
    HardwareAwareTile, HardwareAwareTileConfig, IdealTile, IoConfig, MatVec, ReadOut, SampleKeys, Shape, Tile,
};
use nalgebra::DMatrix;
use proptest::prelude::*;

pub(crate) fn key(seed: u64) -> RngKey {
    RngKey::root(seed)
}

/// Reproducible numbers in ±1.
pub(crate) fn uniform(rows: usize, columns: usize, seed: u64) -> DMatrix<f32> {
    let mut values = vec![0.0; rows * columns];
    key(seed).stream(77).fill_uniform(&mut values);
    DMatrix::from_vec(rows, columns, values).map(|u| 2.0 * u - 1.0)
}

pub(crate) fn noise(std_dev: f32) -> WeightModifierConfig {
    WeightModifierConfig { kind: WeightModifierType::AddNormal, std_dev, ..WeightModifierConfig::default() }
}

pub(crate) fn channelwise() -> WeightRemapConfig {
    WeightRemapConfig { kind: WeightRemapType::ChannelwiseSymmetric, ..WeightRemapConfig::default() }
}

pub(crate) fn scaled(omega: f32, columnwise: bool) -> HardwareAwareTileConfig {
    let mut config = HardwareAwareTileConfig::ideal();
    config.periphery.mapping.weight_scaling_omega = omega;
    config.periphery.mapping.weight_scaling_columnwise = columnwise;
    config
}

pub(crate) fn tile(config: &HardwareAwareTileConfig, weights: &DMatrix<f32>) -> HardwareAwareTile {
    let shape = Shape { outputs: weights.nrows(), inputs: weights.ncols() };
    let mut tile = HardwareAwareTile::new(config, shape, key(1)).unwrap();
    tile.set_weights(weights, key(2)).unwrap();
    tile
}

pub(crate) fn training(seed: u64) -> SampleKeys {
    evaluation(seed).in_training()
}

pub(crate) fn evaluation(seed: u64) -> SampleKeys {
    SampleKeys::new(key(seed))
}

fn forward(tile: &impl MatVec, x: &DMatrix<f32>, draws: SampleKeys) -> DMatrix<f32> {
    let mut y = DMatrix::from_element(tile.shape().outputs, x.ncols(), f32::NAN);
    tile.forward(x.as_view(), y.as_view_mut(), draws).unwrap();
    y
}

fn backward(tile: &impl Tile, d: &DMatrix<f32>, draws: SampleKeys) -> DMatrix<f32> {
    let mut z = DMatrix::from_element(tile.shape().inputs, d.ncols(), f32::NAN);
    tile.backward(d.as_view(), z.as_view_mut(), draws).unwrap();
    z
}

/// What the products of a pass see: the answer to every unit vector.
pub(crate) fn seen(tile: &impl MatVec, draws: SampleKeys) -> DMatrix<f32> {
    let inputs = tile.shape().inputs;
    forward(tile, &DMatrix::identity(inputs, inputs), draws)
}

proptest! {
    #![proptest_config(strategies::config(48))]

    /// Whatever is done to the copy and to the scales: the weights take the bits of a digital tile.
    #[test]
    fn learning_is_digital_to_the_bit(
        omega in 0.0_f32..2.0, columnwise in any::<bool>(), remap in any::<bool>(), seed in 0_u64..1000,
    ) {
        let mut config = scaled(omega, columnwise);
        config.modifier = noise(0.3);
        config.remap = if remap { channelwise() } else { WeightRemapConfig::default() };
        let start = uniform(4, 6, seed);
        let mut aware = tile(&config, &start);
        let mut digital = IdealTile::new(aware.shape()).unwrap();
        digital.set_weights(&start, key(0)).unwrap();
        for step in 0..5 {
            let (x, d) = (uniform(6, 3, seed + 10 * step + 1), uniform(4, 3, seed + 10 * step + 2));
            aware.update(x.as_view(), d.as_view(), 0.1, training(step)).unwrap();
            digital.update(x.as_view(), d.as_view(), 0.1, training(step)).unwrap();
            aware.end_of_step(key(step));
            prop_assert_eq!(aware.weights(), digital.weights());
            prop_assert_eq!(aware.digital_weights().unwrap(), digital.digital_weights().unwrap());
        }
    }

    /// Products do not depend on scales but for rounding: quotient, product, sum of 6 (or 4), product.
    #[test]
    fn scales_are_invisible(omega in 0.1_f32..2.0, columnwise in any::<bool>(), seed in 0_u64..1000) {
        let weights = 3.0 * uniform(4, 6, seed);
        let aware = tile(&scaled(omega, columnwise), &weights);
        let (x, d) = (uniform(6, 3, seed + 1), uniform(4, 3, seed + 2));
        let bound = |size: f32| 10.0 * f32::EPSILON * size;
        prop_assert!((forward(&aware, &x, training(1)) - &weights * &x).amax() <= bound(18.0));
        prop_assert!((backward(&aware, &d, training(1)) - weights.transpose() * &d).amax() <= bound(12.0));
        let largest = aware.held().iter().fold(0.0_f32, |largest, w| largest.max(w.abs()));
        assert_close!(largest, omega, 2.0 * f32::EPSILON * omega);
    }

    /// Evaluation sees the clean weights whatever the modifier, training the modified ones; the first batch none.
    #[test]
    fn evaluation_does_not_know_of_modifiers(seed in 0_u64..1000, which in 0_usize..3) {
        let weights = uniform(3, 5, seed);
        let kinds = [WeightModifierType::AddNormal, WeightModifierType::DoReFa, WeightModifierType::DropConnect];
        let modifier = WeightModifierConfig { kind: kinds[which], res: 0.3, pdrop: 0.5, ..noise(0.5) };
        let mut aware = tile(&HardwareAwareTileConfig { modifier: modifier.clone(), ..scaled(0.0, false) }, &weights);
        prop_assert_eq!(&seen(&aware, training(1)), &weights);
        aware.end_of_step(key(seed));
        prop_assert_eq!(&seen(&aware, evaluation(1)), &weights);
        let modified = seen(&aware, training(1));
        prop_assert!(modified != weights);
        prop_assert_eq!(&backward(&aware, &DMatrix::identity(3, 3), training(2)), &modified.transpose());
        // Until the next step.
        prop_assert_eq!(&seen(&aware, training(3)), &modified);
        aware.end_of_step(key(seed + 1));
        prop_assert!(seen(&aware, training(1)) != modified);

        let modifier = WeightModifierConfig { enable_during_test: true, from_first_batch: true, ..modifier };
        let aware = tile(&HardwareAwareTileConfig { modifier, ..scaled(0.0, false) }, &weights);
        prop_assert!(seen(&aware, training(1)) != weights);
        prop_assert_eq!(seen(&aware, evaluation(1)), seen(&aware, training(1)));
    }

    /// Every vector has a matrix of its own, the same in both directions and however the batch is cut.
    #[test]
    fn samples_have_noise_of_their_own(seed in 0_u64..1000, cut in 1_usize..5, omega in 0.0_f32..1.0) {
        let weights = uniform(3, 5, seed);
        let modifier = WeightModifierConfig { per_batch_sample: true, ..noise(0.2) };
        let mut aware = tile(&HardwareAwareTileConfig { modifier, ..scaled(omega, true) }, &weights);
        aware.end_of_step(key(seed));
        // Input j in sample j gives column j of its matrix, error k in sample j row k.
        let (columns, rows) = (seen(&aware, training(4)), |k: usize| {
            let d = DMatrix::from_fn(3, 5, |i, _| if i == k { 1.0 } else { 0.0 });
            backward(&aware, &d, training(5))
        });
        for k in 0..3 {
            for (j, z) in rows(k).column_iter().enumerate() {
                // The scale is multiplied before or after the product.
                assert_close!(z[j], columns[(k, j)], f32::EPSILON * z[j].abs());
            }
        }
        let same = DMatrix::from_element(5, 5, 1.0);
        let sums = forward(&aware, &same, training(4));
        prop_assert!((1..5).all(|j| sums.column(j) != sums.column(0)));
        let (head, tail) = (same.columns(0, cut).into_owned(), same.columns(cut, 5 - cut).into_owned());
        prop_assert_eq!(forward(&aware, &head, training(4)), sums.columns(0, cut).into_owned());
        let later = training(4).skip(cut as u64);
        prop_assert_eq!(forward(&aware, &tail, later), sums.columns(cut, 5 - cut).into_owned());
    }

    /// A tile restored between two steps continues to the bit, whatever it was before.
    #[test]
    fn state_is_all_there_is(seed in 0_u64..1000, per_batch_sample in any::<bool>(), steps in 0_u64..3) {
        let modifier = WeightModifierConfig { per_batch_sample, ..noise(0.2) };
        let config = HardwareAwareTileConfig { modifier, remap: channelwise(), ..scaled(1.0, true) };
        let step = |aware: &mut HardwareAwareTile, i: u64| {
            let (x, d) = (uniform(5, 4, seed + i), uniform(3, 4, seed + i + 50));
            aware.update(x.as_view(), d.as_view(), 0.1, training(i)).unwrap();
            aware.end_of_step(key(i));
        };
        let mut first = tile(&config, &uniform(3, 5, seed));
        (0..steps).for_each(|i| step(&mut first, i));
        let mut second = tile(&config, &uniform(3, 5, seed + 1));
        step(&mut second, 99);
        second.restore(&first.state().root()).unwrap();
        prop_assert_eq!(second.state(), first.state());
        prop_assert_eq!(seen(&second, training(7)), seen(&first, training(7)));
        step(&mut first, 10);
        step(&mut second, 10);
        prop_assert_eq!(second.state(), first.state());
    }
}

/// Clipping comes before remapping: 2 is cut to 1 and then fills the range; after remapping nothing would be cut.
#[test]
fn a_step_ends_with_clip_then_remap_then_modifier() {
    let clip = WeightClipConfig {
        kind: WeightClipType::FixedValue,
        fixed_value: 1.0,
        ..WeightClipConfig::default()
    };
    let modifier = WeightModifierConfig {
        kind: WeightModifierType::Discretize,
        res: 0.5,
        ..WeightModifierConfig::default()
    };
    let config = HardwareAwareTileConfig { clip, modifier, remap: channelwise(), ..scaled(0.0, false) };
    let mut aware = tile(&config, &DMatrix::from_row_slice(2, 2, &[2.0, 0.375, 0.25, -0.0625]));
    aware.end_of_step(key(1));
    assert_eq!(aware.weights(), DMatrix::from_row_slice(2, 2, &[1.0, 0.375, 0.25, -0.0625]));
    assert_eq!((aware.scales(), &aware.held()[..]), (&[1.0, 0.25][..], &[1.0, 0.375, 1.0, -0.25][..]));
    // Halves of the range, ties away from 0.
    assert_eq!(seen(&aware, training(1)), DMatrix::from_row_slice(2, 2, &[1.0, 0.5, 0.25, -0.125]));
    // In analog units the limit is 1 again, which is 0.25 of the second output.
    let (x, d) = (DMatrix::from_element(2, 1, 1.0), DMatrix::from_element(2, 1, -1.0));
    aware.update(x.as_view(), d.as_view(), 0.5, training(2)).unwrap();
    aware.end_of_step(key(2));
    assert_eq!(aware.weights(), DMatrix::from_row_slice(2, 2, &[1.0, 0.875, 0.25, 0.25]));
}

/// Noise grows linearly over the warm-up, with the draws of its step.
#[test]
fn noise_warms_up() {
    let weights = uniform(3, 4, 1);
    for per_batch_sample in [false, true] {
        let modifier = WeightModifierConfig { warmup_steps: 4, per_batch_sample, ..noise(0.5) };
        let mut aware = tile(&HardwareAwareTileConfig { modifier, ..scaled(0.0, false) }, &weights);
        let mut full = tile(
            &HardwareAwareTileConfig {
                modifier: WeightModifierConfig { per_batch_sample, ..noise(0.5) },
                ..scaled(0.0, false)
            },
            &weights,
        );
        for step in 1..=6 {
            aware.end_of_step(key(step));
            full.end_of_step(key(step));
            let share = (step as f32 / 4.0).min(1.0);
            let (grown, whole) = (seen(&aware, training(1)) - &weights, seen(&full, training(1)) - &weights);
            // Weight and noise are below 4: the sum is rounded once on either side.
            assert!((grown - share * whole).amax() <= 4.0 * f32::EPSILON);
        }
    }
}

/// Remapping moves scales, never weights.
#[test]
fn remapping_keeps_every_bit_of_the_weights() {
    let weights = uniform(7, 9, 3);
    let mut aware = tile(&HardwareAwareTileConfig { remap: channelwise(), ..scaled(0.7, false) }, &weights);
    aware.end_of_step(key(1));
    assert_eq!(aware.weights(), weights);
    for row in aware.held().chunks(9) {
        let largest = row.iter().fold(0.0_f32, |largest, w| largest.max(w.abs()));
        // Quotient and product of the scale, and the quotient by it.
        assert_close!(largest, 1.0, 3.0 * f32::EPSILON);
    }
}

/// Forward circuits are analog: rounding by the converters, gradients straight through them.
#[test]
fn converters_round_and_gradients_pass() {
    let forward_circuits =
        IoConfig { out_noise: 0.0, inp_res: 0.0, out_res: 0.25, out_bound: 1.0, ..IoConfig::default() };
    let config = HardwareAwareTileConfig { forward: forward_circuits, ..scaled(0.0, false) };
    let aware = tile(&config, &DMatrix::from_row_slice(1, 1, &[0.6]));
    // Steps of 0.25·2·1.
    assert_eq!(seen(&aware, training(1))[0], 0.5);
    assert_eq!(backward(&aware, &DMatrix::identity(1, 1), training(1))[0], 0.6);
}

#[test]
fn draws_do_not_depend_on_threads() {
    let weights = uniform(64, 256, 1);
    for per_batch_sample in [false, true] {
        let modifier = WeightModifierConfig { per_batch_sample, ..noise(0.1) };
        let config = HardwareAwareTileConfig { modifier, ..scaled(1.0, true) };
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut aware = tile(&config, &weights);
                aware.end_of_step(key(3));
                (forward(&aware, &uniform(256, 4, 2), training(1)), aware.state())
            })
        };
        assert_eq!(run(1), run(2));
    }
}

#[test]
fn corrupt_states_and_wrong_shapes_are_refused() {
    let mut aware = tile(&scaled(1.0, true), &uniform(2, 3, 1));
    let good = aware.state();
    let with = |name: &str, values: Vec<f32>| {
        let mut state = good.clone();
        state.put(name, values);
        state
    };
    assert!(good.iter().any(|(name, _)| name == "steps"));
    let mut refuse = |state: State| aware.restore(&state.root()).unwrap_err().name;
    assert_eq!(refuse(with("scales", vec![1.0, 0.0])), "scales");
    assert_eq!(refuse(with("scales", vec![1.0])), "scales");
    assert_eq!(refuse(with("modified", vec![1.0])), "modified");
    assert_eq!(refuse(with("clean.weights", vec![f32::NAN; 6])), "clean.weights");
    assert_eq!(refuse(with("modifier_key", vec![1.0; 2])), "modifier_key");
    assert_eq!(aware.state(), good);
    let mut y = DMatrix::zeros(2, 1);
    assert!(aware.forward(DMatrix::zeros(2, 1).as_view(), y.as_view_mut(), training(1)).is_err());
}
