//! Fetches the networks, runs them, compares.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use aimc_device::{RngKey, config};
use aimc_infer::onnx::{OnnxGraph, OnnxModel};
use aimc_nn::NetworkConfig;
use aimc_nn::import::{self, Names, Tensor, Tensors};
use aimc_tile::{IdealTile, SampleKeys};
use nalgebra::DMatrix;
use thiserror::Error;

use super::ModelsArguments;
use crate::interrupt::{self, Interrupted};
use crate::table::print_table;

const SCRIPT: &str = include_str!("fetch.py");
/// Networks in the order of the script.
const NETWORKS: [&str; 8] = [
    "silero_vad",
    "ocr_direction",
    "ocr_detection",
    "ocr_recognition",
    "magika",
    "basic_pitch",
    "mnist_cnn",
    "minilm",
];
/// The architecture of ccexam's MNISTNet.
const MNIST: &str = r#"
    input = [1, 28, 28]
    layers = [
        { layer = "Conv", outputs = 32, kernel = 3, padding = 1 },
        { layer = "Activation", function = "relu" },
        { layer = "Pool", kernel = 2 },
        { layer = "Conv", outputs = 64, kernel = 3, padding = 1 },
        { layer = "Activation", function = "relu" },
        { layer = "Pool", kernel = 2 },
        { layer = "Flatten" },
        { layer = "Linear", outputs = 128 },
        { layer = "Activation", function = "relu" },
        { layer = "Linear", outputs = 10 },
    ]"#;

/// What keeps the networks from being compared.
#[derive(Debug, Error)]
pub(crate) enum ModelsError {
    /// The script cannot be started.
    #[error("{0} cannot be started: {1}; name another one by --python")]
    Start(String, io::Error),
    /// The script failed; its own words are above.
    #[error("the networks could not be fetched; check the network connection")]
    Fetch,
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file that does not hold what it should.
    #[error("{name}: {reason}")]
    Model {
        /// The network.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The user asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// One line of the result.
struct Line {
    cells: Vec<String>,
    equal: bool,
}

/// Compares all networks; false if one of them differs.
pub(crate) fn run(arguments: &ModelsArguments) -> Result<bool, ModelsError> {
    fetch(arguments)?;
    let mut lines = Vec::new();
    for name in NETWORKS {
        interrupt::check()?;
        lines.push(onnx(name, arguments)?);
    }
    lines.push(state_dict("mnist_cnn", &arguments.dir)?);
    let all = lines.iter().all(|line| line.equal);
    let headers = ["network", "matrices", "weights", "products", "error alone", "on tiles", "allowed", ""];
    print_table(&headers, &lines.into_iter().map(|line| line.cells).collect::<Vec<_>>());
    Ok(all)
}

fn fetch(arguments: &ModelsArguments) -> Result<(), ModelsError> {
    let there = |name: &str| arguments.dir.join(format!("{name}.safetensors")).exists();
    if NETWORKS.iter().all(|name| there(name)) {
        return Ok(());
    }
    let path = arguments.dir.join("fetch.py");
    let file = |source| ModelsError::File { path: path.clone(), source };
    fs::create_dir_all(&arguments.dir).and_then(|()| fs::write(&path, SCRIPT)).map_err(file)?;
    let mut command = Command::new(&arguments.python);
    let status = command.arg(&path).arg(&arguments.dir).stdin(Stdio::null()).status();
    let status = status.map_err(|source| ModelsError::Start(arguments.python.clone(), source))?;
    if status.success() { Ok(()) } else { Err(ModelsError::Fetch) }
}

fn read(path: &Path) -> Result<Vec<u8>, ModelsError> {
    fs::read(path).map_err(|source| ModelsError::File { path: path.to_owned(), source })
}

/// Turns any refusal into one with the name of the network.
fn refused<E: std::fmt::Display>(name: &str) -> impl Fn(E) -> ModelsError + '_ {
    move |error| ModelsError::Model { name: name.to_owned(), reason: error.to_string() }
}

/// What ONNX Runtime computed.
struct Reference {
    inputs: Vec<Tensor>,
    outputs: Vec<Tensor>,
    /// By how much its own outputs change if its inputs are one rounding off, or if it does not optimise.
    spread: f32,
}

fn reference(name: &str, dir: &Path) -> Result<Reference, ModelsError> {
    let bytes = read(&dir.join(format!("{name}.safetensors")))?;
    let file = Tensors::from_safetensors(&bytes).map_err(refused(name))?;
    let numbered =
        |letter: &str| (0..).map_while(|i| file.get(&format!("{letter}{i}")).cloned()).collect::<Vec<_>>();
    let spread = file.get("spread").and_then(|tensor| tensor.values.first().copied());
    let spread = spread.ok_or("the spread is missing: remove the folder").map_err(refused(name))?;
    Ok(Reference { inputs: numbered("x"), outputs: numbered("y"), spread })
}

/// What a comparison may differ by: every node rounds to about ε of the largest number, and ill-conditioned networks
/// (a logarithm of almost nothing, as in basic_pitch) amplify that as they do in ONNX Runtime itself.
fn allowed(nodes: usize, spread: f32) -> f32 {
    nodes as f32 * f32::EPSILON + spread
}

/// Largest difference of any number, in units of the largest number of its array (or of 1).
fn difference(ours: &[Tensor], theirs: &[Tensor]) -> f32 {
    if ours.len() != theirs.len() || ours.iter().zip(theirs).any(|(a, b)| a.shape != b.shape) {
        return f32::INFINITY;
    }
    let arrays = ours.iter().zip(theirs).map(|(a, b)| {
        let size = b.values.iter().fold(1.0_f32, |size, value| size.max(value.abs()));
        let differences = a.values.iter().zip(&b.values).map(|(a, b)| (a - b).abs() / size);
        // f32::max would lose NaN.
        differences.fold(0.0_f32, |most, d| if d <= most { most } else { d })
    });
    arrays.fold(0.0_f32, |most, d| if d <= most { most } else { d })
}

/// A graph, alone and on perfect tiles.
fn onnx(name: &str, arguments: &ModelsArguments) -> Result<Line, ModelsError> {
    let Reference { inputs: x, outputs: y, spread } = reference(name, &arguments.dir)?;
    let bytes = read(&arguments.dir.join(format!("{name}.onnx")))?;
    let shapes: Vec<Vec<usize>> = x.iter().map(|input| input.shape.clone()).collect();
    let graph = OnnxGraph::read(&bytes, &shapes).map_err(refused(name))?;
    let run = |model: &mut OnnxModel| model.run(&x, RngKey::root(0)).map_err(refused(name));
    let alone = difference(&run(&mut graph.digital().map_err(refused(name))?)?, &y);
    let perfect = |_: &str, weights: &DMatrix<f32>| Ok(Box::new(IdealTile::holding(weights)) as _);
    let mut model = graph.on_tiles(perfect).map_err(refused(name))?;
    let on_tiles = difference(&run(&mut model)?, &y);
    let coverage = model.coverage();
    if arguments.nodes {
        println!("{name}: {coverage}");
    }
    let allowed = allowed(coverage.nodes.len(), spread);
    let counts = [coverage.matrices().count(), coverage.analog_weights()].map(|count| count.to_string());
    let counts = counts.into_iter().chain([coverage.products().to_string()]).collect();
    Ok(line(name, counts, [alone, on_tiles], allowed))
}

/// The state dict in a network of our own layers.
fn state_dict(name: &str, dir: &Path) -> Result<Line, ModelsError> {
    let Reference { inputs: x, outputs: y, spread } = reference(name, dir)?;
    let weights = read(&dir.join(format!("{name}.weights.safetensors")))?;
    let weights = Tensors::from_safetensors(&weights).map_err(refused(name))?;
    let description: NetworkConfig = config::from_toml(MNIST).map_err(refused(name))?;
    let key = RngKey::root(0);
    let mut network = description.build(key, |place| IdealTile::new(place.shape)).map_err(refused(name))?;
    let report = import::load(&mut network, &weights, &Names::default(), key).map_err(refused(name))?;
    let samples = x[0].shape[0];
    let images = DMatrix::from_column_slice(x[0].values.len() / samples, samples, &x[0].values);
    let out = network.forward(images.as_view(), SampleKeys::new(key)).map_err(refused(name))?;
    let ours = Tensor { shape: vec![samples, out.nrows()], values: out.as_slice().to_vec() };
    let error = difference(&[ours], &y);
    let count: usize = weights.iter().map(|(_, tensor)| tensor.values.len()).sum();
    let counts = vec![report.loaded.len().to_string(), count.to_string(), String::new()];
    let allowed = allowed(description.layers.len(), spread);
    Ok(line(&format!("{name} (our layers)"), counts, [error, error], allowed))
}

fn line(name: &str, counts: Vec<String>, errors: [f32; 2], allowed: f32) -> Line {
    let equal = errors.iter().all(|error| *error <= allowed);
    let errors = errors.into_iter().chain([allowed]).map(|error| format!("{error:.1e}"));
    let verdict = if equal { "equal" } else { "DIFFERENT" };
    let cells = [name.to_owned()].into_iter().chain(counts).chain(errors).chain([verdict.to_owned()]);
    Line { cells: cells.collect(), equal }
}
