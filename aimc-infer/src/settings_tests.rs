//! Tests of settings that travel from training to the chip.

use super::*;
use crate::config::InferenceTileConfig;
use crate::error::EvaluationError;
use crate::matrix::InferenceMatrix;
use crate::network::{network_at, program_network};
use crate::program::tests::noiseless;

use aimc_device::config;
use aimc_nn::{Activation, NetworkConfig};
use aimc_tile::{HardwareAwareTile, HardwareAwareTileConfig, KeptScales, LogicalTile, Tile, TileGrid};

type Trained = Network<TileGrid<LogicalTile<HardwareAwareTile>>>;

/// A network whose tiles have learned ranges, factors and scales in a few updates.
fn trained(remap: bool) -> Trained {
    let text = "
        [forward]
        is_perfect = true
        [periphery.mapping]
        weight_scaling_omega = 0.8
        learn_out_scaling = true
        out_scaling_columnwise = true
        max_input_size = 4
        [periphery.input_range]
        enable = true
        init_value = 0.7
        init_from_data = 0
        decay = 0.2";
    let mut config: HardwareAwareTileConfig = config::from_toml(text).unwrap();
    config.backward.is_perfect = true;
    if remap {
        config.remap = config::from_toml("type = \"ChannelwiseSymmetric\"").unwrap();
    }
    let description = NetworkConfig::mlp(&[6, 3], Activation::Tanh);
    let build = |place: &aimc_nn::Place<'_>| config.build(place.shape, place.key);
    let mut network = description.build(RngKey::root(1), build).unwrap();
    let draws = SampleKeys::new(RngKey::root(2));
    for (_, tile) in network.tiles_mut() {
        let x = DMatrix::from_fn(6, 8, |i, j| 1.5 * ((i * 8 + j) as f32).sin());
        let d = DMatrix::from_fn(3, 8, |i, j| 0.1 * (1.0 + i as f32) * ((i * 5 + j) as f32).cos());
        for _ in 0..4 {
            tile.update(x.as_view(), d.as_view(), 0.3, draws).unwrap();
            tile.end_of_step(RngKey::root(3));
        }
    }
    network
}

/// A chip of the same circuits and grid, without any noise.
fn chip() -> InferenceTileConfig {
    let mut chip = noiseless();
    chip.forward.is_perfect = true;
    chip.periphery.mapping.max_input_size = 4;
    chip.periphery.mapping.weight_scaling_omega = 1.0;
    chip.periphery.input_range.enable = true;
    chip
}

fn programmed(network: &Trained, chip: &InferenceTileConfig) -> Network<InferenceMatrix> {
    let programmed = program_network(network, chip, RngKey::root(4)).unwrap();
    network_at(&programmed, 0.0, RngKey::root(5)).unwrap()
}

/// Inputs far beyond the ranges: outputs agree only if ranges are the same.
fn outputs<T: MatVec>(network: &Network<T>) -> DMatrix<f32> {
    let x = DMatrix::from_fn(6, 5, |i, j| 4.0 * ((i + 6 * j) as f32).cos());
    network.forward(x.as_view(), SampleKeys::new(RngKey::root(6))).unwrap()
}

/// Training and chip compute the same function, whichever scales stay digital; rounding is all that differs.
#[test]
fn what_was_learned_goes_onto_the_chip() {
    for remap in [false, true] {
        let network = trained(remap);
        let learned = settings_of(&network);
        let tiles = &learned["layer0.tile"];
        assert_eq!(tiles.len(), 2);
        assert!(tiles.iter().all(|tile| tile.input_range.is_some_and(|range| range != 0.7)), "{tiles:?}");
        let wanted = outputs(&network);
        for kept_scales in [KeptScales::None, KeptScales::Learned, KeptScales::All] {
            let found = outputs(&programmed(&network, &InferenceTileConfig { kept_scales, ..chip() }));
            assert!((found - &wanted).amax() < 1e-4, "{kept_scales:?} {remap}");
        }
        // Without the ranges it is another function.
        let mut other = chip();
        other.periphery.input_range.enable = false;
        assert!((outputs(&programmed(&network, &other)) - &wanted).amax() > 0.1);
    }
}

/// With all scales kept, the arrays hold what the tiles in training held.
#[test]
fn devices_hold_what_was_trained() {
    for remap in [false, true] {
        let network = trained(remap);
        let kept = |kept_scales| programmed(&network, &InferenceTileConfig { kept_scales, ..chip() });
        let (_, trained) = network.tiles().next().unwrap();
        let held: Vec<Vec<f32>> = trained.tiles().map(|tile| tile.tile().held().into_owned()).collect();
        let difference = |chip: &Network<InferenceMatrix>| {
            let (_, matrix) = chip.tiles().next().unwrap();
            let arrays: Vec<_> = matrix.tiles().map(|tile| tile.weights().transpose()).collect();
            let pairs = arrays.iter().zip(&held).flat_map(|(found, held)| found.iter().zip(held));
            pairs.fold(0.0_f32, |most, (found, held)| most.max((found - held).abs()))
        };
        assert!(difference(&kept(KeptScales::All)) < 1e-5);
        assert!(difference(&kept(KeptScales::None)) > 1e-3);
    }
}

/// Settings as text and back, put onto bare weights = the settings of the trained tiles.
#[test]
fn settings_beside_a_network_are_those_of_its_tiles() {
    let network = trained(false);
    let settings = settings_of(&network);
    let text = serde_json::to_string(&settings).unwrap();
    let back: NetworkSettings = serde_json::from_str(&text).unwrap();
    assert_eq!(back, settings);
    // The weights alone, as a file holds them, and the settings.
    let weights =
        network.try_map_tiles(|_, tile| Ok::<_, ConfigError>(aimc_tile::IdealTile::holding(&tile.weights())));
    let carried = with_settings(&weights.unwrap(), &back).unwrap();
    assert_eq!(settings_of(&carried), settings);
    let chip = InferenceTileConfig { kept_scales: KeptScales::All, ..chip() };
    let run = |programmed: Network<crate::ProgrammedMatrix>| {
        outputs(&network_at(&programmed, 0.0, RngKey::root(5)).unwrap())
    };
    let direct = run(program_network(&network, &chip, RngKey::root(4)).unwrap());
    assert_eq!(run(program_network(&carried, &chip, RngKey::root(4)).unwrap()), direct);
}

#[test]
fn settings_that_do_not_fit_are_refused() {
    let network = trained(false);
    let mut other = chip();
    other.periphery.mapping.max_input_size = 512;
    let error = program_network(&network, &other, RngKey::root(4)).unwrap_err();
    assert!(matches!(error, EvaluationError::Tile { .. }));
    assert!(error.to_string().starts_with("layer0.tile: settings = 2: must be 1, the tiles"), "{error}");
    // Nothing of them is used: no reason to refuse.
    other.periphery.input_range.enable = false;
    other.kept_scales = KeptScales::None;
    program_network(&network, &other, RngKey::root(4)).unwrap();
    let weights =
        network.try_map_tiles(|_, tile| Ok::<_, ConfigError>(aimc_tile::IdealTile::holding(&tile.weights())));
    let unknown = NetworkSettings::from([("layer7.tile".to_owned(), Vec::new())]);
    let error = with_settings(&weights.unwrap(), &unknown).unwrap_err();
    assert_eq!(
        error.to_string(),
        "matrix = \"layer7.tile\": is a matrix with settings, but not in the network"
    );
}

/// Settings beside the tile go before its own, field by field.
#[test]
fn calibrated_ranges_replace_trained_ones_and_keep_the_scales() {
    let own = TileSettings { input_range: Some(1.0), scales: vec![2.0], ..TileSettings::default() };
    let beside = TileSettings { input_range: Some(3.0), out_bound: Some(4.0), ..TileSettings::default() };
    let both = over(&beside, own);
    assert_eq!((both.input_range, both.out_bound, both.scales), (Some(3.0), Some(4.0), vec![2.0]));
}
