//! Calls that a tile refuses: typed errors, and nothing changed.

use super::{keys, uniform};
use aimc_device::RngKey;
use aimc_tile::{IdealTile, IoConfig, Shape, Tile, TileConfig, TileError, TrainableTile};
use nalgebra::DMatrix;

const SHAPE: Shape = Shape { outputs: 3, inputs: 5 };

fn tiles() -> Vec<Box<dyn TrainableTile>> {
    let perfect =
        TileConfig { forward: IoConfig::perfect(), backward: IoConfig::perfect(), ..TileConfig::default() };
    let build = |config: TileConfig| Box::new(config.build(SHAPE, RngKey::root(1)).unwrap());
    vec![
        Box::new(IdealTile::new(SHAPE).unwrap()),
        build(TileConfig::default()),
        build(TileConfig::ideal()),
        build(perfect),
    ]
}

fn zeros(rows: usize, columns: usize) -> DMatrix<f32> {
    DMatrix::zeros(rows, columns)
}

fn shape_of(error: &TileError) -> ((usize, usize), (usize, usize)) {
    match error {
        TileError::Shape { expected, found, .. } => (*expected, *found),
        other => panic!("{other} is no error of shape"),
    }
}

/// Wrong numbers of lines or samples are refused with the expected and the found size.
#[test]
fn matrices_of_the_wrong_size_are_refused() {
    for mut tile in tiles() {
        let before = tile.state();
        let forward = |x: (usize, usize), y: (usize, usize)| {
            let mut out = zeros(y.0, y.1);
            tile.forward(zeros(x.0, x.1).as_view(), out.as_view_mut(), keys(1)).unwrap_err()
        };
        assert_eq!(shape_of(&forward((4, 2), (3, 2))), ((5, 2), (4, 2)));
        assert_eq!(shape_of(&forward((5, 2), (4, 2))), ((3, 2), (4, 2)));
        assert_eq!(shape_of(&forward((5, 2), (3, 1))), ((3, 2), (3, 1)));
        let backward = |d: (usize, usize), z: (usize, usize)| {
            let mut out = zeros(z.0, z.1);
            tile.backward(zeros(d.0, d.1).as_view(), out.as_view_mut(), keys(1)).unwrap_err()
        };
        assert_eq!(shape_of(&backward((5, 2), (5, 2))), ((3, 2), (5, 2)));
        assert_eq!(shape_of(&backward((3, 2), (5, 3))), ((5, 2), (5, 3)));
        let mut update = |x: (usize, usize), d: (usize, usize)| {
            tile.update(zeros(x.0, x.1).as_view(), zeros(d.0, d.1).as_view(), 0.1, keys(1)).unwrap_err()
        };
        assert_eq!(shape_of(&update((4, 2), (3, 2))), ((5, 2), (4, 2)));
        assert_eq!(shape_of(&update((5, 2), (5, 2))), ((3, 2), (5, 2)));
        assert_eq!(shape_of(&update((5, 2), (3, 3))), ((3, 2), (3, 3)));
        assert_eq!(shape_of(&tile.set_weights(&zeros(5, 3), RngKey::root(1)).unwrap_err()), ((3, 5), (5, 3)));
        assert_eq!(tile.state(), before);
    }
}

/// Line 1 of sample 2 spoilt.
fn spoilt(rows: usize, value: f32) -> DMatrix<f32> {
    let mut lines = uniform(rows, 4, 1);
    lines[(1, 2)] = value;
    lines
}

fn assert_names_the_place(error: TileError, bad: f32) {
    match error {
        TileError::NotFinite { sample: 2, line: 1, value, .. } => assert_eq!(value.to_bits(), bad.to_bits()),
        other => panic!("{other} does not name the place"),
    }
}

/// NaN and infinities are refused with their place; outputs and state stay as they were.
#[test]
fn numbers_that_are_not_finite_are_refused() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for mut tile in tiles() {
            let before = tile.state();
            let (mut y, mut z) = (DMatrix::from_element(3, 4, 7.0), DMatrix::from_element(5, 4, 7.0));
            let (x, d) = (spoilt(5, bad), spoilt(3, bad));
            assert_names_the_place(tile.forward(x.as_view(), y.as_view_mut(), keys(1)).unwrap_err(), bad);
            assert_names_the_place(tile.backward(d.as_view(), z.as_view_mut(), keys(1)).unwrap_err(), bad);
            let (good_x, good_d) = (uniform(5, 4, 2), uniform(3, 4, 3));
            let refused = tile.update(x.as_view(), good_d.as_view(), 0.1, keys(1));
            assert_names_the_place(refused.unwrap_err(), bad);
            let refused = tile.update(good_x.as_view(), d.as_view(), 0.1, keys(1));
            assert_names_the_place(refused.unwrap_err(), bad);
            let weights = DMatrix::from_fn(3, 5, |i, j| if (i, j) == (1, 2) { bad } else { 0.0 });
            assert_names_the_place(tile.set_weights(&weights, RngKey::root(1)).unwrap_err(), bad);
            assert!(y.iter().chain(z.iter()).all(|value| *value == 7.0));
            assert_eq!(tile.state(), before);
        }
    }
}

/// A learning rate below 0, NaN or infinite is refused and changes nothing.
#[test]
fn learning_rates_are_checked() {
    for lr in [-0.1, -1e-30, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for mut tile in tiles() {
            let before = tile.state();
            let refused = tile.update(uniform(5, 2, 1).as_view(), uniform(3, 2, 2).as_view(), lr, keys(1));
            assert!(
                matches!(refused, Err(TileError::LearningRate(found)) if found.to_bits() == lr.to_bits())
            );
            assert_eq!(tile.state(), before);
        }
    }
}

/// A tile without lines is refused by the name of the missing side.
#[test]
fn tiles_without_lines_are_refused() {
    for (outputs, inputs, field) in [(0, 3, "outputs"), (3, 0, "inputs")] {
        let shape = Shape { outputs, inputs };
        assert_eq!(IdealTile::new(shape).unwrap_err().field, field);
        assert_eq!(TileConfig::default().build(shape, RngKey::root(1)).unwrap_err().field, field);
    }
}
