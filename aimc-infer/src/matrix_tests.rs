//! Tests of matrices over grids, scales and slices.

use super::*;
use crate::config::InferenceTileConfig;
use crate::program::tests::{example, noiseless, perfect};
use aimc_testkit::assert_close;

use aimc_device::config;
use aimc_testkit::strategies::{config as cases, seed};
use proptest::prelude::*;

const KEY: u64 = 17;

/// `base` with the tables of `text` over it.
fn with(base: &InferenceTileConfig, text: &str) -> InferenceTileConfig {
    let mut tree = serde_json::to_value(base).unwrap();
    config::merge(&mut tree, config::parse_toml(text).unwrap());
    config::decode(tree).unwrap()
}

fn program(config: &InferenceTileConfig, weights: &DMatrix<f32>) -> ProgrammedMatrix {
    ProgrammedMatrix::program(weights, None, config, RngKey::root(KEY)).unwrap()
}

fn outputs(tile: &InferenceMatrix, x: &DMatrix<f32>) -> DMatrix<f32> {
    let mut y = DMatrix::zeros(tile.shape().outputs, x.ncols());
    tile.forward(x.as_view(), y.as_view_mut(), SampleKeys::new(RngKey::root(6))).unwrap();
    y
}

proptest! {
    #![proptest_config(cases(48))]

    /// Without noise every arrangement holds the weights it was told, and its product is that with them. Errors: of
    /// a slice at most 8 u of its largest entry (at most 1.5 digits of the base, here ≤ 2·max|W/s|), which the
    /// significances 1 + 1/4 + 1/16 < 4/3 add up; one u each for dividing by and multiplying with s.
    #[test]
    fn without_noise_every_arrangement_is_the_matrix(
        outputs_n in 1_usize..9, inputs in 1_usize..9, most in 0_usize..5, omega in 0.0_f32..1.5, columnwise in any::<bool>(),
        slices in 1_u32..4, key in seed(),
    ) {
        let weights = example(outputs_n, inputs);
        let config = with(&noiseless(), &format!(
            "slices = {{ slices = {slices}, bits_per_slice = 2 }}\n[periphery.mapping]\nmax_input_size = {most}\n\
             max_output_size = {most}\nweight_scaling_omega = {omega}\nweight_scaling_columnwise = {columnwise}"));
        let programmed = ProgrammedMatrix::program(&weights, None, &config, RngKey::root(key)).unwrap();
        let u = 0.5 * f32::EPSILON;
        let tolerance = (8.0 * 2.0 * 4.0 / 3.0 + 2.0) * u * weights.amax().max(1.0);
        let held = programmed.programmed_weights();
        prop_assert!((&held - &weights).amax() <= tolerance, "{} {}", held, weights);
        let later = programmed.at(1e6, RngKey::root(key)).unwrap();
        prop_assert_eq!(later.weights(), held.clone());
        // Products: as many roundings as inputs, slices and parts, each of Σ|w||x|.
        let x = example(inputs, 3);
        let sizes = held.map(f32::abs) * x.map(f32::abs);
        let roundings = (inputs + 8) as f32 * 2.0;
        let excess = (outputs(&later, &x) - &held * &x).zip_map(&sizes, |error, size| error.abs() - 2.0 * roundings * u * size);
        prop_assert!(excess.max() <= tolerance, "{}", excess);
    }
}

/// Every tile of the grid has devices of its own; the same key always gives the same ones.
#[test]
fn tiles_are_programmed_independently_and_reproducibly() {
    let weights = DMatrix::from_element(4, 6, 0.5);
    let config = with(&perfect(), "[periphery.mapping]\nmax_input_size = 3\nmax_output_size = 4");
    let programmed = program(&config, &weights);
    let tiles: Vec<_> = programmed.tiles().collect();
    assert_eq!(tiles.len(), 2);
    assert_ne!(tiles[0].slices()[0], tiles[1].slices()[0]);
    assert_eq!(programmed.programmed_weights(), program(&config, &weights).programmed_weights());
    // Each tile is compensated on its own.
    let later = programmed.at(1e5, RngKey::root(1)).unwrap();
    let alphas: Vec<f32> = later.tiles().map(|tile| tile.alpha()[0]).collect();
    assert!(alphas[0] > 1.0 && alphas[1] > 1.0 && alphas[0] != alphas[1], "{alphas:?}");
}

/// The error of a slice counts by its significance: with the same devices, three slices of 3 bits hold 0.7 to 2⁻⁶ of the
/// noise of the last, and the first adds its own, that of a weight of 0.75.
#[test]
fn every_slice_has_devices_and_a_scale_of_its_own() {
    let weights = DMatrix::from_element(20, 500, 0.7);
    let config = with(&perfect(), "slices = { slices = 3, bits_per_slice = 3 }");
    let programmed = program(&config, &weights);
    let slices: Vec<_> = programmed.tiles().collect();
    assert_eq!(slices.len(), 3);
    // 0.7 = 6/8 - 3/64 - 0.2/64: largest weights 6/8, 3/8 and 0.2, each programmed to the full 25 µS.
    for (slice, largest) in slices.iter().zip([0.75_f32, 0.375, 0.2]) {
        assert_close!(slice.gain() * largest, 25.0, 1e-4);
    }
    // Programming noise of the slices at full scale is their largest weight times one relative std r.
    let spread = |weights: &DMatrix<f32>| f64::from(weights.variance()).sqrt();
    let parts: Vec<f64> = slices.iter().map(|slice| spread(&slice.programmed_weights())).collect();
    let sum = (0..3).map(|k| (parts[k] * 0.125_f64.powi(k as i32)).powi(2)).sum::<f64>().sqrt();
    // Independent errors add up; the std of n samples of the sum errs by 1/√(2n), 6 of which are one in 10⁹.
    let n = weights.len() as f64;
    assert_close!(spread(&programmed.programmed_weights()) / sum, 1.0, 6.0 / (2.0 * n).sqrt());
}

/// x = 0: y = b.
#[test]
fn an_analog_bias_is_a_column_of_devices() {
    let weights = example(3, 4);
    let bias = [0.5, -0.25, 0.125];
    let config = with(&noiseless(), "periphery.mapping.digital_bias = false");
    let programmed = ProgrammedMatrix::program(&weights, Some(&bias), &config, RngKey::root(KEY)).unwrap();
    assert_eq!(programmed.tiles().next().unwrap().shape().inputs, 5);
    let later = programmed.at(1e5, RngKey::root(1)).unwrap();
    let y = outputs(&later, &DMatrix::zeros(4, 1));
    // 8 u of the largest weight per device, see the converter.
    let tolerance = 8.0 * 0.5 * f32::EPSILON * weights.amax();
    for (y, b) in y.iter().zip(bias) {
        assert_close!(*y, b, tolerance);
    }
    let refused = ProgrammedMatrix::program(&weights, None, &config, RngKey::root(KEY)).unwrap_err();
    assert_eq!(refused.to_string(), "bias has (0, 1) rows x columns, the tile needs (3, 1)");
    ProgrammedMatrix::program(&weights, Some(&bias), &noiseless(), RngKey::root(KEY)).unwrap_err();
    let large = with(&config, "periphery.mapping.max_input_size = 4");
    let refused = ProgrammedMatrix::program(&weights, Some(&bias), &large, RngKey::root(KEY)).unwrap_err();
    assert!(refused.to_string().starts_with("periphery.mapping.digital_bias = false"), "{refused}");
}

/// Draws are addressed: bits on one thread = bits on several.
#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let weights = example(60, 70);
    let config = with(
        &InferenceTileConfig::default(),
        "slices = {}\n[periphery.mapping]\nmax_input_size = 32\nweight_scaling_omega = 0.8",
    );
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let later = program(&config, &weights).at(3600.0, RngKey::root(5)).unwrap();
            (later.compensated_weights(), outputs(&later, &example(70, 9)))
        })
    };
    assert_eq!(run(1), run(2));
}
