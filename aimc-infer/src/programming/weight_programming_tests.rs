//! Tests of the search for a converter.

use super::*;
use crate::converter::{Converter, SinglePair};
use crate::program::tests::{example, perfect};
use aimc_testkit::assert_close;

use aimc_device::programmed::{ProgrammedDeviceConfig, Tabulated};
use aimc_testkit::strategies::config as cases;
use proptest::prelude::*;

/// A small search.
fn small() -> WeightProgramming {
    WeightProgramming {
        times_seconds: vec![1.0],
        samples: 400,
        comparison_repeats: 3,
        search: DifferentialEvolution { population: 3, generations: 30, ..DifferentialEvolution::default() },
        ..WeightProgramming::default()
    }
}

fn find(wanted: &WeightProgramming, tile: &InferenceTileConfig) -> FoundConverter {
    wanted.find(example(30, 40).as_slice(), tile, RngKey::root(3)).unwrap()
}

proptest! {
    #![proptest_config(cases(200))]

    /// Every point of the cube is a converter: the table is linear and within the range of the device.
    #[test]
    fn every_point_of_the_cube_is_a_converter(
        x in prop::collection::vec(0.0..=1.0_f64, 59), pairs in 1_usize..4, g_min in 0.0..5.0_f32, free in any::<bool>(),
        symmetric in any::<bool>(),
    ) {
        let f_lst = vec![if free { 0.0 } else { 2.0 }; pairs];
        let wanted = WeightProgramming { f_lst, g_min, symmetric, ..WeightProgramming::default() };
        let found = wanted.decode(&x[..wanted.dimensions()], 25.0);
        prop_assert!(found.g_lst.iter().all(|g| g.len() == 11));
        prop_assert!(found.validate(25.0).is_ok(), "{:?} {:?}", found, found.validate(25.0));
        prop_assert!(found.g_lst.iter().flatten().all(|g| *g >= g_min - 1e-5));
    }
}

/// The candidate that is always tried first is the single pair.
#[test]
fn the_first_candidate_is_the_single_pair() {
    let wanted = WeightProgramming { g_min: 2.0, ..WeightProgramming::default() };
    let (pair, first) = (SinglePair { g_min: 2.0 }, wanted.decode(&wanted.plain(), 25.0));
    let apart = WeightProgramming { symmetric: false, ..wanted };
    assert_eq!(first, apart.decode(&apart.plain(), 25.0));
    assert_eq!(first.g_lst[0].len(), 11);
    for w in [-1.0, -0.3, 0.0, 0.5, 0.77, 1.0] {
        let cell = |converter: &dyn Fn(&mut [f32])| {
            let mut g = [0.0; 2];
            converter(&mut g);
            g
        };
        let a = cell(&|g| pair.conductances(w, pair.gain(&[1.0], 25.0), 25.0, g));
        let b = cell(&|g| first.conductances(w, first.gain(&[1.0], 25.0), 25.0, g));
        for (a, b) in a.iter().zip(&b) {
            assert_close!(*a, *b, 1e-4);
        }
    }
}

/// A device that is noisy when empty (2 µS) and nearly exact when full (0.1 µS), without drift: weights are best held by two full
/// devices, not by a full and an empty one. With g⁻ = 25 - |Δ| instead of 0 the variance of a small weight falls from 2·2² to about
/// 2·0.1²; even the largest ones gain nothing by the change, but lose nothing. So the loss must fall by far more than half.
#[test]
fn a_device_that_likes_to_be_full_is_kept_full() {
    let device = Tabulated { prog_std_lst: vec![2.0, 0.1], ..Tabulated::default() };
    let tile = InferenceTileConfig { device: ProgrammedDeviceConfig::Tabulated(device), ..perfect() };
    let found = find(&small(), &tile);
    assert!(found.improved && found.loss < 0.5 * found.baseline_loss, "{found:?}");
    let ConverterConfig::CustomPair(pair) = &found.converter else { panic!("{found:?}") };
    assert!(
        pair.g_lst[0][5] > 12.5,
        "a weight of 0 is held by devices that are more full than empty: {pair:?}"
    );
}

/// Weights of one sign only are improved as much as in a symmetric table, and the table does not mirror itself.
#[test]
fn an_asymmetric_table_treats_the_signs_apart() {
    let device = Tabulated { prog_std_lst: vec![2.0, 0.1], ..Tabulated::default() };
    let tile = InferenceTileConfig { device: ProgrammedDeviceConfig::Tabulated(device), ..perfect() };
    let wanted = WeightProgramming { symmetric: false, ..small() };
    let weights = example(30, 40).map(f32::abs);
    let found = wanted.find(weights.as_slice(), &tile, RngKey::root(3)).unwrap();
    assert!(found.improved && found.loss < 0.5 * found.baseline_loss, "{found:?}");
    let ConverterConfig::CustomPair(pair) = &found.converter else { panic!("{found:?}") };
    let mirror = |i: usize| pair.g_lst[0][i] - pair.g_lst[1][10 - i];
    assert!((0..5).any(|i| mirror(i).abs() > 1.0), "{pair:?}");
}

/// Whatever the device, the result is never worse than what it began with; where nothing is to be gained it stays.
#[test]
fn the_result_is_never_worse_than_the_baseline() {
    let quick = WeightProgramming {
        search: DifferentialEvolution { population: 1, generations: 3, ..DifferentialEvolution::default() },
        f_lst: vec![1.0, 0.0],
        ..small()
    };
    for device in ["PcmLike", "Hermes", "ReRamWan2022", "ReRamCmo", "StateIndependent", "Tabulated"] {
        let text = format!("device.model = \"{device}\"\nconverter = {{ model = \"NPair\" }}");
        let tile: InferenceTileConfig = aimc_device::config::from_toml(&text).unwrap();
        let found = find(&quick, &tile);
        assert!(found.loss <= found.baseline_loss, "{device}: {found:?}");
        assert_eq!(found.improved, found.converter != tile.converter, "{device}");
        found.converter.validate(tile.device.g_max()).unwrap();
    }
}

/// Draws are addressed: bits on one thread = bits on several.
#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let search =
            DifferentialEvolution { population: 1, generations: 3, ..DifferentialEvolution::default() };
        pool.install(|| find(&WeightProgramming { search, ..small() }, &InferenceTileConfig::default()))
    };
    assert_eq!(run(1), run(2));
}

/// Quantiles, so that the sample has the law of the weights; and every one once.
#[test]
fn the_sample_has_the_law_of_the_weights() {
    let wanted = WeightProgramming { samples: 101, test_out_features: 1, ..WeightProgramming::default() };
    let weights: Vec<f32> = (0..1001).rev().map(|i| i as f32).collect();
    let mut sample: Vec<f32> = wanted.sample(&weights, RngKey::root(1)).unwrap().iter().copied().collect();
    sample.sort_by(f32::total_cmp);
    let worst = sample.iter().enumerate().map(|(i, s)| (s - 10.0 * i as f32).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-2, "{worst}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let field = |change: fn(&mut WeightProgramming)| {
        let mut wanted = WeightProgramming::default();
        change(&mut wanted);
        wanted.validate(25.0).unwrap_err().field
    };
    assert_eq!(field(|w| w.f_lst = vec![]), "f_lst");
    assert_eq!(field(|w| w.f_lst[0] = -1.0), "f_lst[0]");
    assert_eq!(field(|w| w.f_max = 0.01), "f_max");
    assert_eq!(field(|w| w.g_min = 25.0), "g_min");
    assert_eq!(field(|w| w.times_seconds = vec![]), "times_seconds");
    assert_eq!(field(|w| w.samples = 1), "samples");
    assert_eq!(field(|w| w.loss_margin = 1.0), "loss_margin");
    assert_eq!(field(|w| w.comparison_repeats = 0), "comparison_repeats");
    assert_eq!(field(|w| w.search.population = 0), "search.population");
    let tile = InferenceTileConfig::default();
    let find = |weights: &[f32]| small().find(weights, &tile, RngKey::root(1)).unwrap_err().to_string();
    assert!(find(&[]).starts_with("weights = 0"));
    assert!(find(&[1.0, f32::NAN]).contains("line 1"));
}
