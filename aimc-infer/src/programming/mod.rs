//! How the conductances get into the devices: one file per procedure.
//!
//! | procedure | what is simulated |
//! |---|---|
//! | [`one_shot`] | the outcome, from the noise law of the programmed device |
//! | [`write_verify`] | read, compare, pulse: device by device |
//! | [`gradient_descent`] | products with random inputs, whose error moves the devices |
//! | [`tile_updates`] | a tile in training that learns its target by its own pulsed updates |
//!
//! The last three act on *pulsed* devices and take their noise from there, instead of the programming noise of the
//! programmed device. What happens afterwards (drift, read noise) is that of the programmed device in all four. Each tells
//! what it has reached and what it has cost: a [`ProgrammingReport`] per tile.
//!
//! [`weight_programming`] is no procedure but the search for a converter that suits a device; [`differential_evolution`] is
//! how it searches.

pub mod differential_evolution;
pub mod gradient_descent;
pub mod one_shot;
pub(crate) mod pulsed_slice;
pub mod report;
pub mod tile_updates;
pub mod weight_programming;
pub mod write_verify;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use aimc_device::programmed::{ProgrammedArray, ProgrammedDevice, ProgrammedDeviceConfig};
use aimc_device::{ConfigError, RngKey, config};
use aimc_tile::{AnalogMvm, Shape};

use crate::converter::{ConverterConfig, Gain, to_weights};
use crate::error::InferenceError;

pub use gradient_descent::GradientDescent;
pub use one_shot::OneShot;
pub use report::{Deviation, Effort, ProgrammingReport};
pub use tile_updates::TileUpdates;
pub use weight_programming::WeightProgramming;
pub use write_verify::WriteVerify;

/// Any procedure, chosen by the field `procedure` of a configuration.
///
/// ```
/// use aimc_infer::InferenceTileConfig;
/// let text = "[programming]\nprocedure = \"WriteVerify\"\nacceptance = 0.02\ndevice = { model = \"SoftBounds\" }";
/// let tile: InferenceTileConfig = aimc_device::config::from_toml(text).unwrap();
/// tile.validate().unwrap();
/// let error = aimc_device::config::from_toml::<InferenceTileConfig>("programming.procedure = \"Guess\"").unwrap_err();
/// assert!(error.to_string().starts_with("programming.procedure = \"Guess\": must be one of OneShot, WriteVerify, "));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "procedure")]
pub enum Programming {
    /// The outcome, from the noise law of the programmed device.
    OneShot(OneShot),
    /// Program and verify, device by device.
    WriteVerify(WriteVerify),
    /// Gradient descent on the error of products.
    GradientDescent(GradientDescent),
    /// The tile's own pulsed updates.
    TileUpdates(Box<TileUpdates>),
}

impl<'de> Deserialize<'de> for Programming {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        config::tagged(
            deserializer,
            "procedure",
            &[
                ("OneShot", |table| config::decode(table).map(Self::OneShot)),
                ("WriteVerify", |table| config::decode(table).map(Self::WriteVerify)),
                ("GradientDescent", |table| config::decode(table).map(Self::GradientDescent)),
                ("TileUpdates", |table| config::decode(table).map(Box::new).map(Self::TileUpdates)),
            ],
        )
    }
}

impl Default for Programming {
    fn default() -> Self {
        Self::OneShot(OneShot::default())
    }
}

/// What is to be written into one array, and through what it is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job<'a> {
    pub(crate) device: &'a ProgrammedDeviceConfig,
    pub(crate) converter: &'a ConverterConfig,
    pub(crate) gain: Gain,
    pub(crate) mvm: &'a AnalogMvm,
    pub(crate) shape: Shape,
    /// Target weights, row by row.
    pub(crate) weights: &'a [f32],
    /// Target conductances (µS), slice by slice; of slices that all outputs share, one row.
    pub(crate) targets: &'a [Vec<f32>],
}

impl Programming {
    /// Refuses values outside their range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        match self {
            Self::OneShot(_) => Ok(()),
            Self::WriteVerify(procedure) => procedure.validate(),
            Self::GradientDescent(procedure) => procedure.validate(),
            Self::TileUpdates(procedure) => procedure.validate(),
        }
    }

    /// Writes all slices; gives them, the weights (row by row) that they hold, and what it has come to.
    pub(crate) fn write(
        &self,
        job: &Job<'_>,
        key: RngKey,
    ) -> Result<(Vec<ProgrammedArray>, Vec<f32>, ProgrammingReport), InferenceError> {
        let (arrays, effort) = match self {
            Self::OneShot(_) => (one_shot::write(job, key), Effort::default()),
            Self::WriteVerify(procedure) => procedure.write(job, key)?,
            Self::GradientDescent(procedure) => procedure.write(job, key)?,
            Self::TileUpdates(procedure) => procedure.write(job, key)?,
        };
        let band = match self {
            Self::WriteVerify(procedure) => Some(procedure.acceptance * job.device.g_max()),
            _ => None,
        };
        let conductances: Vec<_> = arrays.iter().map(ProgrammedArray::conductances).collect();
        let weights = to_weights(job.converter, &conductances, job.gain);
        let report = ProgrammingReport::new(job, (&arrays, &weights), band, effort);
        Ok((arrays, weights, report))
    }
}
