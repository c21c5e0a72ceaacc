//! Analog matrix-vector products: exact over a grid of circuits, and statistics of noisy ones.

use aimc_device::RngKey;
use aimc_testkit::golden::{Comparison, GoldenFile, Node};
use aimc_tile::UnitCell;
use aimc_tile::periphery::noise_management::{RunningScale, Scaling};
use aimc_tile::periphery::quantiser::step;
use aimc_tile::{AnalogTile, IoConfig, MatVec, ReadOut, SampleKeys, Shape, Tile, TileConfig};
use nalgebra::DMatrix;

use super::grouped::{self, Groups};
use super::{CaseError, SEED, translate};

/// Weights, inputs and errors shared by the cases; samples are the columns of `x` and `d`.
struct Data {
    weights: DMatrix<f32>,
    x: DMatrix<f32>,
    d: DMatrix<f32>,
}

impl Data {
    fn read(node: &Node<'_>) -> Result<Self, CaseError> {
        let matrix = |key| -> Result<DMatrix<f32>, CaseError> {
            let rows = node.matrix_f32(key)?;
            let columns = rows.first().map_or(0, Vec::len);
            Ok(DMatrix::from_row_iterator(rows.len(), columns, rows.into_iter().flatten()))
        };
        Ok(Self { weights: matrix("W")?, x: matrix("X")?.transpose(), d: matrix("D")?.transpose() })
    }
}

fn tile(case: &Node<'_>, data: &Data) -> Result<(AnalogTile, TileConfig), CaseError> {
    let forward = translate::io(&case.params("forward")?)?;
    let backward = case.opt("backward").map(|_| translate::io(&case.params("backward")?)).transpose()?;
    let config = TileConfig {
        device: UnitCell::ideal(),
        forward,
        backward: backward.unwrap_or_else(IoConfig::perfect),
        ..TileConfig::default()
    };
    let shape = Shape { outputs: data.weights.nrows(), inputs: data.weights.ncols() };
    let mut tile = config.build(shape, RngKey::root(SEED))?;
    tile.set_weights(&data.weights, RngKey::root(SEED)).map_err(CaseError::run)?;
    let circuits = tile.circuits_mut();
    let directions = [&mut circuits.forward, &mut circuits.backward];
    for (key, circuits) in ["forward_parameters", "backward_parameters"].into_iter().zip(directions) {
        for (name, _) in case.opt(key).map_or(Ok(Vec::new()), |node| node.entries())? {
            circuits.frozen_mut().set(name, &case.get(key)?.vec_f32(name)?)?;
        }
    }
    Ok((tile, config))
}

fn forward(tile: &AnalogTile, x: &DMatrix<f32>) -> Result<DMatrix<f32>, CaseError> {
    let mut y = DMatrix::zeros(tile.shape().outputs, x.ncols());
    tile.forward(x.as_view(), y.as_view_mut(), SampleKeys::new(RngKey::root(SEED)))
        .map_err(CaseError::run)?;
    Ok(y)
}

fn backward(tile: &AnalogTile, d: &DMatrix<f32>) -> Result<DMatrix<f32>, CaseError> {
    let mut z = DMatrix::zeros(tile.shape().inputs, d.ncols());
    let draws = SampleKeys::new(RngKey::root(SEED).fold_in(1));
    tile.backward(d.as_view(), z.as_view_mut(), draws).map_err(CaseError::run)?;
    Ok(z)
}

pub(crate) fn compare_exact(file: &GoldenFile, case: &Node<'_>) -> Result<Comparison, CaseError> {
    let data = Data::read(&file.shared("datasets")?.get(case.str("data")?)?)?;
    match case.str("backend")? {
        "cpp" | "torch" | "torch_irdrop_t" => {}
        backend => return Err(CaseError::NotBuilt(format!("backend {backend}"))),
    }
    let (tile, config) = tile(case, &data)?;
    let mut comparison = Comparison::new();
    compare_rows(&mut comparison, "y", &forward(&tile, &data.x)?, case, &config.forward, &data.x)?;
    if case.opt("x_grad").is_some() {
        compare_rows(&mut comparison, "x_grad", &backward(&tile, &data.d)?, case, &config.backward, &data.d)?;
    }
    Ok(comparison)
}

/// Row by row (sample by sample), with that sample's converter step where there is quantisation.
fn compare_rows(
    comparison: &mut Comparison,
    key: &str,
    ours: &DMatrix<f32>,
    case: &Node<'_>,
    io: &IoConfig,
    inputs: &DMatrix<f32>,
) -> Result<(), CaseError> {
    let theirs = case.matrix_f64(key)?;
    let ours: Vec<Vec<f32>> = ours.column_iter().map(|sample| sample.iter().copied().collect()).collect();
    let (scaling, average) = (Scaling::new(io), RunningScale::default());
    let mut steps = inputs.column_iter().map(|sample| {
        let scale = scaling.of(sample.as_slice(), &average);
        f64::from(io.out_scale * scale * (step(io.out_res, io.out_bound) + step(io.inp_res, io.inp_bound)))
    });
    comparison.rows(key, &ours, &theirs, |c, label, a, b| match steps.next() {
        Some(step) if step > 0.0 && !io.is_perfect => c.quantised(label, a, b, step),
        _ => c.exact(label, a, b),
    });
    Ok(())
}

pub(crate) fn compare_statistics(file: &GoldenFile, case: &Node<'_>) -> Result<Comparison, CaseError> {
    let data = Data::read(&file.shared("data")?)?;
    let (tile, _) = tile(case, &data)?;
    let mut comparison = Comparison::new();
    let (y, z) = (case.get("y")?, case.get("x_grad")?);
    let ours = |repeated: DMatrix<f32>,
                product: fn(&AnalogTile, &DMatrix<f32>) -> Result<DMatrix<f32>, CaseError>| {
        product(&tile, &repeated)
    };
    let n = y.usize("n")?;
    compare_noise(&mut comparison, "y", &ours(repeat(&data.x, n), forward)?, data.x.ncols(), &y)?;
    compare_noise(&mut comparison, "x_grad", &ours(repeat(&data.d, n), backward)?, data.d.ncols(), &z)?;
    Ok(comparison)
}

/// Every sample `n` times, sample after sample.
fn repeat(samples: &DMatrix<f32>, n: usize) -> DMatrix<f32> {
    DMatrix::from_fn(samples.nrows(), samples.ncols() * n, |i, j| samples[(i, j / n)])
}

fn compare_noise(
    comparison: &mut Comparison,
    label: &str,
    ours: &DMatrix<f32>,
    samples: usize,
    theirs: &Node<'_>,
) -> Result<(), CaseError> {
    let n = ours.ncols() / samples;
    let size = n / theirs.usize("n_groups")?;
    let groups: Vec<Groups> = (0..samples)
        .flat_map(|sample| {
            let block = ours.columns(sample * n, n);
            (0..ours.nrows()).map(move |line| {
                let values: Vec<f32> = block.row(line).iter().copied().collect();
                Groups::new(&values, size)
            })
        })
        .collect();
    let of = |estimator: fn(&Groups) -> grouped::Estimate| groups.iter().map(estimator).collect::<Vec<_>>();
    grouped::compare(comparison, label, &of(Groups::mean), theirs, "mean", &[])?;
    grouped::compare(comparison, label, &of(Groups::std), theirs, "std", &[])
}
