//! The analog tile: a crossbar of devices between converters, written by pulses.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use aimc_device::RngKey;
use aimc_device::error::{ConfigError, require};
use aimc_device::parallel;
use aimc_device::pulsed::DeviceArray;
use aimc_device::rng::label;
use aimc_device::state::{State, StateError, StatePart};

use crate::circuits::Circuits;
use crate::ideal::{check_rate, check_update, from_matrix, gather, to_matrix};
use crate::periphery::IoConfig;
use crate::pulse::{Note, UpdateConfig};
use crate::signals::{check_line, check_lines, check_shape};
use crate::tile::{Inventory, MatVec, ReadOut, SampleKeys, Shape, Tile, TileError};
use crate::unit_cell::{CellArray, OuterProducts, RowProducts, RowVectors, Steps, UnitCell};

/// A whole tile.
///
/// ```
/// use aimc_device::config;
/// use aimc_tile::TileConfig;
/// let text = "forward.out_noise = 0.02\n[device]\nmodel = \"SoftBounds\"\nw_max = 0.5";
/// let tile: TileConfig = config::from_toml(text).unwrap();
/// assert_eq!(tile.forward.out_noise, 0.02);
/// let error = config::from_toml::<TileConfig>("[device]\nmodel = \"SoftBounds\"\nw_mx = 1").unwrap_err();
/// assert_eq!(error.field, "device.w_mx");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TileConfig {
    /// What sits at every crossing.
    pub device: UnitCell,
    /// Circuits of the forward direction.
    pub forward: IoConfig,
    /// Circuits of the backward direction; bound management has no effect there.
    pub backward: IoConfig,
    /// Pulses of the update.
    pub update: UpdateConfig,
}

impl TileConfig {
    /// Exact products, exact updates: floating point.
    #[must_use]
    pub fn ideal() -> Self {
        Self {
            device: UnitCell::ideal(),
            forward: IoConfig::perfect(),
            backward: IoConfig::perfect(),
            update: UpdateConfig::exact(),
        }
    }

    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.device.validate().map_err(|error| error.within("device"))?;
        self.forward.validate().map_err(|error| error.within("forward"))?;
        self.backward.validate().map_err(|error| error.within("backward"))?;
        self.update.validate().map_err(|error| error.within("update"))
    }

    /// Validates, then fabricates a tile with weights 0.
    pub fn build(&self, shape: Shape, key: RngKey) -> Result<AnalogTile, ConfigError> {
        AnalogTile::new(self, shape, key)
    }
}

/// A crossbar of devices with its circuits.
#[derive(Debug)]
pub struct AnalogTile {
    shape: Shape,
    cells: Box<dyn CellArray>,
    circuits: Circuits,
    update: UpdateConfig,
}

impl AnalogTile {
    /// Validates `config`, then fabricates the devices from `key`; weights start at 0.
    pub fn new(config: &TileConfig, shape: Shape, key: RngKey) -> Result<Self, ConfigError> {
        config.validate()?;
        require::at_least_one("outputs", shape.outputs)?;
        require::at_least_one("inputs", shape.inputs)?;
        Ok(Self {
            shape,
            cells: config.device.build(config.update.pulse_type, shape, key)?,
            circuits: Circuits::new(
                &config.forward,
                &config.backward,
                shape,
                key.fold_in(label("circuits")),
            )?,
            update: config.update.clone(),
        })
    }

    /// The pulsed devices, one array per device of a unit cell; none for ideal storage.
    #[must_use]
    pub fn devices(&self) -> Vec<&dyn DeviceArray> {
        self.cells.devices()
    }

    /// The circuits: what fabrication has left in them can be read.
    #[must_use]
    pub fn circuits(&self) -> &Circuits {
        &self.circuits
    }

    /// The same, to set measured values.
    pub fn circuits_mut(&mut self) -> &mut Circuits {
        &mut self.circuits
    }

    /// Mean weight change of one pulse, in whose units updates are planned; 0 for ideal storage.
    #[must_use]
    pub fn granularity(&self) -> f32 {
        self.cells.granularity()
    }

    /// The weights as they are read now, row by row: what other circuits around the same devices see.
    #[must_use]
    pub fn conductances(&self) -> &[f32] {
        self.cells.weights()
    }

    /// As [`Tile::update`], with a learning rate for each sample, and gives columns of W as they would be read on the way, outputs x
    /// `notes`: the k-th is what column `notes[k].column` held once sample `notes[k].after` had arrived.
    ///
    /// ```
    /// use aimc_device::RngKey;
    /// use aimc_tile::pulse::Note;
    /// use aimc_tile::{SampleKeys, Shape, TileConfig};
    /// use nalgebra::DMatrix;
    /// let mut tile = TileConfig::ideal().build(Shape { outputs: 1, inputs: 2 }, RngKey::root(1))?;
    /// let (x, d) = (DMatrix::from_element(2, 3, 1.0), DMatrix::from_element(1, 3, -1.0));
    /// let notes = [Note { after: 0, column: 1 }, Note { after: 2, column: 1 }];
    /// let draws = SampleKeys::new(RngKey::root(2));
    /// let noted = tile.update_in_steps(x.as_view(), d.as_view(), &[0.5, 1.0, 2.0], &notes, draws)?;
    /// assert_eq!(noted.as_slice(), [0.5, 3.5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Tile::update`], another number of learning rates than of samples, notes that do not ascend or lie outside;
    /// nothing was changed then.
    pub fn update_in_steps(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: &[f32],
        notes: &[Note],
        draws: SampleKeys,
    ) -> Result<DMatrix<f32>, TileError> {
        check_update(self.shape, &x, &d, 0.0)?;
        check_shape("learning rates", (lr.len(), 1), (x.ncols(), 1))?;
        lr.iter().try_for_each(|lr| check_rate(*lr))?;
        let mut earliest = 0;
        for note in notes {
            if note.after < earliest || note.after >= lr.len() || note.column >= self.shape.inputs {
                return Err(TileError::Note(*note));
            }
            earliest = note.after;
        }
        let (x, d) = (gather(&x), gather(&d));
        let noted = self.cells.update_in_steps(&self.update, Steps { x: &x, d: &d, lr, notes }, draws);
        Ok(DMatrix::from_vec(self.shape.outputs, notes.len(), noted))
    }

    /// W ← W - lr·e xᵀ for row after row from row `first` on, e the unit vector of the row: as [`Tile::update`] with such errors,
    /// but rows that are not meant cost nothing. `x` holds the vectors one after another; the k-th of them draws as sample k.
    ///
    /// ```
    /// use aimc_device::RngKey;
    /// use aimc_tile::{ReadOut, SampleKeys, Shape, TileConfig};
    /// let mut tile = TileConfig::ideal().build(Shape { outputs: 3, inputs: 2 }, RngKey::root(1))?;
    /// tile.update_rows(1, &[1.0, -2.0, 0.0, 4.0], 0.5, SampleKeys::new(RngKey::root(2)))?;
    /// // Column by column: the first row was not meant.
    /// assert_eq!(tile.weights().as_slice(), [0.0, -0.5, 0.0, 0.0, 1.0, -2.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// More vectors than rows or parts of one, numbers that are not finite, a learning rate below 0; nothing was changed then.
    pub fn update_rows(
        &mut self,
        first: usize,
        x: &[f32],
        lr: f32,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        let Shape { outputs, inputs } = self.shape;
        let rows = (x.len() / inputs).min(outputs.saturating_sub(first));
        check_shape("x, a column for each row to update,", (x.len(), 1), (inputs * rows, 1))?;
        check_lines("x", &DMatrixView::from_slice(x, inputs, rows), inputs, rows)?;
        check_rate(lr)?;
        let copy =
            |row: usize, vector: &mut [f32]| vector.copy_from_slice(&x[(row - first) * inputs..][..inputs]);
        let products = RowProducts { rows: first..first + rows, inputs, x: &copy, lr };
        self.cells.update_rows(&self.update, products, draws);
        Ok(())
    }

    /// The same with vectors that are made where they are needed, on any thread, row by row: `x` is called once for each of `rows`,
    /// with its number and `inputs` entries, all 0, to fill in.
    ///
    /// ```
    /// use aimc_device::RngKey;
    /// use aimc_tile::{ReadOut, SampleKeys, Shape, TileConfig};
    /// let mut tile = TileConfig::ideal().build(Shape { outputs: 3, inputs: 2 }, RngKey::root(1))?;
    /// let row_number = |row: usize, x: &mut [f32]| x[0] = row as f32;
    /// tile.update_each_row(1..3, &row_number, 0.5, SampleKeys::new(RngKey::root(2)))?;
    /// assert_eq!(tile.weights().as_slice(), [0.0, -0.5, -1.0, 0.0, 0.0, 0.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Rows that the tile does not have, a learning rate below 0; nothing was changed then, and `x` was not called. Numbers that are
    /// not finite: of the rows that got them the weights stay as they are, and the error tells of the first one.
    pub fn update_each_row(
        &mut self,
        rows: Range<usize>,
        x: &RowVectors<'_>,
        lr: f32,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        let Shape { outputs, inputs } = self.shape;
        let (first, beyond) = (rows.start, rows.clone().find(|row| *row >= outputs));
        check_shape("a row to update", (beyond.map_or(outputs, |row| row + 1), inputs), (outputs, inputs))?;
        check_rate(lr)?;
        let refused = Mutex::new(None);
        let checked = |row: usize, vector: &mut [f32]| {
            x(row, vector);
            let Err(error) = check_line("x", vector, row - first) else { return };
            vector.fill(0.0);
            let mut refused = refused.lock().unwrap_or_else(PoisonError::into_inner);
            if refused.as_ref().is_none_or(|(other, _)| row < *other) {
                *refused = Some((row, error));
            }
        };
        self.cells.update_rows(&self.update, RowProducts { rows, inputs, x: &checked, lr }, draws);
        let refused = refused.into_inner().unwrap_or_else(PoisonError::into_inner);
        refused.map_or(Ok(()), |(_, error)| Err(error))
    }

    /// Resets the devices of some columns, each with the given probability.
    pub fn reset(&mut self, columns: Range<usize>, probability: f32, key: RngKey) {
        self.cells.reset(columns, probability, key);
    }
}

impl MatVec for AnalogTile {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn forward(
        &self,
        x: DMatrixView<f32>,
        y: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        self.circuits.read(self.cells.weights(), x, y, draws)
    }
}

impl Tile for AnalogTile {
    fn backward(
        &self,
        d: DMatrixView<f32>,
        z: DMatrixViewMut<f32>,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        self.circuits.read_back(self.cells.weights(), d, z, draws)
    }

    fn update(
        &mut self,
        x: DMatrixView<f32>,
        d: DMatrixView<f32>,
        lr: f32,
        draws: SampleKeys,
    ) -> Result<(), TileError> {
        parallel::at_once(self.shape.outputs * self.shape.inputs, || {
            check_update(self.shape, &x, &d, lr)?;
            let (x, d) = (gather(&x), gather(&d));
            self.cells.update(&self.update, OuterProducts { x: &x, d: &d, lr }, draws);
            Ok(())
        })
    }

    fn end_of_step(&mut self, key: RngKey) {
        self.cells.end_of_step(key);
    }

    fn inventory(&self) -> Inventory {
        let arrays = self.devices();
        Inventory {
            arrays: u64::from(!arrays.is_empty()),
            devices: arrays.iter().map(|array| array.weights().len() as u64).sum(),
            pulses: arrays.iter().map(|array| array.pulses()).sum(),
        }
    }

    fn state(&self) -> State {
        let mut state = State::default();
        state.nest("devices", self.cells.state());
        state.nest("circuits", self.circuits.state());
        state
    }

    fn restore(&mut self, state: &StatePart<'_>) -> Result<(), StateError> {
        let mut circuits = self.circuits.clone();
        circuits.restore(&state.part("circuits"))?;
        self.cells.restore(&state.part("devices"))?;
        self.circuits = circuits;
        Ok(())
    }
}

impl ReadOut for AnalogTile {
    fn weights(&self) -> DMatrix<f32> {
        to_matrix(self.cells.weights(), self.shape)
    }

    fn set_weights(&mut self, weights: &DMatrix<f32>, key: RngKey) -> Result<(), TileError> {
        let values = from_matrix(weights, self.shape)?;
        self.cells.set_weights(&values, key);
        Ok(())
    }
}
