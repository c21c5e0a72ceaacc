//! A tile in training, with the numbers that address its draws.
//!
//! Vectors are numbered in the order in which they come, those of training and those of evaluation apart; updates and steps have
//! numbers of their own. A draw is a function of (seed, name of the tile, purpose, number), so that splitting a batch changes none,
//! an evaluation in between changes no training, and no other thread or generator matters. The numbers are part of the state.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use aimc_device::RngKey;
use aimc_device::error::ConfigError;
use aimc_device::rng::label;
use aimc_nn::Place;
use aimc_tile::{
    HardwareAwareTileConfig, SampleKeys, Shape, StepWeights, TileError, TrainableTile, estimate_weights,
};
use aimc_train::{TrainingTileConfig, state_file};
use nalgebra::DMatrix;
use numpy::{PyArray1, PyArray2};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde::{Deserialize, Serialize};

use crate::arrays::{Numbers, Vectors, columns, list, rows, weight_rows, weights};
use crate::config::read;
use crate::errors::refused;
use crate::work::detached;

/// Version of the bytes of a state.
const FORMAT: &str = "aimc-tile/1";

/// What a tile is built from.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Order {
    format: String,
    kind: String,
    config: String,
    outputs: usize,
    inputs: usize,
    bias: bool,
    seed: u64,
    name: String,
}

impl Order {
    fn shape(&self) -> Shape {
        Shape { outputs: self.outputs, inputs: self.inputs }
    }

    fn key(&self) -> RngKey {
        RngKey::root(self.seed).fold_in(label(&self.name))
    }

    fn build(&self) -> Result<Box<dyn TrainableTile>, ConfigError> {
        let key = self.key().fold_in(label("devices"));
        match self.kind.as_str() {
            "tile" => {
                let config: TrainingTileConfig = read(&self.config)?;
                config.build_at(&Place { name: &self.name, shape: self.shape(), bias: self.bias, key })
            }
            "hardware_aware" => {
                let config: HardwareAwareTileConfig = read(&self.config)?;
                Ok(Box::new(config.for_layer(self.bias).build(self.shape(), key)?))
            }
            other => Err(ConfigError::new("kind", other, "must be tile or hardware_aware")),
        }
    }
}

/// The next number of everything that draws.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Numbering {
    /// Vectors in training passes.
    trained: AtomicU64,
    /// Vectors in other passes.
    evaluated: AtomicU64,
    /// Vectors in updates.
    updated: AtomicU64,
    steps: AtomicU64,
    /// Writes of weights or bias.
    writes: AtomicU64,
    /// Estimates of weights.
    estimates: AtomicU64,
}

/// The first of `count` numbers, which are used up.
fn take(next: &AtomicU64, count: usize) -> u64 {
    next.fetch_add(count as u64, Ordering::Relaxed)
}

/// The header of a state.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    order: Order,
    next: Numbering,
}

/// A tile that learns, see the [module](self).
#[pyclass(frozen, module = "aimc._native")]
#[derive(Debug)]
pub(crate) struct Tile {
    order: Order,
    tile: RwLock<Box<dyn TrainableTile>>,
    next: Numbering,
}

impl Tile {
    fn new(order: Order) -> Result<Self, ConfigError> {
        let tile = RwLock::new(order.build()?);
        Ok(Self { order, tile, next: Numbering::default() })
    }

    fn read(&self) -> Result<RwLockReadGuard<'_, Box<dyn TrainableTile>>, String> {
        self.tile.read().map_err(|_| "the tile failed in an earlier call".to_owned())
    }

    fn write(&self) -> Result<RwLockWriteGuard<'_, Box<dyn TrainableTile>>, String> {
        self.tile.write().map_err(|_| "the tile failed in an earlier call".to_owned())
    }

    fn key(&self, purpose: &str) -> RngKey {
        self.order.key().fold_in(label(purpose))
    }

    /// Addresses of a pass in either direction.
    fn draws(&self, direction: &str, first: u64, training: bool) -> SampleKeys {
        if training {
            SampleKeys::new(self.key(direction)).skip(first).in_training()
        } else {
            SampleKeys::new(self.key(direction).fold_in(label("evaluation"))).skip(first)
        }
    }
}

fn text(error: TileError) -> String {
    error.to_string()
}

#[pymethods]
impl Tile {
    /// Validates and fabricates; `kind` is `tile` or `hardware_aware`, `config` its record as JSON.
    #[new]
    fn build(
        py: Python<'_>,
        kind: String,
        config: String,
        outputs: usize,
        inputs: usize,
        bias: bool,
        seed: u64,
        name: String,
    ) -> PyResult<Self> {
        let order = Order { format: FORMAT.to_owned(), kind, config, outputs, inputs, bias, seed, name };
        detached(py, || Self::new(order))
    }

    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.order.outputs, self.order.inputs)
    }

    #[getter]
    fn kind(&self) -> &str {
        &self.order.kind
    }

    #[getter]
    fn config(&self) -> &str {
        &self.order.config
    }

    #[getter]
    fn seed(&self) -> u64 {
        self.order.seed
    }

    #[getter]
    fn name(&self) -> &str {
        &self.order.name
    }

    /// y = W x, [batch, outputs], and the number of the first vector, which the backward pass asks for.
    fn forward<'py>(
        &self,
        py: Python<'py>,
        x: Vectors<'py>,
        training: bool,
    ) -> PyResult<(Bound<'py, PyArray2<f32>>, u64)> {
        let x = columns("x", &x)?;
        let first = take(if training { &self.next.trained } else { &self.next.evaluated }, x.ncols());
        let draws = self.draws("forward", first, training);
        let y = detached(py, || {
            let mut y = DMatrix::zeros(self.order.outputs, x.ncols());
            self.read()?.forward(x, y.as_view_mut(), draws).map_err(text)?;
            Ok::<_, String>(y)
        })?;
        Ok((rows(py, y)?, first))
    }

    /// z = Wᵀ d, [batch, inputs].
    fn backward<'py>(
        &self,
        py: Python<'py>,
        d: Vectors<'py>,
        first: u64,
        training: bool,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let d = columns("gradient", &d)?;
        let draws = self.draws("backward", first, training);
        let z = detached(py, || {
            let mut z = DMatrix::zeros(self.order.inputs, d.ncols());
            self.read()?.backward(d, z.as_view_mut(), draws).map_err(text)?;
            Ok::<_, String>(z)
        })?;
        rows(py, z)
    }

    /// Analog weights move by -lr·d xᵀ as their devices can. Returns the gradient of all digital numbers, which stay.
    fn update<'py>(
        &self,
        py: Python<'py>,
        x: Vectors<'py>,
        d: Vectors<'py>,
        lr: f32,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let (x, d) = (columns("x", &x)?, columns("gradient", &d)?);
        let draws = SampleKeys::new(self.key("update")).skip(take(&self.next.updated, x.ncols()));
        let gradient = detached(py, || {
            let mut tile = self.write()?;
            let mut gradient = vec![0.0; tile.digital_len()];
            let mut note: Box<StepWeights<'_>> =
                Box::new(|first, _, g| gradient[first..][..g.len()].copy_from_slice(g));
            tile.update_by(x, d, lr, draws, &mut *note).map_err(text)?;
            drop(note);
            Ok::<_, String>(gradient)
        })?;
        Ok(PyArray1::from_vec(py, gradient))
    }

    /// What happens to the devices once per step.
    fn end_of_step(&self, py: Python<'_>) -> PyResult<()> {
        let key = self.key("end of step").fold_in(take(&self.next.steps, 1));
        detached(py, || self.write().map(|mut tile| tile.end_of_step(key)))
    }

    /// The numbers in digital memory that optimizers move: weights, learned scales, input ranges; none of an analog tile.
    fn digital<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let mut tile = self.write().map_err(refused)?;
        let mut numbers = vec![0.0; tile.digital_len()];
        tile.visit_digital(&mut |first, some| numbers[first..][..some.len()].copy_from_slice(some));
        Ok(PyArray1::from_vec(py, numbers))
    }

    fn set_digital(&self, numbers: Numbers<'_>) -> PyResult<()> {
        let numbers = list("numbers", &numbers)?;
        let mut tile = self.write().map_err(refused)?;
        let expected = tile.digital_len();
        if numbers.len() != expected {
            return Err(refused(format!("{} numbers were given, the tile has {expected}", numbers.len())));
        }
        if let Some(at) = numbers.iter().position(|number| !number.is_finite()) {
            return Err(refused(format!("digital number {at} is {}, which is not finite", numbers[at])));
        }
        tile.visit_digital(&mut |first, some| some.copy_from_slice(&numbers[first..][..some.len()]));
        Ok(())
    }

    /// W, [outputs, inputs], as no hardware can tell it.
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        weight_rows(py, &self.read().map_err(refused)?.weights())
    }

    /// Writes W as far as the devices allow.
    fn set_weights(&self, py: Python<'_>, values: Vectors<'_>) -> PyResult<()> {
        let values = weights("weights", &values)?;
        let key = self.key("write").fold_in(take(&self.next.writes, 1));
        detached(py, || self.write()?.set_weights(&values, key).map_err(text))
    }

    /// The analog bias; none where a bias is digital.
    fn bias<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyArray1<f32>>>> {
        Ok(self.read().map_err(refused)?.bias().map(|bias| PyArray1::from_vec(py, bias)))
    }

    fn set_bias(&self, py: Python<'_>, values: Numbers<'_>) -> PyResult<()> {
        let values = list("bias", &values)?;
        let key = self.key("write").fold_in(take(&self.next.writes, 1));
        detached(py, || self.write()?.set_bias(&values, key).map_err(text))
    }

    /// A digital bias in the precision of the circuits around the tile.
    fn round_bias<'py>(&self, py: Python<'py>, values: Numbers<'_>) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let values = list("bias", &values)?;
        let rounded = self.read().map_err(refused)?.periphery_precision().round(&values).into_owned();
        Ok(PyArray1::from_vec(py, rounded))
    }

    /// Weights and offsets as hardware can tell them, from so many products per input.
    #[allow(clippy::type_complexity)] // two arrays
    fn estimate<'py>(
        &self,
        py: Python<'py>,
        per_input: usize,
    ) -> PyResult<(Bound<'py, PyArray2<f32>>, Bound<'py, PyArray1<f32>>)> {
        let key = self.key("estimate").fold_in(take(&self.next.estimates, 1));
        let found = detached(py, || {
            let tile = self.read()?;
            estimate_weights(&**tile, per_input, key).map_err(text)
        })?;
        Ok((weight_rows(py, &found.weights)?, PyArray1::from_vec(py, found.offsets)))
    }

    /// What the circuits around the tiles have learned, as JSON.
    fn settings(&self) -> PyResult<String> {
        serde_json::to_string(&self.read().map_err(refused)?.settings()).map_err(refused)
    }

    /// Arrays, devices, and the pulses that they have received.
    fn inventory(&self) -> PyResult<(u64, u64, u64)> {
        let inventory = self.read().map_err(refused)?.inventory();
        Ok((inventory.arrays, inventory.devices, inventory.pulses.total()))
    }

    /// Everything needed to go on, the numbers of its draws included.
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = detached(py, || {
            let next: Numbering = serde_json::to_value(&self.next)
                .and_then(serde_json::from_value)
                .map_err(|error| error.to_string())?;
            let header = Header { order: self.order.clone(), next };
            let header = serde_json::to_string(&header).map_err(|error| error.to_string())?;
            state_file::to_bytes(&self.read()?.state(), header).map_err(|error| error.to_string())
        })?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// The tile that [`Tile::state`] described.
    #[staticmethod]
    fn from_state(py: Python<'_>, bytes: &[u8]) -> PyResult<Self> {
        detached(py, || {
            let at = |error: &dyn std::fmt::Display| format!("state of a tile: {error}");
            let (state, header) = state_file::from_bytes(bytes).map_err(|error| at(&error))?;
            let Header { order, next } = serde_json::from_str(&header).map_err(|error| at(&error))?;
            if order.format != FORMAT {
                return Err(at(&format!("format {:?} instead of {FORMAT:?}", order.format)));
            }
            let mut tile = order.build().map_err(|error| at(&error))?;
            tile.restore(&state.root()).map_err(|error| at(&error))?;
            Ok(Self { order, tile: RwLock::new(tile), next })
        })
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let state = slf.get().state(slf.py())?;
        Ok((slf.get_type().getattr("from_state")?, (state,)))
    }

    fn __deepcopy__(&self, py: Python<'_>, _memo: &Bound<'_, PyAny>) -> PyResult<Self> {
        let state = self.state(py)?;
        Self::from_state(py, state.as_bytes())
    }
}
