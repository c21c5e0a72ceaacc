//! The workloads: one line each, with the names that `peer.py` gives to the same work.

use aimc_device::rng::label;
use aimc_device::{ConfigError, RngKey, config, presets};
use aimc_infer::{InferenceTileConfig, ProgrammedTile};
use aimc_tile::matmul::Weights;
use aimc_tile::{HardwareAwareTileConfig, MatVec, ReadOut, SampleKeys, Shape, Tile, TrainableTile};
use aimc_train::TrainingTileConfig;
use nalgebra::DMatrix;
use serde_json::json;

use super::BenchError;
use crate::config_file::PRESETS;

/// One call of the work.
pub(super) type Work = Box<dyn FnMut() -> Result<(), BenchError>>;

/// A workload: its name, and how to get ready for it.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) prepare: Box<dyn Fn() -> Result<Work, BenchError> + Sync>,
}

/// Tiles whose update is timed, by their short names: a device model or a preset.
const UPDATES: [(&str, &str, &str); 10] = [
    ("constant", "model", "ConstantStep"),
    ("linear", "model", "LinearStep"),
    ("soft", "model", "SoftBounds"),
    ("exp_reram_es", "preset", "ReRamESPreset"),
    ("pcm_pair", "preset", "PCMPreset"),
    ("tt_sb", "preset", "TikiTakaReRamSBPreset"),
    ("ttv2_es", "preset", "TTv2ReRamESPreset"),
    ("cttv2_ecram", "preset", "ChoppedTTv2EcRamPreset"),
    ("agad_ecram", "preset", "AGADEcRamPreset"),
    ("mp_ecram", "preset", "MixedPrecisionEcRamPreset"),
];

/// The tile whose products are timed.
const PRODUCTS: (&str, &str) = ("model", "ConstantStep");

const LEARNING_RATE: f32 = 0.01;
const PROGRAMMED: usize = 1024;

/// All workloads in the order of the table.
pub(super) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for (outputs, inputs) in [(512, 512), (256, 784)] {
        for batch in [1, 128] {
            let shape = Shape { outputs, inputs };
            let named = |work: &str| format!("{work}/{outputs}x{inputs}/b{batch}");
            cases.push(case(named("forward"), move || product(shape, batch, Direction::Forward)));
            cases.push(case(named("backward"), move || product(shape, batch, Direction::Backward)));
            if inputs == 512 {
                for (name, key, value) in UPDATES {
                    cases.push(case(named(&format!("update/{name}")), move || {
                        update(shape, batch, (key, value))
                    }));
                }
                cases.push(case(named("hwa_step"), move || hardware_aware(shape, batch)));
                cases.push(case(named("drifted_forward"), move || drifted(shape, batch)));
            }
            cases.push(case(named("torch_matmul"), move || plain(shape, batch)));
        }
    }
    cases.push(case(format!("program/{PROGRAMMED}x{PROGRAMMED}"), program));
    cases.push(case(format!("drift/{PROGRAMMED}x{PROGRAMMED}"), drift));
    cases.push(case("randn/1e6".to_owned(), normals));
    cases
}

fn case(name: String, prepare: impl Fn() -> Result<Work, BenchError> + Sync + 'static) -> Case {
    Case { name, prepare: Box::new(prepare) }
}

enum Direction {
    Forward,
    Backward,
}

/// Numbers uniform within ± `size`.
fn uniform(rows: usize, columns: usize, size: f32, purpose: &str) -> DMatrix<f32> {
    let mut values = vec![0.0; rows * columns];
    RngKey::root(1).fold_in(label(purpose)).stream(0).fill_uniform(&mut values);
    DMatrix::from_vec(rows, columns, values).map(|u| size * (2.0 * u - 1.0))
}

/// A tile with weights uniform within ±0.3: one, however large.
fn tile(shape: Shape, (key, value): (&str, &str)) -> Result<Box<dyn TrainableTile>, ConfigError> {
    let tree = if key == "preset" { json!({ key: value }) } else { json!({ "device": { key: value } }) };
    let mut record: TrainingTileConfig = config::decode(presets::resolve(tree, PRESETS)?)?;
    record.periphery.mapping.max_input_size = 0;
    record.periphery.mapping.max_output_size = 0;
    let mut tile = record.build(shape, RngKey::root(1))?;
    let weights = uniform(shape.outputs, shape.inputs, 0.3, "weights");
    tile.set_weights(&weights, RngKey::root(2))
        .map_err(|error| ConfigError::new("weights", value, error.to_string()))?;
    Ok(tile)
}

fn draws() -> SampleKeys {
    SampleKeys::new(RngKey::root(3))
}

fn product(shape: Shape, batch: usize, direction: Direction) -> Result<Work, BenchError> {
    let tile = tile(shape, PRODUCTS)?;
    let (x, d) = (uniform(shape.inputs, batch, 1.0, "x"), uniform(shape.outputs, batch, 0.1, "d"));
    let (mut y, mut z) = (d.clone(), x.clone());
    Ok(match direction {
        Direction::Forward => Box::new(move || Ok(tile.forward(x.as_view(), y.as_view_mut(), draws())?)),
        Direction::Backward => Box::new(move || Ok(tile.backward(d.as_view(), z.as_view_mut(), draws())?)),
    })
}

fn update(shape: Shape, batch: usize, name: (&str, &str)) -> Result<Work, BenchError> {
    let mut tile = tile(shape, name)?;
    let (x, d) = (uniform(shape.inputs, batch, 1.0, "x"), uniform(shape.outputs, batch, 0.1, "d"));
    let mut done = 0;
    Ok(Box::new(move || {
        tile.update(x.as_view(), d.as_view(), LEARNING_RATE, draws().skip(done))?;
        done += batch as u64;
        Ok(())
    }))
}

/// A product of single precision without any circuit.
fn plain(shape: Shape, batch: usize) -> Result<Work, BenchError> {
    let weights = uniform(shape.inputs, shape.outputs, 0.3, "weights");
    let x = uniform(shape.inputs, batch, 1.0, "x");
    let mut y = vec![0.0; shape.outputs * batch];
    Ok(Box::new(move || {
        Weights::new(weights.as_slice(), shape.outputs, shape.inputs).multiply(x.as_slice(), &mut y);
        Ok(())
    }))
}

/// A step of hardware-aware training: both products with weights that meet noise, the update, new noise.
fn hardware_aware(shape: Shape, batch: usize) -> Result<Work, BenchError> {
    let record = json!({
        "modifier": { "type": "AddNormal", "std_dev": 0.1 },
        "periphery": { "mapping": { "weight_scaling_omega": 0.6 } },
    });
    let record: HardwareAwareTileConfig = config::decode(record)?;
    let mut tile = record.build(shape, RngKey::root(1))?;
    tile.set_weights(&uniform(shape.outputs, shape.inputs, 0.3, "weights"), RngKey::root(2))?;
    let (x, d) = (uniform(shape.inputs, batch, 1.0, "x"), uniform(shape.outputs, batch, 0.1, "d"));
    let (mut y, mut z) = (d.clone(), x.clone());
    let mut done = 0;
    Ok(Box::new(move || {
        let draws = draws().skip(done).in_training();
        tile.forward(x.as_view(), y.as_view_mut(), draws)?;
        tile.backward(d.as_view(), z.as_view_mut(), draws)?;
        // So small that the weights stay where they are however often this is repeated.
        tile.update(x.as_view(), d.as_view(), 1e-4 * LEARNING_RATE, draws)?;
        tile.end_of_step(RngKey::root(done));
        done += batch as u64;
        Ok(())
    }))
}

/// Products of a tile that was programmed a day ago.
fn drifted(shape: Shape, batch: usize) -> Result<Work, BenchError> {
    let weights = uniform(shape.outputs, shape.inputs, 1.0, "weights");
    let programmed = ProgrammedTile::program(&weights, &InferenceTileConfig::default(), RngKey::root(1))?;
    let tile = programmed.at(86_400.0, RngKey::root(1))?;
    let (x, mut y) = (uniform(shape.inputs, batch, 1.0, "x"), uniform(shape.outputs, batch, 0.1, "d"));
    Ok(Box::new(move || Ok(tile.forward(x.as_view(), y.as_view_mut(), draws())?)))
}

fn program() -> Result<Work, BenchError> {
    let weights = uniform(PROGRAMMED, PROGRAMMED, 1.0, "weights");
    let record = InferenceTileConfig::default();
    let mut round = 0;
    Ok(Box::new(move || {
        round += 1;
        ProgrammedTile::program(&weights, &record, RngKey::root(round))?;
        Ok(())
    }))
}

fn drift() -> Result<Work, BenchError> {
    let weights = uniform(PROGRAMMED, PROGRAMMED, 1.0, "weights");
    let programmed = ProgrammedTile::program(&weights, &InferenceTileConfig::default(), RngKey::root(1))?;
    let mut round = 0;
    Ok(Box::new(move || {
        round += 1;
        programmed.at(86_400.0, RngKey::root(round))?;
        Ok(())
    }))
}

fn normals() -> Result<Work, BenchError> {
    let mut values = vec![0.0; 1_000_000];
    let mut round = 0;
    Ok(Box::new(move || {
        round += 1;
        RngKey::root(1).stream(round).fill_normal(&mut values);
        Ok(())
    }))
}
