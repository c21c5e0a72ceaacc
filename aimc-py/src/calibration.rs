//! The ranges of converters of one layer, from the vectors that it gets.

use aimc_device::RngKey;
use aimc_device::rng::label;
use aimc_infer::{CalibrationConfig, InferenceTileConfig, calibrate as calibrate_network};
use aimc_nn::Dataset;
use pyo3::prelude::*;

use crate::arrays::{Numbers, Vectors, columns};
use crate::config::read;
use crate::errors::refused;
use crate::inference::{MATRIX, layer};
use crate::work::detached;

/// Ranges for the layer on the chip `config`, from vectors `x`, [batch, inputs]: the settings of its tiles and the report, as JSON. `place` is the
/// seed and the name of the layer.
#[pyfunction]
pub(crate) fn calibrate(
    py: Python<'_>,
    values: Vectors<'_>,
    bias: Option<Numbers<'_>>,
    settings: &str,
    config: &str,
    plan: &str,
    x: Vectors<'_>,
    place: (u64, String),
) -> PyResult<(String, String)> {
    let network = layer(&values, bias.as_ref(), settings)?;
    let config: InferenceTileConfig = read(config).map_err(refused)?;
    let plan: CalibrationConfig = read(plan).map_err(refused)?;
    let x = columns("x", &x)?;
    let key = RngKey::root(place.0).fold_in(label("calibration")).fold_in(label(&place.1));
    let found = detached(py, || {
        let labels = vec![0; x.ncols()];
        let data = Dataset::new(x.into_owned(), labels, 1).map_err(|error| error.to_string())?;
        calibrate_network(&network, &config, &data, &plan, key).map_err(|error| error.to_string())
    })?;
    let settings = found.settings().remove(MATRIX).unwrap_or_default();
    let json = |value: serde_json::Result<String>| value.map_err(refused);
    Ok((json(serde_json::to_string(&settings))?, json(serde_json::to_string(&found.matrices))?))
}
