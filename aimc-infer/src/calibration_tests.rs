//! Tests of calibration.

use super::run::calibrate_in_batches;
use super::*;
use crate::evaluate::tests::problem;
use crate::network::{network_at, program_network};
use crate::program::tests::noiseless;
use crate::settings::with_settings;
use aimc_testkit::assert_close;

use aimc_device::RngKey;
use aimc_nn::{Activation, Dataset, Network, NetworkConfig};
use aimc_testkit::strategies::{config as cases, seed};
use aimc_tile::periphery::mv_type::MvType;
use aimc_tile::{IdealTile, IoConfig, MatVec, SampleKeys};
use cached_quantile::CachedQuantile;
use moving_quantile::MovingQuantile;
use moving_std::MovingStd;
use nalgebra::DMatrix;
use proptest::prelude::*;

fn rules() -> Vec<InputRule> {
    vec![
        InputRule::Max,
        InputRule::MovingQuantile(MovingQuantile { quantile: 0.9, window: 64, signed: false }),
        InputRule::MovingStd(MovingStd { window: 64, ..MovingStd::default() }),
        InputRule::CachedQuantile(CachedQuantile { quantile: 0.99, signed: false }),
    ]
}

/// A chip with static input ranges and 6-bit converters, without device errors.
fn chip() -> InferenceTileConfig {
    let mut chip = noiseless();
    chip.forward = aimc_device::config::from_toml(
        "inp_res = 62.0\nout_res = 62.0\nout_noise = 0.02\nnoise_management = \"None\"\nbound_management = \"None\"",
    )
    .unwrap();
    chip.periphery.input_range.enable = true;
    chip.periphery.mapping.weight_scaling_omega = 1.0;
    chip.periphery.mapping.max_input_size = 7;
    chip
}

fn plan(input: InputRule) -> CalibrationConfig {
    CalibrationConfig { input, samples: 0, vectors: 100, ..CalibrationConfig::default() }
}

fn found(plan: &CalibrationConfig, batch_size: usize) -> Calibration {
    let (network, data) = problem();
    calibrate_in_batches(&network, &chip(), &data, plan, (RngKey::root(3), batch_size)).unwrap()
}

/// The input ranges of all tiles.
fn inputs(calibration: &Calibration) -> Vec<f32> {
    calibration.matrices.iter().flat_map(|m| &m.tiles).map(|tile| tile.after.input.unwrap()).collect()
}

/// One matrix of the given weights.
fn single(weights: &DMatrix<f32>) -> Network<IdealTile> {
    let description = NetworkConfig::mlp(&[weights.ncols(), weights.nrows()], Activation::Tanh);
    let mut network = description.build(RngKey::root(1), |place| IdealTile::new(place.shape)).unwrap();
    let (_, tile) = network.tiles_mut().next().unwrap();
    *tile = IdealTile::holding(weights);
    network
}

fn data(features: DMatrix<f32>) -> Dataset {
    let samples = features.ncols();
    Dataset::new(features, vec![0; samples], 1).unwrap()
}

/// Range of a tile = max |x| over the data and over the inputs of that tile.
#[test]
fn ranges_are_those_of_the_inputs_of_each_tile() {
    let (network, data) = problem();
    let max = inputs(&found(&plan(InputRule::Max), 300));
    // 12 inputs on tiles of at most 7 are 6 + 6, 8 are 4 + 4.
    assert_eq!(max.len(), 4);
    assert_eq!(max[0], data.features().rows(0, 6).amax());
    assert_eq!(max[1], data.features().rows(6, 6).amax());
    let mut cut = network.clone();
    cut.layers.truncate(2);
    let hidden = cut.forward(data.features().as_view(), SampleKeys::new(RngKey::root(0))).unwrap();
    assert_eq!(max[2], hidden.rows(0, 4).amax());
    assert_eq!(max[3], hidden.rows(4, 4).amax());
}

/// Draws and choices are addressed; only sums behind the first layer may round differently.
#[test]
fn batches_do_not_matter() {
    let mut plans: Vec<_> = rules().into_iter().map(plan).collect();
    plans.push(CalibrationConfig { adc: Some(AdcRange::default()), ..plan(InputRule::Max) });
    plans.push(CalibrationConfig { through: Through::Analog, ..plan(InputRule::Max) });
    for plan in plans {
        let whole = found(&plan, 300);
        for batch_size in [1, 7, 256] {
            let split = found(&plan, batch_size);
            let pairs =
                whole.matrices.iter().zip(&split.matrices).flat_map(|(a, b)| a.tiles.iter().zip(&b.tiles));
            for (i, (a, b)) in pairs.enumerate() {
                let close = |a: f32, b: f32| (a - b).abs() <= if i < 2 { 0.0 } else { 1e-5 * a.abs() };
                assert!(
                    close(a.after.input.unwrap(), b.after.input.unwrap()),
                    "{plan:?} {batch_size} {a:?} {b:?}"
                );
                assert_eq!(a.vectors, b.vectors);
                // Currents and errors follow rounded steps of the converters behind the first layer.
                assert!(i > 1 || close(a.after.output, b.after.output), "{plan:?} {batch_size}");
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(24))]

    /// No quantile is above the maximum, and a range scales with the inputs (a power of two is exact).
    #[test]
    fn the_maximum_bounds_all_quantiles(seed in seed(), q in 0.0_f32..=1.0, window in 1_usize..40) {
        let mut features = DMatrix::zeros(5, 60);
        RngKey::root(seed).stream(0).fill_normal(features.as_mut_slice());
        let network = single(&DMatrix::from_element(2, 5, 0.5));
        let range = |rule: InputRule, scale: f32| {
            let samples = data(&features * scale);
            inputs(&calibrate(&network, &chip(), &samples, &plan(rule), RngKey::root(1)).unwrap())[0]
        };
        let max = range(InputRule::Max, 1.0);
        prop_assert_eq!(max, features.amax());
        for rule in [
            InputRule::CachedQuantile(CachedQuantile { quantile: q, signed: false }),
            InputRule::MovingQuantile(MovingQuantile { quantile: q, window, signed: false }),
        ] {
            let found = range(rule.clone(), 1.0);
            prop_assert!(found <= max && found >= 0.0);
            prop_assert_eq!(range(rule, 4.0), 4.0 * found);
        }
    }

    /// With the range of the maximum and of all currents nothing is cut: without rounding the products are exact.
    #[test]
    fn nothing_is_cut_by_the_largest_ranges(seed in seed()) {
        let (mut features, mut weights) = (DMatrix::zeros(6, 40), DMatrix::zeros(3, 6));
        RngKey::root(seed).stream(0).fill_normal(features.as_mut_slice());
        RngKey::root(seed).stream(1).fill_normal(weights.as_mut_slice());
        let mut chip = chip();
        chip.forward.inp_res = -1.0;
        chip.forward.out_res = -1.0;
        chip.forward.out_noise = 0.0;
        // Far too small before.
        chip.forward.out_bound = 0.01;
        chip.periphery.input_range.init_value = 0.01;
        let plan = CalibrationConfig { adc: Some(AdcRange::default()), ..plan(InputRule::Max) };
        let found = calibrate(&single(&weights), &chip, &data(features), &plan, RngKey::root(1)).unwrap();
        let tile = &found.matrices[0].tiles[0];
        prop_assert!(tile.error_before.unwrap() > 0.5, "{:?}", tile);
        prop_assert!(tile.error_after.unwrap() < 1e-5, "{:?}", tile);
    }

    /// The search remembers where it started.
    #[test]
    fn the_joint_search_is_never_worse_than_its_starts(seed in seed(), init in 0.05_f32..20.0, bound in 0.05_f32..20.0) {
        let (mut features, mut weights) = (DMatrix::zeros(8, 50), DMatrix::zeros(4, 8));
        RngKey::root(seed).stream(0).fill_normal(features.as_mut_slice());
        RngKey::root(seed).stream(1).fill_normal(weights.as_mut_slice());
        let network = single(&weights);
        let mut chip = chip();
        chip.periphery.input_range.init_value = init;
        chip.forward.out_bound = bound;
        let rules = CalibrationConfig { adc: Some(AdcRange::default()), ..plan(InputRule::Max) };
        let joint = CalibrationConfig { joint: Some(JointSearch::default()), ..rules.clone() };
        let run = |plan| {
            let found = calibrate(&network, &chip, &data(features.clone()), plan, RngKey::root(1)).unwrap();
            let errors = |tile: &TileCalibration| (tile.error_before.unwrap(), tile.error_after.unwrap());
            found.matrices[0].tiles.iter().map(errors).collect::<Vec<_>>()
        };
        for ((before, searched), (_, by_rules)) in run(&joint).into_iter().zip(run(&rules)) {
            prop_assert!(searched <= before && searched <= by_rules, "{} {} {}", searched, before, by_rules);
        }
    }
}

/// Uniform inputs: F(x) = x, and the rank of the quantile is binomial. F(r) lies within q ± z·√(q(1-q)/n) plus one rank; z = 5 is
/// exceeded once in 1.7·10⁶ trials.
#[test]
fn the_cached_quantile_is_that_of_the_law() {
    let mut features = DMatrix::zeros(4, 5000);
    RngKey::root(11).stream(0).fill_uniform(features.as_mut_slice());
    // Signs do not matter.
    features.iter_mut().step_by(2).for_each(|x| *x = -*x);
    let network = single(&DMatrix::from_element(1, 4, 0.5));
    let samples = data(features);
    for q in [0.5_f64, 0.9, 0.99] {
        let rule = InputRule::CachedQuantile(CachedQuantile { quantile: q as f32, signed: false });
        let plan = CalibrationConfig { vectors: 1000, ..plan(rule) };
        let mut chip = chip();
        chip.periphery.mapping.max_input_size = 0;
        let found = calibrate(&network, &chip, &samples, &plan, RngKey::root(2)).unwrap();
        assert_eq!(found.matrices[0].tiles[0].vectors, 1000);
        let n = 4000.0;
        let allowed = 5.0 * (q * (1.0 - q) / n).sqrt() + 1.0 / n;
        let range = f64::from(inputs(&found)[0]);
        assert_close!(range, q, allowed);
    }
}

/// Rules in closed form: two windows of two vectors, the last one half full.
#[test]
fn moving_rules_average_over_windows() {
    let features = DMatrix::from_column_slice(2, 4, &[1.0, -3.0, 2.0, 4.0, 0.0, 0.0, -6.0, 8.0]);
    let network = single(&DMatrix::from_element(1, 2, 0.5));
    let range = |rule| {
        inputs(&calibrate(&network, &chip(), &data(features.clone()), &plan(rule), RngKey::root(1)).unwrap())
            [0]
    };
    let quantile =
        |quantile, signed| InputRule::MovingQuantile(MovingQuantile { quantile, window: 2, signed });
    // The vector of zeros is left out: windows {1, 3, 2, 4} and {6, 8}, of weights 2 and 1.
    assert_eq!(range(quantile(1.0, false)), (2.0 * 4.0 + 8.0) / 3.0);
    assert_eq!(range(quantile(0.5, false)), (2.0 * 2.5 + 7.0) / 3.0);
    // AIHWKit's way: {-3, 1, 2, 4} and {-6, 8}.
    assert_eq!(range(quantile(0.5, true)), (2.0 * 1.5 + 1.0) / 3.0);
    let std = |signed| InputRule::MovingStd(MovingStd { std_alpha: 3.0, window: 2, signed });
    let wanted = 3.0 * (2.0 * 7.5_f64.sqrt() + 50.0_f64.sqrt()) / 3.0;
    assert_close!(f64::from(range(std(false))), wanted, 1e-5);
    // Around the means 1 and 1, unbiased.
    let wanted = 3.0 * (2.0 * (26.0_f64 / 3.0).sqrt() + 98.0_f64.sqrt()) / 3.0;
    assert_close!(f64::from(range(std(true))), wanted, 1e-5);
}

/// Ranges found by calibration make the products of the chip better, and the network answers better.
#[test]
fn calibrated_chips_answer_better() {
    let (network, data) = problem();
    let plan = CalibrationConfig {
        adc: Some(AdcRange::default()),
        joint: Some(JointSearch::default()),
        ..plan(InputRule::default())
    };
    let mut chip = chip();
    chip.periphery.input_range.init_value = 20.0;
    let found = calibrate(&network, &chip, &data, &plan, RngKey::root(3)).unwrap();
    for tile in found.matrices.iter().flat_map(|matrix| &matrix.tiles) {
        assert!(tile.error_after.unwrap() < 0.3 * tile.error_before.unwrap(), "{tile:?}");
    }
    let calibrated = with_settings(&network, &found.settings()).unwrap();
    fn right<T: MatVec + aimc_tile::ReadOut>(
        network: &Network<T>,
        chip: &InferenceTileConfig,
        data: &Dataset,
    ) -> f64 {
        let programmed = program_network(network, chip, RngKey::root(4)).unwrap();
        let aged = network_at(&programmed, 0.0, RngKey::root(5)).unwrap();
        crate::accuracy(&aged, data, 64, SampleKeys::new(RngKey::root(6))).unwrap()
    }
    let (before, after) = (right(&network, &chip, &data), right(&calibrated, &chip, &data));
    assert!(after > before + 0.05, "{before} {after}");
}

/// The second matrix sees what the calibrated first one gives.
#[test]
fn analog_tiles_are_calibrated_in_order() {
    let (network, data) = problem();
    let mut chip = chip();
    // Outputs of the first matrix are cut away until its ranges are found.
    chip.forward.out_bound = 1e-3;
    let plan = CalibrationConfig { adc: Some(AdcRange::default()), ..plan(InputRule::Max) };
    let exact = calibrate(&network, &chip, &data, &plan, RngKey::root(3)).unwrap();
    let analog = CalibrationConfig { through: Through::Analog, ..plan };
    let analog = calibrate(&network, &chip, &data, &analog, RngKey::root(3)).unwrap();
    for (exact, analog) in inputs(&exact).iter().zip(inputs(&analog)) {
        assert_close!(analog, *exact, 0.1 * exact);
    }
}

#[test]
fn results_can_be_stored() {
    let found = found(&plan(InputRule::Max), 300);
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<Calibration>(&text).unwrap(), found);
    assert_eq!(found.settings().len(), 2);
}

/// A tile that only sees zeros keeps its ranges.
#[test]
fn without_inputs_nothing_changes() {
    let network = single(&DMatrix::from_element(1, 2, 0.5));
    let plan = CalibrationConfig {
        adc: Some(AdcRange::default()),
        joint: Some(JointSearch::default()),
        ..plan(InputRule::Max)
    };
    let found = calibrate(&network, &chip(), &data(DMatrix::zeros(2, 3)), &plan, RngKey::root(1)).unwrap();
    let tile = &found.matrices[0].tiles[0];
    assert_eq!((tile.before, tile.vectors, tile.error_after), (tile.after, 0, None));
}

#[test]
fn plans_that_cannot_be_carried_out_are_refused() {
    let refused = |plan: &CalibrationConfig, change: &dyn Fn(&mut InferenceTileConfig)| {
        let mut chip = chip();
        change(&mut chip);
        plan.validate().and_then(|()| plan.check_tile(&chip)).unwrap_err().field
    };
    let same = |_: &mut InferenceTileConfig| {};
    let base = plan(InputRule::Max);
    assert_eq!(refused(&CalibrationConfig { vectors: 0, ..base.clone() }, &same), "vectors");
    let wrong = InputRule::CachedQuantile(CachedQuantile { quantile: 1.5, signed: false });
    assert_eq!(refused(&plan(wrong), &same), "input.quantile");
    let wrong = InputRule::MovingStd(MovingStd { window: 0, ..MovingStd::default() });
    assert_eq!(refused(&plan(wrong), &same), "input.window");
    let adc = CalibrationConfig { adc: Some(AdcRange::default()), ..base.clone() };
    assert_eq!(refused(&adc, &|chip| chip.forward = IoConfig::perfect()), "tile.forward.is_perfect");
    let two = |chip: &mut InferenceTileConfig| chip.forward.mv_type = MvType::PosNegSeparateDigitalSum;
    assert_eq!(refused(&adc, &two), "tile.forward.mv_type");
    let joint = JointSearch { candidates: 0, ..JointSearch::default() };
    assert_eq!(refused(&CalibrationConfig { joint: Some(joint), ..base.clone() }, &same), "joint.candidates");
    let off = |chip: &mut InferenceTileConfig| chip.periphery.input_range.enable = false;
    assert_eq!(refused(&base, &off), "tile.periphery.input_range.enable");
    let mut plain = chip();
    off(&mut plain);
    plan(InputRule::Keep).check_tile(&plain).unwrap();
    let text = "input = { rule = \"Maxx\" }";
    let error = aimc_device::config::from_toml::<CalibrationConfig>(text).unwrap_err();
    assert_eq!(error.field, "input.rule");
}
