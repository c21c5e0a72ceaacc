//! Tiles against their analytical expectations, one topic per file.
#![allow(clippy::unwrap_used)]

mod adc;
mod bound_management;
mod config_gate;
mod converters;
mod determinism;
mod errors;
mod estimate;
mod exact;
mod frozen;
mod grid;
mod ir_drop;
mod lines_alone;
mod mapping;
mod mv_type;
mod noise;
mod presets;
mod rounding;
mod sliced;
mod state;
mod steps;
mod unit_cell;
mod update;
mod update_counts;
mod update_limits;
mod update_rows;

use aimc_device::RngKey;
use aimc_tile::UnitCell;
use aimc_tile::periphery::bound_management::BoundManagement;
use aimc_tile::periphery::noise_management::NoiseManagement;
use aimc_tile::{AnalogTile, IoConfig, MatVec, ReadOut, SampleKeys, Shape, Tile, TileConfig, UpdateConfig};
use nalgebra::DMatrix;

/// Unit roundoff of `f32`: the relative error of one operation.
const ROUNDOFF: f64 = f32::EPSILON as f64 / 2.0;

/// Circuits without noise, resolution or range.
fn transparent(noise_management: NoiseManagement) -> IoConfig {
    IoConfig {
        inp_bound: if noise_management == NoiseManagement::None { 0.0 } else { 1.0 },
        inp_res: 0.0,
        out_bound: 0.0,
        out_res: 0.0,
        out_noise: 0.0,
        bound_management: BoundManagement::None,
        noise_management,
        ..IoConfig::default()
    }
}

/// A tile with exact storage behind the circuits `io` in both directions.
fn tile(io: &IoConfig, weights: &DMatrix<f32>) -> AnalogTile {
    let config = TileConfig {
        device: UnitCell::ideal(),
        forward: io.clone(),
        backward: io.clone(),
        update: UpdateConfig::exact(),
    };
    let shape = Shape { outputs: weights.nrows(), inputs: weights.ncols() };
    let mut tile = config.build(shape, RngKey::root(1)).unwrap();
    tile.set_weights(weights, RngKey::root(1)).unwrap();
    tile
}

/// Addresses of draws.
fn keys(seed: u64) -> SampleKeys {
    SampleKeys::new(RngKey::root(seed))
}

fn forward(tile: &impl MatVec, x: &DMatrix<f32>, keys: SampleKeys) -> DMatrix<f32> {
    let mut y = DMatrix::from_element(tile.shape().outputs, x.ncols(), f32::NAN);
    tile.forward(x.as_view(), y.as_view_mut(), keys).unwrap();
    y
}

fn backward(tile: &impl Tile, d: &DMatrix<f32>, keys: SampleKeys) -> DMatrix<f32> {
    let mut z = DMatrix::from_element(tile.shape().inputs, d.ncols(), f32::NAN);
    tile.backward(d.as_view(), z.as_view_mut(), keys).unwrap();
    z
}

/// y = W x through the circuits `io`.
fn product(io: &IoConfig, weights: &DMatrix<f32>, x: &DMatrix<f32>, seed: u64) -> DMatrix<f32> {
    forward(&tile(io, weights), x, keys(seed))
}

/// W x in double precision.
fn exact(weights: &DMatrix<f32>, x: &DMatrix<f32>) -> DMatrix<f64> {
    weights.map(f64::from) * x.map(f64::from)
}

/// Σⱼ |Wᵢⱼ||xⱼ|, the size to which rounding errors of a product are relative.
fn sizes(weights: &DMatrix<f32>, x: &DMatrix<f32>) -> DMatrix<f64> {
    exact(&weights.abs(), &x.abs())
}

/// Reproducible numbers in ±1.
fn uniform(rows: usize, columns: usize, seed: u64) -> DMatrix<f32> {
    let mut values = vec![0.0; rows * columns];
    RngKey::root(seed).stream(77).fill_uniform(&mut values);
    DMatrix::from_vec(rows, columns, values).map(|u| 2.0 * u - 1.0)
}

/// Reproducible multiples of 1/8 in ±1: sums of products of a few hundred of them are exact.
fn eighths(rows: usize, columns: usize, seed: u64) -> DMatrix<f32> {
    uniform(rows, columns, seed).map(|u| (8.0 * u).round() / 8.0)
}

fn same_bits(a: &DMatrix<f32>, b: &DMatrix<f32>) -> bool {
    a.shape() == b.shape() && a.iter().zip(b.iter()).all(|(a, b)| a.to_bits() == b.to_bits())
}
