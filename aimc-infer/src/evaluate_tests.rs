//! Tests of the evaluation over time.

use super::*;
use crate::compensation::Compensation;
use crate::program::tests::{example, noiseless};
use crate::program_network;

use std::sync::Mutex;

use aimc_nn::{Network, NetworkConfig};
use aimc_tile::{IdealTile, IoConfig, MatVec, ReadOut, SampleKeys};
use nalgebra::DMatrix;

/// A network, and samples labelled by its own exact outputs.
pub(crate) fn problem() -> (Network<IdealTile>, Dataset) {
    let description = NetworkConfig::mlp(&[12, 8, 4], aimc_nn::Activation::Sigmoid);
    let mut network = description.build(RngKey::root(1), |place| IdealTile::new(place.shape)).unwrap();
    for (_, tile) in network.tiles_mut() {
        let shape = tile.shape();
        tile.set_weights(&(4.0 * example(shape.outputs, shape.inputs)), RngKey::root(0)).unwrap();
    }
    let features: DMatrix<f32> = example(12, 300) * 2.0;
    let exact = network.forward(features.as_view(), SampleKeys::new(RngKey::root(0))).unwrap();
    let labels = exact.column_iter().map(|column| column.argmax().0).collect();
    (network, Dataset::new(features, labels, 4).unwrap())
}

fn plan(times: &[f32], repeats: usize) -> EvaluationConfig {
    EvaluationConfig { times_seconds: times.to_vec(), repeats, ..EvaluationConfig::default() }
}

fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn run(tile: &InferenceTileConfig, plan: &EvaluationConfig) -> AccuracyOverTime {
    let (network, data) = problem();
    evaluate(&network, tile, &data, plan, RngKey::root(7), &go_on).unwrap()
}

/// Exact devices: accuracy 1 on labels that the digital network gave, at any time.
#[test]
fn without_noise_the_answers_are_the_digital_ones() {
    let result = run(&noiseless(), &plan(&[0.0, 1e7], 2));
    assert_eq!((result.samples, result.repeats), (300, 2));
    for at in &result.times {
        assert_eq!(at.accuracies, [1.0, 1.0]);
        assert_eq!(at.summary.confidence_95, Some([1.0, 1.0]));
    }
}

/// Every device without its noise gives the digital answers, at any time and with any compensation.
#[test]
fn every_device_without_noise_answers_as_digital() {
    let off = "prog_noise_scale = 0.0, read_noise_scale = 0.0, drift_scale = 0.0";
    for (device, converter) in [
        (format!("{{ model = \"PcmLike\", {off} }}"), ""),
        (format!("{{ model = \"CustomDriftPcmLike\", pcm = {{ {off} }} }}"), ""),
        (format!("{{ model = \"Hermes\", {off} }}"), "converter = { model = \"NPair\" }"),
        (
            format!("{{ model = \"Hermes\", num_devices = 1, {off} }}"),
            "converter = { model = \"OffsetColumn\" }",
        ),
        ("{ model = \"ReRamWan2022\", noise_scale = 0.0 }".to_owned(), ""),
        (
            "{ model = \"ReRamWan2022\", noise_scale = 0.0, relaxation = \"Redrawn\" }".to_owned(),
            "converter = { model = \"CustomPair\" }",
        ),
        (format!("{{ model = \"ReRamCmo\", {off} }}"), "converter = { model = \"SingleDevice\" }"),
        (format!("{{ model = \"StateIndependent\", {off} }}"), ""),
        ("{ model = \"Tabulated\" }".to_owned(), ""),
    ] {
        for compensation in ["None", "Global", "PerColumn", "GlobalWithExactReference"] {
            let text = format!(
                "device = {device}\ncompensation = \"{compensation}\"\nforward.is_perfect = true\n{converter}"
            );
            let tile: InferenceTileConfig = aimc_device::config::from_toml(&text).unwrap();
            let result = run(&tile, &plan(&[0.0, 1e7], 2));
            assert!(result.times.iter().all(|at| at.accuracies == [1.0, 1.0]), "{text}");
        }
    }
}

/// Bias as a column: inputs + 1 columns, accuracy 1 on exact devices.
#[test]
fn biases_may_be_programmed_too() {
    let mut analog = noiseless();
    analog.periphery.mapping.digital_bias = false;
    let result = run(&analog, &plan(&[1e7], 2));
    assert_eq!(result.times[0].accuracies, [1.0, 1.0]);
    let (network, _) = problem();
    let programmed = program_network(&network, &analog, RngKey::root(7)).unwrap();
    let shapes: Vec<_> = programmed.tiles().map(|(_, tile)| tile.tiles().next().unwrap().shape()).collect();
    assert_eq!(shapes.iter().map(|shape| shape.inputs).collect::<Vec<_>>(), [13, 9]);
}

/// Accuracy after a year: none < global compensation < 1.
#[test]
fn noise_costs_accuracy_and_compensation_wins_some_back() {
    let global = InferenceTileConfig::default();
    let none = InferenceTileConfig { compensation: Compensation::None, ..global.clone() };
    let plan = plan(&[1.0, 3.15e7], 8);
    let (global, none) = (run(&global, &plan), run(&none, &plan));
    let last = |result: &AccuracyOverTime| result.times[1].summary.mean;
    assert!(last(&global) < 1.0);
    assert!(last(&none) < last(&global), "{} {}", last(&none), last(&global));
}

/// Draws are addressed: a measurement is the same whatever is measured beside it.
#[test]
fn bits_do_not_depend_on_threads_times_repeats_or_batches() {
    let tile = InferenceTileConfig::default();
    let whole = plan(&[1.0, 3600.0, 1e7], 5);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&tile, &whole))
    };
    let result = on(1);
    assert_eq!(result, on(2));
    let fewer = run(&tile, &plan(&[3600.0], 3));
    assert_eq!(fewer.times[0].accuracies, result.times[1].accuracies[..3]);
    // Batches may round sums differently, but draw the same noise: no answer of these samples is that close.
    assert_eq!(run(&tile, &EvaluationConfig { batch_size: 7, ..whole }), result);
}

/// With exact circuits α > 0 scales all outputs of a single layer alike: the winners, and so the accuracies, are
/// the same with and without compensation if and only if both saw the same devices and the same read noise.
#[test]
fn conditions_with_one_key_are_paired() {
    let layer = aimc_nn::LinearConfig { inputs: Some(12), outputs: 4, bias: false };
    let description = NetworkConfig { input: Vec::new(), layers: vec![layer.into()] };
    let mut network = description.build(RngKey::root(1), |place| IdealTile::new(place.shape)).unwrap();
    network.tiles_mut().for_each(|(_, t)| t.set_weights(&example(4, 12), RngKey::root(0)).unwrap());
    let (_, data) = problem();
    let accuracies = |compensation, key| {
        let tile = InferenceTileConfig {
            compensation,
            forward: IoConfig::perfect(),
            ..InferenceTileConfig::default()
        };
        let plan = plan(&[1.0, 1e6], 4);
        let result = evaluate(&network, &tile, &data, &plan, RngKey::root(key), &go_on).unwrap();
        result.times.into_iter().map(|at| at.accuracies).collect::<Vec<_>>()
    };
    assert_eq!(accuracies(Compensation::None, 7), accuracies(Compensation::Global, 7));
    assert_ne!(accuracies(Compensation::None, 7), accuracies(Compensation::None, 8));
}

#[test]
fn progress_tells_of_every_measurement_once() {
    let (network, data) = problem();
    let told = Mutex::new(Vec::new());
    let progress = |progress: Progress| {
        told.lock().unwrap().push(progress);
        ControlFlow::Continue(())
    };
    let plan = plan(&[1.0, 60.0], 3);
    let result =
        evaluate(&network, &InferenceTileConfig::default(), &data, &plan, RngKey::root(7), &progress);
    let (mut told, result) = (told.into_inner().unwrap(), result.unwrap());
    told.sort_by_key(|progress| progress.done);
    assert_eq!(
        told.iter().map(|p| (p.done, p.total)).collect::<Vec<_>>(),
        (1..=6).map(|i| (i, 6)).collect::<Vec<_>>()
    );
    for progress in told {
        let at = result.times.iter().find(|at| at.time_seconds == progress.time_seconds).unwrap();
        assert_eq!(at.accuracies[progress.repeat], progress.accuracy);
    }
}

#[test]
fn a_break_cancels_even_at_the_end() {
    let (network, data) = problem();
    for stop in [1, 3, 6] {
        let progress = |progress: Progress| {
            if progress.done >= stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let plan = plan(&[1.0, 60.0], 3);
        let result = evaluate(&network, &noiseless(), &data, &plan, RngKey::root(7), &progress);
        assert_eq!(result, Err(EvaluationError::Cancelled));
    }
}

#[test]
fn plans_that_make_no_sense_are_refused() {
    let field = |plan: EvaluationConfig| plan.validate().unwrap_err().field;
    assert_eq!(field(plan(&[], 1)), "times_seconds");
    assert_eq!(field(plan(&[1.0], 0)), "repeats");
    assert_eq!(field(plan(&[-1.0], 1)), "times_seconds[0]");
    assert_eq!(field(plan(&[1.0, f32::NAN], 1)), "times_seconds[1]");
    assert_eq!(field(plan(&[1.0, 1.0], 1)), "times_seconds[1]");
    assert_eq!(field(EvaluationConfig { reads: 0, ..plan(&[1.0], 1) }), "reads");
    assert_eq!(field(EvaluationConfig { batch_size: 0, ..plan(&[1.0], 1) }), "batch_size");
    let (network, data) = problem();
    let refuse = |tile: &InferenceTileConfig, data: &Dataset| {
        evaluate(&network, tile, data, &plan(&[1.0], 1), RngKey::root(1), &go_on).unwrap_err().to_string()
    };
    let mut tile = noiseless();
    tile.periphery.mapping.weight_scaling_omega = f32::NAN;
    assert_eq!(
        refuse(&tile, &data),
        "periphery.mapping.weight_scaling_omega = NaN: must be a finite number, 0 or above"
    );
    let five = Dataset::new(data.features().clone(), data.labels().to_vec(), 5).unwrap();
    assert_eq!(refuse(&noiseless(), &five), "the network has 4 outputs, but the data set has 5 classes");
    let narrow = Dataset::new(DMatrix::zeros(3, 1), vec![0], 4).unwrap();
    assert!(refuse(&noiseless(), &narrow).starts_with("layer 0: "));
}

#[test]
fn a_tile_that_cannot_be_programmed_names_its_layer() {
    /// A tile whose weights have run away.
    #[derive(Debug)]
    struct RunAway(IdealTile);
    impl MatVec for RunAway {
        fn shape(&self) -> aimc_tile::Shape {
            self.0.shape()
        }
        fn forward(
            &self,
            x: nalgebra::DMatrixView<f32>,
            y: nalgebra::DMatrixViewMut<f32>,
            draws: SampleKeys,
        ) -> Result<(), aimc_tile::TileError> {
            self.0.forward(x, y, draws)
        }
    }
    impl ReadOut for RunAway {
        fn weights(&self) -> DMatrix<f32> {
            self.0.weights().map(|_| f32::INFINITY)
        }
        fn set_weights(&mut self, w: &DMatrix<f32>, key: RngKey) -> Result<(), aimc_tile::TileError> {
            self.0.set_weights(w, key)
        }
    }
    let (network, data) = problem();
    let network = network.try_map_tiles(|_, tile| Ok::<_, EvaluationError>(RunAway(tile.clone()))).unwrap();
    let plan = plan(&[1.0], 4);
    let error = evaluate(&network, &noiseless(), &data, &plan, RngKey::root(1), &go_on).unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer0.tile: weights: line 0 of sample 0 carries inf, which is not finite"
    );
}

/// Reads at one time share their devices: without noise of reads and circuits they agree, with it they differ.
#[test]
fn reads_of_one_event_differ_by_read_noise_alone() {
    let plan = EvaluationConfig { reads: 3, ..plan(&[3600.0, 3e7], 2) };
    let device = aimc_device::programmed::PcmLike { read_noise_scale: 0.0, ..Default::default() };
    let quiet = InferenceTileConfig {
        device: aimc_device::programmed::ProgrammedDeviceConfig::PcmLike(device),
        forward: IoConfig::perfect(),
        ..InferenceTileConfig::default()
    };
    let result = run(&quiet, &plan);
    for at in &result.times {
        assert!(at.nested.reads.iter().all(|reads| reads.iter().all(|a| *a == reads[0])), "{at:?}");
        assert_eq!(at.nested.read_std, Some(0.0));
        assert_eq!(at.summary, Summary::of(&at.accuracies));
    }
    let noisy = run(&InferenceTileConfig::default(), &plan);
    assert!(noisy.times[1].nested.read_std.unwrap() > 0.0);
    // More reads change none of the others.
    let once = run(&InferenceTileConfig::default(), &EvaluationConfig { reads: 1, ..plan });
    for (many, one) in noisy.times.iter().zip(&once.times) {
        assert_eq!(many.nested.reads.iter().map(|reads| reads[0]).collect::<Vec<_>>(), one.accuracies);
    }
}
