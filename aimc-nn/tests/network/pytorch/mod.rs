//! All layers against PyTorch 2.10: outputs and gradients from `data/*.safetensors`, which `data/make_reference.py` made.
//!
//! A file holds a state dict as PyTorch exports it; [`import::load`] puts it into our layer. Gradients of parameters come
//! under the same names, so that they are compared through the same rules: names, layouts and order of gates are tested
//! along with the arithmetic.

mod cases;

use aimc_testkit::assert_close;
use std::collections::BTreeMap;

use aimc_device::{RngKey, config};
use aimc_nn::import::{self, Names, Tensor, Tensors};
use aimc_nn::module::{Backward, Gradients, LayerError, Saved};
use aimc_nn::{Layer, Network, NetworkConfig, Part, Place};
use aimc_tile::{IdealTile, IoConfig, PeripheryConfig, ReadOut, SampleKeys};
use nalgebra::DMatrix;

fn key() -> RngKey {
    RngKey::root(0)
}

fn unused() -> SampleKeys {
    SampleKeys::new(key())
}

/// A reference file: the state dict, the gradients of its parameters, and the rest by name.
struct Reference {
    state: Tensors,
    gradients: Tensors,
    arrays: BTreeMap<String, DMatrix<f32>>,
}

fn reference(name: &str) -> Reference {
    let path = format!("{}/tests/data/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
    let file = Tensors::from_safetensors(&std::fs::read(path).unwrap()).unwrap();
    let (mut state, mut gradients, mut arrays) = (Vec::new(), Vec::new(), BTreeMap::new());
    for (name, tensor) in file.iter() {
        let tensor = tensor.clone();
        match (name.strip_prefix("@d."), name.strip_prefix('@')) {
            (Some(parameter), _) => gradients.push((parameter.to_owned(), tensor)),
            (None, Some(array)) => {
                // Samples first there, a column each here.
                let rows = tensor.shape[1..].iter().product();
                let samples = DMatrix::from_vec(rows, tensor.shape[0], tensor.values);
                arrays.insert(array.to_owned(), samples);
            }
            (None, None) => state.push((name.to_owned(), tensor)),
        }
    }
    Reference { state: Tensors::from_iter(state), gradients: Tensors::from_iter(gradients), arrays }
}

fn build(text: &str) -> Network<IdealTile> {
    let description: NetworkConfig = config::from_toml(text).unwrap();
    description.build(key(), |place| IdealTile::new(place.shape)).unwrap()
}

/// Every number of the reference is rounded once; ours pass at most some 64 operations, each of which errs by ε/2
/// relative to values that are all of the order of the largest one here, or of 1.
fn assert_equal(what: &str, ours: &[f32], theirs: &[f32]) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let size = theirs.iter().fold(1.0_f32, |size, value| size.max(value.abs()));
    let tolerance = 64.0 * f32::EPSILON / 2.0 * size;
    for (i, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        assert_close!(*ours, *theirs, tolerance, "{what}[{i}]");
    }
}

/// Forward and backward through a single layer.
fn through(
    layer: &Layer<IdealTile>,
    x: &DMatrix<f32>,
    d: DMatrix<f32>,
) -> Result<(DMatrix<f32>, DMatrix<f32>, Gradients), LayerError> {
    let (y, saved): (_, Saved) = layer.module().trace(x, unused())?;
    let pass = Backward { name: "layer0", x, y: &y, saved: &saved, draws: unused(), wants_input: true };
    let mut gradients = Gradients::default();
    let dx = layer.module().backward(pass, d, &mut gradients)?;
    Ok((y, dx, gradients))
}

/// The gradient of every part, element by element in the order of storage; those of a tile as its weights lie.
fn by_part(gradients: Gradients) -> BTreeMap<String, Vec<f32>> {
    let tiles = gradients.tiles.into_iter().map(|g| (g.name, (&g.d * g.x.transpose()).as_slice().to_vec()));
    tiles.chain(gradients.digital.into_iter().map(|g| (g.name, g.values))).collect()
}

/// y, dL/dx and dL/dw = those of PyTorch.
#[test]
fn layers_are_those_of_pytorch() {
    for (name, input, layer) in cases::on_tiles().into_iter().chain(cases::digital()) {
        let what = format!("{name}: {layer}");
        let reference = reference(name);
        let mut network = build(&format!("input = {input}\nlayers = [{{ {layer} }}]"));
        import::load(&mut network, &reference.state, &Names::default(), key())
            .unwrap_or_else(|e| panic!("{what}: {e}"));
        let (x, d) = (&reference.arrays["x"], reference.arrays["r"].clone());
        let (y, dx, gradients) = through(&network.layers[0], x, d).unwrap();
        assert_equal(&format!("{what}: y"), y.as_slice(), reference.arrays["y"].as_slice());
        if let Some(expected) = reference.arrays.get("dx") {
            assert_equal(&format!("{what}: dx"), dx.as_slice(), expected.as_slice());
        }
        check_gradients(&what, &mut network, by_part(gradients), &reference.gradients);
    }
}

/// Puts the gradients of the file where the parameters were, and compares part by part.
fn check_gradients(
    what: &str,
    network: &mut Network<IdealTile>,
    ours: BTreeMap<String, Vec<f32>>,
    theirs: &Tensors,
) {
    if theirs.iter().next().is_none() {
        return assert!(ours.is_empty(), "{what}");
    }
    let with_statistics = network.parts().iter().any(|(_, part)| matches!(part, Part::Statistics(_)));
    let statistics = theirs.get("weight").filter(|_| with_statistics).cloned();
    let statistics = ["running_mean", "running_var"].into_iter().zip(std::iter::repeat(statistics));
    let statistics = statistics.filter_map(|(name, tensor)| Some((name.to_owned(), tensor?)));
    let parameters = theirs.iter().map(|(name, tensor)| (name.to_owned(), tensor.clone()));
    let file = Tensors::from_iter(parameters.chain(statistics));
    import::load(network, &file, &Names::default(), key()).unwrap();
    for (name, part) in network.parts() {
        let expected = match part {
            Part::Tile(tile) => tile.weights().as_slice().to_vec(),
            // With all weights on one tile there is one bias for the two of PyTorch, which have the same gradient.
            Part::Parameters(values) if what.contains("combined") => values.iter().map(|v| v / 2.0).collect(),
            Part::Parameters(values) => values.to_vec(),
            Part::Statistics(_) => continue,
        };
        assert_equal(&format!("{what}: gradient of {name}"), &ours[&name], &expected);
    }
}

/// In use, batch norm takes its running statistics.
#[test]
fn batch_norm_in_use() {
    let reference = reference("batch_norm2d_eval");
    let mut network = build("input = [3, 4, 2]\nlayers = [{ layer = \"BatchNorm\" }]");
    import::load(&mut network, &reference.state, &Names::default(), key()).unwrap();
    let y = network.forward(reference.arrays["x"].as_view(), unused()).unwrap();
    assert_equal("y", y.as_slice(), reference.arrays["y"].as_slice());
}

const SEQUENTIAL: &str = r#"
    input = [1, 6, 6]
    layers = [
        { layer = "Conv", outputs = 4, kernel = 3, padding = 1 },
        { layer = "BatchNorm" },
        { layer = "Activation", function = "relu" },
        { layer = "Pool", kernel = 2 },
        { layer = "Conv", outputs = 4, kernel = 3, padding = 1 },
        { layer = "Activation", function = "tanh" },
        { layer = "Flatten" },
        { layer = "Linear", outputs = 5 },
        { layer = "LogSoftmax" },
    ]"#;

/// Norms and linear layers of the same shape are told apart by their numbers.
const TRANSFORMER: &str = r#"
    input = [4, 6]
    layers = [
        { layer = "Residual", layers = [{ layer = "LayerNorm" }, { layer = "Attention", heads = 2 }] },
        { layer = "Residual", layers = [{ layer = "LayerNorm" }, { layer = "EachStep", layers = [
            { layer = "Linear", outputs = 8 },
            { layer = "Activation", function = "gelu_tanh" },
            { layer = "Linear", outputs = 6 },
        ] }] },
    ]"#;

/// y = that of PyTorch, every tensor of the state loaded.
#[test]
fn whole_networks_find_their_modules() {
    for (name, text) in [("sequential", SEQUENTIAL), ("transformer", TRANSFORMER)] {
        let reference = reference(name);
        let mut network = build(text);
        let report = import::load(&mut network, &reference.state, &Names::default(), key()).unwrap();
        assert_eq!(
            report.loaded.iter().map(|(_, tensors)| tensors.len()).sum::<usize>(),
            reference.state.iter().count()
        );
        let passed = network.trace(reference.arrays["x"].as_view(), unused()).unwrap();
        assert_equal(name, passed.output().as_slice(), reference.arrays["y"].as_slice());
    }
}

/// Three projections that another model keeps apart.
#[test]
fn a_table_renames_modules_tensors_and_projections() {
    let whole = reference("attention");
    let weight = whole.state.get("in_proj_weight").unwrap();
    let bias = whole.state.get("in_proj_bias").unwrap();
    let mut file: Vec<(String, Tensor)> = Vec::new();
    for (k, name) in ["q", "k", "v"].into_iter().enumerate() {
        let third = |t: &Tensor, shape: Vec<usize>| {
            let n = t.values.len() / 3;
            Tensor { shape, values: t.values[k * n..(k + 1) * n].to_vec() }
        };
        file.push((format!("encoder.{name}.weight"), third(weight, vec![6, 6])));
        file.push((format!("encoder.{name}.bias"), third(bias, vec![6])));
    }
    file.push(("encoder.out.weight".into(), whole.state.get("out_proj.weight").unwrap().clone()));
    file.push(("shift".into(), whole.state.get("out_proj.bias").unwrap().clone()));
    let file = Tensors::from_iter(file);
    let names = Names::from([
        ("layer0.query", "encoder.q"),
        ("layer0.key", "encoder.k"),
        ("layer0.value", "encoder.v"),
        ("layer0.output", "encoder.out"),
        ("layer0.output.bias", "shift"),
    ]);
    let mut network = build("input = [4, 6]\nlayers = [{ layer = \"Attention\", heads = 2 }]");
    import::load(&mut network, &file, &names, key()).unwrap();
    let y = network.forward(whole.arrays["x"].as_view(), unused()).unwrap();
    assert_equal("y", y.as_slice(), whole.arrays["y"].as_slice());
    // Without the table, which of them is the query cannot be known.
    let refused = import::load(&mut network, &file, &Names::default(), key()).unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("missing from the file: layer0 (MultiheadAttention: in_proj_weight [18, 6]")
    );
}

/// Vectors of positions come as a parameter of any shape, or as an embedding, which must not be taken for weights.
#[test]
fn positions_take_any_shape() {
    let mut network = build("input = [3, 2]\nlayers = [{ layer = \"Positions\" }]");
    let values: Vec<f32> = (0_u8..6).map(f32::from).collect();
    let table = Tensor { shape: vec![1, 3, 2], values: values.clone() };
    let file = Tensors::from_iter([("encoder.pos".to_owned(), table)]);
    import::load(&mut network, &file, &Names::from([("layer0.weight", "encoder.pos")]), key()).unwrap();
    let y = network.forward(DMatrix::zeros(6, 1).as_view(), unused()).unwrap();
    assert_eq!(y.as_slice(), values);

    let text = "input = [3, 2]\nlayers = [{ layer = \"Positions\" }, { layer = \"Flatten\" }, \
        { layer = \"Linear\", outputs = 1, bias = false }]";
    let file = Tensors::from_iter([
        ("fc.weight".to_owned(), Tensor { shape: vec![1, 6], values: vec![1.0; 6] }),
        ("pos.weight".to_owned(), Tensor { shape: vec![3, 2], values }),
    ]);
    let mut network = build(text);
    import::load(&mut network, &file, &Names::default(), key()).unwrap();
    let y = network.forward(DMatrix::zeros(6, 1).as_view(), unused()).unwrap();
    assert_eq!(y.as_slice(), [15.0]);
}

/// A bias in a column of the tile is written there.
#[test]
fn analog_biases_are_loaded() {
    let reference = reference("linear");
    let circuits: PeripheryConfig = config::from_toml("mapping = { digital_bias = false }").unwrap();
    let description: NetworkConfig =
        config::from_toml("input = [5]\nlayers = [{ layer = \"Linear\", outputs = 4 }]").unwrap();
    let tile = |place: &Place<'_>| {
        circuits.build(&IoConfig::default(), place.shape, place.key, |shape, _| IdealTile::new(shape))
    };
    let mut network = description.build(key(), tile).unwrap();
    import::load(&mut network, &reference.state, &Names::default(), key()).unwrap();
    let (_, tile) = network.tiles().next().unwrap();
    assert!(tile.bias().is_some());
    let held = |tensor: &str| reference.state.get(tensor).unwrap().values.clone();
    assert_equal("weights", tile.weights().transpose().as_slice(), &held("weight"));
    assert_equal("bias", &tile.bias().unwrap(), &held("bias"));
}

fn tensor(shape: &[usize]) -> Tensor {
    Tensor { shape: shape.to_vec(), values: vec![0.25; shape.iter().product()] }
}

fn file(entries: &[(&str, &[usize])]) -> Tensors {
    entries.iter().map(|(name, shape)| ((*name).to_owned(), tensor(shape))).collect()
}

#[test]
fn what_does_not_fit_is_refused_by_name_and_nothing_changes() {
    let text =
        "input = [3]\nlayers = [{ layer = \"Linear\", outputs = 3 }, { layer = \"Linear\", outputs = 3 }]";
    let mut network = build(text);
    let before = network.state();
    let mut refuse = |entries: &[(&str, &[usize])], names: Names| {
        import::load(&mut network, &file(entries), &names, key()).unwrap_err().to_string()
    };
    let module = |name: &'static str| [(name, "weight", &[3, 3][..]), (name, "bias", &[3][..])];
    let modules = |names: [&'static str; 2]| -> Vec<(String, &'static [usize])> {
        names.into_iter().flat_map(module).map(|(m, t, shape)| (format!("{m}.{t}"), shape)).collect()
    };
    let doubtful = modules(["encoder", "decoder"]);
    let doubtful: Vec<(&str, &[usize])> =
        doubtful.iter().map(|(name, shape)| (name.as_str(), *shape)).collect();
    assert_eq!(
        refuse(&doubtful, Names::default()),
        "layer0: 2 Linear of its shape wanted, the file has decoder, encoder; say which one by name"
    );
    assert_eq!(
        refuse(&doubtful, Names::from([("layer7", "encoder")])),
        "\"layer7\" is neither a layer nor one of its tensors; layers with weights: layer0, layer1"
    );
    assert_eq!(
        refuse(&doubtful, Names::from([("layer0", "encoders")])),
        "layer0: tensor \"encoders.weight\" is missing from the file"
    );
    let wrong: [(&str, &[usize]); 2] = [("fc.weight", &[2, 3]), ("fc.bias", &[2])];
    assert_eq!(
        refuse(&wrong, Names::from([("layer0", "fc")])),
        "layer0: tensor \"fc.weight\" has the shape [2, 3], must have [3, 3]"
    );
    assert_eq!(
        refuse(&wrong, Names::default()),
        "missing from the file: layer0 (Linear: weight [3, 3], bias [3]); layer1 (Linear: weight [3, 3], bias [3]); \
         left in it: fc.bias [2], fc.weight [2, 3]"
    );
    let more = [&doubtful[..], &wrong[..1]].concat();
    let named = Names::from([("layer0", "encoder"), ("layer1", "decoder")]);
    assert_eq!(refuse(&more, named.clone()), "the network has no place for fc.weight [2, 3]");
    assert_eq!(network.state(), before);
    let report = import::load_partly(&mut network, &file(&more), &named, key()).unwrap();
    assert_eq!((report.loaded.len(), report.unused), (2, vec!["fc.weight [2, 3]".to_owned()]));
    assert_ne!(network.state(), before);
}

/// Ten comes after two.
#[test]
fn modules_of_one_name_are_taken_by_number() {
    let mut network = build(
        "input = [1]\nlayers = [{ layer = \"Linear\", outputs = 1, bias = false }, \
        { layer = \"Linear\", outputs = 1, bias = false }]",
    );
    let one = |name: &str, value: f32| (name.to_owned(), Tensor { shape: vec![1, 1], values: vec![value] });
    let file = Tensors::from_iter([one("fc10.weight", 10.0), one("fc2.weight", 2.0)]);
    import::load(&mut network, &file, &Names::default(), key()).unwrap();
    let weights: Vec<f32> = network.tiles().map(|(_, tile)| tile.weights()[0]).collect();
    assert_eq!(weights, [2.0, 10.0]);
}
