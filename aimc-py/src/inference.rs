//! A matrix on an inference chip: programmed once, then read at any time.
//!
//! A layer is a network of one linear layer, so that its bias lies where the chip's mapping says, and all is that of the crates.

use std::sync::atomic::{AtomicU64, Ordering};

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_infer::{
    EvaluationError, InferenceMatrix, InferenceTileConfig, Nested, NetworkSettings, ProgrammedMatrix,
    Summary, WithSettings, network_at, program_network, with_settings,
};
use aimc_nn::{Layer, LayerConfig, Linear, LinearConfig, Network, NetworkConfig};
use aimc_tile::{IdealTile, SampleKeys, TileSettings};
use nalgebra::{DMatrix, DVector};
use numpy::PyArray2;
use pyo3::prelude::*;
use serde::Serialize;

use crate::arrays::{Numbers, Vectors, columns, list, rows, weight_rows, weights};
use crate::config::read;
use crate::errors::refused;
use crate::work::detached;

/// Name of the only matrix of [`one_layer`].
pub(crate) const MATRIX: &str = "layer0.tile";

/// A network of one linear layer with these weights, which the circuits around have `settings` for.
pub(crate) fn one_layer(
    weights: &DMatrix<f32>,
    bias: Option<Vec<f32>>,
    settings: Vec<TileSettings>,
) -> Result<Network<WithSettings<IdealTile>>, EvaluationError> {
    let (outputs, inputs) = weights.shape();
    let linear = LinearConfig { inputs: Some(inputs), outputs, bias: bias.is_some() };
    let layers = vec![LayerConfig::Linear(linear)];
    let plan = NetworkConfig { input: vec![inputs], layers };
    let mut network = plan.build(RngKey::root(0), |place| IdealTile::new(place.shape))?;
    let tile = IdealTile::holding(weights);
    network.layers = vec![Layer::Linear(Linear { tile, bias: bias.map(DVector::from_vec) })];
    let settings = match settings.is_empty() {
        true => NetworkSettings::new(),
        false => NetworkSettings::from([(MATRIX.to_owned(), settings)]),
    };
    Ok(with_settings(&network, &settings)?)
}

/// The weights, bias and settings of a layer as Python has them.
pub(crate) fn layer(
    values: &Vectors<'_>,
    bias: Option<&Numbers<'_>>,
    settings: &str,
) -> PyResult<Network<WithSettings<IdealTile>>> {
    let values = weights("weights", values)?;
    let bias = bias.map(|bias| list("bias", bias)).transpose()?;
    let (outputs, finite) =
        (values.nrows(), |numbers: &[f32]| numbers.iter().all(|number| number.is_finite()));
    if let Some(bias) = &bias
        && (bias.len() != outputs || !finite(bias))
    {
        return Err(refused(format!("bias must be {outputs} finite numbers, one for each output")));
    }
    let settings = serde_json::from_str(settings).map_err(refused)?;
    one_layer(&values, bias, settings).map_err(refused)
}

/// A programmed layer.
#[pyclass(frozen, module = "aimc._native")]
#[derive(Debug)]
pub(crate) struct Programmed {
    network: Network<ProgrammedMatrix>,
    key: RngKey,
}

#[pymethods]
impl Programmed {
    /// Programs `values`, [outputs, inputs], into the chip that `config` (JSON) describes. The same seed, name and event draw the
    /// same devices.
    #[new]
    #[pyo3(signature = (values, bias, settings, config, seed, name, event=0))]
    fn new(
        py: Python<'_>,
        values: Vectors<'_>,
        bias: Option<Numbers<'_>>,
        settings: &str,
        config: &str,
        seed: u64,
        name: &str,
        event: u64,
    ) -> PyResult<Self> {
        let network = layer(&values, bias.as_ref(), settings)?;
        let config: InferenceTileConfig = read(config).map_err(refused)?;
        let key = RngKey::root(seed).fold_in(label("chip")).fold_in(event).fold_in(label(name));
        let program = || program_network(&network, &config, key.fold_in(label("program")));
        Ok(Self { network: detached(py, program)?, key })
    }

    /// The layer `t_seconds` after programming, its devices read once; different reads have different noise.
    #[pyo3(signature = (t_seconds, read=0))]
    fn at(&self, py: Python<'_>, t_seconds: f32, read: u64) -> PyResult<Chip> {
        // Adding 0 makes -0 the same address as 0.
        let key =
            self.key.fold_in(label("time")).fold_in(u64::from((t_seconds + 0.0).to_bits())).fold_in(read);
        let network = detached(py, || network_at(&self.network, t_seconds, key.fold_in(label("read"))))?;
        Ok(Chip { network, key: key.fold_in(label("forward")), next: AtomicU64::new(0) })
    }

    /// The weights right after programming, without drift and read noise.
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let tile = self.network.tiles().next().map(|(_, tile)| tile.programmed_weights());
        weight_rows(py, &tile.unwrap_or_default())
    }
}

/// A programmed layer at one moment; it can only be read.
#[pyclass(frozen, module = "aimc._native")]
#[derive(Debug)]
pub(crate) struct Chip {
    network: Network<InferenceMatrix>,
    key: RngKey,
    /// Number of the next vector.
    next: AtomicU64,
}

impl Chip {
    fn matrix(&self, weights: fn(&InferenceMatrix) -> DMatrix<f32>) -> DMatrix<f32> {
        self.network.tiles().next().map(|(_, tile)| weights(tile)).unwrap_or_default()
    }
}

#[pymethods]
impl Chip {
    /// y = W x + b, [batch, outputs].
    fn forward<'py>(&self, py: Python<'py>, x: Vectors<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let x = columns("x", &x)?;
        let first = self.next.fetch_add(x.ncols() as u64, Ordering::Relaxed);
        let draws = SampleKeys::new(self.key).skip(first);
        let y = detached(py, || self.network.forward(x, draws).map_err(|error| error.source.to_string()))?;
        rows(py, y)
    }

    /// Number of the next vector, which addresses its draws.
    #[getter]
    fn get_next(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    #[setter]
    fn set_next(&self, next: u64) {
        self.next.store(next, Ordering::Relaxed);
    }

    /// The weights as read, drift compensation included.
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        weight_rows(py, &self.matrix(InferenceMatrix::compensated_weights))
    }

    /// The weights as read, without drift compensation.
    fn uncompensated_weights<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        weight_rows(py, &self.matrix(InferenceMatrix::weights))
    }
}

/// Measurements of several programming events, each read several times.
#[derive(Debug, Serialize)]
struct Measured {
    #[serde(flatten)]
    nested: Nested,
    #[serde(flatten)]
    summary: Summary,
}

/// Mean, interval and spread of measurements, reads by programming events, as JSON; see [`aimc_infer::summary`].
#[pyfunction]
pub(crate) fn summarise(measurements: Vec<Vec<f64>>) -> PyResult<String> {
    let nested = Nested::of(measurements);
    let summary = Summary::of(&nested.means());
    serde_json::to_string(&Measured { nested, summary }).map_err(refused)
}
