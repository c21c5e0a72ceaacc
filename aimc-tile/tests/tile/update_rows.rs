//! Rows that are updated one by one: as by errors that are unit vectors.

use super::{keys, uniform};
use aimc_device::RngKey;
use aimc_device::config;
use aimc_tile::pulse::{PulseSource, PulseType};
use aimc_tile::{AnalogTile, Shape, Tile, TileConfig, TileError, UnitCell, UpdateConfig};
use nalgebra::DMatrix;

/// Large enough that rows go to several threads.
const SHAPE: Shape = Shape { outputs: 200, inputs: 170 };

fn tile(device: &str, update: &UpdateConfig) -> AnalogTile {
    let device: UnitCell = config::from_toml(device).unwrap();
    TileConfig { device, update: update.clone(), ..TileConfig::default() }
        .build(SHAPE, RngKey::root(1))
        .unwrap()
}

/// Bit for bit what `update` makes of the rows' unit vectors, for all types of pulses, cells and sources of chance, at one thread
/// and at two.
#[test]
fn rows_are_updated_as_by_unit_vectors() {
    let plain = "model = \"SoftBounds\"\nwrite_noise_std = 0.1";
    let pair = "model = \"OneSided\"\nrefresh_every = 1\ndevice = { model = \"SoftBounds\", dw_min = 0.05 }";
    let two = "model = \"Vector\"\nupdate_policy = \"SingleSequential\"\n\
               devices = [{ model = \"ConstantStep\" }, { model = \"ExpStep\" }]";
    let first = 7;
    let x = uniform(SHAPE.inputs, SHAPE.outputs - first, 3);
    let d = DMatrix::from_fn(SHAPE.outputs, x.ncols(), |i, j| if i == first + j { 1.0 } else { 0.0 });
    for pulse_type in [
        PulseType::StochasticCompressed,
        PulseType::MeanCount,
        PulseType::DeterministicImplicit,
        PulseType::NoneWithDevice,
    ] {
        for pulse_source in [PulseSource::Independent, PulseSource::LaggedFibonacci] {
            for device in [plain, pair, two] {
                let update = UpdateConfig { pulse_type, pulse_source, ..UpdateConfig::default() };
                let mut whole = tile(device, &update);
                whole.update(x.as_view(), d.as_view(), 0.02, keys(5)).unwrap();
                for threads in [1, 2] {
                    let mut rows = tile(device, &update);
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                    pool.install(|| rows.update_rows(first, x.as_slice(), 0.02, keys(5))).unwrap();
                    assert_eq!(rows.state(), whole.state(), "{pulse_type:?}, {pulse_source:?}, {device}");
                }
            }
        }
    }
}

/// Parts of rows, more rows than there are, what is not finite and negative rates are refused; nothing has changed then.
#[test]
fn calls_that_make_no_sense_are_refused() {
    let mut tile = tile("model = \"ConstantStep\"", &UpdateConfig::default());
    let before = tile.state();
    let two_rows = vec![0.5; 2 * SHAPE.inputs];
    let mut refuse = |first, x: &[f32], lr| tile.update_rows(first, x, lr, keys(1)).unwrap_err();
    let shape = |expected| move |error: &TileError| matches!(error, TileError::Shape { expected: (n, 1), .. } if *n == expected);
    assert!(shape(170)(&refuse(0, &two_rows[..SHAPE.inputs + 1], 0.1)));
    assert!(shape(170)(&refuse(SHAPE.outputs - 1, &two_rows, 0.1)));
    assert!(shape(0)(&refuse(usize::MAX, &two_rows, 0.1)));
    let mut broken = two_rows.clone();
    broken[SHAPE.inputs + 3] = f32::NAN;
    assert!(matches!(refuse(0, &broken, 0.1), TileError::NotFinite { sample: 1, line: 3, .. }));
    assert_eq!(refuse(0, &two_rows, -0.1), TileError::LearningRate(-0.1));
    assert_eq!(tile.state(), before);
    tile.update_rows(SHAPE.outputs, &[], 0.1, keys(1)).unwrap();
    let beyond = tile.update_each_row(SHAPE.outputs - 1..SHAPE.outputs + 1, &|_, _| panic!(), 0.1, keys(1));
    assert!(matches!(beyond, Err(TileError::Shape { expected: (200, 170), found: (201, 170), .. })));
    assert_eq!(tile.state(), before);
}

/// Where vectors are made on the way, rows whose vector is not finite stay as they are, the others are updated, and the first one is told.
#[test]
fn rows_that_are_not_finite_are_left_out() {
    let update = UpdateConfig::default();
    let [mut tile, mut expected] = [0; 2].map(|_| tile("model = \"ConstantStep\"", &update));
    let broken = |row: usize| row % 30 == 14;
    let vector = |row: usize, x: &mut [f32]| x.fill(if row.is_multiple_of(2) { 1.0 } else { -0.4 });
    let with = |row: usize, x: &mut [f32]| {
        vector(row, x);
        if broken(row) {
            x[5] = f32::INFINITY;
        }
    };
    let without = |row: usize, x: &mut [f32]| {
        if !broken(row) {
            vector(row, x)
        }
    };
    let error = tile.update_each_row(10..SHAPE.outputs, &with, 0.1, keys(1)).unwrap_err();
    assert_eq!(error, TileError::NotFinite { what: "x", sample: 4, line: 5, value: f32::INFINITY });
    expected.update_each_row(10..SHAPE.outputs, &without, 0.1, keys(1)).unwrap();
    assert_eq!(tile.state(), expected.state());
}
