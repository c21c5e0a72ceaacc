//! Graphs that PyTorch exported (`data/make_graphs.py`), on tiles: with perfect ones they give what PyTorch gave.

#![cfg(feature = "onnx")]
#![allow(clippy::unwrap_used)]

use aimc_device::RngKey;
use aimc_device::config;
use aimc_infer::calibration::{InputRule, Through};
use aimc_infer::onnx::{Computed, Coverage, OnnxClassifier, OnnxError, OnnxGraph, OnnxModel};
use aimc_infer::{
    Calibration, CalibrationConfig, Classifier, Estimate, EvaluationConfig, EvaluationError, InferenceError,
    InferenceTileConfig, NetworkSettings, ProgrammedMatrix, Technology, evaluate,
};
use aimc_nn::import::{Tensor, Tensors};
use aimc_nn::{Dataset, NetworkConfig};
use aimc_testkit::assert_close;
use aimc_tile::{IdealTile, IoConfig, MatVec};
use nalgebra::DMatrix;
use std::ops::ControlFlow;

fn data(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Input and output of PyTorch.
fn reference(name: &str) -> (Tensor, Tensor) {
    let file = Tensors::from_safetensors(&data(&format!("{name}.safetensors"))).unwrap();
    (file.get("x").unwrap().clone(), file.get("y").unwrap().clone())
}

fn perfect(_name: &str, weights: &DMatrix<f32>) -> Result<Box<dyn MatVec>, InferenceError> {
    Ok(Box::new(IdealTile::holding(weights)))
}

fn run(model: &mut OnnxModel, x: &Tensor) -> Tensor {
    model.run(std::slice::from_ref(x), RngKey::root(1)).unwrap().remove(0)
}

/// Values of the order of 1 pass some 100 operations at most, each of which errs by ε/2.
fn assert_equal(what: &str, ours: &Tensor, theirs: &Tensor) {
    assert_eq!(ours.shape, theirs.shape, "{what}");
    let tolerance = 100.0 * f32::EPSILON / 2.0 * theirs.values.iter().fold(1.0_f32, |m, v| m.max(v.abs()));
    for (ours, theirs) in ours.values.iter().zip(&theirs.values) {
        assert_close!(ours, theirs, tolerance, "{what}");
    }
}

fn graph(file: &str, x: &Tensor) -> OnnxGraph {
    OnnxGraph::read(&data(file), std::slice::from_ref(&x.shape))
        .unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Sizes of the matrices of every analog node, and their products.
fn analog(coverage: &Coverage) -> Vec<(Vec<(usize, usize)>, u64)> {
    let nodes = coverage.nodes.iter().filter_map(|node| match &node.computed {
        Computed::Analog { matrices, products } => {
            Some((matrices.iter().map(|shape| (shape.outputs, shape.inputs)).collect(), *products))
        }
        _ => None,
    });
    nodes.collect()
}

/// y on perfect tiles = y of PyTorch, for 11 exported networks.
#[test]
fn perfect_tiles_give_the_output_of_pytorch() {
    let files = ["mlp", "cnn", "lstm", "gru", "rnn", "attention", "conv1d", "sides"]
        .map(|name| (name, format!("{name}.onnx")));
    let newer = ["mlp", "cnn", "attention"].map(|name| (name, format!("{name}.dynamo.onnx")));
    for (name, file) in files.into_iter().chain(newer) {
        let (x, y) = reference(name);
        let graph = graph(&file, &x);
        let digital = run(&mut graph.digital().unwrap(), &x);
        assert_equal(&format!("{file}, tract alone"), &digital, &y);
        let mut model = graph.on_tiles(perfect).unwrap();
        assert_equal(&format!("{file}, on tiles"), &run(&mut model, &x), &y);
    }
}

/// Every matrix of the networks is on a tile, and used as often as the layer needs it for two samples.
#[test]
fn coverage_is_complete() {
    let covered = |name: &str, file: &str| {
        let (x, _) = reference(name);
        let mut model = graph(file, &x).on_tiles(perfect).unwrap();
        run(&mut model, &x);
        model.coverage()
    };
    for file in ["mlp.onnx", "mlp.dynamo.onnx"] {
        let layers = [(vec![(5, 6)], 2), (vec![(4, 5)], 2), (vec![(3, 4)], 2)];
        assert_eq!(analog(&covered("mlp", file)), layers, "{file}");
    }
    for file in ["cnn.onnx", "cnn.dynamo.onnx"] {
        let coverage = covered("cnn", file);
        // 8 x 8 positions, then four groups at 4 x 4, then two groups at 2 x 3; two samples.
        let layers = [
            (vec![(4, 18)], 2 * 64),
            (vec![(1, 9); 4], 2 * 4 * 16),
            (vec![(3, 12); 2], 2 * 2 * 6),
            (vec![(5, 36)], 2),
        ];
        assert_eq!(analog(&coverage), layers, "{file}");
        assert_eq!(coverage.analog_weights(), 4 * 18 + 4 * 9 + 2 * 3 * 12 + 5 * 36);
    }
    // Two directions of two layers, input and state each: at each of 5 steps, two samples.
    let lstm = [
        (vec![(16, 3), (16, 4), (16, 3), (16, 4)], 4 * 10),
        (vec![(16, 8), (16, 4), (16, 8), (16, 4)], 4 * 10),
        (vec![(2, 8)], 2),
    ];
    assert_eq!(analog(&covered("lstm", "lstm.onnx")), lstm);
    let gru = [(vec![(12, 3), (12, 4)], 2 * 10), (vec![(2, 4)], 2)];
    assert_eq!(analog(&covered("gru", "gru.onnx")), gru);
    let rnn = [(vec![(4, 3), (4, 4)], 2 * 10), (vec![(2, 4)], 2)];
    assert_eq!(analog(&covered("rnn", "rnn.onnx")), rnn);
    // Columns of the data are vectors where the weights stand on the left, rows where they stand on the right.
    let sides = [(vec![(4, 5)], 2 * 3), (vec![(6, 3)], 2 * 4)];
    assert_eq!(analog(&covered("sides", "sides.onnx")), sides);
    for file in ["attention.onnx", "attention.dynamo.onnx"] {
        let coverage = covered("attention", file);
        // Four steps of two samples.
        let square = (vec![(8, 8)], 8);
        let expected =
            [square.clone(), square.clone(), square.clone(), square, (vec![(12, 8)], 8), (vec![(8, 12)], 8)];
        assert_eq!(analog(&coverage), expected, "{file}");
        let data = Computed::Digital("both factors are data".into());
        assert_eq!(coverage.nodes.iter().filter(|node| node.computed == data).count(), 2, "{file}");
    }
}

/// What stays digital although it has weights says why.
#[test]
fn what_stays_digital_says_why() {
    for (name, operator, reason) in [
        ("conv1d", "ConvTranspose", "transposed convolutions are not put on tiles"),
        ("sides", "MatMul", "has other weights for every sample"),
    ] {
        let (x, _) = reference(name);
        let coverage = graph(&format!("{name}.onnx"), &x).on_tiles(perfect).unwrap().coverage();
        let digital = Computed::Digital(reason.into());
        let node = coverage.nodes.iter().find(|node| node.computed == digital);
        assert!(node.is_some_and(|node| node.operator == operator), "{coverage}");
        assert!(coverage.to_string().contains(reason));
    }
}

/// Programmed devices drift and are noisy; a key gives the same output again, on every vector another draw.
#[test]
fn programmed_tiles_draw_from_the_key_of_the_run() {
    for name in ["cnn", "lstm"] {
        let (x, y) = reference(name);
        let graph = graph(&format!("{name}.onnx"), &x);
        let mut made = Vec::new();
        let mut model = graph
            .on_tiles(|name, weights| {
                made.push(name.to_owned());
                let key = RngKey::root(made.len() as u64);
                let matrix = ProgrammedMatrix::program(weights, None, &InferenceTileConfig::default(), key)?;
                Ok(Box::new(matrix.at(3600.0, key)?))
            })
            .unwrap();
        let mut run = |seed: u64| model.run(std::slice::from_ref(&x), RngKey::root(seed)).unwrap().remove(0);
        let first = run(1);
        assert_eq!(first, run(1));
        assert_ne!(first, run(2));
        let error = first.values.iter().zip(&y.values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        // PCM at an hour errs by some percent of outputs that are of the order of 1; anything else is another network.
        assert!(error > 1e-4 && error < 0.5, "{name}: {error}");
        made.sort();
        let tiles = made.len();
        made.dedup();
        assert_eq!(made.len(), tiles, "every matrix has a name of its own");
    }
}

#[test]
fn refusals() {
    let mlp = data("mlp.onnx");
    assert!(matches!(OnnxGraph::read(&mlp[..mlp.len() / 2], &[]), Err(OnnxError::Graph(_))));
    assert!(matches!(OnnxGraph::read(&mlp, &[vec![2, 7]]), Err(OnnxError::Graph(_))));
    assert_eq!(
        OnnxGraph::read(&mlp, &[vec![2, 6], vec![1]]).unwrap_err(),
        OnnxError::Inputs { found: 2, needed: 1 }
    );
    // The exported batch may have any size.
    let open = OnnxGraph::read(&mlp, &[]).unwrap_err();
    assert_eq!(open.to_string(), "input x has the open shape batch,6: must be given");
    assert!(OnnxGraph::read(&data("mlp.dynamo.onnx"), &[]).is_ok());
    // The operator and the names made of it, by others of the same length.
    let mut foreign = mlp.clone();
    for at in 0..foreign.len() - 4 {
        if &foreign[at..at + 4] == b"Tanh" {
            foreign[at..at + 4].copy_from_slice(b"Tonk");
        }
    }
    let error = OnnxGraph::read(&foreign, &[vec![2, 6]]).unwrap_err();
    assert_eq!(error.to_string(), "operations that are not supported: Tonk (/3/Tonk)");
    let OnnxError::Unsupported(nodes) = error else { panic!("{error}") };
    assert!(matches!(nodes[0].computed, Computed::Unsupported(_)));
    let refused = graph("mlp.onnx", &reference("mlp").0).on_tiles(|_, _| Err(InferenceError::Time(-1.0)));
    assert!(matches!(refused, Err(OnnxError::Tile { .. })));
}

/// Ten samples whose labels are what the graph says of them itself.
fn answered_by_mlp() -> Dataset {
    let mut pixels = vec![0.0; 60];
    RngKey::root(2).stream(0).fill_normal(&mut pixels);
    let x = Tensor { shape: vec![10, 6], values: pixels.clone() };
    let y = run(&mut graph("mlp.onnx", &x).digital().unwrap(), &x);
    let best = |scores: &[f32]| (0..3).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap();
    let labels = y.values.chunks(3).map(best).collect();
    Dataset::new(DMatrix::from_vec(6, 10, pixels), labels, 3).unwrap()
}

/// Without noise every answer stays right at all times, also in a last batch that is not full.
#[test]
fn a_graph_is_judged_over_time() {
    let samples = answered_by_mlp();
    let graph = OnnxClassifier::new(&data("mlp.onnx"), 4, &[6]).unwrap();
    assert_eq!(graph.digital_accuracy(&samples).unwrap(), 1.0);
    assert_eq!(graph.coverage().unwrap().products(), 3 * 4);
    let quiet =
        "device = { model = \"PcmLike\", prog_noise_scale = 0.0, read_noise_scale = 0.0, drift_scale = 0.0 }";
    let quiet: InferenceTileConfig = config::from_toml(quiet).unwrap();
    let quiet = InferenceTileConfig { forward: IoConfig::perfect(), ..quiet };
    let plan = EvaluationConfig { repeats: 2, batch_size: 4, ..EvaluationConfig::default() };
    let go_on = |_| ControlFlow::Continue(());
    let judged = |tile| evaluate(&graph, tile, &samples, &plan, RngKey::root(3), &go_on).unwrap();
    assert!(judged(&quiet).times.iter().all(|at| at.accuracies == [1.0, 1.0]));
    // With much noise it errs, and the same key gives the same errors.
    let noisy = "device = { model = \"PcmLike\", prog_noise_scale = 50.0 }";
    let noisy: InferenceTileConfig = config::from_toml(noisy).unwrap();
    let found = judged(&noisy);
    assert!(found.times[0].accuracies.iter().any(|accuracy| *accuracy < 1.0));
    assert_eq!(found, judged(&noisy));
}

#[test]
fn data_that_do_not_fit_a_graph_are_refused() {
    let samples = answered_by_mlp();
    let too_wide = OnnxClassifier::new(&data("mlp.onnx"), 4, &[2, 3]);
    assert!(
        matches!(too_wide, Err(EvaluationError::Onnx(_)))
            || too_wide.unwrap().digital_accuracy(&samples).is_err()
    );
    let graph = OnnxClassifier::new(&data("mlp.onnx"), 4, &[6]).unwrap();
    let short = Dataset::new(DMatrix::zeros(5, 1), vec![0], 1).unwrap();
    assert!(
        matches!(graph.digital_accuracy(&short), Err(EvaluationError::Config(error)) if error.field.contains("features"))
    );
    let many = Dataset::new(DMatrix::zeros(6, 1), vec![4], 5).unwrap();
    assert_eq!(graph.digital_accuracy(&many), Err(EvaluationError::Classes { outputs: 3, classes: 5 }));
    assert!(OnnxClassifier::new(b"nothing", 4, &[6]).is_err());
}

/// On exact tiles the first matrix sees the samples themselves, in full batches.
#[test]
fn the_tiles_of_a_graph_are_calibrated() {
    let samples = answered_by_mlp();
    let graph = || OnnxClassifier::new(&data("mlp.onnx"), 4, &[6]).unwrap();
    let mut chip = InferenceTileConfig::default();
    chip.periphery.input_range.enable = true;
    let plan = CalibrationConfig { input: InputRule::Max, ..CalibrationConfig::default() };
    let found = graph().calibrate(&chip, &samples, &plan, RngKey::root(5)).unwrap();
    let largest = samples.features().columns(0, 8).iter().fold(0.0_f32, |m, x| m.max(x.abs()));
    let ranges = |found: &Calibration| -> Vec<f32> {
        found.matrices.iter().map(|matrix| matrix.tiles[0].after.input.unwrap()).collect()
    };
    assert_eq!(ranges(&found)[0], largest);
    // The last one stands behind a tanh.
    assert!(ranges(&found)[2] > 0.0 && ranges(&found)[2] < 1.0);
    let programmed =
        graph().with_settings(found.settings()).unwrap().program(&chip, RngKey::root(6)).unwrap();
    let programmed: Vec<f32> = programmed.iter().map(|m| m.input_ranges().next().unwrap().unwrap()).collect();
    assert_eq!(programmed, ranges(&found));

    let analog = CalibrationConfig { through: Through::Analog, ..plan.clone() };
    let analog = graph().calibrate(&chip, &samples, &analog, RngKey::root(5)).unwrap();
    assert_eq!(ranges(&analog)[0], largest);
    assert!(ranges(&analog)[1..] != ranges(&found)[1..], "noise in the first products changes what follows");

    let few = CalibrationConfig { samples: 3, ..plan };
    let error = graph().calibrate(&chip, &samples, &few, RngKey::root(5)).unwrap_err();
    assert_eq!(error.to_string(), "calibration.samples = 3: must be at least 4, the samples of a batch");
    let foreign = NetworkSettings::from([("nowhere".to_owned(), Vec::new())]);
    assert!(graph().with_settings(foreign).unwrap_err().to_string().contains("not in the graph"));
}

/// Layer by layer, a graph says what the same network of our own layers says: exactly the error of output noise that is known,
/// and with exact devices nothing.
#[test]
fn a_graph_is_judged_layer_by_layer() {
    let samples = answered_by_mlp();
    let graph = OnnxClassifier::new(&data("mlp.onnx"), 5, &[6]).unwrap();
    let exact =
        "device = { model = \"PcmLike\", prog_noise_scale = 0.0, read_noise_scale = 0.0, drift_scale = 0.0 }";
    let exact: InferenceTileConfig = config::from_toml(exact).unwrap();
    let exact = InferenceTileConfig { forward: IoConfig::perfect(), ..exact };
    let key = RngKey::root(3);
    let names = |found: Vec<String>| {
        assert_eq!(found, graph.matrices().unwrap().into_iter().map(|m| m.0).collect::<Vec<_>>())
    };
    let alone = graph.sensitivity(&exact, &samples, (1e6, 2), key).unwrap();
    assert!(alone.iter().all(|matrix| matrix.summary.mean == 1.0), "{alone:?}");
    names(alone.into_iter().map(|matrix| matrix.name).collect());
    let errors = |tile: &InferenceTileConfig| {
        let programmed = graph.program(tile, key).unwrap();
        graph.matrix_errors(&programmed, 1e6, &samples, key).unwrap()
    };
    let found = errors(&exact);
    // Rounding of weights and sums in f32.
    assert!(found.iter().all(|matrix| matrix.relative < 1e-5), "{found:?}");
    names(found.into_iter().map(|matrix| matrix.name).collect());

    // Drift of one exponent for all devices shrinks all products by ((t + 20 s)/20 s)^-0.1.
    let drift = "compensation = \"None\"\ndevice = { model = \"StateIndependent\", drift_nu_std = 0.0, \
                 prog_noise_scale = 0.0, read_noise_scale = 0.0 }";
    let drift: InferenceTileConfig = config::from_toml(drift).unwrap();
    let drift = InferenceTileConfig { forward: IoConfig::perfect(), ..drift };
    let wanted = 1.0 - (1e6_f64 / 20.0 + 1.0).powf(-0.1);
    assert!(
        errors(&drift).iter().all(|matrix| (matrix.relative - wanted).abs() < 1e-5),
        "{:?}",
        errors(&drift)
    );
    let noisy = "device = { model = \"PcmLike\", prog_noise_scale = 50.0 }";
    let noisy: InferenceTileConfig = config::from_toml(noisy).unwrap();
    assert!(errors(&noisy).iter().all(|matrix| matrix.relative > 0.1));
    let alone = graph.sensitivity(&noisy, &samples, (1.0, 4), key).unwrap();
    assert!(alone.iter().any(|matrix| matrix.summary.mean < 1.0), "{alone:?}");
    assert_eq!(alone, graph.sensitivity(&noisy, &samples, (1.0, 4), key).unwrap());
    let short = samples.range(0..4).unwrap();
    let error = graph.matrix_errors(&graph.program(&exact, key).unwrap(), 1.0, &short, key).unwrap_err();
    assert_eq!(error.to_string(), "samples of the data = 4: must be at least 5, the samples of a batch");
    let foreign = graph.matrix_errors(&[], 1.0, &samples, key).unwrap_err();
    assert!(foreign.to_string().contains("must be a copy of this graph"), "{foreign}");
}

/// A graph costs what the same network of our own layers costs.
#[test]
fn a_graph_costs_what_its_layers_cost() {
    let chip = Technology::preset("LeGallo2023OnePhase").unwrap();
    let tile = InferenceTileConfig::default();
    let cost = |file: &str, sample: &[usize]| {
        let graph = OnnxClassifier::new(&data(file), 4, sample).unwrap();
        graph.costs(&tile, std::slice::from_ref(&chip)).unwrap().remove(0)
    };
    let layers = r#"
        input = [6]
        layers = [
            { layer = "Linear", outputs = 5 },
            { layer = "Activation", function = "relu" },
            { layer = "Linear", outputs = 4, bias = false },
            { layer = "Activation", function = "tanh" },
            { layer = "Linear", outputs = 3 },
        ]"#;
    let network: NetworkConfig = config::from_toml(layers).unwrap();
    let ours = Estimate::of(&network, &tile, &chip).unwrap();
    assert_eq!(cost("mlp.onnx", &[6]), ours);
    assert_eq!(cost("mlp.dynamo.onnx", &[6]), ours);
}
