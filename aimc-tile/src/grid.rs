//! A logical matrix over a grid of tiles, for matrices larger than one crossbar.
//!
//! ```text
//! W = [W₀₀ W₀₁ …]      yᵣ = Σ_c W_rc x_c      z_c = Σ_r W_rcᵀ d_r
//!     [W₁₀ W₁₁ …]
//! ```
//!
//! Every part W_rc is a tile with circuits of its own. Outputs of different rows of the grid are concatenated; the partial
//! sums of one row are added digitally, exactly, in the order of the columns. A side of n lines with at most m per tile is
//! cut into ⌈n/m⌉ parts as equal as possible, the larger ones first: 1025 lines at 512 are 342 + 342 + 341. Draws of a
//! part are addressed by its place in the grid. The variance of output noise adds up: C parts in a row make it C times
//! that of one tile.
//!
//! Not modelled: rounding in the digital adder, and its cost.
//!
//! Reference: M. J. Rasch et al. 2021, IEEE AICAS, doi:10.1109/AICAS51828.2021.9458494 (AIHWKit's tile arrays).
//!
//! ```
//! use aimc_tile::grid::equal_parts;
//! assert_eq!(equal_parts(1025, 512), [342, 342, 341]);
//! assert_eq!(equal_parts(1000, 0), [1000]);
//! ```

use std::ops::Range;

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::parallel;
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};

use crate::ideal::check_update;
use crate::mapping::{PeripheryQuantization, TileSettings};
use crate::signals::{check_lines, check_shape};
use crate::tile::{
    Inventory, MatVec, ReadOut, SampleKeys, Shape, StepWeights, Tile, TileError, VisitDigital,
};

/// `size` lines cut into the fewest parts of at most `largest` lines (0: no limit), equal but for one line, larger first.
#[must_use]
pub fn equal_parts(size: usize, largest: usize) -> Vec<usize> {
    let parts = if largest == 0 { 1 } else { size.div_ceil(largest).max(1) };
    (0..parts).map(|part| size / parts + usize::from(part < size % parts)).collect()
}

/// A tile and its place in the logical matrix.
#[derive(Clone, Debug)]
struct Part<T> {
    tile: T,
    /// Place in the grid, the address of its draws and the name of its state.
    row: usize,
    column: usize,
    /// Place of its first weight in the logical matrix.
    first_output: usize,
    first_input: usize,
    shape: Shape,
}

impl<T> Part<T> {
    fn key(&self, key: RngKey) -> RngKey {
        key.fold_in(label("grid")).fold_in(self.row as u64).fold_in(self.column as u64)
    }

    fn draws(&self, draws: SampleKeys) -> SampleKeys {
        draws.fold_in(label("grid")).fold_in(self.row as u64).fold_in(self.column as u64)
    }

    fn name(&self) -> String {
        format!("tile{}_{}", self.row, self.column)
    }
}

/// Tiles that hold one matrix, see the [module](self).
#[derive(Clone, Debug)]
pub struct TileGrid<T> {
    shape: Shape,
    parts: Vec<Part<T>>,
}

impl<T> TileGrid<T> {
    /// The tiles, row by row of the grid.
    pub fn tiles(&self) -> impl Iterator<Item = &T> {
        self.parts.iter().map(|part| &part.tile)
    }

    /// The same, to set what was measured.
    pub fn tiles_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.parts.iter_mut().map(|part| &mut part.tile)
    }

    /// The input lines of the matrix that each tile gets, in the order of [`TileGrid::tiles`].
    pub fn input_lines(&self) -> impl Iterator<Item = Range<usize>> {
        self.parts.iter().map(|part| part.first_input..part.first_input + part.shape.inputs)
    }

    /// The same grid of what `convert` makes of every tile and of the key of its place.
    pub fn try_map<U, E>(
        &self,
        key: RngKey,
        mut convert: impl FnMut(&T, RngKey) -> Result<U, E>,
    ) -> Result<TileGrid<U>, E> {
        let convert = |part: &Part<T>| {
            let Part { row, column, first_output, first_input, shape, .. } = *part;
            let tile = convert(&part.tile, part.key(key))?;
            Ok(Part { tile, row, column, first_output, first_input, shape })
        };
        Ok(TileGrid { shape: self.shape, parts: self.parts.iter().map(convert).collect::<Result<_, E>>()? })
    }
}

impl<T: MatVec> TileGrid<T> {
    /// A grid of tiles of at most `largest` lines each way (0: no limit), which `build` fabricates one by one.
    pub fn new(
        shape: Shape,
        largest: Shape,
        key: RngKey,
        mut build: impl FnMut(Shape, RngKey) -> Result<T, ConfigError>,
    ) -> Result<Self, ConfigError> {
        require::at_least_one("outputs", shape.outputs)?;
        require::at_least_one("inputs", shape.inputs)?;
        let mut parts = Vec::new();
        let mut first_output = 0;
        for (row, outputs) in equal_parts(shape.outputs, largest.outputs).into_iter().enumerate() {
            let mut first_input = 0;
            for (column, inputs) in equal_parts(shape.inputs, largest.inputs).into_iter().enumerate() {
                let shape = Shape { outputs, inputs };
                let key = key.fold_in(label("grid")).fold_in(row as u64).fold_in(column as u64);
                let tile = build(shape, key)?;
                parts.push(Part { tile, row, column, first_output, first_input, shape });
                first_input += inputs;
            }
            first_output += outputs;
        }
        Ok(Self { shape, parts })
    }
}

/// Adds `partial` to the rows of `sum` from `first` on.
fn add(sum: &mut DMatrix<f32>, first: usize, partial: &DMatrix<f32>) {
    let mut rows = sum.rows_mut(first, partial.nrows());
    rows += partial;
}

impl<T: MatVec> MatVec for TileGrid<T> {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn forward(
        &self,
        x: DMatrixView<f32>,
        mut y: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        check_lines("x", &x, self.shape.inputs, x.ncols())?;
        check_shape("y", y.shape(), (self.shape.outputs, x.ncols()))?;
        if let [part] = &self.parts[..] {
            return part.tile.forward(x, y, part.draws(draws));
        }
        let mut sum = DMatrix::zeros(self.shape.outputs, x.ncols());
        for part in &self.parts {
            let x = x.rows(part.first_input, part.shape.inputs);
            let mut partial = DMatrix::zeros(part.shape.outputs, x.ncols());
            part.tile.forward(x, partial.as_view_mut(), part.draws(draws))?;
            add(&mut sum, part.first_output, &partial);
        }
        y.copy_from(&sum);
        Ok(())
    }

    /// All tiles have the same circuits.
    fn periphery_precision(&self) -> PeripheryQuantization {
        self.parts.first().map_or_else(PeripheryQuantization::default, |part| part.tile.periphery_precision())
    }
}

impl<T: Tile> Tile for TileGrid<T> {
    fn backward(
        &self,
        d: DMatrixView<f32>,
        mut z: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        check_lines("d", &d, self.shape.outputs, d.ncols())?;
        check_shape("z", z.shape(), (self.shape.inputs, d.ncols()))?;
        if let [part] = &self.parts[..] {
            return part.tile.backward(d, z, part.draws(draws));
        }
        let mut sum = DMatrix::zeros(self.shape.inputs, d.ncols());
        for part in &self.parts {
            let d = d.rows(part.first_output, part.shape.outputs);
            let mut partial = DMatrix::zeros(part.shape.inputs, d.ncols());
            part.tile.backward(d, partial.as_view_mut(), part.draws(draws))?;
            add(&mut sum, part.first_input, &partial);
        }
        z.copy_from(&sum);
        Ok(())
    }

    fn update(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: f32,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        check_update(self.shape, &x, &d, lr)?;
        let parts = &mut self.parts;
        parallel::at_once(self.shape.outputs * self.shape.inputs, || {
            parts.iter_mut().try_for_each(|part| {
                let draws = part.draws(draws);
                let x = x.rows(part.first_input, part.shape.inputs);
                let d = d.rows(part.first_output, part.shape.outputs);
                part.tile.update(x, d, lr, draws)
            })
        })
    }

    fn visit_digital(&mut self, visit: &mut VisitDigital<'_>) {
        let mut before = 0;
        for part in &mut self.parts {
            part.tile.visit_digital(&mut |first, numbers| visit(before + first, numbers));
            before += part.tile.digital_len();
        }
    }

    fn digital_len(&mut self) -> usize {
        self.parts.iter_mut().map(|part| part.tile.digital_len()).sum()
    }

    fn update_by(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: f32,
        draws: SampleKeys,
        step: &mut StepWeights<'_>,
    ) -> Result<(), TileError> {
        check_update(self.shape, &x, &d, lr)?;
        let mut before = 0;
        for part in &mut self.parts {
            let draws = part.draws(draws);
            let x = x.rows(part.first_input, part.shape.inputs);
            let d = d.rows(part.first_output, part.shape.outputs);
            let mut step = |first: usize, weights: &mut [f32], g: &[f32]| step(before + first, weights, g);
            part.tile.update_by(x, d, lr, draws, &mut step)?;
            before += part.tile.digital_len();
        }
        Ok(())
    }

    fn end_of_step(&mut self, key: RngKey) {
        for part in &mut self.parts {
            let key = part.key(key);
            part.tile.end_of_step(key);
        }
    }

    fn inventory(&self) -> Inventory {
        self.tiles().map(Tile::inventory).sum()
    }

    fn state(&self) -> State {
        let mut state = State::default();
        for part in &self.parts {
            state.nest(&part.name(), part.tile.state());
        }
        state
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        restore_all(self.parts.iter_mut().map(|part| (part.name(), &mut part.tile)), state)
    }
}

impl<T: MatVec + ReadOut> ReadOut for TileGrid<T> {
    fn weights(&self) -> DMatrix<f32> {
        let mut weights = DMatrix::zeros(self.shape.outputs, self.shape.inputs);
        for part in &self.parts {
            let (at, size) = ((part.first_output, part.first_input), (part.shape.outputs, part.shape.inputs));
            weights.view_mut(at, size).copy_from(&part.tile.weights());
        }
        weights
    }

    fn set_weights(&mut self, weights: &DMatrix<f32>, key: RngKey) -> Result<(), TileError> {
        check_lines("weights", &weights.as_view(), self.shape.outputs, self.shape.inputs)?;
        for part in &mut self.parts {
            let (at, size) = ((part.first_output, part.first_input), (part.shape.outputs, part.shape.inputs));
            let key = part.key(key);
            part.tile.set_weights(&weights.view(at, size).into_owned(), key)?;
        }
        Ok(())
    }

    /// Only of a single tile: the mapping refuses an analog bias on several.
    fn bias(&self) -> Option<Vec<f32>> {
        match &self.parts[..] {
            [part] => part.tile.bias(),
            _ => None,
        }
    }

    fn set_bias(&mut self, bias: &[f32], key: RngKey) -> Result<(), TileError> {
        match &mut self.parts[..] {
            [part] => {
                let key = part.key(key);
                part.tile.set_bias(bias, key)
            }
            _ => check_shape("bias", (bias.len(), 1), (0, 1)),
        }
    }

    fn settings(&self) -> Vec<TileSettings> {
        self.tiles().flat_map(ReadOut::settings).collect()
    }
}

/// Restores several tiles from their parts of `state`; after an error all are as before.
pub(crate) fn restore_all<'a, T: Tile + 'a>(
    tiles: impl Iterator<Item = (String, &'a mut T)>,
    state: &StatePart<'_>,
) -> Result<(), StateError> {
    let mut done: Vec<(&mut T, State)> = Vec::new();
    for (name, tile) in tiles {
        let before = tile.state();
        if let Err(error) = tile.restore(&state.part(&name)) {
            // Each takes back its own state, which fits by construction.
            done.into_iter().try_for_each(|(tile, before)| tile.restore(&before.root()))?;
            return Err(error);
        }
        done.push((tile, before));
    }
    Ok(())
}
